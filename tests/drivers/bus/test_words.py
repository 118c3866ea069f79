"""The words between core and a bus child: each comes back as it was, and nothing else is a word."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bus import words as w
from rules.site import Condition

names = st.text(max_size=w.TEXT_LIMIT)
conditions = st.sampled_from(Condition)
SAYINGS = st.one_of(
    st.builds(w.Sensed, names, conditions),
    st.builds(w.Failed, names, st.booleans(), names),
    st.builds(w.Tampered, names, st.booleans(), names),
    st.just(w.Up()),
    st.builds(w.ReadBack, names, st.booleans()),
    st.builds(w.Entered, names, st.sampled_from(w.ENTERED), names),
    st.builds(w.Figures, st.dictionaries(names, st.integers() | names, max_size=5)),
)
BIDDINGS = st.one_of(
    st.builds(w.Setup, st.dictionaries(names, st.integers(), max_size=5), st.dictionaries(names, st.booleans())),
    st.builds(w.Order, names, st.booleans()),
    st.just(w.Report()),
    st.builds(w.Show, names, st.dictionaries(names, st.booleans(), max_size=5)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(SAYINGS)
def test_a_saying_comes_back(word: w.Saying) -> None:
    assert w.saying(w.packed(word)) == word


@given(BIDDINGS)
def test_a_bidding_comes_back(word: w.Bidding) -> None:
    assert w.bidding(w.packed(word)) == word


@given(BIDDINGS)
def test_a_child_can_not_say_what_only_core_may(word: w.Bidding) -> None:
    with pytest.raises(w.BadWord):
        w.saying(w.packed(word))


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_a_bad_word(packet: bytes) -> None:
    try:
        word: Any = w.saying(packet)
    except w.BadWord:
        return
    assert w.saying(w.packed(word)) == word


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"word": "sensed", "zone": "a", "condition": "asleep"}, "sensed.condition: 'asleep', expected one of normal"),
        ({"word": "sensed", "zone": "a"}, "expected ['condition', 'zone']"),
        ({"word": "read-back", "output": "a", "on": 1}, "read-back.on: '1', expected a bool"),
        ({"word": "entered", "device": "k", "what": "duress", "text": "1"}, "what: 'duress', expected one of code"),
        ({"word": "failed", "part": "m" * 401, "present": True, "detail": ""}, "part: 401 characters"),
        ({"word": "figures", "figures": {"x": "y" * 20_000}}, "figures of 20"),
        ({"word": "disarm"}, "word: 'disarm', expected one of sensed"),
    ],
)
def test_a_bad_word_says_where_what_and_what_was_expected(said: dict[str, Any], because: str) -> None:
    with pytest.raises(w.BadWord, match=None) as error:
        w.saying(json.dumps(said).encode())
    assert because in str(error.value)


def test_a_word_that_is_too_long_is_not_packed() -> None:
    with pytest.raises(w.BadWord, match="at most"):
        w.packed(w.Show("k", {"text": "x" * w.LIMIT}))
