"""The frames of Microchip's MCP3008 (10 bits) and MCP3208 (12 bits), read so that a silent or disturbed chip shows.

gpiozero's own `MCP3008` masks off all but the value, so an absent chip reads as a cut in every loop. Here the null bit
before the value must be low, and the chip is clocked on: it then sends its bits once more, lowest first (data sheets
DS21295 and DS21298, figure 5-2), and both must agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from drivers.pins import DriverError

CHANNELS = 8
FRAME_BYTES = 5
_BITS = 8 * FRAME_BYTES
_TAIL = 16
"""Bits after the value's lowest: the repetition, then zeros."""


class BadFrame(DriverError):
    """The chip's answer is not what it must be."""


@dataclass(frozen=True)
class Chip:
    """One converter. `select`: 0 or 1, the chip-select line of SPI port 0 (CE0 is GPIO8, CE1 is GPIO7).

    `pull_ohm`: from the reference voltage to each input that has a loop. `vref_mv`: the reference voltage.
    """

    id: str
    bits: int
    select: int = 0
    pull_ohm: int = 2_200
    vref_mv: int = 3_300

    @property
    def full(self) -> int:
        """The highest reading."""
        return (1 << self.bits) - 1

    @property
    def name(self) -> str:
        """`adc-1 (MCP3208, SPI0 CE0)`."""
        return f"{self.id} (MCP3{2 if self.bits == 12 else 0}08, SPI0 CE{self.select})"

    def question(self, channel: int) -> list[int]:
        """The bytes that ask for one single-ended reading."""
        # Start bit, single-ended, three bits of channel; the value's lowest bit ends the third byte.
        command = (0b11000 | channel) << (self.bits + 2 + _TAIL)
        return list(command.to_bytes(FRAME_BYTES, "big"))

    def value(self, channel: int, frame: Sequence[int]) -> int:
        """The reading in an answer; raises `BadFrame`."""
        if len(frame) != FRAME_BYTES:
            raise self._bad(channel, f"{len(frame)} bytes", f"{len(frame)} 字节", f"{FRAME_BYTES}")
        word = int.from_bytes(bytes(byte & 0xFF for byte in frame), "big")
        value = word >> _TAIL & self.full
        if word >> (_TAIL + self.bits) & 1:
            if value == self.full:
                raise self._bad(channel, "no answer, every bit high", "无应答，各位均为高", "a chip that answers")
            raise self._bad(channel, f"{word:010x}", f"{word:010x}", "a low bit before the value")
        echo = word >> (_TAIL - self.bits + 1) & (self.full >> 1)
        if echo != _reversed(self.bits - 1)[value >> 1]:
            raise self._bad(channel, f"{word:010x}", f"{word:010x}", "the value twice, lowest bit first")
        return value

    def stuck(self, channel: int) -> BadFrame:
        """The error of a data line that is low where nobody drives it."""
        return self._bad(channel, "every bit low", "各位均为低", "the pull-up on DOUT before the answer")

    def _bad(self, channel: int, found: str, zh: str, expected: str) -> BadFrame:
        return BadFrame(
            (
                f"chip {self.name}, channel {channel}: found {found}, expected {expected}. "
                "Look at the chip's supply, CLK, DIN, DOUT and CS.",
                f"芯片 {self.name} 通道 {channel}：{zh}，与预期不符。请检查芯片供电及 CLK、DIN、DOUT、CS 接线。",
            )
        )


@cache
def _reversed(bits: int) -> tuple[int, ...]:
    """Each number of so many bits, its bits in the other order."""
    return tuple(int(f"{number:0{bits}b}"[::-1], 2) for number in range(1 << bits))
