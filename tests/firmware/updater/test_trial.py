"""When a new slot counts as good, and when the panel goes back: over all that core may tell."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.updater.trial import (
    CORE_MS,
    INPUTS_MS,
    LONGEST_MS,
    REASONS,
    RECEIPT_MS,
    STEADY_MS,
    Before,
    Facts,
    Judgement,
    Verdict,
    judge,
)

WELL = Facts(STEADY_MS, read=True, failing=0, restored=True, journal="j", stored=True, receipt=True)
WAS = Before(failing=0, journal="j", stored=True, linked=True)

facts = st.none() | st.builds(
    Facts,
    st.integers(0, 2 * STEADY_MS),
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["j", "k"]),
    st.booleans(),
    st.booleans(),
)
befores = st.builds(Before, st.integers(0, 3), st.sampled_from(["", "j"]), st.booleans(), st.booleans())
waits = st.integers(0, 2 * LONGEST_MS)


@given(facts, befores, waits)
def test_good_is_only_what_did_all_that_it_did_before(told: Facts | None, before: Before, waited: int) -> None:
    if judge(told, before, waited).verdict is Verdict.GOOD:
        assert told is not None
        assert told.read
        assert told.restored
        assert told.failing <= before.failing
        assert told.stored or not before.stored
        assert told.journal == before.journal or not before.journal or not before.stored
        assert told.receipt or not before.linked
        assert told.up_ms >= STEADY_MS


@given(facts, befores, st.integers(LONGEST_MS, 10 * LONGEST_MS))
def test_every_trial_comes_to_an_end(told: Facts | None, before: Before, waited: int) -> None:
    assert judge(told, before, waited).verdict is not Verdict.WAIT


@given(facts, befores, waits, waits)
def test_a_verdict_is_never_taken_back_by_time(told: Facts | None, before: Before, one: int, more: int) -> None:
    first, then = judge(told, before, one), judge(told, before, one + more)
    assert first.verdict in (Verdict.WAIT, then.verdict)


@given(facts, befores, waits)
def test_each_reason_has_its_words(told: Facts | None, before: Before, waited: int) -> None:
    why = judge(told, before, waited).why
    assert not why or all(REASONS[why])


@pytest.mark.parametrize(
    ("told", "limit_ms", "why"),
    [
        (None, CORE_MS, "core-silent"),
        (replace(WELL, read=False), INPUTS_MS, "inputs-unread"),
        (replace(WELL, failing=1), INPUTS_MS, "inputs-failing"),
        (replace(WELL, stored=False), INPUTS_MS, "journal-unwritable"),
        (replace(WELL, up_ms=STEADY_MS - 1), RECEIPT_MS, "unsteady"),
        (replace(WELL, receipt=False), RECEIPT_MS, "no-receipt"),
    ],
)
def test_what_may_still_come_is_awaited_so_long(told: Facts | None, limit_ms: int, why: str) -> None:
    assert judge(told, WAS, limit_ms - 1) == Judgement(Verdict.WAIT, why)
    assert judge(told, WAS, limit_ms) == Judgement(Verdict.BACK, why)


@pytest.mark.parametrize(
    ("told", "why"),
    [(replace(WELL, restored=False), "state-lost"), (replace(WELL, journal="k"), "journal-new")],
)
def test_what_can_not_come_right_is_not_waited_for(told: Facts, why: str) -> None:
    assert judge(told, WAS, 0) == Judgement(Verdict.BACK, why)


def test_nothing_is_asked_that_was_not_so_before() -> None:
    poor = Before(failing=2, journal="j", stored=False, linked=False)
    told = replace(WELL, failing=2, journal="k", stored=False, receipt=False)
    assert judge(told, poor, 0) == Judgement(Verdict.GOOD)
    assert judge(WELL, WAS, 0) == Judgement(Verdict.GOOD)
