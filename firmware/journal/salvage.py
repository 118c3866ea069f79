"""Gets out of a broken journal file what can still be read: the state, the head, and the undelivered records.

The records go into a sound file of their own, so that delivery reads it like any other; the broken file is kept beside
it, untouched, for whoever looks into the matter.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from firmware.journal.archive import save_delivered
from firmware.journal.check import (
    SELECT,
    SESSION,
    StoredRow,
    Unsound,
    header_of,
    read_delivered,
    read_session,
    read_state,
    row_faults,
)
from firmware.journal.entries import LANES
from firmware.journal.ranges import Ranges
from firmware.journal.schema import INSERT_RECORD, Connect, create, file_uri, frozen_uri, move, remove, touch
from firmware.journal.store import Terms
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.jws import Refused
from firmware.protocol.typ import TICK

MAX_RECORDS = 200_000
"""Records looked at; the newest ones. What is older stays in the set-aside file, counted as `left`."""
MAX_FAILURES = 2_000
"""Single reads that may fail before the rest of the file is given up as unreadable."""
CHUNK = 64
SPENT = ".spent.sqlite"
MAX_SPENT = 8
"""Set-aside files that lie for whoever looks into the matter, though all that they gave is rescued."""
_ERRORS = (sqlite3.Error, Unsound, Refused, TypeError, ValueError, KeyError, AttributeError, OverflowError)


@dataclass(frozen=True)
class Salvage:
    """What a broken file gave. `head` is the last readable sound record (0 and empty when none)."""

    aside: Path
    journal: str = ""
    session: int = 0
    head: int = 0
    head_hash: str = ""
    state: bytes | None = None
    proof: str = "none"
    moment: tuple[str, int, str] = ("", 0, "")
    salvaged: int = 0
    unreadable: int = 0
    left: int = 0
    rescued: Path | None = None


def set_aside(path: Path) -> Path:
    """Move a broken journal file out of the way, under a name that no other has. Raises `OSError`."""
    name, number = f"journal-{path.stat().st_mtime_ns // 10**9}.corrupt", 1
    while any(path.parent.glob(f"{name}-{number}.*")):
        number += 1
    target = path.with_name(f"{name}-{number}.sqlite")
    move(path, target)
    return target


def keep_few(found: Salvage) -> tuple[Salvage, int]:
    """Name a set-aside file `spent` when all of it that can be read stands elsewhere too, and let only the newest
    `MAX_SPENT` of these lie; how many had to go. A file that is not spent never goes. Raises no error."""
    gone = 0
    with contextlib.suppress(OSError):
        if found.rescued is not None and not found.left:
            target = found.aside.with_suffix(SPENT)
            move(found.aside, target)
            found = replace(found, aside=target)
        spent = sorted(found.aside.parent.glob(f"journal-*.corrupt-*{SPENT}"), key=lambda p: (p.stat().st_mtime_ns, p))
        for path in spent[:-MAX_SPENT]:
            remove(path)
            gone += 1
    return found, gone


def salvage(terms: Terms, aside: Path, folder: Path, connect: Connect) -> Salvage:
    """Read what can be read of a file that was set aside; never raises for what is in it.

    Rescued records go to a new file in `folder`; where that can't be written they stay in the set-aside file.
    """
    found = Salvage(aside)
    try:
        connection = connect(frozen_uri(aside))
    except sqlite3.Error:
        return found
    with contextlib.closing(connection):
        found = _identity(connection, terms, found)
        found = _state(connection, terms, found)
        try:
            return _records(connection, terms, found, folder, connect)
        except (OSError, *_ERRORS):
            return found


def _identity(connection: sqlite3.Connection, terms: Terms, found: Salvage) -> Salvage:
    with contextlib.suppress(*_ERRORS):
        session = read_session(connection, terms.keys())
        if session["panel"] == terms.panel:
            return replace(found, journal=str(session["journal"]), session=int(session["session"]))
    with contextlib.suppress(*_ERRORS):
        for row in connection.execute(f"{SELECT} LIMIT 1"):
            header = header_of(row) or {}
            if header.get("panel") == terms.panel:
                return replace(found, journal=str(header["journal"]))
    return found


def _state(connection: sqlite3.Connection, terms: Terms, found: Salvage) -> Salvage:
    try:
        row = read_state(connection)
    except _ERRORS:
        return found
    if sha256_hex(row.state) != row.state_hash or not (found.journal and row.state):
        return found
    with contextlib.suppress(*_ERRORS):
        tick = terms.keys().verify(TICK, row.tick or "")
        if (tick["panel"], tick["journal"], tick["state_hash"]) == (terms.panel, found.journal, row.state_hash):
            moment = (str(tick["boot"]), int(tick["monotonic_ms"]), row.utc)
            return replace(found, state=row.state, proof="proven", moment=moment)
    sound = 0
    for near in range(row.seq + 1, row.seq - CHUNK, -1):
        record = _one(connection, near)
        if record is None or [*row_faults(record, terms.panel, found.journal)]:
            continue
        sound += 1
        header = header_of(record) or {}
        if header.get("state_hash") == row.state_hash:
            moment = (str(header["boot"]), int(header["monotonic_ms"]), str(header["time"]))
            return replace(found, state=row.state, proof="proven", moment=moment)
    if sound:
        return found
    return replace(found, state=row.state, proof="unproven", moment=(row.boot, row.monotonic_ms, row.utc))


def _one(connection: sqlite3.Connection, seq: int) -> StoredRow | None:
    try:
        row: StoredRow | None = connection.execute(f"{SELECT} WHERE seq = ?", (seq,)).fetchone()
    except _ERRORS:
        return None
    return row


def _bounds(connection: sqlite3.Connection, delivered: dict[str, Ranges]) -> tuple[int, int]:
    """The lowest and highest `seq` worth looking at: from the first undelivered record on, as far as it can be told.

    The newest record is always looked at: the next journal begins with its hash, so that the two are linked.
    """
    highs = [0]
    for query in ("SELECT max(seq) FROM record", "SELECT seq FROM state WHERE id = 1"):
        with contextlib.suppress(*_ERRORS):
            highs.append(int(connection.execute(query).fetchone()[0] or 0))
    lows = []
    for lane in LANES:
        first = delivered.get(lane, Ranges()).first_missing()
        query = "SELECT seq FROM record WHERE lane = ? AND lane_seq >= ? ORDER BY lane_seq LIMIT 1"
        try:
            row = connection.execute(query, (lane, first)).fetchone()
        except _ERRORS:
            return 1, min(max(highs), 2**53)
        if row is not None:
            lows.append(int(row[0]))
    return max(1, min([*lows, max(highs)])), min(max(highs), 2**53)


def _read(connection: sqlite3.Connection, low: int, high: int) -> Iterator[tuple[int, StoredRow | None]]:
    """Each number from high to low with its row, or None where it can't be read. Newest first."""
    failures = 0
    at = high
    while at >= low:
        start = max(low, at - CHUNK + 1)
        rows: dict[int, StoredRow] = {}
        with contextlib.suppress(sqlite3.Error):
            for row in connection.execute(f"{SELECT} WHERE seq BETWEEN ? AND ?", (start, at)):
                rows[row[0]] = row
        # A broken page may end a walk over its neighbours with or without an error: ask for each that is missing.
        for seq in range(start, at + 1):
            if seq not in rows and failures <= MAX_FAILURES:
                found = _one(connection, seq)
                failures += found is None
                if found is not None:
                    rows[seq] = found
        for seq in range(at, start - 1, -1):
            yield seq, rows.get(seq)
        at = start - 1


def _records(connection: sqlite3.Connection, terms: Terms, found: Salvage, folder: Path, connect: Connect) -> Salvage:
    if not found.journal:
        return found
    try:
        delivered, _ = read_delivered(connection, terms.panel, found.journal, terms.keys())
    except _ERRORS:
        delivered = {}
    low, high = _bounds(connection, delivered)
    start = max(low, high - MAX_RECORDS + 1)
    good: list[StoredRow] = []
    for _, row in _read(connection, start, high):
        if row is not None and row[1] in LANES and not [*row_faults(row, terms.panel, found.journal)]:
            good.append(row)
    counted = replace(found, salvaged=len(good), unreadable=max(0, high - start + 1 - len(good)), left=start - low)
    if not good:
        return counted
    counted = replace(counted, head=good[0][0], head_hash=good[0][5])
    rescued = folder / f"journal-{found.journal}.sqlite"
    if rescued.exists():
        rescued = folder / f"journal-{found.journal}.{found.aside.stem.rpartition('-')[2]}.sqlite"
    try:
        _write(terms, counted, good[::-1], delivered, rescued, connect)
    except (sqlite3.Error, OSError):
        return replace(counted, salvaged=0, left=counted.left + len(good))
    return replace(counted, rescued=rescued)


def _write(
    terms: Terms,
    found: Salvage,
    rows: list[StoredRow],
    delivered: dict[str, Ranges],
    target: Path,
    connect: Connect,
) -> None:
    part = target.with_suffix(".part")
    remove(part)
    touch(part)
    try:
        with contextlib.closing(connect(file_uri(part, "rw"))) as connection:
            connection.execute("BEGIN IMMEDIATE")
            create(connection)
            line = {"panel": terms.panel, "journal": found.journal, "session": found.session, "salvaged": True}
            connection.execute("INSERT INTO journal (id, jws) VALUES (1, ?)", (terms.signer.sign(SESSION, line),))
            connection.executemany(INSERT_RECORD, rows)
            for lane in LANES:
                present = [row[2] for row in rows if row[1] == lane]
                # What is not here can't be sent: it must not hold up the delivery of what is.
                absent = Ranges().add((n, n) for n in present).gaps(1, max(present, default=1))
                covered = delivered.get(lane, Ranges()).add(absent if present else [])
                save_delivered(connection, terms, found.journal, lane, covered, None)
            connection.execute("COMMIT")
        part.rename(target)
    except BaseException:
        remove(part)
        raise
