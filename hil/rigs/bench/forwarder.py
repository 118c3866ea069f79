"""A door of this computer: through it the panel reaches the alarm center's end, which listens on the loopback."""

import socket
import threading
from contextlib import suppress

from hil.broker import HOST

MOST = 32
_CHUNK = 65536


class Forwarder:
    """Forwards connections to `host` and a port of the kernel's, to a port of the loopback. `close` ends them all."""

    def __init__(self, host: str, to_port: int) -> None:
        """Raises `OSError` where this computer has no such address."""
        self._to = to_port
        self._open: set[socket.socket] = set()
        self._slots = threading.BoundedSemaphore(MOST)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._door = socket.create_server((host, 0), family=family)
        threading.Thread(target=self._accept, name="forwarder", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._door.getsockname()[1])

    def close(self) -> None:
        """Hang up on everybody."""
        for each in (self._door, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._door.accept()
                self._slots.acquire()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            with caller, socket.create_connection((HOST, self._to), 5) as called:
                called.settimeout(None)
                self._open |= {caller, called}
                back = threading.Thread(target=_pump, args=(called, caller), daemon=True)
                back.start()
                _pump(caller, called)
                back.join()
                self._open -= {caller, called}
        except OSError:
            pass  # the other end is cut: the caller sees a hang-up
        finally:
            self._slots.release()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Until one of them hangs up; then the other one is told."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
