"""A journal in memory with true records, hashes and delivery cursors: core's side of delivery without a disk.

For benches, fleets of panels in one process, and tests. It keeps everything, and forgets it all at
the end.
"""

import uuid
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from firmware.journal.entries import Mark
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.messages import JournalHead
from firmware.protocol.records import Header
from firmware.protocol.stored import GENESIS, StoredRecord
from rules.effects import JsonValue
from rules.vocabulary import CHAINED_LANES

LANES = tuple(lane.value for lane in CHAINED_LANES)
_STATE = sha256_hex(b"")


_TIME = "2026-03-14T23:09:26.123Z"


class _Lane:
    def __init__(self) -> None:
        self.records: list[StoredRecord] = []
        self.undelivered: list[int] = []


class MemoryJournal:
    """One panel's journals, oldest first; `begin` starts a new one, as after a corrupt file."""

    def __init__(self, panel: str) -> None:
        self.panel = panel
        self.receipts = 0
        self._journals: dict[str, dict[str, _Lane]] = {}
        self._prev = GENESIS
        self._seq = 0
        self._journal = ""
        self.begin()

    def begin(self) -> str:
        """A new journal; its id."""
        self._journal = str(uuid.uuid4())
        self._journals[self._journal] = {lane: _Lane() for lane in LANES}
        self._prev, self._seq = GENESIS, 0
        return self._journal

    def append(
        self, lane: str, kind: str, payload: Mapping[str, JsonValue], time_ms: int = 0, time: str = _TIME
    ) -> StoredRecord:
        """Record an event; durable at once."""
        its = self._journals[self._journal][lane]
        self._seq += 1
        body = canonical(payload)
        header = Header(
            panel=self.panel,
            journal=self._journal,
            seq=self._seq,
            lane=lane,
            lane_seq=len(its.records) + 1,
            boot="memory",
            time=time,
            clock="synchronised",
            monotonic_ms=time_ms,
            kind=kind,
            payload_hash=sha256_hex(body),
            state_hash=_STATE,
            prev=self._prev,
        )
        bytes_ = canonical(header.model_dump())
        record = StoredRecord(self._seq, lane, header.lane_seq, bytes_, body, sha256_hex(bytes_))
        self._prev = record.hash
        its.records.append(record)
        its.undelivered.append(record.lane_seq)
        return record

    def records(self) -> list[tuple[str, StoredRecord]]:
        """Everything: journal and record."""
        return [
            (journal, record)
            for journal, lanes in self._journals.items()
            for its in lanes.values()
            for record in its.records
        ]

    def durable(self) -> Mark:
        """The durable mark: the last record of the newest journal."""
        lanes = {lane: len(its.records) for lane, its in self._journals[self._journal].items()}
        return Mark(self._journal, self._seq, self._prev, lanes)

    def undelivered(self) -> int:
        """How many have no receipt."""
        return sum(len(its.undelivered) for lanes in self._journals.values() for its in lanes.values())

    # --- firmware.core.delivery.JournalReader ------------------------------------------------------

    def heads(self) -> Sequence[JournalHead]:
        """How far each journal reaches."""
        return [
            JournalHead(
                journal=journal,
                last={lane: len(its.records) for lane, its in lanes.items()},
                first_undelivered={
                    lane: its.undelivered[0] if its.undelivered else len(its.records) + 1 for lane, its in lanes.items()
                },
            )
            for journal, lanes in self._journals.items()
        ]

    def pull(
        self, journal: str, lane: str, first: int, last: int, limit: int, max_bytes: int, again: bool = False
    ) -> tuple[list[StoredRecord], int]:
        """Undelivered records of a range (`again`: all), and where to go on."""
        its = self._journals[journal][lane]
        found: list[StoredRecord] = []
        size = 0
        at = bisect_left(its.undelivered, first)
        numbers = range(first, len(its.records) + 1) if again else its.undelivered[at : at + limit + 1]
        for number in numbers:
            if number > last:
                break
            record = its.records[number - 1]
            size += record.size()
            if len(found) == limit or (found and size > max_bytes):
                return found, number
            found.append(record)
        return found, last + 1

    def hash_of(self, journal: str, lane: str, lane_seq: int) -> str | None:
        """The hash of one record."""
        records = self._journals[journal][lane].records
        return records[lane_seq - 1].hash if 1 <= lane_seq <= len(records) else None

    def mark(self, journal: str, lane: str, ranges: Sequence[tuple[int, int]], _receipt: str) -> None:
        """Keep as delivered."""
        self.receipts += 1
        its = self._journals[journal][lane]
        for first, last in ranges:
            del its.undelivered[bisect_left(its.undelivered, first) : bisect_left(its.undelivered, last + 1)]
