"""Records for a played panel, right by default: hashes, links and numbers as a real journal makes them."""

from typing import Any
from uuid import uuid4

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.records import Header, Record, record_hash
from firmware.protocol.stored import GENESIS

NOW = "2026-03-14T23:09:26.123Z"
LANES = ("alarm", "status", "evidence")


class Journal:
    """Records with right hashes and links."""

    def __init__(self, panel: str, journal: str | None = None, time: str = NOW) -> None:
        self.panel = panel
        self.id = journal or str(uuid4())
        self.records: list[Record] = []
        self.lanes = dict.fromkeys(LANES, 0)
        self._time = time

    def add(self, kind: str, lane: str, payload: dict[str, Any] | None = None) -> Record:
        """The next record."""
        body = payload if payload is not None else {"zone": f"z{len(self.records)}"}
        self.lanes[lane] += 1
        header = Header(
            panel=self.panel,
            journal=self.id,
            seq=len(self.records) + 1,
            lane=lane,
            lane_seq=self.lanes[lane],
            boot="b",
            time=self._time,
            clock="free-running",
            monotonic_ms=1,
            kind=kind,
            payload_hash=sha256_hex(canonical(body)),
            state_hash="1" * 64,
            prev=self.records[-1].hash if self.records else GENESIS,
        )
        record = Record(header=header, payload=body, hash=record_hash(header))
        self.records.append(record)
        return record

    def fill(self, count: int) -> list[Record]:
        """Records over all lanes."""
        return [self.add("zone.fault", LANES[i % 3]) for i in range(count)]

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last record."""
        return (len(self.records), self.records[-1].hash) if self.records else (0, GENESIS)


def forged(record: Record, **changed: Any) -> Record:
    """The record with other header members, by somebody who knows how to hash."""
    header = Header(**(record.header.model_dump() | changed))
    return record.model_copy(update={"header": header, "hash": record_hash(header)})
