"""The center's signed time, through a real broker, uplink and core, to the process that sets the clock.

Real processes, but for two seams: the kernel is said to have no time server, and the two calls that would set this
machine's clock are written down instead.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware.clock import SystemClock
from hil.center import Center
from hil.center.exchange import TimeService
from tests.system.rig import Rig, rig

WAIT_S = 15.0
SEAM = """
import json, os
import firmware.clock, firmware.kernel_clock as kernel, firmware.rights as rights

def said(name):
    def call(value):
        with open(os.environ["SEAM"], "a") as file:
            file.write(json.dumps([name, value]) + "\\n")
    return call

firmware.clock._kernel = lambda: os.environ.get("SERVED") == "yes"
kernel.step, kernel.slew = said("step"), said("slew")
rights.may_set_clock = lambda: True
"""


class Ahead(SystemClock):
    """The center's clock, so much ahead of ours."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def utc(self) -> float:
        return super().utc() + self._seconds


@contextmanager
def panel_of(center: Center, keys: dict[str, str], port: int, folder: Path, **environment: str) -> Iterator[Rig]:
    (folder / "sitecustomize.py").write_text(SEAM)
    path = f"{folder}:{os.environ.get('PYTHONPATH', '')}"
    own = {"PYTHONPATH": path, "SEAM": str(folder / "set"), **environment}
    extra = ("env", *(f"{name}={value}" for name, value in own.items()))
    clock = "\n[clock]\nfrom_center = true\n"
    with rig(port=port, center=(center.receipt_key.x, center.command_key.x), edit=lambda text: text + clock) as panel:
        panel.start("core", extra=extra)
        keys[panel.panel] = str(panel.panel_x())
        panel.start("clock", extra=extra)
        panel.start("uplink", extra=extra)
        yield panel


def settings(folder: Path) -> list[Any]:
    file = folder / "set"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def center(mosquitto: int, tmp_path: Path) -> Iterator[tuple[Center, dict[str, str], int]]:
    keys: dict[str, str] = {}
    with Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as made:
        yield made, keys, mosquitto


Made = tuple[Center, dict[str, str], int]


@pytest.mark.parametrize(("ahead_s", "how"), [(1000.0, "step"), (-1.8, "slew")])
def test_a_clock_that_is_off_is_put_right_by_the_center(center: Made, tmp_path: Path, ahead_s: float, how: str) -> None:
    made, keys, port = center
    # Each beat is answered: of a slow machine's first answer 1.8 s may be within what it can't tell (docs/clock.md).
    TimeService(Ahead(ahead_s), every_s=0).attach(made)
    with panel_of(made, keys, port, tmp_path):
        assert made.wait(lambda _: settings(tmp_path), WAIT_S)
    (name, value), *_ = settings(tmp_path)
    assert name == how
    assert value == pytest.approx(time.time() + ahead_s if how == "step" else ahead_s, abs=20 if how == "step" else 0.5)


def test_a_clock_that_the_center_finds_right_counts_as_synchronised(center: Made, tmp_path: Path) -> None:
    made, keys, port = center
    shown: list[str] = []
    made.on_arrival(lambda a: shown.append(a.body["clock"]) if a.what == "heartbeat" else None)
    TimeService().attach(made)
    with panel_of(made, keys, port, tmp_path):
        assert made.wait(lambda _: shown[-1:] == ["synchronised"], WAIT_S)
    assert shown[0] == "free-running"
    assert settings(tmp_path) == []


def test_with_a_time_server_the_center_moves_nothing(center: Made, tmp_path: Path) -> None:
    made, keys, port = center
    beats: list[str] = []
    made.on_arrival(lambda a: beats.append(a.body["clock"]) if a.what == "heartbeat" else None)
    TimeService(Ahead(1000.0), every_s=0).attach(made)
    with panel_of(made, keys, port, tmp_path, SERVED="yes"):
        assert made.wait(lambda _: len(beats) >= 3, WAIT_S)
    assert set(beats) == {"synchronised"}
    assert settings(tmp_path) == []
