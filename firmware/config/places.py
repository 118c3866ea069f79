"""On which line of a TOML text each key stands: a small scan beside `tomllib`, which tells no positions.

It runs only over a text that `tomllib` has accepted, and only when there is something to say. It may miss a line in a
text that it does not understand; it never raises and always ends.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import suppress

from firmware.config.mistakes import Loc

_BLANK = re.compile(r"(?:[ \t\n\r]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"{3,5}(?!\")|'''.*?'{3,5}(?!')|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\n]*")


def places(text: str) -> Mapping[Loc, int]:
    """Line (from 1) of each key, table and list item."""
    scan = _Scan(text.replace("\r\n", "\n"))
    with suppress(_Lost, RecursionError):
        scan.run()
    return scan.lines


def line_of(loc: Loc, lines: Mapping[Loc, int]) -> int | None:
    """The line of the place, else of the nearest thing around it."""
    for end in range(len(loc), 0, -1):
        if loc[:end] in lines:
            return lines[loc[:end]]
    return None


class _Lost(Exception):
    """The text is not what the scan expects."""


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[Loc, int] = {}
        self._text = text
        self._at = 0
        self._starts = [m.end() for m in re.finditer("\n", text)]
        self._counts: dict[Loc, int] = {}
        """How many tables each array of tables has so far."""

    def run(self) -> None:
        current: Loc = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                current = self._header()
            else:
                self._pair(current)
            self._skip(_BLANK)

    def _header(self) -> Loc:
        line, many = self._line(), self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        *outer, last = self._keys()
        loc: Loc = ()
        for key in outer:
            loc = self._latest((*loc, key))
        loc = (*loc, last)
        if many:
            self.lines.setdefault(loc, line)
            self._counts[loc] = self._counts.get(loc, 0) + 1
        loc = self._latest(loc)
        self._note(loc, line)
        self._take("]]" if many else "]")
        return loc

    def _latest(self, loc: Loc) -> Loc:
        return (*loc, self._counts[loc] - 1) if loc in self._counts else loc

    def _pair(self, table: Loc) -> None:
        line = self._line()
        keys = self._keys()
        self._take("=")
        for end in range(1, len(keys) + 1):
            self._note((*table, *keys[:end]), line)
        self._value((*table, *keys))

    def _value(self, loc: Loc) -> None:
        self._skip(_SPACE)
        start = self._text[self._at : self._at + 1]
        if start == "[":
            self._list(loc)
        elif start == "{":
            self._inline(loc)
        elif start in ('"', "'"):
            self._match(_STRING)
        else:
            self._match(_BARE)

    def _list(self, loc: Loc) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while not self._text.startswith("]", self._at):
            self._note((*loc, index), self._line())
            self._value((*loc, index))
            index += 1
            self._next("]")
        self._at += 1

    def _inline(self, loc: Loc) -> None:
        self._at += 1
        self._skip(_BLANK)
        while not self._text.startswith("}", self._at):
            self._pair(loc)
            self._next("}")
        self._at += 1

    def _next(self, end: str) -> None:
        self._skip(_BLANK)
        if not self._text.startswith(end, self._at):
            self._take(",")
            self._skip(_BLANK)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._text.startswith(".", self._at):
            self._at += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip(_SPACE)
        word = self._match(_KEY)
        self._skip(_SPACE)
        return word.strip("\"'") if word[0] in "\"'" else word

    def _note(self, loc: Loc, line: int) -> None:
        self.lines.setdefault(loc, line)

    def _line(self) -> int:
        return bisect_right(self._starts, self._at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None or found.end() == self._at:
            raise _Lost
        self._at = found.end()
        return found.group()

    def _take(self, word: str) -> None:
        self._skip(_SPACE)
        if not self._text.startswith(word, self._at):
            raise _Lost
        self._at += len(word)
