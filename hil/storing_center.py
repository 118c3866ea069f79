"""A center that does what delivery needs and no more: checks hashes, commits to SQLite (FULL), then signs receipts.

For benches of what a panel can bring, where the reference center, which keeps books on every panel, would be what is
measured. It runs in a child of its own. Records share a range of a receipt only where they arrived together and are
linked to each other (docs/alarm-center.md, Receipts).
"""

import json
import queue
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.signed import MAX_RANGES
from firmware.protocol.typ import RECEIPT
from firmware.uplink.flying import LANES
from hil.broker import HOST
from hil.child import Child, serve

AT_ONCE = 16
"""Messages in one transaction at most."""

_TABLE = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE record (panel TEXT, journal TEXT, seq INTEGER, lane TEXT, lane_seq INTEGER, header BLOB, payload BLOB,
    hash TEXT, PRIMARY KEY (panel, journal, seq)) WITHOUT ROWID;
"""
_INSERT = "INSERT OR IGNORE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Row(NamedTuple):
    """A record as it is stored, and the hash of the one before."""

    panel: str
    journal: str
    seq: int
    lane: str
    lane_seq: int
    header: bytes
    payload: bytes
    hash: str
    prev: str


class StoringCenter(Child):
    """The parent's end."""

    def __init__(self, port: int, file: Path) -> None:
        """Connects to this port of the loopback, stores into `file`. Raises `RuntimeError` when it does not start."""
        super().__init__("hil.storing_center", (port, file))
        self.x = str(self.ready["x"])
        """Its public key."""

    def counts(self) -> dict[str, int]:
        """`held` records, `again` (arrived once more), `bad` (did not fit their hashes), `receipts`, and the highest
        `seq` of all: equal to `held` where one journal was brought whole.
        """
        return {name: int(count) for name, count in self.ask({}).items()}


class _Center:
    def __init__(self, port: int, file: Path) -> None:
        self.counts = Counter(held=0, again=0, bad=0, receipts=0, seq=0)
        self._signer = Signer(Ed25519PrivateKey.generate())
        self._arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._subscribed = threading.Event()
        self._file = file
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = lambda _client, _data, message: self._arrived.put(bytes(message.payload))
        topics = [(f"fenghuo/v1/+/{word}/{lane}", 1) for word in ("event", "batch") for lane in LANES]
        client.on_connect = lambda client, *_: client.subscribe(topics)
        client.reconnect_delay_set(1, 1)
        client.connect(HOST, port)
        client.loop_start()
        threading.Thread(target=self._work, name="center", daemon=True).start()

    def serve(self) -> None:
        """Until standard input ends."""
        if not self._subscribed.wait(10):
            raise RuntimeError("the broker does not answer")
        serve({"x": b64url(self._signer.public.public_bytes_raw())}, lambda _: self.counts)

    def _work(self) -> None:
        database = sqlite3.connect(self._file, isolation_level=None)
        database.executescript(_TABLE)
        while True:
            messages = [self._arrived.get()]
            while not self._arrived.empty() and len(messages) < AT_ONCE:
                messages.append(self._arrived.get())
            rows = [row for message in messages for row in self._rows(message)]
            before = database.total_changes
            database.execute("BEGIN")
            database.executemany(_INSERT, [row[:8] for row in rows])
            database.execute("COMMIT")
            new = database.total_changes - before
            self.counts.update(held=new, again=len(rows) - new)
            self.counts["seq"] = max([self.counts["seq"], *(row.seq for row in rows)])
            for row, token in receipts(rows, self._signer):
                self._client.publish(f"fenghuo/v1/{row.panel}/receipt", token, 1)
                self.counts["receipts"] += 1

    def _rows(self, message: bytes) -> Iterator[Row]:
        value = json.loads(message)
        for event in value if isinstance(value, list) else [value]:
            if row := _row(event["data"]):
                yield row
            else:
                self.counts["bad"] += 1


def _row(data: dict[str, Any]) -> Row | None:
    its = data["header"]
    header, payload = canonical(its), canonical(data["payload"])
    if sha256_hex(header) != data["hash"] or sha256_hex(payload) != its["payload_hash"]:
        return None
    place = its["panel"], its["journal"], its["seq"], its["lane"], its["lane_seq"]
    return Row(*place, header, payload, data["hash"], its["prev"])


def receipts(rows: Sequence[Row], signer: Signer) -> Iterator[tuple[Row, str]]:
    """The receipts for these records, each with one that it is about."""
    lanes: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        lanes.setdefault((row.panel, row.journal, row.lane), []).append(row)
    for (panel, journal, lane), held in lanes.items():
        spans = _ranges(sorted(set(held)))
        for start in range(0, len(spans), MAX_RANGES):
            ranges = [{"first": a, "last": z, "hash": hash_} for a, z, hash_ in spans[start : start + MAX_RANGES]]
            body = {"panel": panel, "journal": journal, "lane": lane, "ranges": ranges}
            yield held[0], signer.sign(RECEIPT, body)


def _ranges(held: Sequence[Row]) -> list[tuple[int, int, str]]:
    """First, last, and hash of the last, of each run of linked records; `held` is of one lane, in order."""
    found: list[tuple[int, int, str]] = []
    for row in held:
        if found and found[-1][1] == row.lane_seq - 1 and found[-1][2] == row.prev:
            found[-1] = found[-1][0], row.lane_seq, row.hash
        else:
            found.append((row.lane_seq, row.lane_seq, row.hash))
    return found


if __name__ == "__main__":
    _Center(int(sys.argv[1]), Path(sys.argv[2])).serve()
