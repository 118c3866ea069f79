"""The clocks of a simulated life: the world's own time, and what the panel's clock makes of it.

The world counts milliseconds from the midnight at which the life begins, in local time of China (UTC+8, no summer
time). The panel's clock may be wrong, stepped, unsure, and begins anew with each boot.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

DAY_MS = 86_400_000
MINUTE_MS = 60_000
ZONE_MS = 8 * 3_600_000
_UNIX_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Calendar:
    """When the life begins: `first_day` is `date.toordinal` of its first local day."""

    first_day: int

    def day_at(self, at: int) -> int:
        """The true local day, as an ordinal."""
        return self.first_day + at // DAY_MS

    def weekday_at(self, at: int) -> int:
        """0 is Monday."""
        return (self.day_at(at) + 6) % 7

    def minute_at(self, at: int) -> int:
        """The true minute of the local day."""
        return at % DAY_MS // MINUTE_MS

    def text(self, at: int) -> str:
        """A moment as a person reads it: true local time and the world's own milliseconds."""
        moment = datetime.fromtimestamp((self.utc_ms(at) + ZONE_MS) / 1000, UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} ({at})"

    def utc_ms(self, at: int) -> int:
        """True UTC, in milliseconds since 1970."""
        return (self.first_day - _UNIX_DAY) * DAY_MS - ZONE_MS + at


class PanelClock:
    """`firmware.clock.Clock` in virtual time: `now` is the world's own time, which the life moves on.

    `offset_ms`: how far its wall clock is off; `doubt`: its state; `boots`: how often the board came up.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.now = 0
        self.offset_ms = 0
        self.doubt = "synchronised"
        self.boots = 0
        self._base = calendar.utc_ms(0)
        self._booted = 0

    def reboot(self, began: int) -> None:
        """The board is powered up; its monotonic clock begins at `began`, which may lie before the process starts."""
        self.boots += 1
        self._booted = began

    def monotonic_ms(self) -> int:
        """Milliseconds since boot."""
        return self.now - self._booted

    def at(self, monotonic_ms: int) -> int:
        """The world's time of a monotonic moment of this boot."""
        return monotonic_ms + self._booted

    def utc(self) -> float:
        """Seconds since 1970, as far as the panel knows."""
        return (self._base + self.now + self.offset_ms) / 1000

    def state(self) -> str:
        """One of `firmware.clock.CLOCK_STATES`."""
        return self.doubt

    def served(self) -> bool:
        """Whether a time server keeps it."""
        return self.doubt == "synchronised"

    def vouch(self, until_ms: int) -> None:
        """No simulated center tells the time."""

    def suspect(self, suspected: bool) -> None:
        """What the world says of its clock is so already."""

    def boot(self) -> str:
        """The id of this boot."""
        return f"boot-{self.boots}"

    def wait_s(self, span_ms: int) -> float:
        """Nobody waits in virtual time."""
        return max(0, span_ms) / 1000

    def local(self) -> tuple[int, int]:
        """The local day and minute as the panel believes them."""
        days, rest = divmod(self._base + self.now + self.offset_ms + ZONE_MS, DAY_MS)
        return _UNIX_DAY + days, rest // MINUTE_MS

    def next_minute(self) -> int:
        """When, in the world's time, the panel's wall clock begins its next minute."""
        return self.now + MINUTE_MS - (self._base + self.now + self.offset_ms) % MINUTE_MS
