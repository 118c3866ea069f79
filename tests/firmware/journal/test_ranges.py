"""Delivery ranges against a plain set of numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.journal.ranges import MAX_RANGES, Ranges

spans = st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda s: (s[0], s[0] + s[1]))


@given(st.lists(st.lists(spans, max_size=4), max_size=8), st.integers(1, 70), st.integers(1, 70))
def test_it_is_the_set_of_its_numbers(steps: list[list[tuple[int, int]]], first: int, last: int) -> None:
    ranges, numbers = Ranges(), set()
    for step in steps:
        ranges = ranges.add(step)
        numbers |= {n for a, b in step for n in range(a, b + 1)}
    assert {n for a, b in ranges.items for n in range(a, b + 1)} == numbers
    assert all(b + 1 < c for (_, b), (c, _) in zip(ranges.items, ranges.items[1:], strict=False)), "not merged"
    assert ranges.first_missing() == next(n for n in range(1, 99) if n not in numbers)
    assert ranges.highest() == max(numbers, default=0)
    assert [n for a, b in ranges.gaps(first, last) for n in range(a, b + 1)] == [
        n for n in range(first, last + 1) if n not in numbers
    ]


def test_beyond_the_limit_the_highest_are_forgotten() -> None:
    ranges = Ranges().add((2 * n, 2 * n) for n in range(1, MAX_RANGES + 50))
    assert len(ranges.items) == MAX_RANGES
    assert ranges.items[0] == (2, 2)
    assert ranges.highest() == 2 * MAX_RANGES


@pytest.mark.parametrize("span", [(0, 3), (5, 4), (-1, -1)])
def test_impossible_ranges_are_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected 1 ≤ first ≤ last"):
        Ranges().add([span])
