"""The Raspberry Pi's own cameras through picamera2, which rides on the system's libcamera.

One set-up gives both streams at once: small frames for the ring, full pictures when they are asked for. libcamera may
give another format or size than it was asked for, so what it gave is read back. It is in the image; on another system
it comes from Debian (`python3-picamera2`), and a virtual environment must see the system's packages.
"""

import contextlib
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drivers.cameras.exposure import Exposure, controls
from drivers.cameras.protocol import CameraError, Frame, Plan

HOW_TO_INSTALL = (
    "picamera2 is not installed ({why}): run `sudo apt install python3-picamera2` and make the virtual environment "
    'with --system-site-packages, or use maker = "folder" or "drawn" on a desk'
)
BUFFERS = 2
"""A full picture of 12 megapixels takes 36 MB of the memory that camera and screen share."""
ANSWER_S = 5.0
"""So long may a picture take: with a sensor that has come off, picamera2 waits for ever."""
HEAPS = (Path("/dev/dma_heap/vidbuf_cached"), Path("/dev/dma_heap/linux,cma"))
"""Where picamera2 takes its buffers from; without one libcamera's own serve, which a Pi's kernel never needs."""
LIGHT_EVERY_MS = 5_000
"""How often day and night are decided."""


class PiCamera:
    """One Pi camera. `source` is its number as `rpicam-hello --list-cameras` counts, empty for 0."""

    def __init__(self, plan: Plan, now_ms: Callable[[], int], utc: Callable[[], float]) -> None:
        self._plan = plan
        self._now_ms = now_ms
        self._utc = utc
        self._camera: Any = None
        self._exposure = Exposure(plan)
        self._mode = ""
        self._light_at = 0

    def open(self) -> None:
        """Start the sensor, with its frames and full pictures from the same stream."""
        maker = _picamera2()
        number = self._number()
        try:
            self._camera = _made(maker, number)
            self._camera.configure(self._camera.create_video_configuration(**self._streams()))
            self._expose(None)
            self._camera.start()
        except Exception as error:
            # picamera2 raises whatever libcamera says: IndexError, RuntimeError and others.
            self.close()
            raise CameraError(f"Pi camera {number}: {_why(error)}") from error

    def frame(self) -> Frame:
        """The next frame of the sensor; waits at most one exposure."""
        frame = self._captured("lores" if self._plan.still else "main")
        if self._now_ms() - self._light_at >= LIGHT_EVERY_MS:
            self._look_at_light()
        return frame

    def still(self) -> Frame | None:
        """The next full picture, where the plan wants any."""
        return self._captured("main") if self._plan.still else None

    def close(self) -> None:
        """Stop the sensor."""
        camera, self._camera, self._mode = self._camera, None, ""
        if camera is not None:
            # The device may be gone already.
            with contextlib.suppress(Exception):
                camera.stop()
            with contextlib.suppress(Exception):
                camera.close()

    def _streams(self) -> dict[str, Any]:
        size = (self._plan.width, self._plan.height)
        # libcamera's "BGR888" is what numpy sees as R, G, B. Before the Pi 5 the second stream is YUV420 alone.
        if self._plan.still is None:
            return {"main": {"size": size, "format": "BGR888"}, "buffer_count": BUFFERS}
        main = {"size": self._plan.still, "format": "BGR888"}
        return {"main": main, "lores": {"size": size, "format": "YUV420"}, "buffer_count": BUFFERS}

    def _captured(self, stream: str) -> Frame:
        if self._camera is None:
            raise CameraError("the Pi camera is not open")
        try:
            taken = self._camera.capture_array(stream, wait=ANSWER_S)
            rgb = _rgb(taken, self._camera.camera_configuration()[stream])
        except Exception as error:
            raise CameraError(f"Pi camera: {_why(error)}") from error
        return Frame(rgb, self._now_ms())

    def _look_at_light(self) -> None:
        try:
            self._expose(self._camera.capture_metadata(wait=ANSWER_S).get("Lux"))
        except Exception as error:
            raise CameraError(f"Pi camera: {_why(error)}") from error

    def _expose(self, lux: float | None) -> None:
        self._light_at = self._now_ms()
        mode = self._exposure.mode(self._utc(), lux, self._light_at)
        if mode != self._mode:
            known = self._camera.camera_controls
            # A sensor with a fixed lens or of one colour does not have them all.
            self._camera.set_controls({name: value for name, value in controls(mode).items() if name in known})
            self._mode = mode

    def _number(self) -> int:
        source = self._plan.source or "0"
        if not (source.isascii() and source.isdigit() and len(source) == 1):
            raise CameraError(f"camera {self._plan.id}: source: found {source!r}, expected a camera number, 0 to 9")
        return int(source)


def _rgb(taken: NDArray[np.uint8], given: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Raises `ValueError`."""
    width, height = given["size"]
    match given["format"]:
        case "BGR888":
            return taken
        case "YUV420":
            return from_yuv420(taken, width, height)
        case "NV12":
            return from_nv12(taken, width, height)
    raise ValueError(f"format: found {given['format']}, expected BGR888, YUV420 or NV12")


def from_nv12(planes: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """RGB of an NV12 array: luma, and below it both chroma values of four pixels side by side.

    Raises `ValueError` for an array that is too small for the picture.
    """
    rows, stride = planes.shape if planes.ndim == 2 else (0, 0)
    if width % 2 or height % 2 or rows * 2 < height * 3 or stride < width:
        raise ValueError(f"NV12: found shape {planes.shape}, expected at least ({height * 3 // 2}, {width})")
    pairs = planes[height : height * 3 // 2, :width].reshape(height // 2, width // 2, 2)
    return _merged(planes[:height, :width], pairs[..., 0], pairs[..., 1])


def _merged(luma: NDArray[np.uint8], *chroma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB of one plane of brightness and two of colour, each a quarter of it."""
    height, width = luma.shape
    bands = [
        Image.fromarray(np.ascontiguousarray(part)).resize((width, height), Image.Resampling.BILINEAR)
        for part in chroma
    ]
    return np.asarray(Image.merge("YCbCr", (Image.fromarray(np.ascontiguousarray(luma)), *bands)).convert("RGB"))


def from_yuv420(planes: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """RGB of a planar YUV420 array as picamera2 gives it: rows may be longer than the picture, chroma lies below.

    Raises `ValueError` for an array that is too small for the picture.
    """
    rows, stride = planes.shape if planes.ndim == 2 else (0, 0)
    if width % 2 or height % 4 or rows * 2 < height * 3 or stride < width or stride % 2:
        raise ValueError(f"YUV420: found shape {planes.shape}, expected at least ({height * 3 // 2}, {width})")
    quarter = height // 4
    blue, red = (
        part.reshape(height // 2, stride // 2)[:, : width // 2]
        for part in (planes[height : height + quarter], planes[height + quarter : height + 2 * quarter])
    )
    return _merged(planes[:height, :width], blue, red)


def _made(maker: Any, number: int) -> Any:
    """The camera, open. Without a heap picamera2 would fail after it has opened it, and hold it for ever."""
    if any(heap.exists() for heap in HEAPS):
        return maker(number)
    from picamera2.allocators import LibcameraAllocator

    buffers = LibcameraAllocator(None)
    camera = maker(number, allocator=buffers)
    buffers.camera = camera.camera
    return camera


def _why(error: BaseException) -> str:
    """With its first cause: picamera2 says of most that an "__init__ sequence did not complete"."""
    said = str(error) or type(error).__name__
    first = error
    while (cause := first.__cause__ or first.__context__) is not None:
        first = cause
    return said if first is error else f"{said} ({first or type(first).__name__})"


class _NoScreen(ModuleType):
    """Stands for pykms, which draws on a screen: picamera2 imports it for its preview, and no package index has it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def _picamera2() -> Any:
    if "pykms" not in sys.modules and find_spec("kms") is None and find_spec("pykms") is None:
        sys.modules["pykms"] = _NoScreen("pykms")
    try:
        from picamera2 import Picamera2
    except Exception as error:
        # With a libcamera of another version the import ends in more than ImportError.
        raise CameraError(HOW_TO_INSTALL.format(why=error)) from error
    return Picamera2
