"""The panel state: one immutable object, which shares what did not change with the state before.

The *durable* part is what the journal keeps with the records; the *live* part may be forgotten at a restart, since the
drivers report every zone again. Mappings are plain dicts which nobody changes once they are in a state; zones at rest
have no entry, so a step costs the same with 8 zones and with 512. Each part caches its own piece of the snapshot
(`rules.snapshot`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from rules.pieces import area_piece, durable_piece, people_piece, zone_piece
from rules.site import Condition, Site
from rules.stimuli import User
from rules.table import AreaMode

S = TypeVar("S", "AreaState", "ZoneState", "Durable", "Live")


def changed(whole: S, **changes: Any) -> S:
    """A copy with other members: `dataclasses.replace` at a quarter of its price, which is most of a step.

    What the original has cached of itself (its snapshot) is not taken over.
    """
    copy = object.__new__(type(whole))
    members = copy.__dict__
    members.update(whole.__dict__)
    members.pop("piece", None)
    members.pop("encoded", None)
    members.update(changes)
    return copy


@dataclass(frozen=True)
class Alarm:
    """An alarm that goes on in an area. `since`, `until`: monotonic ms of the sirens' time.

    `silenced`: somebody stopped the sirens; the alarm still ends at `until`. `zones`: those that have
    alarmed in it; a further one lengthens it, one of these does not.
    """

    since: int
    until: int
    silenced: bool
    zones: tuple[str, ...]


@dataclass(frozen=True)
class AreaState:
    """Where an area stands. `deadline`: end of the exit or entry delay, monotonic ms.

    `by`, `user`, `how` tell who armed it (`how`: `code`, `remote` or `key`). `entry_zones`: what was
    touched in the running entry delay, first the one that started it. `strobe` is on until disarmed or reset;
    `memory` holds the zones that alarmed, in order, until the next arming. Nothing silent is in here.
    """

    id: str
    mode: AreaMode = AreaMode.DISARMED
    deadline: int | None = None
    by: str = ""
    user: str = ""
    how: str = ""
    entry_zones: tuple[str, ...] = ()
    alarm: Alarm | None = None
    strobe: bool = False
    memory: tuple[str, ...] = ()

    @cached_property
    def piece(self) -> str:
        """This area's member of the snapshot."""
        return area_piece(self)


@dataclass(frozen=True)
class ZoneState:
    """What stands on a zone: a zone with nothing of it has no ZoneState.

    `alarm`: kind of the alarm that is not restored yet. `tamper`: `open`, `short` or `masked`, alarmed and not
    ended. `fault`: `fault` or `masked`, recorded and not ended. Empty means none.
    """

    id: str
    bypassed: bool = False
    alarm: str = ""
    tamper: str = ""
    fault: str = ""

    @cached_property
    def piece(self) -> str:
        """This zone's member of the snapshot."""
        return zone_piece(self)

    @property
    def quiet(self) -> bool:
        """Nothing stands."""
        return not (self.bypassed or self.alarm or self.tamper or self.fault)


@dataclass(frozen=True)
class People:
    """The users, and their keys for looking up."""

    users: Mapping[str, User] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> Mapping[str, tuple[User, bool]]:
        """Key → its user, and whether it is his duress key."""
        keys = {u.duress_key: (u, True) for u in self.users.values() if u.duress_key}
        return keys | {u.key: (u, False) for u in self.users.values() if u.key}

    @cached_property
    def piece(self) -> str:
        """The users' member of the snapshot."""
        return people_piece(self.users)


@dataclass(frozen=True)
class Durable:
    """What is kept with the records. Deadlines are monotonic ms of the present boot.

    `troubles`: `name` or `name:subject` → detail. `lockouts`: source → until when. `incident` and `counter` are the
    last ones used. `powered_ms`: when settling began; None before the first start. `config_hash`: of the panel file
    in force.
    """

    areas: Mapping[str, AreaState]
    zones: Mapping[str, ZoneState] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    people: People = field(default_factory=People)
    lockouts: Mapping[str, int] = field(default_factory=dict)
    incident: int = 0
    counter: int = 0
    powered_ms: int | None = None
    config_hash: str = ""

    @cached_property
    def encoded(self) -> bytes:
        """The snapshot."""
        return durable_piece(self).encode()


@dataclass(frozen=True)
class Live:
    """What drivers and keypads tell again. Zones that read `normal`, or have not been reported, have no condition here.

    `attempts`: source → wrong codes since the last right one. `held`: zone → end of its settling, active
    meanwhile; `settle_due` is not later than the first of them. `at_rest`: keyswitches that were seen at rest.
    """

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    settle_due: int | None = None
    at_rest: frozenset[str] = frozenset()


NOTHING_LIVE = Live()


@dataclass(frozen=True)
class PanelState:
    """All that the rules remember."""

    durable: Durable
    live: Live = NOTHING_LIVE

    @property
    def areas(self) -> Mapping[str, AreaState]:
        """Area id → its state."""
        return self.durable.areas

    @property
    def zones(self) -> Mapping[str, ZoneState]:
        """Zone id → what stands on it; zones at rest are absent."""
        return self.durable.zones

    @property
    def users(self) -> Mapping[str, User]:
        """User id → user, keys included."""
        return self.durable.people.users


def initial(site: Site) -> PanelState:
    """The state of a new panel: all disarmed, nobody known."""
    return PanelState(Durable(areas={id_: AreaState(id_) for id_ in site.areas}))


def next_deadline(state: PanelState) -> int | None:
    """When `DeadlinePassed` is due, monotonic ms; None when no timer runs. Costs O(areas)."""
    earliest = state.live.settle_due
    for area in state.durable.areas.values():
        if (due := area.deadline) is not None and (earliest is None or due < earliest):
            earliest = due
        if (alarm := area.alarm) is not None and (earliest is None or alarm.until < earliest):
            earliest = alarm.until
    for due in state.durable.lockouts.values():
        if earliest is None or due < earliest:
            earliest = due
    return earliest
