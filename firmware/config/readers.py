"""The models of keypads and card readers in the panel file: what hangs on an OSDP bus, and how it is trusted."""

from typing import Annotated, Literal

from pydantic import Field

from firmware.config.base import DevicePath, FilePath, Id, Model

Affix = Annotated[str, Field(max_length=8, pattern=r"^[\x20-\x7e]*$")]
INSECURE = "I accept that anyone on the bus can read and send codes"


class OsdpReader(Model):
    """`[[osdp.reader]]`; `key_file` holds its key (32 hex digits, 0600), or `insecure` says that it has none.

    `text_rows`: of its display, 16 columns each. `lamp_s`: the lamp goes dark so long after the last change, 0 never;
    by default 30 in the eu profiles (EN 50131-1, digest §1.4), else 0.
    """

    id: Id
    address: int = Field(ge=0, le=126)
    areas: list[Id] = Field(min_length=1, max_length=64)
    keypad: bool = True
    key_file: FilePath | None = None
    insecure: Literal["I accept that anyone on the bus can read and send codes"] | None = None
    text_rows: int = Field(default=0, ge=0, le=4)
    language: Literal["en", "zh"] = "en"
    lamp_s: Annotated[int, Field(ge=0, le=180)] | None = None


class LineReader(Model):
    """`[[reader]]`: a serial reader that sends a line for each card (`card`) or guard's tag (`tour`).

    A line is `prefix`, `least` to `most` digits, `suffix`; CR, LF or ETX ends it. `areas`: of a card reader.
    """

    id: Id
    port: DevicePath
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    kind: Literal["card", "tour"]
    areas: list[Id] = Field(default=[], max_length=64)
    prefix: Affix = ""
    suffix: Affix = ""
    digits: Literal["hex", "decimal"] = "hex"
    least: int = Field(default=4, ge=1, le=40)
    most: int = Field(default=20, ge=1, le=40)


class TourTag(Model):
    """`tag = {...}` of a checkpoint: the tag that a guard holds to a `[[reader]]`."""

    reader: Id
    tag: Annotated[str, Field(pattern=r"^[0-9A-F]{1,40}$")]


class Osdp(Model):
    """`[[osdp]]`: an RS-485 port with OSDP keypads and card readers (IEC 60839-11-5)."""

    id: Id
    port: DevicePath
    baud: Literal[9600, 19200, 38400, 57600, 115200, 230400] = 9600
    reader: list[OsdpReader] = Field(min_length=1, max_length=32)
