"""Topics: what we build we read, and nothing else is ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.protocol.topics import parse, topic
from tests.firmware.protocol.strategies import panels

words = st.lists(st.sampled_from(["event", "alarm", "link", "receipt"]), min_size=1, max_size=3)


@given(panels, words)
def test_round_trip(panel: str, rest: list[str]) -> None:
    assert parse(topic(panel, *rest)) == (panel, tuple(rest))


@given(st.text(max_size=40) | st.text("fenghuo/v1+#a-", max_size=40).map("fenghuo/v1/{}".format))
def test_what_is_read_is_built_the_same(text: str) -> None:
    found = parse(text)
    assert found is None or topic(found[0], *found[1]) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fenghuo/v1",
        "fenghuo/v1/bank-1",
        "fenghuo/v1/bank-1/",
        "fenghuo/v1//link",
        "fenghuo/v1/+/link",
        "fenghuo/v1/bank-1/#",
        "fenghuo/v1/bank-1/event//alarm",
        "fenghuo/v2/bank-1/link",
        "/fenghuo/v1/bank-1/link",
        "fenghuo/v1/BANK/link",
        "fenghuo/v1/../link",
        "fenghuo/v1/bank-1/link\n",
    ],
)
def test_other_topics_are_not_ours(text: str) -> None:
    assert parse(text) is None
