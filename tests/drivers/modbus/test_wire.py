"""Answers of a Modbus line: only the very answer to a question counts, whatever else the line brings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from drivers.modbus.wire import Question, Refused, Unanswered, answer

QUESTION = Question(5, 2, 0, 8)


def framed(body: bytes) -> bytes:
    """With its checksum."""
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


GOOD = framed(bytes([5, 2, 1, 0b1000_0101]))


def test_questions_are_what_the_standard_shows() -> None:
    """Wellpro's manual §5.2 and the relay boards' own example frames."""
    assert Question(1, 2, 0, 8).frame().hex() == "0102000000" + "0879cc"
    assert Question(1, 5, 0, value=0xFF00).frame().hex() == "01050000ff008c3a"
    assert Question(1, 1, 0, 8).frame().hex() == "0101000000083dcc"


def test_the_answer_is_its_bits_from_the_lowest() -> None:
    assert answer(QUESTION, GOOD) == (1, 0, 1, 0, 0, 0, 0, 1)
    assert answer(Question(5, 4, 0, 2), framed(bytes([5, 4, 4, 0x12, 0x34, 0, 7]))) == (0x1234, 7)
    order = Question(5, 6, 3, value=0x0100)
    assert answer(order, order.frame()) == ()


@pytest.mark.parametrize(
    ("frame", "because", "late"),
    [
        (GOOD[:4], "half a frame", True),
        (GOOD[:-1] + b"\0", "wrong checksum", False),
        (framed(bytes([6, 2, 1, 0])), "from address 6, expected 5", True),
        (framed(bytes([5, 1, 1, 0])), "another question", True),
        (framed(bytes([5, 2, 2, 0, 0])), "another question", True),
        (framed(bytes([5, 2, 2, 0])), "a length of 2", False),
    ],
)
def test_what_is_not_the_answer_says_why(frame: bytes, because: str, late: bool) -> None:
    with pytest.raises(Unanswered, match=because) as error:
        answer(QUESTION, frame)
    assert error.value.late is late


def test_an_echo_of_another_order_is_no_answer() -> None:
    with pytest.raises(Unanswered, match="another order"):
        answer(Question(5, 5, 0, value=0xFF00), Question(5, 5, 0, value=0).frame())


def test_an_exception_is_told_as_such() -> None:
    with pytest.raises(Refused, match="exception 2"):
        answer(QUESTION, framed(bytes([5, 0x82, 2])))


@given(st.binary(max_size=64))
def test_random_bytes_are_no_answer(data: bytes) -> None:
    with pytest.raises((Unanswered, Refused)):
        answer(QUESTION, data)


@given(st.integers(0, len(GOOD) * 8 - 1), st.integers(0, len(GOOD) * 8 - 1))
def test_one_or_two_bits_turned_over_are_noticed(one: int, two: int) -> None:
    word = int.from_bytes(GOOD, "big") ^ (1 << one) ^ (0 if one == two else 1 << two)
    with pytest.raises((Unanswered, Refused)):
        answer(QUESTION, word.to_bytes(len(GOOD), "big"))


@given(st.binary(max_size=62))
def test_bytes_with_a_sound_checksum_are_read_or_refused(body: bytes) -> None:
    try:
        assert len(answer(QUESTION, framed(body))) == 8
    except (Unanswered, Refused):
        return
    assert framed(body)[:3] == GOOD[:3]
