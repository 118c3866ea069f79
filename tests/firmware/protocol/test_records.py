"""Records: `faults` finds every alteration, and takes whatever the model takes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from firmware.protocol.canonical import canonical
from firmware.protocol.messages import Box, Manifest, ModelScore, Picture
from firmware.protocol.records import MAX_PAYLOAD, Header, Record, faults
from firmware.protocol.stored import GENESIS
from tests.firmware.protocol.strategies import any_json, hexes, numbers, records

HEADER = "the hash does not fit the header"
PAYLOAD = "the payload does not fit its hash"


@settings(max_examples=100, deadline=None)
@given(records())
def test_whole_records_have_no_faults_and_come_back_from_the_wire(record: Record) -> None:
    assert faults(record) == []
    assert Record.model_validate_json(record.model_dump_json()) == record
    assert Record.model_validate(record.model_dump()) == record
    assert faults(record.model_copy(update={"payload": None})) == []


CHANGES: dict[str, Any] = {
    "panel": "another-panel",
    "journal": "00000000-0000-0000-0000-000000000000",
    "seq": 4711,
    "lane": {"alarm": "status", "status": "evidence", "evidence": "alarm"},
    "lane_seq": 4711,
    "boot": "another boot",
    "time": "2031-01-01T00:00:00.000Z",
    "clock": {"synchronised": "unset", "unset": "free-running", "free-running": "synchronised"},
    "monotonic_ms": 4711,
    "kind": "alarm.nothing",
    "payload_hash": GENESIS,
    "state_hash": GENESIS,
    "prev": GENESIS,
}


@settings(max_examples=100, deadline=None)
@given(records(), st.sampled_from(sorted(Header.model_fields)))
def test_every_changed_member_shows(record: Record, name: str) -> None:
    change = CHANGES[name]
    now = getattr(record.header, name)
    value = change[now] if isinstance(change, dict) else change
    if value == now:
        return
    changed = record.model_copy(update={"header": record.header.model_copy(update={name: value})})
    assert HEADER in faults(changed)
    assert (PAYLOAD in faults(changed)) == (name == "payload_hash")


@settings(max_examples=100, deadline=None)
@given(records(), st.dictionaries(st.text(max_size=5), any_json, max_size=3), hexes)
def test_another_payload_or_hash_shows(record: Record, payload: dict[str, Any], digest: str) -> None:
    try:
        same = canonical(payload) == canonical(record.payload)
    except ValueError:
        same = False
    assert (PAYLOAD in faults(record.model_copy(update={"payload": payload}))) == (not same)
    assert (HEADER in faults(record.model_copy(update={"hash": digest}))) == (digest != record.hash)


@pytest.mark.parametrize("payload", [{"a": 1.5}, {"a": float("nan")}, {"a": "\ud800"}, {"é": 1}, {"a": 2**60}])
def test_a_payload_outside_the_domain_is_a_fault(payload: dict[str, Any]) -> None:
    @settings(max_examples=1)
    @given(records())
    def check(record: Record) -> None:
        assert PAYLOAD in faults(record.model_copy(update={"payload": payload}))

    check()


@pytest.mark.clause("EN 50131-1 log fields")
@settings(max_examples=20, deadline=None)
@given(records(), numbers)
def test_headers_are_exact(record: Record, number: int) -> None:
    good = record.header.model_dump()
    bad: list[dict[str, Any]] = [
        good | {"more": 1},
        good | {"seq": float(number)},
        good | {"seq": str(number)},
        good | {"seq": 0},
        good | {"seq": 2**53},
        good | {"seq": True},
        good | {"time": "٢٠٢٦-03-14T23:09:26.123Z"},
        good | {"time": good["time"] + "\n"},
        good | {"prev": good["prev"].upper() + "A"},
        good | {"lane": "telemetry"},
        good | {"kind": "No Such Kind"},
        {k: v for k, v in good.items() if k != "boot"},
    ]
    for value in bad:
        with pytest.raises(ValidationError):
            Header.model_validate(value)


def test_the_largest_manifest_fits_into_a_payload() -> None:
    box = Box(left=1000, top=1000, right=1000, bottom=1000, score=1000)
    picture = Picture(
        file="a" * 200,
        sha256="f" * 64,
        bytes=64 * 1024 * 1024,
        offset_ms=-(2**53) + 1,
        width=16_384,
        height=16_384,
        boxes=[box] * 20,
    )
    largest = Manifest(
        incident=2**53 - 1,
        zone="z" * 48,
        camera="c" * 48,
        pictures=[picture] * 64,
        thumbnail=picture,
        verdict="unverified",
        score=1000,
        model="\x01" * 80,
        models=[ModelScore(file="\x01" * 48, sha256="f" * 64, score=1000)] * 4,
        threshold=1000,
        part=2**53 - 1,
    )
    assert len(canonical(largest.model_dump(exclude={"type"}))) <= MAX_PAYLOAD
