"""`fenghuo simulate`: arguments, exit codes, both languages, jobs, replay, and an end by Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from hil.life.happenings import Happening, Held, Recorded
from hil.life.life import Makers, Terms
from hil.life.lives import default_makers
from hil.life.main import live_through, main, show_again
from hil.life.report import Report
from hil.life.sites import ground
from hil.life.violation import Violation
from tests.child import child

KEY = re.compile(r"key=\W*[0-9a-f]{32}")
SIMULATE = (sys.executable, "-c", "import sys; from hil.life.main import main; sys.exit(main(sys.argv[1:]))")
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "bank.toml"


def simulate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_it_is_a_command_of_fenghuo() -> None:
    found = [point for point in entry_points(group="fenghuo.commands") if point.name == "simulate"]
    assert found == [] or found[0].load() is main  # an installation of before does not list it yet


def test_a_life_without_violation_ends_with_0_and_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = simulate(capsys, "--site", "bank", "--days", "2", "--seed", "4", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["violations"] == []
    assert told["lives"][0]["days"] == 2
    assert len(told["lives"][0]["digest"]) == 64
    assert told["coverage"]["kinds"]["panel.started"] >= 1
    assert told["held"] > 50


def test_a_panel_file_may_be_lived_and_jobs_change_nothing() -> None:
    words = ("--site", str(EXAMPLE), "--days", "1", "--years", str(3 / 365), "--seed", "6", "--json")
    # Not in this process: its threads would be there when it forks.
    done = [subprocess.run([*SIMULATE, *words, "--jobs", n], check=True, capture_output=True) for n in ("1", "2")]
    one, two = (json.loads(each.stdout) for each in done)
    assert len(one["lives"]) == 3
    by_seed = [{life["seed"]: life["digest"] for life in told["lives"]} for told in (one, two)]
    assert by_seed[0] == by_seed[1]


@pytest.mark.parametrize(
    "words",
    [
        ("--site", "nowhere.toml"),
        ("--years", "0"),
        ("--days", "366"),
        ("--jobs", "0"),
        ("--seed", "-1"),
        ("--seed", "x"),
        ("--replay", "--json"),
        ("--no-such",),
    ],
)
def test_bad_arguments_end_with_2_and_say_why(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = simulate(capsys, *words)
    assert code == 2
    assert out == ""
    assert err.strip()


def test_a_bad_panel_file_tells_its_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(EXAMPLE.read_text().replace('type = "entry-exit"', 'type = "exit-entry"', 1))
    code, _, err = simulate(capsys, "--site", str(bad))
    assert code == 2
    assert "exit-entry" in err


# --- violations ------------------------------------------------------------------------------------------


class Grumpy:
    """Objects to the first door that opens."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def watch(self, happening: Happening) -> None:
        if isinstance(happening, Recorded) and happening.kind == "area.disarmed" and not self.violations:
            self.violations.append(Violation(happening.at, "buzzer", "somebody disarmed"))

    def finish(self, at: int, journal: Sequence[Recorded], center: Sequence[Held]) -> None:
        """Nothing to say."""


def grumpy() -> Makers:
    return replace(default_makers(), judge=lambda _ground: Grumpy())


def bank(seed: int, days: int = 3) -> Terms:
    return Terms(ground("bank"), seed, days, until_violation=True)


def test_a_violation_ends_with_1_and_tells_how_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    code = live_through([bank(4)], Report("bank", 3), makers=grumpy())
    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0].startswith("VIOLATION buzzer in life 4 at ")
    assert "somebody disarmed" in lines[1]
    assert any("CodeEntered(source='keypad-" in line for line in lines)
    assert "  to see it step by step:  fenghuo simulate --site bank --seed 4 --days 3 --replay" in lines
    assert lines[-1] == "1 violations"


def test_the_same_in_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", "zh")
    live_through([bank(4)], Report("bank", 3), makers=grumpy())
    out = capsys.readouterr().out
    assert out.startswith("违反 buzzer,生命 4")
    assert "逐步重放" in out


def test_a_violation_as_json_has_the_last_stimuli_without_any_key(capsys: pytest.CaptureFixture[str]) -> None:
    code = live_through([bank(4)], Report("bank", 3), as_json=True, makers=grumpy())
    [found] = json.loads(capsys.readouterr().out)["violations"]
    assert (code, found["seed"], found["rule"]) == (1, 4, "buzzer")
    assert 1 < len(found["stimuli"]) <= 50
    assert found["stimuli"] == sorted(found["stimuli"], key=lambda shown: shown["at"])
    assert not KEY.search(json.dumps(found["stimuli"]))


def test_the_first_violation_ends_it_when_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("bank", 3)
    assert live_through([bank(4), bank(5)], report, makers=grumpy()) == 1
    capsys.readouterr()
    assert len(report.outcomes) == 1


def test_a_replay_shows_the_steps_before_the_violation(capsys: pytest.CaptureFixture[str]) -> None:
    code = show_again(bank(4), Report("bank", 3), makers=grumpy())
    out = capsys.readouterr().out
    assert code == 1
    assert "-> Record(kind='area.disarmed'" in out
    assert "*  durable.areas[" in out
    assert out.splitlines()[-3].startswith("VIOLATION buzzer in life 4 at ")
    assert not KEY.search(out)


def in_two_processes(tell: Connection) -> None:
    report = Report("bank", 3, jobs=2)
    code = live_through([replace(bank(n), until_violation=False) for n in (4, 5, 6)], report, makers=grumpy())
    found = {outcome.seed: len(outcome.findings) for outcome in report.outcomes}
    tell.send_bytes(repr((code, sorted(found.items()))).encode())


def test_violations_of_processes_come_back() -> None:
    with child(in_two_processes) as lived:
        assert list(lived.hear()) == [b"(1, [(4, 1), (5, 1), (6, 1)])"]


# --- Ctrl-C ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_it_with_what_was_lived_so_far(jobs: str) -> None:
    words = ["--site", "bank", "--years", "40", "--jobs", jobs, "--json"]
    ours, terminal = os.openpty()
    # A group of its own: Ctrl-C at a terminal reaches every process of it.
    process = subprocess.Popen(
        [*SIMULATE, *words],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env={**os.environ, "FENGHUO_LANG": "en"},
        process_group=0,
    )
    os.close(terminal)
    try:
        assert "0 of 40 lives" in _read_until(ours, "violations")
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert "interrupted" in _read_until(ours, "interrupted")
    finally:
        process.kill()
        os.close(ours)
    told = json.loads(out)
    assert process.returncode in (0, 1)
    assert 0 < len(told["lives"]) <= int(jobs)
    assert all(life["ended_early"] for life in told["lives"])


def _read_until(terminal: int, word: str) -> str:
    text = ""
    while word not in text:
        text += os.read(terminal, 4_096).decode()
    return text
