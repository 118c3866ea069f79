"""The card, opened for itself alone: reads and writes that go past the page cache, so that what is read is the card.

`O_EXCL` makes the kernel refuse a disk that is mounted, or part of a volume group or array. Where `O_DIRECT` is not to
be had (some file systems, for a plain file), writes are flushed and the cache is dropped before anything is read back.
"""

import errno
import fcntl
import mmap
import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from provisioning.flash.source import CHUNK

_BLKFLSBUF = 0x1261
"""linux/fs.h: write out and drop what the kernel has buffered of this device."""


class Medium:
    """A context manager. Offsets and lengths are multiples of a block; every method raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        device = path.exists() and stat.S_ISBLK(path.stat().st_mode)
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if device else os.O_CREAT)
        try:
            self._file, self.direct = os.open(path, flags | os.O_DIRECT, 0o600), True
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self._file, self.direct = os.open(path, flags, 0o600), False
        self._device = device
        # Anonymous memory begins at a page, as O_DIRECT wants it.
        self._buffer = mmap.mmap(-1, CHUNK)

    def __enter__(self) -> "Medium":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        os.close(self._file)

    @property
    def size(self) -> int:
        """Bytes that it says it holds."""
        return os.lseek(self._file, 0, os.SEEK_END)

    def grow(self, size: int) -> None:
        """Make a plain file this long."""
        os.ftruncate(self._file, size)

    def write(self, offset: int, data: bytes) -> None:
        """All of the data, at most a chunk."""
        self._buffer[: len(data)] = data
        done = 0
        with memoryview(self._buffer) as view:
            while done < len(data):
                count = os.pwrite(self._file, view[done : len(data)], offset + done)
                if count <= 0:
                    raise OSError(errno.EIO, f"the card took {done} of {len(data)} bytes")
                done += count

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes, at most a chunk; fewer than that is an error."""
        done = 0
        with memoryview(self._buffer) as view:
            while done < length:
                count = os.preadv(self._file, [view[done:length]], offset + done)
                if count <= 0:
                    raise OSError(errno.EIO, f"the card gave {done} of {length} bytes")
                done += count
        return self._buffer[:length]

    def settle(self) -> None:
        """All that was written is on the card, and nothing of it is read from memory afterwards."""
        os.fsync(self._file)
        if self._device:
            with suppress(OSError):  # a right of root's
                fcntl.ioctl(self._file, _BLKFLSBUF)
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)
