"""Voltages on a converter's channels: what a divider or a thermistor gives, told once a second as a part of full scale.

The middle one of a second's readings counts: a single disturbed frame moves nothing, and noise is less than a step.
"""

from dataclasses import dataclass
from statistics import median_low

TELL_MS = 1_000


@dataclass(frozen=True)
class Probe:
    """A channel (0 to 7) that is measured, and its name."""

    name: str
    channel: int


class WatchedProbe:
    """A probe, used by its driver's thread only."""

    def __init__(self, wire: Probe, full: int) -> None:
        """`full`: the converter's highest reading."""
        self.wire = wire
        self._full = full
        self._counts: list[int] = []
        self._since_ms: int | None = None

    def restart(self) -> None:
        """What was read before counts no more."""
        self._counts, self._since_ms = [], None

    def feed(self, count: int, now_ms: int) -> float | None:
        """Take a reading in; once a second what it comes to, 0 to 1."""
        self._counts.append(count)
        if self._since_ms is None:
            self._since_ms = now_ms
        if now_ms - self._since_ms < TELL_MS:
            return None
        found = median_low(self._counts) / self._full
        self._counts, self._since_ms = [], now_ms
        return found
