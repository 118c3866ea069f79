"""The floor of time: a moment that is over for sure, for a board whose clock knows less than that.

This software was made before it runs, and a record that was made with a synchronised clock was made before now. A clock
that is not synchronised and tells an earlier time is wrong; then the floor judges what has a date.
"""

from datetime import datetime

from firmware.clock import Clock
from firmware.version import BUILT


class Floor:
    """Kept by the uplink, raised by what core knows."""

    def __init__(self, clock: Clock, built: str = BUILT) -> None:
        """`built`: RFC 3339, as everywhere."""
        self._clock = clock
        self._floor = _seconds(built)

    def raise_to(self, text: str) -> None:
        """The newest time that the journal is sure of; empty for none."""
        if text:
            self._floor = max(self._floor, _seconds(text))

    def unsure(self) -> float | None:
        """The floor, in seconds of UTC, while the clock is not to be trusted; None while it is."""
        behind = self._clock.utc() < self._floor and self._clock.state() != "synchronised"
        return self._floor if behind else None

    def utc(self) -> float:
        """Now, as near as the panel can tell: the clock, or the floor where that is later and the clock unsure."""
        floor = self.unsure()
        return self._clock.utc() if floor is None else floor


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
