"""What the messages of several sockets have in common: names, files, the longest line, `welcome`, `answer`, `error`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from firmware.protocol.records import Count, Hash, PanelId, Strict, UtcText

MAX_LINE = 256 * 1024
"""Bytes of one line without its newline, in either direction."""
Id = Annotated[str, Field(max_length=48, description="id in the panel file")]
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


class Error(Strict):
    """Core to anyone: your last line did not count."""

    type: Literal["error"] = "error"
    reason: str = Field(max_length=500)


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


PersonName = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", description="who, as he is known on site"),
]
Why = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
MAX_FOLDERS = 64


class Answer(Strict):
    """Core to technician: what became of it. `detail` depends on the question."""

    type: Literal["answer"] = "answer"
    ok: bool
    reason: str = Field(default="", max_length=200)
    detail: dict[str, Any] = {}
