"""Removing old records: from the front only, delivered ones only, behind a signed base that says what was there.

Only the journal in memory, which must not grow for ever, may lose undelivered records; then a record says how many.
"""

import json
from collections.abc import Mapping

from firmware.journal.chain import BASE_KIND, LOST_KIND
from firmware.journal.check import SELECT, StoredRow
from firmware.journal.entries import LANES, Commit, Draft, Moment
from firmware.journal.store import Store
from firmware.protocol.typ import BASE
from rules.effects import JsonValue

STEP = 1000
"""Records removed in one transaction at most."""
KEEP = 64
"""Newest records that always stay, so that an opening has something to check."""


def prune(store: Store, before_utc: str, now: Moment, limit: int = STEP) -> int:
    """Remove delivered records older than `before_utc` (RFC 3339) from the front; how many. Raises `sqlite3.Error`."""
    rows: list[StoredRow] = []
    query = f"{SELECT} WHERE seq <= ? ORDER BY seq LIMIT ?"
    for row in store.connection.execute(query, (store.tip.seq - KEEP, limit)):
        if json.loads(row[3])["time"] >= before_utc or row[2] >= store.delivered[row[1]].first_missing():
            break
        rows.append(row)
    if rows:
        _remove(store, rows, now, ())
    return len(rows)


def trim(store: Store, most: int, now: Moment) -> int:
    """Keep a journal in memory within `most` records: the oldest go, undelivered ones counted in `journal.lost`."""
    first = store.connection.execute("SELECT min(seq) FROM record").fetchone()[0]
    count = store.tip.seq - first + 1
    if count <= most:
        return 0
    surplus = max(STEP, count - most)
    rows = store.connection.execute(f"{SELECT} ORDER BY seq LIMIT ?", (surplus,)).fetchall()
    lost: dict[str, JsonValue] = {}
    for lane in LANES:
        gone = [row[2] for row in rows if row[1] == lane]
        missing = sum(b - a + 1 for a, b in store.delivered[lane].gaps(gone[0], gone[-1])) if gone else 0
        if missing:
            lost[lane] = missing
            store.deliver(lane, [(gone[0], gone[-1])])
    drafts = (_draft(LOST_KIND, {"reason": "memory", "lanes": lost}, now),) if lost else ()
    _remove(store, rows, now, drafts)
    return len(rows)


def _remove(store: Store, rows: list[StoredRow], now: Moment, more: tuple[Draft, ...]) -> None:
    last = rows[-1]
    lanes = _removed_lanes(store, rows)
    vouched = store.vouch(last[0], last[5], json.loads(last[3])["state_hash"], now.time)
    jws = store.sign(BASE, {**vouched, "lanes": lanes, "expired": 0})
    drafts = (_draft(BASE_KIND, {"jws": jws, "removed": len(rows)}, now), *more)
    prepared = store.prepare([Commit(drafts)])._replace(state=store.state)
    with store.transaction(prepared, lambda: now):
        store.connection.execute("DELETE FROM record WHERE seq <= ?", (last[0],))
        store.connection.execute("INSERT OR REPLACE INTO base (id, jws) VALUES (1, ?)", (jws,))


def _removed_lanes(store: Store, rows: list[StoredRow]) -> Mapping[str, JsonValue]:
    """The last `lane_seq` of each lane that is gone now."""
    lanes: dict[str, JsonValue] = {}
    for lane in LANES:
        gone = [row[2] for row in rows if row[1] == lane]
        query = "SELECT min(lane_seq) FROM record WHERE lane = ?"
        first = store.connection.execute(query, (lane,)).fetchone()[0]
        lanes[lane] = gone[-1] if gone else (first - 1 if first is not None else store.tip.lanes[lane])
    return lanes


def _draft(kind: str, payload: Mapping[str, JsonValue], now: Moment) -> Draft:
    return Draft(kind, payload, now.time, now.clock, now.boot, now.monotonic_ms)
