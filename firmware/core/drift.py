"""How far the panel's clock goes wrong by itself: measured, and judged by what the standards allow in a year.

Two measures. The *oscillator*: how much the board's own runs fast or slow against a clock that a server keeps, over a
day. The *error*: how far a clock that nobody kept was off when somebody knew better, for the time since it was right.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

YEAR_MS = 365 * 86_400_000
YEARLY_S = {"cn": 900, "cn-key": 900, "eu-g2": 600, "eu-g3": 600, "us-cp01": 600}
"""Seconds a year that a clock may go wrong, by profile: 15 min (GB 12663-2001 class C), 10 min (EN 50131-1, as SSAIB
has it); digest §1.10. CP-01 says nothing of it: the sharper one."""
STEP_S = 2.0
"""What is less counts as exact: a time server's own way, and the moment at which it is looked at."""
SHORTEST_MS = 600_000
"""An error over less time says more of the one who sets the clock than of the clock."""
DAY_MS = 86_400_000


def raw_ms() -> int:
    """The oscillator alone, which no time server bends."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) // 1_000_000


@dataclass(frozen=True)
class Verdict:
    """An error that was found. `ppm`: millionths, positive where the clock was slow; `within`: what is allowed."""

    ppm: int
    within: bool
    text: str


class Error:
    """The error since the clock was right. All moments are monotonic milliseconds."""

    def __init__(self, profile: str) -> None:
        self._yearly_s = YEARLY_S.get(profile, min(YEARLY_S.values()))
        self._right_at: int | None = None

    def right(self, at_ms: int) -> None:
        """At this moment the clock was right."""
        self._right_at = at_ms

    def found(self, off_s: float, at_ms: int) -> Verdict | None:
        """The true time is so much later than the clock's; None where it says nothing of the clock."""
        began, self._right_at = self._right_at, at_ms
        if began is None or at_ms - began < SHORTEST_MS:
            return None
        passed = at_ms - began
        allowed_s = self._yearly_s * passed / YEAR_MS + STEP_S
        yearly_min = abs(off_s) / passed * YEAR_MS / 60
        text = f"off by {off_s:.1f} s after {passed / 3_600_000:.1f} h: {yearly_min:.0f} min a year, at most "
        text += f"{self._yearly_s // 60}"
        return Verdict(round(off_s * 1e9 / passed), abs(off_s) <= allowed_s, text)


class Oscillator:
    """How fast the board's oscillator runs, over days in which a server kept the clock all the time."""

    def __init__(self, raw: Callable[[], int] = raw_ms) -> None:
        self.ppb: int | None = None
        """Billionths that it runs fast, of the last whole day; None before."""
        self._raw = raw
        self._began: tuple[int, float] | None = None

    def look(self, utc: float, kept: bool) -> None:
        """The clock says so now; `kept`: a server keeps it, and nobody set it since the last look."""
        if not kept:
            self._began = None
            return
        now = self._raw()
        if self._began is None:
            self._began = (now, utc)
            return
        raw_ms_, true_ms = now - self._began[0], (utc - self._began[1]) * 1000
        if true_ms >= DAY_MS:
            self.ppb = round((raw_ms_ - true_ms) / true_ms * 1e9)
            self._began = (now, utc)
