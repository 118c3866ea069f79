"""The one clock of a process: monotonic milliseconds for decisions, UTC for records.

Everything that needs the time is given a `Clock`; tests give one that they can turn.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

CLOCK_STATES = ("synchronised", "free-running", "unset")

# systemd-timesyncd touches this file when it has the time from a server.
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
# A board without a right clock says a time before this software was made.
_FLOOR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


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

    def boot(self) -> str:
        """An id that is new with each boot of the machine."""
        ...

    def wait_s(self, span_ms: int) -> float:
        """How many seconds a thread must really wait until `span_ms` of monotonic time have passed."""
        ...


class SystemClock:
    """The machine's clock. `rate` > 1 makes monotonic time run faster: for simulated pins only."""

    def __init__(self, rate: int = 1, synchronised: Path = _SYNCHRONISED) -> None:
        """`synchronised`: the file that is there once the time came from a server."""
        self._rate = rate
        self._synchronised = synchronised
        # Read once: it can't change, and a process out of file descriptors must still be able to record an alarm.
        self._boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def monotonic_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * self._rate // 1_000_000

    def utc(self) -> float:
        return time.time()

    def state(self) -> str:
        if time.time() < _FLOOR:
            return "unset"
        try:
            return "synchronised" if self._synchronised.exists() else "free-running"
        except OSError:
            # A sandbox that hides the folder must not cost a record: each one asks this.
            return "free-running"

    def wait_s(self, span_ms: int) -> float:
        return max(0, span_ms) / 1000 / self._rate

    def boot(self) -> str:
        return self._boot


def utc_text(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, as every record and message writes it: `2026-03-14T23:09:26.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
