"""From single keys of a keypad to the line that somebody typed. It keeps what was typed only until the line ends."""

MAX_KEYS = 16
"""The longest line is a command, an argument and a code: 13 keys. What is longer is cut, and can be no code."""
PAUSE_S = 10.0
"""So long may pass between two keys; then the line begins anew."""

_ENDS = b"\r\n#"
_STARS = b"*\x7f"
"""OSDP has 0x0D for # and 0x7F for * (IEC 60839-11-5, osdp_KEYPAD); many keypads send what is printed on them."""


class KeyLine:
    """The keys of one keypad. `ignored` counts keys that mean nothing here."""

    def __init__(self) -> None:
        self.ignored = 0
        self._line = ""
        self._until = 0.0

    def feed(self, keys: bytes, now: float) -> list[str]:
        """The lines that these keys ended. `*` begins a command on an empty line, and clears any other."""
        if now > self._until:
            self._line = ""
        self._until = now + PAUSE_S
        ended: list[str] = []
        for key in keys:
            if key in _ENDS:
                ended += [self._line] if self._line else []
                self._line = ""
            elif key in _STARS:
                self._line = "" if self._line else "*"
            elif 0x30 <= key <= 0x39:
                self._line = (self._line + chr(key))[:MAX_KEYS]
            else:
                self.ignored += 1
        return ended

    def forget(self) -> None:
        """The keypad is gone: so is what was typed on it."""
        self._line = ""
