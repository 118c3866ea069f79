"""The table of an update's life: all ways end, and nothing good comes without consent and trial."""

import pytest

from firmware.updater.life import ABOUT, LIFE, OPEN, RECORDED, RUNNING_NEW, Event, Stage, after, came_up
from rules.vocabulary import KINDS

S, E = Stage, Event
ENDS = set(Stage) - OPEN


def ways(start: Stage, events: set[Event]) -> set[Stage]:
    """All states that these events lead to."""
    found, todo = {start}, [start]
    while todo:
        stage = todo.pop()
        for event in events:
            then = after(stage, event)
            if then is not None and then not in found:
                found.add(then)
                todo.append(then)
    return found


def test_every_state_is_reached_and_every_event_is_used() -> None:
    assert ways(S.NONE, set(E)) == set(S)
    assert {event for _, event in LIFE} == set(E)


@pytest.mark.parametrize("stage", sorted(OPEN))
def test_every_open_state_has_a_way_to_an_end(stage: Stage) -> None:
    assert ways(stage, set(E) - {E.OFFER, E.LOST}) & ENDS


def test_the_new_slot_is_never_in_force_without_consent_check_and_trial() -> None:
    for missing in (E.AGREED, E.SOUND, E.WRITTEN, E.LEAVE, E.PROVEN):
        assert S.GOOD not in ways(S.NONE, set(E) - {missing})


STARTS = [(stage, new) for stage in Stage for new in (False, True)]


@pytest.mark.parametrize(("stage", "new"), STARTS)
def test_each_start_from_either_slot_has_a_meaning(stage: Stage, new: bool) -> None:
    event = came_up(stage, new)
    then = stage if event is None else after(stage, event)
    assert then is not None
    # Who runs from the new slot is on trial or on the way back; or there is no home to go back to.
    assert (then in RUNNING_NEW) is new or (new and event is E.LOST)


def test_records_and_words() -> None:
    assert set(RECORDED.values()) == {kind for kind in KINDS if kind.startswith("update.")}
    assert set(RECORDED) == set(Stage) - {S.NONE, S.SWITCHING}
    assert all(all(ABOUT[stage]) for stage in Stage)
