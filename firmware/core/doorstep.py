"""What the inside of core tells the outside, and where it waits until the outside is there.

The inside (journal, rules, drivers) is up before any socket; the first seconds must not be lost to the cameras or a
watcher. What waits is bounded: beyond that the oldest goes, and is counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from firmware.journal import Mark
from rules.effects import Answer, Capture, Record, Tell

log = logging.getLogger("fenghuo.core.doorstep")

LIMIT = 512


class Outward(Protocol):
    """Each may be called from any thread, and returns at once."""

    def changed(self) -> None:
        """The panel state is another one."""
        ...

    def durable(self, mark: Mark) -> None:
        """The durable mark or a delivery cursor moved."""
        ...

    def capture(self, capture: Capture, monotonic_ms: int, utc: float) -> None:
        """Pictures are wanted, of this moment."""
        ...

    def said(self, word: Tell | Answer | Record) -> None:
        """This may be told now: its records are durable."""
        ...

    def entered(self, device: str, what: str, text: str) -> None:
        """A code was typed, or a card held, at a device on a bus."""
        ...

    def seen(self, what: str, name: str, value: Any, monotonic_ms: int, utc: float) -> None:
        """Something happened, for a watcher at the desk."""
        ...


class Doorstep:
    """Passes on, or keeps until `open`."""

    def __init__(self) -> None:
        self.dropped = 0
        self._outside: Outward | None = None
        self._waiting: deque[Callable[[Outward], None]] = deque()
        self._lock = threading.Lock()

    def tell(self, act: Callable[[Outward], None]) -> None:
        """Tell the outside, now or when it is there."""
        outside = self._outside
        if outside is None:
            with self._lock:
                outside = self._outside
                if outside is None:
                    self._keep(act)
                    return
        act(outside)

    def _keep(self, act: Callable[[Outward], None]) -> None:
        self._waiting.append(act)
        if len(self._waiting) > LIMIT:
            self._waiting.popleft()
            self.dropped += 1

    def open(self, outside: Outward) -> None:
        """The outside is there: tell it what waited, in order."""
        with self._lock:
            while self._waiting:
                act = self._waiting.popleft()
                try:
                    act(outside)
                except Exception:
                    log.exception("something that waited at the doorstep could not be told")
            self._outside = outside
