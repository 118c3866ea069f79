"""How fast records become durable, and how long an opening takes: the journal against raw SQLite on the same disk.

The yardstick puts the same bytes (header, payload, hash, and the panel state that follows from it, which is another one
after each commit) into the same tables with the same index and the same durability (WAL, synchronous=FULL), once per
transaction, and does nothing else: no JSON, no hashing, no chain, no checks, no moment or checksum beside the state.
Both take turns, a block of commits each, after both logs are full: so neither always runs on caches that the other, or
the making of its input, left behind. A ratio is the median of the ratios of the blocks, so that a busy machine slows
both sides of it alike.
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

ONE_BLOCK = 20
ONE_BLOCKS = 50
BATCH = 64
BATCH_BLOCK = 5
BATCH_BLOCKS = 12
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
        _block(journal, reader, raw, BATCH, WARM_UP)
        for name, size, length, blocks in (
            ("one", 1, ONE_BLOCK, ONE_BLOCKS),
            ("batched", BATCH, BATCH_BLOCK, BATCH_BLOCKS),
        ):
            pairs = [_block(journal, reader, raw, size, length) for _ in range(blocks)]
            found[f"{name}_ours_per_s"] = size / statistics.median(ours for ours, _ in pairs)
            found[f"{name}_raw_per_s"] = size / statistics.median(yardstick for _, yardstick in pairs)
            found[f"{name}_ratio"] = statistics.median(yardstick / ours for ours, yardstick in pairs)
    finally:
        reader.close()
        journal.close()
        raw.close()
    return found


def _block(journal: Journal, reader: Reader, raw: sqlite3.Connection, size: int, length: int) -> tuple[float, float]:
    """Median seconds of a transaction of `size` records, ours and raw, of `length` each."""
    ours, yardstick = [], []
    before = journal.mark().seq
    batches = [_commits(size, before + turn * size) for turn in range(length)]
    for commits in batches:
        ours.append(_timed(lambda: journal.commit(commits)))  # noqa: B023
    pairs = [(_rows(reader, before + turn * size, size), commits[-1].state) for turn, commits in enumerate(batches)]
    for rows, state in pairs:
        yardstick.append(_timed(lambda: _insert(raw, rows, state)))  # noqa: B023
    return statistics.median(ours), statistics.median(yardstick)


def _rows(reader: Reader, after: int, count: int) -> list[Row]:
    return [(r.seq, r.lane, r.lane_seq, r.header, r.payload or b"", r.hash) for r in reader.after(after, count)]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _commits(count: int, first: int = 0) -> list[Commit]:
    """Records of a usual size, each with a new state, as a panel in trouble makes them; numbered from `first`.

    The numbers must go on from call to call: SQLite writes no page for a state that is the same again.
    """
    clock = SystemClock()
    moment = (utc_text(clock.utc()), clock.state(), clock.boot())
    found = []
    for number in range(first, first + count):
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
        journal.commit(_commits(1000, journal.mark().seq))
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
