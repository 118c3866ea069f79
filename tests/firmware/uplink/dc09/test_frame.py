"""Frames of DC-09: those of the digest byte for byte, the way there and back, and replies that do not count."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.dc09.frame import (
    MAX_BODY,
    NULL,
    BadFrame,
    Message,
    Splitter,
    Station,
    TooLong,
    crc16,
    decrypt,
    encrypt,
    frame,
    padding,
    read_reply,
    time_text,
    wrapped,
)
from hil.dc09 import read_message

STATION = Station("1234")
MOMENT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC).timestamp()
KEY = b"A" * 16
ALARM = Message("ADM-CID", "1131 01 015")
KEYS = st.one_of(*(st.binary(min_size=n, max_size=n) for n in (16, 24, 32)))


def unwrapped(data: bytes) -> bytes:
    (found,) = Splitter().feed(data)
    return found


def test_the_checksum_of_the_standard() -> None:
    assert crc16(b"123456789") == 0xBB3D


@pytest.mark.parametrize(
    ("message", "sequence", "expected"),
    [
        (ALARM, 42, b'\nD274003D"ADM-CID"0042R1L0#1234[#1234|1131 01 015]_15:09:26,03-14-2026\r'),
        (
            Message("ADM-CID", "3131 01 015"),
            43,
            b'\n2759003D"ADM-CID"0043R1L0#1234[#1234|3131 01 015]_15:09:26,03-14-2026\r',
        ),
        (
            Message("SIA-DCS", "Nri1/BA015"),
            44,
            b'\n813C003C"SIA-DCS"0044R1L0#1234[#1234|Nri1/BA015]_15:09:26,03-14-2026\r',
        ),
        (
            Message("ADM-CID", "1131 01 015", ("M0123456789AB",)),
            45,
            b'\nC43D004C"ADM-CID"0045R1L0#1234[#1234|1131 01 015][M0123456789AB]_15:09:26,03-14-2026\r',
        ),
        (NULL, 0, b'\nAD730029"NULL"0000R1L0#1234[]_15:09:26,03-14-2026\r'),
    ],
    ids=["perimeter alarm", "restore", "SIA-DCS", "with MAC", "NULL"],
)
def test_the_frames_of_the_digest(message: Message, sequence: int, expected: bytes) -> None:
    assert frame(message, sequence, STATION, MOMENT) == expected


def test_the_encrypted_frame_of_the_digest() -> None:
    expected = (
        b'\nB3EF0078"*ADM-CID"0042R1L0#1234[222466FDEF796D864158D1E37DAE04A0819BC5EAA0AEA983219C299C34D45E58'
        b"324E08391179B6717B70730ECF0DEDBC\r"
    )
    assert frame(ALARM, 42, STATION, MOMENT, KEY, b"PADPADPAD") == expected


@given(KEYS, st.integers(0, 9999), st.sampled_from([ALARM, NULL, Message("SIA-DCS", "Nri1/BA015", ("Ia-1",))]))
def test_what_is_encrypted_is_padded_to_whole_blocks_and_comes_back(key: bytes, seq: int, message: Message) -> None:
    pad = padding(message, STATION, Random(seq))
    assert 1 <= len(pad) <= 16
    assert not set(b"|[]") & set(pad)
    found = read_message(unwrapped_any(frame(message, seq, STATION, MOMENT, key, pad)), key)
    assert (found.ident, found.sequence, found.content) == (message.ident, seq, message.content)
    assert (found.extras, found.moment, found.encrypted) == (message.extras, MOMENT, True)


def unwrapped_any(data: bytes) -> bytes:
    return data.removeprefix(b"\n").removesuffix(b"\r")


def test_what_fills_its_blocks_gets_a_block_of_padding() -> None:
    sizes = {len(padding(Message("SIA-DCS", "A" * n), STATION, Random(1))) for n in range(16)}
    assert sizes == set(range(1, 17))


def test_a_message_beyond_three_digits_of_length_is_none() -> None:
    assert len(frame(Message("SIA-DCS", "A" * (MAX_BODY - 52)), 1, STATION, MOMENT)) <= MAX_BODY + 10
    with pytest.raises(TooLong, match="at most 4095"):
        frame(Message("SIA-DCS", "A" * MAX_BODY), 1, STATION, MOMENT)


# --- replies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "word", "sequence", "account", "moment"),
    [
        (b'"ACK"0042R1L0#1234[]', "ACK", 42, "1234", None),
        (b'"ACK"0042L0#1234[]', "ACK", 42, "1234", None),
        (b'"DUH"0042R1L0#1234[]', "DUH", 42, "1234", None),
        (b'"RSP"0042R1L0#abcdef[][K41]', "RSP", 42, "ABCDEF", None),
        (b'"NAK"0000R1L0A0[]_15:09:26,03-14-2026', "NAK", 0, "", MOMENT),
        (b'"NAK"0000L0R0A0[]_15:09:26,03-14-2026', "NAK", 0, "", MOMENT),
        (b'"NAK"0000R0L0A0[]', "NAK", 0, "", None),
    ],
)
def test_replies(body: bytes, word: str, sequence: int, account: str, moment: float | None) -> None:
    reply = read_reply(unwrapped(wrapped(body)))
    assert (reply.word, reply.sequence, reply.account, reply.moment) == (word, sequence, account, moment)
    assert not reply.encrypted


@pytest.mark.parametrize("inner", [b"|]", b"0000000000]", b"PAD|][K1]"], ids=["bar", "no bar", "x-data"])
def test_the_time_of_an_encrypted_reply_is_its_last_20_characters(inner: bytes) -> None:
    plain = inner + time_text(MOMENT).encode()
    sealed = encrypt(KEY, b"0" * (-len(plain) % 16) + plain)
    data = wrapped(b'"*ACK"0042R1L0#1234[' + sealed)
    reply = read_reply(unwrapped(data), KEY)
    assert (reply.word, reply.encrypted, reply.moment) == ("ACK", True, MOMENT)
    with pytest.raises(BadFrame, match="not encrypted with this path's key"):
        read_reply(unwrapped(data), b"B" * 16)
    with pytest.raises(BadFrame, match="no key"):
        read_reply(unwrapped(data))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'\nFFFF0014"ACK"0042R1L0#1234[]\r', "checksum is FFFF"),
        (wrapped(b'"ACK"0042R1L0#1234[]').replace(b"0014", b"0015"), "its length says 21"),
        (b"\nzzzz0000\r", "8 hex digits"),
        (wrapped(b'"WHO"0042R1L0#1234[]'), "expected ACK"),
        (wrapped(b'"ACK"42R1L0#1234[]'), "expected ACK"),
        (wrapped(b'"ACK"0042R1L0#1234['), "no end"),
        (wrapped(b'"NAK"0000R1L0A0[]_15:09:26,13-14-2026'), "the time is"),
        (wrapped(b'"*ACK"0042R1L0#1234[]'), "hex of whole blocks"),
    ],
)
def test_what_is_no_reply(data: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        read_reply(unwrapped(data), KEY)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_reply_or_refused(data: bytes) -> None:
    for body in (data, b'"ACK"0001R1L0#1234[' + data, b'"*ACK"0001R1L0#1234[' + data.hex().encode()):
        try:
            reply = read_reply(wrapped(body)[1:-1], KEY)
        except BadFrame:
            continue
        assert reply.word in ("ACK", "NAK", "DUH", "RSP")


@given(st.binary(max_size=200), st.lists(st.sampled_from([b'"ACK"0001R1L0#1234[]', b'"NAK"0000L0A0[]']), max_size=4))
def test_frames_come_out_of_a_stream_however_it_is_cut(noise: bytes, bodies: list[bytes]) -> None:
    stream = noise.replace(b"\n", b"") + b"".join(map(wrapped, bodies))
    by_byte = Splitter()
    found = [whole for byte in stream for whole in by_byte.feed(bytes([byte]))]
    assert found == list(Splitter().feed(stream))
    assert found == [wrapped(body)[1:-1] for body in bodies]


def test_what_never_ends_is_dropped() -> None:
    splitter = Splitter()
    assert list(splitter.feed(b"\n" + b"A" * 100_000 + wrapped(b"x"))) == [wrapped(b"x")[1:-1]]
    assert splitter.dropped == 100_000


def test_decrypting_what_is_no_hex() -> None:
    with pytest.raises(BadFrame, match="5 characters, expected hex"):
        decrypt(KEY, b"ABCDE")


def test_the_frames_of_the_page_are_read_by_a_receiver() -> None:
    page = Path("docs/alarm-center.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("\\n") and line.endswith("\\r")]
    heard = [read_message(line.removeprefix("\\n").removesuffix("\\r").encode()) for line in lines]
    assert [(h.ident, h.sequence, h.content) for h in heard] == [
        ("ADM-CID", 42, "1131 01 015"),
        ("ADM-CID", 43, "3131 01 015"),
        ("SIA-DCS", 44, "Nri1/BA015"),
        ("ADM-CID", 45, "1131 01 015"),
        ("NULL", 0, ""),
    ]
