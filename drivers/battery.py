"""What a battery's voltage, current and temperature mean: low, missing, not charged, overloaded, at its end.

Free of I/O and threads: readings and moments come in, troubles go out. A condition must stand for its time before it
counts; each trouble is told once it is known, also that there is none. Numbers: `drivers.chemistry`.
"""

from dataclasses import dataclass

from drivers.chemistry import COLDEST_C, HOTTEST_C, Chemistry

STAND_MS = 10_000
"""A fault counts when it lasts so long (EN 50131-1, digest §1.5)."""
WELL_MS = 30_000
MISSING_MS = 3_000
LAST_MS = 30_000
"""A siren's start is no end of the battery."""
RISE_MV = 3
RISE_MS = 3_600_000
"""A battery that is charged rises by so much a cell in so long, or holds its float voltage."""
WELL_RISE_MV = 20
SMOOTH_MS = 60_000


@dataclass(frozen=True)
class Battery:
    """A battery as it was fitted: `cells` in series. `max_ma`: more is an overload, None where nothing is known."""

    chemistry: Chemistry
    cells: int
    max_ma: int | None = None


@dataclass(frozen=True)
class Reading:
    """What is measured now; None where it can't be. `ma` is positive while the battery discharges."""

    mv: float | None
    ma: float | None = None
    celsius: float | None = None


@dataclass(frozen=True)
class Change:
    """A trouble of the vocabulary began or ended, with what was found and what is expected."""

    trouble: str
    present: bool
    detail: str


class Standing:
    """A condition that begins and ends only when it has stood for its time. None: not known yet."""

    __slots__ = ("_begin_ms", "_end_ms", "_since_ms", "_wish", "present")

    def __init__(self, begin_ms: int = STAND_MS, end_ms: int = WELL_MS) -> None:
        self._begin_ms = begin_ms
        self._end_ms = end_ms
        self.present: bool | None = None
        self._wish: bool | None = None
        self._since_ms = 0

    def feed(self, wish: bool | None, now_ms: int) -> bool:
        """Take in whether it is so now (None: neither; what stands goes on); True when it changed."""
        if wish is None:
            wish = self.present
        if wish is None or wish is not self._wish:
            self._wish, self._since_ms = wish, now_ms
        if wish is None or wish is self.present:
            return False
        if now_ms - self._since_ms < (self._begin_ms if wish else self._end_ms if self.present else 0):
            return False
        self.present = wish
        return True


class BatteryWatch:
    """Call `look` about once a second, on one thread. `spent` is what was found when the discharge must end."""

    def __init__(self, battery: Battery) -> None:
        self.spent = ""
        self._battery = battery
        self._low = Standing()
        self._missing = Standing(MISSING_MS, STAND_MS)
        self._over = Standing()
        self._flat = Standing(0, 0)  # its times are those of `_is_flat`
        self._charger: bool | None = None
        self._overload = Standing()
        self._last = Standing(LAST_MS, STAND_MS)
        self._smooth: float | None = None
        self._looked_ms = 0
        self._risen_mv = 0.0
        self._risen_ms = 0
        self._charging = False

    def look(self, reading: Reading, mains: bool | None, now_ms: int) -> list[Change]:
        """What follows from this reading. `mains`: None where nobody knows; then the charger is not judged."""
        found = self._judge_overload(reading, now_ms)
        if reading.mv is None:
            self._charging = False
            return found
        cell = reading.mv / self._battery.cells
        self._smoothed(cell, now_ms)
        kind = self._battery.chemistry
        missing = cell < kind.missing
        if self._missing.feed(missing, now_ms):
            found.append(self._change("battery-missing", self._missing.present, cell, f"at least {kind.missing}"))
        low = None if missing or kind.low <= cell < kind.low_ends else cell < kind.low
        if self._low.feed(low, now_ms):
            found.append(self._change("battery", self._low.present, cell, f"at least {kind.low}"))
        found += self._judge_charger(cell, reading, mains and not missing, now_ms)
        self._judge_last(cell, mains, now_ms)
        return found

    def _judge_last(self, cell: float, mains: bool | None, now_ms: int) -> None:
        kind = self._battery.chemistry
        # A voltage that no battery has is a broken wire of the measurement: that must not put the panel out.
        at_end = mains is not True and kind.missing <= cell <= kind.last
        self._last.feed(at_end, now_ms)
        self.spent = self._volts(cell) if self._last.present else ""

    def _judge_overload(self, reading: Reading, now_ms: int) -> list[Change]:
        limit = self._battery.max_ma
        if limit is None or reading.ma is None:
            return []
        if not self._overload.feed(reading.ma > limit, now_ms):
            return []
        detail = f"{reading.ma:.0f} mA, expected at most {limit} mA"
        return [Change("overcurrent", bool(self._overload.present), detail)]

    # --- the charger ------------------------------------------------------------------------------

    def _judge_charger(self, cell: float, reading: Reading, mains: bool | None, now_ms: int) -> list[Change]:
        kind = self._battery.chemistry
        # Without a temperature the limits are those at which nobody is blamed in vain.
        coldest, hottest = (COLDEST_C, HOTTEST_C) if reading.celsius is None else (reading.celsius,) * 2
        over = kind.charge_mv(kind.over, coldest)
        least = kind.charge_mv(kind.floating, hottest)
        self._over.feed(cell > over, now_ms)
        self._flat.feed(self._is_flat(cell, least, mains, now_ms), now_ms)
        failed = True if self._over.present else self._flat.present
        if failed is None or failed is self._charger:
            return []
        self._charger = failed
        limit = f"at most {over:.0f}" if self._over.present else f"at least {least:.0f}"
        return [self._change("charger", failed, cell, limit)]

    def _is_flat(self, cell: float, least: float, mains: bool | None, now_ms: int) -> bool | None:
        """Whether the charger does not charge; None while that can't be said."""
        if not mains:
            self._charging = False
            return None
        smooth = cell if self._smooth is None else self._smooth
        if not self._charging:
            self._charging, self._risen_mv, self._risen_ms = True, smooth, now_ms
        if cell >= least:
            self._risen_mv, self._risen_ms = smooth, now_ms
            return False
        step = WELL_RISE_MV if self._flat.present else RISE_MV
        if smooth >= self._risen_mv + step:
            self._risen_mv, self._risen_ms = smooth, now_ms
            return False
        if self._flat.present:
            self._risen_mv = min(self._risen_mv, smooth)
        return True if now_ms - self._risen_ms >= RISE_MS else None

    def _smoothed(self, cell: float, now_ms: int) -> None:
        if self._smooth is None:
            self._smooth = cell
        part = min(1.0, max(0, now_ms - self._looked_ms) / SMOOTH_MS)
        self._smooth += (cell - self._smooth) * part
        self._looked_ms = now_ms

    # --- words ------------------------------------------------------------------------------------

    def _change(self, trouble: str, present: bool | None, cell: float, expected_mv: str) -> Change:
        return Change(trouble, bool(present), f"{self._volts(cell)}, expected {expected_mv} mV a cell")

    def _volts(self, cell: float) -> str:
        return f"{cell * self._battery.cells / 1000:.2f} V ({cell:.0f} mV a cell)"
