"""What a journal's records say about it: signed checkpoints, signed bases, and how a new journal follows an old one.

A checkpoint vouches for the chain before it, a base says from where on the panel still has records. What does not fit
becomes a finding; nothing of it ever holds a receipt back.
"""

import json
from typing import Any

from firmware.protocol.typ import BASE, CHECKPOINT
from hil.center.keys import BadToken, read_token
from hil.center.reader import RecordIn
from hil.center.store import Store


def look_at(store: Store, record: RecordIn, now: str) -> None:
    """Judge a record that is newly held. Inside a `transaction`."""
    match record.header["kind"]:
        case "journal.checkpoint":
            _checkpoint(store, record, now)
        case "journal.base":
            _base(store, record, now)
        case "journal.begun":
            follows(store, record.panel, record.header["journal"], now)


def follows(store: Store, panel: str, journal: str, now: str) -> None:
    """Whether this journal names the one before it as heartbeats knew that; else it finds `journal-cut`, `-exchanged`.

    Asked when the first record of a journal comes, and when the heartbeats' journal changes.
    """
    begun = store.rows("SELECT payload FROM records WHERE panel=? AND journal=? AND seq=1", panel, journal)
    others = store.rows("SELECT journal, seq FROM heads WHERE panel=? AND journal<>? ORDER BY heard", panel, journal)
    beaten = store.rows("SELECT 1 FROM heads WHERE panel=? AND journal=?", panel, journal)
    if not begun or not others or not beaten:
        return  # nothing to compare yet, or a record of a journal in which nobody signed
    payload = json.loads(begun[0]["payload"] or "{}")
    last = payload.get("last") if isinstance(payload, dict) else None
    named = last if isinstance(last, dict) else {}
    known = {row["journal"]: row["seq"] for row in others}
    before, seq = named.get("journal"), named.get("seq")
    if before not in known:
        detail = f"journal {journal} follows {str(before)[:40]}, heartbeats came in {others[-1]['journal']}"
        store.find(now, panel, "journal-exchanged", detail)
    elif isinstance(seq, int) and seq < known[before]:
        detail = f"journal {before} ended at seq {seq} for its successor, a heartbeat said {known[before]}"
        store.find(now, panel, "journal-cut", detail)


def _checkpoint(store: Store, record: RecordIn, now: str) -> None:
    body = _signed(store, record, CHECKPOINT, now)
    if body is None:
        return
    header = record.header
    if (body.get("seq"), body.get("hash")) != (header["seq"] - 1, header["prev"]):
        detail = f"journal {header['journal']} seq {header['seq']}: its checkpoint vouches for another record"
        store.find(now, record.panel, "checkpoint", detail)
        return
    store.vouch(record.panel, header["journal"], header["seq"] - 1)


def _base(store: Store, record: RecordIn, now: str) -> None:
    body = _signed(store, record, BASE, now)
    if body is None:
        return
    journal, seq, own_hash = record.header["journal"], body.get("seq"), body.get("hash")
    if not isinstance(seq, int) or not 0 < seq < record.header["seq"] or not isinstance(own_hash, str):
        store.find(now, record.panel, "base", f"journal {journal}: a base of seq {str(seq)[:20]}")
        return
    held = store.rows("SELECT hash FROM records WHERE panel=? AND journal=? AND seq=?", record.panel, journal, seq)
    if held and held[0]["hash"] != own_hash:
        store.find(
            now, record.panel, "base", f"journal {journal} seq {seq}: the base names another record than is held"
        )
        return
    store.rebase(record.panel, journal, seq, own_hash)


def _signed(store: Store, record: RecordIn, typ: str, now: str) -> dict[str, Any] | None:
    """The payload's token, when the panel signed it for this journal; a finding and None otherwise."""
    if record.payload is None:
        return None  # expired: the chain is proven by others
    header = record.header
    try:
        body = read_token(store.key(record.panel) or "", typ, str(record.payload.get("jws", "")).encode())
        if (body.get("panel"), body.get("journal")) != (record.panel, header["journal"]):
            raise BadToken("it is of another panel or journal")
    except BadToken as error:
        what = header["kind"].removeprefix("journal.")
        store.find(now, record.panel, what, f"journal {header['journal']} seq {header['seq']}: {str(error)[:200]}")
        return None
    return body
