"""The models of `[power]`: mains, battery, how it is measured, tested and saved; and of `[board]`."""

from typing import Annotated, Literal

from pydantic import Field

from firmware.config.base import Date, FilePath, Id, Line, Model

Channel = Annotated[int, Field(ge=0, le=7)]


class Volts(Model):
    """`volts = {...}`: the battery's voltage over a divider; `top_ohm` from the battery, `bottom_ohm` to ground."""

    adc: Id
    channel: Channel
    top_ohm: int = Field(default=47_000, ge=0, le=10_000_000)
    bottom_ohm: int = Field(default=10_000, ge=100, le=10_000_000)


class Thermistor(Model):
    """`thermistor = {...}`: an NTC at the battery, from the channel to ground; `beta_k` as its data sheet says."""

    adc: Id
    channel: Channel
    ohm_25c: int = Field(default=10_000, ge=1_000, le=100_000)
    beta_k: int = Field(default=3_950, ge=2_000, le=6_000)


class Ina219(Model):
    """`ina219 = {...}`: the chip's bus (/dev/i2c-N) and address (64 is 0x40), and its shunt; IN+ is at the battery."""

    bus: int = Field(default=1, ge=0, le=31)
    address: int = Field(default=0x40, ge=0x40, le=0x4F)
    shunt_mohm: int = Field(default=100, ge=1, le=10_000)


class Battery(Model):
    """`[power.battery]`: one battery of `cells` in series, measured by `volts` or `ina219`.

    `load_ma`: what the panel draws, until it was measured. `max_ma`: more is an overload. `temperature_file`: in
    thousandths of a degree, `temperature_offset_k` is added. `load_line`, `charger_line`: put a load on, cut the
    charger off, for the load test every `test_every_h` (0: only when asked). `shutdown`: end in good order at the last
    voltage; `cut_line` is switched on when that is recorded.
    """

    chemistry: Literal["lead", "lifepo4", "li-ion"] = "lead"
    cells: int = Field(ge=1, le=24)
    capacity_mah: int = Field(ge=100, le=1_000_000)
    installed: Date | None = None
    life_years: int = Field(default=5, ge=1, le=25)
    load_ma: int | None = Field(default=None, ge=1, le=100_000)
    max_ma: int | None = Field(default=None, ge=1, le=100_000)
    volts: Volts | None = None
    ina219: Ina219 | None = None
    thermistor: Thermistor | None = None
    temperature_file: FilePath | None = None
    temperature_offset_k: int = Field(default=0, ge=-60, le=60)
    load_line: Line | None = None
    charger_line: Line | None = None
    cut_line: Line | None = None
    active: Literal["high", "low"] = "high"
    test_every_h: int = Field(default=24, ge=0, le=720)
    shutdown: bool = True


class Power(Model):
    """`[power]`: supervised supply. The contacts are closed while all is well."""

    mains_line: Line | None = None
    battery_line: Line | None = None
    battery: Battery | None = None


class Board(Model):
    """`[board]`: where the kernel tells how the board is supplied, and how hot it may get."""

    sys: FilePath = "/sys"
    hot_c: int = Field(default=80, ge=50, le=110, description="a Raspberry Pi slows down from 80 °C on")
