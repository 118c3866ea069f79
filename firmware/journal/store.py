"""One journal file, open for writing: create it or open and check it, commit, tick, delivery ranges, close.

It knows nothing of other files: what to do when it fails is decided in `journal`. Used by one thread.
"""

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.journal.chain import BEGUN_KIND, CHECKPOINT_KIND, Chain, Prepared
from firmware.journal.check import DELIVERED, SESSION, StateRow, Tail, examine, mark_of, newest_receipt, receipt_hash
from firmware.journal.entries import LANES, Commit, Draft, Mark, Moment, Tip
from firmware.journal.ranges import Ranges
from firmware.journal.schema import (
    COMMIT_ONE,
    INSERT_RECORD,
    SAVE_STATE,
    Connect,
    create,
    prepare_step,
    prepare_writer,
)
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.jws import KeyRing, Signer
from firmware.protocol.typ import TICK
from rules.effects import JsonValue


def new_id() -> str:
    """The id of a new journal."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Terms:
    """What all journals of a panel have in common."""

    panel: str
    signer: Signer
    encode: Callable[[object], bytes]
    lane_of: Callable[[str], str]
    is_checkpoint: Callable[[str], bool]
    new_id: Callable[[], str] = new_id
    former: tuple[Ed25519PublicKey, ...] = ()

    def older_keys(self) -> KeyRing:
        """The ring for journals that are no longer written: the panel may have had another key then."""
        return KeyRing([self.signer.public, *self.former])

    def keys(self) -> KeyRing:
        """The ring that checks what the panel itself signed."""
        return KeyRing([self.signer.public])

    def sign_delivered(self, journal: str, lane: str, ranges: Ranges, receipt: str | None) -> str:
        """The signed delivery ranges of a lane, tied to the receipt that is kept beside them."""
        items: list[JsonValue] = [[first, last] for first, last in ranges.items]
        signed = {"panel": self.panel, "journal": journal, "lane": lane, "ranges": items}
        return self.signer.sign(DELIVERED, {**signed, "receipt": receipt_hash(receipt)})

    def chain(self, journal: str) -> Chain:
        """The builder of this journal's records."""
        return Chain(self.panel, journal, self.signer, self.encode, self.lane_of, self.is_checkpoint)


class Store:
    """An open journal file. Raises `sqlite3.Error` or `OSError` from every method that touches the file."""

    def __init__(self, terms: Terms, uri: str, connection: sqlite3.Connection, tail: Tail) -> None:
        """For `begin` and `reopen`."""
        self._terms = terms
        self._connection = connection
        self._chain = terms.chain(tail.journal)
        self._row = tail.state
        self.lived = tail.lived
        self._dirty: set[str] = set()
        self._receipts = dict(tail.receipts)
        self._step_ready = False
        self.uri = uri
        self.journal = tail.journal
        self.session = tail.session
        self.tip = tail.tip
        self.notes = tail.notes
        self.delivered: Mapping[str, Ranges] = {lane: tail.delivered.get(lane, Ranges()) for lane in LANES}

    @classmethod
    def begin(
        cls,
        terms: Terms,
        uri: str,
        connect: Connect,
        moment: Moment,
        session: int,
        begun: Mapping[str, JsonValue],
        state: bytes = b"",
        state_at: tuple[str, int, str] | None = None,
    ) -> "Store":
        """A new journal in an empty file: its first record is `journal.begun`, sealed by a checkpoint.

        `state` is carried over from the journal before, with the boot id, boot clock and UTC of when it was in force.
        """
        connection = connect(uri)
        try:
            prepare_writer(connection)
            journal = terms.new_id()
            at = state_at or (moment.boot, moment.monotonic_ms, moment.time)
            row = StateRow(0, *at, state, sha256_hex(state), None)
            store = cls(terms, uri, connection, Tail(journal, session, Tip(state_hash=row.state_hash), row, at))
            store._lay(moment, begun)
        except BaseException:
            connection.close()
            raise
        return store

    @classmethod
    def reopen(cls, terms: Terms, uri: str, connect: Connect) -> "Store":
        """Open a file and check its end. Raises `Unsound` too."""
        connection = connect(uri)
        try:
            tail = examine(connection, terms.panel, terms.keys())
            return cls(terms, uri, connection, tail)
        except BaseException:
            connection.close()
            raise

    def _lay(self, moment: Moment, begun: Mapping[str, JsonValue]) -> None:
        first = Draft(BEGUN_KIND, begun, moment.time, moment.clock, moment.boot, moment.monotonic_ms)
        one = self._chain.prepare(self.tip, [Commit((first,))])
        sealed = self._chain.prepare(one.tip, [Commit((self._chain.checkpoint(one.tip, moment),))])
        at = Moment(self._row.utc, moment.clock, self._row.boot, self._row.monotonic_ms)
        prepared = sealed._replace(rows=one.rows + sealed.rows, moment=at)
        with self._transaction():
            create(self._connection)
            self._connection.execute("INSERT INTO journal (id, jws) VALUES (1, ?)", (self._session_line(),))
            row = self._insert(prepared, lambda: moment)
        self._adopt(prepared, row)

    @property
    def receipts(self) -> Mapping[str, str]:
        """The newest receipt of each lane."""
        return self._receipts

    @property
    def state(self) -> bytes:
        """The state in the file."""
        return self._row.state

    def mark(self) -> Mark:
        """How far this file is durable."""
        return Mark(self.journal, self.tip.seq, self.tip.hash, self.tip.lanes)

    def start_writing(self, session: int) -> None:
        """Prepare a reopened file for writing, and note the session durably in it."""
        prepare_writer(self._connection)
        if session != self.session:
            self.session = session
            with self._transaction():
                self._connection.execute("UPDATE journal SET jws = ? WHERE id = 1", (self._session_line(),))

    def prepare(self, commits: Sequence[Commit]) -> Prepared:
        """The rows that `write` will write. Raises `ValueError` or `TypeError` for a draft that can't be encoded."""
        return self._chain.prepare(self.tip, commits)

    def write(self, prepared: Prepared, now: Callable[[], Moment]) -> None:
        """All of it in one transaction, durable on return. `now` is asked where there is no record in it."""
        if prepared.state is not None and len(prepared.rows) == 1 and not self._dirty:
            self._write_one(prepared, now)
            return
        self._begin()
        try:
            row = self._insert(prepared, now)
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._adopt(prepared, row)

    def _write_one(self, prepared: Prepared, now: Callable[[], Moment]) -> None:
        if not self._step_ready:
            prepare_step(self._connection)
            self._step_ready = True
        row = self._state_row(prepared, now)
        self._connection.execute(COMMIT_ONE, prepared.rows[0] + row)
        self._adopt(prepared, row)

    def seal(self, now: Moment) -> Prepared:
        """A commit that holds only a signed checkpoint of the tip."""
        return self.prepare([Commit((self._chain.checkpoint(self.tip, now),))])

    def sealed(self) -> bool:
        """Whether the last record is a checkpoint."""
        try:
            row = self.connection.execute("SELECT header FROM record WHERE seq = ?", (self.tip.seq,)).fetchone()
        except sqlite3.Error:
            return False
        return row is not None and json.loads(row[0])["kind"] == CHECKPOINT_KIND

    def vouch(self, seq: int, hash_: str, state_hash: str, time: str) -> Mapping[str, str | int]:
        """The members of a checkpoint for that record."""
        return self._chain.vouch(seq, hash_, state_hash, time)

    def sign(self, typ: str, payload: Mapping[str, JsonValue]) -> str:
        """Sign with the panel's key."""
        return self._terms.signer.sign(typ, payload)

    def receipt(self, lane: str, jws: str) -> None:
        """Keep the newest receipt of a lane; written with the next transaction."""
        self._receipts[lane] = newest_receipt(self._receipts.get(lane), jws)
        self._dirty.add(lane)

    def deliver(self, lane: str, ranges: Iterable[tuple[int, int]]) -> None:
        """Count these `lane_seq` as delivered; written with the next transaction. Raises `ValueError`."""
        capped = [(first, min(last, self.tip.lanes[lane])) for first, last in ranges]
        added = self.delivered[lane].add(item for item in capped if item[0] <= item[1])
        self.delivered = {**self.delivered, lane: added}  # never changed in place: readers hold the old one
        self._dirty.add(lane)

    @property
    def dirty(self) -> bool:
        """Whether delivery ranges or receipts wait to be written."""
        return bool(self._dirty)

    def flush(self) -> None:
        """Write waiting delivery ranges and receipts."""
        if self.dirty:
            with self._transaction():
                self._save_delivery()
            self._dirty.clear()

    def settle(self) -> None:
        """Move the log into the database and start it anew, so that all of it is synced once more.

        For a file in which a commit is found whose sync failed: the log may be right in the kernel's memory alone.
        """
        busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("the log can't be moved into the database: it is being read")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """For `retention`, `salvage` and snapshots, in the thread of the store."""
        return self._connection

    @contextlib.contextmanager
    def transaction(self, prepared: Prepared, now: Callable[[], Moment]) -> Iterator[None]:
        """What the block does and these records, in one transaction."""
        with self._transaction():
            yield
            row = self._insert(prepared, now)
        self._adopt(prepared, row)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._begin()
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def _roll_back(self) -> None:
        # The first error is the one that counts; the file is closed and checked after it anyway.
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _insert(self, prepared: Prepared, now: Callable[[], Moment]) -> StateRow:
        if prepared.rows:
            self._connection.executemany(INSERT_RECORD, prepared.rows)
        row = self._row
        if prepared.state is not None or not prepared.rows or not row.mark:
            # Records that leave the state as it was leave its row as it was too: their headers say the same.
            row = self._state_row(prepared, now)
            self._connection.execute(SAVE_STATE, row)
        if self._dirty:
            self._save_delivery()
        return row

    def _state_row(self, prepared: Prepared, now: Callable[[], Moment]) -> StateRow:
        state = self._row.state if prepared.state is None else prepared.state
        at = now() if prepared.moment is None else prepared.moment
        if prepared.state is None and self._row.boot and self._row.boot != at.boot:
            # Deadlines in that state count in its own boot: the moment changes only together with the state.
            at = Moment(self._row.utc, at.clock, self._row.boot, self._row.monotonic_ms)
        tip = prepared.tip
        tick = None if prepared.rows else self._tick(tip, at)
        seq, head, state_hash, _ = tip
        boot, monotonic_ms, utc = at.boot, at.monotonic_ms, at.time
        mark = mark_of(self.journal, head, seq, boot, monotonic_ms, utc, state_hash, tick)
        return StateRow(seq, boot, monotonic_ms, utc, state, state_hash, tick, mark)

    def _tick(self, tip: Tip, at: Moment | Draft) -> str:
        return self._terms.signer.sign(
            TICK,
            {
                "panel": self._terms.panel,
                "journal": self.journal,
                "seq": tip.seq,
                "state_hash": tip.state_hash,
                "boot": at.boot,
                "monotonic_ms": at.monotonic_ms,
            },
        )

    def _adopt(self, prepared: Prepared, row: StateRow) -> None:
        self.tip = prepared.tip
        self._row = row
        at = prepared.moment
        if at is not None and prepared.rows and at.boot == row.boot:
            self.lived = at.boot, at.monotonic_ms, at.time
        else:
            self.lived = row.boot, row.monotonic_ms, row.utc
        self._dirty.clear()

    def _save_delivery(self) -> None:
        for lane in sorted(self._dirty):
            receipt = self._receipts.get(lane)
            jws = self._terms.sign_delivered(self.journal, lane, self.delivered[lane], receipt)
            self._put("delivered", lane, jws)
            if receipt is not None:
                self._put("receipt", lane, receipt)

    def _put(self, table: str, lane: str, jws: str) -> None:
        self._connection.execute(
            f"INSERT INTO {table} (lane, jws) VALUES (?, ?) ON CONFLICT (lane) DO UPDATE SET jws = excluded.jws",  # noqa: S608
            (lane, jws),
        )

    def _session_line(self) -> str:
        return self._terms.signer.sign(
            SESSION, {"panel": self._terms.panel, "journal": self.journal, "session": self.session}
        )
