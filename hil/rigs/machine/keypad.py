"""An OSDP keypad on a serial port of the guest: libosdp's own device in a process of its own, with fingers."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Protocol

from hil.rigs.protocol import RigFault
from hil.rigs.site import KEYPAD

ONLINE_S = 40.0


class Closable(Protocol):
    """The open bus."""

    def close(self) -> None:
        """Let go of it."""
        ...


class Keypad:
    """Plugged in from its making to `close`; it stays on the bus over restarts of the panel."""

    def __init__(self, guest: Path) -> None:
        """`guest`: QEMU's socket of the serial port. Raises `OSError`."""
        bus = socket.socket(socket.AF_UNIX)
        bus.connect(str(guest))
        self._play(bus, bus.fileno())

    def _play(self, bus: Closable, fd: int) -> None:
        self._bus = bus
        plan = json.dumps([{"id": KEYPAD, "address": 1, "key": "", "rows": 1, "plain": True}])
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "hil.osdp_device", str(fd), plan],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(fd,),
        )
        self._online = threading.Event()
        threading.Thread(target=self._read, name="keypad", daemon=True).start()

    def press(self, keys: str) -> None:
        """Press keys. Raises `RigFault` where no panel talks to it."""
        if not self._online.wait(ONLINE_S):
            raise RigFault(f"no panel has spoken to the keypad within {ONLINE_S:g} s")
        order = {"reader": KEYPAD, "do": "keys", "keys": keys}
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Take it away."""
        self._process.kill()
        self._process.wait(5)
        self._bus.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            told = json.loads(line)
            if "online" in told:
                (self._online.set if told["online"] else self._online.clear)()
