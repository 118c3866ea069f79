"""The messages of core's unix sockets: JSON lines, typed, bounded; a list of allowed ones for each role.

Every message is one line of JSON with a member `type`. A line that is too long, is not JSON or is not
allowed on that socket gets an `error` back, is counted, and changes nothing.
"""

from datetime import date
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, TypeAdapter, ValidationInfo, field_validator, model_validator

from firmware.protocol.canonical import MAX_INTEGER
from firmware.protocol.put_url import MAX_URL
from firmware.protocol.put_url import PATTERN as PUT_PATTERN
from firmware.protocol.records import (
    ClockName,
    Count,
    Hash,
    JournalId,
    KindName,
    LaneName,
    Number,
    PanelId,
    Record,
    Strict,
    UtcText,
)
from firmware.protocol.updates import (
    AskUpdate,
    Consent,
    FromUpdater,
    Offer,
    Panel,
    StepTaken,
    UpdateConsent,
    UpdateOffer,
    UpdateWithdraw,
    Withdraw,
)

MAX_LINE = 256 * 1024
"""Bytes of one line without its newline, in either direction."""
MAX_BATCH_RECORDS = 64
MAX_BATCH_BYTES = 64 * 1024
MAX_TOKEN = 128 * 1024
"""Characters of a signed thing (`jws.MAX_BYTES`, without its import)."""
MAX_MANIFEST = 8 * 1024 * 1024
"""Bytes of a manifest file: 1,500 pictures with their boxes take 1 MiB."""
MAX_DELIVERED = 64
"""Ranges of one `delivered`; as many as a receipt may hold."""

Lane: TypeAlias = LaneName
Id = Annotated[str, Field(max_length=48, description="id in the panel file")]
Token = Annotated[str, Field(max_length=MAX_TOKEN, description="compact JWS")]
CertificateRequest = Annotated[
    str,
    Field(
        max_length=8192,
        pattern=r"^-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE REQUEST-----\n$",
        description="PKCS #10 in PEM",
    ),
]
# Each step begins with a letter or digit: no way out of the folder, no hidden file.
EvidenceFile = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,7}$",
        description="path inside the evidence folder",
    ),
]
PictureBytes = Annotated[int, Field(ge=1, le=64 * 1024 * 1024)]
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


class Error(Strict):
    """Core to anyone: your last line did not count."""

    type: Literal["error"] = "error"
    reason: str = Field(max_length=500)


# --- core and uplink -----------------------------------------------------------------------------


class Welcome(Strict):
    """Core to uplink and camera, first of all."""

    type: Literal["welcome"] = "welcome"
    panel: PanelId
    session: Count = Field(description="grows with each start of core")
    peer: Count = Field(description="number of this connection in the session, grows")
    version: str = Field(max_length=64)
    file: Hash | Literal[""] = Field(
        default="", description="SHA-256 of the panel file that core runs by; who has read another one starts anew"
    )
    floor: UtcText | Literal[""] = Field(
        default="", description="newest time that the journal is sure of: now is later; empty when it is sure of none"
    )


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

# --- core and camera -----------------------------------------------------------------------------


class CaptureOrder(Strict):
    """Core to camera: take pictures for this incident with these cameras."""

    type: Literal["capture"] = "capture"
    incident: Count
    kind: KindName
    zone: Id
    cameras: list[Id] = Field(min_length=1, max_length=16)
    time: UtcText = Field(description="UTC of the alarm")
    monotonic_ms: Number = Field(description="boot clock of the alarm")
    clock: ClockName = Field(default="unset", description="how far `time` can be trusted")
    journal: JournalId | Literal[""] = Field(default="", description="the journal in use: the incident is one of it")


Thousandths = Annotated[int, Field(ge=0, le=1000)]


class Box(Strict):
    """Where a person stands, in thousandths of width and height, and how sure the model is (0 to 1000)."""

    left: Thousandths
    top: Thousandths
    right: Thousandths
    bottom: Thousandths
    score: Thousandths


class Picture(Strict):
    """One JPEG file of the evidence store."""

    file: EvidenceFile
    sha256: Hash
    bytes: PictureBytes
    offset_ms: int = Field(ge=-MAX_INTEGER, le=MAX_INTEGER, description="when it was taken, relative to the alarm")
    width: int = Field(ge=1, le=16_384)
    height: int = Field(ge=1, le=16_384)
    boxes: list[Box] = Field(max_length=20)


class ModelScore(Strict):
    """A model that looked at the pictures: its file, the SHA-256 of it, and its own score of the best picture."""

    file: str = Field(max_length=48)
    sha256: Hash
    score: Thousandths


class Sealed(Strict):
    """The manifest file of a capture: `firmware.protocol.evidence.CaptureManifest` in canonical JSON."""

    file: EvidenceFile
    sha256: Hash
    bytes: int = Field(ge=1, le=MAX_MANIFEST)


class Manifest(Strict):
    """Camera to core: pictures of an incident are on disk. Becomes the payload of `evidence.pictures`.

    `verdict` is `person` or `unverified`; it annotates and never holds an alarm back.
    """

    type: Literal["pictures"] = "pictures"
    incident: Count
    zone: Id
    camera: Id
    pictures: list[Picture] = Field(max_length=64)
    thumbnail: Picture | None
    verdict: Literal["person", "unverified"]
    score: Thousandths = Field(description="best score of all pictures, in thousandths")
    model: str = Field(max_length=80, description="file name and start of the SHA-256 of the model, or why none ran")
    models: list[ModelScore] = Field(default=[], max_length=4, description="those that ran, `score` is of them all")
    threshold: Thousandths = Field(default=0, description="`person` from this score on")
    part: Count = Field(description="an incident's pictures may come in several manifests")
    last: bool = Field(default=False, description="the last part of this capture")
    sealed: Sealed | None = Field(
        default=None, description="with the last part: the file that lists all pictures of the capture; null: not saved"
    )
    fault: str = Field(default="", max_length=200, description="why pictures are missing")


CameraTamper = Literal["black", "bright", "covered", "blurred", "moved", "frozen"]


class CameraHealth(Strict):
    """Camera to core: a camera works or does not, and whether its pictures are tampered with."""

    type: Literal["camera"] = "camera"
    camera: Id
    ok: bool
    detail: str = Field(default="", max_length=200)
    tampers: list[CameraTamper] | None = Field(default=None, max_length=6, description="null: not known yet")


class Relearn(Strict):
    """Core to camera: somebody who may has said that this camera now sees what it should."""

    type: Literal["relearn"] = "relearn"
    camera: Id


PersonName = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", description="who, as he is known on site"),
]
Why = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
MAX_FOLDERS = 64
Bytes = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class Hold(Strict):
    """Core to camera: keep these captures of an incident until they are released, or release them."""

    type: Literal["hold"] = "hold"
    held: bool
    journal: JournalId
    incident: Count
    folders: list[EvidenceFile] = Field(min_length=1, max_length=MAX_FOLDERS)
    by: PersonName
    reason: Why
    time: UtcText


class Held(Strict):
    """Camera to core, in answer to `hold`: it is so now on the card; or why not."""

    type: Literal["held"] = "held"
    held: bool
    journal: JournalId
    incident: Count
    fault: str = Field(default="", max_length=200)


class Delete(Strict):
    """Core to camera: delete these captures. The record of it is durable; camera checks their age once more."""

    type: Literal["delete"] = "delete"
    folders: list[EvidenceFile] = Field(min_length=1, max_length=MAX_FOLDERS)


class Due(Strict):
    """A capture that is older than the shortest retention and not held. `day` as in its folder."""

    folder: EvidenceFile
    day: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    files: Number
    bytes: Bytes


class Stock(Strict):
    """Camera to core, at the start, hourly and after a deletion: how full the card is, and what may go."""

    type: Literal["stock"] = "stock"
    stored: Bytes = Field(description="all files of the evidence folder")
    free: Bytes = Field(description="of the medium")
    reserve: Bytes = Field(description="of that, left to the journal")
    today: Bytes = Field(description="written on this day (UTC)")
    per_day: Bytes = Field(description="written a day, mean of the last 7 whole ones")
    days_left: int = Field(ge=-1, le=36_500, description="until the card is full, at this pace; -1: not in sight")
    held: Number = Field(description="captures under a legal hold")
    due: list[Due] = Field(max_length=MAX_FOLDERS, description="oldest first")


FromCamera: TypeAlias = Annotated[Manifest | CameraHealth | Held | Stock, Field(discriminator="type")]
ToCamera: TypeAlias = Annotated[Welcome | CaptureOrder | Relearn | Hold | Delete | Error, Field(discriminator="type")]

# --- core and the process that sets the clock ---------------------------------------------------


class SetClock(Strict):
    """Core to clock: at this moment of the boot clock it was so much UTC."""

    type: Literal["set-clock"] = "set-clock"
    utc_ms: Number = Field(description="milliseconds since 1970")
    monotonic_ms: Number = Field(description="boot clock, milliseconds")


class ClockSet(Strict):
    """Clock to core: what became of it. `off_ms`: how much later the right time was than the clock's."""

    type: Literal["clock-set"] = "clock-set"
    how: Literal["stepped", "slewed", "refused"]
    off_ms: int = Field(ge=-MAX_INTEGER, le=MAX_INTEGER)
    detail: str = Field(default="", max_length=200)


ToClock: TypeAlias = Annotated[Welcome | SetClock | Error, Field(discriminator="type")]

ToUpdater: TypeAlias = Annotated[
    Welcome | Panel | Offer | Consent | Withdraw | StepTaken | Error, Field(discriminator="type")
]
"""Core to the updater; what it says stands in `firmware.protocol.updates` too."""

# --- core and technician -------------------------------------------------------------------------


class AskStatus(Strict):
    """Technician to core: the panel's state, complete but for silent alarms and secrets."""

    type: Literal["status"] = "status"


class AskDrivers(Strict):
    """Technician to core: how each driver does, in figures; and the troubles that stand, with their details."""

    type: Literal["drivers"] = "drivers"


class AskSnapshot(Strict):
    """Technician to core: make a consistent copy of the journal, and say where."""

    type: Literal["snapshot"] = "snapshot"


class AskRecords(Strict):
    """Technician to core: durable records of the journal in use after `seq`, lowest first (`journal tail`)."""

    type: Literal["records"] = "records"
    after: Number
    limit: int = Field(default=64, ge=1, le=64)


def _a_day(text: str) -> str:
    """Refuses what looks like a day and is none. Raises `ValueError`."""
    if text:
        date.fromisoformat(text)
    return text


RightName: TypeAlias = Literal["arm", "disarm", "bypass", "override", "reset", "test", "grant", "users"]
Day = Annotated[
    str,
    Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description="a day, YYYY-MM-DD, or empty for no bound"),
    AfterValidator(_a_day),
]


CARD = r"^((wiegand|raw)-[1-9][0-9]{0,2}-[0-9a-f]{1,128}|text-[0-9A-Z]{1,64})?$"
"""`drivers.osdp.cards` says what stands in it."""


class SetUser(Strict):
    """Technician to core: add or change a user. `code` is a manager's; it may be empty while there are no users."""

    type: Literal["user-set"] = "user-set"
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    name: str = Field(max_length=64)
    level: int = Field(ge=2, le=4, description="access level of EN 50131-1: 2 user, 3 installer, 4 maker")
    areas: list[Id] = Field(min_length=1, max_length=64)
    new_code: str = Field(default="", pattern=r"^([0-9]{4,8})?$")
    new_card: str = Field(default="", pattern=CARD, description="instead of a code: a card, as its reader names it")
    new_duress_code: str = Field(default="", pattern=r"^([0-9]{4,8})?$")
    code: str = Field(default="", pattern=r"^([0-9]{4,8})?$")
    rights: list[RightName] | None = Field(default=None, max_length=8, description="null: all that the level allows")
    first_day: Day = ""
    last_day: Day = ""
    once: bool = Field(default=False, description="the code counts once; for level 2 only")
    keep: bool = Field(default=False, description="his codes or card stay as they are; no new ones come with it")

    @field_validator("once")
    @classmethod
    def _for_users(cls, once: bool, info: ValidationInfo) -> bool:
        """An installer's first act would spend his code amid his session."""
        if once and info.data.get("level", 2) > 2:
            raise ValueError("expected false above level 2: the first act would spend the code")
        return once


class RemoveUser(Strict):
    """Technician to core: remove a user, with a manager's code."""

    type: Literal["user-remove"] = "user-remove"
    id: str = Field(max_length=32)
    code: str = Field(pattern=r"^[0-9]{4,8}$")


class Session(Strict):
    """Technician to core: a user lets the installer in for a while, or an installer ends his session; with his code.

    The answer's `detail.for_ms`: so long after a `grant`.
    """

    type: Literal["session"] = "session"
    act: Literal["grant", "leave"]
    code: str = Field(pattern=r"^[0-9]{4,8}$")


class RelearnCamera(Strict):
    """Technician to core: a camera sees what it should; with the code of an installer."""

    type: Literal["camera-relearn"] = "camera-relearn"
    camera: Id
    code: str = Field(pattern=r"^[0-9]{4,8}$")


class EvidenceAct(Strict):
    """Technician to core: pictures of an incident are looked at, or leave the panel.

    The answer comes when it is recorded. After `exported` core signs one bundle on this connection (`evidence-sign`).
    """

    type: Literal["evidence"] = "evidence"
    act: Literal["viewed", "exported"]
    journal: JournalId
    incident: Count
    by: PersonName
    reason: Why = ""


class EvidenceHold(Strict):
    """Technician to core: a legal hold of an incident begins or ends. The answer comes when it is kept and recorded."""

    type: Literal["evidence-hold"] = "evidence-hold"
    held: bool
    journal: JournalId
    incident: Count
    folders: list[EvidenceFile] = Field(min_length=1, max_length=MAX_FOLDERS)
    by: PersonName
    reason: Annotated[Why, Field(min_length=1)]


class SignBundle(Strict):
    """Technician to core, once after `exported`: sign the bundle. The answer's `detail.jws` is a `signed.Bundle`."""

    type: Literal["evidence-sign"] = "evidence-sign"
    index: Hash = Field(description="SHA-256 of the bundle's index.json")


class InstallFile(Strict):
    """Technician to core: put this panel file into force; with the code of an installer. `packed`: base64 of zlib."""

    type: Literal["site-install"] = "site-install"
    sha256: Hash
    packed: str = Field(max_length=240 * 1024, pattern=r"^[A-Za-z0-9+/]*={0,2}$")
    code: str = Field(default="", pattern=r"^([0-9]{4,8})?$")


class SignEnrolment(Strict):
    """Technician to core: sign a request for the panel's first certificate. `detail.jws` is an `EnrolmentRequest`."""

    type: Literal["enrol-sign"] = "enrol-sign"
    csr: CertificateRequest
    nonce: str = Field(pattern=r"^[A-Za-z0-9_-]{22}$", description="16 random bytes, base64url")


CaHashes = Annotated[list[Hash], Field(max_length=8, description="SHA-256 of each CA that counts now")]
KeyIds = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(max_length=20, description="`kid` of the center's receipt, command and root keys, as it told them"),
]


class Enrolled(Strict):
    """Technician to core: the answer is in place; record it."""

    type: Literal["enrolled"] = "enrolled"
    path: Id
    certificate: Hash = Field(description="SHA-256 of the new client certificate (DER)")
    authorities: CaHashes = Field(min_length=1)
    keys: KeyIds
    not_after: UtcText
    proof: Literal["code", "fingerprint"] = Field(description="by what the answer was believed")


RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="names one acceptance run, whoever resumes it")]


class Acceptance(Strict):
    """Technician to core, with the code of an installer: an acceptance run begins (or goes on), or has ended.

    All must be disarmed. The answer comes when it is recorded.
    """

    type: Literal["acceptance"] = "acceptance"
    act: Literal["begun", "ended"]
    run: RunId
    by: PersonName
    passed: Number = 0
    failed: Number = 0
    waived: Number = 0
    code: str = Field(pattern=r"^[0-9]{4,8}$")


class SignReport(Strict):
    """Technician to core, with the code of an installer: record that this report was made, and sign its manifest.

    The answer's `detail.jws` is a `signed.SignedReport`; it comes when the record is durable.
    """

    type: Literal["acceptance-sign"] = "acceptance-sign"
    what: Literal["acceptance", "trial"]
    run: RunId
    manifest: Hash = Field(description="SHA-256 of the report's manifest.json")
    by: PersonName
    code: str = Field(pattern=r"^[0-9]{4,8}$")


class MarkAlarm(Strict):
    """Technician to core, with the code of an installer, or of a user who may let one in: this alarm was true or false.

    Of several marks of a record the newest counts; `open` takes the ones before back. The answer comes when it is
    recorded.
    """

    type: Literal["alarm-mark"] = "alarm-mark"
    journal: JournalId
    seq: Count = Field(description="of the alarm's record")
    says: Literal["true", "false", "open"]
    reason: Why = Field(default="", description="what it was; a false alarm needs its cause")
    by: PersonName
    code: str = Field(pattern=r"^[0-9]{4,8}$")

    @model_validator(mode="after")
    def _with_cause(self) -> Self:
        if self.says == "false" and not self.reason.strip():
            raise ValueError("reason: found none, expected the cause of the false alarm")
        return self


class RunTest(Strict):
    """Technician to core: begin a test, with the code of one who may. The answer comes when the rules have decided.

    A walk test ends with this connection, or by `test-end`. `path-test` records `test.manual`, for the center to
    receipt. `end-alarm` silences what a tamper test has set off, while all is disarmed. `quiet`: no chime. `hold_up`:
    hold-up buttons too (installers). `camera-test` records `test.camera` and takes pictures with `camera`, as for an
    alarm; the answer's `detail.incident` is the one of their records.
    """

    type: Literal["test"] = "test"
    test: Literal["walk-test", "siren-test", "battery-test", "path-test", "camera-test", "end-alarm"]
    areas: list[Id] = Field(default=[], max_length=64, description="empty: all that are his")
    quiet: bool = False
    hold_up: bool = False
    camera: Id = Field(default="", description="of a `camera-test`")
    path: Id = Field(default="", description="of a `path-test`: the report goes by this one if it works")
    code: str = Field(pattern=r"^[0-9]{4,8}$")


class AskTried(Strict):
    """Technician to core: what became of a `path-test` by short message. `detail`: its `state` and `text`, if any."""

    type: Literal["tried"] = "tried"
    path: Id


class EndTest(Strict):
    """Technician to core: end the walk test that this connection began. `detail`: `seen`, `unseen`, `unseen_count`."""

    type: Literal["test-end"] = "test-end"


class AskDelivered(Strict):
    """Technician to core: is this record delivered? `detail`: `delivered`, and `path`, `monotonic_ms` where it is.

    Core knows of the newest deliveries since it started.
    """

    type: Literal["delivered"] = "delivered"
    journal: JournalId
    lane: Literal["alarm", "status", "evidence"]
    lane_seq: Count


class Answer(Strict):
    """Core to technician: what became of it. `detail` depends on the question."""

    type: Literal["answer"] = "answer"
    ok: bool
    reason: str = Field(default="", max_length=200)
    detail: dict[str, Any] = {}


FromTechnician: TypeAlias = Annotated[
    AskStatus
    | AskDrivers
    | AskSnapshot
    | AskRecords
    | SetUser
    | RemoveUser
    | SignEnrolment
    | Enrolled
    | Session
    | RelearnCamera
    | InstallFile
    | EvidenceAct
    | EvidenceHold
    | SignBundle
    | Acceptance
    | SignReport
    | MarkAlarm
    | RunTest
    | EndTest
    | AskTried
    | AskDelivered
    | AskUpdate
    | UpdateOffer
    | UpdateConsent
    | UpdateWithdraw,
    Field(discriminator="type"),
]

# --- core and desk (simulated pins only) ---------------------------------------------------------


class Move(Strict):
    """Desk to core: bring a zone's simulated detector into a position.

    `open` trips it (door open, person in view, button held), `close` is at rest, `cut` and `short` harm its line,
    `mask` covers its eye, `unpowered` cuts its supply.
    """

    type: Literal["move"] = "move"
    zone: Id
    position: Literal["open", "close", "cut", "short", "mask", "unpowered"]


class Press(Strict):
    """Desk to core: press and let go (buttons, momentary keyswitches)."""

    type: Literal["press"] = "press"
    zone: Id
    hold_ms: int = Field(default=1000, ge=1, le=60_000)


WishName: TypeAlias = Literal[
    "toggle",
    "arm",
    "disarm",
    "rearm",
    "silence",
    "reset",
    "bypass",
    "unbypass",
    "isolate",
    "unisolate",
    "postpone",
    "grant",
    "leave",
    "walk-test",
    "siren-test",
    "battery-test",
    "end-test",
    "status",
    "picture",
]
"""The names of `rules.stimuli.Wish`."""


class Code(Strict):
    """Desk to core: a code typed at the simulated keypad; the `#` that ends it is optional.

    `part`, `instant`, `override` go with `arm`, `quiet` and `hold_up` with `walk-test` (`rules.stimuli.CodeEntered`).
    """

    type: Literal["code"] = "code"
    digits: str = Field(pattern=r"^[0-9]{1,12}#?$")
    wish: WishName = "toggle"
    areas: list[Id] = Field(default=[], max_length=64)
    zone: str = Field(default="", max_length=48)
    source: str = Field(default="keypad-1", max_length=48)
    part: str = Field(default="", max_length=48)
    instant: bool = False
    override: bool = False
    quiet: bool = False
    hold_up: bool = False


class Mains(Strict):
    """Desk to core: switch the simulated mains."""

    type: Literal["mains"] = "mains"
    on: bool


class SetSupply(Strict):
    """Desk to core: what the simulated battery and board show from now on; what is None stays.

    `loaded_mv`: under the load test. `ma`: positive while it discharges. `auto` puts all back to a well supply.
    """

    type: Literal["supply"] = "supply"
    battery_mv: int | None = Field(default=None, ge=0, le=100_000)
    loaded_mv: int | None = Field(default=None, ge=0, le=100_000)
    ma: int | None = Field(default=None, ge=-100_000, le=100_000)
    celsius: int | None = Field(default=None, ge=-60, le=120)
    under_voltage: bool | None = None
    board_c: int | None = Field(default=None, ge=-60, le=150)
    auto: bool = False

    def values(self) -> dict[str, int | None]:
        """What changes: whole numbers by name; None for what is as by itself again."""
        names = ("battery_mv", "loaded_mv", "ma", "celsius", "under_voltage", "board_c")
        if self.auto:
            return dict.fromkeys(names)
        found = {name: getattr(self, name) for name in names}
        return {name: int(value) for name, value in found.items() if value is not None}


class AskDesk(Strict):
    """Desk to core: positions, levels of the simulated lines, areas."""

    type: Literal["status"] = "status"


class Watch(Strict):
    """Desk to core: send a `seen` line for each thing that happens from now on, until you close.

    `replay`: first those of before, since core started (the newest 512 of them).
    """

    type: Literal["watch"] = "watch"
    replay: bool = False


class Seen(Strict):
    """Core to desk: something happened.

    `what`: `output`, `condition`, `record`, `durable`, `delivered`, `tell`, `capture` or `trouble`.
    """

    type: Literal["seen"] = "seen"
    what: str = Field(max_length=16)
    name: str = Field(max_length=64)
    value: Any
    monotonic_ms: Number
    utc: UtcText


FromDesk: TypeAlias = Annotated[Move | Press | Code | Mains | SetSupply | AskDesk | Watch, Field(discriminator="type")]

from_uplink: TypeAdapter[Any] = TypeAdapter(FromUplink)
to_uplink: TypeAdapter[Any] = TypeAdapter(ToUplink)
from_camera: TypeAdapter[Manifest | CameraHealth | Held | Stock] = TypeAdapter(FromCamera)
to_camera: TypeAdapter[Any] = TypeAdapter(ToCamera)
from_clock: TypeAdapter[ClockSet] = TypeAdapter(ClockSet)
to_clock: TypeAdapter[Any] = TypeAdapter(ToClock)
from_updater: TypeAdapter[Any] = TypeAdapter(FromUpdater)
to_updater: TypeAdapter[Any] = TypeAdapter(ToUpdater)
from_technician: TypeAdapter[Any] = TypeAdapter(FromTechnician)
from_desk: TypeAdapter[Move | Press | Code | Mains | SetSupply | AskDesk | Watch] = TypeAdapter(FromDesk)
to_technician: TypeAdapter[Answer | Error] = TypeAdapter(Annotated[Answer | Error, Field(discriminator="type")])
to_desk: TypeAdapter[Answer | Seen | Error] = TypeAdapter(Annotated[Answer | Seen | Error, Field(discriminator="type")])
