"""The payloads of signed things, one model each, and the `typ` under which each is signed.

A signature under one `typ` never counts for another, so a receipt can't be played as a command.
"""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from firmware.protocol.jws import KeyRing, Refused
from firmware.protocol.messages import CertificateRequest, PersonName, PutUrl, RunId
from firmware.protocol.records import ClockName, Count, Hash, JournalId, LaneName, Number, PanelId, Strict, UtcText
from firmware.protocol.typ import (
    ACCEPTANCE,
    BASE,
    BUNDLE,
    CHECKPOINT,
    COMMAND,
    HEARTBEAT,
    KEYS,
    RECEIPT,
    RENEWAL,
    REPLY,
    TICK,
    TIME,
)

MAX_RANGES = 64

M = TypeVar("M", bound=Strict)

Nonce = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$", description="16 random bytes, base64url")]


class Heartbeat(Strict):
    """Signed by core, every 30 s: that it lives, and how far its journal reaches."""

    panel: PanelId
    session: Count = Field(description="grows with each start of core")
    beat: Count = Field(description="number of this heartbeat in the session")
    time: UtcText
    clock: ClockName
    monotonic_ms: Number = Field(description="boot clock, milliseconds")
    journal: JournalId
    seq: Number = Field(description="last durable record, 0 when there is none")
    hash: Hash = Field(description="its hash, 64 zeros when there is none")
    lanes: dict[LaneName, Number] = Field(description="last lane_seq of each chained lane")
    troubles: list[Annotated[str, Field(max_length=120)]] = Field(
        max_length=64, description="standing troubles, `name` or `name:subject`"
    )
    keys_serial: Number = Field(description="number of the center's key list that is in force")
    nonce: Nonce


class ReceiptRange(Strict):
    """Records `first` to `last` of the lane are stored at the center; `hash` is that of the record `last`."""

    first: Count
    last: Count
    hash: Hash

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")
        return self


class Receipt(Strict):
    """Signed by the center: these records are stored there."""

    panel: PanelId
    journal: JournalId
    lane: LaneName
    ranges: list[ReceiptRange] = Field(min_length=1, max_length=MAX_RANGES)


CommandName = Literal["arm", "disarm", "bypass", "unbypass", "silence", "reset", "postpone", "status", "picture"]


class CommandArgs(Strict):
    """What the command is about. `areas` empty means all areas; `zone` goes with bypass and unbypass.

    With `arm`: `part` names a part set, `instant` means without entry delay, `override` in spite of what stands in the
    way, as far as access level 2 may. With `picture`: the picture `picture` (from 1) of the record `event`, from byte
    `offset` on; or, with `put`, the whole of it by an HTTPS PUT to that address.
    """

    areas: list[Annotated[str, Field(max_length=48)]] = Field(default=[], max_length=64)
    zone: str = Field(default="", max_length=48)
    part: str = Field(default="", max_length=48)
    instant: bool = False
    override: bool = False
    event: Annotated[str, Field(pattern=r"^([0-9a-f-]{36}-[1-9][0-9]{0,15})?$", description="`id` of an event")] = ""
    picture: int = Field(default=0, ge=0, le=64)
    offset: Number = 0
    put: PutUrl = ""


class Command(Strict):
    """Signed by the center: do this, now. `nonce` is that of one of the panel's last two heartbeats."""

    panel: PanelId
    counter: Count = Field(description="grows with each command to this panel, for ever")
    nonce: Nonce
    command: CommandName
    args: CommandArgs
    operator: str = Field(min_length=1, max_length=64, description="who asks, as the center knows him")


class Reply(Strict):
    """Signed by core: what became of a command. `counter` is null when it could not be read."""

    panel: PanelId
    counter: Count | None
    key: str = Field(description="`kid` that signed the command; empty when it was not believed", max_length=64)
    result: Literal["done", "refused"]
    reason: str = Field(description="empty when done, else a short code", max_length=64)
    detail: dict[str, Any] = Field(description="for `status` the public state; else what was in the way")
    time: UtcText


KeyX = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="`x` of a public Ed25519 JWK")]
Certificate = Annotated[
    str,
    Field(
        max_length=8192,
        pattern=r"^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?$",
        description="one certificate in PEM form",
    ),
]


class KeyRotation(Strict):
    """Signed by the center with a root key: these are its keys from now on, instead of all before."""

    panel: PanelId | Literal["*"] = Field(description="the panel, or `*` for all panels of this center")
    serial: Count = Field(description="number of this list, above that of every list before")
    receipt_keys: list[KeyX] = Field(min_length=1, max_length=8)
    command_keys: list[KeyX] = Field(max_length=8)
    authorities: list[Certificate] = Field(
        max_length=4, description="further CAs whose broker certificates count, besides the file's"
    )


class CenterTime(Strict):
    """Signed by the center in answer to a heartbeat: what time it was there when that arrived."""

    panel: PanelId
    nonce: Nonce
    time: UtcText


class Checkpoint(Strict):
    """Signed by core inside a `journal.checkpoint` record: the record before it, and all before that, stand so."""

    panel: PanelId
    journal: JournalId
    seq: Count = Field(description="number of the record that is vouched for: the one just before")
    hash: Hash
    state_hash: Hash
    time: UtcText


class Base(Checkpoint):
    """Signed by core inside a `journal.base` record: up to record `seq`, which stood so, all are removed."""

    lanes: dict[LaneName, Number] = Field(description="last lane_seq of each lane that is removed")
    expired: Number = Field(description="up to this seq payloads may be gone (null), 0 for none")


class Tick(Strict):
    """Signed by core beside the state while timers run: at this moment the state of record `seq` was in force."""

    panel: PanelId
    journal: JournalId
    seq: Number
    state_hash: Hash
    boot: str = Field(min_length=1, max_length=64)
    monotonic_ms: Number


class Renewal(Strict):
    """Signed by core: the uplink asks for a new client certificate, in the place of one that it holds."""

    panel: PanelId
    path: str = Field(max_length=48, description="id of the path in the panel file")
    csr: CertificateRequest
    replaces: Hash = Field(description="SHA-256 of the certificate (DER) that the new one is to replace")
    time: UtcText


def read_heartbeat(keys: KeyRing, token: str) -> Heartbeat:
    """The heartbeat in a token; raises `Refused`."""
    return _model(Heartbeat, keys.verify(HEARTBEAT, token))


def read_receipt(keys: KeyRing, token: str) -> Receipt:
    """The receipt in a token; raises `Refused`."""
    return _model(Receipt, keys.verify(RECEIPT, token))


def read_command(keys: KeyRing, token: str) -> Command:
    """The command in a token; raises `Refused`."""
    return _model(Command, keys.verify(COMMAND, token))


def read_reply(keys: KeyRing, token: str) -> Reply:
    """The reply in a token; raises `Refused`."""
    return _model(Reply, keys.verify(REPLY, token))


def read_keys(keys: KeyRing, token: str) -> KeyRotation:
    """The exchange of keys in a token; raises `Refused`."""
    return _model(KeyRotation, keys.verify(KEYS, token))


def read_time(keys: KeyRing, token: str) -> CenterTime:
    """The center's time in a token; raises `Refused`."""
    return _model(CenterTime, keys.verify(TIME, token))


class Bundle(Strict):
    """Signed by core when an export is recorded: the index of the bundle, by which all its files are known."""

    panel: PanelId
    journal: JournalId
    incident: Count
    index: Hash = Field(description="SHA-256 of index.json")
    by: str = Field(min_length=1, max_length=64, description="who exported it, as he said")
    time: UtcText


def read_bundle(keys: KeyRing, token: str) -> Bundle:
    """The bundle in a token; raises `Refused`."""
    return _model(Bundle, keys.verify(BUNDLE, token))


class SignedReport(Strict):
    """Signed by core when it is recorded: the manifest of an acceptance or trial report, which names all its files."""

    panel: PanelId
    what: Literal["acceptance", "trial"]
    run: RunId
    manifest: Hash = Field(description="SHA-256 of manifest.json")
    user: str = Field(max_length=32, description="whose code it was")
    by: PersonName
    time: UtcText


def read_report(keys: KeyRing, token: str) -> SignedReport:
    """The signed report in a token; raises `Refused`."""
    return _model(SignedReport, keys.verify(ACCEPTANCE, token))


def read_checkpoint(keys: KeyRing, token: str) -> Checkpoint:
    """The checkpoint in a token; raises `Refused`."""
    return _model(Checkpoint, keys.verify(CHECKPOINT, token))


def read_base(keys: KeyRing, token: str) -> Base:
    """The base in a token; raises `Refused`."""
    return _model(Base, keys.verify(BASE, token))


def read_tick(keys: KeyRing, token: str) -> Tick:
    """The tick in a token; raises `Refused`."""
    return _model(Tick, keys.verify(TICK, token))


def read_renewal(keys: KeyRing, token: str) -> Renewal:
    """The renewal in a token; raises `Refused`."""
    return _model(Renewal, keys.verify(RENEWAL, token))


def _model(model: type[M], payload: dict[str, Any]) -> M:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refused("malformed", f"{place}: {first['msg']}") from None
