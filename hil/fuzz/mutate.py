"""Frames that were never sent: random ones, and sound ones that something happened to. One generator, one sequence."""

import random
from collections.abc import Callable, Sequence

MAX_BYTES = 4096
_BIT, _BYTE = 8, 256
_TELLING = (b"\0", b"\xff", b"\r\n", b'"', b"{", b"}", b"[", b"0", b"-1", b"1e999", b"\xe4\xb8", b"\x1a", b"\x7f")
"""Bytes at which parsers stumble: ends, quotes, numbers, half a character."""


def frames(corpus: Sequence[bytes], rng: random.Random) -> Callable[[], bytes]:
    """The next frame, each time it is called: one in eight all random, else a sound one with one to four harms."""
    if not corpus:
        raise ValueError("no frame to begin with")

    def next_frame() -> bytes:
        if rng.randrange(8) == 0:
            return rng.randbytes(rng.randrange(1, 80))
        frame = bytearray(rng.choice(corpus))
        for _ in range(rng.randrange(1, 5)):
            _HARMS[rng.randrange(len(_HARMS))](frame, rng, corpus)
        return bytes(frame[:MAX_BYTES])

    return next_frame


def _flip(frame: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    if frame:
        frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(_BIT)


def _replace(frame: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    if frame:
        frame[rng.randrange(len(frame))] = rng.randrange(_BYTE)


def _insert(frame: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(frame) + 1)
    frame[at:at] = rng.choice(_TELLING) if rng.randrange(2) else rng.randbytes(rng.randrange(1, 9))


def _cut(frame: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    if frame:
        at = rng.randrange(len(frame))
        del frame[at : at + rng.randrange(1, 17)]


def _end(frame: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    del frame[rng.randrange(len(frame) + 1) :]


def _repeat(frame: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    if frame:
        at = rng.randrange(len(frame))
        frame[at:at] = frame[at : at + rng.randrange(1, 65)] * rng.randrange(1, 4)


def _splice(frame: bytearray, rng: random.Random, corpus: Sequence[bytes]) -> None:
    other = rng.choice(corpus)
    at = rng.randrange(len(frame) + 1)
    frame[at:] = other[rng.randrange(len(other) + 1) :]


_HARMS: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    _flip,
    _replace,
    _insert,
    _cut,
    _end,
    _repeat,
    _splice,
)
