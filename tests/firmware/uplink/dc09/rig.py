"""What the tests of the DC-09 path share: records, a turned clock, the other end of a link without a process."""

from typing import Any

from firmware.protocol import messages as m
from firmware.protocol.records import Header, Record

JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
OTHER = "11111111-2222-4333-8444-555555555555"
TIME = "2026-03-14T15:09:26.000Z"
MOMENT = 1_773_500_966.0
"""The same in UTC seconds."""


def record(
    kind: str,
    payload: dict[str, Any] | None = None,
    lane: str = "alarm",
    number: int = 1,
    journal: str = JOURNAL,
    time: str = TIME,
    clock: str = "synchronised",
) -> Record:
    """A record as core sends it; hashes are not looked at here."""
    header = Header(
        panel="bank-7",
        journal=journal,
        seq=number + 1,
        lane=lane,
        lane_seq=number,
        boot="b",
        time=time,
        clock=clock,
        monotonic_ms=0,
        kind=kind,
        payload_hash="0" * 64,
        state_hash="0" * 64,
        prev="0" * 64,
    )
    return Record(header=header, payload=payload, hash="0" * 64)


def head(alarm: tuple[int, int] = (1, 0), status: tuple[int, int] = (1, 0), journal: str = JOURNAL) -> m.Head:
    """First undelivered and last of each lane."""
    return m.Head(journals=[journal_head(alarm, status, journal)])


def journal_head(alarm: tuple[int, int], status: tuple[int, int], journal: str) -> m.JournalHead:
    """Of one journal."""
    return m.JournalHead(
        journal=journal,
        last={"alarm": alarm[1], "status": status[1], "evidence": 0},
        first_undelivered={"alarm": alarm[0], "status": status[0], "evidence": 1},
    )
