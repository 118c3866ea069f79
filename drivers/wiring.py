"""Wiring of plain contacts: from the levels of a zone's lines to its condition, and back for the simulated world.

Every line is pulled up and a closed contact pulls it to ground, so True (high) means: no current, contact open. What a
wiring can't tell apart stays so here: on one plain line a cut looks like an open contact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from rules.site import Condition

Levels: TypeAlias = tuple[bool, ...]
"""One level for each line of `Input.lines`, in that order."""


class Wiring(StrEnum):
    """How a detector's contact is wired (`wiring` of the panel file)."""

    NC = "nc"
    NO = "no"
    CHANGEOVER = "changeover"


class Position(StrEnum):
    """What a simulated detector does: `open` trips it, `close` is at rest, `cut` and `short` harm its line.

    `mask` covers its eye: only a contact of its own tells that. `unpowered` cuts its supply: its relays let go.
    """

    OPEN = "open"
    CLOSE = "close"
    CUT = "cut"
    SHORT = "short"
    MASK = "mask"
    UNPOWERED = "unpowered"


LOW, HIGH = False, True

CONDITIONS: Mapping[Wiring, Mapping[Levels, Condition]] = MappingProxyType(
    {
        Wiring.NC: {(LOW,): Condition.NORMAL, (HIGH,): Condition.ACTIVE},
        Wiring.NO: {(HIGH,): Condition.NORMAL, (LOW,): Condition.ACTIVE},
        # The closed leg first. Both high for some ms is the contact's travel: the debounce covers the joint reading.
        Wiring.CHANGEOVER: {
            (LOW, HIGH): Condition.NORMAL,
            (HIGH, LOW): Condition.ACTIVE,
            (HIGH, HIGH): Condition.OPEN,
            (LOW, LOW): Condition.SHORT,
        },
    }
)

LEVELS: Mapping[Wiring, Mapping[Position, Levels]] = MappingProxyType(
    {
        Wiring.NC: {
            Position.CLOSE: (LOW,),
            Position.OPEN: (HIGH,),
            Position.CUT: (HIGH,),
            Position.SHORT: (LOW,),
            Position.MASK: (LOW,),
            Position.UNPOWERED: (HIGH,),
        },
        Wiring.NO: {
            Position.CLOSE: (HIGH,),
            Position.OPEN: (LOW,),
            Position.CUT: (HIGH,),
            Position.SHORT: (LOW,),
            Position.MASK: (HIGH,),
            Position.UNPOWERED: (HIGH,),
        },
        Wiring.CHANGEOVER: {
            Position.CLOSE: (LOW, HIGH),
            Position.OPEN: (HIGH, LOW),
            Position.CUT: (HIGH, HIGH),
            Position.SHORT: (LOW, LOW),
            Position.MASK: (LOW, HIGH),
            # The relay that is held while all is well lets go.
            Position.UNPOWERED: (HIGH, LOW),
        },
    }
)

MEANT: Mapping[Position, Condition] = MappingProxyType(
    {
        Position.CLOSE: Condition.NORMAL,
        Position.OPEN: Condition.ACTIVE,
        Position.CUT: Condition.OPEN,
        Position.SHORT: Condition.SHORT,
        Position.MASK: Condition.MASKED,
        Position.UNPOWERED: Condition.FAULT,
    }
)
"""The condition that would tell the whole truth about a position."""


@dataclass(frozen=True)
class Input:
    """A zone's lines. `line_no` (the open leg) goes with changeover and only with it; else `ValueError`."""

    zone: str
    line: int
    wiring: Wiring = Wiring.NC
    line_no: int | None = None
    debounce_ms: int = 300

    def __post_init__(self) -> None:
        """Accept the panel file's words for the wiring too."""
        object.__setattr__(self, "wiring", Wiring(self.wiring))
        if (self.wiring is Wiring.CHANGEOVER) != (self.line_no is not None):
            raise ValueError(f"zone {self.zone}: line_no goes with changeover wiring and only with it")

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines to read, in the order of `Levels`."""
        return (self.line,) if self.line_no is None else (self.line, self.line_no)


@dataclass(frozen=True)
class OutputLine:
    """An output's line. `active_high` False: the load is on while the line is low (fail-safe relays)."""

    output: str
    line: int
    active_high: bool = True

    def level(self, on: bool) -> bool:
        """The level that switches the load on or off."""
        return on == self.active_high


def condition(wiring: Wiring, levels: Levels) -> Condition:
    """What these levels say; raises `KeyError` for a wrong number of levels."""
    return CONDITIONS[wiring][levels]


def levels(wiring: Wiring, position: Position) -> Levels:
    """The levels that a detector in this position puts on its lines."""
    return LEVELS[wiring][position]


def seen_as(wiring: Wiring, position: Position) -> Condition:
    """What the panel makes of a position. Differs from `MEANT[position]` where the wiring can't tell."""
    return condition(wiring, levels(wiring, position))
