"""JSON lines over a unix socket: splitting a stream into bounded lines, and a small blocking client."""

import json
import logging
import select
import socket
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firmware.protocol.messages import MAX_LINE


class LineTooLong(Exception):
    """A line of more than `MAX_LINE` bytes. `lines` are the whole lines that the same bytes completed."""

    def __init__(self, limit: int, lines: list[bytes]) -> None:
        super().__init__(f"a line of more than {limit} bytes")
        self.lines = lines


def encode(message: BaseModel) -> bytes:
    """One line, newline included; raises `LineTooLong` for what the other side would refuse."""
    line = message.model_dump_json().encode()
    if len(line) > MAX_LINE:
        raise LineTooLong(MAX_LINE, [])
    return line + b"\n"


class Splitter:
    """Turns received bytes into lines; holds at most `limit` bytes.

    A line that is too long is reported once and left out whole: its tail never counts as a line.
    """

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without newlines; raises `LineTooLong`."""
        lines: list[bytes] = []
        too_long = False
        *ends, start = data.split(b"\n")
        for end in ends:
            too_long |= self._grow(end)
            if not self._skipping:
                lines.append(bytes(self._rest))
            self._rest.clear()
            self._skipping = False
        too_long |= self._grow(start)
        if too_long:
            raise LineTooLong(self._limit, lines)
        return lines

    def _grow(self, piece: bytes) -> bool:
        """Add to the line that is being read; whether it has just become too long."""
        if self._skipping or len(self._rest) + len(piece) <= self._limit:
            if not self._skipping:
                self._rest += piece
            return False
        self._rest.clear()
        self._skipping = True
        return True


class Client:
    """One connection to a socket of core. Not shared between threads for reading."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        """Connect; raises `OSError` when nobody listens there."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._splitter = Splitter()
        self._lines: list[bytes] = []

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, message: BaseModel) -> None:
        """Send one message; raises `OSError` when the peer is gone or does not read in time."""
        self._socket.sendall(encode(message))

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message, or None when none came in time.

        Raises `ConnectionError` at the end of the stream, and for a line that is no JSON object.
        """
        line = self.receive_line(timeout_s)
        if line is None:
            return None
        try:
            value = json.loads(line.decode())
        except (ValueError, RecursionError):
            raise ConnectionError("core sent a line that is not JSON") from None
        if not isinstance(value, dict):
            raise ConnectionError(f"core sent {type(value).__name__}, expected an object")
        return value

    def receive_line(self, timeout_s: float | None = None) -> bytes | None:
        """The next line, unread; None when none came in time. Raises `ConnectionError` at the end of the stream."""
        limit = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._lines:
            wait = None if limit is None else max(0.0, limit - time.monotonic())
            if not select.select([self._socket], [], [], wait)[0]:
                return None
            self._read()
        return self._lines.pop(0)

    def pending(self) -> bool:
        """Whether a whole line has been read already."""
        return bool(self._lines)

    def _read(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("core closed the connection")
        try:
            self._lines.extend(self._splitter.feed(data))
        except LineTooLong as error:
            raise ConnectionError(f"core sent {error}") from None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class Caller:
    """Reaches a socket of core's again and again; of tries in vain the first is told."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path = path
        self._log = log
        self._in_vain = False

    def call(self) -> Client | None:
        """A new connection; None while core is not there."""
        try:
            client = Client(self._path)
        except OSError as error:
            if not self._in_vain:
                self._log.warning("core is not there: %s", error)
            self._in_vain = True
            return None
        self._in_vain = False
        return client
