"""A slice of `make fuzz` for every parser, with frames that no run has seen; and that a broken parser is found."""

import random

import pytest

from hil.fuzz.main import attack, main
from hil.fuzz.mutate import MAX_BYTES, frames
from hil.fuzz.targets import Target, targets

FRAMES = 3_000
NEW = random.SystemRandom().randrange(2**32)


@pytest.mark.parametrize("seed", [1, NEW], ids=["fixed", "new"])
@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_no_frame_breaks_a_parser(target: Target, seed: int) -> None:
    outcome = attack(target, FRAMES, seed)
    assert not outcome.broken, f"seed {seed}"
    assert outcome.taken >= len(target.corpus)
    assert outcome.taken + outcome.refused == FRAMES + len(target.corpus)
    assert outcome.refused > FRAMES // 20


def test_names_are_of_their_own() -> None:
    names = [target.name for target in targets()]
    assert len(set(names)) == len(names)


def parse_badly(frame: bytes) -> None:
    """A parser that believes the length it is told."""
    if frame[:1] != b"\x02":
        raise ValueError("no start")
    frame[1 + frame[1]]


def test_a_parser_that_breaks_is_found_and_its_frame_is_shown() -> None:
    outcome = attack(Target("bad", (b"\x02\x03abc",), parse_badly, (ValueError,)), 5_000, 1)
    name, _, frame = outcome.broken.rpartition(": ")
    assert name.startswith("IndexError")
    with pytest.raises(IndexError):
        parse_badly(bytes.fromhex(frame))


def test_a_sound_frame_that_is_refused_is_told() -> None:
    assert "sound frame was refused: 00" in attack(Target("deaf", (b"\0",), parse_badly, (ValueError,)), 10, 1).broken


def test_a_parser_that_takes_too_long_is_told() -> None:
    moments = iter(range(0, 100, 2))
    outcome = attack(Target("slow", (b"x",), lambda _: None, ()), 1, 1, clock=lambda: float(next(moments)))
    assert "2.0 s for one frame: 78" in outcome.broken


def test_one_seed_gives_one_sequence_of_bounded_frames() -> None:
    corpus = (b"x" * MAX_BYTES, b"abc")
    first, again = (frames(corpus, random.Random(7)) for _ in range(2))
    some = [first() for _ in range(500)]
    assert some == [again() for _ in range(500)]
    assert max(map(len, some)) <= MAX_BYTES
    assert len(set(some)) > 400


def test_the_command_prints_a_line_for_each_parser(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--frames", "50", "bus child"]) == 0
    assert [line.rstrip().endswith("sound") for line in capsys.readouterr().out.splitlines()] == [True, True]
