"""The evidence folder: pictures of alarms on disk, written once, whole, and never again.

`YYYY-MM-DD/INCIDENT-CAMERA/NNN.jpg`, a folder of its own for each capture. A file appears under its name only when its
bytes are on the medium. A part of the medium is left to the journal: evidence never fills it.
"""

import contextlib
import errno
import hashlib
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from firmware.durable import sync_folder

FILE_MODE = 0o640
FOLDER_MODE = 0o750
MAX_RESERVE = 256 * 1024 * 1024
RESERVE_PART = 20
"""A twentieth of the medium is left free, at most `MAX_RESERVE` bytes."""
MAX_FOLDERS = 1000
"""Captures of one incident by one camera."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Saved:
    """A file of the store: its path inside the evidence folder, its SHA-256 and length."""

    file: str
    sha256: str
    bytes: int


class Store:
    """The evidence folder; everything here raises `OSError` when the medium is full, gone or read-only."""

    def __init__(self, folder: Path, reserve: int | None = None, budget: int | None = None) -> None:
        """`reserve`: bytes to leave free, by default a twentieth of the medium up to 256 MiB.

        `budget`: bytes to write on one day before captures are thinned; None for any number.
        """
        self._folder = folder
        self._reserve = reserve
        self._budget = budget
        self._written: dict[str, int] = {}
        self._lock = threading.Lock()

    def spent(self, day: str, bytes_: int) -> None:
        """So much of this day lies on the card, written by this process or the one before it."""
        with self._lock:
            self._written = {day: max(bytes_, self._written.get(day, 0))}

    def wrote(self, day: str, bytes_: int) -> None:
        """A file more."""
        with self._lock:
            self._written = {day: self._written.get(day, 0) + bytes_}

    def over_budget(self, day: str) -> bool:
        """Whether the card has been written to enough on this day."""
        with self._lock:
            return self._budget is not None and self._written.get(day, 0) >= self._budget

    def room(self) -> tuple[int, int]:
        """Bytes that are free, and how many of them are left to the journal. Raises `OSError`."""
        # Nothing may be there yet: core makes the data folder.
        place = next(folder for folder in (self._folder, *self._folder.absolute().parents) if folder.exists())
        medium = os.statvfs(place)
        whole, free = medium.f_blocks * medium.f_frsize, medium.f_bavail * medium.f_frsize
        return free, min(MAX_RESERVE, whole // RESERVE_PART) if self._reserve is None else self._reserve

    def begin(self, day: str, incident: int, camera: str) -> "Folder":
        """A new, empty folder for one capture; `day` is `YYYY-MM-DD`."""
        if not _DAY.fullmatch(day):
            raise OSError(errno.EINVAL, f"day: found {day!r}, expected YYYY-MM-DD")
        # Core makes the data folder, but may not have come so far.
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        _make(self._folder)
        _make(self._folder / day)
        stem = f"{day}/{incident:06d}-{camera}"
        for number in range(1, MAX_FOLDERS + 1):
            name = stem if number == 1 else f"{stem}_{number}"
            with contextlib.suppress(FileExistsError):
                _make(self._folder / name, fresh=True)
                return Folder(self, self._folder / name, name)
        raise OSError(errno.EMLINK, f"{stem}: more than {MAX_FOLDERS} captures")

    def room_for(self, size: int, last: bool = False) -> None:
        """Raise `OSError` when a file of this size would eat into what is left to the journal.

        `last`: a manifest, which may take half of that, so that a full card still says what is on it.
        """
        free, reserve = self.room()
        reserve = reserve // 2 if last else reserve
        if free - size < reserve:
            raise OSError(errno.ENOSPC, f"{free // 2**20} MiB free, {reserve // 2**20} MiB are the journal's")


class Folder:
    """Where one capture saves its pictures."""

    def __init__(self, store: Store, path: Path, name: str) -> None:
        self.name = name
        self._store = store
        self._path = path

    def save(self, name: str, data: bytes, last: bool = False) -> Saved:
        """Write a file: durable when this returns (its name, after `settle`). Never replaces one.

        `last`: it is the manifest (`Store.room_for`).
        """
        self._store.room_for(len(data), last)
        part = self._path / f".{name}.part"
        try:
            _write(part, data)
            os.link(part, self._path / name)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
        self._store.wrote(self.name[:10], len(data))
        return Saved(f"{self.name}/{name}", hashlib.sha256(data).hexdigest(), len(data))

    def settle(self) -> None:
        """Make the names durable too; before anyone is told of them."""
        sync_folder(self._path)


def _write(path: Path, data: bytes) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(number, "wb") as file:
        # Not left to the umask: the uplink's group must be able to read.
        os.fchmod(number, FILE_MODE)
        file.write(data)
        file.flush()
        os.fsync(number)


def _make(folder: Path, fresh: bool = False) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        if fresh:
            raise
        return
    folder.chmod(FOLDER_MODE)
    sync_folder(folder.parent)
