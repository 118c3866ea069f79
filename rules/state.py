"""The panel state: one immutable object, which shares what did not change with the state before.

The *durable* part is what the journal keeps with the records; the *live* part may be forgotten at a restart, since the
drivers report every zone again. Mappings are plain dicts which nobody changes once they are in a state; zones at rest
have no entry, so a step costs the same with 8 zones and with 512. All moments are monotonic ms of the present boot.
How each part is written and read stands in `rules.members`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from rules.site import Condition, Site
from rules.stimuli import User
from rules.table import AreaMode

S = TypeVar("S", "AreaState", "ZoneState", "Durable", "Live")


def changed(whole: S, **changes: Any) -> S:
    """A copy with other members: `dataclasses.replace` at a quarter of its price, which is most of a step.

    What the original has cached of itself is not taken over.
    """
    copy = object.__new__(type(whole))
    members = copy.__dict__
    members.update(whole.__dict__)
    members.pop("_piece", None)
    members.pop("_due", None)
    members.update(changes)
    return copy


@dataclass(frozen=True)
class Alarm:
    """An alarm that goes on in an area. `since`, `until`: the sirens' time.

    `silenced`: somebody stopped the sirens; the alarm still ends at `until`. `zones`: those that have
    alarmed in it; a further one lengthens it, one of these does not. `external`: external sirens may sound for it.
    """

    since: int
    until: int
    silenced: bool
    zones: tuple[str, ...]
    external: bool = True


@dataclass(frozen=True)
class Last:
    """The arming that ended last, for quick re-arming: when it ended, its part, and what was bypassed in it."""

    at: int
    part: str = ""
    instant: bool = False
    bypassed: tuple[str, ...] = ()


@dataclass(frozen=True)
class AreaState:
    """Where an area stands. `deadline`: end of the exit or entry delay.

    `by`, `user`, `how` tell who armed it (`how`: `code`, `remote`, `key` or `schedule`); `part` with which part set
    (empty: in full), `instant` without entry delay. In the exit delay: `restarted`, its one restart is used; `left`,
    somebody went through an entry-exit zone; `warn_at`, when its last seconds are told. `entry_zones`: what was
    touched in the running entry delay, first the one that started it; `exit_error`: it was open at the end of the
    exit delay. `strobe` is on until disarmed or reset; `memory` holds the zones that alarmed, in order, until the
    next arming. `armed_at`: end of the exit delay, until the first alarm. `reported_at`: when an intruder alarm was
    last reported, `incident`: which. `confirm_until`: while a second detector confirms; `confirm_zones`: those that
    have alarmed meanwhile; `confirmed`: it was. Nothing silent is in here.
    """

    id: str
    mode: AreaMode = AreaMode.DISARMED
    deadline: int | None = None
    by: str = ""
    user: str = ""
    how: str = ""
    part: str = ""
    instant: bool = False
    restarted: bool = False
    left: bool = False
    warn_at: int | None = None
    entry_zones: tuple[str, ...] = ()
    exit_error: bool = False
    alarm: Alarm | None = None
    strobe: bool = False
    memory: tuple[str, ...] = ()
    armed_at: int | None = None
    reported_at: int | None = None
    incident: int = 0
    confirm_until: int | None = None
    confirm_zones: tuple[str, ...] = ()
    confirmed: bool = False
    last: Last | None = None


@dataclass(frozen=True)
class ZoneState:
    """What stands on a zone: a zone with nothing of it has no ZoneState.

    `bypassed` ends with the arming, `isolated` when it is removed. `alarm`: kind of the alarm that is not restored yet.
    `tamper`: `open`, `short`, `masked` or `fault`, alarmed and not ended. `fault`: `fault` or `masked`, recorded and
    not ended. `day`: a day trouble stands. `trips`: alarms in this armed period; `shut`: too many, it rests until then.
    """

    id: str
    bypassed: bool = False
    isolated: bool = False
    alarm: str = ""
    tamper: str = ""
    fault: str = ""
    day: bool = False
    trips: int = 0
    shut: int | None = None

    @property
    def quiet(self) -> bool:
        """Nothing stands."""
        return self == ZoneState(self.id)

    @property
    def out(self) -> bool:
        """It does not count: bypassed or isolated."""
        return self.bypassed or self.isolated


@dataclass(frozen=True)
class Pending:
    """An alarm that sounds and whose report waits: the record to come, and until when. `recent`: the areas that had
    been armed just before it."""

    kind: str
    zone: str
    areas: tuple[str, ...]
    incident: int
    condition: str
    due: int
    recent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Indication:
    """What a keypad shows until somebody resets it (GB 50394): never anything silent."""

    kind: str
    zone: str
    areas: tuple[str, ...]


@dataclass(frozen=True)
class Siren:
    """A siren's own time. `until`: it is on so long, or waits so long with its delay. `rested`: it stopped at its limit
    then, and rests until a younger alarm."""

    on: bool = False
    until: int | None = None
    rested: int | None = None


@dataclass(frozen=True)
class HoldUp:
    """The hold-up alarm that a second one may confirm."""

    at: int
    zone: str


@dataclass(frozen=True)
class Walk:
    """A walk test that runs in these areas. `seen`: zones that tripped in it."""

    until: int
    by: str
    user: str
    areas: tuple[str, ...]
    quiet: bool = False
    hold_up: bool = False
    seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Closing:
    """What became of an area's closing times, as minutes since day 0: which one was reported late (`late`), which one
    armed or tried to (`auto`), which one was warned of (`warned`). `postponed`: how often; `due`: arm then instead."""

    late: int = 0
    auto: int = 0
    warned: int = 0
    postponed: int = 0
    due: int = 0


@dataclass(frozen=True)
class Walkers:
    """A guard tour that runs: since when, when something of it is due next, what was reached, what is reported as
    missed and was not reached since; `late` and `odd` count what came late or out of order."""

    since: int
    due: int
    reached: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    late: int = 0
    odd: int = 0


@dataclass(frozen=True)
class People:
    """The users, and their keys for looking up."""

    users: Mapping[str, User] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> Mapping[str, tuple[User, bool]]:
        """Key → its user, and whether it is his duress key."""
        keys = {u.duress_key: (u, True) for u in self.users.values() if u.duress_key}
        return keys | {u.key: (u, False) for u in self.users.values() if u.key}


@dataclass(frozen=True)
class Durable:
    """What is kept with the records.

    `troubles`: `name` or `name:subject` → detail, those that stand; `delayed`: those whose report waits → until when;
    `trouble_memory`: those that stood and were not reset. `indications`: alarms that wait for their reset, in order.
    `pending`: alarms whose report waits. `sirens`: outputs that sound or rest. `lockouts`: source → until when.
    `incident` is the last one used. `counters`: id of a command key → the last counter used under it; `counter`: the
    last one of before each key had its own, above which every key's must be. `powered_ms`: when settling began; None
    before the first start. `config_hash`, `version`: of the panel file and the software in force. `granted`: until when
    the installer may enter; `installer`: until when he is in, `installer_id`: who. `walk`, `siren_test`,
    `battery_test`: tests that run. `keys_by`, `keys_serial`: whose keys of the center count (`file`, `center`), and the
    number of their list; `center_keys`: the newest exchange that the center has made, as core wrote it. `tours`: those
    that run; `tours_begun`: tour → minute since day 0 of its last start. `closings`: area → its closing times.
    `reported_day`: of the last daily report. `clock_sure`: the wall clock was sure when it was last told.
    """

    areas: Mapping[str, AreaState]
    zones: Mapping[str, ZoneState] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    delayed: Mapping[str, int] = field(default_factory=dict)
    trouble_memory: tuple[str, ...] = ()
    indications: tuple[Indication, ...] = ()
    pending: tuple[Pending, ...] = ()
    sirens: Mapping[str, Siren] = field(default_factory=dict)
    hold_up: HoldUp | None = None
    people: People = field(default_factory=People)
    lockouts: Mapping[str, int] = field(default_factory=dict)
    incident: int = 0
    counter: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    keys_by: str = "file"
    keys_serial: int = 0
    center_keys: str = ""
    powered_ms: int | None = None
    config_hash: str = ""
    version: str = ""
    granted: int | None = None
    installer: int | None = None
    installer_id: str = ""
    walk: Walk | None = None
    siren_test: int | None = None
    battery_test: int | None = None
    tours: Mapping[str, Walkers] = field(default_factory=dict)
    tours_begun: Mapping[str, int] = field(default_factory=dict)
    closings: Mapping[str, Closing] = field(default_factory=dict)
    reported_day: int = 0
    clock_sure: bool = False


@dataclass(frozen=True)
class Live:
    """What drivers, keypads and the clock tell again. Zones that read `normal`, or have not been reported, have no
    condition here.

    `attempts`: source → wrong codes since the last right one. `held`: zone → end of its settling, active meanwhile.
    `at_rest`: keyswitches that were seen at rest. `knocks`: zone → moments of its activations within the window;
    `holds`: zone → when a lasting activation counts as a double knock. `crossed`: cross group → the zone that tripped
    and until when another one confirms it. `chimes`: chime and relay outputs that are on → until when. `started`: when
    the panel started last. `day`,
    `minute`, `sure`: the wall clock as last told, day 0 before.
    """

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    at_rest: frozenset[str] = frozenset()
    knocks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    holds: Mapping[str, int] = field(default_factory=dict)
    crossed: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    chimes: Mapping[str, int] = field(default_factory=dict)
    started: int | None = None
    day: int = 0
    minute: int = 0
    sure: bool = False


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
