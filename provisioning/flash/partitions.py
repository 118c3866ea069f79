"""Partition tables, read from the first sectors of a disk or an image: MBR, and GPT with its checksums.

Bytes from outside, so bounded: nothing is followed that lies outside the disk, and no more than 128 entries are read.
"""

import struct
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

SECTOR = 512
MAX_ENTRIES = 128
"""As many as a GPT has where nobody asked for more (UEFI 2.10 §5.3)."""
TABLE_BYTES = (2 + 32) * SECTOR
"""Protective MBR, header and 128 entries of 128 bytes."""

Read: TypeAlias = Callable[[int, int], bytes]
"""Offset and length in bytes; fewer come back at the end only."""

_SIGNATURE = b"\x55\xaa"
_GPT = b"EFI PART"
_PROTECTIVE = 0xEE
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_MBR_ENTRY = struct.Struct("<B3xB3xII")
_NAMES = {
    "mbr:0x0b": "FAT32",
    "mbr:0x0c": "FAT32",
    "mbr:0x0e": "FAT16",
    "mbr:0x07": "NTFS/exFAT",
    "mbr:0x05": "extended",
    "mbr:0x0f": "extended",
    "mbr:0x82": "swap",
    "mbr:0x83": "Linux",
    "gpt:c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI",
    "gpt:ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "FAT/NTFS",
    "gpt:0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
}


class BadTable(ValueError):
    """A partition table that can't be true; says what was found where."""


@dataclass(frozen=True)
class Partition:
    """One partition. `start` and `size` in bytes, `kind` as `mbr:0x0c` or `gpt:GUID`, `name` only in a GPT."""

    number: int
    start: int
    size: int
    kind: str
    name: str = ""

    @property
    def said(self) -> str:
        """Its kind in a word, where it has one."""
        return _NAMES.get(self.kind, self.kind)


def read_table(read: Read, size: int) -> tuple[Partition, ...]:
    """The partitions of a disk of so many bytes, in order of their numbers; none where there is no table.

    Raises `BadTable`. A protective MBR alone does not count: then the GPT does, or its damage is an error.
    """
    first = read(0, SECTOR)
    if len(first) < SECTOR or first[510:512] != _SIGNATURE or is_fat(first):
        return ()
    entries = [_MBR_ENTRY.unpack_from(first, 446 + 16 * i) for i in range(4)]
    if any(kind == _PROTECTIVE for _, kind, _, _ in entries):
        return tuple(_gpt(read, size))
    return tuple(
        _within(Partition(number, start * SECTOR, count * SECTOR, f"mbr:0x{kind:02x}"), size)
        for number, (_, kind, start, count) in enumerate(entries, 1)
        if kind and count
    )


def is_fat(sector: bytes) -> bool:
    """Whether this is the first sector of a FAT file system (Microsoft's FAT specification 1.03, boot sector)."""
    if len(sector) < SECTOR or sector[510:512] != _SIGNATURE or sector[0] not in (0xEB, 0xE9):
        return False
    per_sector, per_cluster = struct.unpack_from("<HB", sector, 11)
    named = sector[54:57] == b"FAT" or sector[82:85] == b"FAT"
    return named and per_sector in (512, 1024, 2048, 4096) and per_cluster in (1, 2, 4, 8, 16, 32, 64, 128)


def boot_partition(table: tuple[Partition, ...], read: Read) -> Partition | None:
    """The first partition that holds a FAT file system."""
    return next((part for part in table if is_fat(read(part.start, SECTOR))), None)


def _gpt(read: Read, size: int) -> Iterator[Partition]:
    header = read(SECTOR, SECTOR)
    if len(header) < SECTOR or header[:8] != _GPT:
        raise BadTable("a protective MBR, and no GPT behind it")
    _, _, length, crc, _, _, _, _, _, _, at, count, width, table_crc = _HEADER.unpack_from(header)
    if not _HEADER.size <= length <= SECTOR:
        raise BadTable(f"GPT header of {length} bytes, expected {_HEADER.size} to {SECTOR}")
    if zlib.crc32(header[:16] + bytes(4) + header[20:length]) != crc:
        raise BadTable("the GPT header's checksum is wrong")
    if count > MAX_ENTRIES or width not in (128, 256, 512):
        raise BadTable(f"GPT of {count} entries of {width} bytes, expected at most {MAX_ENTRIES} of 128")
    if at < 2 or at * SECTOR + count * width > size:
        raise BadTable(f"GPT entries at sector {at}, which is outside the disk")
    rows = read(at * SECTOR, count * width)
    if len(rows) < count * width or zlib.crc32(rows) != table_crc:
        raise BadTable("the checksum of the GPT's entries is wrong")
    for number in range(count):
        row = rows[number * width : (number + 1) * width]
        if any(row[:16]):
            yield _within(_gpt_row(number + 1, row), size)


def _gpt_row(number: int, row: bytes) -> Partition:
    first, last = struct.unpack_from("<QQ", row, 32)
    if last < first:
        raise BadTable(f"partition {number} ends at sector {last}, before it begins at {first}")
    name = row[56:128].decode("utf-16-le", "replace").partition("\0")[0]
    printable = "".join(character if character.isprintable() else "?" for character in name)
    kind = f"gpt:{uuid.UUID(bytes_le=row[:16])}"
    return Partition(number, first * SECTOR, (last - first + 1) * SECTOR, kind, printable)


def _within(part: Partition, size: int) -> Partition:
    if part.start < SECTOR or part.start + part.size > size:
        raise BadTable(f"partition {part.number} at byte {part.start}, {part.size} bytes long, is outside the disk")
    return part
