"""The Raspberry Pi's own cameras through picamera2, which rides on the system's libcamera.

picamera2 comes from Debian (`python3-picamera2`), not from a wheel that would bring libcamera along, so a virtual
environment must see the system's packages.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from drivers.cameras.protocol import CameraError, Frame, Plan

HOW_TO_INSTALL = (
    "picamera2 is not installed ({why}): run `sudo apt install python3-picamera2` and make the virtual environment "
    'with --system-site-packages, or use maker = "folder" or "drawn" on a desk'
)


class PiCamera:
    """One Pi camera. `source` is its number as `rpicam-hello --list-cameras` counts, empty for 0."""

    def __init__(self, plan: Plan, now_ms: Callable[[], int]) -> None:
        self._plan = plan
        self._now_ms = now_ms
        self._camera: Any = None

    def open(self) -> None:
        """Start the sensor in a mode of this size; picks exposure by itself."""
        maker = _picamera2()
        number = self._number()
        try:
            self._camera = maker(number)
            # libcamera's "BGR888" is what numpy sees as R, G, B.
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (self._plan.width, self._plan.height), "format": "BGR888"}, buffer_count=2
                )
            )
            self._camera.start()
        except Exception as error:
            # picamera2 raises whatever libcamera says: IndexError, RuntimeError and others.
            self.close()
            raise CameraError(f"Pi camera {number}: {error or type(error).__name__}") from error

    def frame(self) -> Frame:
        """The next frame of the sensor; waits at most one exposure."""
        if self._camera is None:
            raise CameraError("the Pi camera is not open")
        try:
            rgb = self._camera.capture_array("main")
        except Exception as error:
            raise CameraError(f"Pi camera: {error or type(error).__name__}") from error
        return Frame(rgb, self._now_ms())

    def close(self) -> None:
        """Stop the sensor."""
        camera, self._camera = self._camera, None
        if camera is not None:
            # The device may be gone already.
            with contextlib.suppress(Exception):
                camera.stop()
            with contextlib.suppress(Exception):
                camera.close()

    def _number(self) -> int:
        source = self._plan.source or "0"
        if not (source.isascii() and source.isdigit() and len(source) == 1):
            raise CameraError(f"camera {self._plan.id}: source: found {source!r}, expected a camera number, 0 to 9")
        return int(source)


def _picamera2() -> Any:
    try:
        from picamera2 import Picamera2
    except Exception as error:
        # With a libcamera of another version the import ends in more than ImportError.
        raise CameraError(HOW_TO_INSTALL.format(why=error)) from error
    return Picamera2
