"""Whether and how the clock is set to what core says: judged anew by the one who has the right to do it."""

from dataclasses import dataclass
from typing import Literal

from firmware.clock import FLOOR, LATEST, utc_text

How = Literal["stepped", "slewed", "refused"]

SLEW_UP_TO_S = 2.0
"""Less is made up slowly (at 500 ppm within 67 min), so that no moment comes twice; more is set at once."""
OLDEST_MS = 5_000
"""An order that waited longer was meant for another moment."""
STEPS_MS = 60_000
"""One step in this time."""


@dataclass(frozen=True)
class Setting:
    """What to do. `utc`: the right time now; `off_s`: how much later that is than the clock; `why`: of a refusal."""

    how: How
    utc: float
    off_s: float
    why: str = ""


class Judge:
    """Remembers when it was last set. All moments are milliseconds of the boot clock."""

    def __init__(self) -> None:
        self._stepped_at: int | None = None

    def judge(self, utc_ms: int, at_ms: int, now_ms: int, clock: float) -> Setting:
        """It was `utc_ms` at the boot clock's `at_ms`; now that is `now_ms`, and the machine's clock says `clock`."""
        utc = (utc_ms + now_ms - at_ms) / 1000
        off_s = utc - clock
        if why := self._fault(utc, at_ms, now_ms, off_s):
            return Setting("refused", utc, off_s, why)
        if abs(off_s) <= SLEW_UP_TO_S:
            return Setting("slewed", utc, off_s)
        self._stepped_at = now_ms
        return Setting("stepped", utc, off_s)

    def _fault(self, utc: float, at_ms: int, now_ms: int, off_s: float) -> str:
        if not 0 <= now_ms - at_ms <= OLDEST_MS:
            return f"the order is {now_ms - at_ms} ms old, expected 0 to {OLDEST_MS}"
        if not FLOOR <= utc <= LATEST:
            return f"{utc:.0f} s since 1970, expected {utc_text(FLOOR)} to {utc_text(LATEST)}"
        again = self._stepped_at is not None and now_ms - self._stepped_at < STEPS_MS
        return "set less than a minute ago" if again and abs(off_s) > SLEW_UP_TO_S else ""
