"""From an alarm to a bundle that a stranger can check: real core and camera, the commands, and the 50-line script."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol import messages as m
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import load_public
from provisioning.evidence import main
from provisioning.evidence.bundle_check import check_bundle
from tests.provisioning.calling import Done, call
from tests.system.rig import Rig, rig

WHO = ("--by", "Li Wei", "--reason", "case 2026-114")


def short(text: str) -> str:
    """The demo's bank whose captures end soon."""
    return text.replace("post_s = 5", "post_s = 2", 1)


@dataclass
class Site:
    panel: Rig
    event: str
    bundle: Path

    def run(self, command: str, *words: str, lang: str = "en") -> Done:
        return call(main, command, *words, "--config", str(self.panel.panel_toml), lang=lang)

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        return [r["payload"] for r in self.panel.records() if r["kind"] == kind]

    def evidence(self) -> Path:
        return self.panel.data / "evidence"


def alarm(panel: Rig) -> None:
    """A hold-up, and wait until its pictures are all told."""
    since = panel.mark()
    panel.desk(m.Press(zone="holdup-1"))
    while True:
        if panel.wait("record", "evidence.pictures", since=since, timeout_s=30).value["last"]:
            return
        since = next(i for i in range(since, panel.mark()) if panel.seen[i].name == "evidence.pictures") + 1


def old_capture(panel: Rig, days: int, *, held: bool = False) -> Path:
    """A capture of so many days ago, as an earlier life of the panel left it."""
    day = (datetime.now(UTC) - timedelta(days=days)).date()
    folder = panel.data / "evidence" / str(day) / "000900-lobby"
    folder.mkdir(parents=True)
    (folder / "0000.jpg").write_bytes(b"an old picture")
    if held:
        (folder / "hold.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with rig(edit=short) as panel:
        for days, held in ((100, False), (99, True), (45, False)):
            old_capture(panel, days, held=held)
        panel.start("core", "camera")
        panel.add_user()
        panel.settle()
        alarm(panel)
        made = Site(panel, "", tmp_path_factory.mktemp("out") / "event.zip")
        [row] = [json.loads(line) for line in made.run("list", "--json").stdout.splitlines()]
        made.event = row["event"]
        done = made.run("export", made.event, str(made.bundle), *WHO)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made


def test_what_is_past_its_retention_went_and_the_record_says_so(site: Site) -> None:
    [deleted] = site.payloads("evidence.deleted")
    assert deleted["why"] == "age"
    [folder] = deleted["folders"]
    assert folder.endswith("/000900-lobby")
    assert (deleted["files"], deleted["bytes"]) == (1, 14)
    assert gone(site.evidence() / folder)
    left = sorted(path.parent.name for path in site.evidence().glob("*/000900-lobby"))
    assert len(left) == 2, "the held one, and the one that the card has room for"
    assert site.panel.status()["health"]["evidence_held"] >= 1


def gone(folder: Path) -> bool:
    for _ in range(200):
        if not folder.exists():
            return True
        time.sleep(0.05)
    return False


def test_a_legal_hold_is_kept_on_the_card_and_recorded_with_who_and_why(site: Site) -> None:
    [folder] = site.evidence().glob("*/000001-lobby")
    done = site.run("hold", site.event, *WHO)
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "hold.json").read_text())["reason"] == "case 2026-114"
    assert "held" in site.run("list").stdout
    assert site.run("verify", site.event).returncode == 0, "the mark is no file too many"
    assert site.run("release", site.event, "--by", "Li Wei", "--reason", "closed").returncode == 0
    assert not (folder / "hold.json").exists()
    [held], [released] = site.payloads("evidence.held"), site.payloads("evidence.released")
    assert (held["by"], held["incident"], released["reason"]) == ("Li Wei", 1, "closed")
    assert site.run("hold", site.event, "--by", "Li Wei", "--reason", "").returncode == 2, "never without a reason"


def script(bundle: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a third party does: take the script out of the bundle that was made, and run it alone."""
    (folder / "verify.py").write_text(
        (Path(__file__).parents[2] / "provisioning" / "evidence" / "verify.txt").read_text()
    )
    command = [sys.executable, "-I", str(folder / "verify.py"), str(bundle)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_event_is_listed_shown_and_sound_and_viewing_is_recorded(site: Site) -> None:
    done = site.run("list")
    assert site.event in done.stdout
    assert "hold-up" in done.stdout
    done = site.run("show", site.event, "--by", "Zhao Min", "--reason", "morning round")
    assert done.returncode == 0, done.stderr
    shown = [word for word in done.stdout.split() if word.endswith(".jpg")]
    assert len(shown) >= 4
    assert all(Path(file).is_file() for file in shown)
    viewed = site.payloads("evidence.viewed")[-1]
    assert (viewed["by"], viewed["reason"], viewed["incident"]) == ("Zhao Min", "morning round", 1)
    done = site.run("verify", site.event)
    assert done.returncode == 0, done.stdout
    assert "sound" in done.stdout
    assert "signed checkpoint" in done.stdout
    assert "完好" in site.run("verify", site.event, lang="zh").stdout


def test_a_bundle_is_genuine_to_both_checks_and_its_export_is_in_its_chain(site: Site, tmp_path: Path) -> None:
    key = site.panel.data / "keys" / "core.jwk"
    done = call(main, "verify-bundle", str(site.bundle), "--key", str(key))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Li Wei" in done.stdout
    ran = script(site.bundle, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "GENUINE" in ran.stdout
    assert json.loads(key.read_text())["kid"] in ran.stdout
    exported = site.payloads("evidence.exported")[0]
    assert (exported["by"], exported["reason"]) == ("Li Wei", "case 2026-114")
    with zipfile.ZipFile(site.bundle) as bundle:
        lines = [json.loads(line) for line in bundle.read("chain.jsonl").splitlines()]
        kinds = [json.loads(line["header"])["kind"] for line in lines]
        assert kinds[0] == "alarm.hold-up"
        assert "evidence.exported" in kinds
        assert kinds[-1] == "journal.checkpoint"
        others = [line for line, kind in zip(lines, kinds, strict=True) if kind.startswith(("user.", "panel."))]
        assert all(line["payload"] is None for line in others), "what else happened is nobody's business"
        page = bundle.read("index.html").decode()
        assert "<script" not in page
        assert all(name in page for name in bundle.namelist() if name.endswith(".jpg") and "thumbnail" not in name)
        assert (len(bundle.read("verify.py").decode().splitlines())) <= 50


def test_another_key_is_not_the_panels(site: Site) -> None:
    other = load_public("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert check_bundle(site.bundle, other).found


def flipped(bundle: Path, name: str, out: Path, at: int = -1) -> Path:
    """The bundle with one bit of one byte of one file changed, the ZIP itself sound."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = bytearray(old.read(entry))
            if entry.filename == name:
                data[at if at >= 0 else len(data) // 2] ^= 0x01
            new.writestr(entry.filename, bytes(data))
    return out


def kinds_of_files(bundle: Path) -> dict[str, str]:
    """One file of each kind."""
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
    found = {name: name for name in names if "/" not in name}
    for end in ("0000.jpg", "thumbnail-1.jpg", "manifest.json"):
        found[end] = next(name for name in names if name.endswith(end))
    return found


def test_one_flipped_byte_in_any_kind_of_file_is_refused_by_both(site: Site, tmp_path: Path) -> None:
    files = kinds_of_files(site.bundle)
    assert files.keys() >= {"index.json", "index.jws", "keys.json", "chain.jsonl", "index.html", "verify.py"}
    for kind, name in files.items():
        bad = flipped(site.bundle, name, tmp_path / "bad.zip")
        assert check_bundle(bad).found, kind
        ran = script(bad, tmp_path)
        assert ran.returncode == 1, kind
        assert "NOT GENUINE" in ran.stderr, kind


def rezipped(bundle: Path, out: Path, drop: str = "", add: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            if entry.filename != drop:
                new.writestr(entry.filename, old.read(entry))
        for name, data in (add or {}).items():
            new.writestr(name, data)
    return out


def test_a_file_too_many_or_too_few_is_refused_by_both(site: Site, tmp_path: Path) -> None:
    picture = kinds_of_files(site.bundle)["0000.jpg"]
    for change in ({"drop": picture}, {"drop": "index.jws"}, {"add": {"evidence/2026-01-01/x/0.jpg": b"x"}}):
        bad = rezipped(site.bundle, tmp_path / "bad.zip", **change)
        assert check_bundle(bad).found, change
        assert script(bad, tmp_path).returncode == 1, change
    for nonsense in (b"", b"PK\x03\x04", site.bundle.read_bytes()[:2000]):
        (tmp_path / "bad.zip").write_bytes(nonsense)
        assert check_bundle(tmp_path / "bad.zip").found
        assert script(tmp_path / "bad.zip", tmp_path).returncode == 1


def test_verify_names_each_altered_missing_and_extra_file(site: Site, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(site.panel.data, data)
    [folder] = (data / "evidence").glob("*/000001-lobby")
    (folder / "0000.jpg").write_bytes(b"another picture")
    (folder / "0001.jpg").unlink()
    (folder / "9999.jpg").write_bytes(b"one more")
    done = call(main, "verify", site.event, "--data", str(data))
    assert done.returncode == 1
    where = f"{folder.parent.name}/{folder.name}"
    assert f"{where}/0000.jpg: altered" in done.stdout
    assert f"{where}/0001.jpg: missing" in done.stdout
    assert f"{where}/9999.jpg: no record" in done.stdout
    assert "3 findings" in done.stdout
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes().replace(b"0002.jpg", b"0003.jpg"))
    assert f"{where}/manifest.json: altered" in call(main, "verify", site.event, "--data", str(data)).stdout


def rewrite(journal: Path, first: int) -> None:
    """Another score, and every hash from there on worked out anew."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:
        rows = db.execute("SELECT seq, header, payload FROM record WHERE seq >= ? ORDER BY seq", (first,)).fetchall()
        prev = ""
        for seq, data, payload in rows:
            header = json.loads(data)
            if seq == first:
                payload = payload.replace(b'"score":', b'"score":1')
            header |= {"payload_hash": sha256_hex(payload)} | ({"prev": prev} if prev else {})
            prev = sha256_hex(canonical(header))
            db.execute(
                "UPDATE record SET header = ?, payload = ?, hash = ? WHERE seq = ?",
                (canonical(header), payload, prev, seq),
            )


def test_verify_finds_records_altered_or_taken_out_and_another_panels_signature(site: Site, tmp_path: Path) -> None:
    def checked(change: str, seq: int) -> str:
        data = tmp_path / f"data-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(site.panel.data, data)
        with closing(sqlite3.connect(data / "journal.sqlite", isolation_level=None)) as db:
            db.execute(change, (seq,))
        return call(main, "verify", site.event, "--data", str(data)).stdout

    first = min(
        r["seq"] for r in site.panel.records() if r["kind"] == "evidence.pictures" and r["payload"]["incident"] == 1
    )
    # As somebody would who has swapped the picture too.
    altered = """UPDATE record SET payload = CAST(replace(payload, '"score":', '"score":1') AS BLOB) WHERE seq = ?"""
    assert f"record {first}: altered" in checked(altered, first)
    assert f"record {first + 1} does not follow" in checked("DELETE FROM record WHERE seq = ?", first)
    data = tmp_path / "rewritten"
    shutil.copytree(site.panel.data, data)
    rewrite(data / "journal.sqlite", first)
    said = call(main, "verify", site.event, "--data", str(data)).stdout
    assert "not signed by the panel" in said, "hashes anybody can work out anew, the checkpoint nobody"
    assert "does not follow" not in said
    data = tmp_path / "other-key"
    shutil.copytree(site.panel.data, data)
    other = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    (data / "keys" / "core.jwk").write_text(json.dumps(other))
    assert "not signed by the panel" in call(main, "verify", site.event, "--data", str(data)).stdout


def test_core_signs_one_bundle_for_each_recorded_export(site: Site) -> None:
    from firmware.protocol.lines import Client

    journal = str(site.panel.status()["journal"])
    client = Client(site.panel.run / "technician.sock")

    def ask(message: Any) -> dict[str, Any]:
        client.send(message)
        answer = client.receive(10.0)
        assert answer is not None
        return answer

    sign = m.SignBundle(index="0" * 64)
    assert not ask(sign)["ok"], "without an export"
    assert ask(m.EvidenceAct(act="viewed", journal=journal, incident=1, by="x"))["ok"]
    assert not ask(sign)["ok"], "to look is not to export"
    assert ask(m.EvidenceAct(act="exported", journal=journal, incident=1, by="x"))["ok"]
    assert ask(sign)["ok"]
    assert not ask(sign)["ok"], "once"
    client.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "seven"), "expected the number of an incident"),
        (("verify", "99"), "no pictures of it"),
        (("export", "1", "OUT", "--by", "\x07", "--reason", "x"), "--by or --reason"),
    ],
)
def test_what_is_not_understood_is_said(site: Site, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = site.run(*(str(tmp_path / "out.zip") if word == "OUT" else word for word in words))
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
