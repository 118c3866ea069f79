"""What a center holds, looked at anew: every record from 1 (or a signed base) to the head, its hashes, link and lane.

Nothing is taken from memory or from an earlier check: this is what a verdict rests on.
"""

import json
from collections.abc import Mapping

from firmware.protocol.canonical import canonical, sha256_hex
from hil.center.chain import GENESIS
from hil.center.store import Store

MAX_PROBLEMS = 50


def audit(store: Store, panel: str, heads: Mapping[str, tuple[int, str]]) -> list[str]:
    """What is wrong or missing, at most `MAX_PROBLEMS` sentences; empty when all is held in its place."""
    problems = [] if heads else [f"panel {panel}: no journal head is known"]
    for journal, (seq, own_hash) in heads.items():
        problems.extend(_audit_journal(store, panel, journal, seq, own_hash))
    return problems[:MAX_PROBLEMS]


def _audit_journal(store: Store, panel: str, journal: str, seq: int, own_hash: str) -> list[str]:
    problems: list[str] = []
    whole = True
    before, lanes, at = GENESIS, {"alarm": 0, "status": 0, "evidence": 0}, 0
    base = store.rows("SELECT seq, hash FROM bases WHERE panel=? AND journal=?", panel, journal)
    gone = base[0]["seq"] if base else 0
    rows = store.rows("SELECT * FROM records WHERE panel=? AND journal=? AND seq<=? ORDER BY seq", panel, journal, seq)
    for row in rows:
        header = json.loads(row["header"])
        place = f"journal {journal} seq {row['seq']}"
        if row["seq"] > at + 1:
            whole = False  # what is missing may have been of any lane
            if at < gone:
                at, before = min(gone, row["seq"] - 1), base[0]["hash"] if row["seq"] == gone + 1 else ""
            if row["seq"] > at + 1:
                problems.append(f"journal {journal}: seq {at + 1} to {row['seq'] - 1} not held")
        if sha256_hex(canonical(header)) != row["hash"] or header["seq"] != row["seq"]:
            problems.append(f"{place}: the hash does not fit the header")
        if row["payload"] is not None and sha256_hex(canonical(json.loads(row["payload"]))) != header["payload_hash"]:
            problems.append(f"{place}: the payload does not fit its hash")
        if row["seq"] == at + 1 and before and header["prev"] != before:
            problems.append(f"{place}: prev is not the hash of the record before")
        if whole and header["lane_seq"] != lanes[header["lane"]] + 1:
            problems.append(f"{place}: {header['lane']} {header['lane_seq']} follows {lanes[header['lane']]}")
        before, lanes[header["lane"]], at = row["hash"], header["lane_seq"], row["seq"]
    at = max(at, min(gone, seq))
    if at < seq:
        problems.append(f"journal {journal}: seq {at + 1} to {seq} not held")
    elif seq > gone and before != own_hash:
        problems.append(f"journal {journal} seq {seq}: held {before[:12]}, the panel says {own_hash[:12]}")
    return problems


def gaps(store: Store, panel: str) -> dict[str, list[tuple[int, int]]]:
    """For each journal of a panel the ranges that are not held, up to the head that is known (heartbeat or record)."""
    found = {}
    with store.reading():
        for journal, head in tops(store, panel).items():
            if missing := store.chain(panel, journal).gaps(head):
                found[journal] = missing
    return found


def tops(store: Store, panel: str) -> dict[str, int]:
    """The highest `seq` that is known of each journal of a panel, from its heartbeats or any record."""
    rows = store.rows(
        "SELECT journal, MAX(seq) FROM (SELECT journal, seq FROM heads WHERE panel=?1"
        " UNION ALL SELECT journal, MAX(seq) FROM records WHERE panel=?1 GROUP BY journal) GROUP BY journal",
        panel,
    )
    return {row[0]: row[1] for row in rows}
