"""A journal file that is no longer written, and still holds records the center has no receipt for."""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from firmware.journal.check import (
    SELECT,
    TAIL,
    header_of,
    newest_receipt,
    predecessor,
    read_base,
    read_delivered,
    read_receipts,
    read_session,
)
from firmware.journal.entries import LANES
from firmware.journal.ranges import Ranges
from firmware.journal.schema import Connect, file_uri, frozen_uri
from firmware.journal.store import Terms
from rules.effects import JsonValue

MAX_BEYOND = 1024
"""Records of one transaction at most: `recorder.BATCH` commits, and their checkpoints."""


class Volume(NamedTuple):
    """What readers need of one journal: where it is, how far it reaches, what is delivered. Immutable."""

    journal: str
    uri: str
    last: Mapping[str, int]
    delivered: Mapping[str, Ranges]
    head: int = 0
    """Number of the last durable record; only of the journal in use."""

    def undelivered(self) -> bool:
        """Whether the center misses any of it."""
        return any(self.delivered[lane].first_missing() <= self.last[lane] for lane in LANES)


class Archive:
    """The file of an older journal: its delivery ranges grow, its records don't."""

    def __init__(self, terms: Terms, path: Path, connect: Connect) -> None:
        """Read who it is. Raises `sqlite3.Error`, `OSError` or `Unsound`."""
        self._terms = terms
        self._connect = connect
        self.path = path
        self._dirty: set[str] = set()
        try:
            self.volume = self._read(file_uri(path, "rw"))
        except sqlite3.OperationalError:
            self.volume = self._read(frozen_uri(path))

    def _read(self, uri: str) -> Volume:
        with contextlib.closing(self._connect(uri)) as connection:
            keys = self._terms.older_keys()
            session = read_session(connection, keys)
            journal = str(session["journal"])
            base = read_base(connection, self._terms.panel, journal, keys)
            good, _ = read_delivered(connection, self._terms.panel, journal, keys)
            self._receipts = read_receipts(connection)
            self.before = predecessor(connection)
            last = {}
            for lane in LANES:
                found = connection.execute("SELECT max(lane_seq) FROM record WHERE lane = ?", (lane,)).fetchone()[0]
                last[lane] = int(found or (base["lanes"].get(lane, 0) if base else 0))
        return Volume(journal, uri, last, {lane: good.get(lane, Ranges()) for lane in LANES})

    def end_before(self, utc: str) -> Mapping[str, JsonValue] | None:
        """Its last record (`journal`, `seq`, `hash`) when the center holds all of it and that is older than `utc`
        (RFC 3339); else None. Raises `sqlite3.Error`."""
        if self.volume.undelivered():
            return None
        with contextlib.closing(self._connect(self.volume.uri)) as connection:
            row = connection.execute(f"{SELECT} ORDER BY seq DESC LIMIT {TAIL + 1}").fetchone()
        header = header_of(row) if row is not None else None
        if header is None or not str(header.get("time", utc)) < utc:
            return None
        return {"journal": self.volume.journal, "seq": row[0], "hash": row[5]}

    def moved(self, path: Path) -> None:
        """The file has another name now."""
        self.path = path
        self.volume = Volume(self.volume.journal, file_uri(path, "rw"), self.volume.last, self.volume.delivered)

    def deliver(self, lane: str, ranges: Iterable[tuple[int, int]]) -> None:
        """Count these as delivered; `flush` writes it. Raises `ValueError`."""
        old = self.volume
        capped = [(first, min(last, old.last[lane])) for first, last in ranges]
        added = old.delivered[lane].add(item for item in capped if item[0] <= item[1])
        self.volume = Volume(old.journal, old.uri, old.last, {**old.delivered, lane: added})
        self._dirty.add(lane)

    def ends_at(self, seq: int) -> None:
        """Its last record is `seq`, says the journal after it: what stands behind is there once more, and isn't sent.

        So it is with a commit that failed as far as anybody could tell, and was on the disk nevertheless.
        """
        uri = self.volume.uri
        with contextlib.closing(self._connect(uri)) as connection:
            beyond = connection.execute(f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (seq, MAX_BEYOND)).fetchall()
        for _, lane, lane_seq, *_ in beyond:
            self.deliver(lane, [(lane_seq, lane_seq)])

    def receipt(self, lane: str, jws: str) -> None:
        """Keep the newest receipt of a lane."""
        self._receipts[lane] = newest_receipt(self._receipts.get(lane), jws)
        self._dirty.add(lane)

    @property
    def dirty(self) -> bool:
        """Whether something waits for `flush`."""
        return bool(self._dirty)

    def flush(self) -> None:
        """Write delivery ranges and receipts. Where it can't be written they stay in memory: a resend is the worst."""
        if not self.dirty:
            return
        try:
            with contextlib.closing(self._connect(file_uri(self.path, "rw"))) as connection:
                connection.execute("BEGIN IMMEDIATE")
                for lane in self._dirty:
                    ranges, receipt = self.volume.delivered[lane], self._receipts.get(lane)
                    save_delivered(connection, self._terms, self.volume.journal, lane, ranges, receipt)
                connection.execute("COMMIT")
        except sqlite3.Error:
            return
        self._dirty.clear()


def save_delivered(
    connection: sqlite3.Connection, terms: Terms, journal: str, lane: str, ranges: Ranges, receipt: str | None
) -> None:
    """Write a lane's delivery ranges and its newest receipt, signed together; the transaction is the caller's."""
    connection.execute(
        "INSERT OR REPLACE INTO delivered (lane, jws) VALUES (?, ?)",
        (lane, terms.sign_delivered(journal, lane, ranges, receipt)),
    )
    if receipt:
        connection.execute("INSERT OR REPLACE INTO receipt (lane, jws) VALUES (?, ?)", (lane, receipt))
