"""Checks of stored rows: each by itself, against the row before, and the end of a file at its opening.

`examine` costs the same for any number of records. What `fenghuo journal verify` does to the whole file stands in
`verify`; both use the checks of this module, so they cannot come to disagree.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from firmware.journal.entries import LANES, Tip
from firmware.journal.ranges import Ranges
from firmware.journal.schema import APPLICATION_ID, FORMAT
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import KeyRing, Refused
from firmware.protocol.stored import GENESIS
from firmware.protocol.typ import BASE, TICK

SESSION = "fenghuo.session.v1"
"""`typ` of the signed line that opens a journal file: whose it is, its id, and the count of its openings."""
DELIVERED = "fenghuo.delivered.v1"
"""`typ` of a lane's signed delivery ranges and the hash of its kept receipt: an edit that would swallow a report shows,
and only causes a resend."""
TAIL = 64

StoredRow: TypeAlias = tuple[Any, Any, Any, Any, Any, Any]
Fault: TypeAlias = tuple[str, str, str]
"""Code (a name of `texts.FINDINGS`), what was found, what was expected."""

SELECT = "SELECT seq, lane, lane_seq, header, payload, hash FROM record"


class Unsound(Exception):
    """A file that can't be trusted or read as it is. `reason` is a short code, `detail` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class StateRow(NamedTuple):
    """The row of the table `state`, in the order of its columns."""

    seq: int
    boot: str
    monotonic_ms: int
    utc: str
    state: bytes
    state_hash: str
    tick: str | None
    mark: str = ""


@dataclass(frozen=True)
class Tail:
    """What the end of a sound file says."""

    journal: str
    session: int
    tip: Tip
    state: StateRow
    lived: tuple[str, int, str]
    """Boot id, boot clock and UTC of the last moment that is known of the boot in which the state was written."""
    delivered: Mapping[str, Ranges] = field(default_factory=dict)
    receipts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def state_mark(journal: str, head: str, row: StateRow) -> str:
    """The checksum that ties the members of a state row to each other and to the head of the chain."""
    return mark_of(journal, head, row.seq, row.boot, row.monotonic_ms, row.utc, row.state_hash, row.tick)


def mark_of(
    journal: str, head: str, seq: int, boot: str, monotonic_ms: int, utc: str, state_hash: str, tick: str | None
) -> str:
    """The `state_mark` of a row that is still to be made."""
    members = f"{journal} {head} {seq} {boot} {monotonic_ms} {utc} {state_hash} {tick}"
    return hashlib.sha256(members.encode()).hexdigest()


def header_of(row: StoredRow) -> dict[str, Any] | None:
    """The header of a row as an object, None when its bytes are not one."""
    try:
        header = json.loads(row[3])
    except (ValueError, TypeError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def row_faults(row: StoredRow, panel: str, journal: str, strict: bool = False) -> Iterator[Fault]:
    """What is wrong with a row by itself. `strict` also holds the header against its model (slower)."""
    seq, lane, lane_seq, data, payload, hash_ = row
    header = header_of(row)
    if not isinstance(data, bytes) or header is None:
        yield "header-unreadable", repr(data)[:60], "a JSON object"
        return
    if (real := sha256_hex(data)) != hash_:
        yield "hash", str(hash_)[:64], real
    expected = {"panel": panel, "journal": journal, "seq": seq, "lane": lane, "lane_seq": lane_seq}
    for name, value in expected.items():
        if header.get(name) != value:
            yield "member", f"{name}: {header.get(name)!r}"[:100], f"{name}: {value!r}"
    if isinstance(payload, bytes):
        if sha256_hex(payload) != header.get("payload_hash"):
            yield "payload", sha256_hex(payload), str(header.get("payload_hash"))[:64]
    elif payload is not None:
        yield "payload", type(payload).__name__, "bytes"
    if strict:
        yield from _model_faults(data, header)


def _model_faults(data: bytes, header: dict[str, Any]) -> Iterator[Fault]:
    from pydantic import ValidationError  # only `verify` is so strict; a starting panel does not wait for the models

    from firmware.protocol.records import Header

    try:
        Header.model_validate(header)
    except ValidationError as error:
        first = error.errors()[0]
        yield "member", f"{'.'.join(map(str, first['loc']))}: {str(first.get('input'))[:60]!r}", first["msg"]
        return
    if canonical(header) != data:
        yield "member", "a header that is not canonical JSON", "RFC 8785"


def link_faults(row: StoredRow, before_seq: int, before_hash: str) -> Iterator[Fault]:
    """What is wrong between a row and the one before."""
    if row[0] != before_seq + 1:
        yield "missing", f"{row[0]}", f"{before_seq + 1}"
        return
    header = header_of(row)
    if header is not None and header.get("prev") != before_hash:
        yield "prev", str(header.get("prev"))[:64], before_hash


def state_faults(
    row: StateRow, journal: str, at: StoredRow | None, head: StoredRow, panel: str, keys: KeyRing
) -> Iterator[Fault]:
    """What is wrong with the state row. `at` is the record that it was written with, `head` the last one.

    Records that changed no state leave the row alone: it may be older than the head, but then says the same state.
    """
    if row.seq > head[0]:
        yield "state-seq", str(head[0]), str(row.seq)
        return
    if (real := hashlib.sha256(row.state).hexdigest()) != row.state_hash:
        yield "state", real, row.state_hash
    if row.tick is not None:
        yield from _tick_faults(row, journal, panel, keys)
    header = header_of(head) or {}
    if not (row.tick is not None and row.seq == head[0]) and row.state_hash != header.get("state_hash"):
        yield "state", row.state_hash, str(header.get("state_hash"))[:64]
    if at is None:
        yield "state-row", f"record {row.seq}: none", f"the record {row.seq} that the state row names"
    elif (mark := state_mark(journal, str(at[5]), row)) != row.mark:
        yield "state-row", str(row.mark)[:64], mark


def _tick_faults(row: StateRow, journal: str, panel: str, keys: KeyRing) -> Iterator[Fault]:
    try:
        tick = keys.verify(TICK, row.tick or "")
    except Refused as refused:
        yield "tick", str(refused), "a tick signed by the panel"
        return
    expected = {
        "panel": panel,
        "journal": journal,
        "seq": row.seq,
        "state_hash": row.state_hash,
        "boot": row.boot,
        "monotonic_ms": row.monotonic_ms,
    }
    for name, value in expected.items():
        if tick.get(name) != value:
            yield "tick", f"{name}: {value!r}", f"{name}: {tick.get(name)!r}"


def read_session(connection: sqlite3.Connection, keys: KeyRing) -> dict[str, Any]:
    """The signed line that opens the file: `panel`, `journal`, `session`. Raises `Unsound`."""
    found = connection.execute("SELECT jws FROM journal WHERE id = 1").fetchone()
    if found is None:
        raise Unsound("session", "the row that names the journal is missing")
    try:
        session = keys.verify(SESSION, found[0])
    except Refused as refused:
        raise Unsound("session", str(refused)) from None
    if not {"panel", "journal", "session"} <= session.keys():
        raise Unsound("session", f"members {sorted(session)}")
    return session


def read_state(connection: sqlite3.Connection) -> StateRow:
    """The state row. Raises `Unsound` when there is none."""
    found = connection.execute(
        "SELECT seq, boot, monotonic_ms, utc, state, state_hash, tick, mark FROM state WHERE id = 1"
    ).fetchone()
    if found is None:
        raise Unsound("state", "the state row is missing")
    row = StateRow(*found)
    if not (isinstance(row.state, bytes) and isinstance(row.seq, int) and isinstance(row.monotonic_ms, int)):
        raise Unsound("state", "the state row holds values of a wrong type")
    return row


def predecessor(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """The journal before this one and its last record, as the first record says; None where nothing says so."""
    try:
        first = connection.execute(f"{SELECT} ORDER BY seq LIMIT 1").fetchone()
        last = json.loads(first[4])["last"]
        return str(last["journal"]), int(last["seq"])
    except (sqlite3.Error, TypeError, KeyError, ValueError, RecursionError):
        return None


def read_receipts(connection: sqlite3.Connection) -> dict[str, str]:
    """The newest receipt of each lane, as the center signed it."""
    return {str(lane): str(jws) for lane, jws in connection.execute("SELECT lane, jws FROM receipt")}


UNSIGNED = "dc09:"
"""What is kept instead of a receipt begins so where a path delivered by an acknowledgement that nobody signed."""


def newest_receipt(kept: str | None, new: str) -> str:
    """Which to keep: the newer, but no unsigned acknowledgement in place of a receipt that proves something."""
    return kept if kept and new.startswith(UNSIGNED) and not kept.startswith(UNSIGNED) else new


def receipt_hash(jws: str | None) -> str:
    """What the signed delivery ranges say of the receipt kept beside them; empty for none."""
    return sha256_hex(jws.encode()) if jws else ""


def read_delivered(
    connection: sqlite3.Connection, panel: str, journal: str, keys: KeyRing
) -> tuple[dict[str, Ranges], list[tuple[str, str]]]:
    """Each lane's delivered ranges as far as their signature holds, and (lane, why) of those that don't."""
    good: dict[str, Ranges] = {}
    bad: list[tuple[str, str]] = []
    receipts = read_receipts(connection)
    for lane, jws in connection.execute("SELECT lane, jws FROM delivered"):
        try:
            signed = keys.verify(DELIVERED, str(jws))
            if (signed.get("panel"), signed.get("journal"), signed.get("lane")) != (panel, journal, lane):
                raise Refused("malformed", f"it is for lane {signed.get('lane')!r} of {signed.get('journal')!r}")
            if signed.get("receipt") != receipt_hash(receipts.get(lane)):
                raise Refused("malformed", "the kept receipt is not the one that was signed with the ranges")
            good[lane] = Ranges().add((int(a), int(b)) for a, b in signed["ranges"])
        except (Refused, KeyError, TypeError, ValueError) as error:
            bad.append((str(lane), str(error)))
    return good, bad


def read_base(connection: sqlite3.Connection, panel: str, journal: str, keys: KeyRing) -> dict[str, Any] | None:
    """The signed base of a journal whose front was removed, None when it begins at its beginning. Raises `Unsound`."""
    found = connection.execute("SELECT jws FROM base WHERE id = 1").fetchone()
    return None if found is None else open_base(str(found[0]), panel, journal, keys)


def open_base(jws: str, panel: str, journal: str, keys: KeyRing) -> dict[str, Any]:
    """The members of a signed base. Raises `Unsound`."""
    try:
        base = keys.verify(BASE, jws)
    except Refused as refused:
        raise Unsound("base", str(refused)) from None
    if (base.get("panel"), base.get("journal")) != (panel, journal):
        raise Unsound("base", f"it is for journal {base.get('journal')!r} of {base.get('panel')!r}")
    if not {"seq", "hash", "lanes", "expired"} <= base.keys() or not isinstance(base["lanes"], dict):
        raise Unsound("base", f"members {sorted(base)}")
    return base


def check_format(connection: sqlite3.Connection) -> None:
    """Raise `Unsound` unless this is a journal of a format that this software knows."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) != (APPLICATION_ID, FORMAT):
        raise Unsound("format", f"application {application:#x} format {version}, expected {APPLICATION_ID:#x} {FORMAT}")


def examine(connection: sqlite3.Connection, panel: str, keys: KeyRing) -> Tail:
    """Check the last records, the state and the signatures of a file.

    Raises `Unsound`, or `sqlite3.Error` where SQLite itself finds the file broken.
    """
    try:
        return _examine(connection, panel, keys)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise Unsound("malformed", f"{type(error).__name__}: {error}") from None


def _examine(connection: sqlite3.Connection, panel: str, keys: KeyRing) -> Tail:
    check_format(connection)
    session = read_session(connection, keys)
    if session["panel"] != panel:
        raise Unsound("panel", f"it is the journal of panel {session['panel']!r}, expected {panel!r}")
    journal = str(session["journal"])
    state = read_state(connection)
    rows = connection.execute(f"{SELECT} ORDER BY seq DESC LIMIT {TAIL + 1}").fetchall()[::-1]
    if not rows:
        raise Unsound("empty", "no record at all, expected at least the one that begins the journal")
    _check_tail(rows, panel, journal)
    at = connection.execute(f"{SELECT} WHERE seq = ?", (state.seq,)).fetchone()
    for code, found, expected in state_faults(state, journal, at, rows[-1], panel, keys):
        raise Unsound(code, f"found {found}, expected {expected}")
    base = read_base(connection, panel, journal, keys)
    lanes = _lane_heads(connection, rows, base["lanes"] if base else {})
    delivered, bad = read_delivered(connection, panel, journal, keys)
    tip = Tip(rows[-1][0], rows[-1][5], state.state_hash, lanes)
    notes = tuple(f"{lane}: {why}" for lane, why in bad)
    return Tail(
        journal,
        int(session["session"]),
        tip,
        state,
        _lived(state, rows[-1]),
        delivered,
        read_receipts(connection),
        notes,
    )


def _lived(state: StateRow, head: StoredRow) -> tuple[str, int, str]:
    """The last moment of the state's boot that the file knows of."""
    header = header_of(head) or {}
    if header["boot"] == state.boot and header["monotonic_ms"] > state.monotonic_ms:
        return state.boot, int(header["monotonic_ms"]), str(header["time"])
    return state.boot, state.monotonic_ms, state.utc


def _check_tail(rows: list[StoredRow], panel: str, journal: str) -> None:
    first = rows[0]
    before = (first[0] - 1, GENESIS if first[0] == 1 else str((header_of(first) or {}).get("prev")))
    for row in rows:
        for code, found, expected in (*row_faults(row, panel, journal), *link_faults(row, *before)):
            raise Unsound(code, f"record {row[0]}: found {found}, expected {expected}")
        before = (row[0], row[5])


def _lane_heads(connection: sqlite3.Connection, rows: list[StoredRow], removed: Mapping[str, int]) -> dict[str, int]:
    lanes = {}
    for lane in LANES:
        last = connection.execute("SELECT max(lane_seq) FROM record WHERE lane = ?", (lane,)).fetchone()[0]
        lanes[lane] = last or removed.get(lane, 0)
        seen = max((row[2] for row in rows if row[1] == lane), default=lanes[lane])
        if seen != lanes[lane]:
            raise Unsound("lane", f"lane {lane}: the index ends at {lanes[lane]}, the records at {seen}")
    return lanes
