"""Real child processes: tiny scripts that live, die, hang and refuse to stop."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from firmware.child import Job
from firmware.clock import SystemClock
from firmware.config import load
from firmware.stopping import StopFlag
from firmware.supervise import LONGEST_PAUSE_S, Supervisor, jobs, pause_s

LIFE = """
import os, pathlib, signal, sys, time
from firmware.sd_notify import notify, watchdog_interval_s
from firmware.stopping import StopFlag
log = pathlib.Path(sys.argv[1])
def say(word):
    with log.open("a") as f:
        f.write(f"{word} {os.getpid()}\\n")
stop = StopFlag().install()
"""
GOOD = (
    LIFE + "say('up'); notify('READY=1')\nwhile not stop.wait(watchdog_interval_s()): notify('WATCHDOG=1')\nsay('down')"
)
HUNG = LIFE + "say('up'); notify('READY=1')\nstop.wait(); signal.pause()"
NEVER_READY = LIFE + "say('up'); stop.wait()"
DEAF = LIFE + "signal.signal(signal.SIGTERM, signal.SIG_IGN); notify('READY=1'); say('up')\nwhile True: time.sleep(60)"
DIES = LIFE + "say('up'); sys.exit(1)"
HOPELESS = LIFE + "say('up'); sys.exit(3)"
RELOADS = LIFE + (
    "say('up'); notify('READY=1')\nwhile not pathlib.Path(sys.argv[1] + '.go').exists(): time.sleep(0.02)\n"
    "notify('RELOADING=1'); time.sleep(0.1); notify('READY=1'); say('back')\n"
    "while not stop.wait(watchdog_interval_s()): notify('WATCHDOG=1')"
)
FAILS_AT_STOP = LIFE + "notify('READY=1'); say('up'); stop.wait(); sys.exit(7)"


class Desk:
    """A supervisor in a thread of this test, and the diaries of its children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stop = StopFlag()
        self.code: int | None = None
        self._thread: threading.Thread | None = None

    def job(self, name: str, script: str, **limits: float) -> Job:
        return Job(name, [sys.executable, "-c", script, str(self.folder / name)], **limits)

    def start(self, *children: Job, rate: int = 1, anew: Callable[[], Sequence[Job] | None] = lambda: None) -> None:
        supervisor = Supervisor(children, SystemClock(rate), random.Random(1), self.stop, anew)

        def run() -> None:
            self.code = supervisor.run()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def end(self) -> int | None:
        self.stop.set("test")
        assert self._thread is not None
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.code

    def said(self, name: str) -> list[list[str]]:
        path = self.folder / name
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(pid) for word, pid in self.said(name) if word == "up"]

    def joined(self) -> bool:
        assert self._thread is not None
        return not self._thread.is_alive()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    if not desk.joined():
        desk.end()
    desk.stop.close()


def until(condition: Callable[[], bool], what: str, limit_s: float = 15) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"not in {limit_s} s: {what}"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_clean_stop_lets_the_children_stop(desk: Desk) -> None:
    desk.start(desk.job("core", GOOD), desk.job("uplink", GOOD))
    until(lambda: bool(desk.pids("core") and desk.pids("uplink")), "both up")
    assert desk.end() == 0
    assert [word for word, _ in desk.said("core")] == ["up", "down"]
    assert [word for word, _ in desk.said("uplink")] == ["up", "down"]


def test_a_killed_child_comes_back_and_the_other_stays(desk: Desk) -> None:
    desk.start(desk.job("core", GOOD), desk.job("uplink", GOOD))
    until(lambda: bool(desk.pids("core") and desk.pids("uplink")), "both up")
    os.kill(desk.pids("core")[0], signal.SIGKILL)
    until(lambda: len(desk.pids("core")) == 2, "core is back")
    assert len(desk.pids("uplink")) == 1
    assert desk.end() == 0


def test_a_child_that_hangs_is_killed_and_comes_back(desk: Desk) -> None:
    desk.start(desk.job("core", HUNG, watchdog_s=0.5, stop_s=0.2))
    until(lambda: len(desk.pids("core")) == 2, "core is back")
    assert gone(desk.pids("core")[0])


def test_a_child_that_never_gets_ready_is_killed_and_comes_back(desk: Desk) -> None:
    desk.start(desk.job("core", NEVER_READY, start_s=0.7))
    until(lambda: len(desk.pids("core")) == 2, "core is back")
    assert gone(desk.pids("core")[0])


def test_the_watchdog_of_a_child_that_lives_does_not_bite(desk: Desk) -> None:
    desk.start(desk.job("core", GOOD, watchdog_s=1.5), desk.job("uplink", HUNG, watchdog_s=0.6, stop_s=0.2))
    until(lambda: len(desk.pids("uplink")) == 4, "three of the hung one's lives: longer than core's watchdog")
    assert len(desk.pids("core")) == 1


def test_another_process_can_not_feed_the_watchdog(desk: Desk) -> None:
    feeder = (
        "import subprocess, sys\n" + LIFE + "say('up'); notify('READY=1')\n"
        "subprocess.Popen([sys.executable, '-c', 'import time\\nfrom firmware.sd_notify import notify\\n'"
        "'while True: notify(\"WATCHDOG=1\"); time.sleep(0.1)'])\nstop.wait()"
    )
    desk.start(desk.job("core", feeder, watchdog_s=0.8))
    until(lambda: len(desk.pids("core")) == 2, "core is back")


def test_a_deaf_child_is_killed_at_the_end(desk: Desk) -> None:
    desk.start(desk.job("core", DEAF, stop_s=0.3))
    until(lambda: bool(desk.pids("core")), "core up")
    assert desk.end() == 1
    assert gone(desk.pids("core")[0])


def test_a_child_that_fails_at_the_end_is_told(desk: Desk) -> None:
    desk.start(desk.job("core", FAILS_AT_STOP))
    until(lambda: bool(desk.pids("core")), "core up")
    assert desk.end() == 1


def test_a_core_that_can_not_run_here_ends_it_all(desk: Desk) -> None:
    desk.start(desk.job("core", HOPELESS), desk.job("uplink", GOOD))
    until(desk.joined, "the supervisor gave up")
    assert desk.code == 3
    assert len(desk.pids("core")) == 1
    assert all(gone(pid) for pid in desk.pids("uplink"))


def test_an_uplink_that_can_not_run_here_ends_nothing(desk: Desk) -> None:
    desk.start(desk.job("core", GOOD), desk.job("uplink", HOPELESS))
    until(lambda: len(desk.pids("uplink")) >= 2, "uplink is tried again")
    assert len(desk.pids("core")) == 1
    assert not desk.joined()


def test_children_stop_in_good_order_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import random, sys\n"
        "from firmware.child import Job\nfrom firmware.clock import SystemClock\n"
        "from firmware.stopping import StopFlag\nfrom firmware.supervise import Supervisor\n"
        f"job = Job('core', [sys.executable, '-c', {GOOD!r}, {str(tmp_path / 'core')!r}])\n"
        "Supervisor([job], SystemClock(), random.Random(1), StopFlag().install()).run()\n"
    )
    diary = tmp_path / "core"
    with subprocess.Popen([sys.executable, script]) as parent:
        until(lambda: diary.exists() and diary.read_text() != "", "core up")
        parent.kill()
        parent.wait()
    until(lambda: "down" in diary.read_text(), "core stopped by itself")


def test_the_pause_grows_to_a_limit_and_is_drawn_below_it() -> None:
    rng = random.Random(7)
    for failures, most in ((0, 0.2), (1, 0.4), (5, 6.4), (8, LONGEST_PAUSE_S), (1000, LONGEST_PAUSE_S)):
        pauses = [pause_s(failures, rng) for _ in range(400)]
        assert max(pauses) <= most
        assert max(pauses) > 0.9 * most
        assert min(pauses) < 0.1 * most


def test_a_child_that_dies_again_and_again_is_paused_longer(desk: Desk) -> None:
    desk.start(desk.job("core", GOOD), desk.job("uplink", DIES))
    until(lambda: len(desk.pids("uplink")) >= 4, "four lives")
    assert len(desk.pids("core")) == 1


LIVES_A_WHILE = LIFE + "say('up'); notify('READY=1'); stop.wait(0.4); sys.exit(1)"


@pytest.mark.parametrize(("rate", "longest"), [(1, 0.4), (200, 0.2)])
def test_a_long_life_makes_the_next_pause_short_again(
    rate: int, longest: float, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """At 200 times the speed, 0.4 s of life are longer than the 60 s that count as stable."""
    caplog.set_level("WARNING", "fenghuo.run")
    desk.start(desk.job("core", LIVES_A_WHILE, start_s=10_000, watchdog_s=10_000), rate=rate)
    until(lambda: len(desk.pids("core")) == 5, "four deaths")
    desk.end()
    pauses = [
        float(str(record.args[2]))
        for record in caplog.records
        if isinstance(record.args, tuple) and len(record.args) == 3
    ]
    assert len(pauses) >= 4
    assert max(pauses) > longest if rate == 1 else max(pauses) <= longest


def test_what_the_file_has_is_what_runs(tmp_path: Path) -> None:
    example = Path("docs/examples/bank.toml").read_text()
    (tmp_path / "all.toml").write_text(example)
    cut = example[: example.index("[[camera]]")] + example[example.index("[timings]") :]
    (tmp_path / "alone.toml").write_text(cut.replace('cameras = ["lobby"]', "cameras = []"))
    assert [job.name for job in jobs(load(tmp_path / "all.toml"), "info")] == ["core", "uplink", "camera"]
    assert [job.name for job in jobs(load(tmp_path / "alone.toml"), "info")] == ["core"]


def test_after_another_file_the_processes_are_those_that_it_wants(desk: Desk) -> None:
    first, stays = desk.job("core", RELOADS), desk.job("uplink", GOOD)
    wanted = [first, stays, desk.job("camera", GOOD)]
    desk.start(first, stays, desk.job("clock", GOOD), anew=lambda: wanted)
    for name in ("core", "uplink", "clock"):
        until(lambda name=name: bool(desk.pids(name)), f"{name} up")  # type: ignore[misc]
    (desk.folder / "core.go").touch()
    until(lambda: bool(desk.pids("camera")), "camera up")
    assert [word for word, _ in desk.said("clock")] == ["up", "down"]
    assert [len(desk.pids(name)) for name in ("core", "uplink")] == [1, 1]
    assert desk.end() == 0
