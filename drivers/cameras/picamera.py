"""The Raspberry Pi's own cameras through picamera2, which rides on the system's libcamera.

One set-up gives both streams at once: small frames for the ring, full pictures when they are asked for. picamera2
comes from Debian (`python3-picamera2`), not from a wheel that would bring libcamera along, so a virtual environment
must see the system's packages.
"""

import contextlib
from collections.abc import Callable
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
            self._camera = maker(number)
            self._camera.configure(self._camera.create_video_configuration(**self._streams()))
            self._expose(None)
            self._camera.start()
        except Exception as error:
            # picamera2 raises whatever libcamera says: IndexError, RuntimeError and others.
            self.close()
            raise CameraError(f"Pi camera {number}: {error or type(error).__name__}") from error

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
            taken = self._camera.capture_array(stream)
            rgb = taken if stream == "main" else from_yuv420(taken, self._plan.width, self._plan.height)
        except Exception as error:
            raise CameraError(f"Pi camera: {error or type(error).__name__}") from error
        return Frame(rgb, self._now_ms())

    def _look_at_light(self) -> None:
        try:
            self._expose(self._camera.capture_metadata().get("Lux"))
        except Exception as error:
            raise CameraError(f"Pi camera: {error or type(error).__name__}") from error

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


def from_yuv420(planes: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """RGB of a planar YUV420 array as picamera2 gives it: rows may be longer than the picture, chroma lies below.

    Raises `ValueError` for an array that is too small for the picture.
    """
    rows, stride = planes.shape if planes.ndim == 2 else (0, 0)
    if width % 2 or height % 4 or rows * 2 < height * 3 or stride < width or stride % 2:
        raise ValueError(f"YUV420: found shape {planes.shape}, expected at least ({height * 3 // 2}, {width})")
    quarter = height // 4
    luma = Image.fromarray(np.ascontiguousarray(planes[:height, :width]))
    chroma = [
        Image.fromarray(np.ascontiguousarray(part.reshape(height // 2, stride // 2)[:, : width // 2])).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        for part in (planes[height : height + quarter], planes[height + quarter : height + 2 * quarter])
    ]
    return np.asarray(Image.merge("YCbCr", (luma, *chroma)).convert("RGB"))


def _picamera2() -> Any:
    try:
        from picamera2 import Picamera2
    except Exception as error:
        # With a libcamera of another version the import ends in more than ImportError.
        raise CameraError(HOW_TO_INSTALL.format(why=error)) from error
    return Picamera2
