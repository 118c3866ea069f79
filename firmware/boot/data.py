"""The data partition, before it is mounted: grown to the end of the card, then checked as a boot checks a disk.

Its file system grows when it is mounted (`x-systemd.growfs`), at each boot until it fills the partition. `e2fsck -p`
mends what a power cut leaves. Where it can't, everything is mended without asking: an unattended panel must come back,
and its journal finds by itself what is missing. What was done is in the log.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger("fenghuo.boot.data")

DISK, DATA = Path("/dev/fenghuo/disk"), Path("/dev/fenghuo/data")
NUMBER = "4"
CHECK_S, TABLE_S = 840, 30
SLACK = 8 * 1024 * 1024
"""Bytes at the end that are not worth a change of the partition table."""
MENDED, REBOOT, LEFT = 1, 2, 4
"""Bits of e2fsck's exit code: errors mended; a reboot is wanted; errors left."""


def prepare(disk: Path = DISK, data: Path = DATA) -> int:
    """Grow and check. 0 done, 1 the file system can't be used."""
    data = data.resolve()  # udev takes its link away for a moment when the partition grows
    try:
        grow(disk, data)
    except subprocess.CalledProcessError as error:
        log.error("%s ended with %d: %s", error.cmd[0], error.returncode, (error.stderr or "").strip()[-300:])
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        # A smaller medium is no reason not to guard.
        log.error("the data partition keeps its size: %s", error)
    return 0 if check(data) else 1


def grow(disk: Path, data: Path) -> None:
    """Let the partition end where the card ends. Raises `OSError`, `ValueError`, `CalledProcessError`."""
    free = _size(disk) - _end(data)
    if free <= SLACK:
        return
    _run(["sfdisk", "--no-reread", "--no-tell-kernel", "-q", "-N", NUMBER, str(disk)], TABLE_S, ", +\n")
    _run(["partx", "-u", "--nr", NUMBER, str(disk)], TABLE_S)
    _run(["udevadm", "settle", f"--timeout={TABLE_S}"], 2 * TABLE_S)
    log.warning("the data partition was grown by %d MiB to the end of the card", free // 2**20)


def check(data: Path) -> bool:
    """Whether the file system is whole now."""
    code = _fsck("-p", data)
    if code & ~(MENDED | REBOOT):
        log.error("e2fsck -p ended with %d: everything is mended now without asking", code)
        code = _fsck("-fy", data)
    if code & ~(MENDED | REBOOT):
        log.critical("the data partition can't be mended: e2fsck ended with %d", code)
        return False
    if code:
        log.warning("the data partition had errors, which were mended")
    return True


def _fsck(how: str, data: Path) -> int:
    words = ["e2fsck", how, str(data)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=CHECK_S, check=False)
    for line in done.stdout.splitlines()[-20:]:
        log.info("e2fsck: %s", line)
    return done.returncode


def _size(device: Path) -> int:
    """Bytes of a block device or a file."""
    with device.open("rb") as file:
        return file.seek(0, os.SEEK_END)


def _end(data: Path) -> int:
    """Where the partition ends on its disk, bytes."""
    folder = Path("/sys/class/block") / data.name
    return (int((folder / "start").read_text()) + int((folder / "size").read_text())) * 512


def _run(words: Sequence[str], limit_s: int, said: str = "") -> None:
    subprocess.run(words, input=said, check=True, capture_output=True, text=True, timeout=limit_s)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(prepare())
