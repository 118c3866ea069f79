"""`fenghuo site set`: one key changes, everything else stays to the byte, and a file never becomes worse."""

import contextlib
import json
import shutil
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.config import load
from provisioning import site
from provisioning.site_text import BadKey, value_of, with_key
from tests.provisioning.calling import Done, call

BANK = Path("docs/examples/bank.toml").read_text()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy("docs/examples/bank.toml", tmp_path / "panel.toml"))


def set_(file: Path, *words: str, lang: str = "en") -> Done:
    return call(site.main, "set", *words, "--config", str(file), lang=lang)


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("area.hall.exit_delay_s", "45", "exit_delay_s = 60", "exit_delay_s = 45"),
        ("area.1.exit_delay_s", "45", "exit_delay_s = 60", "exit_delay_s = 45"),
        ("timings.siren_s", "200", "siren_s = 300", "siren_s = 200"),
        ("zone.back-door.input.line", "2", "input = { line = 24 }", "input = { line = 2 }"),
        ("zone.hall-pir.type", "instant", 'type = "follower"', 'type = "instant"'),
        ("path.center-1.host", "c.example.net", 'host = "alarm.example.org"', 'host = "c.example.net"'),
        ("part.cleaners.omits", '["hall-pir"]', '["hall-pir", "office-pir", "archive-pir"]', '["hall-pir"]'),
    ],
)
def test_one_value_changes_and_every_comment_stays(key: str, value: str, old: str, new: str, file: Path) -> None:
    done = set_(file, key, value)
    assert (done.returncode, done.stderr) == (0, "")
    changed = file.read_text()
    before, after = BANK.splitlines(), changed.splitlines()
    lines = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(lines) == 1
    assert (old in lines[0][0], new in lines[0][1]) == (True, True)
    assert lines[0][0].partition("#")[2] == lines[0][1].partition("#")[2]
    assert load(file).sha256 in done.stdout


def test_a_key_that_is_taken_out_has_its_default(file: Path) -> None:
    assert set_(file, "timings.lockout_s", "--remove").returncode == 0
    assert "lockout_s" not in file.read_text()
    assert set_(file, "storage.mirror", "--remove").returncode == 0
    assert load(file).file.storage.mirror is None


def test_a_table_that_is_not_there_yet_is_made(file: Path) -> None:
    assert set_(file, "clock.from_center", "true").returncode == 0
    assert load(file).file.clock.from_center


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("timings.siren_s", "1"), "outside the limits"),
        (("timings.siren_s", "long"), "a whole number"),
        (("timings.sirens", "1"), "unknown key"),
        (("zone.nowhere.type", "instant"), "expected one of front-door, hall-pir"),
        (("zone.99.type", "instant"), "there is no 99"),
        (("siren_s", "1"), "expected TABLE.KEY"),
        (("panel.id.more", "1"), "id holds no keys"),
        (("..", "1"), "expected TABLE.KEY"),
        (("timings.absent", "--remove"), "not in the file"),
        (("timings.siren_s",), "expected a VALUE"),
        (("timings.siren_s", "200", "--remove"), "expected a VALUE"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_changes(words: tuple[str, ...], said: str, file: Path) -> None:
    done = set_(file, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert file.read_text() == BANK


def test_a_second_run_a_dry_run_and_json(file: Path) -> None:
    assert "from 60 to 45" in set_(file, "area.hall.exit_delay_s", "45", "--dry-run").stdout
    assert file.read_text() == BANK
    told = json.loads(set_(file, "area.hall.exit_delay_s", "45", "--json").stdout)
    assert told["differences"][0]["place"] == ["area", "hall", "exit_delay_s"]
    again = set_(file, "area.hall.exit_delay_s", "45", lang="zh")
    assert (again.returncode, "无变化" in again.stdout) == (0, True)


def test_the_file_of_a_running_panel_is_left_alone(file: Path) -> None:
    (file.parent / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as panel:
        panel.bind(str(file.parent / "run" / "technician.sock"))
        panel.listen()
        done = set_(file, "area.hall.exit_delay_s", "45")
        assert (done.returncode, "site install" in done.stderr, file.read_text()) == (1, True, BANK)
        out = file.parent / "new.toml"
        assert set_(file, "area.hall.exit_delay_s", "45", "--out", str(out)).returncode == 0
    assert (file.read_text(), load(out).file.area[0].exit_delay_s) == (BANK, 45)


def test_where_nothing_may_be_written_it_says_so(file: Path) -> None:
    done = set_(file, "area.hall.exit_delay_s", "45", "--out", "/proc/new.toml")
    assert (done.returncode, "Nothing has changed" in done.stderr) == (1, True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(max_size=30) | st.from_regex(r"(zone|area|timings|panel|path)(\.[a-z0-9-]{1,6}){0,4}"), st.text(max_size=30)
)
def test_no_key_and_no_value_ends_in_a_traceback(key: str, value: str) -> None:
    with contextlib.suppress(BadKey):
        assert isinstance(with_key(BANK, key, value_of(value)), str)
