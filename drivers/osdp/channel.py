"""The wire under libosdp: it never raises into the C library, and knows whether the answer to a command is complete.

It looks only at what stands in plain in every frame: where it begins, whose it is, how long it is. libosdp gets whole
frames: of one that comes in two reads it takes neither half, and a UART gives what is there.
"""

import select
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import serial

_SOM = 0x53
_REPLY = 0x80
_HEAD = 4
_LONGEST = 1_440
"""Bytes of a frame at most (IEC 60839-11-5)."""


class Frames:
    """Finds whole frames in what comes from the wire; noise between them is skipped."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._ready = bytearray()

    def clear(self) -> None:
        """A new command was sent: what came before is over."""
        self._got.clear()
        self._ready.clear()

    def pull(self, most: int) -> bytes:
        """The next bytes of whole frames."""
        data = bytes(self._ready[:most])
        del self._ready[:most]
        return data

    def take(self, data: bytes) -> list[int]:
        """The addresses whose reply is complete now."""
        self._got += data
        found: list[int] = []
        while (size := self._whole()) is not None:
            address = self._got[1]
            self._ready += self._got[:size]
            del self._got[:size]
            if address & _REPLY:  # else our own command, echoed by the adapter
                found.append(address & 0x7F)
        return found

    def _whole(self) -> int | None:
        """How long the frame at the front is, None while it is not complete."""
        while True:
            start = self._got.find(_SOM)
            del self._got[: len(self._got) if start < 0 else start]
            if len(self._got) < _HEAD:
                return None
            size = self._got[2] | self._got[3] << 8
            if _HEAD < size <= _LONGEST:
                return size if len(self._got) >= size else None
            del self._got[0]


class Wire:
    """A port shared by all readers of a bus: a `Channel` as libosdp wants it (`id`, `read`, `write`, `flush`)."""

    id = 1

    def __init__(self, failed: Callable[[str], None]) -> None:
        """`failed`: the port does not work any more; called from inside libosdp, so it only notes it."""
        self.port: serial.Serial | None = None
        self.sent = False
        self.answered: set[int] = set()
        self.bytes_in = self.bytes_out = 0
        self._failed = failed
        self._frames = Frames()

    def begin(self) -> None:
        """Before an exchange."""
        self.sent = False
        self.answered.clear()
        self._frames.clear()

    def wait(self, seconds: float) -> None:
        """Until something can be read, at most so long."""
        if self.port is not None and seconds > 0:
            try:
                select.select([self.port.fileno()], [], [], seconds)
            except (OSError, ValueError) as error:
                self._failed(str(error))

    def read(self, most: int) -> bytes:
        """The next bytes of whole frames; nothing while one is not complete."""
        if self.port is None:
            return b""
        try:
            data = self.port.read(most)
        except Exception as error:  # pyserial, termios, OSError: no exception may enter the C library
            self._failed(str(error))
            return b""
        self.bytes_in += len(data)
        self.answered.update(self._frames.take(data))
        return self._frames.pull(most)

    def write(self, data: bytes) -> int:
        """Send it; a dead port swallows it, and the reader counts as silent."""
        self.sent = True
        if self.port is None:
            return len(data)
        try:
            self.port.write(data)
        except Exception as error:
            self._failed(str(error))
        self.bytes_out += len(data)
        return len(data)

    def flush(self) -> None:
        """Forget what was not read."""
        self._frames.clear()
        if self.port is not None:
            try:
                self.port.reset_input_buffer()
            except Exception as error:
                self._failed(str(error))
