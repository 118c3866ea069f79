"""A simulated INA219 for the desk: answers register reads from the simulated battery. Faults are played by `hil`."""

from collections.abc import Callable

from drivers.ina219 import BUS, CONFIG, SHUNT


class SimulatedI2c:
    """The far end of one address: what `smbus2.SMBus` has of words and `close`."""

    def __init__(self, mohm: int, look: Callable[[], tuple[int, int]]) -> None:
        """`look()`: millivolts and milliamperes now."""
        self._mohm = mohm
        self._look = look
        self._config = 0x399F

    def read_word_data(self, i2c_addr: int, register: int) -> int:  # noqa: ARG002
        """A register, low byte first."""
        mv, ma = self._look()
        words = {CONFIG: self._config, BUS: mv // 4 << 3, SHUNT: round(ma * self._mohm / 10) & 0xFFFF}
        return _swapped(words[register])

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:  # noqa: ARG002
        """Set a register, low byte first."""
        if register == CONFIG:
            self._config = _swapped(value)

    def close(self) -> None:
        """Nothing to give back."""


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8
