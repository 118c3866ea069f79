"""A bus driver with its real child on one end of a pty, and libosdp's readers as a real process on the other."""

import json
import os
import queue
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from drivers.bus.driver import BusDriver, BusWiring, Ears
from firmware.clock import SystemClock

WAIT_S = 30.0
KEYS = {"r1": "00112233445566778899aabbccddeeff", "r2": "ffeeddccbbaa99887766554433221100"}


class Readers:
    """The far end: readers as a process of their own. `said` holds what they were told."""

    def __init__(self, plans: Sequence[dict[str, Any]]) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self.plans = list(plans)
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hil.osdp_device", str(self._ours), json.dumps(self.plans)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._ours],
            text=True,
        )
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("{"):
                self.said.put(json.loads(line))

    def do(self, reader: str, what: str, **more: Any) -> None:
        """Let a reader do it."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"reader": reader, "do": what, **more}) + "\n")
        self.process.stdin.flush()

    def until(self, fits: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """What the readers say next that fits; what does not is dropped."""
        while True:
            said = self.said.get(timeout=WAIT_S)
            if fits(said):
                return said

    def command(self, reader: str, kind: int, **members: Any) -> dict[str, Any]:
        """The next command of this kind with these members that the reader is given."""

        def fits(said: dict[str, Any]) -> bool:
            got = {"command": None, **said.get("command", {})}
            return said["reader"] == reader and got["command"] == kind and members.items() <= got.items()

        command: dict[str, Any] = self.until(fits)["command"]
        return command

    def kill(self) -> None:
        """All readers lose their supply at once."""
        self.process.kill()
        self.process.wait()

    def revive(self) -> None:
        """And have it again."""
        self.process = self._start()

    def close(self) -> None:
        self.kill()
        os.close(self._ours)
        os.close(self._theirs)


def row(id_: str, address: int, folder: Path, key: str | None = None, rows: int = 2) -> dict[str, Any]:
    """A reader of the wiring, with its key in a file; key "" for none."""
    key = KEYS[id_] if key is None else key
    path = folder / f"{id_}.key"
    if key:
        path.write_text(key + "\n")
        path.chmod(0o600)
    return {"id": id_, "address": address, "key_file": str(path) if key else "", "keypad": True, "rows": rows}


class OsdpRig:
    """`told` holds every word that the driver told core."""

    def __init__(self, port: str, rows: Sequence[dict[str, Any]], baud: int = 115_200) -> None:
        self.told: queue.Queue[tuple[Any, ...]] = queue.Queue()
        names = frozenset(r["id"] for r in rows)
        wiring = BusWiring(
            "doors", "osdp", {"port": port, "baud": baud, "readers": list(rows)}, parts=names, devices=names
        )
        ears = Ears(
            lambda zone, condition: self.told.put((zone, condition)),
            lambda part, present, detail: self.told.put(("failed", part, present, detail)),
            lambda part, present, _: self.told.put(("tampered", part, present)),
            lambda device, what, text: self.told.put((device, what, text)),
        )
        self.driver = BusDriver(wiring, SystemClock(1).monotonic_ms, ears)

    def next(self) -> tuple[Any, ...]:
        """The next word; fails after `WAIT_S`."""
        return self.told.get(timeout=WAIT_S)

    def figures(self, reader: str) -> dict[str, Any]:
        """What the child says of a reader."""
        found: dict[str, Any] = self.driver.health()["bus"].get("readers", {}).get(reader, {})
        return found
