"""Figures of the camera process: the person check against a bare interpreter, an alarm to its first JPEG, memory.

The process is the real one, with the drawn scene as its camera; this side plays core.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from drivers.cameras import Plan, make
from firmware.camera.person import BOXED, MODELS, RUNTIMES, WHOLE, PersonCheck
from hil.memory_use import rss_mib
from hil.rtsp import Film, RtspCamera

ROUNDS = 60
ORDERS = 5
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
[[zone]]
id = "pir"
number = 1
name = "PIR"
type = "instant"
sensor = "pir"
areas = ["hall"]
input = { line = 4 }
cameras = ["lobby"]
[[camera]]
id = "lobby"
name = "Lobby"
maker = "drawn"
post_s = 1
"""


def measure(folder: Path) -> dict[str, float]:
    """Run in a scratch folder. Milliseconds a picture, their ratios, milliseconds to the first JPEG, MiB resident.

    `person_ratio` is against a bare loop that makes the two small pictures and runs both models (bar 1.1);
    `person_ratio_tensors` against one that is handed finished tensors. `first_jpeg_ms` bar 300, `rss_mib` bar 150.
    """
    return inference() | process(folder)


def inference() -> dict[str, float]:
    """The person check on a 640 by 480 picture, beside bare interpreters, taking turns in the same minute."""
    check = PersonCheck()
    picture = _scene()
    check.look(picture)
    whole, boxed = _bare(WHOLE), _bare(BOXED)
    small = np.asarray(picture.resize((96, 96)), np.float32)[None]
    large = (np.asarray(picture.resize((300, 300)), np.float32) / 127.5 - 1)[None]

    def bare() -> None:
        whole(np.asarray(picture.resize((96, 96), Image.Resampling.BILINEAR), np.float32)[None])
        pixels = np.asarray(picture.resize((300, 300), Image.Resampling.BILINEAR), np.float32)
        boxed((pixels / np.float32(127.5) - np.float32(1))[None])

    looks, bares, tensors = [], [], []
    for _ in range(ROUNDS):
        looks.append(_timed(lambda: check.look(picture)))
        bares.append(_timed(bare))
        tensors.append(_timed(lambda: (whole(small), boxed(large))))
    look, loop = median(looks), median(bares)
    return {
        "person_ms": look,
        "bare_ms": loop,
        "person_ratio": _ratio(looks, bares),
        "person_ratio_tensors": _ratio(looks, tensors),
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of each round's own ratio: what else the machine does meets both of a round."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def process(folder: Path) -> dict[str, float]:
    """The real process: order to first JPEG on disk, order to first manifest, resident memory after the captures."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    (folder / "run" / "desk.json").write_text(json.dumps({"positions": {"pir": "open"}, "mains": True}))
    with _running(folder, PANEL) as (peer, pid):
        return _orders(folder, peer, pid)


@contextmanager
def _running(folder: Path, panel: str) -> Iterator[tuple[socket.socket, int]]:
    """The camera process of this panel file, connected to us as its core."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    (folder / "panel.toml").write_text(panel)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "run" / "camera.sock"))
    listener.listen()
    listener.settimeout(PATIENCE_S)
    command = [sys.executable, "-m", "firmware.commands", "camera", "--config", str(folder / "panel.toml")]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        peer, _ = listener.accept()
        peer.settimeout(PATIENCE_S)
        yield peer, child.pid
    finally:
        child.terminate()
        child.wait(PATIENCE_S)
        listener.close()


def network_mib(folder: Path) -> float:
    """Resident MiB of the process with one RTSP camera of 640 by 480, after five captures at once."""
    folder.mkdir(exist_ok=True)
    with RtspCamera(folder, Film(rate=15)) as server:
        maker = f'maker = "rtsp"\nsource = "{server.url}"'
        with _running(folder, PANEL.replace('maker = "drawn"', maker)) as (peer, pid):
            lines = peer.makefile("rb")
            _say(peer, {"type": "welcome", "panel": "bench-1", "session": 1, "peer": 1, "version": "bench"})
            for line in lines:
                if json.loads(line).get("ok"):
                    break
            time.sleep(2.0)
            for incident in range(1, 6):
                _order(peer, incident)
            _told(lines, *range(1, 6))
            time.sleep(2.0)
            return rss_mib(pid)


def _orders(folder: Path, peer: socket.socket, pid: int) -> dict[str, float]:
    lines = peer.makefile("rb")
    _say(peer, {"type": "welcome", "panel": "bench-1", "session": 1, "peer": 1, "version": "bench"})
    # The first frame of a camera that has just been opened is not what is measured.
    _order(peer, 1)
    _told(lines, 1)
    firsts, manifests = [], []
    for incident in range(2, 2 + ORDERS):
        began = time.monotonic()
        _order(peer, incident)
        firsts.append(_first_jpeg(folder / "data" / "evidence", incident) - began)
        _told(lines, incident)
        manifests.append(time.monotonic() - began)
    return {
        "first_jpeg_ms": 1000 * max(firsts),
        "first_manifest_ms": 1000 * max(manifests),
        "rss_mib": rss_mib(pid),
    }


def _order(peer: socket.socket, incident: int) -> None:
    order = {"type": "capture", "incident": incident, "kind": "alarm.burglary", "zone": "pir", "cameras": ["lobby"]}
    moment = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    _say(peer, order | {"time": "2026-03-14T23:09:26.123Z", "monotonic_ms": moment})


def _say(peer: socket.socket, message: dict[str, Any]) -> None:
    peer.sendall(json.dumps(message).encode() + b"\n")


def _told(lines: Any, *incidents: int) -> None:
    """Read until pictures of each of these incidents are told."""
    left = set(incidents)
    for line in lines:
        message = json.loads(line)
        if message["type"] == "pictures" and message["pictures"]:
            left.discard(message["incident"])
        if not left:
            return
    raise ConnectionError("the camera process hung up")


def _first_jpeg(evidence: Path, incident: int) -> float:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for folder in evidence.glob(f"*/{incident:06d}-lobby"):
            if any(path.suffix == ".jpg" for path in folder.iterdir()):
                return time.monotonic()
        time.sleep(0.001)
    raise TimeoutError(f"no JPEG of incident {incident} in {PATIENCE_S:.0f} s")


def _scene() -> Image.Image:
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "desk.json"
        world.write_text(json.dumps({"positions": {"pir": "open"}}))
        camera = make(Plan("lobby", "drawn", world=world, zones=("pir",)), lambda: 0, lambda: 0.0)
        camera.open()
        return Image.fromarray(camera.frame().rgb)


def _bare(model: str) -> Callable[[Any], Any]:
    """A model in an interpreter of its own, with nothing around it."""
    interpreter = _runtime().Interpreter(model_path=str(MODELS / model), num_threads=1)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    exits = [detail["index"] for detail in interpreter.get_output_details()]

    def run(pixels: Any) -> Any:
        interpreter.set_tensor(entry, pixels)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in exits]

    return run


def _runtime() -> Any:
    for name in RUNTIMES:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ImportError(f"none of {', '.join(RUNTIMES)} is installed")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name, value in measure(Path(scratch)).items():
            print(f"{name:24} {value:8.2f}")
