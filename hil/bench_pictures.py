"""Pictures on a line of 1 Mbit/s: how soon the first thumbnail is at the center, and what full pictures cost an alarm.

A real panel (core, uplink, camera), a real broker, the reference center, a line that carries 125,000 bytes a second
each way with 20 ms of delay. The camera shows noise: no picture takes more bytes. About 90 s:
`python -m hil.bench_pictures`.
"""

import json
import random
import re
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

from firmware.protocol import messages as m
from hil import demo_site
from hil.broker import HOST, Mosquitto
from hil.center import Arrival, Center
from hil.center.pictures import Assembly, Gallery
from hil.demo_panel import PanelProcesses, Refused, ask
from hil.fault_proxy import FaultProxy
from hil.faults import Weather

LINE = Weather(bytes_per_s=125_000, latency_ms=20)
ALARMS = 6
WANTED = 6
"""Full pictures that are on their way meanwhile, about 250 KB each."""
PATIENCE_S = 60.0
_FOLDER = 'maker = "folder"\nsource = "scenes"\npost_s = 1'


def measure(folder: Path, alarms: int = ALARMS) -> dict[str, float]:
    """Milliseconds from the alarm's moment to the center: `thumbnail_ms` (the worst), `alarm_ms`, `beside_ms` (medians:
    on the idle line, and beside full pictures). `picture_share`: of the line, while they come.
    """
    with (
        Mosquitto(folder) as broker,
        FaultProxy(broker.port) as line,
        _Bench(folder, broker.port, line) as bench,
    ):
        line.set(LINE)
        bench.begin()
        calm = [bench.alarm() for _ in range(alarms)]
        share = bench.fetch()
        beside = [bench.alarm() for _ in range(alarms)]
        bench.fetched()
    thumbnails = [thumbnail for _, thumbnail in calm]
    return {
        "thumbnail_ms": max(thumbnails),
        "thumbnail_median_ms": median(thumbnails),
        "alarm_ms": median(alarm for alarm, _ in calm),
        "beside_ms": median(alarm for alarm, _ in beside),
        "beside_worst_ms": max(alarm for alarm, _ in beside),
        "beside_thumbnail_ms": max(thumbnail for _, thumbnail in beside),
        "picture_share": share,
    }


class _Bench:
    """The panel and its center."""

    def __init__(self, folder: Path, port: int, line: FaultProxy) -> None:
        self._folder = folder
        self._line = line
        self._keys: dict[str, str] = {}
        self._center = Center(HOST, port, folder / "center", panels=self._keys.get)
        self._gallery = Gallery(folder / "center")
        self._gallery.attach(self._center)
        self._arrived: list[Arrival] = []
        self._center.on_arrival(self._arrived.append)
        self._wanted: list[Assembly] = []
        _site(folder, line.port, self._center)
        self._panel_toml = folder / "panel.toml"

    def __enter__(self) -> "_Bench":
        self._center.start()
        command = [sys.executable, "-m", "firmware.cli", "run", "all", "--config", str(self._panel_toml)]
        self._processes = PanelProcesses(command, self._folder / "log")
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop()
        self._center.stop()

    def begin(self) -> None:
        """Until an alarm has given pictures: the camera process loads its models first."""
        jwk = self._folder / "data" / "keys" / "core.jwk"
        _until(jwk.exists)
        self._keys[_id_of(self._panel_toml)] = str(json.loads(jwk.read_text())["x"])
        _until(lambda: (self._folder / "run" / "desk.sock").exists())
        self.alarm()
        time.sleep(3)

    def alarm(self) -> tuple[float, float]:
        """A hold-up button is pressed; milliseconds until the alarm, and its first thumbnail, are at the center."""
        since = len(self._arrived)
        _until(self._press)
        alarm = self._wait(since, lambda a: a["header"]["kind"] == "alarm.hold-up")
        moment = alarm.body["header"]["monotonic_ms"]
        shown = self._wait(since, lambda a: a["thumbnail"] > 0)
        self._wait(since, lambda a: a["payload"].get("last") is True)
        return alarm.monotonic_ms - moment, shown.monotonic_ms - moment

    def fetch(self) -> float:
        """Ask for full pictures, and see that they come; their share of the line."""
        named = [a for a in self._arrived if a.what == "record" and a.body["header"]["kind"] == "evidence.pictures"]
        asked = 0
        for arrival in reversed(named):
            header = arrival.body["header"]
            for number in range(1, len(arrival.body["payload"]["pictures"]) + 1):
                if asked < WANTED:
                    event = f"{header['journal']}-{header['seq']}"
                    self._wanted.append(self._gallery.ask(self._center, header["panel"], event, number, "bench"))
                    asked += 1
        _until(lambda: self._held() > 0)
        begin, held = time.monotonic(), self._held()
        time.sleep(3)
        return (self._held() - held) * 4 / 3 / (time.monotonic() - begin) / LINE.bytes_per_s

    def fetched(self) -> None:
        """Until they are all here."""
        _until(lambda: all(wanted.done for wanted in self._wanted))

    def _held(self) -> int:
        return sum(wanted.held for wanted in self._wanted)

    def _press(self) -> bool:
        try:
            ask(self._folder / "run" / "desk.sock", m.Press(zone="holdup-1", hold_ms=300))
        except (OSError, Refused):
            return False
        return True

    def _wait(self, since: int, fits: Any) -> Arrival:
        def found() -> Arrival | None:
            return next((a for a in self._arrived[since:] if a.what == "record" and fits(a.body)), None)

        self._center.wait(lambda _: found(), PATIENCE_S)
        arrival = found()
        if arrival is None:
            raise TimeoutError("a record did not come")
        return arrival


def _site(folder: Path, port: int, center: Center) -> None:
    """The demo's bank with a camera that shows noise."""
    demo_site.make(folder, demo_site.Address(HOST, port), center.receipt_key.x, center.command_key.x)
    file = folder / "panel.toml"
    text = re.sub(r"^post_s = .*$", "", file.read_text(), flags=re.M)
    text = re.sub(r'^maker = "drawn".*$', _FOLDER, text, flags=re.M)
    file.write_text(text)
    scenes = folder / "scenes"
    scenes.mkdir()
    noise = random.Random(6)  # noqa: S311
    for number in range(4):
        Image.frombytes("RGB", (640, 480), noise.randbytes(640 * 480 * 3)).save(scenes / f"{number}.png")


def _id_of(file: Path) -> str:
    """The panel's id."""
    return str(tomllib.loads(file.read_text())["panel"]["id"])


def _until(true: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come about")
        time.sleep(0.05)


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        found: Mapping[str, float] = measure(Path(folder))
    for name, value in found.items():
        print(f"{name:20} {value:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
