"""Thumbnails of evidence records, read from the evidence folder and held against the hash in the record."""

import os
from pathlib import Path

from firmware.protocol.canonical import sha256_hex
from firmware.protocol.envelope import MAX_THUMBNAIL_BYTES
from firmware.protocol.records import Record
from firmware.uplink.evidence_file import opened


def thumbnail(folder: Path, record: Record) -> bytes | None:
    """The JPEG that `payload.thumbnail` names; None when there is none, it is gone, too large, or another picture."""
    named = (record.payload or {}).get("thumbnail")
    if not isinstance(named, dict) or not isinstance(named.get("file"), str):
        return None
    try:
        number = opened(folder, named["file"])
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    try:
        data = os.read(number, MAX_THUMBNAIL_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(number)
    return data if len(data) <= MAX_THUMBNAIL_BYTES and sha256_hex(data) == named.get("sha256") else None


def thumbnails(folder: Path, records: list[Record]) -> dict[int, bytes]:
    """Those of these records, by `seq`."""
    found = ((record.header.seq, thumbnail(folder, record)) for record in records if record.header.lane == "evidence")
    return {seq: data for seq, data in found if data is not None}
