"""The connection that the real journal works on in a simulated life: just the statements that it uses, on
`hil.life.storage` instead of SQLite.

A statement that nobody taught it ends the life with `NotImplementedError`: a change of the journal's SQL must come here
too.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from firmware.journal.check import SELECT, TAIL
from firmware.journal.schema import COMMIT_ONE, INSERT_RECORD, SAVE_STATE
from hil.life.storage import Change, File, Row, Storage, Tables, failure, path_of


class Rows:
    """What a query found."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def fetchone(self) -> Row | None:
        """The first."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Row]:
        """All of them."""
        return self._rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


_NONE = Rows([])
_END = 1 << 62
Values: TypeAlias = tuple[Any, ...]


class ModelConnection:
    """One connection to one file; the part of `sqlite3.Connection` that the journal uses."""

    def __init__(self, storage: Storage, file: File) -> None:
        self._storage = storage
        self._file = file
        self._changes: list[Change] | None = None
        self._sync = True
        self._closed = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._changes is not None

    def execute(self, sql: str, values: Values = ()) -> Rows:
        """Run one statement that is known here."""
        if self._closed:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
        if (change := _WRITES.get(sql)) is not None:
            self._write(change(values))
            return _NONE
        if (query := _QUERIES.get(sql)) is not None:
            return Rows(query(self._file.tables, *values))
        return self._other(sql)

    def executemany(self, sql: str, rows: Iterable[Values]) -> None:
        """The same statement for each."""
        for row in rows:
            self.execute(sql, row)

    def backup(self, target: Any) -> None:
        """All of it, into another file."""
        other = cast(ModelConnection, target)
        if other._file.on_disk and self._storage.full:
            self._storage.take_room(4 * len(self._file.tables.rows))
        other._file.tables = self._file.tables.copy()

    def close(self) -> None:
        """What is not committed is dropped."""
        self._closed = True
        self._changes = None

    def _write(self, changes: list[Change]) -> None:
        if self._changes is not None:
            self._changes += changes
        else:
            self._storage.commit(self._file, changes, self._sync)

    def _other(self, sql: str) -> Rows:
        word = sql.split(None, 1)[0]
        if sql == "BEGIN IMMEDIATE":
            self._changes = []
        elif sql == "COMMIT" and self._changes is not None:
            # Cleared after it: a commit that failed leaves the transaction open, to be rolled back.
            self._storage.commit(self._file, self._changes, self._sync)
            self._changes = None
        elif sql == "ROLLBACK":
            self._changes = None
        elif word == "PRAGMA":
            return self._pragma(*sql[7:].partition(" = ")[::2])
        elif word != "CREATE":
            raise NotImplementedError(f"the model of the journal's storage does not know {sql!r}")
        return _NONE

    def _pragma(self, name: str, value: str) -> Rows:
        if name == "wal_checkpoint(TRUNCATE)":
            self._storage.settle(self._file)
            return Rows([(0, 0, 0)])
        if name == "synchronous":
            self._sync = value == "FULL"
        elif name in ("application_id", "user_version"):
            member = "application" if name == "application_id" else "version"
            if not value:
                return Rows([(getattr(self._file.tables, member),)])
            self._write([(Tables.put, (member, int(value)))])
        return _NONE


def connect_to(storage: Storage) -> Callable[[str], sqlite3.Connection]:
    """What the journal is given in place of `firmware.journal.schema.connect`."""

    def connect(uri: str) -> sqlite3.Connection:
        try:
            file = storage.open(path_of(uri))
        except OSError:
            raise failure("unable to open database file", "SQLITE_CANTOPEN", sqlite3.SQLITE_CANTOPEN) from None
        return cast(sqlite3.Connection, ModelConnection(storage, file))

    return connect


# --- writes: the changes that a statement makes -----------------------------------------------------------


def _put(table: str) -> Callable[[Values], list[Change]]:
    return lambda values: [(Tables.put, (table, values[0]))]


def _put_lane(table: str) -> Callable[[Values], list[Change]]:
    return lambda values: [(Tables.put_lane, (table, *values))]


def _delivery(how: str) -> Mapping[str, Callable[[Values], list[Change]]]:
    return {how.format(table=table): _put_lane(table) for table in ("delivered", "receipt")}


_FIRST_STATE = (0, "", 0, "", b"", "", None, "")

_WRITES: Mapping[str, Callable[[Values], list[Change]]] = {
    INSERT_RECORD: lambda row: [(Tables.insert, (row,))],
    COMMIT_ONE: lambda both: [(Tables.insert, (both[:6],)), (Tables.put, ("state", both[6:]))],
    SAVE_STATE: lambda row: [(Tables.put, ("state", tuple(row)))],
    "INSERT INTO state VALUES (1, 0, '', 0, '', x'', '', NULL, '')": lambda _: [(Tables.put, ("state", _FIRST_STATE))],
    "INSERT INTO journal (id, jws) VALUES (1, ?)": _put("journal"),
    "UPDATE journal SET jws = ? WHERE id = 1": _put("journal"),
    "INSERT OR REPLACE INTO base (id, jws) VALUES (1, ?)": _put("base"),
    "DELETE FROM record WHERE seq <= ?": lambda values: [(Tables.cut, values)],
    **_delivery("INSERT OR REPLACE INTO {table} (lane, jws) VALUES (?, ?)"),
    **_delivery("INSERT INTO {table} (lane, jws) VALUES (?, ?) ON CONFLICT (lane) DO UPDATE SET jws = excluded.jws"),
}


# --- queries ------------------------------------------------------------------------------------------------


def _between(rows: list[Row], place: int, low: int, high: int, limit: int) -> list[Row]:
    """The first rows whose number (at `place`) is in the range; numbers have no gaps."""
    if not rows:
        return []
    first = int(rows[0][place])
    start = max(0, low - first)
    return rows[start : max(start, min(high - first + 1, start + limit))]


def _one(value: Any) -> list[Row]:
    return [] if value is None else [(value,)]


def _at(tables: Tables, seq: int) -> list[Row]:
    return _between(tables.rows, 0, seq, seq, 1)


def _in_lane(tables: Tables, lane: str, low: int, high: int, limit: int) -> list[Row]:
    return _between(tables.lanes[lane], 2, low, high, limit)


def _edge(rows: list[Row], place: int, end: int) -> list[Row]:
    return [(rows[end][place] if rows else None,)]


_QUERIES: Mapping[str, Callable[..., list[Row]]] = {
    f"{SELECT} ORDER BY seq DESC LIMIT {TAIL + 1}": lambda t: t.rows[: -TAIL - 2 : -1],
    f"{SELECT} ORDER BY seq LIMIT 1": lambda t: t.rows[:1],
    f"{SELECT} ORDER BY seq LIMIT ?": lambda t, limit: t.rows[:limit],
    f"{SELECT} WHERE seq = ?": _at,
    f"{SELECT} WHERE seq <= ? ORDER BY seq LIMIT ?": lambda t, seq, limit: _between(t.rows, 0, 1, seq, limit),
    f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?": lambda t, seq, limit: _between(t.rows, 0, seq + 1, _END, limit),
    f"{SELECT} WHERE lane = ? AND lane_seq = ?": lambda t, lane, number: _in_lane(t, lane, number, number, 1),
    f"{SELECT} WHERE lane = ? AND lane_seq BETWEEN ? AND ? ORDER BY lane_seq LIMIT ?": _in_lane,
    "SELECT hash FROM record WHERE lane = ? AND lane_seq = ?": lambda t, lane, number: [
        row[5:6] for row in _in_lane(t, lane, number, number, 1)
    ],
    "SELECT header FROM record WHERE seq = ?": lambda t, seq: [row[3:4] for row in _at(t, seq)],
    "SELECT min(seq) FROM record": lambda t: _edge(t.rows, 0, 0),
    "SELECT min(lane_seq) FROM record WHERE lane = ?": lambda t, lane: _edge(t.lanes[lane], 2, 0),
    "SELECT max(lane_seq) FROM record WHERE lane = ?": lambda t, lane: _edge(t.lanes[lane], 2, -1),
    "SELECT jws FROM journal WHERE id = 1": lambda t: _one(t.journal),
    "SELECT jws FROM base WHERE id = 1": lambda t: _one(t.base),
    "SELECT seq, boot, monotonic_ms, utc, state, state_hash, tick, mark FROM state WHERE id = 1": lambda t: (
        [t.state] if t.state is not None else []
    ),
    "SELECT lane, jws FROM delivered": lambda t: list(t.delivered.items()),
    "SELECT lane, jws FROM receipt": lambda t: list(t.receipt.items()),
}
