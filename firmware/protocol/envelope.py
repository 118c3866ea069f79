"""CloudEvents 1.0 envelopes (structured JSON) around records and telemetry: what travels over MQTT.

`stored` and the thumbnail are added on the way: they are outside the hashed bytes of the record. A
thumbnail is proven by its SHA-256, which the record's payload carries.
"""

import base64
from typing import Any, Literal

from pydantic import Field

from firmware.protocol.records import JournalId, LaneName, Record, Strict, UtcText

CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
TYPE_PREFIX = "cn.fenghuo."
MAX_THUMBNAIL_BYTES = 24 * 1024


class RecordData(Record):
    """`data` of a record's event. `thumbnail`: base64 of the JPEG that `payload.thumbnail.sha256` names."""

    thumbnail: str | None = Field(default=None, max_length=4 * MAX_THUMBNAIL_BYTES // 3 + 4)


class Event(Strict):
    """A record as a CloudEvent. `id` is `{journal}-{seq}`, `source` is `/panels/{panel}`."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str = Field(description="`cn.fenghuo.` and the kind")
    time: UtcText
    datacontenttype: Literal["application/json"] = "application/json"
    lane: LaneName
    stored: bool = Field(description="true when it waited for the link, false when sent as it happened")
    data: RecordData


class TelemetryEvent(Strict):
    """A telemetry item as a CloudEvent: not chained, not receipted."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="`{session}-t{number}`")
    source: str
    type: str
    time: UtcText
    datacontenttype: Literal["application/json"] = "application/json"
    lane: Literal["telemetry"] = "telemetry"
    data: dict[str, Any]


class Link(Strict):
    """Retained on `link`, by the uplink and by its last will.

    `order` is [core session, uplink process of that session, connection of that process]: a will with a lower
    order (compared member by member) than the newest online is late, and not believed.
    """

    panel: str
    online: bool
    order: list[int] = Field(min_length=3, max_length=3)
    time: UtcText | None = Field(description="null in a last will")


class PublicState(Strict):
    """Retained on `state`. Holds nothing of a silent alarm."""

    panel: str
    journal: JournalId
    seq: int = Field(ge=0, description="the last record it reflects")
    time: UtcText
    areas: dict[str, dict[str, Any]]
    zones: dict[str, dict[str, Any]]
    troubles: list[str]


def event(record: Record, stored: bool, thumbnail: bytes | None = None) -> dict[str, Any]:
    """The CloudEvent of a record, as JSON-ready members."""
    header = record.header
    data: dict[str, Any] = {"header": header.model_dump(), "payload": record.payload, "hash": record.hash}
    if thumbnail is not None:
        data["thumbnail"] = base64.b64encode(thumbnail).decode()
    return {
        "specversion": "1.0",
        "id": f"{header.journal}-{header.seq}",
        "source": f"/panels/{header.panel}",
        "type": TYPE_PREFIX + header.kind,
        "time": header.time,
        "datacontenttype": "application/json",
        "lane": header.lane,
        "stored": stored,
        "data": data,
    }


def telemetry(panel: str, session: int, number: int, kind: str, time: str, data: dict[str, Any]) -> dict[str, Any]:
    """The CloudEvent of a telemetry item."""
    return {
        "specversion": "1.0",
        "id": f"{session}-t{number}",
        "source": f"/panels/{panel}",
        "type": TYPE_PREFIX + kind,
        "time": time,
        "datacontenttype": "application/json",
        "lane": "telemetry",
        "data": data,
    }
