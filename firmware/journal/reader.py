"""Reading the journals for delivery and for `journal tail`, from a thread of its own, up to the durable mark."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import TypeAlias

from firmware.journal.archive import Volume
from firmware.journal.entries import LANES
from firmware.journal.schema import Connect
from firmware.protocol.messages import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, JournalHead
from firmware.protocol.stored import StoredRecord

COLUMNS = "SELECT seq, lane, lane_seq, header, payload, hash FROM record"


Row: TypeAlias = tuple[int, str, int, bytes, bytes | None, str]

PIECE = 256
MAX_PIECES = 16
"""Pieces that one pull looks at: a broken stretch can't keep it for long, and `next` says where to go on."""


class Reader:
    """A view of all journals that hold undelivered records. For one thread at a time.

    A record that SQLite can't read is passed over and counted in `unreadable`: one bad page must not stop the rest.
    """

    def __init__(
        self, shelf: Callable[[], tuple[Volume, ...]], connect: Connect, broken: Callable[[str], object]
    ) -> None:
        """For `Journal.reader`. `broken` hears of a journal in which a record can't be found that must be there."""
        self._broken = broken
        self._shelf = shelf
        self._connect = connect
        self._connections: dict[tuple[str, str], sqlite3.Connection] = {}
        self.unreadable = 0

    def heads(self) -> list[JournalHead]:
        """How far each journal reaches, the one in use last. Touches no disk."""
        return [
            JournalHead(
                journal=volume.journal,
                last=dict(volume.last),
                first_undelivered={
                    lane: min(volume.delivered[lane].first_missing(), volume.last[lane] + 1) for lane in LANES
                },
            )
            for volume in self._shelf()
        ]

    def pull(
        self,
        journal: str,
        lane: str,
        first: int,
        last: int,
        limit: int = MAX_BATCH_RECORDS,
        max_bytes: int = MAX_BATCH_BYTES,
        again: bool = False,
    ) -> tuple[list[StoredRecord], int]:
        """The undelivered durable records with first ≤ lane_seq ≤ last, lowest first, and the number to go on with.

        `again`: the delivered ones too.
        At least one record when there is one, then as many as fit `limit` and `max_bytes`. The number is one above the
        lower of `last` and the durable head when nothing is left. Nothing for an unknown journal or lane.
        """
        volume = self._find(journal)
        if volume is None or lane not in volume.last:
            return [], last + 1
        end = min(last, volume.last[lane])
        records: list[StoredRecord] = []
        size = 0
        first = max(1, first)
        wanted = [(first, end)] if again and first <= end else volume.delivered[lane].gaps(first, end)
        for turn, (low, high) in enumerate(_pieces(wanted)):
            if turn >= MAX_PIECES:
                return records, low
            for record in self._range(volume, lane, low, high, limit - len(records)):
                size += record.size()
                if records and size > max_bytes:
                    return records, record.lane_seq
                records.append(record)
            if len(records) >= limit:
                return records, records[-1].lane_seq + 1
        return records, max(end + 1, first)

    def hash_of(self, journal: str, lane: str, lane_seq: int) -> str | None:
        """The hash of a durable record, None when it is not here."""
        volume = self._find(journal)
        if volume is None or lane_seq > volume.last.get(lane, 0):
            return None
        query = "SELECT hash FROM record WHERE lane = ? AND lane_seq = ?"
        rows = self._query(volume, query, (lane, lane_seq))
        return str(rows[0][0]) if rows else None

    def after(self, seq: int, limit: int = MAX_BATCH_RECORDS) -> list[StoredRecord]:
        """Durable records of the journal in use after `seq`, lowest first."""
        volume = self._shelf()[-1]
        rows = self._query(volume, f"{COLUMNS} WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
        if rows is None:
            rows = []
            for number in range(seq + 1, min(volume.head, seq + PIECE * MAX_PIECES) + 1):
                found = self._query(volume, f"{COLUMNS} WHERE seq = ?", (number,))
                rows += found or []
                self.unreadable += found is None
                if len(rows) >= limit:
                    break
        return [StoredRecord(*row) for row in rows if row[0] <= volume.head]

    def at(self, journal: str, seq: int) -> StoredRecord | None:
        """A durable record by its place, None when it is not here or can't be read."""
        volume = self._find(journal)
        if volume is None or seq > volume.head:
            return None
        rows = self._query(volume, f"{COLUMNS} WHERE seq = ?", (seq,))
        return StoredRecord(*rows[0]) if rows else None

    def newest_sure(self) -> str:
        """The newest time at which a record was made with a synchronised clock; empty where none is near the end."""
        mark = b'"clock":"synchronised"'
        query = f"{COLUMNS} WHERE seq > ? AND instr(header, ?) ORDER BY seq DESC LIMIT 1"
        for volume in reversed(self._shelf()):
            if rows := self._query(volume, query, (volume.head - PIECE * MAX_PIECES, mark)):
                return str(json.loads(rows[0][3])["time"])
        return ""

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _find(self, journal: str) -> Volume | None:
        return next((v for v in self._shelf() if v.journal == journal), None)

    def _range(self, volume: Volume, lane: str, low: int, high: int, limit: int) -> list[StoredRecord]:
        query = f"{COLUMNS} WHERE lane = ? AND lane_seq BETWEEN ? AND ? ORDER BY lane_seq LIMIT ?"
        rows = self._query(volume, query, (lane, low, high, limit))
        if rows is not None and len(rows) >= min(limit, high - low + 1):
            return [StoredRecord(*row) for row in rows]
        # All undelivered numbers stand in a sound file: a page of the table or of the index is lost.
        self._broken(volume.journal)
        return self._one_by_one(volume, lane, low, high, limit)

    def _one_by_one(self, volume: Volume, lane: str, low: int, high: int, limit: int) -> list[StoredRecord]:
        """Around a page that can't be read: what else of the range is there. The rest shows as a gap at the center."""
        found: list[StoredRecord] = []
        for lane_seq in range(low, high + 1):
            query = f"{COLUMNS} WHERE lane = ? AND lane_seq = ?"
            rows = self._query(volume, query, (lane, lane_seq))
            found += [StoredRecord(*row) for row in rows or ()]
            self.unreadable += not rows
            if len(found) >= limit:
                break
        return found

    def _query(self, volume: Volume, query: str, values: tuple[object, ...]) -> list[Row] | None:
        """The rows; None where the file can't be read. A file that was moved under us is opened anew, once."""
        for _ in range(2):
            try:
                return self._connection(volume).execute(query, values).fetchall()
            except sqlite3.Error:
                self._drop((volume.journal, volume.uri))
        return None

    def _connection(self, volume: Volume) -> sqlite3.Connection:
        known = {(v.journal, v.uri) for v in self._shelf()}
        for key in [k for k in self._connections if k not in known]:
            self._drop(key)
        key = (volume.journal, volume.uri)
        if key not in self._connections:
            self._connections[key] = self._open(volume.uri)
        return self._connections[key]

    def _open(self, uri: str) -> sqlite3.Connection:
        connection = self._connect(uri)
        # A journal in memory is shared with its writer, which must never wait; `last` holds back what is not durable.
        connection.execute("PRAGMA read_uncommitted = ON")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _drop(self, key: tuple[str, str]) -> None:
        connection = self._connections.pop(key, None)
        if connection is not None:
            connection.close()


def _pieces(gaps: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for low, high in gaps:
        for start in range(low, high + 1, PIECE):
            yield start, min(high, start + PIECE - 1)
