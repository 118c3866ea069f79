"""A disk whose every write and flush is logged: one file, served by the kernel's FUSE protocol, spoken here by hand.

The file is mounted over an empty one; a loop device on it makes a block device of it, whose flushes arrive as `FSYNC`.
One thread answers one request after another, so the log has the order in which things happened. Needs root.
`python -m hil.fuse_disk IMAGE LOG PLACE` prints `ready`, and ends when the file is unmounted.
"""

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

from hil.write_log import Writer

MAX_WRITE = 1024 * 1024
_BUFFER = MAX_WRITE + 64 * 1024
_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
_RANGE = struct.Struct("<QQI")
_ATTR = struct.Struct("<QII QQQQQQ IIIIIIIIII")
_WRITE_HEAD = 40

# linux/fuse.h, protocol 7.31
_FORGET, _GETATTR, _SETATTR, _OPEN, _READ, _WRITE, _RELEASE, _FSYNC, _FLUSH, _INIT = 2, 3, 4, 14, 15, 16, 18, 20, 25, 26
_BATCH_FORGET, _INTERRUPT = 42, 36
_FOPEN_DIRECT_IO = 1
_FUSE_MAX_PAGES = 1 << 22
_KEPT_S = 3600


class Disk:
    """Answers the kernel. `image` is kept as the medium would be if no power was ever cut."""

    def __init__(self, image: Path, log: Writer) -> None:
        self._image = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        self._size = os.fstat(self._image).st_size
        self._log = log

    def serve(self, kernel: int) -> None:
        """Until the file is unmounted."""
        while True:
            try:
                request = os.read(kernel, _BUFFER)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                raise
            length, code, unique, *_ = _IN.unpack_from(request)
            if code in (_FORGET, _BATCH_FORGET, _INTERRUPT):
                continue
            answer, failure = self._answer(code, memoryview(request)[_IN.size : length])
            os.write(kernel, _OUT.pack(_OUT.size + len(answer), -failure, unique) + answer)

    def get(self, offset: int, size: int) -> tuple[bytes, int]:
        """What is read there, and 0 or the error."""
        return os.pread(self._image, size, offset), 0

    def put(self, offset: int, data: bytes) -> int:
        """Write it there; 0 or the error."""
        self._log.write(offset, data)
        os.pwrite(self._image, data, offset)
        return 0

    def _answer(self, code: int, body: memoryview) -> tuple[bytes, int]:
        match code:
            case c if c == _INIT:
                return self._init(body), 0
            case c if c in (_GETATTR, _SETATTR):
                return self._attributes(), 0
            case c if c == _OPEN:
                return struct.pack("<QII", 1, _FOPEN_DIRECT_IO, 0), 0
            case c if c == _READ:
                _, offset, size = _RANGE.unpack_from(body)
                return self.get(offset, size)
            case c if c == _WRITE:
                _, offset, size = _RANGE.unpack_from(body)
                failure = self.put(offset, bytes(body[_WRITE_HEAD : _WRITE_HEAD + size]))
                return (b"" if failure else struct.pack("<II", size, 0)), failure
            case c if c == _FSYNC:
                self._log.flush()
                return b"", 0
            case c if c in (_FLUSH, _RELEASE):
                return b"", 0
            case _:
                return b"", errno.ENOSYS

    def _init(self, body: memoryview) -> bytes:
        _, minor, readahead, _ = struct.unpack_from("<IIII", body)
        pages = MAX_WRITE // os.sysconf("SC_PAGE_SIZE")
        return struct.pack(
            "<IIIIHHIIHHI28x", 7, min(minor, 31), readahead, _FUSE_MAX_PAGES, 16, 12, MAX_WRITE, 1, pages, 0, 0
        )

    def _attributes(self) -> bytes:
        blocks = self._size // 512
        return _ATTR.pack(_KEPT_S, 0, 0, 1, self._size, blocks, 0, 0, 0, 0, 0, 0, 0o100600, 1, 0, 0, 0, 4096, 0)


def mount(place: Path) -> int:
    """Mount over this file; the kernel's end to serve. Raises `OSError`."""
    kernel = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={kernel},rootmode=100600,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"fenghuo-disk", os.fsencode(place), b"fuse", 0, options) != 0:
        number = ctypes.get_errno()
        os.close(kernel)
        raise OSError(number, os.strerror(number), str(place))
    return kernel


def main(image: Path, log: Path, place: Path) -> int:
    """Serve until unmounted."""
    writer = Writer(log)
    kernel = mount(place)
    print("ready", flush=True)
    Disk(image, writer).serve(kernel)
    writer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*(Path(word) for word in sys.argv[1:4])))
