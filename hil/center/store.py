"""The center's store: one SQLite file with what panels sent, what was asked of them, and what does not fit.

A record is held once by (panel, journal, seq) and once by (panel, journal, lane, lane_seq). One that contradicts a
held record is kept beside it as a rival, until a signed heartbeat tells which of the two is the panel's.
"""

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.center.chain import Chain
from hil.center.reader import LinkIn, RecordIn

MAX_RIVALS = 1000
MAX_FINDINGS = 10_000
MAX_FINDINGS_OF_ONE = 1000
"""Of one panel: more are only counted."""
MAX_REPLIES = 1000
"""Of one panel: the oldest give way."""
MAX_JOURNALS = 256
"""Of one panel: a new one comes with each lost disk."""
MAX_STEPS = 10_000
MAX_CHAINS = 4096
MAX_RUNS = 1_000_000
"""Runs of all chains in memory, some 250 bytes each. The chains that rested longest are read anew when needed."""
QUOTA_BYTES = 4 * 1024**3
"""Of one panel: some five million records."""

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
CREATE TABLE IF NOT EXISTS sizes(panel TEXT PRIMARY KEY, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS bases(panel TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY(panel, journal));
CREATE TABLE IF NOT EXISTS vouched(panel TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(panel, journal));
CREATE TABLE IF NOT EXISTS alarms(panel TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
  incident INTEGER, zone TEXT NOT NULL, areas TEXT NOT NULL, time TEXT NOT NULL, arrived TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '', acknowledged TEXT, operator TEXT, PRIMARY KEY(panel, journal, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open_alarms ON alarms(panel, arrived) WHERE acknowledged IS NULL;
CREATE INDEX IF NOT EXISTS replies_of ON replies(panel, counter);
CREATE TABLE IF NOT EXISTS findings(id INTEGER PRIMARY KEY, at TEXT NOT NULL, panel TEXT NOT NULL, what TEXT NOT NULL,
  detail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS findings_of ON findings(panel, what);
CREATE TABLE IF NOT EXISTS counts(panel TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(panel, name));
"""


class Store:
    """Opened by one center at a time for writing records; `fenghuo center arm` beside it only counts commands."""

    def __init__(self, path: Path, quota: int = QUOTA_BYTES, shared: bool = False) -> None:
        """`quota`: bytes of one panel's records; what would go beyond is not kept, and so not receipted.

        `shared`: others write records too, so a chain in memory counts only until one of them commits.
        """
        self._shared = shared
        self._version = 0
        self._quota = quota
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._most_journals: dict[str, int] = {}
        self._chains: OrderedDict[tuple[str, str], Chain] = OrderedDict()

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

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Nothing changes while several things are looked at, chains among them."""
        with self._lock:
            yield

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
        """What is held of a journal, and where it is linked; kept in memory once read, within `MAX_CHAINS`."""
        with self._lock:
            if self._shared and self._changed_by_others():
                self._chains.clear()
            chain = self._chains.get((panel, journal))
            if chain is None:
                chain = self._chains[(panel, journal)] = self._read_chain(panel, journal)
                self._rest_chains()
            self._chains.move_to_end((panel, journal))
            return chain

    def _changed_by_others(self) -> bool:
        before, self._version = self._version, self._db.execute("PRAGMA data_version").fetchone()[0]
        return before != self._version

    def _read_chain(self, panel: str, journal: str) -> Chain:
        chain = Chain()
        for base in self.rows("SELECT seq, hash FROM bases WHERE panel=? AND journal=?", panel, journal):
            chain.rebase(base["seq"], base["hash"])
        records = "SELECT seq, prev, hash FROM records WHERE panel=? AND journal=? ORDER BY seq"
        for row in self._db.execute(records, (panel, journal)):
            chain.add(row["seq"], row["prev"], row["hash"])
        return chain

    def _rest_chains(self) -> None:
        runs = sum(len(chain.runs) for chain in self._chains.values())
        while len(self._chains) > MAX_CHAINS or (runs > MAX_RUNS and len(self._chains) > 1):
            _, rested = self._chains.popitem(last=False)
            runs -= len(rested.runs)

    def rebase(self, panel: str, journal: str, seq: int, own_hash: str) -> None:
        """Keep that a journal begins behind this record, as the panel signed. Inside a `transaction`."""
        newer = "INSERT INTO bases VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET seq=excluded.seq, hash=excluded.hash"
        self.run(f"{newer} WHERE excluded.seq>seq", panel, journal, seq, own_hash)
        if (chain := self._chains.get((panel, journal))) is not None:
            chain.rebase(seq, own_hash)

    def vouch(self, panel: str, journal: str, seq: int) -> None:
        """Keep that the panel signed for the chain up to this record."""
        higher = "INSERT INTO vouched VALUES(?,?,?) ON CONFLICT DO UPDATE SET seq=MAX(seq, excluded.seq)"
        self.run(higher, panel, journal, seq)

    def put(self, record: RecordIn, arrived: str) -> str:
        """Keep a record; `new`, `duplicate`, `rival`, or `full` when too many contradict each other or take too much.

        Inside a `transaction`. A break that a new record shows becomes a finding.
        """
        header = record.header
        panel, journal, seq = header["panel"], header["journal"], header["seq"]
        chain = self.chain(panel, journal)
        what = self._room(record, chain, arrived) or self.take(record, arrived)
        if what == "new":
            for place in chain.add(seq, header["prev"], record.hash):
                self.find(
                    arrived, panel, "broken-link", f"journal {journal} seq {place}: prev is not the hash before it"
                )
        return what

    def take(self, record: RecordIn, arrived: str) -> str:
        """Keep a record by itself; `new`, `duplicate`, `rival` or `full`. Inside a `transaction`.

        Neither linked nor held against the quota: for consumers beside each other, of which none sees the whole chain.
        """
        what = self._insert(record, arrived) or self._insert_rival(record, arrived)
        if what in ("new", "duplicate") and record.thumbnail is not None:
            place = (record.panel, record.header["journal"], record.header["seq"])
            self.run("INSERT OR IGNORE INTO thumbnails VALUES(?,?,?,?)", *place, record.thumbnail)
        return what

    def _room(self, record: RecordIn, chain: Chain, arrived: str) -> str:
        """`full` where this panel may keep no more; what is held already is a duplicate all the same."""
        panel, journal = record.panel, record.header["journal"]
        if chain.run_of(record.header["seq"]) is not None:
            return ""
        size = record.size()
        grown = (
            "INSERT INTO sizes VALUES(?,?) ON CONFLICT DO UPDATE SET bytes=bytes+excluded.bytes"
            " WHERE bytes+excluded.bytes<=?"
        )
        if size > self._quota or not self.run(grown, panel, size, self._quota):
            self.find(arrived, panel, "quota", f"{self._quota} bytes of records are held: no more is kept", once=True)
            return "full"
        if chain.held == 0 and self._journals(panel) >= MAX_JOURNALS:
            self.find(arrived, panel, "journals", f"{MAX_JOURNALS} journals are held: {journal} is not", once=True)
            return "full"
        return ""

    def _journals(self, panel: str) -> int:
        """How many journals of a panel are held; never fewer than before."""
        if self._most_journals.get(panel, 0) < MAX_JOURNALS:
            self._most_journals[panel] = self._count_journals(panel)
        return self._most_journals[panel]

    def _count_journals(self, panel: str) -> int:
        # Stepping over the key's second member: the records themselves are not counted.
        steps = (
            "WITH RECURSIVE j(journal) AS (SELECT MIN(journal) FROM records WHERE panel=?1 UNION ALL"
            " SELECT (SELECT MIN(journal) FROM records WHERE panel=?1 AND journal>j.journal) FROM j"
            " WHERE j.journal IS NOT NULL) SELECT COUNT(journal) FROM j"
        )
        return int(self.rows(steps, panel)[0][0])

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

        Inside a `transaction`. Returns how many were swapped; after `MAX_STEPS` the next heartbeat goes on.
        """
        rivals = {
            (row["seq"], row["hash"]): row
            for row in self.rows("SELECT * FROM rivals WHERE panel=? AND journal=?", panel, journal)
        }
        lowest = min((place for place, _ in rivals), default=seq + 1)
        expected, swapped, at, steps = own_hash, 0, seq, 0
        while at >= lowest and steps < MAX_STEPS:
            held = self.rows("SELECT prev, hash FROM records WHERE panel=? AND journal=? AND seq=?", panel, journal, at)
            if held and held[0]["hash"] == expected:
                # What is linked needs no second look; after a swap that is known only when the chain is read anew.
                run = None if swapped else self.chain(panel, journal).run_of(at)
                expected, at = (run.prev, run.first - 1) if run else (held[0]["prev"], at - 1)
            elif (at, expected) in rivals:
                expected, at = self._swap(rivals[(at, expected)]), at - 1
                swapped += 1
            else:
                break
            steps += 1
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
        """Keep a verified heartbeat; empty, or why it does not count: `stale`, `too-many-journals`.

        Inside a `transaction`.
        """
        newest = (
            "UPDATE panels SET session=?, beat=?, nonce_before=nonce, nonce=?, heard=? WHERE panel=?"
            " AND (session<? OR (session=? AND beat<?))"
        )
        session, number = beat["session"], beat["beat"]
        if not self.run(newest, session, number, beat["nonce"], heard, panel, session, session, number):
            return "stale"
        if self._too_many_heads(panel, beat["journal"]):
            return "too-many-journals"
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

    def _too_many_heads(self, panel: str, journal: str) -> bool:
        others = self.rows("SELECT COUNT(*) FROM heads WHERE panel=? AND journal<>?", panel, journal)[0][0]
        return int(others) >= MAX_JOURNALS

    def _check_head(self, panel: str, beat: dict[str, Any], heard: str) -> None:
        place = (panel, beat["journal"])
        if self.rows("SELECT 1 FROM rivals WHERE panel=? AND journal=? LIMIT 1", *place):
            self.settle(*place, beat["seq"], beat["hash"])
        held = self.rows("SELECT hash FROM records WHERE panel=? AND journal=? AND seq=?", *place, beat["seq"])
        if held and held[0]["hash"] != beat["hash"]:
            detail = f"journal {beat['journal']} seq {beat['seq']}: the panel vouches for another record than is held"
            self.find(heard, panel, "head-mismatch", detail)
        elif held:
            self.vouch(*place, beat["seq"])

    def reply(self, panel: str, body: dict[str, Any], heard: str) -> None:
        """Keep a verified reply; beyond `MAX_REPLIES` the oldest go."""
        self.run("INSERT INTO replies VALUES(?,?,?,?)", panel, body.get("counter"), _text(body), heard)
        oldest = "SELECT rowid FROM replies WHERE panel=? ORDER BY rowid DESC LIMIT 1 OFFSET ?"
        self.run(f"DELETE FROM replies WHERE panel=? AND rowid<=({oldest})", panel, panel, MAX_REPLIES)  # noqa: S608

    def link(self, link: LinkIn, heard: str, path: str = "") -> bool:
        """Keep a link message unless it is late: an older order than known, or online again in an order that ended.

        `path`: empty for the panel's first one, else `second` …
        """
        place = f"{link.panel}/{path}" if path else link.panel
        rows = self.rows("SELECT * FROM links WHERE panel=?", place)
        if rows:
            known = (rows[0]["a"], rows[0]["b"], rows[0]["c"])
            if link.order < known or (link.order == known and link.online and not rows[0]["online"]):
                return False
        self.run("INSERT OR REPLACE INTO links VALUES(?,?,?,?,?,?)", place, link.online, *link.order, heard)
        return True

    def online(self, panel: str) -> bool | None:
        """Whether one of the panel's paths is online, None when none was ever heard."""
        rows = self.rows("SELECT MAX(online) FROM links WHERE panel=? OR panel LIKE ?||'/%'", panel, panel)
        return None if rows[0][0] is None else bool(rows[0][0])

    def next_command(
        self, panel: str, command: str, args: dict[str, Any], operator: str, sent: str, nonce: str | None = None
    ) -> tuple[int, str]:
        """The counter and nonce for a command, counted durably before it is sent; `LookupError` without a nonce.

        `nonce`: of a heartbeat that is newer than those kept here.
        """
        with self.transaction():
            rows = self.rows("SELECT counter, nonce FROM panels WHERE panel=?", panel)
            if not rows or (nonce or rows[0]["nonce"]) is None:
                raise LookupError(f"no heartbeat of panel {panel} yet, so there is no fresh nonce")
            counter = rows[0]["counter"] + 1
            self.run("UPDATE panels SET counter=? WHERE panel=?", counter, panel)
            self.run("INSERT INTO commands VALUES(?,?,?,?,?,?)", panel, counter, command, _text(args), operator, sent)
            return counter, nonce or str(rows[0]["nonce"])

    # --- what does not fit

    def find(self, at: str, panel: str, what: str, detail: str, once: bool = False) -> None:
        """Keep a finding; beyond `MAX_FINDINGS` only its count grows. `once`: one of the kind and panel is kept."""
        self.count(panel, f"finding.{what}")
        all_of = self.rows("SELECT COUNT(*) FROM findings")[0][0]
        own = self.rows("SELECT COUNT(*), COALESCE(SUM(what=?), 0) FROM findings WHERE panel=?", what, panel)[0]
        if all_of < MAX_FINDINGS and own[0] < MAX_FINDINGS_OF_ONE and not (once and own[1]):
            self.run("INSERT INTO findings(at, panel, what, detail) VALUES(?,?,?,?)", at, panel, what, detail[:500])

    def count(self, panel: str, name: str, by: int = 1) -> None:
        """Count something."""
        self.run("INSERT INTO counts VALUES(?,?,?) ON CONFLICT DO UPDATE SET n=n+excluded.n", panel, name, by)

    def counts(self) -> dict[str, int]:
        """All counters, added over the panels."""
        return {row[0]: row[1] for row in self.rows("SELECT name, SUM(n) FROM counts GROUP BY name ORDER BY name")}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
