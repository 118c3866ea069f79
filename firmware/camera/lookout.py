"""The look at a camera's own pictures every two seconds: is it still the picture that it should be?

One lookout for each camera, on that camera's thread. What it finds is told when it changes, never for each frame.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware.camera.outlines import Outline, hidden
from firmware.camera.reference import Kept, Learning, Reference
from firmware.camera.sight import EDGES, see
from firmware.camera.tampers import STAND_S, Tampers

log = logging.getLogger("fenghuo.camera.lookout")

SURE_S = max(STAND_S.values()) + 30.0
"""Whatever is wrong has shown after so long."""
EVERY_S = 2.0
"""A look takes 5 ms on the developer machine, about 50 ms on a Pi 3."""


class Lookout:
    """`tell` hears the kinds that stand, whenever they change. `relearn` from any thread, the rest from one.

    `mask`: outlines of what nobody may see. It is looked at with the rest, but nothing of it goes into a reference.
    """

    def __init__(
        self,
        watched: Collection[str],
        dark: bool,
        kept: Kept,
        tell: Callable[[tuple[str, ...]], None],
        mask: Sequence[Outline] = (),
    ) -> None:
        self._watched, self._dark = watched, dark
        self._kept = kept
        self._tell = tell
        self._hidden = hidden(mask, *EDGES) if mask else None
        self._tampers = Tampers(watched, dark)
        self._learning = Learning()
        self._reference: Reference | None = None
        self._loaded = False
        self._told: tuple[str, ...] | None = None
        self._sure_at: float | None = None
        self._due = 0.0
        self._anew = threading.Event()

    def relearn(self) -> None:
        """Somebody who may has said that the camera now sees what it should."""
        self._anew.set()

    def frame(self, rgb: NDArray[np.uint8], now_s: float | None = None) -> None:
        """A frame came; most are passed over. `now_s`: `time.monotonic`."""
        now = time.monotonic() if now_s is None else now_s
        if not self._watched or now < self._due:
            return
        self._due = now + EVERY_S
        if self._anew.is_set():
            self._begin_anew()
        if not self._loaded:
            self._loaded = True
            self._reference = self._kept.load()
        sight = see(rgb, self._hidden)
        standing = self._tampers.look(sight, self._reference, now)
        if self._reference is None and self._tampers.quiet():
            self._learn(self._learning.add(sight))
        self._say(standing, now)

    def _say(self, standing: tuple[str, ...], now_s: float) -> None:
        if self._sure_at is None:
            self._sure_at = now_s + SURE_S
        # A process that has just started knows nothing: what stood before it did may still stand.
        if standing != self._told and (standing or now_s >= self._sure_at):
            self._told = standing
            self._tell(standing)

    def _begin_anew(self) -> None:
        self._told, self._sure_at = None, 0.0
        self._anew.clear()
        self._loaded, self._reference = True, None
        self._tampers, self._learning = Tampers(self._watched, self._dark), Learning()
        try:
            self._kept.forget()
        except OSError as error:
            log.error("the old reference can't be removed: %s", error.strerror or error)

    def _learn(self, reference: Reference | None) -> None:
        if reference is None:
            return
        self._reference = reference
        try:
            self._kept.save(reference)
        except OSError as error:
            # It holds for this life; the next one learns anew.
            log.error("the reference can't be kept: %s", error.strerror or error)
