"""From the bytes of a serial reader to the numbers of tags: what is not exactly such a line is dropped and counted."""

from dataclasses import dataclass

MAX_LINE = 64
"""Bytes of a line; what is longer is noise, up to the next end."""
_ENDS = b"\r\n\x03\x04\x00"
_HEX, _DECIMAL = frozenset("0123456789ABCDEF"), frozenset("0123456789")


@dataclass(frozen=True)
class Format:
    """A line: `prefix`, then `least` to `most` digits, then `suffix`. Any control character ends it, or is nothing."""

    prefix: str = ""
    suffix: str = ""
    hexadecimal: bool = True
    least: int = 4
    most: int = 20

    def number(self, line: str) -> str | None:
        """The number in a line, upper case; None for what is no such line."""
        if len(line) < len(self.prefix) + len(self.suffix) or not line.startswith(self.prefix):
            return None
        if not line.endswith(self.suffix):
            return None
        digits = line[len(self.prefix) : len(line) - len(self.suffix)].strip().upper()
        fits = self.least <= len(digits) <= self.most and set(digits) <= (_HEX if self.hexadecimal else _DECIMAL)
        return digits if fits else None


class Lines:
    """The lines of one reader. `refused` counts those that are none."""

    def __init__(self, form: Format) -> None:
        self.refused = 0
        self._form = form
        self._line = bytearray()
        self._spoiled = False

    def feed(self, data: bytes) -> list[str]:
        """The numbers of the lines that are complete now."""
        found: list[str] = []
        for byte in data:
            if byte in _ENDS:
                self._end(found)
            elif byte >= 0x20:
                self._spoiled = self._spoiled or len(self._line) >= MAX_LINE
                if not self._spoiled:
                    self._line.append(byte)
        return found

    def _end(self, found: list[str]) -> None:
        line, spoiled = bytes(self._line), self._spoiled
        self._line.clear()
        self._spoiled = False
        if not line and not spoiled:
            return
        number = None if spoiled else self._form.number(line.decode("ascii", "replace"))
        if number is None:
            self.refused += 1
        else:
            found.append(number)
