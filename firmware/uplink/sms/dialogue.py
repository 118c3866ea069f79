"""One AT command at a time: bytes in, whole replies and unsolicited lines out; no port and no clock in here.

A modem talks in lines, answers late or never, and says things that nobody asked for in between. A line belongs to the
command only where it bears the command's prefix; results end it; all else is unsolicited (3GPP TS 27.007, 27.005).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

MAX_LINE = 1024
"""Bytes of a line; the rest of a longer one is dropped and counted."""
MAX_LINES = 64
"""Lines that one reply may hold; more are dropped and counted."""
TIMEOUT = "timeout"
OK = "OK"
PROMPT = ">"
PROMPT_MS = 10_000
"""Within this a modem asks for the body; then the command's own time begins."""
_ENDS = ("ERROR", "NO CARRIER", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS")
_NUMBERED_ENDS = ("+CME ERROR:", "+CMS ERROR:")
_WITH_A_SECOND_LINE = ("+CDS:", "+CMT:", "+CBM:")
_CTRL_Z, _ESCAPE = b"\x1a", b"\x1b"


@dataclass(frozen=True)
class Command:
    """What to say. `prefix`: of the lines that answer it. `body`: sent at the prompt, ended by Ctrl-Z.

    `block`: a line without prefix follows each with it (the PDU of `+CMGR`).
    """

    text: str
    timeout_ms: int = 5_000
    prefix: str = ""
    body: str = ""
    block: bool = False


@dataclass(frozen=True)
class Reply:
    """What came of a command: its lines, and the result that ended it, `TIMEOUT` where none came."""

    command: Command
    lines: tuple[str, ...]
    final: str

    @property
    def ok(self) -> bool:
        """It worked; and where an answer was asked for, there is one: a late `OK` of another command is no answer."""
        return self.final == OK and (not self.command.prefix or bool(self.lines))

    @property
    def code(self) -> int | None:
        """The number of a +CME or +CMS ERROR."""
        number = self.final.partition(":")[2].strip()
        return int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None


@dataclass(frozen=True)
class Unsolicited:
    """A line that nobody asked for; `second`: the line that belongs to it, as of `+CDS`."""

    line: str
    second: str = ""


Heard: TypeAlias = Reply | Unsolicited


class Dialogue:
    """Ask only when `idle`. What `ask` and `feed` leave in `out` has to be written to the port."""

    def __init__(self, now_ms: int = 0) -> None:
        self.out = bytearray()
        self.heard_ms = now_ms
        """When the last byte came."""
        self.dropped = 0
        self._rest = bytearray()
        self._skipping = False
        self._command: Command | None = None
        self._until_ms = 0
        self._lines: list[str] = []
        self._body = ""
        self._pair = ""
        self._in_block = False

    @property
    def idle(self) -> bool:
        """Whether no command waits for its reply."""
        return self._command is None

    def ask(self, command: Command, now_ms: int) -> None:
        """Begin a command."""
        self._command, self._body, self._lines, self._in_block = command, command.body, [], False
        self._until_ms = now_ms + (PROMPT_MS if command.body else command.timeout_ms)
        self.out += command.text.encode("ascii") + b"\r"

    def deadline(self) -> int | None:
        """When the running command has taken too long."""
        return None if self._command is None else self._until_ms

    def passed(self, now_ms: int) -> Reply | None:
        """The reply of a command that took too long; a prompt that may still be open is left with ESC."""
        if self._command is None or now_ms < self._until_ms:
            return None
        if self._command.body:
            self.out += _ESCAPE
        return self._end(TIMEOUT)

    def feed(self, data: bytes, now_ms: int) -> Iterator[Heard]:
        """Take in what the port read."""
        self.heard_ms = now_ms
        for line in self._split(data):
            if (heard := self._take(line)) is not None:
                yield heard

    def _split(self, data: bytes) -> Iterator[str]:
        for byte in data:
            if byte in b"\r\n":
                if not self._skipping and self._rest.strip():
                    yield self._rest.decode("latin-1").strip()
                self._rest.clear()
                self._skipping = False
            elif len(self._rest) >= MAX_LINE:
                self.dropped += not self._skipping
                self._skipping = True
            elif byte:
                self._rest.append(byte)
                if self._body and self._rest == PROMPT.encode():
                    self._rest.clear()
                    yield PROMPT

    def _take(self, line: str) -> Heard | None:
        command = self._command
        if command is not None and line in (command.text, command.body):
            return None  # the echo
        if line == PROMPT and self._body:
            self.out += self._body.encode("ascii") + _CTRL_Z
            self._body = ""
            self._until_ms = self.heard_ms + (command.timeout_ms if command else 0)
            return None
        if (final := _final(line)) and command is not None:
            self._pair = ""
            return self._end(final)
        if self._pair:
            first, self._pair = self._pair, ""
            return Unsolicited(first, line)
        if line.startswith(_WITH_A_SECOND_LINE):
            self._pair = line
            return None
        if command is not None and (self._in_block or (command.prefix and line.startswith(command.prefix))):
            self._keep(line, command)
            return None
        return Unsolicited(line)

    def _keep(self, line: str, command: Command) -> None:
        self._in_block = command.block and not self._in_block
        if len(self._lines) < MAX_LINES:
            self._lines.append(line)
        else:
            self.dropped += 1

    def _end(self, final: str) -> Reply | None:
        command, self._command, self._body = self._command, None, ""
        return None if command is None else Reply(command, tuple(self._lines), final)


def _final(line: str) -> str:
    """The result in a line, empty where it is none."""
    return line if line == OK or line in _ENDS or line.startswith(_NUMBERED_ENDS) else ""


def fields(line: str) -> list[str]:
    """The values behind the colon of a line, quotes taken off: `+COPS: 0,0,"CMCC"` → 0, 0, CMCC."""
    return [part.strip().strip('"') for part in line.partition(":")[2].split(",")]


def number(text: str) -> int | None:
    """A small whole number, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
