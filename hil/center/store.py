"""The center's store: one SQLite file with what panels sent, what was asked of them, and what does not fit.

A record is held once by (panel, journal, seq) and once by (panel, journal, lane, lane_seq). One that contradicts a
held record is kept beside it as a rival, until a signed heartbeat tells which of the two is the panel's.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.center.chain import Chain
from hil.center.reader import LinkIn, RecordIn

MAX_RIVALS = 1000
MAX_FINDINGS = 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS panels(panel TEXT PRIMARY KEY, x TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0,
  session INTEGER NOT NULL DEFAULT 0, beat INTEGER NOT NULL DEFAULT 0, nonce TEXT, nonce_before TEXT, heard TEXT);
CREATE TABLE IF NOT EXISTS records(panel TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
  lane TEXT NOT NULL, lane_seq INTEGER NOT NULL, kind TEXT NOT NULL, time TEXT NOT NULL, hash TEXT NOT NULL,
  prev TEXT NOT NULL, header TEXT NOT NULL, payload TEXT, stored INTEGER NOT NULL, arrived TEXT NOT NULL,
  PRIMARY KEY(panel, journal, seq), UNIQUE(panel, journal, lane, lane_seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rivals(panel TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
  header TEXT NOT NULL, payload TEXT, arrived TEXT NOT NULL, PRIMARY KEY(panel, journal, seq, hash)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS thumbnails(panel TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
  jpeg BLOB NOT NULL, PRIMARY KEY(panel, journal, seq));
CREATE TABLE IF NOT EXISTS heads(panel TEXT NOT NULL, journal TEXT NOT NULL, session INTEGER NOT NULL,
  seq INTEGER NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL, heard TEXT NOT NULL, PRIMARY KEY(panel, journal));
CREATE TABLE IF NOT EXISTS links(panel TEXT PRIMARY KEY, online INTEGER NOT NULL, a INTEGER NOT NULL,
  b INTEGER NOT NULL, c INTEGER NOT NULL, heard TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS states(panel TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS commands(panel TEXT NOT NULL, counter INTEGER NOT NULL, command TEXT NOT NULL,
  args TEXT NOT NULL, operator TEXT NOT NULL, sent TEXT NOT NULL, PRIMARY KEY(panel, counter));
CREATE TABLE IF NOT EXISTS replies(panel TEXT NOT NULL, counter INTEGER, body TEXT NOT NULL, heard TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS findings(id INTEGER PRIMARY KEY, at TEXT NOT NULL, panel TEXT NOT NULL, what TEXT NOT NULL,
  detail TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counts(panel TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(panel, name));
"""


class Store:
    """Opened by one center at a time for writing records; `fenghuo center arm` beside it only counts commands."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._chains: dict[tuple[str, str], Chain] = {}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed at once, or not at all; then the chains in memory are read anew."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                self._chains.clear()
                raise

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Run one statement; the number of rows it changed."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    # --- panels and their keys

    def register(self, panel: str, x: str) -> None:
        """Trust this key for the panel. Another key than before begins its heartbeats anew."""
        self.run(
            "INSERT INTO panels(panel, x) VALUES(?,?) ON CONFLICT(panel) DO UPDATE SET x=excluded.x,"
            " session=0, beat=0, nonce=NULL, nonce_before=NULL WHERE x<>excluded.x",
            panel,
            x,
        )

    def key(self, panel: str) -> str | None:
        """`x` of the panel's registered key."""
        rows = self.rows("SELECT x FROM panels WHERE panel=?", panel)
        return str(rows[0]["x"]) if rows else None

    def panels(self) -> list[str]:
        """All registered panels."""
        return [row["panel"] for row in self.rows("SELECT panel FROM panels ORDER BY panel")]

    # --- records

    def chain(self, panel: str, journal: str) -> Chain:
        """What is held of a journal, and where it is linked; kept in memory once read."""
        with self._lock:
            chain = self._chains.get((panel, journal))
            if chain is None:
                chain = self._chains[(panel, journal)] = Chain()
                for row in self._db.execute(
                    "SELECT seq, prev, hash FROM records WHERE panel=? AND journal=? ORDER BY seq", (panel, journal)
                ):
                    chain.add(row["seq"], row["prev"], row["hash"])
            return chain

    def put(self, record: RecordIn, arrived: str) -> str:
        """Keep a record; `new`, `duplicate`, `rival`, or `full` when too many contradict each other.

        Inside a `transaction`. A break that a new record shows becomes a finding.
        """
        header = record.header
        panel, journal, seq = header["panel"], header["journal"], header["seq"]
        chain = self.chain(panel, journal)
        what = self._insert(record, arrived) or self._insert_rival(record, arrived)
        if what == "new":
            for place in chain.add(seq, header["prev"], record.hash):
                self.find(
                    arrived, panel, "broken-link", f"journal {journal} seq {place}: prev is not the hash before it"
                )
        if what in ("new", "duplicate") and record.thumbnail is not None:
            self.run("INSERT OR IGNORE INTO thumbnails VALUES(?,?,?,?)", panel, journal, seq, record.thumbnail)
        return what

    def _insert(self, record: RecordIn, arrived: str) -> str:
        h = record.header
        columns = [h[name] for name in ("panel", "journal", "seq", "lane", "lane_seq", "kind", "time")]
        payload = None if record.payload is None else _text(record.payload)
        values = (*columns, record.hash, h["prev"], _text(h), payload, record.stored, arrived)
        if self.run(f"INSERT OR IGNORE INTO records VALUES({','.join('?' * 13)})", *values):
            return "new"
        same = self.rows(
            "SELECT 1 FROM records WHERE panel=? AND journal=? AND seq=? AND hash=?",
            h["panel"],
            h["journal"],
            h["seq"],
            record.hash,
        )
        return "duplicate" if same else ""

    def _insert_rival(self, record: RecordIn, arrived: str) -> str:
        h = record.header
        place = (h["panel"], h["journal"])
        if self.rows("SELECT COUNT(*) FROM rivals WHERE panel=? AND journal=?", *place)[0][0] >= MAX_RIVALS:
            return "full"
        payload = None if record.payload is None else _text(record.payload)
        values = (*place, h["seq"], record.hash, _text(h), payload, arrived)
        if self.run("INSERT OR IGNORE INTO rivals VALUES(?,?,?,?,?,?,?)", *values):
            detail = (
                f"journal {h['journal']} seq {h['seq']} lane {h['lane']} {h['lane_seq']}: another record is held there"
            )
            self.find(arrived, h["panel"], "rival", detail)
        return "rival"

    def settle(self, panel: str, journal: str, seq: int, own_hash: str) -> int:
        """Walk down from a record the panel vouched for; where a rival fits the chain and the held one does not, swap.

        Inside a `transaction`. Returns how many were swapped.
        """
        rivals = {
            (row["seq"], row["hash"]): row
            for row in self.rows("SELECT * FROM rivals WHERE panel=? AND journal=?", panel, journal)
        }
        lowest = min((place for place, _ in rivals), default=seq + 1)
        expected, swapped = own_hash, 0
        for at in range(seq, lowest - 1, -1):
            held = self.rows("SELECT * FROM records WHERE panel=? AND journal=? AND seq=?", panel, journal, at)
            if held and held[0]["hash"] == expected:
                expected = held[0]["prev"]
            elif (at, expected) in rivals:
                expected = self._swap(rivals[(at, expected)])
                swapped += 1
            else:
                break
        if swapped:
            self._chains.pop((panel, journal), None)
        return swapped

    def _swap(self, rival: sqlite3.Row) -> str:
        header = json.loads(rival["header"])
        place = (header["panel"], header["journal"])
        either = "panel=? AND journal=? AND (seq=? OR (lane=? AND lane_seq=?))"
        where = (*place, header["seq"], header["lane"], header["lane_seq"])
        columns = "panel, journal, seq, hash, header, payload, arrived"
        self.run(f"INSERT OR IGNORE INTO rivals SELECT {columns} FROM records WHERE {either}", *where)  # noqa: S608
        self.run(f"DELETE FROM records WHERE {either}", *where)  # noqa: S608
        self.run("DELETE FROM thumbnails WHERE panel=? AND journal=? AND seq=?", *place, header["seq"])
        self.run(
            "DELETE FROM rivals WHERE panel=? AND journal=? AND seq=? AND hash=?", *place, header["seq"], rival["hash"]
        )
        payload = json.loads(rival["payload"]) if rival["payload"] is not None else None
        self._insert(RecordIn(place[0], header, payload, rival["hash"], True, None), rival["arrived"])
        return str(header["prev"])

    # --- heartbeats, links, commands

    def beat(self, panel: str, beat: dict[str, Any], heard: str) -> str:
        """Keep a verified heartbeat; empty, or why it does not count (`stale`). Inside a `transaction`."""
        newest = (
            "UPDATE panels SET session=?, beat=?, nonce_before=nonce, nonce=?, heard=? WHERE panel=?"
            " AND (session<? OR (session=? AND beat<?))"
        )
        session, number = beat["session"], beat["beat"]
        if not self.run(newest, session, number, beat["nonce"], heard, panel, session, session, number):
            return "stale"
        before = self.rows("SELECT seq FROM heads WHERE panel=? AND journal=?", panel, beat["journal"])
        if before and beat["seq"] < before[0]["seq"]:
            detail = f"journal {beat['journal']} ends at seq {beat['seq']}, was at {before[0]['seq']} before"
            self.find(heard, panel, "rolled-back", detail)
        self.run(
            "INSERT OR REPLACE INTO heads VALUES(?,?,?,?,?,?,?)",
            *(panel, beat["journal"], session, beat["seq"], beat["hash"], _text(beat), heard),
        )
        self._check_head(panel, beat, heard)
        return ""

    def _check_head(self, panel: str, beat: dict[str, Any], heard: str) -> None:
        place = (panel, beat["journal"])
        if self.rows("SELECT 1 FROM rivals WHERE panel=? AND journal=? LIMIT 1", *place):
            self.settle(*place, beat["seq"], beat["hash"])
        held = self.rows("SELECT hash FROM records WHERE panel=? AND journal=? AND seq=?", *place, beat["seq"])
        if held and held[0]["hash"] != beat["hash"]:
            detail = f"journal {beat['journal']} seq {beat['seq']}: the panel vouches for another record than is held"
            self.find(heard, panel, "head-mismatch", detail)

    def link(self, link: LinkIn, heard: str) -> bool:
        """Keep a link message unless it is late: an older order than known, or online again in an order that ended."""
        rows = self.rows("SELECT * FROM links WHERE panel=?", link.panel)
        if rows:
            known = (rows[0]["a"], rows[0]["b"], rows[0]["c"])
            if link.order < known or (link.order == known and link.online and not rows[0]["online"]):
                return False
        self.run("INSERT OR REPLACE INTO links VALUES(?,?,?,?,?,?)", link.panel, link.online, *link.order, heard)
        return True

    def next_command(self, panel: str, command: str, args: dict[str, Any], operator: str, sent: str) -> tuple[int, str]:
        """The counter and nonce for a command, counted durably before it is sent; `LookupError` without a nonce."""
        with self.transaction():
            rows = self.rows("SELECT counter, nonce FROM panels WHERE panel=?", panel)
            if not rows or rows[0]["nonce"] is None:
                raise LookupError(f"no heartbeat of panel {panel} yet, so there is no fresh nonce")
            counter = rows[0]["counter"] + 1
            self.run("UPDATE panels SET counter=? WHERE panel=?", counter, panel)
            self.run("INSERT INTO commands VALUES(?,?,?,?,?,?)", panel, counter, command, _text(args), operator, sent)
            return counter, str(rows[0]["nonce"])

    # --- what does not fit

    def find(self, at: str, panel: str, what: str, detail: str) -> None:
        """Keep a finding; beyond `MAX_FINDINGS` only its count grows."""
        self.count(panel, f"finding.{what}")
        if self.rows("SELECT COUNT(*) FROM findings")[0][0] < MAX_FINDINGS:
            self.run("INSERT INTO findings(at, panel, what, detail) VALUES(?,?,?,?)", at, panel, what, detail[:500])

    def count(self, panel: str, name: str, by: int = 1) -> None:
        """Count something."""
        self.run("INSERT INTO counts VALUES(?,?,?) ON CONFLICT DO UPDATE SET n=n+excluded.n", panel, name, by)

    def counts(self) -> dict[str, int]:
        """All counters, added over the panels."""
        return {row[0]: row[1] for row in self.rows("SELECT name, SUM(n) FROM counts GROUP BY name ORDER BY name")}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
