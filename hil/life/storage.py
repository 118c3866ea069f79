"""A model of the storage under the real journal: files of tables that lose, at a power cut, what was not synced.

A transaction is written as a whole or not at all (SQLite's log has a checksum over each), in order: so of the
transactions that were written and not synced, any first few are there after a power cut, and all after a mere kill.
`hil.life.statements` is the connection that the journal works on; tests/hil/life/test_disk_honest.py holds it against
SQLite itself.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from firmware.journal import ballast
from firmware.journal.entries import LANES
from firmware.journal.schema import PAGE_BYTES

Row: TypeAlias = tuple[Any, ...]
"""A record as its table holds it: seq, lane, lane_seq, header, payload, hash."""
Change: TypeAlias = tuple[Callable[..., None], tuple[Any, ...]]

PLENTY = 1 << 32
SPARE_PAGES = 200
"""A disk that is full to others still holds so many pages of the journal's own at most: room within its log."""
FAILS = 0.00005
"""One commit in so many fails with an I/O error, and is there nevertheless in half of the cases."""


class Gone(BaseException):
    """The process or its power is gone in the middle of a commit: nothing may catch this but who caused it."""


@dataclass
class Tables:
    """What one file holds. Records stand without gaps, by `seq` and in each lane by `lane_seq`."""

    application: int = 0
    version: int = 0
    journal: str | None = None
    base: str | None = None
    state: Row | None = None
    delivered: dict[str, str] = field(default_factory=dict)
    receipt: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    lanes: dict[str, list[Row]] = field(default_factory=lambda: {lane: [] for lane in LANES})

    def copy(self) -> "Tables":
        """As it is now."""
        lanes = {lane: list(rows) for lane, rows in self.lanes.items()}
        return replace(
            self, delivered=dict(self.delivered), receipt=dict(self.receipt), rows=list(self.rows), lanes=lanes
        )

    def insert(self, row: Row) -> None:
        """One record more, the next."""
        lane = self.lanes[row[1]]
        if (self.rows and row[0] != self.rows[-1][0] + 1) or (lane and row[2] != lane[-1][2] + 1):
            raise sqlite3.IntegrityError(f"record {row[:3]} is not the next")
        self.rows.append(row)
        lane.append(row)

    def put(self, table: str, value: Any) -> None:
        """The one row of `journal`, `base` or `state`."""
        setattr(self, table, value)

    def put_lane(self, table: str, lane: str, jws: str) -> None:
        """A lane's row in `delivered` or `receipt`."""
        getattr(self, table)[lane] = jws

    def cut(self, seq: int) -> None:
        """Remove the front up to this record."""
        for rows in (self.rows, *self.lanes.values()):
            gone = next((place for place, row in enumerate(rows) if row[0] > seq), len(rows))
            del rows[:gone]


class File:
    """One database file: what is read in it now, and what of that a power cut may take."""

    def __init__(self, on_disk: bool) -> None:
        self.on_disk = on_disk
        self.tables = Tables()
        self.synced: Tables | None = None
        """What is surely there, where something was written since; None: all is."""
        self.unsynced: list[list[Change]] = []

    def write(self, changes: list[Change], sync: bool) -> None:
        """A transaction; `sync`: it, and all before, are durable."""
        if not sync:
            self.synced = self.synced or self.tables.copy()
            self.unsynced.append(changes)
        self._apply(changes)
        if sync:
            self.synced, self.unsynced = None, []

    def power_cut(self, random: Random) -> None:
        """Of what was not synced the first few transactions are there, or none."""
        kept = self.unsynced[: random.randint(0, len(self.unsynced))]
        if self.synced is not None:
            self.tables = self.synced
            for changes in kept:
                self._apply(changes)
        self.synced, self.unsynced = None, []

    def _apply(self, changes: list[Change]) -> None:
        for change, values in changes:
            change(self.tables, *values)


class Storage:
    """The card and the run folder of one panel, under a folder of the real machine that holds their names only."""

    def __init__(self, folder: Path, random: Random) -> None:
        self.data = folder / "data"
        self.run = folder / "run"
        self.full = False
        self.dying = False
        """The next commit is the last thing that happens: written, not synced."""
        self.fails = FAILS
        self.failures = 0
        self._random = random
        self._files: dict[bytes, File] = {}
        self._room = 0

    def open(self, path: Path) -> File:
        """The file behind a name. Raises `OSError` when there is none."""
        # By what is in it, not by its name: a name is moved by links, as on a real disk.
        token = path.read_bytes()
        if not token:
            token = b"%d" % (len(self._files) + 1)
            path.write_bytes(token)
            self._files[token] = File(self.data in path.parents)
        return self._files[token]

    def rows_after(self, uri: str, seq: int) -> list[Row]:
        """The records of the file behind an SQLite URI after this one."""
        return [row for row in self.open(path_of(uri)).tables.rows if row[0] > seq]

    def commit(self, file: File, changes: list[Change], sync: bool) -> None:
        """A transaction on a file. Raises `sqlite3.OperationalError` when the card is full or fails, `Gone`."""
        if self.dying:
            file.write(changes, sync=False)
            raise Gone
        if file.on_disk:
            if self.full:
                self.take_room(2 + len(changes))
            if self._random.random() < self.fails:
                self.failures += 1
                if self._random.random() < 0.5:
                    file.write(changes, sync=False)  # it is in the kernel's memory; its sync failed
                raise failure("disk I/O error", "SQLITE_IOERR_FSYNC", sqlite3.SQLITE_IOERR)
        file.write(changes, sync)

    def settle(self, file: File) -> None:
        """Move the log into the database: all of it is synced."""
        if self.dying:
            raise Gone
        file.synced, file.unsynced = None, []

    def take_room(self, pages: int) -> None:
        """Use up room of a full card. Raises `sqlite3.OperationalError` when there is none left."""
        need = pages * PAGE_BYTES
        if self.free(self.data) < need:
            raise failure("database or disk is full", "SQLITE_FULL", sqlite3.SQLITE_FULL)
        self._room -= need

    def free(self, folder: Path) -> int:
        """Bytes that may still be written there (`firmware.journal.ballast.Free`)."""
        if not self.full or folder != self.data:
            return PLENTY
        return self._room if (self.data / ballast.NAME).exists() else self._room + ballast.BYTES

    def fill(self, full: bool) -> None:
        """Others fill the card, or make room again."""
        if full and not self.full:
            # What the reserve file holds is free for the journal once it is given up, and not before.
            held = 0 if (self.data / ballast.NAME).exists() else ballast.BYTES
            self._room = self._random.randint(0, SPARE_PAGES) * PAGE_BYTES - held
        self.full = full

    def crash(self, power: bool) -> None:
        """Nobody has anything open any more; with `power`, what was not synced is lost, and the run folder."""
        self.dying = False
        for file in self._files.values():
            if power:
                file.power_cut(self._random)
            else:
                file.synced, file.unsynced = None, []  # the kernel writes it in its own time
        if power and self.run.exists():
            for path in self.run.iterdir():
                path.unlink()


def path_of(uri: str) -> Path:
    """The file that an SQLite URI names."""
    return Path(unquote(urlsplit(uri).path))


def failure(text: str, name: str, code: int) -> sqlite3.OperationalError:
    """An error as `sqlite3` raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname, error.sqlite_errorcode = name, code
    return error
