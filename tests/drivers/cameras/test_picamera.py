"""The Pi camera maker against the other side of its interface: a picamera2 module that answers, fails or is absent."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.cameras import CameraError, Plan, make

LIBRARY = """
import numpy

class Picamera2:
    opened = []
    fail = ""

    def __init__(self, number):
        if number > 0:
            raise IndexError("list index out of range")
        self.log = [number]
        Picamera2.opened.append(self)

    def create_video_configuration(self, main, buffer_count):
        return {"main": main, "buffer_count": buffer_count}

    def configure(self, configuration):
        self.configuration = configuration

    def start(self):
        self.log.append("start")

    def capture_array(self, name):
        if Picamera2.fail:
            raise RuntimeError(Picamera2.fail)
        width, height = self.configuration[name]["size"]
        return numpy.full((height, width, 3), 7, numpy.uint8)

    def stop(self):
        self.log.append("stop")
        raise RuntimeError("the device is gone")

    def close(self):
        self.log.append("close")
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "picamera2.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    yield tmp_path
    sys.modules.pop("picamera2", None)


def test_absent_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picamera2.py").write_text("raise ImportError('No module named libcamera')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    camera = make(Plan("gate", "picamera2"), lambda: 0, lambda: 0.0)
    with pytest.raises(CameraError, match=r"apt install python3-picamera2.*--system-site-packages"):
        camera.open()


def test_frames_in_the_size_and_order_asked_for(library: Path) -> None:
    camera = make(Plan("gate", "picamera2", width=320, height=240), lambda: 4321, lambda: 0.0)
    camera.open()
    frame = camera.frame()
    assert (frame.rgb.shape, frame.monotonic_ms) == ((240, 320, 3), 4321)
    opened = sys.modules["picamera2"].Picamera2.opened[-1]
    assert opened.configuration["main"] == {"size": (320, 240), "format": "BGR888"}
    camera.close()
    camera.close()
    assert opened.log == [0, "start", "stop", "close"]


def test_a_camera_that_is_not_there(library: Path) -> None:
    with pytest.raises(CameraError, match="Pi camera 3: list index out of range"):
        make(Plan("gate", "picamera2", "3"), lambda: 0, lambda: 0.0).open()


@pytest.mark.parametrize("source", ["front", "-1", "12", "٣"])
def test_a_source_that_is_no_number(library: Path, source: str) -> None:
    with pytest.raises(CameraError, match="expected a camera number"):
        make(Plan("gate", "picamera2", source), lambda: 0, lambda: 0.0).open()


def test_a_sensor_that_fails_is_a_camera_error(library: Path) -> None:
    camera = make(Plan("gate", "picamera2"), lambda: 0, lambda: 0.0)
    with pytest.raises(CameraError, match="not open"):
        camera.frame()
    camera.open()
    sys.modules["picamera2"].Picamera2.fail = "Camera frontend has timed out!"
    with pytest.raises(CameraError, match="timed out"):
        camera.frame()
