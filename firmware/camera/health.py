"""How each camera is: its standing faults and notes, told to core whenever they change."""

import threading
from collections.abc import Callable, Iterable
from typing import get_args

from firmware.protocol.messages import CameraHealth, CameraTamper

MAX_DETAIL = 200
FRAMES, STORE = "frames", "store"
"""Faults: no frames come; pictures can't be saved."""
DROPPED, SQUEEZED, THINNED = "dropped", "squeezed", "thinned"
"""Notes, which leave the camera well: orders were dropped; the ring holds less than asked for; pictures left out."""


class Health:
    """Nothing is told of a camera until a frame or a fault of it is known: core would take it for well, and end a
    trouble that stands. Any thread may report; `tell` must not block.
    """

    def __init__(self, cameras: Iterable[str], tell: Callable[[CameraHealth], None]) -> None:
        self._faults: dict[str, dict[str, str]] = {camera: {} for camera in cameras}
        self._notes: dict[str, dict[str, str]] = {camera: {} for camera in self._faults}
        self._tampers: dict[str, list[CameraTamper] | None] = dict.fromkeys(self._faults)
        self._known: set[str] = set()
        self._tell = tell
        self._lock = threading.Lock()

    def fault(self, camera: str, what: str, detail: str) -> None:
        """A fault stands, or its detail changed; an empty detail ends it, or says of `FRAMES` that they come."""
        self._set(self._faults, camera, what, detail, known=what == FRAMES or bool(detail))

    def note(self, camera: str, what: str, detail: str) -> None:
        """Something to know of a camera that works."""
        self._set(self._notes, camera, what, detail)

    def tampers(self, camera: str, kinds: Iterable[str]) -> None:
        """What the pictures show to be tampered with, `firmware.camera.tampers.KINDS`; before, it is not known."""
        with self._lock:
            self._tampers[camera] = [kind for kind in get_args(CameraTamper) if kind in kinds]
            self._say(camera)

    def tell_all(self) -> None:
        """Tell how every known camera is now: what a core that has just started must hear."""
        with self._lock:
            for camera in self._faults:
                self._say(camera)

    def _set(self, table: dict[str, dict[str, str]], camera: str, what: str, detail: str, known: bool = False) -> None:
        with self._lock:
            first = known and camera not in self._known
            if first:
                self._known.add(camera)
            said = table[camera]
            if said.get(what, "") == detail and not first:
                return
            if detail:
                said[what] = detail
            else:
                said.pop(what, None)
            self._say(camera)

    def _say(self, camera: str) -> None:
        # Inside the lock, so that what is told last is what is so.
        if camera in self._known:
            self._tell(self._health(camera))

    def _health(self, camera: str) -> CameraHealth:
        faults, notes = self._faults[camera], self._notes[camera]
        detail = "; ".join((*faults.values(), *notes.values()))
        return CameraHealth(camera=camera, ok=not faults, detail=detail[:MAX_DETAIL], tampers=self._tampers[camera])
