"""What truly happens in a simulated life: what the world does to the panel, and what is seen of the panel from outside.

The world, the panel's life and the oracle share nothing but these. `at` is the world's own time in milliseconds since
the life began; it never stops, whatever the panel's clocks do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from rules.effects import JsonValue
from rules.site import Condition
from rules.stimuli import Right, Wish


@dataclass(frozen=True)
class Wired:
    """What a zone's wire reads from now on, debounced; a dark panel learns of it when it is awake again.

    `intruder`: a person who should not be there caused it. `asked`: no change, a driver that repeats what stands.
    """

    at: int
    zone: str
    condition: Condition
    intruder: bool = False
    asked: bool = False


@dataclass(frozen=True)
class Typed:
    """Somebody typed at a keypad. `user`: whose code it is now, empty when nobody's; `duress`: his duress code."""

    at: int
    source: str
    user: str
    duress: bool
    wish: Wish
    areas: tuple[str, ...] = ()
    zone: str = ""
    part: str = ""
    instant: bool = False
    override: bool = False
    quiet: bool = False
    hold_up: bool = False


@dataclass(frozen=True)
class Commanded:
    """A command came from the center's side. `genuine`: signed, fresh, with a counter above all before."""

    at: int
    counter: int
    operator: str
    wish: Wish
    areas: tuple[str, ...] = ()
    zone: str = ""
    part: str = ""
    instant: bool = False
    override: bool = False
    genuine: bool = True


@dataclass(frozen=True)
class Person:
    """A user was set by somebody who may. `first_day`, `last_day`, `once`: as in `rules.stimuli.User`."""

    at: int
    user: str
    level: int
    areas: tuple[str, ...]
    duress: bool
    rights: tuple[Right, ...] | None = None
    first_day: int | None = None
    last_day: int | None = None
    once: bool = False


@dataclass(frozen=True)
class Gone:
    """A user was removed."""

    at: int
    user: str


@dataclass(frozen=True)
class WallClock:
    """What the panel is told of the local time; `sure` as it is told."""

    at: int
    day: int
    minute: int
    sure: bool


@dataclass(frozen=True)
class Troubled:
    """A trouble of the panel's own parts truly began or ended, as its driver says."""

    at: int
    trouble: str
    present: bool
    subject: str = ""


@dataclass(frozen=True)
class Dark:
    """The panel stops in the middle of whatever it does: `killed` (its outputs may fall), `power` (all is dark)."""

    at: int
    why: str


@dataclass(frozen=True)
class Awake:
    """The panel is up: `first`, `power-up` or `restart`; its inputs are live and it was told what the wires read."""

    at: int
    cause: str


@dataclass(frozen=True)
class Pin:
    """An output's pin took this level."""

    at: int
    output: str
    on: bool


@dataclass(frozen=True)
class Shown:
    """What a keypad shows or says, or the technician hears; empty `source` is every keypad."""

    at: int
    source: str
    notice: str
    args: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Viewed:
    """The public view (`rules.public_view`) as it stands after a step."""

    at: int
    view: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Recorded:
    """The panel's journal holds this record, durably."""

    at: int
    journal: str
    seq: int
    lane: str
    kind: str
    payload: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Held:
    """The center stored this record (once for each time that it came and was new)."""

    at: int
    journal: str
    seq: int
    lane: str
    kind: str
    payload: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Linked:
    """Whether the panel can reach the center at all from now on."""

    at: int
    up: bool


Happening: TypeAlias = (
    Wired
    | Typed
    | Commanded
    | Person
    | Gone
    | WallClock
    | Troubled
    | Dark
    | Awake
    | Pin
    | Shown
    | Viewed
    | Recorded
    | Held
    | Linked
)
