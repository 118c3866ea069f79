"""The messages about updates: between core and the updater, and from the technician.

Core judges who consents and when the panel may restart; the updater judges bundles and slots. What the updater has
done it tells as steps, numbered, until core says that the journal holds them.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from firmware.protocol.records import Number, Strict

VERSION_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,6}){2}(-[0-9A-Za-z]{1,16}(\.[0-9A-Za-z]{1,16}){0,3})?$"
MAX_SOURCE = 1024
USB = "usb:"
"""A source: the newest bundle on a stick."""
OTHER_SLOT = "slot:other"
"""A source: what is in the other slot already."""

_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
Source = Annotated[
    str,
    Field(
        max_length=MAX_SOURCE,
        pattern=r"^(/[^\x00-\x1f\x7f-\x9f]*|https?://[!-~]+|usb:|slot:other)$",
        description="a file's absolute path, a URL, `usb:` or `slot:other`",
    ),
]
Line = Annotated[str, Field(max_length=200, pattern=_LINE)]
Version = Annotated[str, Field(max_length=64, pattern=VERSION_PATTERN)]
Slot = Annotated[str, Field(max_length=16, pattern=r"^[A-Za-z0-9_.-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Who = Annotated[str, Field(max_length=64, pattern=_LINE, description="the user's id")]
Part: TypeAlias = Literal["user", "installer"]
_Code = Annotated[str, Field(pattern=r"^[0-9]{4,8}$")]

# --- technician to core --------------------------------------------------------------------------


class AskUpdate(Strict):
    """Technician to core: what the updater told last. The answer's `detail` is an `UpdateStatus`; empty: none runs."""

    type: Literal["update"] = "update"


class UpdateOffer(Strict):
    """Technician to core: look at this bundle, with the code of an installer or of a user who may let one in.

    `even_armed`: restart even while armed, for the `reason` given. `no_way_back`: although what it writes can't be read
    by the software of now.
    """

    type: Literal["update-offer"] = "update-offer"
    source: Source
    even_armed: bool = False
    no_way_back: bool = False
    reason: Line = ""
    code: _Code


class UpdateConsent(Strict):
    """Technician to core: consent to the bundle with this image."""

    type: Literal["update-consent"] = "update-consent"
    sha256: Sha256
    code: _Code


class UpdateWithdraw(Strict):
    """Technician to core: no update, as long as the other slot has not been started."""

    type: Literal["update-withdraw"] = "update-withdraw"
    code: _Code


# --- core to updater -----------------------------------------------------------------------------


class Offer(Strict):
    """Core to updater: look at this bundle."""

    type: Literal["offer"] = "offer"
    source: Source
    by: Who
    even_armed: bool = False
    no_way_back: bool = False
    reason: Line = ""


class Consent(Strict):
    """Core to updater: this one consents to the bundle with this image."""

    type: Literal["consent"] = "consent"
    sha256: Sha256
    part: Part
    by: Who


class Withdraw(Strict):
    """Core to updater: no update."""

    type: Literal["withdraw"] = "withdraw"
    by: Who


class Panel(Strict):
    """Core to updater, at the connection and every second: how the panel is.

    `at_rest`: all is disarmed and silent. `linked`: there is a way to the center that works. `up_ms`: since core's
    start. `read`: every input was read. `failing`: lines that do not work. `restored`: the state of before was read.
    `stored`: the journal can be written. `receipt`: the test record of this trial is delivered.
    """

    type: Literal["panel"] = "panel"
    at_rest: bool
    linked: bool
    up_ms: Number
    read: bool
    failing: int = Field(ge=0, le=100_000)
    restored: bool
    journal: str = Field(max_length=64)
    stored: bool
    receipt: bool


class StepTaken(Strict):
    """Core to updater: the journal holds this step."""

    type: Literal["step-taken"] = "step-taken"
    number: Number


# --- updater to core -----------------------------------------------------------------------------


class Step(Strict):
    """Updater to core: an update has come to a new state; record it. `why`: a name of the reasons."""

    type: Literal["step"] = "step"
    number: Number
    kind: str = Field(pattern=r"^update\.[a-z-]{1,32}$")
    version: str = Field(default="", max_length=64, pattern=_LINE)
    sha256: Sha256 = ""
    slot: Slot = ""
    source: str = Field(default="", max_length=MAX_SOURCE, pattern=_LINE)
    by: list[Who] = Field(default=[], max_length=4)
    reason: Line = ""
    why: str = Field(default="", max_length=32, pattern=r"^[a-z-]*$")
    detail: Line = ""


class Trial(Strict):
    """Updater to core: a trial runs. Record a test that the center receipts, once for each core's start."""

    type: Literal["trial"] = "trial"


class UpdateStatus(Strict):
    """Updater to core: what is so now. `version`: of the update; `running`: of the software in the slot that runs.

    `kept`: the version in the other slot, where known. `missing`: whose consents are awaited. `waiting`: for what it
    waits; `progress`: of the installation, percent.
    """

    type: Literal["update-status"] = "update-status"
    stage: str = Field(max_length=16)
    slot: Slot
    home: Slot
    running: Version
    kept: str = Field(default="", max_length=64, pattern=_LINE)
    floor: Version
    data: int = Field(ge=1, le=10_000)
    offers: Number = Field(description="how many offers there were: a new one has been looked at when it has grown")
    version: str = Field(default="", max_length=64, pattern=_LINE)
    sha256: Sha256 = ""
    source: str = Field(default="", max_length=MAX_SOURCE, pattern=_LINE)
    note_en: Line = ""
    note_zh: Line = ""
    missing: list[Part] = Field(default=[], max_length=2)
    even_armed: bool = False
    progress: int = Field(default=0, ge=0, le=100)
    waiting: str = Field(default="", max_length=32, pattern=r"^[a-z-]*$")
    why: str = Field(default="", max_length=32, pattern=r"^[a-z-]*$")
    detail: Line = ""


FromUpdater: TypeAlias = Annotated[Step | Trial | UpdateStatus, Field(discriminator="type")]
