"""A log of a block device's writes and flushes, as Linux' dm-log-writes has it, and what a power cut makes of it.

`hil.fuse_disk` writes such a log, QEMU's `blklogwrites` and the kernel's own target too. A medium with a volatile cache
keeps what came before the last flush; of what came after it any part may be there, whole or torn, in any order.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

SECTOR = 512
MAGIC = 0x6A736677736872
VERSION = 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")


class BadLog(Exception):
    """Not a log of this format; says what was found."""


@dataclass(frozen=True)
class Entry:
    """One entry. `offset`: of its data on the device, bytes; `end`: its own in the log; `at`: of its data there."""

    flags: int
    offset: int
    length: int
    at: int
    end: int

    @property
    def flushes(self) -> bool:
        """Whether all writes before it are on the medium."""
        return bool(self.flags & FLUSH)


class Writer:
    """Appends entries; each is in the file when the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._count = 0
        os.write(self._file, _SUPER.pack(MAGIC, VERSION, 0, SECTOR).ljust(SECTOR, b"\0"))

    def write(self, offset: int, data: bytes) -> None:
        """The device was written; whole sectors only. Raises `ValueError`."""
        if offset % SECTOR or len(data) % SECTOR:
            raise ValueError(f"a write of {len(data)} bytes at {offset}, expected whole sectors of {SECTOR}")
        self._append(offset, data, 0)

    def flush(self) -> None:
        """The device was flushed."""
        self._append(0, b"", FLUSH)

    def _append(self, offset: int, data: bytes, flags: int) -> None:
        head = _ENTRY.pack(offset // SECTOR, len(data) // SECTOR, flags, 0).ljust(SECTOR, b"\0")
        os.write(self._file, head + data)
        self._count += 1

    def close(self) -> None:
        """Write down how many there are."""
        os.pwrite(self._file, _SUPER.pack(MAGIC, VERSION, self._count, SECTOR), 0)
        os.close(self._file)


class WriteLog:
    """A log that is read. One that was cut off ends with its last whole entry."""

    def __init__(self, path: Path) -> None:
        """Raises `BadLog` and `OSError`."""
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < SECTOR:
                raise BadLog(f"{path}: shorter than its first sector")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, version, _, sector = _SUPER.unpack_from(self._map)
        if (magic, version, sector) != (MAGIC, VERSION, SECTOR):
            raise BadLog(f"{path}: magic {magic:#x} version {version} sector {sector}, expected {MAGIC:#x} 1 {SECTOR}")
        self.entries = tuple(self._read())

    def data(self, entry: Entry) -> memoryview:
        """The bytes that were written."""
        return memoryview(self._map)[entry.at : entry.at + entry.length]

    def until(self, end: int) -> int:
        """How many entries lie before this length of the log."""
        return sum(entry.end <= end for entry in self.entries)

    def _read(self) -> Iterator[Entry]:
        at = SECTOR
        while at + SECTOR <= len(self._map):
            sector, count, flags, _ = _ENTRY.unpack_from(self._map, at)
            length = 0 if flags & (DISCARD | MARK) else count * SECTOR
            end = at + SECTOR + length
            if end > len(self._map):
                return
            yield Entry(flags, sector * SECTOR, length, at + SECTOR, end)
            at = end


class Replay:
    """The medium as a cut leaves it. `cut` goes forward only: what is flushed is applied once."""

    def __init__(self, log: WriteLog, base: bytes) -> None:
        """`base`: the image before the first entry."""
        self._log = log
        self._steady = bytearray(base)
        self._applied = 0

    def cut(self, at: int, chance: Random, forget: int = 0) -> tuple[bytearray, int]:
        """The image after a cut behind the first `at` entries, and how many of its writes were at stake.

        `forget`: believe so many of the last flushes never happened: what a disk does that lies, the negative control.
        Raises `ValueError` when `at` goes back behind what was applied.
        """
        sure = self._sure(at, forget)
        if sure < self._applied:
            raise ValueError(f"a cut behind entry {sure}, {self._applied} are applied already")
        for entry in self._log.entries[self._applied : sure]:
            self._apply(self._steady, entry)
        self._applied = sure
        image, staked = bytearray(self._steady), self._log.entries[sure:at]
        # All, none, or a share of them; a quarter of those that are written is torn.
        keep = chance.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        for entry in staked:
            if entry.flags & FUA or chance.random() < keep:
                torn = not entry.flags & FUA and chance.random() < 0.25
                self._apply(image, entry, chance if torn else None)
        return image, sum(entry.length > 0 for entry in staked)

    def _sure(self, at: int, forget: int) -> int:
        """The entries before the last flush that counts."""
        for index in range(at - 1, -1, -1):
            if self._log.entries[index].flushes:
                if not forget:
                    return index
                forget -= 1
        return 0

    def _apply(self, image: bytearray, entry: Entry, torn: Random | None = None) -> None:
        data = self._log.data(entry)
        if torn is None:
            image[entry.offset : entry.offset + entry.length] = data
            return
        for start in range(0, entry.length, SECTOR):
            if torn.random() < 0.5:
                image[entry.offset + start : entry.offset + start + SECTOR] = data[start : start + SECTOR]
