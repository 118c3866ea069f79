"""What has to stand on the card: the mapped blocks of an image in order, with a few blocks of our own laid over them.

Read as a stream, once for writing and once for comparing, so a packed image needs no room on the disk; each range is
held against the block map's SHA-256 again, since the image may have changed since it was proven.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import zstandard

from provisioning.flash import texts as t
from provisioning.flash.blockmap import BLOCK, Range
from provisioning.flash.refusal import refuse, said
from provisioning.flash.release import Release

CHUNK = 4 * 1024 * 1024
"""Bytes of one write: a card's erase block or a few of them."""
_MAX_WINDOW = 128 * 1024 * 1024
"""Memory that a packed image may ask for: `zstd --long` up to 27 bits."""


@dataclass(frozen=True)
class Chunk:
    """Bytes and where they belong, both multiples of a block."""

    offset: int
    data: bytes


@dataclass(frozen=True)
class Source:
    """A release's image with `patches` over it: whole blocks by their number, mapped or not."""

    release: Release
    patches: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that a card must hold."""
        return self.release.block_map.image_size

    @property
    def total(self) -> int:
        """Bytes of all chunks together."""
        return self.release.block_map.mapped + BLOCK * sum(1 for _ in self._unmapped())

    def chunks(self, until: int | None = None) -> Iterator[Chunk]:
        """In order of their offsets; with `until` those that begin before it. Raises `CantFlash`."""
        extra = self._unmapped()
        waiting = next(extra, None)
        with self._reading() as read:
            for part in self.release.block_map.ranges:
                if until is not None and part.first * BLOCK >= until:
                    break
                while waiting is not None and waiting < part.first:
                    yield Chunk(waiting * BLOCK, self.patches[waiting])
                    waiting = next(extra, None)
                yield from self._range(part, read)
        while waiting is not None and (until is None or waiting * BLOCK < until):
            yield Chunk(waiting * BLOCK, self.patches[waiting])
            waiting = next(extra, None)

    def _range(self, part: Range, read: Callable[[int, int], bytes]) -> Iterator[Chunk]:
        digest = hashlib.sha256()
        offset, end = part.first * BLOCK, (part.last + 1) * BLOCK
        while offset < end:
            data = read(offset, min(CHUNK, end - offset))
            digest.update(data)
            yield Chunk(offset, self._patched(offset, data))
            offset += len(data)
        if digest.hexdigest() != part.sha256:
            blocks = f"{part.first}-{part.last}"
            raise refuse(
                t.RANGE, file=self.release.image, blocks=blocks, found=digest.hexdigest(), expected=part.sha256
            )

    def _patched(self, offset: int, data: bytes) -> bytes:
        first = offset // BLOCK
        here = [number for number in self.patches if first <= number < first + len(data) // BLOCK]
        if not here:
            return data
        whole = bytearray(data)
        for number in here:
            at = (number - first) * BLOCK
            whole[at : at + BLOCK] = self.patches[number]
        return bytes(whole)

    def _unmapped(self) -> Iterator[int]:
        """The patched blocks that the map leaves out, in order."""
        ranges = iter(self.release.block_map.ranges)
        part = next(ranges, None)
        for number in sorted(self.patches):
            while part is not None and part.last < number:
                part = next(ranges, None)
            if part is None or number < part.first:
                yield number

    @contextmanager
    def _reading(self) -> Iterator[Callable[[int, int], bytes]]:
        """A function that reads so many bytes from an offset; offsets only grow."""
        image = self.release.image
        try:
            with image.open("rb") as file:
                stream = (
                    zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(file, read_across_frames=True)
                    if self.release.packed
                    else file
                )
                yield lambda offset, length: _read(stream, offset, length)
        except (EOFError, zstandard.ZstdError) as error:
            raise refuse(t.UNREADABLE, file=image, why=error) from None
        except OSError as error:
            raise refuse(t.UNREADABLE, file=image, why=said(error)) from None


def _read(stream: io.BufferedReader | zstandard.ZstdDecompressionReader, offset: int, length: int) -> bytes:
    stream.seek(offset)
    parts, missing = [], length
    while missing:
        data = stream.read(missing)
        if not data:
            raise EOFError(f"it ends at byte {offset + length - missing}, expected {offset + length}")
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)
