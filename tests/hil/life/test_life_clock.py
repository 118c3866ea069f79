"""The clocks of a simulated life."""

from datetime import UTC, date, datetime

from hil.life.clock import DAY_MS, Calendar, PanelClock

LEAP = date(2028, 2, 29).toordinal()


def test_the_calendar_knows_leap_days_and_local_midnight() -> None:
    calendar = Calendar(LEAP - 1)
    assert calendar.text(DAY_MS + 61_001) == f"2028-02-29 00:01:01.001 ({DAY_MS + 61_001})"
    assert calendar.weekday_at(DAY_MS) == date(2028, 2, 29).weekday()
    assert calendar.minute_at(DAY_MS + 7_260_000) == 121
    assert datetime.fromtimestamp(calendar.utc_ms(DAY_MS) / 1000, UTC) == datetime(2028, 2, 28, 16, tzinfo=UTC)


def test_the_panels_clock_may_be_wrong_and_its_monotonic_time_begins_with_the_boot() -> None:
    clock = PanelClock(Calendar(LEAP))
    clock.now = 90_000
    clock.reboot(60_000)
    assert (clock.monotonic_ms(), clock.at(30_000), clock.boot()) == (30_000, 90_000, "boot-1")
    assert clock.local() == (LEAP, 1)
    clock.offset_ms = -91_000
    assert clock.local() == (LEAP - 1, 1_439)
    assert clock.utc() == datetime(2028, 2, 28, 15, 59, 59, tzinfo=UTC).timestamp()


def test_the_next_minute_is_that_of_the_panels_own_wall_clock() -> None:
    clock = PanelClock(Calendar(LEAP))
    clock.now = 60_000
    assert clock.next_minute() == 120_000
    clock.offset_ms = 59_999
    assert clock.next_minute() == 60_001
