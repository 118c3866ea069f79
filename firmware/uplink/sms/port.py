"""The serial port of the modem, on a thread of its own: bytes in both directions, and a new try when it vanishes.

The thread only puts plain events into a bounded queue and wakes the process's one loop through a file descriptor, as
the MQTT side does: a driver that hangs in `open` or `write` holds up no record. The port is named by its path, so a
link under /dev/serial/by-id finds the same modem again after it was unplugged.
"""

import contextlib
import logging
import os
import select
import termios
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import serial

log = logging.getLogger("fenghuo.uplink.sms")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
MAX_WAITING = 256
"""Reads that may wait for the loop; then the kernel's buffer fills and the modem waits, or loses."""
MAX_OUT = 64 * 1024
READ_BYTES = 4096
WRITE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class PortOpened:
    """The port is open."""


@dataclass(frozen=True)
class PortLost:
    """It vanished, or could not be opened."""

    reason: str


PortEvent: TypeAlias = PortOpened | PortLost | bytes


class SerialPort:
    """All methods are for the process's one loop; none blocks."""

    def __init__(self, path: str, baud: int, first_pause_s: float = FIRST_PAUSE_S) -> None:
        """`path`: of the device. `first_pause_s` before the second try; each further one is twice as long."""
        self._path = path
        self._baud = baud
        self._first_pause_s = first_pause_s
        self._events: deque[PortEvent] = deque()
        self._out = bytearray()
        self._lock = threading.Lock()
        self._room = threading.Semaphore(MAX_WAITING)
        self._heard = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poked = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._pause_s: float | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="modem", daemon=True)

    def start(self) -> "SerialPort":
        """Begin to open it."""
        self._thread.start()
        return self

    def fileno(self) -> int:
        """Readable when `events` has something."""
        return self._heard

    def events(self) -> list[PortEvent]:
        """What happened since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._heard)
        with self._lock:
            taken = list(self._events)
            self._events.clear()
        for _ in taken:
            self._room.release()
        return taken

    def write(self, data: bytes) -> None:
        """Write this soon; what is too much for a modem that takes nothing is dropped, and its answer will not come."""
        with self._lock:
            if len(self._out) + len(data) <= MAX_OUT:
                self._out += data
        os.eventfd_write(self._poked, 1)

    def reopen(self, pause_s: float) -> None:
        """Close it when all is written, and open it again after the pause."""
        with self._lock:
            self._pause_s = pause_s
        os.eventfd_write(self._poked, 1)

    def close(self) -> None:
        """End the thread, within a second or so."""
        self._ending = True
        os.eventfd_write(self._poked, 1)
        self._thread.join(1.0)

    # --- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._ending:
            try:
                with self._open() as port:
                    self._put(PortOpened())
                    pause_s = self._first_pause_s
                    rest_s = self._serve(port)
            except (OSError, ValueError, termios.error) as error:  # SerialException is an OSError
                self._put(PortLost(f"{self._path}: {_reason(error)}"[:150]))
                rest_s, pause_s = pause_s, min(2 * pause_s, LONGEST_PAUSE_S)
            self._rest(rest_s)

    def _open(self) -> serial.Serial:
        port = serial.Serial(baudrate=self._baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        port.port = self._path
        port.open()
        with self._lock:
            self._out.clear()
            self._pause_s = None
        return port

    def _serve(self, port: serial.Serial) -> float:
        """Until somebody asks for a pause (its seconds), or for the end. Raises `OSError` when the port is gone."""
        while not self._ending:
            select.select([port.fileno(), self._poked], [], [])
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._poked)
            with self._lock:
                data, pause_s = bytes(self._out), self._pause_s
                self._out.clear()
            if data:
                port.write(data)
            if pause_s is not None:
                port.flush()
                return pause_s
            if select.select([port.fileno()], [], [], 0)[0]:
                self._read(port)
        return 0.0

    def _read(self, port: serial.Serial) -> None:
        data = port.read(READ_BYTES)
        if not data:
            raise OSError("the device is gone")
        self._put(data)

    def _put(self, event: PortEvent) -> None:
        while not self._room.acquire(timeout=0.2):
            if self._ending:
                return
        with self._lock:
            self._events.append(event)
        os.eventfd_write(self._heard, 1)

    def _rest(self, seconds: float) -> None:
        """Wait, unless it is the end; what is to be written meanwhile is for nobody."""
        until = time.monotonic() + seconds
        while not self._ending and (left := until - time.monotonic()) > 0:
            if select.select([self._poked], [], [], left)[0]:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._poked)


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) else str(error)
