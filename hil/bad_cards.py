"""Cards that fail or lie, served as a file by FUSE: of false capacity, full, failing, deaf, slow, pulled out.

`python -m hil.bad_cards IMAGE PLACE FAULT=VALUE …` prints `ready`, and ends when the file is unmounted. Needs root.
"""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hil.fuse_disk import Disk, mount
from hil.write_log import Writer


@dataclass
class Fault:
    """What is wrong with the card. Places and sizes in bytes, -1: not so."""

    wraps_at: int = -1
    """Its true size: what lies behind comes to lie over the beginning."""
    ends_at: int = -1
    """Its true size: what lies behind is taken and forgotten, and reads as zeros."""
    write_fails_at: int = -1
    full_at: int = -1
    read_fails_at: int = -1
    flips_at: int = -1
    """One bit of this byte is read wrong."""
    writes_left: int = -1
    """Bytes until it is pulled out: then everything fails."""
    slow_ms: int = -1
    """How long each write takes."""
    deaf: int = -1
    """1: it takes writes and keeps nothing, as worn-out cards do."""


class Card(Disk):
    """A disk with a fault."""

    def __init__(self, image: Path, fault: Fault) -> None:
        super().__init__(image, Writer(Path(os.devnull)))
        self._fault = fault

    def get(self, offset: int, size: int) -> tuple[bytes, int]:
        """Read, as far as the fault lets it."""
        fault = self._fault
        if fault.writes_left == 0 or 0 <= fault.read_fails_at - offset < size:
            return b"", errno.EIO
        if 0 <= fault.ends_at <= offset:
            return bytes(size), 0
        data, number = super().get(self._place(offset), size)
        if 0 <= (at := fault.flips_at - offset) < len(data):
            data = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        return data, number

    def put(self, offset: int, data: bytes) -> int:
        """Write, as far as the fault lets it."""
        fault = self._fault
        time.sleep(max(0, fault.slow_ms) / 1000)
        if fault.writes_left >= 0:
            fault.writes_left = max(0, fault.writes_left - len(data))
            if fault.writes_left == 0:
                return errno.ENODEV
        if 0 <= fault.write_fails_at - offset < len(data):
            return errno.EIO
        if 0 <= fault.full_at < offset + len(data):
            return errno.ENOSPC
        if fault.deaf == 1 or 0 <= fault.ends_at <= offset:
            return 0
        return super().put(self._place(offset), data)

    def _place(self, offset: int) -> int:
        return offset % self._fault.wraps_at if self._fault.wraps_at > 0 else offset


@contextmanager
def served(image: Path, fault: Fault) -> Iterator[Path]:
    """The card with its fault, beside the image that holds what is really on it. Raises `OSError`."""
    place = image.with_name(f"{image.name}.card")
    place.touch()
    words = [f"{name}={value}" for name, value in asdict(fault).items()]
    served_by = subprocess.Popen(
        [sys.executable, "-m", "hil.bad_cards", str(image), str(place), *words], stdout=subprocess.PIPE
    )
    try:
        if served_by.stdout is None or served_by.stdout.readline() != b"ready\n":
            raise OSError(errno.ENODEV, "the card is not served", str(place))
        yield place
    finally:
        subprocess.run(("umount", "--lazy", str(place)), check=False, stderr=subprocess.DEVNULL)
        served_by.wait(30)


def main(image: Path, place: Path, *faults: str) -> int:
    """Serve until unmounted."""
    fault = Fault(**{name: int(value) for name, _, value in (word.partition("=") for word in faults)})
    kernel = mount(place)
    print("ready", flush=True)
    Card(image, fault).serve(kernel)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
