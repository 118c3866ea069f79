"""The site as the rules see it: areas, zones, outputs, timings.

Wiring, cameras' makers and paths are not here: they belong to other rooms. All times are milliseconds
of monotonic time, all ids are the panel file's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Condition(StrEnum):
    """What a driver reads on a zone's wire (GB 55029 3.5.1(3): open and short are told apart)."""

    NORMAL = "normal"
    ACTIVE = "active"
    OPEN = "open"
    SHORT = "short"
    MASKED = "masked"
    FAULT = "fault"


class ZoneType(StrEnum):
    """What a zone means. The reaction of each is a row in `rules.zones`."""

    ENTRY_EXIT = "entry-exit"
    FOLLOWER = "follower"
    INSTANT = "instant"
    TWENTY_FOUR_HOUR = "24-hour"
    HOLD_UP = "hold-up"
    TAMPER = "tamper"
    KEYSWITCH = "keyswitch"


class OutputKind(StrEnum):
    """What an output is for; it decides which causes drive it."""

    SIREN = "siren"
    STROBE = "strobe"
    ARMED = "armed"


class Place(StrEnum):
    """Where a siren hangs. The external one never sounds while its areas are disarmed (digest §1.5)."""

    EXTERNAL = "external"
    INTERNAL = "internal"


@dataclass(frozen=True)
class Area:
    """A part of the site that is armed and disarmed on its own."""

    id: str
    number: int
    name: str
    entry_delay_ms: int
    exit_delay_ms: int


@dataclass(frozen=True)
class Zone:
    """One detector or button.

    `settle_ms` is how long after power-up its readings are not trusted (PIRs; never hold-up or tamper).
    `cameras` are asked for pictures when it alarms.
    """

    id: str
    number: int
    name: str
    type: ZoneType
    areas: tuple[str, ...]
    bypassable: bool = True
    settle_ms: int = 0
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """A siren, strobe or lamp. It serves the areas named; for all areas, name all."""

    id: str
    kind: OutputKind
    areas: tuple[str, ...]
    place: Place = Place.EXTERNAL


@dataclass(frozen=True)
class Timings:
    """Limits of the site; defaults are profile `cn` of the digest §8.

    `siren_ms`: one alarm sounds so long. `siren_max_ms`: alarms of further zones may lengthen it up to
    this (EN 50131-1: warning device at most 15 min). `code_attempts`, `lockout_ms`: digest §1.2.
    """

    siren_ms: int = 300_000
    siren_max_ms: int = 900_000
    code_attempts: int = 5
    lockout_ms: int = 90_000


@dataclass(frozen=True)
class Site:
    """Everything the rules know of the site. Keys are the ids; order is the panel file's."""

    areas: Mapping[str, Area]
    zones: Mapping[str, Zone]
    outputs: Mapping[str, Output]
    timings: Timings = field(default_factory=Timings)
