"""The load test of a battery: the charger is cut off, or a load put on, for some time, and the voltage must hold.

Free of I/O: whoever runs it switches the lines as `running` says, and feeds it readings. A test that could not show
anything (the mains went, the charger still holds the battery) says so and is no failure.
"""

from dataclasses import dataclass

from drivers.battery import Battery, Reading

COLLAPSE_PART = 0.6
"""A battery that falls below this part of its voltage at once is as good as none."""
LEAST_MA = 20
"""A load that draws less is not connected, or the battery is not."""


@dataclass(frozen=True)
class Verdict:
    """What a test came to. `possible` False: it proved nothing. `missing`: there is no battery, or a dead one."""

    ok: bool
    detail: str
    possible: bool = True
    missing: bool = False


class LoadTest:
    """One battery's test; `begin`, then `look` about once a second until it gives a verdict. On one thread."""

    def __init__(self, battery: Battery, has_lines: bool) -> None:
        """`has_lines`: something can be switched; else a test only looks at the voltage."""
        self.running = False
        self._battery = battery
        self._has_lines = has_lines
        self._before_mv = 0.0
        self._begun_ms = self._until_ms = 0

    def begin(self, reading: Reading, mains: bool | None, last_ms: int, now_ms: int) -> Verdict | None:
        """Start a test of so long, or say at once what it comes to."""
        if reading.mv is None:
            return Verdict(False, "the voltage can't be read")
        if self._has_lines and mains is False:
            return Verdict(False, f"mains lost, {self._volts(reading.mv)}", possible=False)
        if not self._has_lines:
            well = reading.mv / self._battery.cells >= self._battery.chemistry.low
            return Verdict(well, f"{self._volts(reading.mv)}, no load test")
        self.running = True
        self._before_mv = reading.mv
        self._begun_ms, self._until_ms = now_ms, now_ms + last_ms
        return None

    def look(self, reading: Reading, mains: bool | None, now_ms: int) -> Verdict | None:
        """The verdict, once there is one; the test has ended then."""
        if not self.running:
            return None
        found = self._judge(reading, mains, now_ms)
        self.running = found is None
        return found

    def stop(self, why: str) -> Verdict | None:
        """End it before its time: it proved nothing."""
        if not self.running:
            return None
        self.running = False
        return Verdict(False, why, possible=False)

    def _judge(self, reading: Reading, mains: bool | None, now_ms: int) -> Verdict | None:
        if mains is False:
            return Verdict(False, "mains lost during the test", possible=False)
        if reading.mv is None:
            return Verdict(False, "the voltage can't be read any more")
        cell, kind = reading.mv / self._battery.cells, self._battery.chemistry
        text = self._told(reading, now_ms)
        if cell < kind.missing or reading.mv < COLLAPSE_PART * self._before_mv:
            return Verdict(False, text, missing=True)
        if cell <= kind.last:
            return Verdict(False, text)
        if now_ms < self._until_ms:
            return None
        if reading.ma is not None and reading.ma < LEAST_MA:
            return Verdict(False, f"{text}: no load, or no battery, is connected")
        celsius = 25.0 if reading.celsius is None else reading.celsius
        if reading.ma is None and cell >= kind.charge_mv(kind.floating, celsius):
            return Verdict(False, f"{text}: the charger still holds the battery", possible=False)
        return Verdict(cell >= kind.test, text)

    def _told(self, reading: Reading, now_ms: int) -> str:
        current = "" if reading.ma is None else f" at {reading.ma:.0f} mA"
        least = self._battery.chemistry.test * self._battery.cells
        after_s = (now_ms - self._begun_ms) // 1000
        return (
            f"{self._volts(reading.mv or 0)}{current} after {after_s} s, {self._volts(self._before_mv)} before, "
            f"expected at least {self._volts(least)}"
        )

    def _volts(self, mv: float) -> str:
        return f"{mv / 1000:.2f} V"
