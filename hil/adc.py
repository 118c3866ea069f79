"""The other end of an SPI line: an MCP3008 or MCP3208 on gpiozero's mock pins, bit by bit, with loops to wire up.

`ohm[channel]` is the loop's resistance, infinite where nothing is connected. Faults on demand: `silent` (nobody drives
the data line, which the pull-up holds high), `stuck` (the line stays at one level), `noise` (steps of the converter,
from a seed), `garble` (so many bits of the next frames are turned over), `dead` (channels whose input died at a step).
"""

import math
from random import Random
from typing import Any

from gpiozero.pins.mock import MockSPIDevice

_CLOCK, _DATA_IN, _DATA_OUT, _SELECT = "GPIO11", "GPIO10", "GPIO9", ("GPIO8", "GPIO7")
_COMMAND_BITS = 5


class Adc(MockSPIDevice):  # type: ignore[misc]
    """One converter at a chip select of SPI port 0; written from the data sheets, not from our driver."""

    def __init__(self, pin_factory: Any, bits: int = 12, select: int = 0, pull_ohm: int = 2_200, seed: int = 1) -> None:
        """`bits`: 10 (MCP3008) or 12 (MCP3208)."""
        super().__init__(_CLOCK, _DATA_IN, _DATA_OUT, _SELECT[select], pin_factory=pin_factory)
        self.bits = bits
        self.pull_ohm = pull_ohm
        self.ohm = [math.inf] * 8
        self.silent = False
        self.stuck: bool | None = None
        self.noise = 0
        self.garble = 0
        self.dead: dict[int, int] = {}
        self.frames = 0
        self._random = Random(seed)  # noqa: S311  # noise, not secrets
        self._command: list[bool] = []
        self._answered = False

    def on_start(self) -> None:
        """Selected: the next start bit begins a conversion."""
        super().on_start()
        self._command, self._answered = [], False
        self.frames += 1

    def on_clock(self) -> None:
        """A clock edge: what the line shows where the chip does not drive it, and where it is broken."""
        super().on_clock()
        if self.select_pin.state == self.select_high and self.clock_pin.state:
            self._show()

    def on_bit(self) -> None:
        """Take a bit of the command; the last of them begins the answer."""
        bit = bool(self.rx_buf[-1])
        if not self._command and not bit:
            return
        if len(self._command) < _COMMAND_BITS:
            self._command.append(bit)
            if len(self._command) == _COMMAND_BITS:
                self.tx_buf = self._conversion()

    def _conversion(self) -> list[bool | None]:
        """One clock of sampling with the line let go, the null bit, the value, then the value from its low end."""
        single, channel = self._command[1], sum(bit << place for place, bit in enumerate(self._command[:1:-1]))
        if not single:
            return []
        value = self.dead.get(channel, self._steps(channel))
        bits = [bool(value >> place & 1) for place in range(self.bits - 1, -1, -1)]
        said: list[bool | None] = [None, False, *bits, *bits[-2::-1]]
        for _ in range(self.garble):
            place = self._random.randrange(2, len(said))
            said[place] = not said[place]
        return said

    def _steps(self, channel: int) -> int:
        ohm, full = self.ohm[channel], (1 << self.bits) - 1
        exact = full if math.isinf(ohm) else full * ohm / (ohm + self.pull_ohm)
        moved = exact + self._random.uniform(-self.noise, self.noise) if self.noise else exact
        return min(max(round(moved), 0), full)

    def _show(self) -> None:
        """The mock drove the line low where the chip has nothing to say; a real one is pulled up there."""
        if self.stuck is not None:
            level = self.stuck
        elif self.silent or len(self._command) < _COMMAND_BITS or self._letting_go():
            level = True
        else:
            return
        if level:
            self.miso_pin.drive_high()
        else:
            self.miso_pin.drive_low()

    def _letting_go(self) -> bool:
        """In the very bits of the command's end and of the sampling that follows."""
        return len(self.rx_buf) <= self._first_bit() + _COMMAND_BITS + 1

    def _first_bit(self) -> int:
        return next((place for place, bit in enumerate(self.rx_buf) if bit), 0)
