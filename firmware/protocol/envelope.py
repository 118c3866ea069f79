"""CloudEvents 1.0 envelopes (structured JSON) around records and telemetry: what travels over MQTT.

`stored` and the thumbnail are added on the way: they are outside the hashed bytes of the record. A
thumbnail is proven by its SHA-256, which the record's payload carries.
"""

import base64
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from firmware.protocol.messages import MAX_BATCH_RECORDS, Fault, PictureBytes, Transfer
from firmware.protocol.records import Hash, JournalId, LaneName, Number, PanelId, Record, Strict, UtcText

CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
TYPE_PREFIX = "cn.fenghuo."
MAX_THUMBNAIL_BYTES = 24 * 1024
MAX_CHUNK_BYTES = 12 * 1024
"""Of a picture in one message: 16 KiB as base64, 0.13 s of a 1 Mbit/s line before an alarm."""
MAX_RANGE_BYTES = 256 * 1024


Source = Annotated[
    str, StringConstraints(pattern=r"^/panels/[a-z0-9][a-z0-9-]{2,47}$"), Field(description="`/panels/{panel}`")
]
EventType = Annotated[
    str,
    StringConstraints(pattern=r"^cn\.fenghuo\.[a-z0-9][a-z0-9.-]{0,63}$"),
    Field(description="`cn.fenghuo.` and the kind"),
]


class RecordData(Record):
    """`data` of a record's event. `thumbnail`: base64 of the JPEG that `payload.thumbnail.sha256` names."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    thumbnail: str | None = Field(default=None, max_length=4 * MAX_THUMBNAIL_BYTES // 3 + 4)


class Event(Strict):
    """A record as a CloudEvent. Its attributes repeat the header; where they do not agree it is no event of ours."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(max_length=64, description="`{journal}-{seq}` of the header")
    source: Source
    type: EventType
    time: UtcText = Field(description="`time` of the header")
    datacontenttype: Literal["application/json"] = "application/json"
    lane: LaneName
    stored: bool = Field(description="true when it waited for the link, false when sent as it happened")
    data: RecordData

    @model_validator(mode="after")
    def _repeats_the_header(self) -> Self:
        expected = _attributes(self.data)
        for name, value in expected.items():
            if getattr(self, name) != value:
                raise ValueError(f"{name} does not repeat the header, which says {value!r}")
        return self


class TelemetryEvent(Strict):
    """A telemetry item as a CloudEvent: not chained, not receipted."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(pattern=r"^[0-9]{1,16}-t[0-9]{1,16}$", description="`{session}-t{number}`")
    source: Source
    type: EventType
    time: UtcText
    datacontenttype: Literal["application/json"] = "application/json"
    lane: Literal["telemetry"] = "telemetry"
    data: dict[str, Any]


class Link(Strict):
    """Retained on `link`, by the uplink and by its last will.

    `order` is [core session, uplink process of that session, connection of that process]: a will with a lower
    order (compared member by member) than the newest online is late, and not believed.
    """

    panel: PanelId
    online: bool
    order: list[Number] = Field(min_length=3, max_length=3)
    time: UtcText | None = Field(description="null in a last will")


class IssuedCertificate(Strict):
    """On `certificate`, from the center: what its authority has issued for a `renewal`. It proves itself."""

    panel: PanelId
    chain: list[Annotated[str, Field(max_length=8192, description="PEM, one certificate")]] = Field(
        min_length=1, max_length=4, description="the panel's own first, then those that lead to the authority, if any"
    )


class Chunk(Strict):
    """On `picture`: a part of a picture that a command asked for. Its SHA-256 is also in the picture's record."""

    panel: PanelId
    transfer: Transfer
    offset: Number
    total: PictureBytes = Field(description="bytes of the whole picture")
    sha256: Hash = Field(description="of the whole picture")
    data: str = Field(max_length=4 * MAX_CHUNK_BYTES // 3 + 4, description="base64, at least one byte")


class NoPicture(Strict):
    """On `picture`: nothing comes of this transfer, and why."""

    panel: PanelId
    transfer: Transfer
    fault: Fault


class Fetch(Strict):
    """On `fetch`, from the center: send this range of a picture. `offset` at the end: all is here, thank you."""

    transfer: Transfer
    offset: Number
    bytes: int = Field(ge=1, le=MAX_RANGE_BYTES, description="at most so many")


class PublicState(Strict):
    """Retained on `state`. Holds nothing of a silent alarm."""

    panel: PanelId
    journal: JournalId
    seq: Number = Field(description="the last record it reflects")
    time: UtcText
    areas: dict[str, dict[str, Any]]
    zones: dict[str, dict[str, Any]]
    troubles: list[str]
    indications: list[dict[str, Any]] = Field(
        default=[], description="alarms that wait for their reset, in order: kind, zone, areas"
    )
    trouble_memory: list[str] = Field(default=[], description="troubles that stood and were not reset")
    walk_test: bool = Field(default=False, description="a walk test runs")
    installer: bool = Field(default=False, description="an installer is at work")


batch: TypeAdapter[list[Event]] = TypeAdapter(Annotated[list[Event], Field(min_length=1, max_length=MAX_BATCH_RECORDS)])
"""A CloudEvents batch: what stands on `batch/{lane}`."""
picture: TypeAdapter[Chunk | NoPicture] = TypeAdapter(Chunk | NoPicture)
"""What stands on `picture`."""
telemetry_batch: TypeAdapter[list[TelemetryEvent]] = TypeAdapter(
    Annotated[list[TelemetryEvent], Field(min_length=1, max_length=MAX_BATCH_RECORDS)]
)
"""What stands on `batch/telemetry`."""


def event(record: Record, stored: bool, thumbnail: bytes | None = None) -> dict[str, Any]:
    """The CloudEvent of a record, as JSON-ready members."""
    data: dict[str, Any] = {"header": record.header.model_dump(), "payload": record.payload, "hash": record.hash}
    if thumbnail is not None:
        data["thumbnail"] = base64.b64encode(thumbnail).decode()
    return {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        **_attributes(record),
        "stored": stored,
        "data": data,
    }


def _attributes(record: Record) -> dict[str, str]:
    header = record.header
    return {
        "id": f"{header.journal}-{header.seq}",
        "source": f"/panels/{header.panel}",
        "type": TYPE_PREFIX + header.kind,
        "time": header.time,
        "lane": header.lane,
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
