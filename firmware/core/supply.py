"""The supply of the panel, watched on a thread of its own: battery, charger, load test, standby time, and the board.

It decides nothing about alarms: what it finds goes to the rules as troubles and answers. It never puts the panel out
while a siren sounds, and no test goes on then.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Event, Thread, current_thread
from typing import TYPE_CHECKING, Any

from drivers.battery import Battery, BatteryWatch, Change, Reading
from drivers.chemistry import CHEMISTRIES, REFERENCE_C, part_left, standby_min
from drivers.load_test import LoadTest, Verdict
from firmware.clock import Clock
from firmware.core.gauge import Gauge
from firmware.core.wires import CHARGER, LOAD
from rules.effects import JsonValue
from rules.stimuli import Stimulus, TestDone, TestDue

if TYPE_CHECKING:
    from firmware.config import Battery as BatteryTable
    from firmware.config import PanelFile

LOOK_MS = 1_000
LEAST_WAIT_S = 0.01
ESTIMATE_MS = 60_000
FIRST_TEST_MS = 3_600_000
"""After a start: the charger has had its time, and a panel that a test put out does not test again at once."""
SETTLE_SHARE = 30
"""A measured load follows the current by a thirtieth a second."""
MARGIN = 1.05
"""A standby that was too short is well again only so much above what is asked."""
STANDBY, AGE = "standby", "battery-age"
_YEAR_S = 365.25 * 86_400

_log = logging.getLogger("fenghuo.core.supply")


@dataclass(frozen=True)
class SupplyTold:
    """Where its words go. `trouble(name, present, subject, detail)`; `switch(output, on)` says if it was done."""

    trouble: Callable[[str, bool, str, str], None]
    submit: Callable[[Stimulus], object]
    switch: Callable[[str, bool], bool]


class Supply:
    """The measured battery of a panel. `start` and `close` from one thread; the rest from any."""

    def __init__(self, file: "PanelFile", table: "BatteryTable", gauge: Gauge, told: SupplyTold, clock: Clock) -> None:
        self.spent = ""
        self._file = file
        self._table = table
        self._gauge = gauge
        self._told = told
        self._clock = clock
        self._rate = file.panel.clock_rate
        battery = Battery(CHEMISTRIES[table.chemistry], table.cells, table.max_ma)
        self._kind = battery.chemistry
        self._watch = BatteryWatch(battery)
        self._lines = [n for n, line in ((LOAD, table.load_line), (CHARGER, table.charger_line)) if line is not None]
        self._test = LoadTest(battery, bool(self._lines))
        self._causes = Causes(told.trouble, {"battery": {"volts"}, "battery-missing": {"volts"}})
        if file.power.battery_line is not None:
            self._causes.expect("battery", "line")
        self._sirens = {output.id for output in file.output if output.kind == "siren"}
        self._sounding: set[str] = set()
        self._mains: bool | None = None
        self._asked = False
        self._reading = Reading(None)
        self._load_ma: float | None = None
        self._standby_min: int | None = None
        self._short: bool | None = None
        self._old: bool | None = None
        now_ms = clock.monotonic_ms()
        self._estimate_ms = now_ms
        self._test_ms = now_ms + FIRST_TEST_MS
        self._stop = Event()
        self._thread = Thread(target=self._run, name="supply", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        if self._gauge.ina is not None:
            self._gauge.ina.start()
        self._thread.start()

    def mains(self, present: bool | None) -> None:
        """Whether there is mains; None where its line can't be read."""
        self._mains = present

    def battery_line(self, low: bool) -> None:
        """What the supply's own contact tells of the battery."""
        self._causes.tell("battery", "line", low, "the supply's contact")

    def request(self) -> None:
        """Test the battery; the answer comes as `TestDone`."""
        self._asked = True

    def output(self, output: str, on: bool) -> None:
        """An output was switched: while a siren sounds the battery is left to it."""
        if output in self._sirens:
            (self._sounding.add if on else self._sounding.discard)(output)

    def level(self, name: str, part: float | None) -> None:
        """A probe's voltage as a part of full scale; None when its chip fails."""
        self._gauge.level(name, part)

    def figures(self) -> dict[str, JsonValue]:
        """For telemetry and diagnosis; None where nothing is known."""
        reading = self._reading
        figures: dict[str, JsonValue] = {
            "battery_mv": _whole(reading.mv),
            "battery_ma": _whole(reading.ma),
            "battery_c": _whole(reading.celsius),
            "load_ma": _whole(self._load()),
            "load_measured": self._load_ma is not None,
            "standby_min": self._standby_min,
            "battery_testing": self._test.running,
        }
        return figures

    def drivers(self) -> dict[str, Any]:
        """The figures of the chip that measures by its name, where it is no converter."""
        return {} if self._gauge.ina is None else {"ina219": self._gauge.ina.health()}

    def close(self) -> None:
        """Watch no more; a test that runs is ended, and its lines let go."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=5)
        self._end_test(self._test.stop("the panel stops"))
        self._gauge.close()

    # --- on its thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._look(self._clock.monotonic_ms())
            except Exception:
                _log.exception("a look at the supply failed")
            self._stop.wait(max(LEAST_WAIT_S, LOOK_MS / 1000 / self._rate))

    def _look(self, now_ms: int) -> None:
        reading = self._reading = self._gauge.reading()
        for change in self._watch.look(reading, self._mains, now_ms):
            self._tell(change)
        self._go_on_testing(reading, now_ms)
        self._follow_load(reading)
        if now_ms >= self._estimate_ms:
            self._estimate_ms = now_ms + ESTIMATE_MS
            self._estimate(reading)
        self.spent = self._watch.spent if self._table.shutdown and not self._sounding else ""

    def _tell(self, change: Change) -> None:
        if change.trouble in ("battery", "battery-missing"):
            self._causes.tell(change.trouble, "volts", change.present, change.detail)
        else:
            self._told.trouble(change.trouble, change.present, "", change.detail)

    # --- the load test ----------------------------------------------------------------------------

    def _go_on_testing(self, reading: Reading, now_ms: int) -> None:
        if self._sounding:
            self._end_test(self._test.stop("a siren sounds"))
        self._end_test(self._test.look(reading, self._mains, now_ms))
        if self._asked:
            self._asked = False
            self._begin_test(reading, now_ms)
        every_ms = self._table.test_every_h * 3_600_000
        rests = self._mains is not False and not self._sounding and reading.mv is not None and not self._test.running
        if every_ms and now_ms >= self._test_ms and rests:
            self._test_ms = now_ms + every_ms
            self._told.submit(TestDue("battery"))

    def _begin_test(self, reading: Reading, now_ms: int) -> None:
        if self._sounding:
            self._told.submit(TestDone("battery", False, "a siren sounds", possible=False))
            return
        limit_ms = self._file.timings.battery_test_s * 1000
        verdict = self._test.begin(reading, self._mains, limit_ms - max(3_000, limit_ms // 5), now_ms)
        if self._test.running and not all(self._told.switch(line, True) for line in self._lines):
            self._test.stop("")
            verdict = Verdict(False, "the line of the test can't be switched")
        self._end_test(verdict)

    def _end_test(self, verdict: Verdict | None) -> None:
        if verdict is None:
            return
        for line in self._lines:
            self._told.switch(line, False)
        self._estimate_ms = 0  # it may have measured the load
        if verdict.missing or verdict.ok:
            self._causes.tell("battery-missing", "test", verdict.missing, verdict.detail)
        self._told.submit(TestDone("battery", verdict.ok, verdict.detail, verdict.possible))

    # --- how long it lasts ------------------------------------------------------------------------

    def _follow_load(self, reading: Reading) -> None:
        """On the battery alone its current is what the panel draws."""
        alone = self._mains is False or (self._test.running and self._lines == [CHARGER])
        if reading.ma is None or reading.ma <= 0 or not alone:
            return
        before = reading.ma if self._load_ma is None else self._load_ma
        self._load_ma = before + (reading.ma - before) / SETTLE_SHARE

    def _load(self) -> float | None:
        return self._table.load_ma if self._load_ma is None else self._load_ma

    def _estimate(self, reading: Reading) -> None:
        years = self._years()
        if years is not None and (old := years >= self._table.life_years) is not self._old:
            self._old = old
            detail = f"{years:.1f} years old, made for {self._table.life_years}"
            self._told.trouble("maintenance", old, AGE, detail)
        load = self._load()
        if load is None:
            return
        celsius = REFERENCE_C if reading.celsius is None else reading.celsius
        part = part_left(years or 0.0, self._table.life_years, celsius)
        self._standby_min = standby_min(self._kind, self._table.capacity_mah, load, part)
        self._judge_standby(self._standby_min, load)

    def _judge_standby(self, minutes: int, load: float) -> None:
        least = self._file.timings.standby_h * 60
        short = minutes < (least * MARGIN if self._short else least)
        if short is not self._short:
            self._short = short
            detail = f"{minutes / 60:.1f} h at {load:.0f} mA, expected at least {least // 60} h"
            self._told.trouble("maintenance", short, STANDBY, detail)

    def _years(self) -> float | None:
        """How old the battery is; None where the file or the clock does not tell."""
        if self._table.installed is None or self._clock.state() == "unset":
            return None
        fitted = date.fromisoformat(self._table.installed)
        begun = datetime(fitted.year, fitted.month, fitted.day, tzinfo=UTC).timestamp()
        return max(0.0, (self._clock.utc() - begun) / _YEAR_S)


class Causes:
    """A trouble that several causes may bring: it stands while one does, and ends when all are known to be over."""

    def __init__(self, trouble: Callable[[str, bool, str, str], None], expected: dict[str, set[str]]) -> None:
        self._trouble = trouble
        self._standing: dict[str, dict[str, bool | None]] = {
            name: dict.fromkeys(sorted(causes)) for name, causes in expected.items()
        }

    def expect(self, name: str, cause: str) -> None:
        """This cause will be told of, too."""
        self._standing[name][cause] = None

    def tell(self, name: str, cause: str, present: bool, detail: str) -> None:
        """This cause begins or ends."""
        standing = self._standing[name]
        standing[cause] = present
        if any(standing.values()):
            self._trouble(name, True, "", detail)
        elif None not in standing.values():
            self._trouble(name, False, "", detail)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
