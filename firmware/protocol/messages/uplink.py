"""Core and uplink: records out, receipts and commands in, how each path does."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from firmware.protocol.canonical import MAX_INTEGER
from firmware.protocol.messages.parts import CertificateRequest, Error, EvidenceFile, Id, PictureBytes, Welcome
from firmware.protocol.put_url import MAX_URL
from firmware.protocol.put_url import PATTERN as PUT_PATTERN
from firmware.protocol.records import Count, Hash, JournalId, LaneName, Number, Record, Strict, UtcText

MAX_BATCH_RECORDS = 64
MAX_BATCH_BYTES = 64 * 1024
MAX_TOKEN = 128 * 1024
"""Characters of a signed thing (`jws.MAX_BYTES`, without its import)."""
MAX_DELIVERED = 64
"""Ranges of one `delivered`; as many as a receipt may hold."""

Lane: TypeAlias = LaneName
Token = Annotated[str, Field(max_length=MAX_TOKEN, description="compact JWS")]
Transfer = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{43}\.[0-9]{1,16}$",
        description="one request for a picture: `kid` and counter of its command",
    ),
]
Fault: TypeAlias = Literal[
    "", "gone", "altered", "too-large", "unknown-transfer", "spent", "unconfirmed", "busy", "not-put"
]
PutUrl = Annotated[
    str, Field(max_length=MAX_URL, pattern=f"(?:{PUT_PATTERN})|^$", description="https address; empty: by the path")
]
# Strict python validation would refuse the list that JSON has for a pair.
Range = Annotated[tuple[Count, Count], Field(strict=False, description="first and last, ends included")]


class JournalHead(Strict):
    """How far one journal reaches: the last durable `lane_seq` of each lane, and where delivery has gaps."""

    journal: JournalId
    last: dict[Lane, Number] = Field(description="last durable lane_seq, 0 when empty")
    first_undelivered: dict[Lane, Count] = Field(description="lowest lane_seq without a receipt; last + 1 when none")


class Head(Strict):
    """Core to uplink, whenever the durable mark or a delivery cursor moved. The journal in use is last."""

    type: Literal["head"] = "head"
    journals: list[JournalHead] = Field(min_length=1, max_length=16)


class Pull(Strict):
    """Uplink to core: the undelivered durable records with first ≤ lane_seq ≤ last, lowest first."""

    type: Literal["pull"] = "pull"
    journal: JournalId
    lane: Lane
    first: Count
    last: Count
    limit: int = Field(default=MAX_BATCH_RECORDS, ge=1, le=MAX_BATCH_RECORDS)
    again: bool = Field(default=False, description="delivered ones too: to prove a standby path")


class Records(Strict):
    """Core to uplink, in answer to each `pull`, in order. `next` is where to go on, last + 1 at the end."""

    type: Literal["records"] = "records"
    journal: JournalId
    lane: Lane
    records: list[Record] = Field(max_length=MAX_BATCH_RECORDS)
    next: Count


class Delivered(Strict):
    """Core to uplink: a receipt counted for these ranges of `lane_seq`, ends included."""

    type: Literal["delivered"] = "delivered"
    journal: JournalId
    lane: Lane
    ranges: list[Range] = Field(max_length=MAX_DELIVERED)
    path: Id = Field(default="", description="the path that brought the receipt")


class Beat(Strict):
    """Core to uplink: publish this signed heartbeat."""

    type: Literal["heartbeat"] = "heartbeat"
    jws: Token


class State(Strict):
    """Core to uplink: publish this as the retained state. Holds nothing of a silent alarm."""

    type: Literal["state"] = "state"
    body: dict[str, Any]


class Telemetry(Strict):
    """Core to uplink: live telemetry items, sent without receipt."""

    type: Literal["telemetry"] = "telemetry"
    items: list[dict[str, Any]] = Field(max_length=64)


class ReplyOut(Strict):
    """Core to uplink: publish this signed reply."""

    type: Literal["reply"] = "reply"
    jws: Token


class PictureOrder(Strict):
    """Core to uplink: the center asked for this picture by a signed command; send it by that path."""

    type: Literal["picture-order"] = "picture-order"
    path: Id
    transfer: Transfer
    file: EvidenceFile
    sha256: Hash
    bytes: PictureBytes
    offset: Number = Field(description="where the center wants to begin")
    put: PutUrl = ""


class TryPath(Strict):
    """Core to uplink: a technician tries this path. For so long the status lane goes by it, if it works.

    A path of short messages sends one to the first number instead, within its day's limit.
    """

    type: Literal["try-path"] = "try-path"
    path: Id
    for_ms: int = Field(ge=1, le=600_000)


class Authorities(Strict):
    """Core to uplink, before `welcome` and when they change: CAs that count besides the panel file's."""

    type: Literal["authorities"] = "authorities"
    certificates: list[Annotated[str, Field(max_length=8192)]] = Field(max_length=4, description="PEM, one each")


class Renewal(Strict):
    """Core to uplink, in answer to `renewal-ask`: publish this signed request on that path."""

    type: Literal["renewal"] = "renewal"
    path: Id
    jws: Token


class ReceiptIn(Strict):
    """Uplink to core: the center sent this receipt; core checks it."""

    type: Literal["receipt"] = "receipt"
    jws: Token
    path: Id = Field(default="", description="the path that it came by; told again with `delivered`")


class Acknowledged(Strict):
    """Uplink to core: the receiver of a DC-09 path acknowledged these, unsigned.

    It delivers only where the panel file says that it may.
    """

    type: Literal["acknowledged"] = "acknowledged"
    path: Id
    journal: JournalId
    lane: Lane
    ranges: list[Range] = Field(min_length=1, max_length=MAX_DELIVERED)


class CommandIn(Strict):
    """Uplink to core: the center sent this command; core checks it."""

    type: Literal["command"] = "command"
    jws: Token
    path: Id = Field(default="", description="the path that it came by: a picture that it asks for goes there")


class KeysIn(Strict):
    """Uplink to core: the center sent this exchange of its keys; core checks it."""

    type: Literal["keys"] = "keys"
    jws: Token


class TimeIn(Strict):
    """Uplink to core: the center sent its time; core checks it."""

    type: Literal["time"] = "time"
    jws: Token


class PictureSent(Strict):
    """Uplink to core: what became of a `picture-order`. Said once, at its end."""

    type: Literal["picture-sent"] = "picture-sent"
    transfer: Transfer
    bytes: Number = Field(description="how many of the picture's were sent, those sent again included")
    fault: Fault = Field(description="empty: the center confirmed that it holds the picture")
    detail: str = Field(default="", max_length=200)


class Path(Strict):
    """Uplink to core: a path came up or failed. Up means: the center receipts in time, not only: connected."""

    type: Literal["path"] = "path"
    path: Id
    up: bool
    detail: str = Field(default="", max_length=200)


class TakenOver(Strict):
    """Uplink to core: somebody else opened this path's session (MQTT 5, 0x8E), or it looks like that."""

    type: Literal["taken-over"] = "taken-over"
    path: Id
    sure: bool = Field(description="false: the broker did not say so, but hung up again and again")


class Certificate(Strict):
    """Uplink to core, when it connects and when that changes: when the certificates of a path end.

    `client` is ours, `ca` the last of those by which brokers are believed.
    """

    type: Literal["certificate"] = "certificate"
    path: Id
    file: Literal["client", "ca"]
    not_before: UtcText
    not_after: UtcText


class RenewalAsk(Strict):
    """Uplink to core: sign this request for a new client certificate. Core answers with `renewal`, not too often."""

    type: Literal["renewal-ask"] = "renewal-ask"
    path: Id
    csr: CertificateRequest
    replaces: Hash = Field(description="SHA-256 of the certificate (DER) in force")


class Renewed(Strict):
    """Uplink to core: another client certificate is in force on this path."""

    type: Literal["renewed"] = "renewed"
    path: Id
    old: Hash = Field(description="SHA-256 of the certificate (DER) of before")
    new: Hash
    not_after: UtcText


SmsState: TypeAlias = Literal["sent", "delivered", "failed", "unconfirmed", "dropped"]


class Sms(Strict):
    """Uplink to core: what became of an alarm's short message. Telemetry; never a receipt."""

    type: Literal["sms"] = "sms"
    path: Id
    record: str = Field(
        pattern=r"^([0-9a-f-]{36}-[0-9]{1,16})?$", description="journal and seq; empty for the message about the limit"
    )
    receiver: str = Field(pattern=r"^(center|other)-[1-4]$", description="which number of the panel file")
    state: SmsState = Field(
        description="`sent`: the network took it; `unconfirmed`: no report came; `dropped`: not sent"
    )
    parts: int = Field(default=0, ge=0, le=9, description="short messages that it took")
    detail: str = Field(default="", max_length=200)
    trial: bool = Field(default=False, description="a technician's test; of no record")


class Modem(Strict):
    """Uplink to core: how the modem of an SMS path is placed. Telemetry."""

    type: Literal["modem"] = "modem"
    path: Id
    signal_dbm: int = Field(ge=-200, le=0, description="0: not known")
    network: str = Field(max_length=32)
    operator: str = Field(max_length=32)


Milliseconds = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class Spread(Strict):
    """How long something took, over `count` records; `half` and `most` are upper bounds for 50 % and 95 % of them."""

    count: Count
    half_ms: Milliseconds
    most_ms: Milliseconds
    worst_ms: Milliseconds


class Took(Strict):
    """How long one record took: from the alarm's moment to the first publish, and from there to its receipt."""

    record: str = Field(pattern=r"^[0-9a-f-]{36}-[0-9]{1,16}$", description="journal and seq")
    sent_ms: Milliseconds | None = Field(description="null: recorded before this boot")
    receipted_ms: Milliseconds


class Latency(Strict):
    """Uplink to core: how long the delivery of a lane's records took since the last such message. Telemetry."""

    type: Literal["delivery"] = "delivery"
    path: Id
    lane: Lane
    recorded_to_sent: Spread | None
    sent_to_receipted: Spread
    records: list[Took] = Field(max_length=32, description="alarms one by one, the first of them")


UplinkMessage: TypeAlias = (
    Pull
    | ReceiptIn
    | Acknowledged
    | CommandIn
    | KeysIn
    | TimeIn
    | PictureSent
    | Path
    | TakenOver
    | Certificate
    | RenewalAsk
    | Renewed
    | Sms
    | Modem
    | Latency
)
FromUplink: TypeAlias = Annotated[UplinkMessage, Field(discriminator="type")]
ToUplink: TypeAlias = Annotated[
    Welcome
    | Head
    | Records
    | Delivered
    | Beat
    | State
    | Telemetry
    | ReplyOut
    | Renewal
    | Authorities
    | PictureOrder
    | TryPath
    | Error,
    Field(discriminator="type"),
]

from_uplink: TypeAdapter[Any] = TypeAdapter(FromUplink)
to_uplink: TypeAdapter[Any] = TypeAdapter(ToUplink)
