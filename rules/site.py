"""The site as the rules see it: areas, zones, outputs, part sets, schedules, guard tours, timings.

Wiring, cameras' makers and paths are not here: they belong to other rooms. All times are milliseconds of monotonic
time; where a clock on the wall counts they are minutes of the local day, and days are ordinals (`date.toordinal`).
All ids are the panel file's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType


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
    DAY = "day"
    TWENTY_FOUR_HOUR = "24-hour"
    HOLD_UP = "hold-up"
    AUDIBLE_HOLD_UP = "audible-hold-up"
    DURESS = "duress"
    TAMPER = "tamper"
    FIRE = "fire"
    GAS = "gas"
    WATER = "water"
    TECHNICAL = "technical"
    MEDICAL = "medical"
    KEYSWITCH = "keyswitch"
    MAINTAINED_KEYSWITCH = "maintained-keyswitch"
    CHECKPOINT = "checkpoint"
    MONITOR = "monitor"


class OutputKind(StrEnum):
    """What an output is for; it decides which causes drive it.

    `buzzer` sounds while an entry or exit delay runs, `chime` for a moment when a chime zone opens in a disarmed
    area, `relay` follows what its `follows` names, `alarm` is a lamp that is on while an alarm indication waits for
    its reset.
    """

    SIREN = "siren"
    STROBE = "strobe"
    ARMED = "armed"
    ALARM = "alarm"
    BUZZER = "buzzer"
    CHIME = "chime"
    RELAY = "relay"


class Place(StrEnum):
    """Where a siren hangs. The external one never sounds while its areas are disarmed (digest §1.5)."""

    EXTERNAL = "external"
    INTERNAL = "internal"


class Level(IntEnum):
    """Access levels of EN 50131-1 (digest §1.1)."""

    ANYONE = 1
    USER = 2
    INSTALLER = 3
    MAKER = 4


@dataclass(frozen=True)
class Area:
    """A part of the site that is armed and disarmed on its own.

    `entry_delay_2_ms`: for zones with `second_entry` (a garage, a back way). `schedule`: id in `Site.schedules`, empty
    for none. `cameras` are asked for pictures by its alarms of no zone, and of zones without cameras of their own.
    """

    id: str
    number: int
    name: str
    entry_delay_ms: int
    exit_delay_ms: int
    entry_delay_2_ms: int = 0
    schedule: str = ""
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Zone:
    """One detector or button.

    `settle_ms` is how long after power-up its readings are not trusted (PIRs; never hold-up, tamper or fire). `cameras`
    are asked for pictures when it alarms, by default those of its areas. `chime`: tells keypads and chime outputs when
    it opens while disarmed. `forceable`: forced arming bypasses it when it is open. `second_entry`: its areas' second
    entry time counts; `entry_delay_ms` overrides both. `final_door`: closing it ends the exit delay soon. `pulses`
    activations within `pulse_window_ms` make one trip (1: each counts). `double_knock`: two activations within the
    window, or one that lasts as long, make a trip. `cross_group`: zones of one group alarm only together
    (`Timings.cross_ms`). `swinger_trips`: alarms in one armed period before it is shut down, 0 never, None as the site
    says. `soak`: on trial, its trips are recorded and nothing else. `report_restore`: record the end of its alarms.
    `detector`: zones that name the same one can't confirm each other. `abort`: the abort window holds for it.
    `supply_cut`: its `fault` means that the detector's supply is cut (GB 55029 3.5.1(3)). `driver`: what reads it, a
    driver or BUS/MODULE; while that is in trouble a `fault` is its own, not the detector's.
    """

    id: str
    number: int
    name: str
    type: ZoneType
    areas: tuple[str, ...]
    bypassable: bool = True
    settle_ms: int = 0
    cameras: tuple[str, ...] = ()
    chime: bool = False
    forceable: bool = False
    second_entry: bool = False
    entry_delay_ms: int | None = None
    final_door: bool = False
    pulses: int = 1
    pulse_window_ms: int = 0
    double_knock: bool = False
    cross_group: str = ""
    swinger_trips: int | None = None
    soak: bool = False
    report_restore: bool = True
    detector: str = ""
    abort: bool = True
    supply_cut: bool = False
    driver: str = "gpio"


@dataclass(frozen=True)
class Output:
    """A siren, strobe, lamp, buzzer, chime or relay. It serves the areas named; for all areas, name all.

    `delay_ms`: a siren waits so long (EN 50131-1: at most 10 minutes; not while all paths are down). `limit_ms`: it
    sounds at most so long, 0 for the alarm's own limit. `follows` (relays): `zone:ID`, `area:ID` (on while it is set),
    `alarm:ID` (on while an alarm sounds in that area) or `event:KIND` (on for `pulse_ms`).
    """

    id: str
    kind: OutputKind
    areas: tuple[str, ...]
    place: Place = Place.EXTERNAL
    delay_ms: int = 0
    limit_ms: int = 0
    follows: str = ""
    pulse_ms: int = 1_000


@dataclass(frozen=True)
class Part:
    """A named way of arming a part: the zones in `omits` rest meanwhile. `areas` empty: it fits every area."""

    id: str
    name: str
    omits: tuple[str, ...]
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hours:
    """When a site is open on one day: minutes of the local day, `opens` < `closes` ≤ 1440."""

    opens: int
    closes: int


@dataclass(frozen=True)
class Schedule:
    """When an area should be open. `week`: Monday to Sunday, None for a closed day; `Site.days` overrides a day.

    `late_after_min` after closing an area that is not armed is reported (None: never). `auto_after_min` after closing
    it arms itself (None: never), warned of `warn_min` before; a user may postpone it `postpones` times by
    `postpone_min`.
    """

    id: str
    week: tuple[Hours | None, ...]
    late_after_min: int | None = None
    auto_after_min: int | None = None
    warn_min: int = 10
    postpone_min: int = 30
    postpones: int = 3


@dataclass(frozen=True)
class Stop:
    """A checkpoint of a tour: due from `after_min` to `until_min` minutes after the tour's start."""

    zone: str
    after_min: int
    until_min: int


@dataclass(frozen=True)
class Tour:
    """A guard's route (电子巡更). `starts`: pairs of weekday (0 Monday) and minute of the day."""

    id: str
    name: str
    stops: tuple[Stop, ...]
    starts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Prevention:
    """A cause that stands in the way of arming, and the access level that may override it; 0 for nobody."""

    blocks: bool
    level: int


CAUSES = (
    "active",
    "hold-up",
    "tamper",
    "masked",
    "fault",
    "link",
    "mains",
    "battery",
    "path",
    "paths",
    "siren",
    "storage",
    "other",
)
"""What can stand in the way of arming: zones (the first five) and troubles (`rules.vocabulary.TROUBLES`)."""

_2, _3 = Prevention(True, 2), Prevention(True, 3)
CN_PREVENTION: Mapping[str, Prevention] = MappingProxyType(
    {
        **dict.fromkeys(CAUSES, _2),
        "hold-up": _3,
        "tamper": _3,
        # A path that is down must not keep a bank from being armed: sirens and journal work (ours).
        "path": Prevention(False, 2),
        "paths": Prevention(False, 2),
        # No override: an arming that no journal holds could be gone after a power cut.
        "storage": Prevention(True, 0),
        "other": Prevention(False, 2),
    }
)
"""Profile `cn`: digest §1.3, column G3."""


@dataclass(frozen=True)
class Timings:
    """Limits and choices of the site; defaults are profile `cn` of the digest §8. 0 switches a feature off.

    `siren_ms`: one alarm sounds so long. `siren_max_ms`: alarms of further zones may lengthen it up to this (EN
    50131-1: warning device at most 15 min). `code_attempts`, `lockout_ms`: digest §1.2. `exit_restart`: a door that
    opens again restarts the exit delay once (CP-01 row 3). `final_set_ms`: from the closing of a final door to
    armed. `exit_warning_ms`: the last part of an exit delay, told again (CP-01 row 2). `abort_ms`: CP-01 rows 7 and
    8. `entry_hold_ms`: an alarm off the entry route is reported so much later, and not before the entry delay ends
    (EN 50131-1/A1). `cancel_ms`: CP-01 row 11. `recent_close_ms`: row 20. `swinger_trips`, `swinger_reset_ms`: row
    15. `cross_ms`: row 14. `confirm_ms`, `hold_up_gap_ms`, `hold_up_window_ms`: digest §6. `mains_delay_ms`: row 26,
    EN cap 60 min. `grant_ms`: a user's grant for the installer; `installer_ms`: his session at most. `walk_ms`,
    `siren_test_ms`, `battery_test_ms`: each test ends by itself after so long. `reset_level`: who may reset tampers
    and faults (digest §1.6). `rearm_ms`: quick re-arm after a disarm. `report_minute`: of the daily report.
    `auto_part`: arm this part instead when nobody left (CP-01 row 4), empty for never.
    """

    siren_ms: int = 300_000
    siren_max_ms: int = 900_000
    code_attempts: int = 5
    lockout_ms: int = 90_000
    exit_restart: bool = True
    final_set_ms: int = 5_000
    exit_warning_ms: int = 10_000
    abort_ms: int = 0
    entry_hold_ms: int = 30_000
    cancel_ms: int = 300_000
    recent_close_ms: int = 120_000
    swinger_trips: int = 2
    swinger_reset_ms: int = 28_800_000
    cross_ms: int = 120_000
    confirm_ms: int = 1_800_000
    hold_up_gap_ms: int = 120_000
    hold_up_window_ms: int = 28_800_000
    mains_delay_ms: int = 600_000
    grant_ms: int = 300_000
    installer_ms: int = 3_600_000
    walk_ms: int = 3_600_000
    siren_test_ms: int = 5_000
    battery_test_ms: int = 60_000
    chime_ms: int = 1_500
    rearm_ms: int = 300_000
    reset_level: int = 2
    report_minute: int = 600
    auto_part: str = ""


@dataclass(frozen=True)
class Site:
    """Everything the rules know of the site. Keys are the ids; order is the panel file's.

    `days`: day → its hours, or None for a holiday; overrides every schedule's week. `paths`: ids of the ways to the
    center on which it receipts.
    """

    areas: Mapping[str, Area]
    zones: Mapping[str, Zone]
    outputs: Mapping[str, Output]
    timings: Timings = field(default_factory=Timings)
    parts: Mapping[str, Part] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    days: Mapping[int, Hours | None] = field(default_factory=dict)
    tours: Mapping[str, Tour] = field(default_factory=dict)
    prevention: Mapping[str, Prevention] = field(default_factory=lambda: CN_PREVENTION)
    paths: tuple[str, ...] = ()
