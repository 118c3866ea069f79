"""The INA219 on the board's I²C bus: voltage and current of the battery, on a thread of its own.

A kernel's I²C transfer can block: nobody waits for this thread, it leaves its latest reading, and a reading that is
old counts as none. The configuration is read back each time, so that another chip, one that lost its supply, or a
disturbed bus shows (data sheet SBOS448, tables 1 to 6). Registers are big-endian; SMBus words are little-endian.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any, Protocol

from drivers.pins import DriverError, Text
from drivers.retry import Retry

CONFIG, SHUNT, BUS = 0x00, 0x01, 0x02
SETTING = 0x3FFF
"""32 V range, ±320 mV over the shunt, 128 samples averaged on both, without end."""
READ_MS = 1_000
LEAST_WAIT_S = 0.01
OLD_MS = 5_000
STUCK_MS = 10_000
_MAX_MV = 26_000
"""The chip's rating: more is a disturbed reading."""
_DEVICES = Path("/dev")

_log = logging.getLogger(__name__)


class Bus(Protocol):
    """What is used of `smbus2.SMBus`. Each call may raise `OSError`, and may block."""

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        """A register, low byte first."""
        ...

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Set a register, low byte first."""
        ...

    def close(self) -> None:
        """Give the bus back."""
        ...


class BadChip(DriverError):
    """What answers is no INA219, or not as it was set."""


@dataclass(frozen=True)
class Shunt:
    """Where the chip is, and its resistor. `bus`: N of /dev/i2c-N."""

    bus: int
    address: int
    mohm: int

    @property
    def name(self) -> str:
        """`INA219, I2C 1 address 0x40`."""
        return f"INA219, I2C {self.bus} address 0x{self.address:02x}"

    def values(self, config: int, shunt: int, volts: int) -> tuple[float, float]:
        """Millivolts and milliamperes in these registers; raises `BadChip`."""
        if config != SETTING:
            raise self._bad(f"configuration 0x{config:04x}", f"0x{SETTING:04x}, as it was set")
        mv = float((volts >> 3) * 4)
        if mv > _MAX_MV:
            raise self._bad(f"{mv:.0f} mV", f"at most {_MAX_MV} mV")
        signed = shunt - 0x10000 if shunt & 0x8000 else shunt
        return mv, signed * 10.0 / self.mohm

    def _bad(self, found: str, expected: str) -> BadChip:
        return BadChip(
            (
                f"{self.name}: found {found}, expected {expected}. Look at its supply, address and SDA, SCL.",
                f"{self.name}：{found}，应为 {expected}。请检查供电、地址及 SDA、SCL 接线。",
            )
        )


class Ina219Driver:
    """Reads the chip once a second. `on_trouble(present, detail)` is called from its thread, or from `check`'s."""

    def __init__(
        self,
        shunt: Shunt,
        open_bus: Callable[[int], Bus],
        clock_ms: Callable[[], int],
        on_trouble: Callable[[bool, str], None],
        clock_rate: int = 1,
    ) -> None:
        self.shunt = shunt
        self._open_bus = open_bus
        self._clock_ms = clock_ms
        self._on_trouble = on_trouble
        self._rate = clock_rate
        self._bus: Bus | None = None
        self._retry = Retry()
        self._troubled: bool | None = None
        self._opened = False
        self._latest: tuple[float, float, int] | None = None
        self._passed_ms = clock_ms()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="ina219", daemon=True)

    def start(self) -> None:
        """Start the thread, which opens the bus."""
        self._passed_ms = self._clock_ms()
        self._thread.start()

    def reading(self) -> tuple[float, float] | None:
        """Millivolts, and milliamperes (positive from IN+ to IN-); None where there is no fresh reading."""
        latest = self._latest
        if latest is None or self._clock_ms() - latest[2] > OLD_MS * self._rate:
            return None
        return latest[0], latest[1]

    def check(self, now_ms: int) -> None:
        """Tell of a bus that hangs: its own thread can't. Call it now and then, from another thread."""
        if now_ms - self._passed_ms > STUCK_MS * self._rate:
            self._tell(True, f"{self.shunt.name}: the bus does not come back, SDA or SCL is held low?")

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis."""
        silent_ms = self._clock_ms() - self._passed_ms
        return {
            "kind": self.shunt.name,
            "alive": silent_ms <= STUCK_MS * self._rate,
            "silent_ms": silent_ms,
            "errors": self._retry.errors,
            "error": self._retry.error,
            "zones": {},
        }

    def close(self) -> None:
        """Stop the thread; one that hangs in the kernel is left behind."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            now_ms = self._clock_ms()
            try:
                self._pass(now_ms)
            except Exception:
                _log.exception("a pass over %s failed", self.shunt.name)
            self._passed_ms = self._clock_ms()
            self._stop.wait(max(LEAST_WAIT_S, READ_MS / 1000 / self._rate))
        self._let_go()

    def _pass(self, now_ms: int) -> None:
        if self._bus is None and self._opened and not self._retry.due(now_ms):
            return
        self._opened = True
        try:
            if self._bus is None:
                self._bus = self._open_bus(self.shunt.bus)
                self._set()
            mv, ma = self._read(self._bus)
        except Exception as error:
            self._retry.failed(error, self._clock_ms(), self.shunt.name)
            self._latest = None
            self._let_go()
            self._tell(True, str(error))
            return
        self._latest = (mv, ma, self._clock_ms())
        self._retry.works(self.shunt.name)
        self._retry.stands()
        self._tell(False, "")

    def _set(self) -> None:
        if self._bus is not None:
            self._bus.write_word_data(self.shunt.address, CONFIG, _swapped(SETTING))

    def _read(self, bus: Bus) -> tuple[float, float]:
        return self.shunt.values(*(self._word(bus, register) for register in (CONFIG, SHUNT, BUS)))

    def _word(self, bus: Bus, register: int) -> int:
        return _swapped(bus.read_word_data(self.shunt.address, register) & 0xFFFF)

    def _tell(self, present: bool, detail: str) -> None:
        if present is self._troubled:
            return
        self._troubled = present
        self._on_trouble(present, detail)

    def _let_go(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            try:
                bus.close()
            except Exception as error:
                _log.debug("closing %s: %s", self.shunt.name, error)


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def open_i2c(number: int, devices: Path = _DEVICES) -> Bus:
    """The kernel's I²C bus; raises `DriverError` that says what is wrong."""
    from smbus2 import SMBus

    device = devices / f"i2c-{number}"
    try:
        return SMBus(str(device))
    except OSError as error:
        raise DriverError(no_i2c(device, str(error))) from error


def no_i2c(device: Path, error: str) -> Text:
    """Why a bus can't be opened: switched off, not ours, or what the kernel said."""
    if not device.exists():
        return (
            f"There is no {device}: I2C is switched off. Write dtparam=i2c_arm=on into config.txt and restart the "
            "board (and load the module i2c-dev).",
            f"没有 {device}：I2C 未启用。请在 config.txt 中写入 dtparam=i2c_arm=on 并重启主板（并加载 i2c-dev 模块）。",
        )
    return (
        f"{device} can't be opened: {error}. Does this user belong to the group that may use it (i2c)?",
        f"无法打开 {device}：{error}。当前用户是否在有权使用它的组（i2c）中？",
    )
