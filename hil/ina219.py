"""The other end of an I²C bus: an INA219 that answers register by register, written from its data sheet (SBOS448).

`mv` and `ma` are what is wired to it. Faults on demand: `silent` (nobody acknowledges), another `address`, `garble`
(bits of the answers turn over), `other` (another chip answers), `reset` (it lost its supply and forgot its
configuration), `answers` (registers that say this), and `hang`: a transfer that does not come back until it is set.
"""

import errno
from random import Random
from threading import Event

_POWER_ON = 0x399F
_NACK = OSError(errno.EREMOTEIO, "Remote I/O error")


class Ina219:
    """One chip on a bus of its own; the calls are those of `smbus2.SMBus`."""

    def __init__(self, address: int = 0x40, shunt_mohm: int = 100, seed: int = 1) -> None:
        self.address = address
        self.mv = 13_600
        self.ma = 0.0
        self.silent = False
        self.garble = 0
        self.other = False
        self.answers: dict[int, int] = {}
        self.hang: Event | None = None
        self.opened = self.closed = self.reads = 0
        self._shunt_mohm = shunt_mohm
        self._config = _POWER_ON
        self._random = Random(seed)  # noqa: S311  # noise, not secrets

    def open(self, _number: int) -> "Ina219":
        """The bus, as `/dev/i2c-N` gives it."""
        self.opened += 1
        return self

    def reset(self) -> None:
        """Its supply was gone for a moment."""
        self._config = _POWER_ON

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        """SMBus read word: the chip sends the high byte first, SMBus takes it for the low one."""
        self._address(i2c_addr)
        self.reads += 1
        word = 0x6000 if self.other else self.answers.get(register, self._word(register))
        for _ in range(self.garble):
            word ^= 1 << self._random.randrange(16)
        return _turned(word)

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:
        """SMBus write word; bit 15 of the configuration resets the chip."""
        self._address(i2c_addr)
        word = _turned(value)
        if register == 0:
            self._config = _POWER_ON if word & 0x8000 else word

    def close(self) -> None:
        """The bus was given back."""
        self.closed += 1

    def _address(self, address: int) -> None:
        if self.hang is not None:
            self.hang.wait()
        if self.silent or address != self.address:
            raise _NACK

    def _word(self, register: int) -> int:
        if register == 1:
            # 10 µV a step, two's complement, ±320 mV at the widest setting.
            steps = round(self.ma * self._shunt_mohm / 10)
            return max(-32_000, min(32_000, steps)) & 0xFFFF
        if register == 2:
            # 4 mV a step in the upper 13 bits, then conversion ready.
            return min(round(self.mv / 4), 8_000) << 3 | 0b10
        return self._config if register == 0 else 0


def _turned(word: int) -> int:
    return int.from_bytes(word.to_bytes(2, "big"), "little")
