"""The models of the panel file: one for each table, with units in the names.

Strict: an unknown key, a wrong type or a number out of range is a mistake, never ignored. Numbers without limits here
have them, and their defaults, from the profile (`rules.profiles`, filled in by `firmware.config.defaults`). What one
model can't see (an area that does not exist, a line used twice) is checked over the whole file, in
`firmware.config.checks`.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from firmware.config.base import (
    MAX_OUTLINES,
    DevicePath,
    FilePath,
    Gb28181Id,
    Host,
    Hours,
    Id,
    KeyX,
    Line,
    Model,
    Name,
    Outline,
    PhoneNumber,
    Time,
    Tls,
)
from firmware.config.dated import Day, Schedule, Tour
from firmware.config.dc09 import Dc09Path
from firmware.config.modbus import Modbus, OutputPoint, Point
from firmware.config.readers import LineReader, Osdp, TourTag
from firmware.config.supply import Board, Power
from firmware.protocol.put_url import HOST_PATTERN


class Panel(Model):
    """`[panel]`; `timezone` is a name of the IANA data base, for schedules, tours and the daily report."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,47}$")]
    name: Name
    profile: Literal["cn", "cn-key", "eu-g2", "eu-g3", "us-cp01"] = "cn"
    pin_digits: int
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$", max_length=64)] = (
        "Asia/Shanghai"
    )
    pins: Literal["board", "simulated"] = "board"
    chip: int = Field(default=0, ge=0, le=9)
    clock_rate: int = Field(default=1, ge=1, le=1000, description="simulated pins only")
    gb28181_id: Gb28181Id | None = None


class Area(Model):
    """`[[area]]`; `entry_delay_2_s` is for zones with `second_entry`, 0 where there are none.

    `cameras` give the pictures of its alarms where the zone has none of its own, or there is no zone.
    """

    id: Id
    number: int = Field(ge=1, le=99)
    name: Name
    entry_delay_s: int
    entry_delay_2_s: int = 0
    exit_delay_s: int
    schedule: Id | None = None
    cameras: list[Id] = Field(default=[], max_length=16)
    gb28181_id: Gb28181Id | None = None


class Wire(Model):
    """`input = {...}` of a zone.

    `nc`: contact closed at rest, one line. `no`: open at rest, one line. `changeover`: a form C contact on
    two lines, the closed leg on `line`, the open leg on `line_no`; it alone, of the plain contacts, tells cut
    from open and shorted from closed. All lines are pulled up; a closed contact pulls to ground.
    """

    line: Line
    wiring: Literal["nc", "no", "changeover"] = "nc"
    line_no: Line | None = None
    debounce_ms: int = Field(default=300, ge=10, le=400)


class Adc(Model):
    """`[[adc]]`: an analogue converter on SPI port 0. `select`: its chip-select line, 0 is GPIO8, 1 is GPIO7.

    `pull_ohm`: the resistor from the reference to each input with a loop or thermistor. `vref_mv`: that voltage.
    """

    id: Id
    chip: Literal["mcp3008", "mcp3208"]
    select: int = Field(default=0, ge=0, le=1)
    pull_ohm: int = Field(default=2_200, ge=470, le=22_000)
    vref_mv: int = Field(default=3_300, ge=2_500, le=5_500)


class Loop(Model):
    """`loop = {...}` of a zone: end-of-line resistors on a channel of an `[[adc]]`; see docs/wiring.md.

    `eol_ohm`: at the end of the line. `alarm_ohm` (double, triple): across the alarm contact. `fault_ohm`
    (triple): across the contact that tells masking or a fault, as `fault_means` says; `both_means`: both contacts at
    once, by default a fault where the zone has `supply_cut`, else an activation.
    """

    adc: Id
    channel: int = Field(ge=0, le=7)
    resistors: Literal["single", "double", "triple"] = "double"
    wiring: Literal["nc", "no"] = "nc"
    eol_ohm: int = Field(default=1_000, ge=330, le=22_000)
    alarm_ohm: int = Field(default=2_200, ge=330, le=47_000)
    fault_ohm: int = Field(default=3_900, ge=330, le=47_000)
    fault_means: Literal["masked", "fault"] = "fault"
    both_means: Literal["active", "masked", "fault"] | None = None
    debounce_ms: int = Field(default=300, ge=100, le=400)


class Watch(Model):
    """`watch = {...}` of a siren or strobe: the resistor at the end of its line, on a channel of an `[[adc]]`.

    While the output is on the line carries the load and is not judged, unless `watched_while_on`: then the channel
    stays on the line, and the line reads the same with and without the load.
    """

    adc: Id
    channel: int = Field(ge=0, le=7)
    eol_ohm: int = Field(default=1_000, ge=330, le=22_000)
    watched_while_on: bool = False
    debounce_ms: int = Field(default=300, ge=100, le=400)


class Box(Model):
    """`[[box]]`: the tamper switch of a cabinet, a supply or a siren's housing, on lines (`input`) or on a `loop`."""

    id: Id
    name: Name
    input: Wire | None = None
    loop: Loop | None = None


class Zone(Model):
    """`[[zone]]`, on lines (`input`), a `loop` or a `point` of a bus; the rest: `rules.site.Zone`, docs/rules.md."""

    id: Id
    number: int = Field(ge=1, le=999)
    name: Name
    type: Literal[
        "entry-exit",
        "follower",
        "instant",
        "day",
        "24-hour",
        "hold-up",
        "audible-hold-up",
        "duress",
        "tamper",
        "fire",
        "gas",
        "water",
        "technical",
        "medical",
        "keyswitch",
        "maintained-keyswitch",
        "checkpoint",
        "monitor",
    ]
    sensor: Literal["contact", "pir", "button", "loop", "glass-break", "vibration", "key"] = "contact"
    areas: list[Id] = Field(min_length=1, max_length=64)
    input: Wire | None = None
    loop: Loop | None = None
    point: Point | None = None
    tag: TourTag | None = None
    bypassable: bool | None = Field(default=None, description="by default intruder, water and technical zones, keys")
    forceable: bool = False
    chime: bool = False
    entry_delay_s: int | None = None
    second_entry: bool = False
    final_door: bool = False
    pulses: int = Field(default=1, ge=1, le=9)
    pulse_window_s: int = Field(default=0, ge=0, le=600)
    double_knock: bool = False
    cross_group: Id | None = None
    swinger_trips: int | None = None
    abort: bool = True
    soak: bool = False
    report_restore: bool = True
    detector: Id | None = None
    supply_cut: bool = False
    cameras: list[Id] = Field(default=[], max_length=16)
    gb28181_id: Gb28181Id | None = None


class Output(Model):
    """`[[output]]`. On a `line`, or a `point` of a module. `active = "low"`: the load is on while the line is low.

    A relay follows `zone:ID`, `area:ID` (on while it is set), `alarm:ID` (on while an alarm sounds in that area), or
    is on for `pulse_s` at an `event:KIND`; it alone may be without areas. `limit_s` 0: as long as the alarm.
    """

    id: Id
    kind: Literal["siren", "strobe", "armed", "alarm", "buzzer", "chime", "relay"]
    place: Literal["external", "internal"] = "external"
    line: Line | None = None
    point: OutputPoint | None = None
    active: Literal["high", "low"] = "high"
    areas: list[Id] = Field(default=[], max_length=64)
    delay_s: int = 0
    limit_s: int = 0
    follows: Annotated[str, Field(pattern=r"^(zone|area|alarm|event):[a-z0-9][a-z0-9.-]{0,47}$")] | None = None
    pulse_s: int = Field(default=1, ge=1, le=3600)
    watch: Watch | None = None
    gb28181_id: Gb28181Id | None = None


class Part(Model):
    """`[[part]]`: a named way of arming a part; the zones in `omits` rest. Without `areas` it fits every area."""

    id: Id
    name: Name
    omits: list[Id] = Field(min_length=1, max_length=512)
    areas: list[Id] = Field(default=[], max_length=64)


CameraTamper = Literal["black", "bright", "covered", "blurred", "moved", "frozen"]


class Camera(Model):
    """`[[camera]]`; docs/cameras.md. `folder` shows pictures (or an animated GIF or WebP) of `source`; `drawn` is for
    the desk. A network camera's user and password stand in `secret_file` alone, mode 0600.

    `still_width`, `still_height`: the largest size of the full pictures that an alarm gets besides; 0 for none.
    `exposure`: of a Pi camera; `day_hours` are those of `schedule`. `dark`: there may be no light here at all, so a
    black picture is no tamper. `tampers`: which are watched for, by default all where the pictures are a camera's.
    `mask`: outlines of what nobody may see, black in every picture. `region`: outlines of where a person counts.
    """

    id: Id
    name: Name
    maker: Literal["picamera2", "v4l2", "rtsp", "folder", "drawn"]
    source: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""
    width: int = Field(default=640, ge=160, le=4608)
    height: int = Field(default=480, ge=120, le=2592)
    frames_per_s: int = Field(default=2, ge=1, le=10)
    pre_s: int = Field(default=10, ge=0, le=60)
    post_s: int = Field(default=20, ge=0, le=120)
    threshold: int = Field(default=400, ge=1, le=1000, description="person score in thousandths")
    secret_file: FilePath | None = None
    still_width: int = Field(default=0, ge=0, le=4608)
    still_height: int = Field(default=0, ge=0, le=2592)
    exposure: Literal["auto", "schedule", "day", "night"] = "auto"
    day_hours: Hours | None = None
    dark: bool = False
    tampers: list[CameraTamper] | None = Field(default=None, max_length=6)
    mask: list[Outline] = Field(default=[], max_length=MAX_OUTLINES)
    region: list[Outline] = Field(default=[], max_length=MAX_OUTLINES)


class Timings(Model):
    """`[timings]`; defaults, limits and their sources: `rules.profiles`. What they do: `rules.site.Timings`.

    `report_time` is of the local day, by default one of the night that follows from the panel's id. `auto_part` "":
    never arm a part instead.
    """

    siren_s: int
    siren_max_s: int
    settle_s: int = Field(description="PIRs after power-up")
    code_attempts: int
    lockout_s: int
    heartbeat_s: int
    exit_restart: bool
    exit_warning_s: int
    final_set_s: int
    entry_hold_s: int
    abort_window_s: int
    cancel_window_min: int
    recent_close_s: int
    swinger_trips: int
    swinger_reset_h: int
    cross_s: int
    confirm_min: int
    hold_up_gap_s: int
    hold_up_window_h: int
    mains_report_delay_s: int
    grant_min: int
    installer_min: int
    walk_test_min: int
    siren_test_s: int
    battery_test_s: int
    standby_h: int = Field(description="how long the battery must last")
    chime_ms: int
    rearm_min: int
    reset_level: int
    report_time: Time
    auto_part: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,47})?$")]


class MqttPath(Model):
    """`[[path]]`: a way to the center. Plain text only when the file says so in these words."""

    id: Id
    kind: Literal["mqtt"] = "mqtt"
    host: Host
    port: int = Field(default=8883, ge=1, le=65535)
    tls: Tls | None = None
    plaintext: Literal["I accept that anyone on the network can read and drop reports"] | None = None
    keepalive_s: int = Field(default=12, ge=5, le=300)


class SmsPath(Model):
    """`[[path]]` with `kind = "sms"`: alarms that no other path gets receipted go out by a GSM modem (docs/wiring.md).

    `numbers` are the center's and get every alarm; `other_numbers` get no silent one. `after_s`: how long the other
    paths have, unless all of them are known to be down. `daily_limit` counts short messages as the network bills them;
    the last quarter of it is for alarms of priority 1. The PIN stands in `pin_file` alone, mode 0600.
    """

    id: Id
    kind: Literal["sms"]
    port: DevicePath
    baud: Literal[9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600] = 115_200
    numbers: list[PhoneNumber] = Field(min_length=1, max_length=4)
    other_numbers: list[PhoneNumber] = Field(default=[], max_length=3)
    pin_file: FilePath | None = None
    language: Literal["zh", "en"] = "zh"
    after_s: int = Field(default=60, ge=5, le=3600)
    daily_limit: int = Field(default=50, ge=20, le=500)
    min_signal_dbm: int = Field(default=-103, ge=-113, le=-51)
    delivery_reports: bool = True


PATH_KINDS: dict[str, type[Model]] = {"mqtt": MqttPath, "dc09": Dc09Path, "sms": SmsPath}


def _kind_of_path(table: Any) -> str:
    """`mqtt` where the file names no kind, or one that there is not: that model tells of it."""
    kind = table.get("kind") if isinstance(table, dict) else getattr(table, "kind", None)
    return kind if kind in ("dc09", "sms") else "mqtt"


AnyPath = Annotated[
    Annotated[MqttPath, Tag("mqtt")] | Annotated[Dc09Path, Tag("dc09")] | Annotated[SmsPath, Tag("sms")],
    Discriminator(_kind_of_path),
]


class Center(Model):
    """`[center]`: whose receipts and commands count. Public keys, the `x` of an Ed25519 JWK."""

    receipt_keys: list[KeyX] = Field(min_length=1, max_length=8)
    command_keys: list[KeyX] = Field(default=[], max_length=8)
    root_keys: list[KeyX] = Field(default=[], max_length=4, description="may exchange the keys above from afar")
    keys_serial: int = Field(default=0, ge=0, le=2**53 - 1, description="number of these lists; the greatest counts")
    receipt_timeout_s: int = Field(default=10, ge=1, le=300, description="resend after (digest §2)")
    path_fault_s: int = Field(default=60, ge=5, le=3600, description="no receipt so long is a path fault (digest §2)")
    failover_s: int = Field(default=10, ge=1, le=300, description="a path gone so long: the next takes over")
    escalate_s: int = Field(default=30, ge=5, le=3600, description="an alarm unreceipted so long goes by the next too")
    picture_hosts: list[Annotated[str, Field(pattern=HOST_PATTERN)]] = Field(
        default=[], max_length=4, description="hosts (and ports) that the center may have full pictures put to"
    )
    picture_ca: FilePath | None = Field(default=None, description="PEM of the CA that counts for picture_hosts")
    alarm_paths: Literal["first", "all"] = Field(default="first", description="all: each alarm by every path at once")
    standby_proof_s: int = Field(
        default=3600, ge=60, le=18_000, description="how often an idle path proves itself (digest §2: DP4 5 h)"
    )


class ClockSource(Model):
    """`[clock]`: a time server is the system's own affair; `from_center`: where none is reached, the center's signed
    time sets the clock."""

    from_center: bool = False


class Storage(Model):
    """`[storage]`: where things lie, and how long; relative paths are relative to the panel file.

    Pictures stay `evidence_days` at least, and go after `evidence_max_days`, but for those under a legal hold.
    `evidence_mib_per_day`: the card's wear; beyond it captures keep fewer pictures (docs/evidence.md).
    """

    data: FilePath = "data"
    run: FilePath = "run"
    retention_days: int
    evidence_days: int
    evidence_max_days: int
    evidence_mib_per_day: int
    mirror: FilePath | None = Field(default=None, description="a folder on a second medium, for a copy of the journal")


class PanelFile(Model):
    """The whole file, with the profile's defaults filled in."""

    panel: Panel
    area: list[Area] = Field(min_length=1, max_length=32)
    zone: list[Zone] = Field(min_length=1, max_length=512)
    adc: list[Adc] = Field(default=[], max_length=2)
    box: list[Box] = Field(default=[], max_length=32)
    modbus: list[Modbus] = Field(default=[], max_length=4)
    osdp: list[Osdp] = Field(default=[], max_length=4)
    reader: list[LineReader] = Field(default=[], max_length=8)
    output: list[Output] = Field(default=[], max_length=64)
    part: list[Part] = Field(default=[], max_length=32)
    schedule: list[Schedule] = Field(default=[], max_length=32)
    day: list[Day] = Field(default=[], max_length=128)
    tour: list[Tour] = Field(default=[], max_length=32)
    camera: list[Camera] = Field(default=[], max_length=16)
    path: list[AnyPath] = Field(default=[], max_length=4)
    center: Center | None = None
    timings: Timings
    power: Power = Field(default_factory=Power)
    board: Board = Field(default_factory=Board)
    clock: ClockSource = Field(default_factory=ClockSource)
    storage: Storage
