"""From core's alarm effect to the first JPEG on disk, with the real core and camera process, idle and under load.

A hold-up button of a simulated site is pressed on the desk socket. The effect's moment is the one that core writes into
the alarm's record; the file's is when it can be seen under its name.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from firmware.protocol import messages as m
from firmware.protocol.lines import Client

ALARMS = 8
BURNERS = 4
"""Processes that only count, beside the panel: two for each core of the developer machine."""
PATIENCE_S = 30.0
PANEL = """
[panel]
id = "bench-1"
name = "Bench"
pins = "simulated"
[[area]]
id = "hall"
number = 1
name = "Hall"
cameras = ["lobby"]
[[zone]]
id = "button"
number = 1
name = "Button"
type = "hold-up"
sensor = "button"
areas = ["hall"]
input = { line = 4 }
[[camera]]
id = "lobby"
name = "Lobby"
maker = "drawn"
post_s = 1
"""


def measure(folder: Path) -> dict[str, float]:
    """In a scratch folder. Milliseconds: the worst and the median of `ALARMS` alarms, idle and loaded."""
    folder.mkdir(exist_ok=True)
    (folder / "panel.toml").write_text(PANEL)
    with _processes(folder, "core", "camera"):
        _wait_for_camera(folder)
        idle = [_alarm(folder) for _ in range(ALARMS)]
        with _burning():
            loaded = [_alarm(folder) for _ in range(ALARMS)]
    return {
        "effect_jpeg_ms": max(idle),
        "effect_jpeg_median_ms": median(idle),
        "loaded_jpeg_ms": max(loaded),
        "loaded_jpeg_median_ms": median(loaded),
    }


@contextmanager
def _processes(folder: Path, *names: str) -> Iterator[None]:
    command = [sys.executable, "-m", "firmware.commands", "{}", "--config", str(folder / "panel.toml")]
    running = []
    try:
        for name in names:
            running.append(subprocess.Popen([w.format(name) for w in command], stderr=subprocess.DEVNULL))
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(PATIENCE_S)


@contextmanager
def _burning() -> Iterator[None]:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BURNERS)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def _wait_for_camera(folder: Path) -> None:
    """Until an order gives pictures: the camera process loads its models first."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(OSError):
            _press(folder)
        time.sleep(1.0)
        if list((folder / "data" / "evidence").glob("*/*/*.jpg")):
            time.sleep(2.0)
            return
    raise TimeoutError("the camera process took no picture")


def _press(folder: Path) -> None:
    desk = Client(folder / "run" / "desk.sock")
    try:
        for position in ("open", "close"):
            desk.send(m.Move(zone="button", position=position))
            time.sleep(0.5)
    finally:
        desk.close()


def _alarm(folder: Path) -> float:
    """Press, and wait for the capture to end; milliseconds from the alarm's moment to its first JPEG."""
    evidence = folder / "data" / "evidence"
    before = set(evidence.glob("*/*"))
    desk = Client(folder / "run" / "desk.sock")
    try:
        desk.send(m.Move(zone="button", position="open"))
        seen = _first_jpeg(evidence, before)
        desk.send(m.Move(zone="button", position="close"))
        time.sleep(2.0)
    finally:
        desk.close()
    return seen - _last_alarm(folder)


def _first_jpeg(evidence: Path, before: set[Path]) -> float:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for capture in set(evidence.glob("*/*")) - before:
            if any(path.suffix == ".jpg" and not path.name.startswith(".") for path in capture.iterdir()):
                return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
        time.sleep(0.001)
    raise TimeoutError(f"no JPEG in {PATIENCE_S:.0f} s")


def _last_alarm(folder: Path) -> float:
    """The moment of the last alarm, as core recorded it."""
    technician = Client(folder / "run" / "technician.sock")
    found, after = 0.0, 0
    try:
        while True:
            technician.send(m.AskRecords(after=after))
            answer = technician.receive(PATIENCE_S) or {}
            records = answer["detail"]["records"]
            if not records:
                return found
            for record in records:
                after = record["header"]["seq"]
                if record["header"]["kind"] == "alarm.hold-up":
                    found = record["header"]["monotonic_ms"]
    finally:
        technician.close()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        for name, value in measure(Path(scratch)).items():
            print(f"{name:24} {value:8.1f}")
