"""A bus driver with a real child, and what it tells, in its order."""

import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.bus.driver import BusDriver, BusWiring, Ears
from rules.site import Condition
from tests.clock import TurnedClock

WAIT_S = 20.0
NORMAL, ACTIVE, FAULT = Condition.NORMAL, Condition.ACTIVE, Condition.FAULT
WIRING = BusWiring(
    "rs485", "rogue", {"zones": ["door", "pir"]}, ("door", "pir"), ("siren",), frozenset({"m1"}), frozenset({"keypad"})
)
REST = [("door", NORMAL), ("pir", NORMAL)]


class BusRig:
    """`told` holds every word that the driver told core."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = TurnedClock()
        self.told: queue.Queue[tuple[Any, ...]] = queue.Queue()
        ears = Ears(
            lambda zone, condition: self.told.put((zone, condition)),
            lambda part, present, _: self.told.put(("failed", part, present)),
            lambda part, present, _: self.told.put(("tampered", part, present)),
            lambda device, what, text: self.told.put((device, what, text)),
        )
        argv = [sys.executable, "-m", "tests.drivers.bus.rogue", str(folder)]
        self.driver = BusDriver(WIRING, self.clock.monotonic_ms, ears, argv=argv)

    def do(self, what: str) -> None:
        """Let the child do it at its next turn."""
        (self.folder / what).touch()

    def taken(self, what: str) -> None:
        """Wait until the child has begun with it."""
        until(lambda: not (self.folder / what).exists())

    def next(self) -> tuple[Any, ...]:
        """The next word; fails after `WAIT_S`."""
        return self.told.get(timeout=WAIT_S)

    def some(self, count: int) -> list[tuple[Any, ...]]:
        """The next words."""
        return [self.next() for _ in range(count)]


def until(true: Callable[[], object]) -> None:
    """Wait for what another process does; fails after `WAIT_S`."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
