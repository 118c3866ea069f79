"""Marks that find a card which claims more than it holds.

Such a card loses what is written past its true end, or lays it over an earlier place. Its data partition would break
months later. So blocks far behind the image are written first and read back last: a lost one is missing, and one that
came to lie over the image was overwritten by it, or spoils it.
"""

import hashlib
from collections.abc import Iterator
from random import Random

from provisioning.flash.blockmap import BLOCK
from provisioning.flash.source import Chunk

SCATTERED = 48
"""Where a card's true size is no power of two: places by chance, the same for each image."""


def marks(size: int, behind: int, seed: str) -> list[Chunk]:
    """Blocks of a card of `size` bytes that lie behind the image's end, in order; none where there is no room.

    The last block, and for each power of two the place that it falls on where the address lines above are missing.
    """
    last = size // BLOCK - 1
    first = -(-behind // BLOCK)
    if last <= first:
        return []
    places = {last, *(last & ((1 << bits) - 1) for bits in range(last.bit_length()))}
    random = Random(seed)  # noqa: S311
    places.update(random.randint(first, last) for _ in range(SCATTERED))
    return [Chunk(place * BLOCK, _mark(place, seed)) for place in sorted(places) if place >= first]


def _mark(place: int, seed: str) -> bytes:
    """A block that says where it belongs, unlike any other."""
    head = f"Fenghuo capacity mark, block {place}\n".encode()
    return head + b"".join(_noise(place, seed))[: BLOCK - len(head)]


def _noise(place: int, seed: str) -> Iterator[bytes]:
    for number in range(BLOCK // 32):
        yield hashlib.sha256(f"{seed} {place} {number}".encode()).digest()
