"""The manifest file of a capture, beside its pictures: everything that one camera saved for one incident.

It is written once, at the end, in canonical JSON; its SHA-256 is in the record of the capture's last part, and so in
the chain. Camera writes it, `fenghuo evidence` reads it back.
"""

from typing import Literal

from pydantic import Field

from firmware.protocol.messages import EvidenceFile, Id, ModelScore, Picture, Thousandths
from firmware.protocol.records import ClockName, Count, JournalId, KindName, Number, PanelId, Strict, UtcText

FORMAT: Literal["fenghuo.evidence.v1"] = "fenghuo.evidence.v1"
NAME = "manifest.json"
HOLD = "hold.json"
"""Its presence in a capture's folder is the legal hold; it says by whom, when and why."""
MAX_PICTURES = 4096


class CaptureManifest(Strict):
    """Everything that one camera saved for one incident; the incident is (panel, journal, incident)."""

    format: Literal["fenghuo.evidence.v1"] = FORMAT
    panel: PanelId
    journal: JournalId | Literal[""] = Field(description="journal of the alarm's record; empty when core told none")
    incident: Count
    kind: KindName = Field(description="kind of the alarm's record")
    zone: Id
    camera: Id
    folder: EvidenceFile = Field(description="folder of the capture, inside the evidence folder")
    time: UtcText = Field(description="UTC of the alarm; a picture was taken `offset_ms` later")
    clock: ClockName = Field(description="how far `time` can be trusted")
    pictures: list[Picture] = Field(max_length=MAX_PICTURES)
    thumbnails: list[Picture] = Field(max_length=MAX_PICTURES)
    verdict: Literal["person", "unverified"]
    score: Thousandths
    threshold: Thousandths = Field(description="score from which the camera calls it a person")
    model: str = Field(max_length=80)
    models: list[ModelScore] = Field(max_length=4, description="those that ran, with their whole hash")
    parts: Count = Field(description="number of the part that this file comes with")
    thinned: Number = Field(description="pictures left out to keep within the day's budget of writing")
    fault: str = Field(max_length=200, description="why pictures are missing; empty when nothing went wrong")
