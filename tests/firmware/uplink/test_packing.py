"""Payloads: every record once, in order, in bounded batches."""

import json

from hypothesis import given
from hypothesis import strategies as st

from firmware.core.delivery import Deliveries
from firmware.protocol.jws import KeyRing
from firmware.protocol.messages import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Pull
from firmware.protocol.records import Record, faults
from firmware.uplink.packing import pack
from hil.memory_journal import MemoryJournal


def records_of(payloads: list[str], lane: str) -> list[Record]:
    journal = MemoryJournal("bank-7")
    for payload in payloads:
        journal.append(lane, "alarm.intrusion", {"note": payload})
    core = Deliveries(journal, "bank-7", KeyRing([]), journal.mark)
    found: list[Record] = []
    while len(found) < len(payloads):
        name = journal.heads()[0].journal
        found += core.pull(Pull(journal=name, lane=lane, first=len(found) + 1, last=len(payloads))).records
    return found


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.just("火" * 9_000), max_size=80),
    st.sampled_from(["alarm", "status", "evidence"]),
    st.booleans(),
)
def test_every_record_travels_once_in_order_whole_and_bounded(payloads: list[str], lane: str, stored: bool) -> None:
    records = records_of(payloads, lane)
    parcels = pack(records, stored, {})
    assert [number for parcel in parcels for number in parcel.numbers] == [r.header.lane_seq for r in records]
    for parcel in parcels:
        value = json.loads(parcel.payload)
        events = value if parcel.word == "batch" else [value]
        assert 1 <= len(events) <= MAX_BATCH_RECORDS
        assert len(parcel.payload) <= MAX_BATCH_BYTES or len(events) == 1
        assert [event["data"]["header"]["lane_seq"] for event in events] == parcel.numbers
        assert all(event["stored"] is stored for event in events)
        assert all(faults(Record.model_validate_json(json.dumps(event["data"]))) == [] for event in events)
    assert lane != "evidence" or all(parcel.word == "event" for parcel in parcels)
