"""How far a clock goes wrong by itself, and what of it is too much."""

import pytest

from firmware.core.drift import DAY_MS, Error, Oscillator
from firmware.core.wall import LOOK_MS, Wall
from rules.stimuli import ClockTold, Noted, TroubleChanged
from tests.clock import TurnedClock

HOUR_MS = 3_600_000


@pytest.mark.clause("EN 50131-1 log clock")
@pytest.mark.parametrize(
    ("profile", "off_s", "days", "within"),
    [
        ("eu-g3", 3.6, 1, True),  # 10 min a year are 1.64 s a day, and 2 s are exact enough
        ("eu-g3", 3.7, 1, False),
        ("eu-g3", -18.4, 10, True),
        ("eu-g3", -18.5, 10, False),
        ("cn", 4.4, 1, True),  # 15 min a year are 2.47 s a day
        ("cn", 4.5, 1, False),
        ("nobody's", 3.7, 1, False),
    ],
)
def test_the_standards_allow_so_much_a_year(profile: str, off_s: float, days: int, within: bool) -> None:
    error = Error(profile)
    error.right(1000)
    verdict = error.found(off_s, 1000 + days * DAY_MS)
    assert verdict is not None
    assert verdict.within is within
    assert verdict.ppm == round(off_s / days / 86_400 * 1e6)


def test_an_error_of_which_nobody_knows_since_when_says_nothing() -> None:
    error = Error("cn")
    assert error.found(50_000.0, 10 * HOUR_MS) is None
    assert error.found(5.0, 10 * HOUR_MS + 1000) is None
    assert error.found(50.0, 20 * HOUR_MS) is not None


def test_the_oscillator_is_measured_over_whole_days_that_a_server_kept() -> None:
    raw = [0]
    oscillator = Oscillator(lambda: raw[0])
    utc, ppm = 1_790_000_000.0, 40
    for minute in range(3 * 24 * 60):
        # A second without the server, or a setting, and the day begins anew.
        oscillator.look(utc, kept=minute != 1000)
        assert (oscillator.ppb is None) is (minute < 1001 + 24 * 60)
        utc += 60
        raw[0] = (minute + 1) * 60_000 * (1_000_000 + ppm) // 1_000_000
    assert oscillator.ppb is not None
    assert abs(oscillator.ppb - ppm * 1000) < 100


class Board:
    """A wall clock on a board whose time server is gone, and back after a while."""

    def __init__(self, profile: str = "eu-g3") -> None:
        self.clock = TurnedClock()
        self.told: list[ClockTold | Noted | TroubleChanged] = []
        self.wall = Wall(self.clock, "Asia/Shanghai", self._take, profile=profile)
        self.wall.look()

    def _take(self, stimulus: ClockTold | Noted | TroubleChanged) -> bool:
        self.told.append(stimulus)
        return True

    def alone(self, hours: int) -> None:
        """Without a server for so long; only its end is looked at."""
        self.clock.quality = "free-running"
        self.look(hours * HOUR_MS)

    def look(self, ms: int = LOOK_MS) -> None:
        self.clock.turn(ms)
        self.wall.look()

    def server(self, off_s: float) -> None:
        """The server is back, and steps the clock by so much."""
        self.clock.quality = "synchronised"
        self.clock.now_utc += off_s
        self.look()

    def troubles(self) -> list[tuple[str, str, bool]]:
        return [(t.trouble, t.subject, t.present) for t in self.told if isinstance(t, TroubleChanged)]

    def sets(self) -> list[dict[str, object]]:
        return [dict(t.payload) for t in self.told if isinstance(t, Noted)]


@pytest.mark.clause("EN 50131-1 log clock")
def test_a_clock_that_goes_wrong_too_fast_is_a_trouble_until_it_is_found_right() -> None:
    board = Board()
    board.alone(24)
    board.server(10.0)
    (note,) = board.sets()
    assert (note["by"], note["ppm"], note["difference_ms"]) == ("system", 116, 10_000)
    assert board.troubles() == [("maintenance", "clock", True)]
    board.alone(24)
    board.server(-3.0)
    assert board.troubles() == [("maintenance", "clock", True), ("maintenance", "clock", False)]


def test_an_administrator_who_sets_the_clock_proves_nothing_of_it() -> None:
    board = Board()
    board.alone(24)
    board.clock.now_utc += 86_400.0
    board.look()
    (note,) = board.sets()
    assert "ppm" not in note
    assert board.troubles() == []


def test_an_error_that_the_center_finds_without_a_setting_counts_too() -> None:
    board = Board()
    board.alone(24)
    board.wall.right(30.0)
    board.look()
    assert board.troubles() == [("maintenance", "clock", True)]
    board.look(12 * HOUR_MS)
    board.wall.right(0.2)
    board.look()
    assert board.troubles()[-1] == ("maintenance", "clock", False)


def test_only_what_was_asked_for_is_the_centers_setting() -> None:
    board = Board()
    board.alone(1)
    board.wall.expect("center", board.clock.monotonic_ms(), board.clock.utc() + 50, 1.0)
    board.clock.now_utc += 60.0
    board.look()
    board.wall.expect("center", board.clock.monotonic_ms(), board.clock.utc() + 50, 1.0)
    board.clock.now_utc += 50.5
    board.look()
    board.wall.expect("center", board.clock.monotonic_ms() - 60_000, board.clock.utc() - 50, 1.0)
    board.clock.now_utc -= 50.0
    board.look()
    assert [note["by"] for note in board.sets()] == ["system", "center", "system"]


def test_a_vouched_clock_that_somebody_sets_is_vouched_for_no_longer() -> None:
    board = Board()
    board.alone(1)
    board.clock.vouch(board.clock.monotonic_ms() + HOUR_MS)
    board.look()
    assert (board.clock.state(), board.wall.sure) == ("synchronised", True)
    board.clock.now_utc += 60.0
    board.look()
    assert (board.clock.state(), board.wall.sure) == ("free-running", False)
    assert board.sets()[0]["clock"] == "free-running"
