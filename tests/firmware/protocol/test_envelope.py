"""Envelopes: a record comes back from its CloudEvent, and an envelope that tells another story does not count."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from firmware.protocol import envelope
from firmware.protocol.canonical import canonical
from firmware.protocol.records import Record, faults
from firmware.protocol.vectors import records as vector_records
from tests.firmware.protocol import strategies as some

ONE = Record.model_validate(vector_records()["chain"][1]["record"])


@pytest.mark.clause("GB 12663 attributes")
@settings(max_examples=100, deadline=None)
@given(some.records(), st.booleans(), st.none() | st.binary(min_size=1, max_size=100))
def test_a_record_comes_back_from_its_event(record: Record, stored: bool, thumbnail: bytes | None) -> None:
    body = canonical(envelope.event(record, stored, thumbnail))
    event = envelope.Event.model_validate_json(body)
    assert envelope.Event.model_validate(json.loads(body)) == event
    assert event.stored == stored
    assert Record(header=event.data.header, payload=event.data.payload, hash=event.data.hash) == record
    assert faults(event.data) == []
    assert event.data.thumbnail == (None if thumbnail is None else base64.b64encode(thumbnail).decode())


@settings(max_examples=30, deadline=None)
@given(st.lists(some.records(), min_size=1, max_size=4))
def test_batches_come_back(found: list[Record]) -> None:
    events = envelope.batch.validate_json(canonical([envelope.event(record, True) for record in found]))
    assert [event.data.header for event in events] == [record.header for record in found]


@pytest.mark.parametrize("count", [0, 65])
def test_batches_are_bounded(count: int) -> None:
    with pytest.raises(ValidationError):
        envelope.batch.validate_python([envelope.event(ONE, True)] * count)


@pytest.mark.parametrize(
    "change",
    [
        {"id": f"{ONE.header.journal}-9"},
        {"source": "/panels/another-panel"},
        {"type": "cn.fenghuo.area.disarmed"},
        {"time": "2026-03-14T23:09:22.003Z"},
        {"lane": "status"},
        {"stored": 0},
        {"specversion": "0.3"},
        {"datacontenttype": "text/plain"},
        {"subject": "more"},
        {"data": {}},
    ],
)
def test_an_envelope_repeats_its_header_and_nothing_else(change: dict[str, Any]) -> None:
    good = envelope.event(ONE, False)
    envelope.Event.model_validate(good)
    with pytest.raises(ValidationError):
        envelope.Event.model_validate(good | change)


def test_thumbnails_are_bounded() -> None:
    envelope.Event.model_validate(envelope.event(ONE, False, bytes(envelope.MAX_THUMBNAIL_BYTES)))
    with pytest.raises(ValidationError):
        envelope.Event.model_validate(envelope.event(ONE, False, bytes(envelope.MAX_THUMBNAIL_BYTES + 100)))


@settings(max_examples=50, deadline=None)
@given(some.panels, some.numbers, some.numbers, some.moments, some.payloads)
def test_telemetry_comes_back(panel: str, session: int, number: int, time: str, data: dict[str, Any]) -> None:
    body = canonical(envelope.telemetry(panel, session, number, "telemetry.health", time, data))
    event = envelope.TelemetryEvent.model_validate_json(body)
    assert (event.id, event.source, event.data) == (f"{session}-t{number}", f"/panels/{panel}", data)


@pytest.mark.parametrize("order", [[1, 2], [1, 2, 3, 4], [1, 2, -1], [1, 2, "3"], [1, 2, 2**53]])
def test_a_link_order_is_three_whole_numbers(order: list[Any]) -> None:
    good = {"panel": "bank-1", "online": True, "order": [1, 2, 3], "time": None}
    envelope.Link.model_validate(good)
    with pytest.raises(ValidationError):
        envelope.Link.model_validate(good | {"order": order})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([envelope.Event, envelope.TelemetryEvent, envelope.Link, envelope.PublicState]), some.any_json)
def test_anything_else_is_a_validation_error(model: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps(value))
