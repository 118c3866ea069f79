"""Telemetry beside the journal: a bounded ring on disk, never chained, never waited for, the oldest dropped, counted.

It must not disturb anything: no sync, and every storage error only counts as dropped items.
"""

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware.journal.schema import Connect, connect, file_uri, remove, touch
from rules.effects import JsonValue

NAME = "telemetry.sqlite"
MAX_ITEMS = 4096
MAX_ITEM_BYTES = 4096


@dataclass(frozen=True)
class Item:
    """One telemetry item. `number` grows with each item of this file."""

    number: int
    kind: str
    time: str
    data: dict[str, JsonValue]


class Telemetry:
    """The ring in `folder`. For one thread. `dropped` counts what was lost since the last `take_dropped`."""

    def __init__(self, folder: Path, most: int = MAX_ITEMS, connect: Connect = connect) -> None:
        """Open or create it; a broken file is replaced, an impossible one means a ring in memory."""
        self._most = most
        self.dropped = 0
        path = folder / NAME
        for uri in (file_uri(path, "rw"), file_uri(path, "rw"), ":memory:"):
            try:
                if uri != ":memory:":
                    folder.mkdir(parents=True, exist_ok=True)
                    touch(path)
                self._open(connect(uri))
                return
            except (sqlite3.Error, OSError):
                with contextlib.suppress(OSError):
                    remove(path)

    def _open(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " kind TEXT NOT NULL, time TEXT NOT NULL, data TEXT NOT NULL) STRICT"
        )
        low, high = connection.execute("SELECT min(number), max(number) FROM item").fetchone()
        self._first, self._last = (low or 1, high or 0)

    def add(self, kind: str, time: str, data: Mapping[str, JsonValue]) -> None:
        """Put an item into the ring; the oldest goes when it is full. Raises nothing."""
        try:
            text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
            if len(text) > MAX_ITEM_BYTES:
                raise ValueError("too long")
            cursor = self._connection.execute(
                "INSERT INTO item (kind, time, data) VALUES (?, ?, ?)", (kind, time, text)
            )
            if len(self) == 0:
                self._first = cursor.lastrowid or 1
            self._last = cursor.lastrowid or self._last
            if len(self) > self._most:
                first = self._last - self._most + 1
                self._connection.execute("DELETE FROM item WHERE number < ?", (first,))
                self.dropped += first - self._first
                self._first = first
        except (sqlite3.Error, ValueError, TypeError):
            self.dropped += 1

    def take(self, most: int = 64) -> list[Item]:
        """Remove and return the oldest items, at most so many. Raises nothing."""
        try:
            query = "SELECT number, kind, time, data FROM item ORDER BY number LIMIT ?"
            rows = self._connection.execute(query, (most,)).fetchall()
            if rows:
                self._connection.execute("DELETE FROM item WHERE number <= ?", (rows[-1][0],))
                self._first = rows[-1][0] + 1
            return [Item(n, kind, time, json.loads(data)) for n, kind, time, data in rows]
        except (sqlite3.Error, ValueError, TypeError):
            return []

    def take_dropped(self) -> int:
        """How many items were lost since the last call: the data of `telemetry.dropped`."""
        found, self.dropped = self.dropped, 0
        return found

    def __len__(self) -> int:
        return self._last - self._first + 1

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
