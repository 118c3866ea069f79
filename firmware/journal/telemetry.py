"""Telemetry beside the journal: a bounded ring, never chained, never waited for, the oldest dropped and counted.

The ring lives in memory and is copied to `telemetry.sqlite` by a thread of its own every few seconds, without sync: so
neither `add` nor `take` ever waits for a disk, and every storage error only means that a restart forgets some items.

It is the first thing to give way to records where room is short: its file goes, and of the ring what is least worth.
"""

import contextlib
import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from firmware.journal import ballast
from firmware.journal.schema import Connect, connect, file_uri, remove, touch
from rules.effects import JsonValue

log = logging.getLogger("fenghuo.core.telemetry")

NAME = "telemetry.sqlite"
MAX_ITEMS = 4096
MAX_ITEM_BYTES = 4096
COPY_EVERY_S = 5.0
ROOM_BYTES = 2 * 1024 * 1024
"""Where less is free on the disk, telemetry gives way; where twice as much is, it comes back."""
CHATTER = "telemetry.zone"
"""What goes first: each change of a zone. What was an alarm of it stands in the journal."""
THIN = 8
"""So many times fewer items are kept of what is left."""


class Telemetry:
    """The ring. `add` and `take` may be called from any thread; neither blocks or raises."""

    def __init__(
        self, path: Path, most: int = MAX_ITEMS, connect: Connect = connect, free: ballast.Free = ballast.free_bytes
    ) -> None:
        """For `open`."""
        self.told: Callable[[bool, int], object] = lambda _thin, _dropped: None
        """Hears when it gives way (with how many items it dropped for that) and when it comes back; must not block."""
        self.thin = False
        self.dropped = 0
        self._free = free
        self._path = path
        self._most = most
        self._connect = connect
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._copied = 0
        self._items: deque[tuple[int, str, str, str]] = deque(self._load())
        self._last = self._copied = self._items[-1][0] if self._items else 0
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, folder: Path, most: int = MAX_ITEMS) -> "Telemetry":
        """The ring of `folder`, with what a clean end or the last copy left. A broken file is replaced."""
        return cls(folder / NAME, most)

    def add(self, kind: str, time: str, data: Mapping[str, JsonValue]) -> None:
        """Put an item into the ring; the oldest goes when it is full. An impossible item counts as dropped."""
        try:
            text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        except (ValueError, TypeError, RecursionError):
            text = ""
        with self._lock:
            if not text or len(text) > MAX_ITEM_BYTES or (self.thin and kind == CHATTER):
                self.dropped += 1
                return
            self._last += 1
            self._items.append((self._last, kind, time, text))
            if len(self._items) > (self._most // THIN if self.thin else self._most):
                self._items.popleft()
                self.dropped += 1

    def take(self, most: int = 64) -> list[dict[str, Any]]:
        """Remove and return the oldest items (`kind`, `time`, `data`), at most so many.

        When some were dropped since the last call, a `telemetry.dropped` item with the count comes first.
        """
        found: list[dict[str, Any]] = []
        with self._lock:
            if self.dropped and most > 0 and self._items:
                dropped, self.dropped = self.dropped, 0
                found.append({"kind": "telemetry.dropped", "time": self._items[0][2], "data": {"count": dropped}})
            while self._items and len(found) < most:
                _, kind, time, text = self._items.popleft()
                found.append({"kind": kind, "time": time, "data": json.loads(text)})
        return found

    def give_way(self) -> bool:
        """Leave the disk to the records: drop the file and most of the ring. Whether it had not done so already."""
        with self._lock:
            if self.thin:
                return False
            self.thin = True
            kept = [item for item in self._items if item[1] != CHATTER][-(self._most // THIN) :]
            gone = len(self._items) - len(kept)
            self._items = deque(kept)
            self.dropped += gone
            self._copied = 0
        with contextlib.suppress(OSError):
            remove(self._path)
        self._tell(True, gone)
        return True

    def _look(self) -> None:
        """Give way before the disk is full, and come back when there is room again."""
        try:
            free = self._free(self._path.parent)
        except OSError:
            return
        if free < ROOM_BYTES:
            self.give_way()
        elif self.thin and free >= 2 * ROOM_BYTES:
            self.thin = False
            self._tell(False, 0)

    def _tell(self, thin: bool, gone: int) -> None:
        try:
            self.told(thin, gone)
        except Exception:
            log.exception("the telemetry goes on after an error")

    def __len__(self) -> int:
        return len(self._items)

    def close(self, timeout_s: float = 2.0) -> None:
        """Copy once more and end; gives up waiting for a stalled disk."""
        self._ending.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._ending.wait(COPY_EVERY_S):
            self.turn()
        self._copy()

    def turn(self) -> None:
        """Look for room, and copy. For its own thread."""
        self._look()
        self._copy()

    def _copy(self) -> None:
        if self.thin:
            return
        with self._lock:
            fresh = [item for item in self._items if item[0] > self._copied]
            first = self._items[0][0] if self._items else self._last + 1
        try:
            with contextlib.closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DELETE FROM item WHERE number < ?", (first,))
                connection.executemany("INSERT INTO item (number, kind, time, data) VALUES (?, ?, ?, ?)", fresh)
                connection.execute("COMMIT")
            self._copied = fresh[-1][0] if fresh else self._copied
            if self.thin:  # it had to give way meanwhile
                remove(self._path)
        except (sqlite3.Error, OSError):
            with contextlib.suppress(OSError):
                remove(self._path)
            self._copied = 0

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            touch(self._path)
        connection = self._connect(file_uri(self._path, "rw"))
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY,"
            " kind TEXT NOT NULL, time TEXT NOT NULL, data TEXT NOT NULL) STRICT"
        )
        return connection

    def _load(self) -> list[tuple[int, str, str, str]]:
        try:
            if not self._path.exists():
                return []
            with contextlib.closing(self._open()) as connection:
                query = "SELECT number, kind, time, data FROM item ORDER BY number DESC LIMIT ?"
                rows = connection.execute(query, (self._most,)).fetchall()[::-1]
            return [row for row in rows if isinstance(json.loads(row[3]), dict)]
        except (sqlite3.Error, OSError, ValueError, TypeError):
            with contextlib.suppress(OSError):
                remove(self._path)
            return []
