"""What a battery's readings mean, by example and by property: limits, times, the charger, the last voltage, tests."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.battery import STAND_MS, Battery, BatteryWatch, Change, Reading, Standing
from drivers.chemistry import CHEMISTRIES, part_left, standby_min
from drivers.load_test import LoadTest, Verdict

LEAD = Battery(CHEMISTRIES["lead"], 6)
KINDS = st.sampled_from(sorted(CHEMISTRIES))
HOUR = 3_600
READINGS = st.builds(
    Reading, st.none() | st.floats(0, 60_000), st.none() | st.floats(-2_000, 4_000), st.none() | st.floats(-60, 90)
)


class Bench:
    """A battery on a bench, looked at once a second."""

    def __init__(self, battery: Battery = LEAD) -> None:
        self.watch = BatteryWatch(battery)
        self.now_ms = 1_000_000

    def play(
        self,
        volts: float | None,
        seconds: int,
        mains: bool | None = True,
        ma: float | None = None,
        c: float | None = 25.0,
    ) -> list[tuple[str, bool]]:
        """What is told while it shows this."""
        return [(change.trouble, change.present) for change in self.changes(volts, seconds, mains, ma, c)]

    def changes(
        self,
        volts: float | None,
        seconds: int,
        mains: bool | None = True,
        ma: float | None = None,
        c: float | None = 25.0,
    ) -> list[Change]:
        found: list[Change] = []
        for _ in range(seconds):
            self.now_ms += 1_000
            reading = Reading(None if volts is None else volts * 1000, ma, c)
            found += self.watch.look(reading, mains, self.now_ms)
        return found

    def ramp(self, volts: Iterable[float], seconds_each: int, mains: bool | None = True) -> list[tuple[str, bool]]:
        return [told for step in volts for told in self.play(step, seconds_each, mains)]


WELL = [("battery-missing", False), ("battery", False), ("charger", False)]


def test_a_well_battery_is_told_to_be_so_once() -> None:
    bench = Bench()
    assert bench.play(13.6, 120) == WELL
    assert bench.play(12.7, 120, mains=False) == []


def test_low_begins_after_its_time_and_ends_well_above() -> None:
    bench = Bench()
    bench.play(13.6, 60)
    assert bench.play(11.39, 9, mains=False) == []
    assert bench.play(11.41, 5, mains=False) == [], "a dip is none"
    assert bench.play(11.39, 11, mains=False) == [("battery", True)]
    assert bench.play(12.2, 600, mains=False) == [], "between both limits it stays low"
    assert bench.play(12.35, 31, mains=True) == [("battery", False)]


def test_the_words_name_what_was_found_and_what_is_expected() -> None:
    bench = Bench()
    bench.play(13.6, 60)
    (change,) = bench.changes(11.1, 11, mains=False)
    assert change == Change("battery", True, "11.10 V (1850 mV a cell), expected at least 1900 mV a cell")


def test_a_battery_that_is_gone_is_missing_and_not_low() -> None:
    bench = Bench()
    bench.play(13.6, 60)
    assert bench.play(0.3, 120) == [("battery-missing", True)]
    assert bench.play(13.6, 60) == [("battery-missing", False)]


def test_the_last_voltage_counts_only_without_mains_and_when_it_stands() -> None:
    bench = Bench()
    bench.play(10.4, 600, mains=True)
    assert bench.watch.spent == ""
    bench.play(10.4, 29, mains=False)
    assert bench.watch.spent == ""
    bench.play(11.0, 3, mains=False)
    bench.play(10.4, 31, mains=False)
    assert bench.watch.spent == "10.40 V (1733 mV a cell)"
    bench.play(13.0, 11, mains=True)
    assert bench.watch.spent == ""


@pytest.mark.parametrize("volts", [0.0, 2.0, 5.9])
def test_a_voltage_that_no_battery_has_puts_no_panel_out(volts: float) -> None:
    bench = Bench()
    bench.play(volts, 600, mains=False)
    assert bench.watch.spent == ""


def test_where_nobody_knows_of_the_mains_the_voltage_decides_and_the_charger_is_not_judged() -> None:
    bench = Bench()
    assert ("charger", True) not in bench.play(12.0, 2 * HOUR, mains=None)
    bench.play(10.4, 31, mains=None)
    assert bench.watch.spent


@pytest.mark.parametrize(
    ("celsius", "volts", "told"), [(25, 15.1, True), (25, 14.9, False), (40, 14.8, True), (5, 15.3, False)]
)
def test_too_much_charge_depends_on_the_temperature(celsius: float, volts: float, told: bool) -> None:
    """2.5 V a cell at 25 °C, 3 mV/K: 15.00 V at 25, 14.73 V at 40, 15.36 V at 5 °C."""
    bench = Bench()
    assert (("charger", True) in bench.play(volts, 60, c=celsius)) is told


def test_without_a_temperature_nobody_is_blamed_that_could_be_right() -> None:
    bench = Bench()
    assert bench.play(15.3, 60, c=None) == [("battery-missing", False), ("battery", False), ("charger", False)]
    assert ("charger", True) in bench.play(15.4, 60, c=None)


def test_a_charger_that_does_not_charge_is_told_after_an_hour_and_one_that_charges_slowly_is_not() -> None:
    dead = Bench()
    assert ("charger", True) not in dead.play(12.6, HOUR - 60)
    assert ("charger", True) in dead.play(12.6, 120)
    assert ("charger", False) in dead.play(13.6, 120)
    slow = Bench()
    assert ("charger", True) not in slow.ramp([11.9 + 0.02 * step for step in range(60)], HOUR // 2)


def test_a_charger_that_is_replaced_is_well_before_the_battery_is_full() -> None:
    bench = Bench()
    assert ("charger", True) in bench.ramp([12.6 - 0.01 * step for step in range(20)], HOUR // 10)
    assert ("charger", False) in bench.ramp([12.4 + 0.02 * step for step in range(20)], HOUR // 10)


def test_a_charger_is_not_judged_while_the_mains_are_gone_and_begins_anew_with_them() -> None:
    bench = Bench()
    bench.play(13.6, 60)
    assert bench.play(12.6, 3 * HOUR, mains=False) == []
    assert bench.play(12.6, HOUR - 60, mains=True) == []


def test_an_overload_needs_a_limit_and_a_current() -> None:
    bench = Bench(Battery(CHEMISTRIES["lead"], 6, max_ma=1_000))
    assert ("overcurrent", False) in bench.play(13.6, 5, ma=900.0)
    assert bench.play(13.6, 11, ma=1_100.0) == [("overcurrent", True)]
    assert bench.play(13.6, 60, ma=None) == []
    assert bench.play(13.6, 31, ma=500.0) == [("overcurrent", False)]


def test_what_can_not_be_measured_changes_nothing() -> None:
    bench = Bench()
    bench.play(11.0, 60, mains=False)
    assert bench.play(None, 2 * HOUR) == []


@given(
    KINDS,
    st.integers(1, 24),
    st.lists(
        st.tuples(
            st.none() | st.floats(0, 6_000),
            st.booleans() | st.none(),
            st.none() | st.floats(-60, 90),
            st.integers(1, 20_000),
        ),
        max_size=80,
    ),
)
def test_whatever_is_read_troubles_begin_and_end_in_turn(
    kind: str, cells: int, night: list[tuple[object, ...]]
) -> None:
    watch, now, standing = BatteryWatch(Battery(CHEMISTRIES[kind], cells, 1_000)), 0, dict[str, bool]()
    chemistry = CHEMISTRIES[kind]
    for cell, mains, celsius, pause in night:
        now += int(str(pause))
        mv = None if cell is None else float(str(cell)) * cells
        reading = Reading(mv, mv, None if celsius is None else float(str(celsius)))
        for change in watch.look(reading, mains, now):  # type: ignore[arg-type]
            assert standing.get(change.trouble) is not change.present, "told twice"
            standing[change.trouble] = change.present
        if watch.spent and mv is not None and mains is True:
            assert mv / cells <= chemistry.last or now > 0


@given(KINDS, st.floats(-20, 60))
def test_limits_are_in_their_order_at_every_temperature(kind: str, celsius: float) -> None:
    c = CHEMISTRIES[kind]
    assert (
        0 < c.missing < c.last < c.test < c.low_ends < c.charge_mv(c.floating, celsius) < c.charge_mv(c.over, celsius)
    )
    assert c.last < c.low < c.low_ends <= c.resting


@given(st.lists(st.tuples(st.booleans() | st.none(), st.integers(0, 4_000)), max_size=60))
def test_nothing_begins_before_it_has_stood_for_its_time(night: list[tuple[bool | None, int]]) -> None:
    standing, now, since, last = Standing(), 0, 0, None
    for wish, pause in night:
        now += pause
        if wish is not None and wish is not last:
            last, since = wish, now
        if standing.feed(wish, now) and standing.present:
            assert now - since >= STAND_MS


# --- how long it lasts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load_ma", "years", "celsius", "hours"),
    [
        (350, 0, 25, 20.0),  # the rate at which the capacity is stated
        (700, 0, 25, 20 / 2**1.15),
        (350, 5, 25, 20 * 0.8**1.15),  # at the end of its design life
        (350, 0, 5, 20 * 0.8**1.15),  # 20 K colder
        (35, 0, 25, 200.0),  # small loads gain nothing
    ],
)
def test_how_long_seven_ampere_hours_last(load_ma: int, years: float, celsius: float, hours: float) -> None:
    minutes = standby_min(CHEMISTRIES["lead"], 7_000, load_ma, part_left(years, 5, celsius))
    assert minutes == pytest.approx(hours * 60, abs=1)


@given(KINDS, st.integers(100, 100_000), st.floats(1, 50_000), st.floats(0, 40), st.floats(-40, 60), st.floats(1, 1.5))
def test_more_load_age_and_cold_never_last_longer(
    kind: str, capacity: int, load: float, years: float, celsius: float, more: float
) -> None:
    c = CHEMISTRIES[kind]
    base = standby_min(c, capacity, load, part_left(years, 5, celsius))
    assert 0 <= standby_min(c, capacity, load * more, part_left(years, 5, celsius)) <= base + 1
    assert standby_min(c, capacity, load, part_left(years * more, 5, celsius)) <= base + 1
    assert standby_min(c, capacity, load, part_left(years, 5, celsius - 5)) <= base + 1
    assert 0.3 <= part_left(years, 5, celsius) <= 1


# --- the load test --------------------------------------------------------------------------------


def run(
    load_test: LoadTest, readings: Iterable[tuple[float | None, float | None, bool | None]], last_s: int = 10
) -> Verdict | None:
    verdict = load_test.begin(Reading(13_600), True, last_s * 1000, 0)
    for second, (volts, ma, mains) in enumerate(readings, start=1):
        if verdict is None:
            verdict = load_test.look(Reading(None if volts is None else volts * 1000, ma), mains, second * 1000)
    return verdict


@pytest.mark.parametrize(
    ("volts", "ma", "mains", "ok", "possible", "missing", "says"),
    [
        (12.5, None, True, True, True, False, "12.50 V after 10 s, 13.60 V before, expected at least 11.70 V"),
        (12.5, 480.0, True, True, True, False, "12.50 V at 480 mA after 10 s"),
        (11.6, 480.0, True, False, True, False, "11.60 V at 480 mA after 10 s"),
        (10.4, None, True, False, True, False, "10.40 V after 1 s"),
        (8.0, None, True, False, True, True, "8.00 V after 1 s"),
        (0.1, None, True, False, True, True, "0.10 V after 1 s"),
        (12.5, 3.0, True, False, True, False, "no load, or no battery, is connected"),
        (13.5, None, True, False, False, False, "the charger still holds the battery"),
        (12.5, None, False, False, False, False, "mains lost during the test"),
        (None, None, True, False, True, False, "can't be read any more"),
    ],
)
def test_what_a_load_test_comes_to(
    volts: float | None, ma: float | None, mains: bool, ok: bool, possible: bool, missing: bool, says: str
) -> None:
    verdict = run(LoadTest(LEAD, True), [(volts, ma, mains)] * 12)
    assert verdict is not None
    assert (verdict.ok, verdict.possible, verdict.missing) == (ok, possible, missing)
    assert says in verdict.detail


def test_without_lines_a_test_only_looks_at_the_voltage() -> None:
    assert LoadTest(LEAD, False).begin(Reading(13_600), True, 9, 0) == Verdict(True, "13.60 V, no load test")
    assert LoadTest(LEAD, False).begin(Reading(11_000), True, 9, 0) == Verdict(False, "11.00 V, no load test")


def test_a_test_is_not_begun_where_it_could_harm_or_show_nothing() -> None:
    test = LoadTest(LEAD, True)
    assert test.begin(Reading(12_000), False, 9, 0) == Verdict(False, "mains lost, 12.00 V", possible=False)
    assert test.begin(Reading(None), True, 9, 0) == Verdict(False, "the voltage can't be read")
    assert not test.running
    assert test.stop("why") is None


def test_a_test_that_is_stopped_has_shown_nothing() -> None:
    test = LoadTest(LEAD, True)
    assert test.begin(Reading(13_600), True, 60_000, 0) is None
    assert test.running
    assert test.stop("a siren sounds") == Verdict(False, "a siren sounds", possible=False)
    assert not test.running
    assert test.look(Reading(12_000), True, 1) is None


@given(
    KINDS,
    st.lists(st.tuples(st.floats(0, 60), st.none() | st.floats(-9, 9_000), st.booleans() | st.none()), min_size=11),
)
def test_every_test_ends_within_its_time(kind: str, night: list[tuple[float, float | None, bool | None]]) -> None:
    test = LoadTest(Battery(CHEMISTRIES[kind], 6), True)
    verdict = run(test, night)
    assert verdict is not None
    assert not test.running
    assert not (verdict.ok and (verdict.missing or not verdict.possible))
