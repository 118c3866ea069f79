"""The uplink's loop with links that only keep what they are told: nobody waits for an event who has something to do."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.protocol import messages as m
from firmware.stopping import StopFlag
from firmware.uplink.core_link import CoreLink
from firmware.uplink.events import FromCore, Pulled, ToCore
from firmware.uplink.main import Uplink
from firmware.uplink.records_out import ALL_LANES
from firmware.uplink.routing import Terms

LONG_MS = 20_000


class Link:
    """A path that works when it is told to."""

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.lanes = ALL_LANES
        self.final = True
        self.works = True
        self.duties: list[frozenset[str]] = []
        self.paths: list[m.Path] = []
        self.turns = 0
        self.says: list[ToCore] = []
        self.breaks = False
        self.closed = False
        self._file = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._file

    def wake(self) -> None:
        os.eventfd_write(self._file, 1)

    def next_deadline(self) -> int | None:
        return None

    def hear(self, event: FromCore) -> None:
        pass

    def path(self, message: m.Path) -> None:
        self.paths.append(message)

    def duty(self, lanes: frozenset[str]) -> None:
        self.duties.append(lanes)

    def answered(self, pulled: Pulled | None) -> None:
        pass

    def turn(self) -> list[ToCore]:
        self.turns += 1
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._file)
        if self.breaks:
            raise ZeroDivisionError
        said, self.says = self.says, []
        return said

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[tuple[Uplink, Link, Link, StopFlag]]:
    # Core is there and says nothing.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "u.sock"))
        server.listen()
        first, second = Link("first"), Link("second")
        core = CoreLink(tmp_path / "u.sock", tmp_path)
        stop = StopFlag()
        uplink = Uplink(core, [first, second], Terms(failover_ms=1), SystemClock())
        yield uplink, first, second, stop
        core.close()
        stop.close()


def turns(loop: tuple[Uplink, Link, Link, StopFlag], count: int) -> None:
    """So many turns, none of which may wait."""
    uplink, _, _, stop = loop
    done = threading.Event()

    def work() -> None:
        for _ in range(count):
            uplink.turn(stop, LONG_MS)
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(LONG_MS / 4000), "a turn waited though somebody had something to do"


def test_a_new_duty_is_worked_on_at_once(loop: tuple[Uplink, Link, Link, StopFlag]) -> None:
    _, first, second, _ = loop
    first.wake()
    turns(loop, 2)
    assert first.duties == [ALL_LANES]
    assert (first.turns, second.turns) == (2, 2), "the turn in which the duty was given, and the one after it"


def test_a_paths_fault_is_heard_by_the_others_and_worked_on_at_once(loop: tuple[Uplink, Link, Link, StopFlag]) -> None:
    _, first, second, _ = loop
    first.wake()
    turns(loop, 2)
    fault = m.Path(path="second", up=False, detail="cut")
    second.says.append(fault)
    second.wake()
    turns(loop, 2)
    assert first.paths == [fault]
    assert second.paths == []


def test_a_link_that_breaks_is_let_go_and_the_others_go_on(loop: tuple[Uplink, Link, Link, StopFlag]) -> None:
    uplink, first, second, _ = loop
    first.wake()
    turns(loop, 2)
    first.breaks = True
    first.wake()
    turns(loop, 2)
    assert first.closed
    assert not uplink.anew(), "not at once: the second path works"
    assert [(path.path, path.up) for path in second.paths] == [("first", False)]
    before = first.turns
    second.wake()
    turns(loop, 1)
    assert first.turns == before
