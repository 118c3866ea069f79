"""What a camera process in wrong hands costs the siren: door to siren, calm and beside a flood of core's camera socket.

Core is the real process on simulated pins; the flood is a process of its own that writes manifests, health and garbage
over two connections as fast as core takes them. Taken in turns, so that both see the same machine. About 40 s:
`python -m hil.bench_camera_flood`.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from firmware.protocol import messages as m
from hil.demo_panel import Watcher, ask
from hil.stand import CODE, Stand
from hil.timeline import Happening

ALARMS = 8
WAIT_S = 20.0
FLOOD_S = 0.5
"""So long the flood runs before the door is opened."""
_FLOOD = """
import socket, sys, threading
health = b'{"type":"camera","camera":"lobby","ok":%b}\\n'
lines = (health % b'false' + health % b'true' + b'garbage\\n{"type":"capture"}\\n') * 200
def flood():
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as core:
                core.connect(sys.argv[1])
                while True:
                    core.sendall(lines)
        except OSError:
            pass
for _ in range(2):
    threading.Thread(target=flood).start()
"""


def measure(alarms: int = ALARMS) -> dict[str, float]:
    """Milliseconds from the moved contact to the switched siren: medians `calm_ms`, `flooded_ms`, and the worst.

    `bad_lines`: how many core refused meanwhile.
    """
    with Stand([1], [1], edit=lambda text: text.replace("exit_delay_s = 8", "exit_delay_s = 1")) as stand:
        stand.core.start().ready()
        stand.add_user()
        stand.settle()
        seen = _Seen(stand.run / "desk.sock")
        try:
            calm, flooded = [], []
            for _ in range(alarms):
                calm.append(seen.alarm())
                with _flooding(stand.run / "camera.sock"):
                    flooded.append(seen.alarm())
            bad_lines = ask(stand.run / "technician.sock", m.AskStatus())["health"]["bad_lines"]
        finally:
            seen.watcher.stop()
    return {
        "calm_ms": median(calm),
        "flooded_ms": median(flooded),
        "ratio": median(flooded) / median(calm),
        "calm_worst_ms": max(calm),
        "flooded_worst_ms": max(flooded),
        "bad_lines": bad_lines,
    }


class _Seen:
    """The installer's eyes and hands."""

    def __init__(self, desk: Path) -> None:
        self._desk = desk
        self._seen: list[Happening] = []
        self._changed = threading.Condition()
        self.watcher = Watcher(desk, self._take)
        self.watcher.start()

    def alarm(self) -> float:
        """Arm, open the door; milliseconds until the siren is switched. Then quiet again."""
        mark = len(self._seen)
        ask(self._desk, m.Code(digits=CODE, wish="arm"))
        self._wait("tell", "armed", None, mark)
        time.sleep(FLOOD_S)
        mark = len(self._seen)
        began = time.monotonic()
        ask(self._desk, m.Move(zone="back-door", position="open"))
        at = self._wait("output", "siren-outside", True, mark)
        ask(self._desk, m.Code(digits=CODE, wish="disarm"))
        self._wait("output", "siren-outside", False, mark)
        mark = len(self._seen)
        ask(self._desk, m.Move(zone="back-door", position="close"))
        self._wait("condition", "back-door", "normal", mark)
        return (at - began) * 1000

    def _take(self, happening: Happening) -> None:
        with self._changed:
            self._seen.append(happening)
            self._changed.notify_all()

    def _wait(self, what: str, name: str, value: object, since: int) -> float:
        def found() -> bool:
            return any(h.what == what and h.name == name and value in (None, h.value) for h in list(self._seen[since:]))

        with self._changed:
            if not self._changed.wait_for(found, WAIT_S):
                raise TimeoutError(f"{what} {name} {value} was not seen")
            return time.monotonic()


@contextmanager
def _flooding(path: Path) -> Iterator[None]:
    flood = subprocess.Popen([sys.executable, "-c", _FLOOD, str(path)])
    try:
        yield
    finally:
        flood.kill()
        flood.wait()


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:18} {value:8.2f}")
