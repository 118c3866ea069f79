"""The Pi camera maker against the other side of its interface: a picamera2 module that answers, fails or is absent."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from drivers.cameras import CameraError, Plan, make, picamera
from drivers.cameras.picamera import from_nv12, from_yuv420

LIBRARY = """
import numpy
from pykms import PixelFormat

FORMATS = {"RGB888": PixelFormat.RGB888}

class Picamera2:
    opened = []
    fail = ""
    deep = False
    gives = {}
    lux = 400.0
    camera_controls = {"AeEnable": (), "FrameDurationLimits": (), "AeExposureMode": (), "NoiseReductionMode": ()}

    def __init__(self, number, allocator=None):
        if number > 0:
            raise IndexError("list index out of range")
        self.allocator = allocator
        self.camera = object()
        self.log = [number]
        Picamera2.opened.append(self)

    def create_video_configuration(self, main, buffer_count, lores=None):
        return {"main": main, "buffer_count": buffer_count, "lores": lores}

    def configure(self, configuration):
        if self.allocator:
            assert self.allocator.camera is self.camera
        self.configuration = configuration

    def camera_configuration(self):
        streams = ("main", "lores") if self.configuration["lores"] else ("main",)
        return {name: self.configuration[name] | Picamera2.gives for name in streams}

    def set_controls(self, controls):
        assert not set(controls) - set(self.camera_controls)
        self.controls = controls

    def capture_metadata(self, wait):
        assert wait == 5.0
        return {"Lux": Picamera2.lux}

    def start(self):
        self.log.append("start")

    def capture_array(self, name, wait):
        assert wait == 5.0
        if Picamera2.deep:
            try:
                raise OSError("Device or resource busy")
            except OSError as error:
                raise RuntimeError("did not complete") from error
        if Picamera2.fail:
            raise RuntimeError(Picamera2.fail)
        given = self.camera_configuration()[name]
        width, height = given["size"]
        if given["format"] == "NV12":
            return numpy.full((height * 3 // 2, width), 128, numpy.uint8)
        if name == "lores":
            return numpy.full((height * 3 // 2, width + 64), 128, numpy.uint8)
        return numpy.full((height, width, 3), 7, numpy.uint8)

    def stop(self):
        self.log.append("stop")
        raise RuntimeError("the device is gone")

    def close(self):
        self.log.append("close")
"""


ALLOCATORS = """
class LibcameraAllocator:
    def __init__(self, camera):
        self.camera = camera
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A board's heap is there, since its kernel has it."""
    (tmp_path / "picamera2").mkdir()
    (tmp_path / "picamera2/__init__.py").write_text(LIBRARY)
    (tmp_path / "picamera2/allocators.py").write_text(ALLOCATORS)
    monkeypatch.setattr(picamera, "HEAPS", (tmp_path / "none", tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    yield tmp_path
    for name in ("picamera2", "picamera2.allocators", "pykms"):
        sys.modules.pop(name, None)


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
    assert opened.allocator is None
    camera.close()
    camera.close()
    assert opened.log == [0, "start", "stop", "close"]


def test_where_the_kernel_has_no_heap_the_buffers_are_libcameras(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera, "HEAPS", (library / "none",))
    camera = make(Plan("gate", "picamera2", width=320, height=240), lambda: 1, lambda: 0.0)
    camera.open()
    assert sys.modules["picamera2"].Picamera2.opened[-1].allocator is not None
    assert camera.frame().rgb.shape == (240, 320, 3)


def test_what_libcamera_gives_counts_not_what_was_asked_for(library: Path) -> None:
    camera = make(Plan("gate", "picamera2", width=320, height=240), lambda: 1, lambda: 0.0)
    camera.open()
    given = sys.modules["picamera2"].Picamera2.gives
    given |= {"format": "NV12", "size": (640, 480)}
    rgb = camera.frame().rgb
    assert (rgb.shape, set(rgb.ravel().tolist())) == ((480, 640, 3), {128})
    given |= {"format": "MJPEG"}
    with pytest.raises(CameraError, match="found MJPEG, expected BGR888, YUV420 or NV12"):
        camera.frame()


def test_small_frames_and_full_pictures_from_one_stream(library: Path) -> None:
    camera = make(Plan("gate", "picamera2", still=(2304, 1296)), lambda: 1, lambda: 0.0)
    camera.open()
    opened = sys.modules["picamera2"].Picamera2.opened[-1]
    assert opened.configuration["main"] == {"size": (2304, 1296), "format": "BGR888"}
    assert opened.configuration["lores"] == {"size": (640, 480), "format": "YUV420"}
    frame, still = camera.frame(), camera.still()
    assert frame.rgb.shape == (480, 640, 3)
    assert set(frame.rgb.ravel().tolist()) == {128}, "grey is grey"
    assert still is not None
    assert still.rgb.shape == (1296, 2304, 3)
    camera.close()


def test_night_comes_with_the_measured_light_and_a_sensor_gets_what_it_knows(library: Path) -> None:
    moments = iter(range(0, 10**6, 5_000))
    camera = make(Plan("gate", "picamera2"), lambda: next(moments), lambda: 0.0)
    camera.open()
    opened = sys.modules["picamera2"].Picamera2
    assert opened.opened[-1].controls["FrameDurationLimits"] == (33_333, 33_333)
    opened.lux = 0.5
    for _ in range(8):
        camera.frame()
    assert opened.opened[-1].controls["FrameDurationLimits"] == (33_333, 125_000)
    assert "Saturation" not in opened.opened[-1].controls


def planar(rgb: NDArray[np.uint8], stride: int) -> NDArray[np.uint8]:
    """YUV420 as picamera2 lays it out: planes below each other, rows longer than the picture."""
    height, width = rgb.shape[:2]
    luma, *chroma = (np.asarray(band) for band in Image.fromarray(rgb).convert("YCbCr").split())
    rows = np.zeros((height * 3 // 2, stride), np.uint8)
    rows[:height, :width] = luma
    for number, plane in enumerate(chroma):
        half = np.zeros((height // 2, stride // 2), np.uint8)
        half[:, : width // 2] = plane[::2, ::2]
        top = height + number * height // 4
        rows[top : top + height // 4] = half.reshape(height // 4, stride)
    return rows


def test_colours_come_through_yuv420() -> None:
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:24, :32], rgb[:24, 32:], rgb[24:, :32] = (250, 10, 10), (10, 250, 10), (10, 10, 250)
    back = from_yuv420(planar(rgb, 128), 64, 48).astype(int)
    assert np.abs(back - rgb)[8:16, 8:24].max() < 6
    assert np.abs(back - rgb)[8:16, 40:56].max() < 6
    assert np.abs(back - rgb)[32:40, 8:24].max() < 6
    interleaved = np.zeros((72, 64), np.uint8)
    whole = planar(rgb, 64)
    interleaved[:48] = whole[:48]
    interleaved[48:, 0::2], interleaved[48:, 1::2] = whole[48:60].reshape(24, 32), whole[60:].reshape(24, 32)
    assert (from_nv12(interleaved, 64, 48) == from_yuv420(whole, 64, 48)).all()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 48), st.integers(0, 48))
def test_planes_of_odd_sizes_are_refused_or_a_picture(rows: int, stride: int, width: int, height: int) -> None:
    for decode in (from_yuv420, from_nv12):
        try:
            rgb = decode(np.zeros((rows, stride), np.uint8), width, height)
        except ValueError:
            continue
        assert rgb.shape == (height, width, 3)


def test_a_camera_that_is_not_there(library: Path) -> None:
    with pytest.raises(CameraError, match="Pi camera 3: list index out of range"):
        make(Plan("gate", "picamera2", "3"), lambda: 0, lambda: 0.0).open()


def test_the_first_cause_of_a_failure_is_told(library: Path) -> None:
    camera = make(Plan("gate", "picamera2"), lambda: 0, lambda: 0.0)
    camera.open()
    sys.modules["picamera2"].Picamera2.deep = True
    with pytest.raises(CameraError, match=r"Pi camera: did not complete \(Device or resource busy\)"):
        camera.frame()


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
