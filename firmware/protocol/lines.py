"""JSON lines over a unix socket: splitting a stream into bounded lines, and a small blocking client."""

import json
import select
import socket
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firmware.protocol.messages import MAX_LINE


class LineTooLong(Exception):
    """The peer sent more than `MAX_LINE` bytes without a newline."""


def encode(message: BaseModel) -> bytes:
    """One line, newline included."""
    return message.model_dump_json().encode() + b"\n"


class Splitter:
    """Turns received bytes into lines; holds at most `limit` bytes."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without newlines; raises `LineTooLong`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > self._limit or any(len(line) > self._limit for line in lines):
            self._rest = b""
            raise LineTooLong(f"a line of more than {self._limit} bytes")
        return lines


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
        """The next message, or None when none came in time. Raises `ConnectionError` at the end of the stream."""
        limit = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._lines:
            wait = None if limit is None else max(0.0, limit - time.monotonic())
            if not select.select([self._socket], [], [], wait)[0]:
                return None
            self._read()
        value = json.loads(self._lines.pop(0))
        if not isinstance(value, dict):
            raise ConnectionError(f"core sent {type(value).__name__}, expected an object")
        return value

    def pending(self) -> bool:
        """Whether a whole line has been read already."""
        return bool(self._lines)

    def _read(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("core closed the connection")
        self._lines.extend(self._splitter.feed(data))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
