"""A wire between the other end of a bus, which is a pty here, and the serial port of the guest, which is a socket."""

import os
import select
import socket
import threading
import tty
from contextlib import suppress
from pathlib import Path

TURN_S = 0.2


class BusBridge:
    """Copies both ways in a thread of its own until it is closed, or one end is gone."""

    def __init__(self, port: Path, guest: Path) -> None:
        """`port`: the pty's name, as a panel would open it; `guest`: QEMU's socket. Raises `OSError`."""
        self._port = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._port)
        self._guest = socket.socket(socket.AF_UNIX)
        self._guest.connect(str(guest))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bus bridge", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._stop.set()
        self._thread.join(5)
        self._guest.close()
        os.close(self._port)

    def _run(self) -> None:
        with suppress(OSError):
            while not self._stop.is_set():
                guest = self._guest.fileno()
                ready, _, _ = select.select([self._port, guest], [], [], TURN_S)
                if self._port in ready:
                    self._guest.sendall(os.read(self._port, 4096))
                if guest in ready:
                    data = self._guest.recv(4096)
                    if not data:
                        return
                    os.write(self._port, data)
