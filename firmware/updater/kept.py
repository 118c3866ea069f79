"""What the updater remembers over restarts, in one file on the data partition that is always whole.

The software of either slot reads it: members that are not known are passed over, and none may ever be made another
thing. A file that can't be read is as good as none: the slot that runs is then the accepted one.
"""

import logging
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firmware.durable import write_whole
from firmware.protocol.updates import Line, Part, Slot, Source, Step, Who
from firmware.updater.bundle import Manifest
from firmware.updater.life import Stage

log = logging.getLogger("fenghuo.updater.kept")

NAME = "update.json"
MAX_BYTES = 256 * 1024
MAX_STEPS = 64
"""Steps that wait for core; beyond, the oldest is dropped: an update has fewer than 20."""

M = TypeVar("M", bound=BaseModel)


class _Tolerant(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Wanted(_Tolerant):
    """Who wants which bundle, and what he takes upon himself."""

    source: Source
    by: Who
    even_armed: bool = False
    no_way_back: bool = False
    reason: Line = ""


class WasSo(_Tolerant):
    """How the panel was before the restart; `Before` of `firmware.updater.trial`."""

    failing: int = Field(default=0, ge=0)
    journal: str = Field(default="", max_length=64)
    stored: bool = True
    linked: bool = True


class Kept(_Tolerant):
    """All of it. `home`: the accepted slot; `target`: the slot that the update goes to. `slots`: what is known to be in
    each. `offered_at`: seconds of UTC. `linked`: whether there was a way to the center when the consents were given.
    `trial_boot`, `trial_ms`: the boot of the trial, and its moment on the boot clock. `number`: of the last step."""

    format: int = 1
    stage: Stage = Stage.NONE
    home: Slot = ""
    target: Slot = ""
    floor: str = Field(default="0.0.0", max_length=64)
    slots: dict[Slot, Manifest] = Field(default={}, max_length=4)
    offers: int = Field(default=0, ge=0)
    wanted: Wanted | None = None
    manifest: Manifest | None = None
    consents: dict[Part, Who] = Field(default={}, max_length=2)
    offered_at: float = 0.0
    linked: bool = True
    before: WasSo = WasSo()
    trial_boot: str = Field(default="", max_length=64)
    trial_ms: int = Field(default=0, ge=0)
    why: str = Field(default="", max_length=32)
    detail: Line = ""
    number: int = Field(default=0, ge=0)
    steps: list[Step] = Field(default=[], max_length=MAX_STEPS)

    def but(self, **changes: Any) -> "Kept":
        """The same, but for these."""
        return self.model_copy(update=changes)


class Shelf:
    """The folder in which it lies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> Kept | None:
        """What was kept; None where there is nothing to be read."""
        try:
            with (self._folder / NAME).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.error("what was kept of updates can't be read: %s", error)
            return None
        return read(raw)

    def save(self, kept: Kept) -> None:
        """Durable when this returns; the file is the old one or the new one at any moment. Raises `OSError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._folder / NAME, kept.model_dump_json(exclude_defaults=True).encode())


def read(raw: bytes) -> Kept | None:
    """From the file's bytes; None for what is no such file."""
    if len(raw) > MAX_BYTES:
        log.error("what was kept of updates is longer than %d bytes", MAX_BYTES)
        return None
    try:
        return Kept.model_validate_json(raw)
    except (ValidationError, ValueError) as error:
        log.error("what was kept of updates is damaged: %s", str(error).splitlines()[0][:200])
        return None
