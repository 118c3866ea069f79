"""The SQLite file of a journal: its tables, how it is opened, and the names of the files beside it."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from firmware.durable import sync_folder

APPLICATION_ID = 0x46484A31
"""`FHJ1`: what `file` and a curious engineer see in the SQLite header."""
FORMAT = 1
PAGE_BYTES = 2048
"""Small pages: whole pages are what a commit writes, what wears a card, and what is lost with a bad block."""
LOG_BYTES = 4 * 1024 * 1024
"""The write-ahead log is moved into the database at this size: SQLite's own 1000 pages, in bytes of its usual page."""

NAME = "journal.sqlite"
COMING = "journal.next.sqlite"
"""A complete journal that is about to take the main place."""
Connect: TypeAlias = Callable[[str], sqlite3.Connection]

TABLES = """
CREATE TABLE journal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    jws TEXT NOT NULL
) STRICT;
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    lane_seq INTEGER NOT NULL,
    header BLOB NOT NULL,
    payload BLOB,
    hash TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_lane ON record (lane, lane_seq);
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    boot TEXT NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    utc TEXT NOT NULL,
    state BLOB NOT NULL,
    state_hash TEXT NOT NULL,
    tick TEXT,
    mark TEXT NOT NULL
) STRICT;
CREATE TABLE delivered (lane TEXT PRIMARY KEY, jws TEXT NOT NULL) STRICT;
CREATE TABLE base (id INTEGER PRIMARY KEY CHECK (id = 1), jws TEXT NOT NULL) STRICT;
CREATE TABLE receipt (lane TEXT PRIMARY KEY, jws TEXT NOT NULL) STRICT;
"""

INSERT_RECORD = "INSERT INTO record (seq, lane, lane_seq, header, payload, hash) VALUES (?, ?, ?, ?, ?, ?)"
# One record and the state after it, as one statement that is a transaction by itself: a step's usual commit. The
# trigger lives in the connection only, so the file stays plain tables.
COMMIT_ONE = "INSERT INTO temp.step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STEP = """
CREATE TEMP VIEW step AS SELECT
    0 AS seq, 0 AS lane, 0 AS lane_seq, 0 AS header, 0 AS payload, 0 AS hash,
    0 AS s_seq, 0 AS boot, 0 AS monotonic_ms, 0 AS utc, 0 AS state, 0 AS state_hash, 0 AS tick, 0 AS mark;
CREATE TEMP TRIGGER step INSTEAD OF INSERT ON step BEGIN
    INSERT INTO record (seq, lane, lane_seq, header, payload, hash)
        VALUES (NEW.seq, NEW.lane, NEW.lane_seq, NEW.header, NEW.payload, NEW.hash);
    UPDATE state SET seq = NEW.s_seq, boot = NEW.boot, monotonic_ms = NEW.monotonic_ms, utc = NEW.utc,
        state = NEW.state, state_hash = NEW.state_hash, tick = NEW.tick, mark = NEW.mark WHERE id = 1;
END;
"""
SAVE_STATE = (
    "UPDATE state SET seq = ?, boot = ?, monotonic_ms = ?, utc = ?, state = ?, state_hash = ?, tick = ?, mark = ?"
    " WHERE id = 1"
)


def connect(uri: str) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are begun by hand. Waits 5 s for a lock at most."""
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
    # A broken text must read as a wrong one, which the hashes find, instead of ending the whole query.
    connection.text_factory = _text
    if "vfs=unix-none" in uri:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def file_uri(path: Path, mode: str = "rwc") -> str:
    """The SQLite URI of a file; `mode` is `ro`, `rw` or `rwc`."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def frozen_uri(path: Path) -> str:
    """The URI that reads a file *and its log* without a lock, a write or a new file: also on a read-only disk.

    Only for a file that no connection of this process has open, and that nobody writes.
    """
    log = companions(path)[1]
    # Without a log SQLite would want to make one; with one, `immutable` would not read it.
    how = "vfs=unix-none" if log.exists() and log.stat().st_size else "immutable=1"
    return f"{path.absolute().as_uri()}?mode=ro&{how}"


def prepare_writer(connection: sqlite3.Connection) -> None:
    """Full durability, and what keeps the file whole."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_BYTES // PAGE_BYTES}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    connection.execute("PRAGMA trusted_schema = OFF")


def prepare_step(connection: sqlite3.Connection) -> None:
    """Make `COMMIT_ONE` possible; the tables must be there. Touches no file."""
    connection.execute("PRAGMA temp_store = MEMORY")
    view, trigger = _STEP.split(";\n", 1)
    connection.execute(view)
    connection.execute(trigger)


def create(connection: sqlite3.Connection) -> None:
    """Lay the tables into an empty file. Must run inside a transaction of the caller."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    for statement in TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO state VALUES (1, 0, '', 0, '', x'', '', NULL, '')")


def touch(path: Path) -> None:
    """Create the file for its owner only (0600), and make its name durable."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    sync_folder(path.parent)


def companions(path: Path) -> tuple[Path, Path, Path]:
    """A database file with its write-ahead log and its index of it."""
    return path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def move(source: Path, target: Path) -> None:
    """Rename a database with its log. Cut short at any point, `finish_moves` completes it.

    By links: while both names stand they are the same file, so a log is never parted from its database.
    """
    for old, new in zip(companions(source)[1::-1], companions(target)[1::-1], strict=True):
        if old.exists():
            new.unlink(missing_ok=True)
            new.hardlink_to(old)
    sync_folder(target.parent)
    remove(source)


def finish_moves(folder: Path) -> None:
    """Complete a `move` of the journal that a power cut interrupted, and drop a log without its database."""
    main, log, index = companions(folder / NAME)
    coming = folder / COMING
    if main.exists() and coming.exists() and main.samefile(coming):
        remove(coming)
    for other in folder.glob("journal-*.sqlite"):
        if main.exists() and main.samefile(other):
            main.unlink()
    if not main.exists():
        log.unlink(missing_ok=True)
        index.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a database with its log."""
    for file in companions(path):
        file.unlink(missing_ok=True)
    sync_folder(path.parent)
