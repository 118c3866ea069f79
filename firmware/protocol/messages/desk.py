"""Core and the desk of a simulated panel: fingers on zones and keypad, hands on the supply, eyes on what it does."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from firmware.protocol.messages.parts import Answer, Error, Id
from firmware.protocol.records import Number, Strict, UtcText


class Move(Strict):
    """Desk to core: bring a zone's simulated detector into a position.

    `open` trips it (door open, person in view, button held), `close` is at rest, `cut` and `short` harm its line,
    `mask` covers its eye, `unpowered` cuts its supply.
    """

    type: Literal["move"] = "move"
    zone: Id
    position: Literal["open", "close", "cut", "short", "mask", "unpowered"]


class Press(Strict):
    """Desk to core: press and let go (buttons, momentary keyswitches)."""

    type: Literal["press"] = "press"
    zone: Id
    hold_ms: int = Field(default=1000, ge=1, le=60_000)


WishName: TypeAlias = Literal[
    "toggle",
    "arm",
    "disarm",
    "rearm",
    "silence",
    "reset",
    "bypass",
    "unbypass",
    "isolate",
    "unisolate",
    "postpone",
    "grant",
    "leave",
    "walk-test",
    "siren-test",
    "battery-test",
    "end-test",
    "status",
    "picture",
]
"""The names of `rules.stimuli.Wish`."""


class Code(Strict):
    """Desk to core: a code typed at the simulated keypad; the `#` that ends it is optional.

    `part`, `instant`, `override` go with `arm`, `quiet` and `hold_up` with `walk-test` (`rules.stimuli.CodeEntered`).
    """

    type: Literal["code"] = "code"
    digits: str = Field(pattern=r"^[0-9]{1,12}#?$")
    wish: WishName = "toggle"
    areas: list[Id] = Field(default=[], max_length=64)
    zone: str = Field(default="", max_length=48)
    source: str = Field(default="keypad-1", max_length=48)
    part: str = Field(default="", max_length=48)
    instant: bool = False
    override: bool = False
    quiet: bool = False
    hold_up: bool = False


class Mains(Strict):
    """Desk to core: switch the simulated mains."""

    type: Literal["mains"] = "mains"
    on: bool


class SetSupply(Strict):
    """Desk to core: what the simulated battery and board show from now on; what is None stays.

    `loaded_mv`: under the load test. `ma`: positive while it discharges. `auto` puts all back to a well supply.
    """

    type: Literal["supply"] = "supply"
    battery_mv: int | None = Field(default=None, ge=0, le=100_000)
    loaded_mv: int | None = Field(default=None, ge=0, le=100_000)
    ma: int | None = Field(default=None, ge=-100_000, le=100_000)
    celsius: int | None = Field(default=None, ge=-60, le=120)
    under_voltage: bool | None = None
    board_c: int | None = Field(default=None, ge=-60, le=150)
    auto: bool = False

    def values(self) -> dict[str, int | None]:
        """What changes: whole numbers by name; None for what is as by itself again."""
        names = ("battery_mv", "loaded_mv", "ma", "celsius", "under_voltage", "board_c")
        if self.auto:
            return dict.fromkeys(names)
        found = {name: getattr(self, name) for name in names}
        return {name: int(value) for name, value in found.items() if value is not None}


class AskDesk(Strict):
    """Desk to core: positions, levels of the simulated lines, areas."""

    type: Literal["status"] = "status"


class Watch(Strict):
    """Desk to core: send a `seen` line for each thing that happens from now on, until you close.

    `replay`: first those of before, since core started (the newest 512 of them).
    """

    type: Literal["watch"] = "watch"
    replay: bool = False


class Seen(Strict):
    """Core to desk: something happened.

    `what`: `output`, `condition`, `record`, `durable`, `delivered`, `tell`, `capture` or `trouble`.
    """

    type: Literal["seen"] = "seen"
    what: str = Field(max_length=16)
    name: str = Field(max_length=64)
    value: Any
    monotonic_ms: Number
    utc: UtcText


FromDesk: TypeAlias = Annotated[Move | Press | Code | Mains | SetSupply | AskDesk | Watch, Field(discriminator="type")]
from_desk: TypeAdapter[Move | Press | Code | Mains | SetSupply | AskDesk | Watch] = TypeAdapter(FromDesk)
to_desk: TypeAdapter[Answer | Seen | Error] = TypeAdapter(Annotated[Answer | Seen | Error, Field(discriminator="type")])
