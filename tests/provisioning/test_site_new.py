"""`fenghuo site new` as a person uses it: by options, by answers, interrupted, twice, on a full card, without rights"""

import errno
import json
import os
import resource
from pathlib import Path

import pytest

from firmware.config import load
from provisioning import site
from provisioning.site_new import KINDS
from tests.provisioning.calling import Done, call
from tests.provisioning.person import at_terminal, ended, interrupted

KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def new(*words: str, lang: str = "en") -> Done:
    return call(site.main, "new", *words, "--id", "site-0042", "--name", "Heping Road 和平路", "--yes", lang=lang)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_passes_site_check_and_keeps_the_comments(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "panel.toml"
    done = new(str(file), "--kind", kind)
    assert (done.returncode, done.stderr) == (0, "")
    loaded = load(file)
    assert (loaded.file.panel.id, loaded.file.panel.name) == ("site-0042", "Heping Road 和平路")
    assert loaded.sha256 in done.stdout
    assert file.read_text().count("#") > 10
    assert names(tmp_path) == ["panel.toml"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_id_of_another_site_and_no_plain_text_is_taken_over(kind: str, tmp_path: Path) -> None:
    new(str(tmp_path / "panel.toml"), "--kind", kind)
    file = load(tmp_path / "panel.toml").file
    rows = (file.panel, *file.area, *file.zone, *file.output)
    assert not any(row.model_dump()["gb28181_id"] for row in rows)
    for path in file.path:
        assert path.kind == "mqtt"
        assert (path.port, path.tls is not None, path.plaintext) == (8883, True, None)


def test_what_is_still_to_do_is_told_until_it_is_answered(tmp_path: Path) -> None:
    done = new(str(tmp_path / "a.toml"), "--kind", "bank")
    assert "EXAMPLES" in done.stdout
    assert "address is an example" in done.stdout
    answers = ("--host", "center.example.net", "--port", "8884", "--receipt-key", KEY, "--command-key", KEY)
    done = new(str(tmp_path / "b.toml"), "--kind", "bank", *answers, "--gb28181", "53010200491177000009", lang="zh")
    assert "示例" not in done.stdout
    assert "由中心逐一分配" in done.stdout
    file = load(tmp_path / "b.toml").file
    path, center = file.path[0], file.center
    assert path.kind == "mqtt"
    assert center is not None
    assert (path.host, path.port) == ("center.example.net", 8884)
    assert (center.receipt_keys, center.command_keys, file.panel.gb28181_id) == ([KEY], [KEY], "53010200491177000009")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kind", "palace"), "--kind: expected one of bank"),
        (("--kind", "bank", "--host", "mqtt://x"), "a host name or an IP address alone"),
        (("--kind", "bank", "--port", "many"), "a whole number"),
        (("--kind", "bank", "--receipt-key", "short"), "--receipt-key: panel.toml"),
        ((), "--yes needs --kind"),
    ],
)
def test_an_answer_that_cant_be_used_leaves_nothing(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = new(str(tmp_path / "panel.toml"), *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert names(tmp_path) == []


def test_a_file_that_is_there_is_left_unless_it_may_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "panel.toml"
    file.write_text("mine")
    done = new(str(file), "--kind", "bank")
    assert (done.returncode, file.read_text()) == (1, "mine")
    assert "--replace" in done.stderr
    done = new(str(file), "--kind", "bank", "--replace")
    assert done.returncode == 0
    assert (tmp_path / "panel.toml.old").read_text() == "mine"
    assert load(file).file.panel.id == "site-0042"
    assert names(tmp_path) == ["panel.toml", "panel.toml.old"]


def test_a_dry_run_shows_the_file_and_json_tells_the_same(tmp_path: Path) -> None:
    file = tmp_path / "panel.toml"
    shown = new(str(file), "--kind", "school", "--dry-run").stdout
    assert not file.exists()
    told = json.loads(new(str(file), "--kind", "school", "--json").stdout)
    assert file.read_text() == shown
    assert (told["ok"], told["sha256"], told["old"]) == (True, load(file).sha256, None)
    refused = new(str(file), "--kind", "school", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["ok"]) == (1, False)


def test_without_a_terminal_it_says_how_a_script_answers(tmp_path: Path) -> None:
    done = call(site.main, "new", str(tmp_path / "panel.toml"))
    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_a_person_answers_and_may_be_wrong_first(tmp_path: Path) -> None:
    person = at_terminal("site", "new", cwd=tmp_path)
    person.expect("Kind of site.*: ")
    person.sendline("castle")
    person.expect("expected one of bank")
    person.sendline("school")
    person.expect("Panel id.*: ")
    person.sendline("NO")
    person.expect("3 to 48 of a-z")
    person.expect("Panel id.*: ")
    person.sendline("school-9")
    person.expect("Name of the site.*: ")
    person.sendline("Green [Hill] 青山")
    for question in ("Time zone", "Address", "port", "receipt key", "command key", "GB/T 28181"):
        person.expect(f"{question}.*: ")
        person.sendline("")
    code, said = ended(person)
    assert (code, "panel.toml is written" in said) == (0, True)
    assert load(tmp_path / "panel.toml").file.panel.name == "Green [Hill] 青山"

    again = at_terminal("site", "new", "--kind", "empty", "--id", "other-1", cwd=tmp_path, lang="zh")
    for _ in range(7):
        again.expect("\\]: ")
        again.sendline("")
    again.expect("已存在")
    again.sendline("")
    assert ended(again)[0] == 1
    assert load(tmp_path / "panel.toml").file.panel.id == "school-9"


def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    person = at_terminal("site", "new", "--kind", "bank", cwd=tmp_path)
    person.expect("Panel id.*: ")
    person.sendline("bank-0042")
    person.expect("Name of the site.*: ")
    code, said = interrupted(person)
    assert (code, "Traceback" in said, names(tmp_path)) == (130, False, [])


def _full() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_a_card_that_takes_no_more_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text("mine")
    words = ("site", "new", "--kind", "bank", "--id", "b-1", "--name", "B", "--yes", "--replace")
    code, said = ended(at_terminal(*words, cwd=tmp_path, preexec=_full))
    assert code == 1
    assert os.strerror(errno.EFBIG) in said
    assert "Nothing has changed" in said
    assert names(tmp_path) == ["panel.toml"]
    assert (tmp_path / "panel.toml").read_text() == "mine"


@pytest.mark.parametrize("place", ["/proc/panel.toml", "nowhere/panel.toml"])
def test_where_nothing_may_be_written_it_says_so(place: str, tmp_path: Path) -> None:
    done = new(place if place.startswith("/") else str(tmp_path / place), "--kind", "bank")
    assert done.returncode == 1
    assert "can't be written" in done.stderr
    assert names(tmp_path) == []
