"""What another process says of troubles, damped: a flood stays small, bad news is never late, the last word counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.core.damping import END_EVERY_S, ENDS_AT_ONCE, Allowance, Damper
from rules.stimuli import TroubleChanged

UP, DOWN = TroubleChanged("path", False, "center-1"), TroubleChanged("path", True, "center-1", "no receipts")


class Rules:
    """Takes what passes; `full` is a queue that is."""

    def __init__(self) -> None:
        self.now = 0.0
        self.full = False
        self.took: list[TroubleChanged] = []
        self.damper = Damper(self.submit, lambda: self.now)

    def submit(self, change: TroubleChanged) -> bool:
        if not self.full:
            self.took.append(change)
        return not self.full


def test_what_changes_seldom_passes_at_once_and_once() -> None:
    rules = Rules()
    for change in (UP, UP, DOWN, DOWN, UP):
        rules.damper.change(change)
    assert rules.took == [UP, DOWN, UP]


@pytest.mark.clause("EN 50131-1 log flood")
def test_a_flood_of_moods_stays_small_and_ends_as_a_trouble() -> None:
    rules = Rules()
    for _ in range(10_000):
        rules.damper.change(DOWN)
        rules.damper.change(UP)
        rules.now += 0.0025
        rules.damper.settle()
    assert len(rules.took) <= 2 * (ENDS_AT_ONCE + 1) + 1
    assert rules.took[-1] is DOWN


def test_the_last_word_counts_in_the_end() -> None:
    rules = Rules()
    for _ in range(ENDS_AT_ONCE + 1):
        rules.damper.change(DOWN)
        rules.damper.change(UP)
    assert rules.took[-1] is DOWN
    rules.damper.settle()
    assert rules.took[-1] is DOWN
    rules.now += END_EVERY_S
    rules.damper.settle()
    assert rules.took[-1] is UP
    rules.now += 10 * END_EVERY_S
    rules.damper.settle()
    assert rules.took.count(UP) == ENDS_AT_ONCE + 1


def test_troubles_do_not_share_an_allowance() -> None:
    rules = Rules()
    other = TroubleChanged("camera", False, "cam-1")
    for _ in range(100):
        rules.damper.change(DOWN)
        rules.damper.change(UP)
    rules.damper.change(other)
    assert rules.took[-1] is other


def test_what_a_full_queue_refused_is_handed_in_again() -> None:
    rules = Rules()
    rules.full = True
    rules.damper.change(DOWN)
    assert rules.took == []
    rules.full = False
    rules.damper.settle()
    assert rules.took == [DOWN]


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2 * END_EVERY_S)), max_size=60))
def test_bad_news_is_never_late_and_good_news_never_forgotten(said: list[tuple[bool, float]]) -> None:
    rules = Rules()
    for present, pause in said:
        rules.damper.change(DOWN if present else UP)
        if present:
            assert rules.took[-1] is DOWN
        rules.now += pause
        rules.damper.settle()
    rules.now += END_EVERY_S * 2
    rules.damper.settle()
    assert [change.present for change in rules.took[-1:]] == [present for present, _ in said[-1:]]
    assert all(one.present != two.present for one, two in zip(rules.took, rules.took[1:], strict=False))


def test_an_allowance_fills_up_again_but_not_beyond_its_burst() -> None:
    now = [0.0]
    room = Allowance(1000, 10, lambda: now[0])
    assert room.take(1000)
    assert not room.take(1)
    now[0] = 50.0
    assert room.take(500)
    assert not room.take(1)
    now[0] = 1e9
    assert room.take(1000)
    assert not room.take(1)
