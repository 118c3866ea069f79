"""Core's side of the mirror, with its real child: killed, hung, talking nonsense; core never waits for it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.core import mirror as module
from firmware.core.mirror import MirrorKeeper
from tests.firmware.journal.rig import Rig
from tests.firmware.mirror.rig import Stick


class Ears:
    """Hears the troubles, and lets a test wait for them."""

    def __init__(self) -> None:
        self.heard: list[tuple[bool, str]] = []
        self._moved = threading.Condition()

    def trouble(self, present: bool, detail: str) -> None:
        with self._moved:
            self.heard.append((present, detail))
            self._moved.notify_all()

    def wait(self, condition: Callable[[], object], timeout: float = 20) -> None:
        with self._moved:
            assert self._moved.wait_for(condition, timeout), self.heard


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def stick(rig: Rig, tmp_path: Path) -> Stick:
    return Stick(rig, tmp_path / "stick")


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def keep(stick: Stick, ears: Ears) -> Iterator[Callable[..., MirrorKeeper]]:
    made: list[MirrorKeeper] = []

    def make(argv: list[str] | None = None, silent_ms: int = 60_000) -> MirrorKeeper:
        keeper = MirrorKeeper(stick.setup, lambda: int(time.monotonic() * 1000), ears.trouble, argv, silent_ms)
        made.append(keeper)
        keeper.start()
        return keeper

    yield make
    for keeper in made:
        keeper.close()


def pid_of(keeper: MirrorKeeper) -> int:
    child = keeper._child
    assert child is not None
    return child.process.pid


def child_of(code: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import socket, sys, time, signal\nend = socket.socket(fileno=int(sys.argv[1]))\n{code}",
    ]


def test_the_end_of_a_journal_is_on_the_mirror_when_core_ends(
    rig: Rig, stick: Stick, ears: Ears, keep: Callable[..., MirrorKeeper]
) -> None:
    journal = rig.open()
    name = journal.mark().journal
    keeper = keep()
    ears.wait(lambda: ears.heard == [(False, "")])
    journal.commit([rig.commit("area.armed", "armed", n=1)])
    journal.close()
    keeper.close()
    assert stick.sound() == {name: rig.verify().last}
    assert keeper.figures()["mirror_starts"] == 1


def test_a_killed_child_is_a_trouble_and_another_takes_over(
    rig: Rig, stick: Stick, ears: Ears, keep: Callable[..., MirrorKeeper]
) -> None:
    journal = rig.open()
    keeper = keep()
    ears.wait(lambda: ears.heard == [(False, "")])
    os.kill(pid_of(keeper), signal.SIGKILL)
    ears.wait(lambda: len(ears.heard) == 3)
    assert [present for present, _ in ears.heard] == [False, True, False]
    journal.commit([rig.commit("area.armed", "armed", n=1)])
    journal.close()
    keeper.close()
    assert stick.sound()[journal.mark().journal] == rig.verify().last


@pytest.mark.parametrize("says", ["b'{}'", "b'\\xff' * 9000"])
def test_a_child_that_talks_nonsense_is_ended(ears: Ears, keep: Callable[..., MirrorKeeper], says: str) -> None:
    keeper = keep(child_of(f"end.send({says})\ntime.sleep(60)"))
    ears.wait(lambda: ears.heard and "nonsense" in ears.heard[0][1])
    assert ears.heard[0][0]
    keeper.close()


def test_a_medium_that_answers_late_is_told_and_its_child_lives(
    rig: Rig, ears: Ears, keep: Callable[..., MirrorKeeper]
) -> None:
    rig.open()
    keeper = keep(silent_ms=1_500)
    ears.wait(lambda: ears.heard == [(False, "")])
    os.kill(pid_of(keeper), signal.SIGSTOP)
    ears.wait(lambda: len(ears.heard) == 2)
    os.kill(pid_of(keeper), signal.SIGCONT)
    ears.wait(lambda: len(ears.heard) == 3)
    assert [present for present, _ in ears.heard] == [False, True, False]
    assert keeper.figures()["mirror_starts"] == 1


def test_a_child_that_hangs_holds_up_nobody_and_no_second_one_is_started(
    rig: Rig, ears: Ears, keep: Callable[..., MirrorKeeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by the kernel, as deep in a call to a dead stick: nothing that it is told comes through."""
    monkeypatch.setattr(module, "KILLED_AFTER", 2)
    rig.open()
    keeper = keep(silent_ms=1_500)
    ears.wait(lambda: ears.heard == [(False, "")])
    pid = pid_of(keeper)
    os.kill(pid, signal.SIGSTOP)
    ears.wait(lambda: len(ears.heard) >= 2)
    assert (ears.heard[1][0], "hangs" in ears.heard[1][1]) == (True, True)
    ears.wait(lambda: len(ears.heard) >= 3)
    assert not ears.heard[2][0], "a new child does the work"
    before = time.monotonic()
    os.kill(pid_of(keeper), signal.SIGSTOP)
    keeper.close()
    assert time.monotonic() - before < 8, "the end of core waits for seconds at most"


def test_the_child_dies_with_core(rig: Rig, stick: Stick) -> None:
    rig.open()
    code = (
        "import sys, time; from firmware.core.mirror import MirrorKeeper; from firmware.mirror import words;"
        "k = MirrorKeeper(words.setup(sys.argv[1].encode()), lambda: int(time.monotonic() * 1000), lambda *t: None);"
        "k.start()\nwhile k._child is None or not k._last: time.sleep(0.05)\n"
        "print(k._child.process.pid, flush=True); time.sleep(60)"
    )
    from firmware.mirror import words

    core = subprocess.Popen(
        [sys.executable, "-c", code, words.packed(stick.setup).decode()], stdout=subprocess.PIPE, text=True
    )
    assert core.stdout is not None
    pid = int(core.stdout.readline())
    handle = os.pidfd_open(pid)
    core.kill()
    core.wait()
    core.stdout.close()
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(5_000), "the child lives on"
    os.close(handle)
