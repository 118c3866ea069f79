"""The one clock of a process: monotonic milliseconds for decisions, UTC for records.

Everything that needs the time is given a `Clock`; tests give one that they can turn.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

CLOCK_STATES = ("synchronised", "free-running", "unset")

# systemd-timesyncd touches this file when it has the time: a hint where the kernel may not be asked.
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
# A board without a right clock says a time before this software was made.
FLOOR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""Seconds of UTC that are over for sure."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
"""No board lives so long."""
_RTCS = Path("/sys/class/rtc")


class Clock(Protocol):
    """What a process may ask of time."""

    def monotonic_ms(self) -> int:
        """Milliseconds since boot, suspend included; grows evenly, never steps."""
        ...

    def utc(self) -> float:
        """Seconds of UTC since 1970; may step."""
        ...

    def state(self) -> str:
        """One of `CLOCK_STATES`: how far `utc` can be trusted."""
        ...

    def served(self) -> bool:
        """Whether a time server keeps `utc`, through whatever NTP client."""
        ...

    def vouch(self, until_ms: int) -> None:
        """The center's signed time says that `utc` is right: it counts as synchronised until this monotonic moment."""
        ...

    def suspect(self, suspected: bool) -> None:
        """`utc` is before a moment that is over for sure: it counts as unset until it is synchronised. Or, where not
        `suspected`: somebody has set it since.
        """
        ...

    def boot(self) -> str:
        """An id that is new with each boot of the machine."""
        ...

    def wait_s(self, span_ms: int) -> float:
        """How many seconds a thread must really wait until `span_ms` of monotonic time have passed."""
        ...


class SystemClock:
    """The machine's clock. `rate` > 1 makes monotonic time run faster: for simulated pins only."""

    def __init__(
        self, rate: int = 1, synchronised: Path = _SYNCHRONISED, kernel: Callable[[], bool] | None = None
    ) -> None:
        """`kernel` says whether the clock is kept; where it raises `OSError`, the file `synchronised` does, by being
        there."""
        self._rate = rate
        self._synchronised = synchronised
        self._kernel = kernel or _kernel
        self._vouched_until_ms = -1
        self._suspected = False
        # Read once: it can't change, and a process out of file descriptors must still be able to record an alarm.
        self._boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def monotonic_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * self._rate // 1_000_000

    def utc(self) -> float:
        return time.time()

    def state(self) -> str:
        if time.time() < FLOOR:
            return "unset"
        vouched = self._vouched_until_ms >= 0 and self.monotonic_ms() <= self._vouched_until_ms
        if vouched or self.served():
            self._suspected = False
            return "synchronised"
        return "unset" if self._suspected else "free-running"

    def served(self) -> bool:
        try:
            return self._kernel()
        except OSError:
            pass
        try:
            return self._synchronised.exists()
        except OSError:
            # A sandbox that hides both must not cost a record: each one asks this.
            return False

    def vouch(self, until_ms: int) -> None:
        self._vouched_until_ms = until_ms

    def suspect(self, suspected: bool) -> None:
        self._suspected = suspected

    def wait_s(self, span_ms: int) -> float:
        return max(0, span_ms) / 1000 / self._rate

    def boot(self) -> str:
        return self._boot


def _kernel() -> bool:
    from firmware.kernel_clock import synchronised  # ctypes costs a start a few milliseconds: not before it is asked

    return synchronised()


def rtc_utc(rtcs: Path = _RTCS) -> int | None:
    """What the battery-backed clock says that the kernel took the time from at boot, seconds since 1970; None: none."""
    try:
        found = next(rtc for rtc in sorted(rtcs.iterdir()) if (rtc / "hctosys").read_text().strip() == "1")
        return int((found / "since_epoch").read_text())
    except (OSError, ValueError, StopIteration):
        return None


def utc_text(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, as every record and message writes it: `2026-03-14T23:09:26.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
