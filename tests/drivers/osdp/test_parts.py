"""Keys, cards, faces and frames by themselves: whatever comes from outside ends in nothing but what is allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.osdp import face
from drivers.osdp.cards import CARD, bits_card, printed_26, text_card
from drivers.osdp.channel import Frames
from drivers.osdp.keys import MAX_KEYS, PAUSE_S, KeyLine


def test_a_line_ends_with_the_hash_in_either_spelling() -> None:
    line = KeyLine()
    assert line.feed(b"12", 0.0) == []
    assert line.feed(b"34\r5#", 1.0) == ["1234", "5"]
    assert line.feed(b"#\r#", 2.0) == []


def test_a_star_begins_a_command_and_clears_what_was_begun() -> None:
    assert KeyLine().feed(b"*101234#", 0.0) == ["*101234"]
    assert KeyLine().feed(b"99*1234#", 0.0) == ["1234"]
    assert KeyLine().feed(b"99\x7f\x7f1234#", 0.0) == ["*1234"]


def test_a_line_that_was_left_is_forgotten() -> None:
    line = KeyLine()
    line.feed(b"12", 0.0)
    assert line.feed(b"34#", PAUSE_S + 0.1) == ["34"]


@given(st.lists(st.tuples(st.binary(max_size=40), st.floats(0, 20)), max_size=20))
def test_any_keys_make_short_lines_of_digits(typed: list[tuple[bytes, float]]) -> None:
    line, now = KeyLine(), 0.0
    for keys, pause in typed:
        now += pause
        for ended in line.feed(keys, now):
            assert 1 <= len(ended) <= MAX_KEYS
            assert set(ended.lstrip("*")) <= set("0123456789")


@given(st.sampled_from(["wiegand", "raw"]), st.integers(-5, 600), st.binary(max_size=70))
def test_any_bits_are_a_card_or_none(kind: str, bits: int, data: bytes) -> None:
    card = bits_card(kind, bits, data)
    assert card is None or CARD.fullmatch(card)


@given(st.binary(max_size=80))
def test_any_text_is_a_card_or_none(data: bytes) -> None:
    card = text_card(data)
    assert card is None or CARD.fullmatch(card)


@given(st.integers(1, 64), st.integers(0), st.integers(0))
def test_what_fills_the_last_byte_makes_no_other_card(bits: int, number: int, filling: int) -> None:
    number %= 1 << bits
    spare = -bits % 8
    one, other = ((number << spare | fill % (1 << spare)).to_bytes((bits + 7) // 8, "big") for fill in (0, filling))
    assert bits_card("raw", bits, one) == bits_card("raw", bits, other)


def test_a_printed_card_has_the_parity_of_its_format() -> None:
    # Facility 1, number 1: twelve bits with one 1 on the left, so even parity is 1; one 1 on the right, odd is 0.
    assert printed_26(16, 0) == f"wiegand-26-{1 << 25 | 16 << 17 | 1:07x}"
    assert printed_26(0, 1) == f"wiegand-26-{2:07x}"
    with pytest.raises(ValueError, match="0 to 255"):
        printed_26(256, 1)


@given(st.text(max_size=60))
def test_a_row_fits(text: str) -> None:
    assert len(face.fitted(text).encode("utf-8", "replace")) <= 32


@given(st.lists(st.binary(max_size=50)))
def test_frames_are_found_in_any_noise(chunks: list[bytes]) -> None:
    frames = Frames()
    for chunk in chunks:
        assert all(0 <= address < 128 for address in frames.take(chunk))
    frames.clear()
    reply = bytes((0x53, 0x83, 8, 0, 1, 2, 3, 4))
    assert frames.take(b"\xff" + reply[:3]) == []
    assert frames.take(reply[3:]) == [3]
    assert frames.take(bytes((0x53, 0x03, 8, 0, 1, 2, 3, 4))) == [], "an echo of our own is no answer"


def test_a_beep_of_the_life_before_does_not_sound_again() -> None:
    shown = face.Shown(0)
    shown.wish(face.Face("red", "", (7, "wrong"), ()))
    able = face.Able()
    first = shown.next(able, 0.0)
    assert first is not None
    assert first["command"] == face.LED
    assert shown.next(able, 0.0) is None
    shown.wish(face.Face("red", "", (8, "wrong"), ()))
    second = shown.next(able, 0.0)
    assert second is not None
    assert second["command"] == face.BUZZER


def test_a_tone_ends_by_itself_and_is_told_again_while_it_lasts() -> None:
    shown, able = face.Shown(0), face.Able(lamp=False)
    shown.wish(face.Face("dark", "entry", (0, ""), ()))
    assert shown.next(able, 0.0) is not None
    assert shown.next(able, face.TONES["entry"].lasts_s - 0.1) is None
    assert shown.next(able, face.TONES["entry"].lasts_s) is not None


@pytest.mark.parametrize("what", [{}, {"lamp": "pink", "tone": "", "beep": [0, ""], "rows": []}, {"lamp": "red"}])
def test_what_is_no_face_is_refused(what: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        face.face_of(what, 2)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40), st.binary(max_size=6).filter(lambda noise: 0x53 not in noise)
)
def test_libosdp_gets_whole_frames_however_a_uart_cuts_them(cuts: list[int], noise: bytes) -> None:
    """Of a frame that comes in two reads libosdp takes neither half."""
    frame = bytes.fromhex("538114000445010000010101000000000001e65c")
    wire, frames, start = noise + frame + b"\xff" + frame, Frames(), 0
    pulled: list[bytes] = []
    while start < len(wire):
        for size in cuts:
            frames.take(wire[start : start + size])
            pulled.append(frames.pull(64))
            start += size
    assert [data for data in pulled if data] in ([frame, frame], [frame + frame])


def test_a_frame_longer_than_asked_for_is_handed_on_in_its_order() -> None:
    frame = bytes.fromhex("538114000445010000010101000000000001e65c")
    frames = Frames()
    frames.take(frame)
    assert frames.pull(5) + frames.pull(64) + frames.pull(64) == frame
    frames.take(frame)
    frames.clear()
    assert frames.pull(64) == b""
