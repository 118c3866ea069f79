"""One journal file, copied onto the mirror: from where the copy ends to where the source stands, in one transaction.

So a copy is at every moment a journal as core left it, with the state that belongs to its last record, and a power cut
or a stick pulled in the middle leaves the copy of before. While the medium is written nothing of the source is held:
it never waits for the stick, however slow that is.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from firmware.journal.check import SELECT, StoredRow, header_of, link_faults, row_faults
from firmware.journal.schema import INSERT_RECORD, companions, connect, create, file_uri, frozen_uri
from firmware.mirror import medium
from firmware.protocol.stored import GENESIS

CHUNK = 128
"""Records read at once: with the longest payloads 16 MiB."""
PART = 32 * CHUNK
LOG_PAGES = 1000


class Diverged(Exception):
    """The copy, the file `path`, is not a beginning of the source. The text says where."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path = path


class _Ahead(Exception):
    pass


class BrokenSource(Exception):
    """The source can't be read, or has a record that is not whole; the copy ends before it."""


class _Rest(NamedTuple):
    """All but the records, as it stood when the last of them was read."""

    journal: list[tuple[Any, ...]]
    state: list[tuple[Any, ...]]
    delivered: list[tuple[Any, ...]]
    base: list[tuple[Any, ...]]
    receipt: list[tuple[Any, ...]]


class Source:
    """The journal that is copied, read beside a writer that lives or not: never written, never locked against it."""

    def __init__(self, path: Path) -> None:
        """Raises `BrokenSource`."""
        self._connection: sqlite3.Connection | None = None
        lives = companions(path)[2].exists()
        try:
            # Only to read: the last writer of a file tidies up at its end, and that must never be the mirror.
            self._connection = connect(file_uri(path, "ro") if lives else frozen_uri(path))
        except sqlite3.Error as error:
            raise BrokenSource(f"{path.name}: {error}") from None
        self._name = path.name

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows. Raises `BrokenSource`."""
        assert self._connection is not None  # noqa: S101
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise BrokenSource(f"{self._name}: {error}") from None

    def close(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            self._connection.close()


def copy(source: Path, folder: Path, panel: str, alive: Callable[[], None]) -> tuple[Path, int]:
    """Bring the copy of `source` in the mirror `folder` up to date; the copy, and how many records came.

    `alive` is called between pieces. Raises `Diverged`, `BrokenSource`; `sqlite3.Error` and `OSError` of the mirror.
    """
    with contextlib.closing(Source(source)) as reading:
        journal, linked = _identity(reading)
        target = folder / f"journal-{journal}.sqlite"
        fresh = not target.exists()
        part = target.with_name(target.name + ".part") if fresh else target
        if fresh:
            medium.drop(part)
            part.touch(mode=0o600)
        with contextlib.closing(connect(file_uri(part, "rw"))) as writing:
            _prepare(writing)
            writing.execute("BEGIN IMMEDIATE")
            try:
                if fresh:
                    create(writing)
                count = _transfer(reading, writing, panel, journal if linked else "", fresh, alive)
                writing.execute("COMMIT")
                if fresh:  # the log stays behind when the file gets its name
                    _settle(writing)
            except _Ahead as ahead:
                raise Diverged(target, str(ahead)) from None
            finally:
                with contextlib.suppress(sqlite3.Error):
                    writing.execute("ROLLBACK")
    if fresh:
        part.replace(target)
        medium.sync(folder)
    return target, count


def _identity(reading: Source) -> tuple[str, bool]:
    """The journal's id, and whether its records follow each other without gaps (those of a rescued one need not)."""
    first = reading.ask(f"{SELECT} ORDER BY seq LIMIT 1")
    if not first:
        raise BrokenSource("it has no record at all")
    journal = (header_of(first[0]) or {}).get("journal")
    try:
        uuid = UUID(str(journal))  # it becomes a file's name
    except ValueError:
        raise BrokenSource(f"a header's journal is {str(journal)[:60]!r}, expected a UUID") from None
    return str(uuid), any(mark for (mark,) in reading.ask("SELECT mark FROM state WHERE id = 1"))


def _prepare(writing: sqlite3.Connection) -> None:
    writing.execute("PRAGMA page_size = 2048")
    writing.execute("PRAGMA journal_mode = WAL")
    writing.execute("PRAGMA synchronous = FULL")
    writing.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")


def _settle(writing: sqlite3.Connection) -> None:
    busy, *_ = writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("the copy's log can't be moved into it")


def _transfer(
    reading: Source,
    writing: sqlite3.Connection,
    panel: str,
    journal: str,
    fresh: bool,
    alive: Callable[[], None],
) -> int:
    """`journal` is empty where records need not follow each other. A `fresh` file has no name yet: it is committed in
    parts, so that no single call writes all of a long journal to a slow medium."""
    at = _meeting(reading, writing)
    count = 0
    while True:
        alive()
        rows, rest = _piece(reading, at[0])
        for row in rows:
            if journal:
                _check(row, at, panel, journal)
            at = (row[0], row[5])
        writing.executemany(INSERT_RECORD, rows)
        count += len(rows)
        if fresh and count % PART < CHUNK:
            writing.execute("COMMIT")
            writing.execute("BEGIN IMMEDIATE")
        if rest is not None:
            _put_rest(writing, rest)
            alive()
            return count


def _meeting(reading: Source, writing: sqlite3.Connection) -> tuple[int, str]:
    """The record after which to go on: the copy's last. What the source has removed from its front goes here too."""
    ((first, end),) = reading.ask("SELECT min(seq), max(seq) FROM record")
    writing.execute("DELETE FROM record WHERE seq < ?", (first,))
    last = writing.execute("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1").fetchone()
    if last is None:
        return first - 1, "" if first > 1 else GENESIS
    if reading.ask("SELECT hash FROM record WHERE seq = ?", last[0]) != [(last[1],)]:
        raise _Ahead(f"the mirror holds a record {last[0]} that the panel has not: it ends at {end}")
    return int(last[0]), str(last[1])


def _check(row: StoredRow, before: tuple[int, str], panel: str, journal: str) -> None:
    """Nothing broken goes onto the mirror. Behind a base nobody here knows the record before; `verify` does."""
    links = link_faults(row, *before) if before[1] else iter(())
    for code, found, expected in (*row_faults(row, panel, journal), *links):
        raise BrokenSource(f"record {row[0]}: {code}: found {found[:40]}, expected {expected[:40]}")


def _piece(reading: Source, after: int) -> tuple[list[StoredRow], _Rest | None]:
    """The next records, and, where they are the last ones, all else as of the same moment."""
    reading.ask("BEGIN")
    rows: list[StoredRow] = reading.ask(f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", after, CHUNK)
    rest = None
    if len(rows) < CHUNK:
        rest = _Rest(*(reading.ask(f"SELECT * FROM {table}") for table in _Rest._fields))  # noqa: S608
    reading.ask("ROLLBACK")
    return rows, rest


def _put_rest(writing: sqlite3.Connection, rest: _Rest) -> None:
    for table, rows in rest._asdict().items():
        known = writing.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        if known == rows:
            continue
        writing.execute(f"DELETE FROM {table}")  # noqa: S608
        if rows:
            places = ", ".join("?" * len(rows[0]))
            writing.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608
