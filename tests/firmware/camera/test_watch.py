"""A camera being watched: it fills the ring, is opened anew when it fails, and is told when it hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.cameras import CameraError, Frame
from firmware.camera.health import Health
from firmware.camera.lookout import Lookout
from firmware.camera.pictures import decode
from firmware.camera.reference import Kept
from firmware.camera.tampers import KINDS
from firmware.camera.watch import HUNG_S, Watch
from firmware.config import Camera as CameraTable
from firmware.protocol.messages import CameraHealth
from firmware.stopping import StopFlag
from tests.firmware.camera.lookouts import no_lookout


class Sensor:
    """The other side: a camera that fails as told."""

    def __init__(self) -> None:
        self.fail: Exception | None = None
        self.shape: tuple[int, ...] = (24, 32, 3)
        self.full: tuple[int, ...] | None = None
        self.hang = threading.Event()
        self.hang.set()
        self.opened = self.closed = 0
        self.grey = 9

    def open(self) -> None:
        self.opened += 1

    def frame(self) -> Frame:
        self.hang.wait(20)
        if self.fail:
            raise self.fail
        return Frame(np.full(self.shape, self.grey, np.uint8), 1234)

    def still(self) -> Frame | None:
        return Frame(np.full(self.full, self.grey, np.uint8), 1235) if self.full else None

    def close(self) -> None:
        self.closed += 1


class Rig:
    def __init__(self, lookout: Callable[["Rig"], Lookout] = lambda _: no_lookout(), **more: Any) -> None:
        self.sensor = Sensor()
        self.told: list[CameraHealth] = []
        self.heard = threading.Condition()
        self.stop = StopFlag()
        values = {"id": "gate", "name": "Gate", "maker": "drawn", "frames_per_s": 10}
        table = CameraTable.model_validate(values | more)
        self.health = Health(["gate"], self._tell)
        self.watch = Watch(table, lambda: self.sensor, lookout(self), self.health, self.stop)

    def _tell(self, health: CameraHealth) -> None:
        with self.heard:
            self.told.append(health)
            self.heard.notify_all()

    def wait_for(self, ok: bool) -> str:
        with self.heard:
            assert self.heard.wait_for(lambda: bool(self.told) and self.told[-1].ok == ok, 15)
            return self.told[-1].detail


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.sensor.hang.set()
    rig.stop.set("end")
    rig.watch.join(5)
    assert rig.sensor.opened == rig.sensor.closed, "whatever was opened is closed"


def test_a_picture_that_never_changes_is_told_as_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.camera.lookout.EVERY_S", 0.05)
    monkeypatch.setattr("firmware.camera.tampers.STAND_S", dict.fromkeys(KINDS, 0.2))
    kept = Kept(tmp_path, "gate", "")
    rig = Rig(lambda rig: Lookout(("frozen",), False, kept, lambda kinds: rig.health.tampers("gate", kinds)))
    rig.watch.start()
    with rig.heard:
        assert rig.heard.wait_for(lambda: len(rig.told) == 2, 15)
    rig.stop.set("end")
    rig.watch.join(5)
    said = [(health.ok, health.tampers) for health in rig.told]
    assert said == [(True, None), (True, ["frozen"])], "not with each frame"


def test_full_pictures_come_while_they_are_asked_for(rig: Rig) -> None:
    rig.sensor.full = (480, 640, 3)
    rig.watch.start()
    rig.watch.ring.wait(3, 10)
    assert len(rig.watch.stills) == 0
    rig.watch.ask_stills(0.5)
    [still] = rig.watch.stills.wait(0, 10)
    assert (still.width, still.height) == (640, 480)
    rig.watch.ring.wait(rig.watch.ring.number + 8, 10)
    assert rig.watch.stills.number == 1, "the time is over"


def test_frames_and_full_pictures_are_masked_before_anything_holds_them() -> None:
    rig = Rig(mask=[[0, 0, 500, 0, 500, 1000, 0, 1000]])
    rig.sensor.full, rig.sensor.shape, rig.sensor.grey = (480, 640, 3), (240, 320, 3), 200
    rig.watch.ask_stills(20)
    rig.watch.start()
    shots = [*rig.watch.ring.wait(0, 10), *rig.watch.stills.wait(0, 10)]
    rig.stop.set("end")
    rig.watch.join(5)
    assert {shot.width for shot in shots} == {320, 640}
    for shot in shots:
        pixels = np.asarray(decode(shot.jpeg))
        middle = shot.width // 2
        assert pixels[:, : middle - 8].max() <= 8
        assert pixels[:, middle + 16 :].min() >= 190


def test_frames_go_into_the_ring_as_jpeg(rig: Rig) -> None:
    rig.watch.start()
    shots = rig.watch.ring.wait(0, 10)
    assert (shots[0].width, shots[0].height, shots[0].monotonic_ms) == (32, 24, 1234)
    assert decode(shots[0].jpeg).size == (32, 24)
    assert not rig.watch.check(time.monotonic())
    rig.watch.ring.wait(5, 10)
    rig.stop.set("end")
    rig.watch.join(5)
    assert [(health.ok, health.detail) for health in rig.told] == [(True, "")], "with the first frame, and once"


@pytest.mark.parametrize(
    ("error", "said"),
    [(CameraError("unplugged"), "no frames: unplugged"), (RuntimeError("C says no"), "RuntimeError: C says no")],
)
def test_a_camera_that_fails_is_told_and_opened_anew(rig: Rig, error: Exception, said: str) -> None:
    rig.sensor.fail = error
    rig.watch.start()
    assert said in rig.wait_for(ok=False)
    rig.sensor.fail = None
    rig.wait_for(ok=True)
    assert rig.watch.ring.wait(0, 10)
    assert rig.sensor.opened >= 2


def test_a_frame_that_is_no_picture_is_a_failure(rig: Rig) -> None:
    rig.sensor.shape = (24, 32)
    rig.watch.start()
    assert "expected (height, width, 3)" in rig.wait_for(ok=False)


def test_a_camera_that_hangs_is_told_and_well_when_it_comes_back(rig: Rig) -> None:
    rig.watch.start()
    rig.watch.ring.wait(0, 10)
    rig.sensor.hang.clear()
    assert not rig.watch.check(time.monotonic())
    assert rig.watch.check(time.monotonic() + HUNG_S + 1)
    assert "does not answer" in rig.wait_for(ok=False)
    rig.sensor.hang.set()
    rig.wait_for(ok=True)
