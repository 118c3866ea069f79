"""What the models of the panel file have in common: exact keys, and the texts that may stand in them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from firmware.config.hours import DATE, HOURS, TIME

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
Line = Annotated[int, Field(ge=0, le=57, description="GPIO line number of the chip (BCM numbering on a Pi)")]
KeyX = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="`x` of an Ed25519 JWK")]
Gb28181Id = Annotated[str, Field(pattern=r"^[0-9]{20}$")]
# Control characters would reach terminals, records and reports.
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
FilePath = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
DevicePath = Annotated[str, Field(max_length=200, pattern=r"^/[^\x00-\x1f\x7f-\x9f]+$")]
PhoneNumber = Annotated[str, Field(pattern=r"^\+?[0-9]{3,15}$")]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]
Time = Annotated[str, Field(pattern=TIME, description="of the local day")]
Hours = Annotated[str, Field(pattern=HOURS)]
Date = Annotated[str, Field(pattern=DATE)]
MAX_OUTLINES = 16
MIN_OUTLINE, MAX_OUTLINE = 6, 64
"""Numbers of one outline: 3 to 32 corners."""
Outline = Annotated[
    list[Annotated[int, Field(ge=0, le=1000)]],
    Field(
        min_length=MIN_OUTLINE, max_length=MAX_OUTLINE, description="x, y, x, y … in thousandths of width and height"
    ),
]


class Model(BaseModel):
    """All tables of the panel file: exact keys, frozen; compiled once, with the whole file, to start quickly."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Tls(Model):
    """`tls = {...}` of a path: files, relative to the panel file.

    `client_ca`: who may sign the next client certificate of an MQTT path; `ca` where it is not named.
    """

    ca: FilePath
    certificate: FilePath
    key: FilePath
    client_ca: FilePath | None = None
