"""Core and camera: what to take pictures of, what became of it, what is kept and what goes."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from firmware.protocol.canonical import MAX_INTEGER
from firmware.protocol.messages.parts import (
    MAX_FOLDERS,
    Error,
    EvidenceFile,
    Id,
    PersonName,
    PictureBytes,
    Welcome,
    Why,
)
from firmware.protocol.records import ClockName, Count, Hash, JournalId, KindName, Number, Strict, UtcText

MAX_MANIFEST = 8 * 1024 * 1024
"""Bytes of a manifest file: 1,500 pictures with their boxes take 1 MiB."""


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
from_camera: TypeAdapter[Manifest | CameraHealth | Held | Stock] = TypeAdapter(FromCamera)
to_camera: TypeAdapter[Any] = TypeAdapter(ToCamera)
