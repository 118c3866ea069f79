"""The hash tree of dm-verity: format 1, SHA-256, blocks of 4096, as `veritysetup format --no-superblock` makes it.

Made here, so that the builder needs no device mapper and the same root gives the same tree.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

BLOCK = 4096


def append_tree(file: Path, salt: bytes) -> tuple[str, int]:
    """Append its tree to a file of whole blocks; the root hash (hex) and how many blocks the file had.

    Raises `ValueError` for a file of less than two blocks or no whole number of them, `OSError`.
    """
    size = file.stat().st_size
    if size < 2 * BLOCK or size % BLOCK:
        raise ValueError(f"{file}: {size} bytes, expected whole blocks of {BLOCK}, two at least")
    with file.open("rb") as stream:
        levels = [_level((stream.read(BLOCK) for _ in range(size // BLOCK)), salt)]
    while len(levels[-1]) > BLOCK:
        blocks = levels[-1]
        levels.append(_level((blocks[at : at + BLOCK] for at in range(0, len(blocks), BLOCK)), salt))
    with file.open("ab") as stream:
        for level in reversed(levels):  # the top first
            stream.write(level)
    return _hash(levels[-1], salt).hex(), size // BLOCK


def _level(blocks: Iterable[bytes], salt: bytes) -> bytes:
    """The hashes of these blocks, filled up to whole blocks."""
    hashes = b"".join(_hash(block, salt) for block in blocks)
    return hashes + b"\0" * (-len(hashes) % BLOCK)


def _hash(block: bytes, salt: bytes) -> bytes:
    return hashlib.sha256(salt + block).digest()
