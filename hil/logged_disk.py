"""Disks for power cuts: an ext4 on a block device whose writes are logged, and images mounted as a cut left them.

Mounts live in a mount namespace of this process (`own_mounts`), so that they are gone with it, however it ends. Needs
root, /dev/fuse and a loop device; `why_not` says what is missing.
"""

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware.boot.data import check
from images.settings import find_tools

IMAGE_BYTES = 64 * 1024 * 1024
_CAP_SYS_ADMIN = 21
_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_PRIVATE = 16384, 1 << 18


def why_not() -> str:
    """Why there can be no logged disk on this machine; empty when there can."""
    if not _may_mount():
        return "needs root and the right to mount"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.access(device, os.R_OK | os.W_OK):
            return f"needs {device}"
    return ""


def _may_mount() -> bool:
    """Root in a container often may not."""
    status = Path("/proc/self/status").read_text()
    held = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(held >> _CAP_SYS_ADMIN & 1)


def own_mounts() -> None:
    """From now on this process's mounts are its own and its children's. While it has one thread; raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "a mount namespace of our own")


def make_image(image: Path) -> None:
    """An empty ext4 as images have it: with metadata checksums, mounted with data=ordered."""
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[None]:
    """The image mounted at the folder as at a boot: the panel's own check first, then the kernel.

    A cut may tear the commit block of ext4's own journal, or its superblock; the kernel alone then refuses the mount,
    though nothing that was flushed is lost, and the check of every boot mends it. Raises `CalledProcessError`,
    `OSError` where it does not.
    """
    find_tools()
    if not check(image):
        raise OSError(errno.EUCLEAN, "the check of a boot does not mend it", str(image))
    folder.mkdir(exist_ok=True)
    _run("mount", "-t", "ext4", "-o", "loop,noatime", str(image), str(folder))
    try:
        yield
    finally:
        _run("umount", str(folder))


class LoggedDisk:
    """A context manager: `folder` is an ext4 whose writes all go into `log`; `base` is the image before the first."""

    def __init__(self, work: Path) -> None:
        self.folder = work / "disk"
        self.log = work / "writes.log"
        self.base = work / "base.img"
        self._image = work / "disk.img"
        self._place = work / "served"
        self._server: subprocess.Popen[bytes] | None = None

    def position(self) -> int:
        """Bytes of the log so far: what is heard now has happened before this."""
        return self.log.stat().st_size

    def __enter__(self) -> "LoggedDisk":
        make_image(self.base)
        self._image.write_bytes(self.base.read_bytes())
        self._place.touch()
        self.folder.mkdir(exist_ok=True)
        words = [sys.executable, "-m", "hil.fuse_disk", str(self._image), str(self.log), str(self._place)]
        self._server = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
        if self._server.stdout is None or self._server.stdout.readline() != b"ready\n":
            raise OSError("the logged disk is not served")
        _run("mount", "-t", "ext4", "-o", "loop,noatime", str(self._place), str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", str(self.folder), check=False)
        _run("umount", str(self._place), check=False)
        if self._server is not None:
            self._server.wait(30)


def _run(*words: str, check: bool = True) -> None:
    find_tools()
    subprocess.run(words, check=check, stderr=None if check else subprocess.DEVNULL)
