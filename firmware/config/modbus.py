"""The models of Modbus buses: `[[modbus]]`, its modules, and the points on them that zones and outputs name."""

from typing import Annotated, Literal

from pydantic import Field

from firmware.config.base import FilePath, Id, Model

ProfileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,47}$")]


class Module(Model):
    """`[[modbus.module]]`: a module on the bus. `profile`: which kind, by its name in docs/wiring.md."""

    id: Id
    address: int = Field(ge=1, le=247, description="as set by its switches (Modbus over serial line V1.02, §2.2)")
    profile: ProfileName


class Modbus(Model):
    """`[[modbus]]`: an RS-485 bus on a serial port, best by its stable name under /dev/serial/by-id.

    `timeout_ms`: so long an answer may take, its time on the line apart. `cycle_ms`: a round over all modules is begun
    so often, or as often as the line allows.
    """

    id: Id
    port: FilePath
    baud: Literal[4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_ms: int = Field(default=100, ge=20, le=500)
    cycle_ms: int = Field(default=100, ge=20, le=200)
    module: list[Module] = Field(min_length=1, max_length=32)


class Point(Model):
    """`point = {...}` of a zone: a digital `input` of a module, or end-of-line resistors on an `analogue` one.

    Both count from 1, as printed on the module. `supply_mv` feeds the loop through `pull_ohm`; the other keys of an
    analogue input mean what they mean in `loop`.
    """

    module: Id
    input: int | None = Field(default=None, ge=1, le=64)
    analogue: int | None = Field(default=None, ge=1, le=32)
    wiring: Literal["nc", "no"] = "nc"
    debounce_ms: int = Field(default=300, ge=10, le=400)
    supply_mv: int = Field(default=5_000, ge=1_000, le=30_000)
    pull_ohm: int = Field(default=2_200, ge=470, le=22_000)
    resistors: Literal["single", "double", "triple"] = "double"
    eol_ohm: int = Field(default=1_000, ge=330, le=22_000)
    alarm_ohm: int = Field(default=2_200, ge=330, le=47_000)
    fault_ohm: int = Field(default=3_900, ge=330, le=47_000)
    fault_means: Literal["masked", "fault"] = "fault"
    both_means: Literal["active", "masked", "fault"] | None = None


class OutputPoint(Model):
    """`point = {...}` of an output: an output of a module, counted from 1 as printed on it."""

    module: Id
    output: int = Field(ge=1, le=64)
