"""Core and the processes that change the machine under it: the one that sets the clock, the one that updates."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from firmware.protocol.canonical import MAX_INTEGER
from firmware.protocol.messages.parts import Error, Welcome
from firmware.protocol.records import Number, Strict
from firmware.protocol.updates import Consent, FromUpdater, Offer, Panel, StepTaken, Withdraw


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
from_clock: TypeAdapter[ClockSet] = TypeAdapter(ClockSet)
to_clock: TypeAdapter[Any] = TypeAdapter(ToClock)
from_updater: TypeAdapter[Any] = TypeAdapter(FromUpdater)
to_updater: TypeAdapter[Any] = TypeAdapter(ToUpdater)
