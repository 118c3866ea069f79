"""Records: the header that is chained and hashed, the payload beside it, and the whole as it travels."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from firmware.protocol.canonical import MAX_INTEGER, NotCanonical, canonical, check_domain, sha256_hex

MAX_PAYLOAD = 128 * 1024
"""Bytes of a canonical payload: the largest manifest of pictures fits, everything else is far below."""

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PanelId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{2,47}$")]
JournalId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
LaneName = Annotated[str, StringConstraints(pattern=r"^(alarm|status|evidence)$")]
Count = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Number = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
KindName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
# Not \d, which takes the digits of every script.
UtcText = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")
]
ClockName = Annotated[str, StringConstraints(pattern=r"^(synchronised|free-running|unset)$")]


class Strict(BaseModel):
    """A model that takes exactly its own members, unconverted, and does not change."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_serialization_defaults_required=True
    )


class Header(Strict):
    """What is chained of a record. `hash` is SHA-256 over the canonical JSON of exactly these members."""

    panel: PanelId = Field(description="panel id, as in the topics")
    journal: JournalId = Field(description="UUID of the journal, new with each new file")
    seq: Count = Field(description="number in the journal, from 1, without gaps")
    lane: LaneName = Field(description="delivery lane")
    lane_seq: Count = Field(description="number in the lane, from 1, without gaps")
    boot: str = Field(description="boot id of the machine", min_length=1, max_length=64)
    time: UtcText = Field(description="UTC when it happened, as the panel's clock said")
    clock: ClockName = Field(description="how far `time` can be trusted")
    monotonic_ms: Number = Field(description="boot clock when it happened, milliseconds")
    kind: KindName = Field(description="name in the event vocabulary")
    payload_hash: Hash = Field(description="SHA-256 of the canonical payload")
    state_hash: Hash = Field(description="SHA-256 of the panel state after this record")
    prev: Hash = Field(description="`hash` of the record before, 64 zeros for the first")


class Record(Strict):
    """A record as it travels and as it is exported. `payload` is null when it has expired."""

    header: Header
    payload: dict[str, Any] | None
    hash: Hash


def record_hash(header: Header) -> str:
    """The hash of a header (docs/protocol.md, "Hashes")."""
    return sha256_hex(canonical(header.model_dump()))


def faults(record: Record) -> list[str]:
    """What is wrong with a record by itself: its hash, its payload's hash. Empty when it is whole.

    Takes any record that the model takes: a payload outside the JSON domain is a fault too.
    """
    found = []
    if _hash_of(record.header.model_dump()) != record.hash:
        found.append("the hash does not fit the header")
    if record.payload is not None and _hash_of(record.payload) != record.header.payload_hash:
        found.append("the payload does not fit its hash")
    return found


def _hash_of(members: dict[str, Any]) -> str | None:
    """None for members that have no canonical form, and so no hash."""
    try:
        return sha256_hex(canonical(check_domain(members)))
    except NotCanonical:
        return None
