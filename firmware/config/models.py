"""The models of the panel file: one for each table, with units in the names.

Strict: an unknown key, a wrong type or a number out of range is a mistake, never ignored. What one model can't see (an
area that does not exist, a line used twice) is checked over the whole file, in `firmware.config.checks`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
Line = Annotated[int, Field(ge=0, le=57, description="GPIO line number of the chip (BCM numbering on a Pi)")]
KeyX = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="`x` of an Ed25519 JWK")]
Gb28181Id = Annotated[str, Field(pattern=r"^[0-9]{20}$")]
# Control characters would reach terminals, records and reports.
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
FilePath = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]


class Model(BaseModel):
    """All tables of the panel file: exact keys, frozen; compiled once, with the whole file, to start quickly."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Panel(Model):
    """`[panel]`"""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,47}$")]
    name: Name
    profile: Literal["cn"] = "cn"
    pins: Literal["board", "simulated"] = "board"
    chip: int = Field(default=0, ge=0, le=9)
    clock_rate: int = Field(default=1, ge=1, le=1000, description="simulated pins only")
    gb28181_id: Gb28181Id | None = None


class Area(Model):
    """`[[area]]`; delays: EN 50131-1 (entry ≤ 45 s), CP-01; digest §8."""

    id: Id
    number: int = Field(ge=1, le=99)
    name: Name
    entry_delay_s: int = Field(default=30, ge=0, le=45)
    exit_delay_s: int = Field(default=60, ge=0, le=255)
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


class Zone(Model):
    """`[[zone]]`"""

    id: Id
    number: int = Field(ge=1, le=999)
    name: Name
    type: Literal["entry-exit", "follower", "instant", "24-hour", "hold-up", "tamper", "keyswitch"]
    sensor: Literal["contact", "pir", "button", "loop", "glass-break", "vibration", "key"] = "contact"
    areas: list[Id] = Field(min_length=1, max_length=64)
    input: Wire
    bypassable: bool | None = Field(default=None, description="by default all but 24-hour, hold-up and tamper")
    cameras: list[Id] = Field(default=[], max_length=16)
    gb28181_id: Gb28181Id | None = None


class Output(Model):
    """`[[output]]`. `active = "low"`: the load is on while the line is low."""

    id: Id
    kind: Literal["siren", "strobe", "armed"]
    place: Literal["external", "internal"] = "external"
    line: Line
    active: Literal["high", "low"] = "high"
    areas: list[Id] = Field(min_length=1, max_length=64)
    gb28181_id: Gb28181Id | None = None


class Camera(Model):
    """`[[camera]]`. `folder` shows pictures (or an animated GIF or WebP) of `source`; `drawn` is for the desk."""

    id: Id
    name: Name
    maker: Literal["picamera2", "folder", "drawn"]
    source: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""
    width: int = Field(default=640, ge=160, le=4608)
    height: int = Field(default=480, ge=120, le=2592)
    frames_per_s: int = Field(default=2, ge=1, le=10)
    pre_s: int = Field(default=10, ge=0, le=60)
    post_s: int = Field(default=20, ge=0, le=120)
    threshold: int = Field(default=400, ge=1, le=1000, description="person score in thousandths")


class Timings(Model):
    """`[timings]`; defaults and limits: digest §8, profile cn."""

    siren_s: int = Field(default=300, ge=90, le=900)
    siren_max_s: int = Field(default=900, ge=90, le=900)
    settle_s: int = Field(default=60, ge=0, le=180, description="PIRs after power-up")
    code_attempts: int = Field(default=5, ge=3, le=10)
    lockout_s: int = Field(default=90, ge=90, le=3600)
    heartbeat_s: int = Field(default=30, ge=1, le=300)


class Power(Model):
    """`[power]`: supervised supply. The contact is closed while all is well."""

    mains_line: Line | None = None
    battery_line: Line | None = None


class Tls(Model):
    """`tls = {...}` of a path: files, relative to the panel file."""

    ca: FilePath
    certificate: FilePath
    key: FilePath


class MqttPath(Model):
    """`[[path]]`: a way to the center. Plain text only when the file says so in these words."""

    id: Id
    kind: Literal["mqtt"] = "mqtt"
    host: Host
    port: int = Field(default=8883, ge=1, le=65535)
    tls: Tls | None = None
    plaintext: Literal["I accept that anyone on the network can read and drop reports"] | None = None
    keepalive_s: int = Field(default=30, ge=5, le=300)


class Center(Model):
    """`[center]`: whose receipts and commands count. Public keys, the `x` of an Ed25519 JWK."""

    receipt_keys: list[KeyX] = Field(min_length=1, max_length=8)
    command_keys: list[KeyX] = Field(default=[], max_length=8)
    receipt_timeout_s: int = Field(default=10, ge=1, le=300, description="resend after (digest §2)")
    path_fault_s: int = Field(default=60, ge=5, le=3600, description="no receipt so long is a path fault (digest §2)")


class Storage(Model):
    """`[storage]`: where things lie; relative paths are relative to the panel file."""

    data: FilePath = "data"
    run: FilePath = "run"
    retention_days: int = Field(default=400, ge=90, le=36_500)


class PanelFile(Model):
    """The whole file."""

    panel: Panel
    area: list[Area] = Field(min_length=1, max_length=32)
    zone: list[Zone] = Field(min_length=1, max_length=512)
    output: list[Output] = Field(default=[], max_length=64)
    camera: list[Camera] = Field(default=[], max_length=16)
    path: list[MqttPath] = Field(default=[], max_length=4)
    center: Center | None = None
    timings: Timings = Field(default_factory=Timings)
    power: Power = Field(default_factory=Power)
    storage: Storage = Field(default_factory=Storage)
