"""Reads the mirror back from its medium, a few records at a time, and checks the chain: a stick that rots is noticed.

A round over everything begins once a day. The pages that the kernel keeps are let go of first, so that the medium
answers and not the memory.
"""

import contextlib
import os
import sqlite3
from pathlib import Path

from firmware.journal.check import SELECT, link_faults, row_faults
from firmware.journal.schema import connect, file_uri
from firmware.mirror import medium

STEP = 256
ROUND_S = 86_400.0


class Damaged(Exception):
    """A copy reads back wrong. `path` is its file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path = path


class ReadBack:
    """Call `step` now and then."""

    def __init__(self, folder: Path, panel: str) -> None:
        self._folder = folder
        self._panel = panel
        self._waiting: list[Path] = []
        self._file: Path | None = None
        self._at = (0, "")
        self._next_round = 0.0
        self.rounds = 0
        self.records = 0

    def again(self) -> None:
        """Begin a new round at the next step."""
        self._file, self._waiting, self._next_round = None, [], 0.0

    def step(self, now_s: float) -> bool:
        """Check some records; False when the round is over. Raises `Damaged`, `OSError`."""
        if self._file is None and not self._waiting:
            if now_s < self._next_round:
                return False
            self._waiting = sorted(medium.journals(self._folder))
            self._next_round = now_s + ROUND_S
        if self._file is None:
            if not self._waiting:
                return False
            self._file, self._at = self._waiting.pop(0), (-1, "")
        if not self._some(self._file):
            self._file = None
            self.rounds += not self._waiting
        return self._file is not None or bool(self._waiting)

    def _some(self, path: Path) -> bool:
        _forget_pages(path)
        try:
            with contextlib.closing(connect(file_uri(path, "rw"))) as connection:
                connection.execute("PRAGMA query_only = ON")
                query = f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?"
                rows = connection.execute(query, (self._at[0], STEP)).fetchall()
                linked = bool(connection.execute("SELECT mark FROM state").fetchone()[0])
        except (sqlite3.DatabaseError, TypeError) as error:
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(str(error)) from None
            raise Damaged(path, f"it can't be read: {error}") from None
        journal = path.name.removeprefix("journal-").removesuffix(".sqlite")
        for row in rows:
            links = link_faults(row, *self._at) if linked and self._at[1] else iter(())
            for code, *_ in (*row_faults(row, self._panel, journal), *links):
                raise Damaged(path, f"record {row[0]} reads back wrong: {code}")
            self._at = (row[0], row[5])
        self.records += len(rows)
        return len(rows) == STEP


def _forget_pages(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
