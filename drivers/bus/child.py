"""A bus child: `python -m drivers.bus.child KIND FD`. It talks over its bus, core's socket is descriptor FD.

It knows wiring and nothing else: no journal, no rules, no network. It ends when core lets go of the socket, when core
dies, or when it is told something that it does not understand; core starts it again.
"""

import importlib
import logging
import select
import socket
import sys
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from drivers.bus.bond import die_with_core
from drivers.bus.words import LIMIT, BadWord, Bidding, Figures, Saying, Setup, bidding, packed

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "modbus": "drivers.modbus.bus",
        "osdp": "drivers.osdp.bus",
        "reader": "drivers.reader.bus",
    }
)
"""Where the bus of each kind is made: a module with `open_bus`."""

FIGURES_S = 1.0
LONGEST_PAUSE_S = 0.5
SETUP_S = 5.0
_MAX_BIDDINGS = 64

Say: TypeAlias = Callable[[Saying], None]

log = logging.getLogger("fenghuo.bus")


class Bus(Protocol):
    """One bus. All of it is called from the child's one thread; a call that hangs gets the child killed by core."""

    def turn(self) -> float:
        """A round, or a part of one; returns how many seconds may pass until the next. It raises nothing of the bus."""
        ...

    def hear(self, word: Bidding) -> None:
        """An order, a wish for a report, or something to show."""
        ...

    def figures(self) -> dict[str, Any]:
        """Figures for diagnosis: JSON, at most 16 KiB."""
        ...

    def close(self) -> None:
        """Let go of the port."""
        ...


class CoreGone(Exception):
    """Core has closed its side."""


class Line:
    """The child's end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(True)
        self._end = end

    def say(self, word: Saying) -> None:
        """Say it; waits while core is behind. Raises `CoreGone`."""
        try:
            self._end.send(packed(word))
        except OSError as error:
            raise CoreGone from error

    def heard(self, wait_s: float) -> Bidding | None:
        """The next bidding, None when none comes in time. Raises `CoreGone`, `BadWord`."""
        ready, _, _ = select.select([self._end], [], [], max(0.0, wait_s))
        if not ready:
            return None
        packet = self._end.recv(LIMIT)
        if not packet:
            raise CoreGone
        return bidding(packet)


def live(line: Line, open_bus: Callable[[Setup, Say], Bus], now: Callable[[], float] = time.monotonic) -> None:
    """Take the setup, then turn the bus until core is gone (`CoreGone`). Raises `BadWord`, and what the bus raises."""
    setup = line.heard(SETUP_S)
    if not isinstance(setup, Setup):
        raise BadWord(f"{setup!r}, expected a setup within {SETUP_S:.0f} s")
    bus = open_bus(setup, line.say)
    try:
        _turn(line, bus, now)
    finally:
        bus.close()


def _turn(line: Line, bus: Bus, now: Callable[[], float]) -> None:
    told = now() - FIGURES_S
    while True:
        pause = min(bus.turn(), LONGEST_PAUSE_S)
        moment = now()
        if moment - told >= FIGURES_S:
            told = moment
            line.say(Figures(bus.figures()))
        for _ in range(_MAX_BIDDINGS):
            word = line.heard(pause)
            if word is None:
                break
            bus.hear(word)
            pause = 0.0


def main(argv: list[str]) -> int:
    """Run one bus; the exit code is 0 when core let go."""
    die_with_core()
    logging.basicConfig(level=logging.INFO, format=f"<6>fenghuo.bus: {argv[0]}: %(message)s")
    make = importlib.import_module(KINDS[argv[0]]).open_bus
    with socket.socket(fileno=int(argv[1])) as end:
        try:
            live(Line(end), make)
        except CoreGone:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
