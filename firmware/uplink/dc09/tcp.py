"""The TCP client under a DC-09 path, on a thread of its own: one connection, plain events for the process's loop.

A name server or a connect that hangs holds up no record. Each order to connect has a number, and what an older
connection still says is dropped. Nothing queues without bound: a receiver that talks too much is cut off.
"""

import contextlib
import logging
import os
import select
import socket
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

log = logging.getLogger("fenghuo.uplink.dc09")

CONNECT_S = 10.0
WRITE_S = 5.0
READ_BYTES = 4096
MAX_WAITING = 64
"""Reads that may wait for the loop."""


@dataclass(frozen=True)
class Opened:
    """Connected, and encrypted where the path has TLS."""


@dataclass(frozen=True)
class Lost:
    """The connection ended, or could not be made."""

    reason: str


Event: TypeAlias = Opened | Lost | bytes


@dataclass
class _Order:
    """What the thread is to do. `address` None: be closed."""

    number: int
    address: tuple[str, int] | None
    tls: ssl.SSLContext | None = None


class TcpClient:
    """All methods are for the process's one loop; none blocks."""

    def __init__(self, name: str) -> None:
        """`name`: of the path, for the thread."""
        self._order = _Order(0, None)
        self._events: deque[Event] = deque()
        self._out = bytearray()
        self._lock = threading.Lock()
        self._heard = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poked = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"dc09-{name}", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Readable when `events` has something."""
        return self._heard

    def events(self) -> list[Event]:
        """What happened to the connection that was asked for last, in order."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._heard)
        with self._lock:
            taken = list(self._events)
            self._events.clear()
        return taken

    def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Connect there; a connection that there is ends."""
        self._say((host, port), tls)

    def close_connection(self) -> None:
        """End the connection, or the try to make one."""
        self._say(None)

    def write(self, data: bytes) -> None:
        """Send this over the connection that there is."""
        with self._lock:
            self._out += data
        os.eventfd_write(self._poked, 1)

    def close(self) -> None:
        """End the thread; one that a name server holds ends with the process."""
        self._ending = True
        self.close_connection()
        self._thread.join(1.0)

    def _say(self, address: tuple[str, int] | None, tls: ssl.SSLContext | None = None) -> None:
        with self._lock:
            self._order = _Order(self._order.number + 1, address, tls)
            self._events.clear()
            self._out.clear()
        os.eventfd_write(self._poked, 1)

    # --- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        done = 0
        while not self._ending:
            order = self._order
            if order.number == done or order.address is None:
                done = order.number
                select.select([self._poked], [], [])
                self._unpoke()
                continue
            done = order.number
            try:
                with _connect(order.address, order.tls) as connection:
                    self._put(order, Opened())
                    self._serve(order, connection)
            except (OSError, ssl.SSLError, UnicodeError) as error:
                self._put(order, Lost(f"{order.address[0]}: {_reason(error)}"[:150]))
            except Exception as error:  # an error of ours must not leave the path waiting for ever
                log.exception("the connection to a receiver")
                self._put(order, Lost(f"internal error: {type(error).__name__}"))

    def _serve(self, order: _Order, connection: socket.socket) -> None:
        """Until another order comes. Raises `OSError` when the receiver is gone."""
        connection.settimeout(WRITE_S)
        while self._order is order and not self._ending:
            waiting = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
            ready, _, _ = select.select([connection.fileno(), self._poked], [], [], 0 if waiting else None)
            self._unpoke()
            with self._lock:
                data = bytes(self._out) if self._order is order else b""
                if data:
                    self._out.clear()
            if data:
                connection.sendall(data)
            if waiting or connection.fileno() in ready:
                self._read(order, connection)

    def _read(self, order: _Order, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            data = connection.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        finally:
            connection.settimeout(WRITE_S)
        if not data:
            raise OSError("the receiver closed the connection")
        self._put(order, data)

    def _put(self, order: _Order, event: Event) -> None:
        with self._lock:
            if self._order is not order:
                return
            if isinstance(event, bytes) and len(self._events) >= MAX_WAITING:
                raise OSError("the receiver sends more than is read")
            self._events.append(event)
        os.eventfd_write(self._heard, 1)

    def _unpoke(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._poked)


def _connect(address: tuple[str, int], tls: ssl.SSLContext | None) -> socket.socket:
    plain = socket.create_connection(address, CONNECT_S)
    if tls is None:
        return plain
    try:
        return tls.wrap_socket(plain, server_hostname=address[0])
    except BaseException:
        plain.close()
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not count: {error.verify_message}"
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) and number > 0 else str(error) or type(error).__name__
