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

    `source` is the folder or file of `folder` (already absolute) or the number of a Pi camera. `world`, `zones` and
    `doors` are for `drawn`: the file of the simulated site, the zones that this camera watches, and which are doors.
    """

    id: str
    maker: str
    source: str = ""
    width: int = 640
    height: int = 480
    frames_per_s: int = 2
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

    def close(self) -> None:
        """Let go of the device. Never raises; closing what is closed does nothing."""
        ...
