"""Keeps a mirror: looks whose medium it is, copies what has changed, reads back what lies there. One turn at a time.

Every failure is a code and a text for core, and the next turn begins anew: a stick that is pulled and put back, or
another one in its place, is found as it is and caught up.
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware.journal.former import FOLDER, MAX_KEYS
from firmware.journal.schema import NAME, companions, connect, file_uri
from firmware.mirror import medium
from firmware.mirror.copying import BrokenSource, Diverged, copy
from firmware.mirror.medium import BadMedium
from firmware.mirror.reading_back import Damaged, ReadBack
from firmware.mirror.words import Setup

NEARLY_FULL_MIB = 8
MAX_ASIDE = 4
"""Copies that were set aside (damaged, or of a journal that went another way) and lie for whoever looks into it."""
_NO_JOURNAL = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Mirror:
    """See the module. For one thread; any call may wait for the medium as long as that takes."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._folder = Path(setup.folder)
        self._seen: dict[Path, tuple[object, ...]] = {}
        self._place: tuple[int, int] | None = None
        self._read_back = ReadBack(self._folder, setup.panel)
        self._damage = ""
        self._clean_round = 0
        self.records = 0

    @property
    def checked(self) -> int:
        """Records read back."""
        return self._read_back.records

    def free_mib(self) -> int:
        """What is free on the medium; -1 unknown."""
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return -1
        return found.f_bavail * found.f_frsize // 2**20

    def turn(self, now_s: float, alive: Callable[[], None]) -> tuple[str, str]:
        """Copy what is new and read some back; a code and a text of what is wrong, both empty when all is well."""
        try:
            return self._turn(now_s, alive)
        except (BadMedium, Diverged, Damaged, BrokenSource, OSError, sqlite3.Error) as error:
            self._seen.clear()
            code, text = _said(error)
            # SQLite has many words for it: its log, its index or the file itself found no room.
            full = isinstance(error, OSError | sqlite3.Error) and self.free_mib() == 0
            return ("full" if full else code), text

    def _turn(self, now_s: float, alive: Callable[[], None]) -> tuple[str, str]:
        self._look_at_medium()
        self._files()
        for source in self._sources():
            sign = _sign(source)
            if self._seen.get(source) != sign:
                self._copy(source, alive)
                self._seen[source] = sign
        self._check(now_s)
        if self._damage:
            return "damaged", self._damage
        free = self.free_mib()
        return ("nearly-full", f"{free} MiB free") if 0 <= free < NEARLY_FULL_MIB else ("", "")

    def _look_at_medium(self) -> None:
        if self._setup.second and medium.device_of(self._folder) == medium.device_of(Path(self._setup.data)):
            raise BadMedium("missing", f"no other medium is mounted at {self._folder}")
        medium.claim(self._folder, self._setup.panel)
        found = self._folder.stat()
        if self._place != (found.st_dev, found.st_ino):
            self._place = (found.st_dev, found.st_ino)
            self._seen.clear()
            self._read_back.again()

    def _files(self) -> None:
        medium.put(self._folder / medium.PUBLIC_KEY, self._setup.key.encode())
        for key in sorted(Path(self._setup.data).glob(f"keys/{FOLDER}/*.jwk"))[:MAX_KEYS]:
            medium.put(self._folder / medium.PUBLIC_KEY.parent / FOLDER / key.name, key.read_bytes())
        # The file that is in force; one that was edited since and not installed is none.
        with contextlib.suppress(FileNotFoundError):
            file = Path(self._setup.file).read_bytes()
            if hashlib.sha256(file).hexdigest() == self._setup.file_sha256:
                medium.put(self._folder / medium.PANEL_FILE, file)

    def _sources(self) -> Iterator[Path]:
        """The panel's journals: the one in use first, wherever it is."""
        folders = [Path(self._setup.data), Path(self._setup.run)]
        yield from (folder / NAME for folder in folders[::-1] if (folder / NAME).exists())
        for folder in folders:
            yield from sorted(p for p in folder.glob("journal-*.sqlite") if ".corrupt-" not in p.name)

    def _copy(self, source: Path, alive: Callable[[], None]) -> None:
        try:
            _, count = copy(source, self._folder, self._setup.panel, alive)
        except Diverged as diverged:
            self._set_aside(diverged.path, "diverged")
            raise
        except sqlite3.Error as error:
            # The source's own errors are `BrokenSource`: this is the copy's.
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _NO_JOURNAL:
                self._read_back.again()
                self._throw_out_unreadable()
            raise
        self.records += count

    def _throw_out_unreadable(self) -> None:
        for path in list(medium.journals(self._folder)):
            with contextlib.suppress(OSError, Damaged), contextlib.closing(connect(file_uri(path, "rw"))) as connection:
                try:
                    connection.execute("PRAGMA quick_check(1)").fetchone()
                except sqlite3.DatabaseError as error:
                    self._damaged(path, str(error))

    def _check(self, now_s: float) -> None:
        try:
            self._read_back.step(now_s)
        except Damaged as damaged:
            self._damaged(damaged.path, str(damaged))
            raise
        if self._damage and self._read_back.rounds > self._clean_round:
            self._damage = ""

    def _damaged(self, path: Path, text: str) -> None:
        """Set the copy aside; it is made anew, and believed when it was read back whole."""
        self._set_aside(path, "damaged")
        self._damage = f"{path.name}: {text}"
        self._seen.clear()
        self._read_back.again()
        self._clean_round = self._read_back.rounds

    def _set_aside(self, path: Path, why: str) -> None:
        number = 1
        while (target := path.with_name(f"aside-{path.stem}.{why}-{number}.sqlite")).exists():
            number += 1
        for old, new in zip(companions(path)[:2], companions(target)[:2], strict=True):
            if old.exists():
                old.replace(new)
        companions(path)[2].unlink(missing_ok=True)
        aside = sorted(self._folder.glob("aside-*.sqlite"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
        for old in aside[MAX_ASIDE:]:
            medium.drop(old)


def _sign(source: Path) -> tuple[object, ...]:
    """Changes whenever something was written to the journal."""
    found: list[object] = []
    for path in companions(source)[:2]:
        with contextlib.suppress(FileNotFoundError):
            stat = path.stat()
            found += [stat.st_ino, stat.st_size, stat.st_mtime_ns]
    return tuple(found)


def _said(error: Exception) -> tuple[str, str]:
    match error:
        case BadMedium():
            return error.code, str(error).partition(": ")[2]
        case Diverged():
            return "diverged", str(error)
        case Damaged():
            return "damaged", str(error)
        case BrokenSource():
            return "journal", str(error)
        case _:
            from firmware.journal.opening import describe

            code, _, text = describe(error).partition(": ")
            return code, text
