"""What every camera can do: open, give the frame of this moment, close.

A camera is used by one thread. It paces nothing and retries nothing: who holds it asks as often as it wants frames,
and opens it again after an error.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CameraError(Exception):
    """The camera can't be opened or gave no frame; the text names the place, what was found and what to do."""


@dataclass(frozen=True)
class Plan:
    """The values of one camera of the panel file.

    `source` is the folder or file of `folder` (already absolute), the number of a Pi camera, the device of a USB camera
    or the address of a network camera, whose user and password stand in `secret`. `still`: the largest size of its
    full pictures, None for none. `exposure`: of a Pi camera (`drivers.cameras.exposure`), with `day`, the minutes of
    the local day from which and until which it is day, and `timezone`. `world`, `zones` and `doors` are for `drawn`:
    the file of the simulated site, the zones that this camera watches, and which are doors.
    """

    id: str
    maker: str
    source: str = ""
    width: int = 640
    height: int = 480
    frames_per_s: int = 2
    still: tuple[int, int] | None = None
    secret: Path | None = None
    exposure: str = "auto"
    day: tuple[int, int] | None = None
    timezone: str = "UTC"
    world: Path | None = None
    zones: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One picture: `rgb` has the shape (height, width, 3); `monotonic_ms` is the boot clock when it was taken."""

    rgb: "NDArray[np.uint8]"
    monotonic_ms: int


class Camera(Protocol):
    """One source of frames."""

    def open(self) -> None:
        """Get ready. Raises `CameraError`; may be called again after `close`."""
        ...

    def frame(self) -> Frame:
        """The frame of this moment. Raises `CameraError`; then close, wait and open again."""
        ...

    def still(self) -> Frame | None:
        """The full picture of this moment, at most `plan.still`; None where there is none. Raises `CameraError`."""
        ...

    def close(self) -> None:
        """Let go of the device. Never raises; closing what is closed does nothing."""
        ...
