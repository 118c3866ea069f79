"""The durable records of a simulated panel as core's delivery reads them (`firmware.core.delivery.JournalReader`)."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from firmware.journal.chain import Row
from firmware.journal.entries import LANES
from firmware.journal.ranges import Ranges
from firmware.protocol.messages import JournalHead
from firmware.protocol.stored import StoredRecord


class Shelf:
    """One journal: its records by lane, and which of them are delivered, as of now and as written."""

    def __init__(self, journal: str) -> None:
        self.journal = journal
        self._lanes: dict[str, list[StoredRecord]] = {lane: [] for lane in LANES}
        self._delivered: dict[str, Ranges] = dict.fromkeys(LANES, Ranges())
        self._written = self._delivered
        self._head: JournalHead | None = None

    # --- the disk's side

    def add(self, rows: Iterable[Row]) -> None:
        """These records are durable."""
        self._head = None
        for row in rows:
            self._lanes[row[1]].append(StoredRecord(*row))

    def told(self, row: Row) -> tuple[int, str, str, Any]:
        """Number, lane, kind and payload of a record, read from its bytes."""
        seq, lane, _, header, payload, _ = row
        kind = header[header.index(b'"kind":"') + 8 :].split(b'"', 1)[0].decode()
        return seq, lane, kind, json.loads(payload)

    def deliver(self, lane: str, ranges: Iterable[tuple[int, int]]) -> None:
        """The center holds these."""
        self._head = None
        self._delivered = {**self._delivered, lane: self._delivered[lane].add(ranges)}

    def flush(self) -> None:
        """What is delivered is written."""
        self._written = self._delivered

    def forget(self) -> None:
        """A crash: only what was written counts."""
        self._head = None
        self._delivered = self._written

    # --- firmware.core.delivery.JournalReader

    def heads(self) -> Sequence[JournalHead]:
        """How far the journal reaches."""
        if self._head is None:
            self._head = JournalHead(
                journal=self.journal,
                last={lane: len(records) for lane, records in self._lanes.items()},
                first_undelivered={lane: ranges.first_missing() for lane, ranges in self._delivered.items()},
            )
        return [self._head]

    def pull(
        self, journal: str, lane: str, first: int, last: int, limit: int, max_bytes: int
    ) -> tuple[list[StoredRecord], int]:
        """Undelivered records of a range, and where to go on."""
        found: list[StoredRecord] = []
        size = 0
        records = self._lanes[lane] if journal == self.journal else []
        for low, high in self._delivered[lane].gaps(first, min(last, len(records))):
            for number in range(low, high + 1):
                record = records[number - 1]
                size += record.size()
                if len(found) == limit or (found and size > max_bytes):
                    return found, number
                found.append(record)
        return found, last + 1

    def hash_of(self, journal: str, lane: str, lane_seq: int) -> str | None:
        """The hash of one record, None when there is none."""
        records = self._lanes[lane] if journal == self.journal else []
        return records[lane_seq - 1].hash if 1 <= lane_seq <= len(records) else None
