"""The wall clock: local minutes told once each, and every time that somebody sets the clock."""

from datetime import UTC, date, datetime

import pytest

from firmware.clock import utc_text
from firmware.core.wall import LOOK_MS, SET_EVERY_S, SETS_AT_ONCE, Wall
from rules.stimuli import ClockTold, Noted, TroubleChanged
from tests.clock import TurnedClock


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Box:
    """Takes what a wall tells."""

    def __init__(self) -> None:
        self.told: list[ClockTold | Noted | TroubleChanged] = []

    def take(self, stimulus: ClockTold | Noted | TroubleChanged) -> bool:
        self.told.append(stimulus)
        return True


class Room:
    """A wall over a turned clock; what it told, in order."""

    def __init__(self, at: str, timezone: str = "Asia/Shanghai", *, rate: int = 1, trusted: bool = False) -> None:
        self.clock = TurnedClock(utc=utc(at))
        self.told: list[ClockTold | Noted | TroubleChanged] = []
        self.full = False
        self.wall = Wall(self.clock, timezone, self._submit, rate, trusted)
        self.wall.look()

    def _submit(self, stimulus: ClockTold | Noted | TroubleChanged) -> bool:
        if not self.full:
            self.told.append(stimulus)
        return not self.full

    def turn(self, seconds: float) -> None:
        """Let time pass, looked at every half second."""
        for _ in range(int(seconds * 1000 / LOOK_MS)):
            self.clock.turn(LOOK_MS)
            self.wall.look()

    def set(self, seconds: float) -> None:
        """Somebody sets the clock by so much."""
        self.clock.now_utc += seconds
        self.turn(0.5)

    def times(self) -> list[tuple[str, int, int]]:
        found = [told for told in self.told if isinstance(told, ClockTold)]
        return [(date.fromordinal(t.day).isoformat(), t.minute // 60, t.minute % 60) for t in found]

    def sets(self) -> list[dict[str, object]]:
        return [dict(told.payload) for told in self.told if isinstance(told, Noted)]


def test_the_local_minute_is_told_at_the_start_and_at_each_full_minute() -> None:
    room = Room("2026-11-30T15:58:30")
    assert room.times() == [("2026-11-30", 23, 58)]
    room.turn(29)
    assert len(room.told) == 1
    room.turn(1)
    room.turn(60)
    assert room.times() == [("2026-11-30", 23, 58), ("2026-11-30", 23, 59), ("2026-12-01", 0, 0)]
    assert room.sets() == []


@pytest.mark.parametrize(
    ("at", "local"),
    [("2026-03-29T00:59:00", [(1, 59), (3, 0)]), ("2026-10-25T00:59:00", [(2, 59), (2, 0)])],
)
def test_summer_time_moves_the_hour_and_is_no_setting(at: str, local: list[tuple[int, int]]) -> None:
    room = Room(at, "Europe/Berlin")
    room.turn(60)
    assert [(hour, minute) for _, hour, minute in room.times()] == local
    assert room.sets() == []


@pytest.mark.clause("EN 50131-1 log clock", "GB 12663 twelve kinds")
@pytest.mark.parametrize("step", [2.5, -2.5, 86_400.0, -86_400.0])
def test_a_clock_that_was_set_is_recorded_with_old_and_new_and_the_minute_told(step: float) -> None:
    room = Room("2026-12-01T04:00:10")
    room.set(step)
    (payload,) = room.sets()
    old = utc("2026-12-01T04:00:10") + LOOK_MS / 1000
    expected: dict[str, object] = {
        "old": utc_text(old),
        "new": utc_text(old + step),
        "clock": "synchronised",
        "by": "system",
    }
    expected["difference_ms"] = int(step * 1000)
    assert payload == expected
    assert (len(room.times()) > 1) is (abs(step) > 60)
    room.turn(30)
    assert len(room.sets()) == 1


def test_a_suspected_clock_that_somebody_sets_is_suspected_no_more() -> None:
    room = Room("2026-03-14T01:00")
    room.clock.suspect(True)
    room.turn(10)
    assert room.clock.suspected
    room.set(3600)
    assert not room.clock.suspected


def test_drift_and_small_corrections_are_no_setting_however_long_they_last() -> None:
    room = Room("2026-12-01T04:00:00")
    for _ in range(100):
        room.set(1.9)
        room.set(-0.4)
    assert room.sets() == []


def test_a_clock_that_is_set_all_the_time_fills_no_journal_and_the_rest_is_counted() -> None:
    room = Room("2026-12-01T04:00:00")
    for _ in range(SETS_AT_ONCE + 20):
        room.set(-5.0)
    assert len(room.sets()) == SETS_AT_ONCE
    room.turn(SET_EVERY_S)
    room.set(-5.0)
    assert [payload.get("unrecorded") for payload in room.sets()[-2:]] == [None, 20]


def test_what_finds_no_room_is_told_later() -> None:
    room = Room("2026-12-01T04:00:00")
    room.full = True
    room.set(90.0)
    room.full = False
    room.turn(1)
    assert room.times()[-1] == ("2026-12-01", 12, 1)
    room.set(90.0)
    assert room.sets()[-1]["unrecorded"] == 1


def test_a_clock_is_sure_once_it_was_synchronised_and_not_while_it_is_unset() -> None:
    room = Room("2026-12-01T04:00:00")
    sure = []
    for state in ("free-running", "unset", "synchronised"):
        room.clock.quality = state
        room.turn(60)
        told = room.told[-1]
        sure.append(isinstance(told, ClockTold) and told.sure)
    assert sure == [True, False, True]


def test_a_clock_that_never_was_synchronised_proves_nothing_but_on_simulated_pins() -> None:
    for trusted in (False, True):
        clock, box = TurnedClock(), Box()
        clock.quality = "free-running"
        Wall(clock, "Asia/Shanghai", box.take, trusted=trusted).look()
        (first,) = box.told
        assert isinstance(first, ClockTold)
        assert first.sure is trusted


def test_without_data_of_its_zone_a_panel_goes_by_utc_and_is_not_sure(caplog: pytest.LogCaptureFixture) -> None:
    room = Room("2026-12-01T04:00:00", "Nowhere/Atlantis", trusted=True)
    assert room.times() == [("2026-12-01", 4, 0)]
    assert isinstance(room.told[0], ClockTold)
    assert not room.told[0].sure
    assert "Nowhere/Atlantis" in caplog.text


class Faster(TurnedClock):
    """Monotonic time that runs 60 times faster than UTC."""

    def turn(self, ms: int) -> None:
        self.now_ms += 60 * ms
        self.now_utc += ms / 1000


def test_with_a_faster_clock_the_wall_runs_as_fast_and_nothing_counts_as_set() -> None:
    clock, box = Faster(utc=utc("2026-12-01T04:00:00")), Box()
    wall = Wall(clock, "Asia/Shanghai", box.take, 60, trusted=True)
    wall.look()
    for _ in range(20):
        clock.turn(LOOK_MS)
        wall.look()
    minutes = [what.minute for what in box.told if isinstance(what, ClockTold)]
    assert minutes == list(range(720, 731))
    assert len(minutes) == len(box.told)


class Counted(TurnedClock):
    """Counts how often it is asked for the time of day."""

    asked = 0

    def utc(self) -> float:
        self.asked += 1
        return super().utc()


def test_it_looks_twice_a_second_at_most() -> None:
    clock = Counted()
    wall = Wall(clock, "Asia/Shanghai", Box().take)
    for _ in range(100):
        wall.look()
        clock.turn(10)
    assert clock.asked == 2


class Torn(TurnedClock):
    """A thread that is held up for a minute between the two readings of the clock."""

    held = False

    def utc(self) -> float:
        if self.held:
            self.held = False
            self.turn(60_000)
        return super().utc()


def test_a_thread_that_was_held_up_while_it_read_the_clock_tells_nothing_wrong() -> None:
    clock, box = Torn(), Box()
    wall = Wall(clock, "Asia/Shanghai", box.take)
    wall.look()
    clock.turn(LOOK_MS)
    clock.held = True
    wall.look()
    clock.turn(LOOK_MS)
    wall.look()
    assert [type(what) for what in box.told] == [ClockTold, ClockTold]
