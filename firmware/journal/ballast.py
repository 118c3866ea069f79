"""A file that only takes up room: given up first when the disk is full, so that a disarm can still be made durable."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from firmware.durable import sync_folder

NAME = "ballast"
Free: TypeAlias = Callable[[Path], int]
"""Bytes that may still be written in a folder. Raises `OSError`."""
BYTES = 256 * 1024
MARGIN_BYTES = 1024 * 1024
"""Free bytes that must be there, beside the ballast itself, before it is taken up again."""


def free_bytes(folder: Path) -> int:
    """Bytes that this process may still write there. Raises `OSError`."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def take_up(folder: Path, free: Free = free_bytes) -> bool:
    """Have the ballast in place; False when there is no room for it. Raises no error."""
    path = folder / NAME
    try:
        if path.exists() and path.stat().st_size >= BYTES:
            return True
        if free(folder) < BYTES:
            return False
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError:
        return False
    return True


def give_up(folder: Path) -> bool:
    """Delete the ballast; whether there was one. Raises no error."""
    try:
        (folder / NAME).unlink()
        sync_folder(folder)
    except OSError:
        return False
    return True


def roomy(folder: Path, free: Free = free_bytes) -> bool:
    """Whether there is room for the ballast and a margin again, or the ballast lies there already."""
    try:
        return (folder / NAME).exists() or free(folder) >= BYTES + MARGIN_BYTES
    except OSError:
        return False
