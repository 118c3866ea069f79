"""Programmes of network faults, as data: what goes wrong on a link, when, for how long, written out or drawn by a seed.

`hil.fault_proxy` carries them out. Every kind is something that a panel's real link does: a mobile network that
swallows packets, a router that forgets its connections, a line that crawls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "partition", "deaf", "mute", "latency", "crawl", "reset", "refuse", "hang", "half-open", "slow-close"
]


@dataclass(frozen=True)
class Weather:
    """How the link behaves. Client to server is `up`, server to client `down`."""

    up: bool = True
    """False: what the client sends is held back, as TCP would send it again later."""
    down: bool = True
    latency_ms: int = 0
    jitter_ms: int = 0
    """Even over 0 to this, on top of the latency; order is kept, as TCP keeps it."""
    bytes_per_s: int = 0
    """Per connection and direction; 0: no limit."""
    welcome: Literal["accept", "refuse", "hang"] = "accept"
    """New connections: `refuse` resets them, `hang` takes them and never goes on."""
    close_s: float = 0.0
    """So long the end of a stream is held back."""


CLEAR = Weather()


@dataclass(frozen=True)
class Fault:
    """One fault: from `at_s` after the programme's start, for `for_s` seconds. `strength`: 0 mild to 1 harsh."""

    at_s: float
    for_s: float
    kind: Kind
    strength: float = 0.5

    @property
    def end_s(self) -> float:
        """When it is over, seconds after the programme's start."""
        return self.at_s + self.for_s

    def weather(self) -> Weather:
        """How the link behaves while it lasts."""
        harsh = self.strength
        match self.kind:
            case "partition":
                return Weather(up=False, down=False, welcome="hang")
            case "deaf":
                return Weather(down=False)
            case "mute":
                return Weather(up=False)
            case "latency":
                return Weather(latency_ms=int(50 + 950 * harsh), jitter_ms=int(50 + 1450 * harsh))
            case "crawl":
                return Weather(bytes_per_s=int(20_000 - 19_000 * harsh), latency_ms=100)
            case "refuse":
                return Weather(welcome="refuse")
            case "hang":
                return Weather(welcome="hang")
            case "slow-close":
                return Weather(close_s=1 + 9 * harsh)
            case "reset" | "half-open":
                return CLEAR

    @property
    def breaks(self) -> Literal["", "reset", "half-open"]:
        """What it does to the connections that are open when it begins."""
        match self.kind:
            case "reset" | "refuse" | "slow-close":
                return "reset"
            case "half-open":
                return "half-open"
            case _:
                return ""


Programme: TypeAlias = tuple[Fault, ...]

WEIGHTS: Mapping[Kind, int] = MappingProxyType(
    {
        "partition": 4,
        "deaf": 2,
        "mute": 2,
        "latency": 3,
        "crawl": 3,
        "reset": 4,
        "refuse": 2,
        "hang": 2,
        "half-open": 3,
        "slow-close": 1,
    }
)


def drawn(seed: int, length_s: float, calm_s: float = 8.0, longest_s: float = 20.0) -> Programme:
    """A programme of this length, one fault after another, `calm_s` between them on average. The same for each seed."""
    chance = Random(seed)  # noqa: S311
    faults: list[Fault] = []
    at = chance.uniform(0, calm_s)
    while at < length_s:
        kind = chance.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
        # Many are short, some outlive every timeout.
        fault = Fault(at, min(length_s - at, longest_s * chance.random() ** 2 + 0.2), kind, chance.random())
        faults.append(fault)
        at = fault.end_s + chance.uniform(0, 2 * calm_s)
    return tuple(faults)


def storms(seed: int, length_s: float, storm_s: float = 180.0, calm_s: float = 120.0) -> Programme:
    """Storms as `drawn` has them, with calms between: in the end of a calm a link is as it is on a good day."""
    faults: list[Fault] = []
    begin = 0.0
    while begin < length_s:
        storm = drawn(seed + int(begin), min(storm_s, length_s - begin))
        faults += [replace(fault, at_s=fault.at_s + begin) for fault in storm]
        begin += storm_s + calm_s
    return tuple(faults)


def clear_of(programme: Programme, from_s: float, to_s: float) -> bool:
    """Whether no fault touches this stretch of time."""
    return all(fault.end_s < from_s or to_s < fault.at_s for fault in programme)
