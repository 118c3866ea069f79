"""The bytes of the fleet's client: what it writes reads back the same, however it is cut; nonsense is refused."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.fleet.mqtt5 import (
    DISCONNECT,
    PINGREQ,
    Arrived,
    BadPacket,
    Connack,
    Goodbye,
    Parser,
    Puback,
    Suback,
    connect,
    puback,
    publish,
    subscribe,
)

LIMIT = 70_000
PACKETS = st.one_of(st.none(), st.integers(1, 0xFFFF))


@given(
    st.lists(st.tuples(st.text("abc/é", max_size=40), st.binary(max_size=400), PACKETS), max_size=5),
    st.lists(st.integers(0, 2_000), max_size=8),
)
def test_publishes_read_back_the_same_however_the_bytes_are_cut(
    sent: list[tuple[str, bytes, int | None]], cuts: list[int]
) -> None:
    wire = b"".join(publish(topic, payload, packet, False, "application/json") for topic, payload, packet in sent)
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    parser = Parser(LIMIT)
    found = [p for start, end in pairwise(places) for p in parser.feed(wire[start:end])]
    assert found == [Arrived(topic, payload, packet) for topic, payload, packet in sent]


@given(st.binary(max_size=60))
def test_nonsense_is_refused_by_name_or_waited_on(data: bytes) -> None:
    parser, found = Parser(LIMIT), 0
    with suppress(BadPacket):
        found = len(parser.feed(data))
    assert found <= len(data) // 2  # no packet has less than two bytes


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        ("20 06 00 00 03 21 00 14", Connack(0)),
        ("20 03 00 87 00", Connack(0x87)),
        ("90 05 00 02 00 01 01", Suback(2, (1, 1))),
        ("90 05 00 02 00 01 87", Suback(2, (1, 0x87))),
        ("40 02 00 07", Puback(7, 0)),
        ("40 04 00 07 97 00", Puback(7, 0x97)),
        ("e0 02 8e 00", Goodbye(0x8E)),
        ("e0 00", Goodbye(0)),
    ],
)
def test_what_a_broker_answers(data: str, packet: object) -> None:
    assert Parser(LIMIT).feed(bytes.fromhex(data)) == [packet]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ("34 05 00 01 61 00 01 00", "QoS 2"),
        ("30 ff ff 7f", "at most 70000"),
        ("30 80 80 80 80 01", "more than four bytes"),
        ("30 04 00 09 61 62", "longer than its packet"),
        ("30 04 00 01 61 09", "longer than their packet"),
        ("f0 00", "0xF0"),
        ("20 00", "packet 0x20 of 0 bytes"),
        ("30 04 00 01 ff 00", "0x30"),
    ],
)
def test_what_no_panel_expects_is_named(data: str, named: str) -> None:
    with pytest.raises(BadPacket, match=named):
        Parser(LIMIT).feed(bytes.fromhex(data))


def test_what_is_announced_too_large_is_refused_before_it_is_there() -> None:
    parser = Parser(100)
    with pytest.raises(BadPacket, match="at most 100"):
        parser.feed(bytes([0x30, 0xE5, 0x01]))


def test_the_bytes_of_the_standard() -> None:
    # 3.1: protocol name, version 5, will QoS 1 retained and clean start, keep alive 15, properties, id, will.
    made = connect("ab", 15, "w", b"x", 64, 1000)
    properties = "08 21 0040 27 000003e8"
    assert made == bytes.fromhex(f"10 1e 0004 4d515454 05 2e 000f {properties} 0002 6162 00 0001 77 0001 78")
    assert subscribe(2, ["a"]) == bytes.fromhex("82 07 0002 00 0001 61 01")
    assert puback(7) == bytes.fromhex("40 02 0007")
    assert publish("a", b"x", 7, True, "t") == bytes.fromhex("33 0b 0001 61 0007 04 03 0001 74 78")
    assert (PINGREQ, DISCONNECT) == (b"\xc0\x00", b"\xe0\x00")
