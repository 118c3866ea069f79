"""Cameras: one small protocol, and the makers that fill it.

A maker's own imports (picamera2, Pillow) happen when its camera is opened or made, so that a panel without cameras
never pays for them.
"""

from collections.abc import Callable

from drivers.cameras.protocol import Camera, CameraError, Frame, Plan

__all__ = ["Camera", "CameraError", "Frame", "Plan", "make"]


def make(plan: Plan, now_ms: Callable[[], int], utc: Callable[[], float]) -> Camera:
    """The camera that the plan describes, not yet open.

    `now_ms` is the boot clock that stamps the frames; `utc` (seconds since 1970) is what a drawn scene writes into its
    corner, and what a Pi camera's day and night go by. Raises `CameraError` for a maker that does not exist.
    """
    if plan.maker == "picamera2":
        from drivers.cameras.picamera import PiCamera

        return PiCamera(plan, now_ms, utc)
    if plan.maker in ("v4l2", "rtsp"):
        try:
            from drivers.cameras import sources
            from drivers.cameras.stream import StreamCamera
        except ImportError as error:
            raise CameraError(f'PyAV is not installed ({error}): pip install "fenghuo[streams]"') from error
        return StreamCamera(plan, now_ms, lambda: sources.source_of(plan))
    if plan.maker == "folder":
        from drivers.cameras.folder import FolderCamera

        return FolderCamera(plan, now_ms)
    if plan.maker == "drawn":
        from drivers.cameras.drawn import DrawnCamera

        return DrawnCamera(plan, now_ms, utc)
    raise CameraError(f"maker: found {plan.maker!r}, expected picamera2, v4l2, rtsp, folder or drawn")
