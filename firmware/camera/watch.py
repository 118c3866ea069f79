"""One camera being watched: a thread that keeps its ring filled, and opens it anew when it fails.

Pauses between tries grow and every change is reported; what hangs inside a driver's C code can't be ended from here,
so it is told by the age of the last sign of life.
"""

import logging
import threading
import time
from collections.abc import Callable

from drivers.cameras import Camera, CameraError
from firmware.camera import health as h
from firmware.camera import texts
from firmware.camera.lookout import Lookout
from firmware.camera.pictures import encode
from firmware.camera.ring import Ring, frames_for
from firmware.config import Camera as CameraTable
from firmware.language import pick
from firmware.stopping import StopFlag

log = logging.getLogger("fenghuo.camera.watch")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
HUNG_S = 15.0
"""A camera that has not come back from `open` or `frame` after so long hangs."""
STILL_EVERY_S = 2.0
STILLS_HELD, STILL_BYTES = 4, 24 * 1024 * 1024
"""Full pictures that wait for a slow card; a JPEG of 12 megapixels takes 3 to 6 MB."""
STEADY_FRAMES = 10
"""So many frames in a row, and the next failure starts with a short pause again."""


class Watch:
    """The thread and the ring of one camera."""

    def __init__(
        self, table: CameraTable, maker: Callable[[], Camera], lookout: Lookout, health: h.Health, stop: StopFlag
    ) -> None:
        self.table = table
        self.lookout = lookout
        self.ring = Ring(frames_for(table.pre_s, table.frames_per_s))
        self.stills = Ring(STILLS_HELD, STILL_BYTES)
        self._maker = maker
        self._health = health
        self._stop = stop
        self._alive = time.monotonic()
        self._stills_until = self._still_at = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._thread = threading.Thread(target=self._run, name=f"camera {table.id}", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread after the stop flag was set; one that hangs is left behind."""
        self._thread.join(timeout_s)

    def ask_stills(self, for_s: float) -> None:
        """Full pictures from now on, for so long, where the camera has any; from any thread."""
        self._stills_until = max(self._stills_until, time.monotonic() + for_s)

    def check(self, now_s: float) -> bool:
        """Report a camera that hangs; whether it does. From the main thread, every second or so (`time.monotonic`)."""
        if now_s - self._alive < HUNG_S:
            return False
        self._health.fault(self.table.id, h.FRAMES, pick(texts.HUNG, seconds=int(HUNG_S)))
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._live()
            except CameraError as error:
                self._failed(str(error))
            except Exception as error:
                # The one boundary around foreign code: drivers raise what they like.
                self._failed(f"{type(error).__name__}: {error}")

    def _live(self) -> None:
        """Open, and fill the ring until the stop flag is set; raises what the camera raises."""
        camera = self._maker()
        try:
            self._alive = time.monotonic()
            camera.open()
            self._frames(camera)
        finally:
            camera.close()

    def _frames(self, camera: Camera) -> None:
        every = 1 / self.table.frames_per_s
        due = time.monotonic()
        count = 0
        while not self._stop.wait(due - time.monotonic()):
            frame = camera.frame()
            rows, columns = frame.rgb.shape[:2]
            self.ring.add(encode(frame, self.table.mask), frame.monotonic_ms, columns, rows)
            self._alive = time.monotonic()
            self._still(camera)
            self.lookout.frame(frame.rgb)
            self._well()
            count += 1
            if count >= STEADY_FRAMES:
                self._pause_s = FIRST_PAUSE_S
            # A camera that is slower than asked for is not chased: the missed frames are gone.
            due = max(due + every, self._alive)

    def _still(self, camera: Camera) -> None:
        """A full picture, when one is asked for and due: it costs a frame or two, so not with each."""
        now = time.monotonic()
        if self._stills_until <= now or now - self._still_at < STILL_EVERY_S:
            return
        self._still_at = now
        if (still := camera.still()) is not None:
            rows, columns = still.rgb.shape[:2]
            self.stills.add(encode(still, self.table.mask), still.monotonic_ms, columns, rows)
            self._alive = time.monotonic()

    def _well(self) -> None:
        self._health.fault(self.table.id, h.FRAMES, "")
        if self.ring.squeezed:
            self._health.note(self.table.id, h.SQUEEZED, pick(texts.RING_SQUEEZED))

    def _failed(self, why: str) -> None:
        log.warning("camera %s: %s; next try in %.1f s", self.table.id, why, self._pause_s)
        self._health.fault(self.table.id, h.FRAMES, pick(texts.NO_FRAMES, why=why))
        until = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        while (left := until - time.monotonic()) > 0 and not self._stop.wait(min(left, HUNG_S / 3)):
            self._alive = time.monotonic()
        self._alive = time.monotonic()
