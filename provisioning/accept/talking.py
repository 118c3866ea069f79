"""The person at the terminal, or the script at the pipe: what is asked goes out, lines come back.

A script reads one JSON object per line; a person reads sentences. Both answer with lines: empty (done, again), `y`,
`n WHAT`, `w REASON`, `f REASON`, `q`, or a number.
"""

import json
import os
import select
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firmware.language import Text, pick

MAX_LINE = 1_000


class Stopped(Exception):
    """`q`, or the end of input where an answer is needed."""


@dataclass(frozen=True)
class Said:
    """A line: its first letter, and the rest of it. `word` empty: an empty line."""

    word: str
    rest: str


class Typed:
    """Lines of standard input, without waiting where nobody types. It reads the file itself, not Python's buffer."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = b""
        self.ended = False

    def line(self, wait_s: float) -> str | None:
        """The next line without its end, within so many seconds; None where none came."""
        while b"\n" not in self._buffer:
            if self.ended or not select.select([self._fd], [], [], wait_s)[0]:
                return None
            piece = os.read(self._fd, 4096)
            self.ended = not piece
            self._buffer = (self._buffer + piece)[-MAX_LINE * 4 :]
            wait_s = 0.0
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace")[:MAX_LINE].strip()

    def readline(self, _limit: int = -1) -> str:
        """As a stream's, for codes: waits for a line, "" at the end."""
        while not self.ended:
            if (line := self.line(3600.0)) is not None:
                return f"{line}\n"
        return ""


class Talk:
    """What the run says and hears."""

    def __init__(self, typed: Typed, as_json: bool, say: Callable[[str], object] | None = None) -> None:
        self._typed = typed
        self._json = as_json
        self._say = say or (lambda text: print(text, flush=True))
        self.person = not as_json and sys.stdin.isatty()

    def tell(
        self, event: str, text: Text | str = "", /, said: Mapping[str, object] | None = None, **members: Any
    ) -> None:
        """One event: the JSON object for a script, the sentence for a person."""
        words = text if isinstance(text, str) else pick(text, **(said or {}))
        if self._json:
            self._say(json.dumps({"event": event, **members, "text": words}, ensure_ascii=False))
        elif words:
            self._say(words)

    def heard(self, wait_s: float) -> Said | None:
        """A line, if one comes within so many seconds. Raises `Stopped`."""
        line = self._typed.line(wait_s)
        if line is None:
            if self._typed.ended:
                select.select([], [], [], wait_s)  # a pipe that is closed says nothing more; it does not answer either
            return None
        word, _, rest = line.partition(" ")
        if word.lower() == "q":
            raise Stopped
        return Said(word.lower(), rest.strip())

    def answer(self) -> Said:
        """A line, however long it takes. Raises `Stopped`, at the end of input too."""
        while True:
            if (said := self.heard(0.5)) is not None:
                return said
            if self._typed.ended:
                raise Stopped
