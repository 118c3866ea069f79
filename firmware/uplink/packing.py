"""Records as CloudEvents in MQTT payloads: one live record as an event, several as a batch of bounded size."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware.protocol.envelope import BATCH_CONTENT_TYPE, CONTENT_TYPE, event
from firmware.protocol.messages import MAX_BATCH_BYTES, MAX_BATCH_RECORDS
from firmware.protocol.records import Record

LIVE_SINGLES = 8
"""Up to so many live records at once travel one by one; a larger burst travels as a batch."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


@dataclass(frozen=True)
class Parcel:
    """One MQTT payload: `word` is `event` or `batch`, `numbers` the `lane_seq` it carries."""

    word: str
    payload: bytes
    content_type: str
    numbers: list[int]


def encode(value: dict[str, Any]) -> bytes:
    """JSON bytes as they travel; the receiver hashes header and payload in their canonical form, not these."""
    return _encode(value).encode()


def pack(records: Sequence[Record], stored: bool, thumbnails: Mapping[int, bytes]) -> list[Parcel]:
    """The records, in order, in as few payloads as their kind allows; evidence always one by one."""
    single = any(record.header.lane == "evidence" for record in records)
    if single or (not stored and len(records) <= LIVE_SINGLES):
        return [_single(record, stored, thumbnails.get(record.header.seq)) for record in records]
    return _batches(records, stored)


def _single(record: Record, stored: bool, thumbnail: bytes | None) -> Parcel:
    payload = encode(event(record, stored, thumbnail))
    return Parcel("event", payload, CONTENT_TYPE, [record.header.lane_seq])


def _batches(records: Sequence[Record], stored: bool) -> list[Parcel]:
    parcels: list[Parcel] = []
    items: list[bytes] = []
    numbers: list[int] = []
    size = 2
    for record in records:
        item = encode(event(record, stored))
        if items and (size + len(item) + 1 > MAX_BATCH_BYTES or len(items) == MAX_BATCH_RECORDS):
            parcels.append(_batch(items, numbers))
            items, numbers, size = [], [], 2
        items.append(item)
        numbers.append(record.header.lane_seq)
        size += len(item) + 1
    return [*parcels, _batch(items, numbers)] if items else parcels


def _batch(items: list[bytes], numbers: list[int]) -> Parcel:
    return Parcel("batch", b"[%b]" % b",".join(items), BATCH_CONTENT_TYPE, numbers)
