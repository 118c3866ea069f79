"""Lines of boxes and sirens, troubles with several causes, and the board: what is told, and what is not."""

import queue
from pathlib import Path

import pytest

from drivers.board_health import BoardReading
from firmware.config import load
from firmware.core.board_watch import BoardWatch
from firmware.core.lines import Lines
from firmware.core.supply import Causes
from rules.site import Condition
from tests.clock import TurnedClock
from tests.firmware.test_config_loops import SMALL

FILE = SMALL.replace(
    '[[zone]]\nid = "button"',
    """[[box]]
id = "cabinet"
name = "Cabinet"
input = { line = 22 }

[[output]]
id = "bell"
kind = "siren"
line = 20
areas = ["hall"]
watch = { adc = "adc-1", channel = 3 }

[[zone]]
id = "button\"""",
)
Told = list[tuple[str, bool, str, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def lines(tmp_path: Path, told: Told) -> Lines:
    path = tmp_path / "panel.toml"
    path.write_text(FILE)
    return Lines(load(path).file, lambda *words: told.append(words))


@pytest.mark.parametrize("condition", [Condition.ACTIVE, Condition.OPEN, Condition.SHORT, Condition.MASKED])
def test_a_box_that_is_not_shut_is_a_tamper(lines: Lines, told: Told, condition: Condition) -> None:
    assert lines.told("cabinet", condition)
    assert told[0] == ("box", True, "cabinet", f"Cabinet: {condition.value}")
    assert told[1:] == [("driver", False, "cabinet", "")]


def test_a_siren_line_tells_its_output(lines: Lines, told: Told) -> None:
    assert lines.told("bell", Condition.OPEN)
    assert lines.told("bell", Condition.NORMAL)
    assert [words for words in told if words[0] == "siren"] == [
        ("siren", True, "bell", "open"),
        ("siren", False, "bell", "normal"),
    ]


@pytest.mark.parametrize("name", ["cabinet", "bell"])
def test_a_line_that_can_not_be_judged_is_no_tamper_and_ends_none(lines: Lines, told: Told, name: str) -> None:
    assert lines.told(name, Condition.FAULT)
    assert told == [("driver", True, name, "the line can't be judged")]


def test_zones_are_left_to_the_rules(lines: Lines, told: Told) -> None:
    assert not lines.told("door", Condition.OPEN)
    assert told == []
    assert (lines.boxes, lines.watched) == ({"cabinet"}, {"bell"})


def test_a_trouble_with_two_causes_ends_with_the_last_and_not_before_both_are_known(told: Told) -> None:
    causes = Causes(lambda *words: told.append(words), {"battery": {"volts"}})
    causes.expect("battery", "line")
    causes.tell("battery", "line", False, "")
    assert told == [], "what the voltage says is not known"
    causes.tell("battery", "volts", True, "11.2 V")
    causes.tell("battery", "line", True, "the contact")
    causes.tell("battery", "volts", False, "12.6 V")
    causes.tell("battery", "line", False, "the contact")
    assert [present for _, present, _, _ in told] == [True, True, True, False]


class Board:
    """A board whose figures are set by hand, looked at every two seconds of a turned clock."""

    def __init__(self) -> None:
        self.reading = BoardReading(False, False, 50.0)
        self.clock = TurnedClock()
        self.words: queue.Queue[tuple[str, bool, str, str]] = queue.Queue()
        self.watch = BoardWatch(lambda: self.reading, 80, lambda *words: self.words.put(words), self.clock)

    def lasts(self, seconds: int) -> list[tuple[str, bool]]:
        for _ in range(0, seconds, 2):
            self.clock.turn(2_000)
            self.watch._pass(self.clock.monotonic_ms())
        return [(subject, present) for _, present, subject, _ in iter(self._next, None)]

    def _next(self) -> tuple[str, bool, str, str] | None:
        return None if self.words.empty() else self.words.get()


@pytest.fixture
def board() -> Board:
    made = Board()
    assert sorted(made.lasts(2)) == [("hot", False), ("slowed", False), ("under-voltage", False)]
    return made


def test_one_dip_of_the_supply_is_told_and_a_minute_without_one_ends_it(board: Board) -> None:
    board.reading = BoardReading(True, False, 50.0)
    assert board.lasts(2) == [("under-voltage", True)]
    board.reading = BoardReading(False, False, 50.0)
    assert board.lasts(58) == []
    assert board.lasts(4) == [("under-voltage", False)]


def test_heat_must_stand_and_cool_down_well(board: Board) -> None:
    board.reading = BoardReading(False, False, 85.0)
    assert board.lasts(28) == []
    assert board.lasts(4) == [("hot", True)]
    board.reading = BoardReading(False, False, 78.0)
    assert board.lasts(300) == []
    board.reading = BoardReading(False, False, 74.0)
    assert board.lasts(64) == [("hot", False)]


def test_a_board_that_tells_nothing_has_no_troubles(board: Board) -> None:
    board.reading = BoardReading()
    assert board.lasts(600) == []
    assert board.watch.figures() == {"board_c": None, "board_under_voltage": None, "board_slowed": None}
