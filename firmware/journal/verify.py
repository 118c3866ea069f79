"""Proves a journal file as a whole: any altered record or state, missing row, wrong order or cut tail.

It reads only, holds one row at a time, and says of each finding where it is, what was found and what was expected. What
it can't see by the file alone (a file put back as a whole) shows against `seen`, what the center holds.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from firmware.journal.chain import BASE_KIND, CHECKPOINT_KIND, KEYS_KIND
from firmware.journal.check import (
    SELECT,
    UNSIGNED,
    StoredRow,
    Unsound,
    check_format,
    header_of,
    link_faults,
    open_base,
    read_base,
    read_delivered,
    read_session,
    read_state,
    row_faults,
    state_faults,
)
from firmware.journal.entries import LANES
from firmware.journal.schema import companions, connect, file_uri, frozen_uri
from firmware.journal.texts import FINDINGS
from firmware.language import Text
from firmware.protocol.jws import KeyRing, Refused, kid_of
from firmware.protocol.signed import Receipt, read_checkpoint, read_receipt
from firmware.protocol.stored import GENESIS

MAX_FINDINGS = 1000
"""Findings kept; further ones are only counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `seq` 0: not of one record. `code` is a name of `texts.FINDINGS`."""

    code: str
    seq: int
    found: str
    expected: str

    @property
    def text(self) -> Text:
        """What it means, in English and Chinese."""
        return FINDINGS[self.code]


@dataclass
class Report:
    """What the check of one file gave."""

    path: Path
    journal: str = ""
    panel: str = ""
    records: int = 0
    first: int = 0
    last: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def add(self, code: str, seq: int, found: object, expected: object) -> None:
        """Note a finding."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, seq, str(found)[:200], str(expected)[:200]))
        else:
            self.more += 1


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that harms nothing: beside a process that has the file open, else without locks or new files.

    Raises `sqlite3.Error` or `OSError`. Not for a file that this very process writes: give those a snapshot.
    """
    path.stat()
    if companions(path)[2].exists():
        # An index beside the file: a writer may live. The ordinary way honours its locks, and needs no right to write.
        with contextlib.suppress(sqlite3.Error):
            connection = connect(file_uri(path, "ro"))
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            return connection
    return connect(frozen_uri(path))


def verify(
    path: Path,
    public_key: Ed25519PublicKey,
    receipt_keys: KeyRing | None = None,
    seen: Sequence[Mapping[str, Any]] | None = None,
    former: Sequence[Ed25519PublicKey] = (),
) -> Report:
    """Check a whole journal file; never raises for what is in it.

    `former`: keys that the panel had before. `receipt_keys`: the center's, to check kept receipts. `seen`: what the
    center holds, each with `journal`, `seq` and `hash`.
    """
    report = Report(path)
    try:
        with contextlib.closing(open_to_read(path)) as connection:
            connection.execute("BEGIN")
            _Check(connection, KeyRing([public_key, *former]), receipt_keys, seen or (), report).run()
    except Unsound as unsound:
        report.add(unsound.reason if unsound.reason in FINDINGS else "file", 0, unsound.detail, "a journal")
    except (sqlite3.Error, OSError) as error:
        report.add("file", 0, f"{type(error).__name__}: {error}", "a readable journal")
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        report.add("file", 0, f"{type(error).__name__}: {error}", "values of the right types")
    return report


class _Check:
    """One walk over one file."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        keys: KeyRing,
        receipt_keys: KeyRing | None,
        seen: Sequence[Mapping[str, Any]],
        report: Report,
    ) -> None:
        self.connection = connection
        self.keys = keys
        self.receipt_keys = receipt_keys
        self.seen = seen
        self.report = report
        self.lanes: dict[str, int] = dict.fromkeys(LANES, 0)
        self.expired = 0
        self.gone: list[int] = []
        self.exchanged: set[str] = set()
        """Ids of receipt keys that counted instead of the panel file's: only the ids are in the journal."""
        self.last: StoredRow | None = None
        self.state_record: StoredRow | None = None

    def run(self) -> None:
        check_format(self.connection)
        session = read_session(self.connection, self.keys)
        self.report.journal, self.report.panel = str(session["journal"]), str(session["panel"])
        self._pages()
        if session.get("salvaged"):
            # Records rescued from a broken file: no state, and gaps that are findings of their own.
            self._rows(None, 0)
            return
        base = read_base(self.connection, self.report.panel, self.report.journal, self.keys)
        state = read_state(self.connection)
        self._rows(base, state.seq)
        if self.last is None:
            self.report.add("empty", 0, "0 records", "at least one")
            return
        for code, found, expected in state_faults(
            state, self.report.journal, self.state_record, self.last, self.report.panel, self.keys
        ):
            self.report.add(code, state.seq, found, expected)
        for seq in self.gone:
            if seq > self.expired:
                self.report.add("payload-missing", seq, "no payload", "the payload that its hash names")
        self._delivered()
        self._receipts()
        self._seen()

    def _pages(self) -> None:
        try:
            for (line,) in self.connection.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    self.report.add("page", 0, line, "ok")
        except sqlite3.Error as error:
            self.report.add("page", 0, error, "ok")

    def _rows(self, base: dict[str, Any] | None, state_seq: int) -> None:
        before = (0, GENESIS)
        if base is not None:
            before = (int(base["seq"]), str(base["hash"]))
            self.lanes.update({lane: int(base["lanes"][lane]) for lane in LANES})
            self.expired = int(base["expired"])
        based = base is None
        for row in self._read():
            if not self.report.records:
                self.report.first = row[0]
                if row[0] != before[0] + 1:
                    self.report.add("front", row[0], f"the first record is {row[0]}", f"{before[0] + 1}")
                    before = (row[0] - 1, str((header_of(row) or {}).get("prev")))
                    self._lanes_from_file()
            based = self._row(row, before, base) or based
            if row[0] == state_seq:
                self.state_record = row
            before = (row[0], str(row[5]))
            self.last = row
            self.report.records += 1
            self.report.last = row[0]
        if not based:
            self.report.add("base", 0, "no journal.base record holds the base", "the record that it came with")

    def _read(self) -> Iterator[StoredRow]:
        """All rows by their number; a page that can't be read is a finding, and the walk goes on behind it."""
        after, step = -1, 0
        while True:
            try:
                for row in self.connection.execute(f"{SELECT} WHERE seq > ? ORDER BY seq", (after,)):
                    yield row
                    after, step = row[0], 0
                return
            except sqlite3.Error as error:
                self.report.add("page", after + 1, str(error), "a readable record")
                step = max(1, 2 * step)
                after += step
                if step > 2**40:
                    return

    def _lanes_from_file(self) -> None:
        """After a removed front only the lanes' own numbers tell where they go on."""
        for lane in LANES:
            query = "SELECT min(lane_seq) FROM record WHERE lane = ?"
            first = self.connection.execute(query, (lane,)).fetchone()[0]
            self.lanes[lane] = int(first or 1) - 1

    def _row(self, row: StoredRow, before: tuple[int, str], base: dict[str, Any] | None) -> bool:
        """Check one row; whether it is the record of the base."""
        report = self.report
        for code, found, expected in row_faults(row, report.panel, report.journal, strict=True):
            report.add(code, row[0], found, expected)
        for code, found, expected in link_faults(row, *before):
            report.add(code, row[0], found, expected)
        if row[1] not in self.lanes:
            report.add("lane", row[0], f"lane {row[1]!r}", f"one of {', '.join(LANES)}")
        elif row[2] != self.lanes[row[1]] + 1:
            report.add("lane", row[0], f"{row[1]} {row[2]}", f"{row[1]} {self.lanes[row[1]] + 1}")
        self.lanes[row[1]] = row[2]
        if row[4] is None:
            self.gone.append(row[0])
            return False
        header = header_of(row) or {}
        if header.get("kind") == CHECKPOINT_KIND:
            self._checkpoint(row, before)
        elif header.get("kind") == KEYS_KIND:
            self.exchanged.update(_texts(row[4], "receipt"))
        elif header.get("kind") == BASE_KIND:
            return self._base(row, base)
        return False

    def _checkpoint(self, row: StoredRow, before: tuple[int, str]) -> None:
        report = self.report
        try:
            signed = read_checkpoint(self.keys, json.loads(row[4])["jws"])
        except (Refused, ValueError, KeyError, TypeError, ValidationError) as error:
            report.add("checkpoint", row[0], error, "a checkpoint signed by the panel")
            return
        stands = (report.panel, report.journal, *before)
        if (signed.panel, signed.journal, signed.seq, signed.hash) != stands:
            report.add("checkpoint", row[0], f"record {before[0]} {before[1]}", f"{signed.seq} {signed.hash}")
            return
        report.checkpoints += 1

    def _base(self, row: StoredRow, base: dict[str, Any] | None) -> bool:
        try:
            signed = open_base(json.loads(row[4])["jws"], self.report.panel, self.report.journal, self.keys)
        except (Unsound, ValueError, KeyError, TypeError) as error:
            self.report.add("base", row[0], error, "a base signed by the panel")
            return False
        self.expired = max(self.expired, int(signed["expired"]))
        return signed == base

    def _delivered(self) -> None:
        good, bad = read_delivered(self.connection, self.report.panel, self.report.journal, self.keys)
        for lane, why in bad:
            self.report.add("delivered", 0, f"lane {lane}: {why}", "ranges signed by the panel")
        for lane in {str(lane) for (lane,) in self.connection.execute("SELECT lane FROM receipt")} - good.keys():
            self.report.add("delivered", 0, f"lane {lane}: a receipt, and no ranges", "ranges signed by the panel")
        for lane, ranges in good.items():
            if ranges.highest() > self.lanes.get(lane, 0):
                self.report.add("cut", 0, f"lane {lane} ends at {self.lanes.get(lane, 0)}", f"{ranges.highest()}")

    def _receipts(self) -> None:
        for lane, jws in self.connection.execute("SELECT lane, jws FROM receipt ORDER BY lane").fetchall():
            if self.receipt_keys is None or jws.startswith(UNSIGNED):
                continue
            try:
                receipt = read_receipt(self.receipt_keys, jws)
            except (Refused, ValidationError, TypeError) as refused:
                if isinstance(refused, Refused) and refused.reason == "unknown-key" and kid_of(jws) in self.exchanged:
                    continue  # the panel, which knew that key, has signed for what it delivers
                self.report.add("receipt", 0, f"lane {lane}: {refused}", "a receipt signed by the center")
                continue
            self._receipt(lane, receipt)

    def _receipt(self, lane: str, receipt: Receipt) -> None:
        stands = (self.report.panel, self.report.journal, lane)
        if (receipt.panel, receipt.journal, receipt.lane) != stands:
            self.report.add("receipt", 0, f"{receipt.panel} {receipt.journal} {receipt.lane}", " ".join(stands))
            return
        for span in receipt.ranges:
            query = "SELECT seq, hash FROM record WHERE lane = ? AND lane_seq = ?"
            found = self.connection.execute(query, (lane, span.last)).fetchone()
            if found is None and span.last > self.lanes.get(lane, 0):
                self.report.add("cut", 0, f"lane {lane} ends at {self.lanes.get(lane, 0)}", f"{span.last}, receipted")
            elif found is not None and found[1] != span.hash:
                self.report.add("receipt", found[0], found[1], span.hash)

    def _seen(self) -> None:
        for item in self.seen:
            if item["journal"] != self.report.journal:
                continue
            seq, hash_ = int(item["seq"]), str(item["hash"])
            if seq > self.report.last:
                self.report.add("cut", seq, f"the last record is {self.report.last}", f"record {seq} at the center")
            elif seq >= self.report.first:
                found = self.connection.execute("SELECT hash FROM record WHERE seq = ?", (seq,)).fetchone()
                if found is None or found[0] != hash_:
                    self.report.add("seen", seq, found[0] if found else "no record", hash_)


def _texts(payload: bytes, member: str) -> list[str]:
    """The texts of a list in a payload; what is none is left out."""
    try:
        found = json.loads(payload)[member]
    except (ValueError, KeyError, TypeError):
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
