"""`fenghuo restore`: what it refuses, and that a refusal changes nothing."""

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import rules
from firmware.config import load, to_site
from firmware.core.keys import load_or_make
from firmware.core.lock import DataLock
from firmware.journal import Journal
from firmware.mirror.keeping import Mirror
from firmware.mirror.words import Setup
from provisioning.restore import main
from rules.vocabulary import KINDS
from tests.clock import TurnedClock
from tests.firmware.journal.rig import Rig, small_disk
from tests.provisioning.calling import Done, call

BANK = Path("docs/examples/bank.toml").read_text()


class Site:
    """A panel whose journal was mirrored, and a board to restore it on."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new, self.stick = folder / "old", folder / "new", folder / "stick"
        for place in (self.old, self.new):
            place.mkdir()
            (place / "panel.toml").write_text(BANK)
        self.journal = self.panel(self.old)
        self.rig = Rig(folder)
        self.alarms(5)
        self.mirror()

    def panel(self, place: Path) -> Journal:
        loaded = load(place / "panel.toml")
        self.state = rules.initial(to_site(loaded.file))
        return Journal.open(
            loaded.data,
            loaded.run,
            loaded.file.panel.id,
            load_or_make(loaded.data / "keys").signer,
            TurnedClock(),
            lambda state: rules.encode(state),  # type: ignore[arg-type]
            lambda kind: KINDS[kind].lane,
            lambda kind: KINDS[kind].checkpoint,
        )

    def alarms(self, count: int) -> None:
        for n in range(count):
            self.journal.commit([self.rig.commit("alarm.intruder", self.state, n=n)])  # type: ignore[arg-type]

    def mirror(self) -> None:
        loaded = load(self.old / "panel.toml")
        jwk = (loaded.data / "keys" / "core.jwk").read_text()
        what = Setup(
            loaded.file.panel.id,
            str(loaded.data),
            str(loaded.run),
            str(self.stick),
            str(loaded.path),
            loaded.sha256,
            jwk,
            False,
        )
        assert Mirror(what).turn(1.0, lambda: None) == ("", "")

    @property
    def copy(self) -> Path:
        return self.stick / f"journal-{self.journal.mark().journal}.sqlite"

    def restore(self, *words: str, typed: str = "", lang: str = "en") -> Done:
        config = str(self.new / "panel.toml")
        return call(main, str(self.stick), "--config", config, *words, typed=typed, lang=lang)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def things(place: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("typed", "done"), [("", False), ("n\n", False), ("y\n", True)])
def test_it_shows_and_asks(site: Site, typed: str, done: bool) -> None:
    said = site.restore("--new-keys", typed=typed)
    assert (said.returncode == 0, (site.new / "data" / "journal.sqlite").exists()) == (done, done)
    assert f"record {site.journal.mark().seq}" in said.stdout
    assert "area         " in said.stdout


def test_in_chinese(site: Site) -> None:
    said = site.restore("--new-keys", "--dry-run", lang="zh")
    assert "全部通过校验" in said.stdout
    assert "旧主机不得再运行" in said.stdout


def test_a_mirror_with_an_altered_record_is_not_restored(site: Site) -> None:
    with closing(sqlite3.connect(site.copy, isolation_level=None)) as connection:
        connection.execute("UPDATE record SET payload = x'00' WHERE seq = 3")
    before = things(site.new)
    said = site.restore("--new-keys", "--yes")
    assert (said.returncode, "not sound" in said.stderr) == (1, True)
    assert things(site.new) == before


def test_a_forged_mirror_is_known_by_the_key_of_the_center(site: Site, tmp_path: Path) -> None:
    load_or_make(tmp_path / "another")
    said = site.restore("--new-keys", "--yes", "--key", str(tmp_path / "another" / "core.jwk"))
    assert said.returncode == 1
    assert (
        site.restore("--dry-run", "--new-keys", "--key", str(site.old / "data" / "keys" / "core.jwk")).returncode == 0
    )


@pytest.mark.parametrize("wrong", ["label", "no mirror", "another panel", "no key", "garbage key"])
def test_what_is_no_mirror_of_this_panel(site: Site, wrong: str) -> None:
    key = site.stick / "keys" / "core.jwk"
    match wrong:
        case "label":
            (site.stick / "fenghuo-mirror.json").write_text("{}")
        case "no mirror":
            (site.stick / "fenghuo-mirror.json").unlink()
        case "another panel":
            text = BANK.replace(load(site.old / "panel.toml").file.panel.id, "another-panel", 1)
            (site.new / "panel.toml").write_text(text)
        case "no key":
            key.unlink()
        case _:
            key.write_text("[" * 3000)
    before = things(site.new)
    said = site.restore("--new-keys", "--yes", "--json")
    assert (said.returncode, json.loads(said.stdout)["ok"]) == (1, False)
    assert things(site.new) == before


def test_a_board_with_records_of_its_own_is_left_as_it_is(site: Site) -> None:
    other = site.panel(site.new)
    other.close()
    before = things(site.new / "data")
    said = site.restore("--yes")
    assert (said.returncode, "--replace" in said.stderr) == (1, True)
    assert things(site.new / "data") == before
    assert site.restore("--yes", "--replace").returncode == 0
    aside = list((site.new / "data").glob("*.corrupt-*.sqlite"))
    assert len(aside) == 1, "kept, under another name"


def test_the_panel_itself_has_nothing_to_restore_and_one_that_went_on_refuses(site: Site) -> None:
    site.journal.close()
    site.mirror()
    config = str(site.old / "panel.toml")
    said = call(main, str(site.stick), "--config", config, "--yes")
    assert (said.returncode, "nothing to restore" in said.stderr) == (1, True)
    site.journal = site.panel(site.old)
    site.alarms(1)
    site.journal.close()
    said = call(main, str(site.stick), "--config", config, "--yes")
    assert (said.returncode, "--replace" in said.stderr) == (1, True)


def test_a_card_that_was_put_back_is_caught_up(site: Site) -> None:
    """The same panel, an older image of its card: contained in the mirror, so there is nothing to lose."""
    old = site.new / "data"
    shutil.copytree(site.old / "data" / "keys", old / "keys")
    site.journal.snapshot(old / "journal.sqlite")
    site.alarms(3)
    site.mirror()
    said = site.restore("--yes", "--json")
    assert (said.returncode, json.loads(said.stdout)["keys"]) == (0, "same")
    again = site.panel(site.new)
    heads = again.reader().heads()
    assert heads[0].journal == site.journal.mark().journal
    assert heads[0].last["alarm"] == 8, "what the center has no receipt for is sent by the new board"


def test_a_running_panel_is_left_alone(site: Site) -> None:
    lock = DataLock(site.new / "data")
    said = site.restore("--new-keys", "--yes")
    assert (said.returncode, "stop it first" in said.stderr) == (1, True)
    lock.release()


def test_wrong_keys(site: Site, tmp_path: Path) -> None:
    load_or_make(tmp_path / "another")
    said = site.restore("--keys", str(tmp_path / "another"), "--yes")
    assert (said.returncode, "expected core.pem" in said.stderr) == (1, True)
    assert not (site.new / "data" / "keys").exists()


def test_a_full_card(site: Site) -> None:
    with small_disk(site.new / "data", "2m"):
        said = site.restore("--new-keys", "--yes")
        assert (said.returncode, "MiB needed" in said.stderr) == (1, True)
        assert not list((site.new / "data").iterdir())


def test_a_card_that_runs_full_amid_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from provisioning import restore_plan

    site.alarms(600)
    site.mirror()
    monkeypatch.setattr(restore_plan, "_room", lambda *_: None)
    with small_disk(site.new / "data", "300k"):
        said = site.restore("--new-keys", "--yes")
        assert (said.returncode, "full" in said.stderr) == (1, True)
        assert not list((site.new / "data").glob("*.sqlite*"))


@pytest.mark.parametrize("seed", range(12))
def test_garbage_anywhere_on_the_stick_is_refused_or_left_out_in_words(site: Site, seed: int) -> None:
    dice = random.Random(seed)
    files = sorted(path for path in site.stick.rglob("*") if path.is_file())
    for path in dice.sample(files, dice.randint(1, 2)):
        data = bytearray(path.read_bytes())
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(data))
            junk = dice.choice([dice.randbytes(8), bytes(1024), b"[" * 2000, b"\xff" * 40])
            data[at : at + len(junk)] = junk
        path.write_bytes(data)
    before = things(site.new)
    said = site.restore("--new-keys", "--yes", "--json")
    told = json.loads(said.stdout)
    assert (said.returncode == 0) is told["ok"]
    if not told["ok"]:
        assert told["why"]
        assert things(site.new) == before
    else:
        assert told["seq"] == site.journal.mark().seq
