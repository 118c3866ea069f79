"""How fast records become durable, and how long an opening takes: the journal against raw SQLite on the same disk.

The yardstick puts the same bytes, each record and the panel state that follows from it, into the same tables with the
same index and the same durability (WAL, synchronous=FULL), and does nothing else: no hashing, no chain, no checks. Both
take turns, commit by commit, after both logs are full; medians are compared, so a busy machine slows both alike.
"""

import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.clock import SystemClock, utc_text
from firmware.journal import Commit, Draft, Journal
from firmware.journal.reader import Reader
from firmware.protocol.jws import Signer
from rules.effects import JsonValue

ONE_BY_ONE = 400
BATCHES = 60
BATCH = 64
WARM_UP = 150
"""Batches before the clock runs: until both write-ahead logs are full, and written over instead of grown."""
MANY = 100_000
STATE_BYTES = 1_200
"""A branch with three areas and four users in alarm; at rest it is a third of that."""


Row = tuple[int, str, int, bytes, bytes, str]


def measure(folder: Path) -> dict[str, float]:
    """Records per second one at a time and batched (64 in a transaction), raw and ours, their ratios, opening times.

    `folder` is on the disk that is meant; what is written there is deleted again. Takes about 15 s.
    """
    signer = Signer(Ed25519PrivateKey.generate())
    work = folder / "bench-journal"
    shutil.rmtree(work, ignore_errors=True)
    try:
        found = _rates(work, signer)
        found["open_empty_ms"] = _open_ms(work / "empty", signer, 0)
        found["open_many_ms"] = _open_ms(work / "many", signer, MANY)
        found["open_ratio"] = found["open_many_ms"] / found["open_empty_ms"]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return found


def _journal(folder: Path, signer: Signer) -> Journal:
    return Journal.open(
        folder / "data",
        folder / "run",
        "bench-panel",
        signer,
        SystemClock(),
        lambda state: state if isinstance(state, bytes) else b"",
        lambda kind: "alarm" if kind.startswith("alarm.") else "status",
        lambda kind: kind == "area.armed",
    )


def _rates(folder: Path, signer: Signer) -> dict[str, float]:
    journal = _journal(folder / "rates", signer)
    raw = _raw(folder / "raw.sqlite")
    reader = journal.reader()
    found: dict[str, float] = {}
    try:
        for commits in (_commits(BATCH) for _ in range(WARM_UP)):
            before = journal.mark().seq
            journal.commit(commits)
            _insert(raw, _rows(reader, before, BATCH), commits[-1].state)
        for name, size, turns in (("one", 1, ONE_BY_ONE), ("batched", BATCH, BATCHES)):
            ours, yardstick = [], []
            for _ in range(turns):
                commits, before = _commits(size), journal.mark().seq
                ours.append(_timed(lambda: journal.commit(commits)))  # noqa: B023
                rows = _rows(reader, before, size)
                yardstick.append(_timed(lambda: _insert(raw, rows, commits[-1].state)))  # noqa: B023
            found[f"{name}_ours_per_s"] = size / statistics.median(ours)
            found[f"{name}_raw_per_s"] = size / statistics.median(yardstick)
            found[f"{name}_ratio"] = found[f"{name}_ours_per_s"] / found[f"{name}_raw_per_s"]
    finally:
        reader.close()
        journal.close()
        raw.close()
    return found


def _rows(reader: Reader, after: int, count: int) -> list[Row]:
    return [(r.seq, r.lane, r.lane_seq, r.header, r.payload or b"", r.hash) for r in reader.after(after, count)]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _commits(count: int) -> list[Commit]:
    """Records of a usual size, each with a new state, as a panel in trouble makes them."""
    clock = SystemClock()
    moment = (utc_text(clock.utc()), clock.state(), clock.boot())
    found = []
    for number in range(count):
        payload: dict[str, JsonValue] = {
            "area": "banking-hall",
            "zone": "front-door",
            "incident": number,
            "user": "zhang",
            "by": "keypad-1",
        }
        state = number.to_bytes(8, "big") * (STATE_BYTES // 8)
        kind = "alarm.intruder" if number % 8 == 0 else "zone.bypassed"
        found.append(Commit((Draft(kind, payload, *moment, clock.monotonic_ms()),), state))
    return found


def _raw(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE record"
        " (seq INTEGER PRIMARY KEY, lane TEXT, lane_seq INTEGER, header BLOB, payload BLOB, hash TEXT)"
    )
    connection.execute("CREATE UNIQUE INDEX record_lane ON record (lane, lane_seq)")
    connection.execute("CREATE TABLE state (state BLOB)")
    connection.execute("INSERT INTO state VALUES (x'')")
    return connection


def _insert(raw: sqlite3.Connection, rows: list[Row], state: object) -> None:
    raw.execute("BEGIN IMMEDIATE")
    raw.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", rows)
    raw.execute("UPDATE state SET state = ?", (state,))
    raw.execute("COMMIT")


def _open_ms(folder: Path, signer: Signer, records: int) -> float:
    journal = _journal(folder, signer)
    for _ in range(records // 1000):
        journal.commit(_commits(1000))
    journal.close()
    times = []
    for _ in range(7):
        began = time.perf_counter()
        journal = _journal(folder, signer)
        times.append(time.perf_counter() - began)
        journal.close()
    return sorted(times)[len(times) // 2] * 1000


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        for name, figure in measure(Path(place)).items():
            print(f"{name:22} {figure:12.2f}")
