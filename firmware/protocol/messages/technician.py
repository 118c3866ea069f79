"""Core and the technician's commands: one question, one answer. What changes something carries somebody's code."""

from datetime import date
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, TypeAdapter, ValidationInfo, field_validator, model_validator

from firmware.protocol.messages.parts import (
    MAX_FOLDERS,
    Answer,
    CertificateRequest,
    Error,
    EvidenceFile,
    Id,
    PersonName,
    Why,
)
from firmware.protocol.records import Count, Hash, JournalId, Number, Strict, UtcText
from firmware.protocol.updates import AskUpdate, UpdateConsent, UpdateOffer, UpdateWithdraw


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


MarkSays = Literal["true", "false", "open"]


class MarkAlarm(Strict):
    """Technician to core, with the code of an installer, or of a user who may let one in: this alarm was true or false.

    Of several marks of a record the newest counts; `open` takes the ones before back. The answer comes when it is
    recorded.
    """

    type: Literal["alarm-mark"] = "alarm-mark"
    journal: JournalId
    seq: Count = Field(description="of the alarm's record")
    says: MarkSays
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
from_technician: TypeAdapter[Any] = TypeAdapter(FromTechnician)
to_technician: TypeAdapter[Answer | Error] = TypeAdapter(Annotated[Answer | Error, Field(discriminator="type")])
