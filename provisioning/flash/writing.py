"""Writing a card and proving it: what is equal already is left alone, what was written is read back and compared.

The card itself is the only state: after Ctrl-C, a pulled card or a power cut, the same command reads what stands there,
believes nothing else, and goes on where it differs. Another computer may go on as well.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from provisioning.flash import texts as t
from provisioning.flash.medium import Medium
from provisioning.flash.refusal import refuse, said
from provisioning.flash.source import Chunk, Source

Step: TypeAlias = Literal["marks", "write", "verify"]
Told: TypeAlias = Callable[[Step, int], None]
"""Hears of each step how many bytes more are behind it."""

_FRESH = 4
"""So many different chunks in a row, and the card is taken to hold another thing: no more looking before each write."""
_LOOK_EVERY = 16
"""But for one chunk of so many: whether the rest is there already after all."""


@dataclass
class Outcome:
    """Bytes that were written, and that were found equal and left alone."""

    written: int = 0
    equal: int = 0


def flash(medium: Medium, source: Source, marked: Sequence[Chunk], told: Told) -> Outcome:
    """Bring the card to what the source says. Where anything had to be written, all is read back.

    Raises `CantFlash`: the card fails, or is not what it claims to be. A card without marks is not looked at for that.
    """
    outcome = Outcome()
    _settle(medium)
    _write(medium, marked, "marks", told, outcome)
    # Marks first: on a card that lays them over the image, the image overwrites them, and they are missing at the end.
    _write(medium, source.chunks(), "write", told, outcome)
    if outcome.written:
        _settle(medium)
        _verify(medium, source, marked, told)
    return outcome


def _write(medium: Medium, chunks: Sequence[Chunk] | Iterator[Chunk], step: Step, told: Told, outcome: Outcome) -> None:
    different = 0
    for number, chunk in enumerate(chunks):
        look = different < _FRESH or number % _LOOK_EVERY == 0
        if look and _equal(medium, chunk):
            different = 0
            outcome.equal += len(chunk.data)
        else:
            different += 1
            _put(medium, chunk)
            outcome.written += len(chunk.data)
        told(step, len(chunk.data))


def _equal(medium: Medium, chunk: Chunk) -> bool:
    try:
        return medium.read(chunk.offset, len(chunk.data)) == chunk.data
    except OSError:
        return False  # it may be mended by a write; if not, that fails


def _put(medium: Medium, chunk: Chunk) -> None:
    try:
        medium.write(chunk.offset, chunk.data)
    except OSError as error:
        raise refuse(t.WRITE_FAILED, card=medium.path, at=chunk.offset, why=said(error)) from None


def _settle(medium: Medium) -> None:
    try:
        medium.settle()
    except OSError as error:
        raise refuse(t.FLUSH_FAILED, card=medium.path, why=said(error)) from None


def _verify(medium: Medium, source: Source, marked: Sequence[Chunk], told: Told) -> None:
    for mark in marked:
        if _read(medium, mark) != mark.data:
            raise refuse(t.FALSE_CAPACITY, card=medium.path, size=gib(medium.size), at=gib(mark.offset))
    for chunk in source.chunks():
        found = _read(medium, chunk)
        if found != chunk.data:
            at = next(i for i, (a, b) in enumerate(zip(found, chunk.data, strict=True)) if a != b)
            raise refuse(t.DIFFERS, card=medium.path, at=chunk.offset + at)
        told("verify", len(chunk.data))


def _read(medium: Medium, chunk: Chunk) -> bytes:
    try:
        return medium.read(chunk.offset, len(chunk.data))
    except OSError as error:
        raise refuse(t.READ_FAILED, card=medium.path, at=chunk.offset, why=said(error)) from None


def gib(size: int) -> str:
    """A size as a person reads it."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
