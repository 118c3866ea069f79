"""How the board itself is supplied and how hot it is, as the kernel tells in its files; no program is started for it.

`raspberrypi-hwmon` tells of an under-voltage within the last two seconds, however short; the firmware's `get_throttled`
has bits for what is so now. A file that is not there tells nothing, and is no trouble: other boards have none of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAX_BYTES = 256
_SINCE_START = 16
_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
"""Bits 0 to 3 of the firmware's word: what is so now (bits 16 to 19: what was so since the start)."""


@dataclass(frozen=True)
class BoardReading:
    """None where the board does not tell. `slowed`: the firmware runs the processor slower than it should."""

    under_voltage: bool | None = None
    slowed: bool | None = None
    celsius: float | None = None


class BoardHealth:
    """`look` reads the files below `sys` anew; a file may block for some milliseconds, and the firmware longer."""

    def __init__(self, sys: Path) -> None:
        self._sys = sys

    def look(self) -> BoardReading:
        """What the kernel tells now; raises nothing."""
        word = self._throttled()
        under = [number_of(folder / "in0_lcrit_alarm", 10) for folder in self._hwmon("rpi_volt")]
        known = [value != 0 for value in under if value is not None]
        if word is not None:
            known.append(bool(word & _UNDER_VOLTAGE))
        slowed = None if word is None else bool(word & (_CAPPED | _THROTTLED | _SOFT_LIMIT))
        return BoardReading(any(known) if known else None, slowed, celsius_of(self._thermal()))

    def since_start(self) -> BoardReading:
        """What was so at least once since power-up, as the firmware remembers it."""
        word = self._throttled()
        if word is None:
            return BoardReading()
        seen = word >> _SINCE_START
        return BoardReading(bool(seen & _UNDER_VOLTAGE), bool(seen & (_CAPPED | _THROTTLED | _SOFT_LIMIT)))

    def _hwmon(self, name: str) -> Iterator[Path]:
        for folder in sorted((self._sys / "class/hwmon").glob("hwmon*")):
            if text_of(folder / "name") == name:
                yield folder

    def _throttled(self) -> int | None:
        for path in sorted(self._sys.glob("devices/platform/soc*/*firmware/get_throttled")):
            return number_of(path, 16)
        return None

    def _thermal(self) -> Path:
        return self._sys / "class/thermal/thermal_zone0/temp"


def celsius_of(path: Path) -> float | None:
    """A temperature file of the kernel, in thousandths of a degree; None where there is none, or nonsense."""
    value = number_of(path, 10)
    return value / 1000 if value is not None and -60_000 <= value <= 200_000 else None


def number_of(path: Path, base: int) -> int | None:
    """A number in a file of the kernel; None where there is none, or something else."""
    try:
        return int(text_of(path) or "", base)
    except ValueError:
        return None


def text_of(path: Path) -> str | None:
    """The first bytes of a file of the kernel as text; None where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return None
