"""All captures that run: how many at once, which wait, and what is dropped when alarms come faster than pictures.

A limited number runs at a time, each on its own thread; a limited number waits. When that is full, the oldest waiting
order goes whose incident already has a capture by the same camera, else the oldest; both are counted and reported.
"""

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping

from firmware.camera import health as h
from firmware.camera import texts
from firmware.camera.capture import Capture, Film, Stopping, Studio
from firmware.camera.watch import Watch
from firmware.language import pick
from firmware.protocol.messages import CaptureOrder

log = logging.getLogger("fenghuo.camera.captures")

MAX_RUNNING = 8
MAX_WAITING = 32
MAX_REMEMBERED = 256
"""Incidents whose part numbers are remembered."""


class Parts:
    """Part numbers, growing for each incident and camera."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def next(self, incident: int, camera: str) -> int:
        """1, 2, 3 …"""
        with self._lock:
            number = self._last.pop((incident, camera), 0) + 1
            self._last[incident, camera] = number
            if len(self._last) > MAX_REMEMBERED:
                self._last.popitem(last=False)
            return number


class Captures:
    """Takes orders from the main thread; never blocks and never raises."""

    def __init__(self, watches: Mapping[str, Watch], studio: Studio, health: h.Health, stop: Stopping) -> None:
        self.dropped: Counter[str] = Counter()
        self._watches = watches
        self._studio = studio
        self._health = health
        self._stop = stop
        self._running: dict[threading.Thread, tuple[int, str]] = {}
        self._waiting: deque[tuple[CaptureOrder, str]] = deque()
        self._lock = threading.Lock()

    def take(self, order: CaptureOrder) -> None:
        """Start a capture with each camera of the order that this process has."""
        for camera in dict.fromkeys(order.cameras):
            if camera not in self._watches:
                log.warning("incident %d asks for camera %s, which is not in the panel file", order.incident, camera)
                continue
            lost = None
            with self._lock:
                self._waiting.append((order, camera))
                self._start_waiting()
                if len(self._waiting) > MAX_WAITING:
                    lost = self._drop_one()
            if lost:
                self._report(lost)

    def running(self) -> bool:
        """Whether any capture runs or waits."""
        with self._lock:
            return bool(self._running or self._waiting)

    def join(self, timeout_s: float) -> None:
        """After the stop flag was set: wait until the running captures have told their last part."""
        with self._lock:
            self._waiting.clear()
            threads = list(self._running)
        until = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start_waiting(self) -> None:
        while self._waiting and len(self._running) < MAX_RUNNING and not self._stop.is_set():
            order, camera = self._waiting.popleft()
            name = f"capture {order.incident} {camera}"
            thread = threading.Thread(target=self._run, args=(order, camera), name=name, daemon=True)
            self._running[thread] = (order.incident, camera)
            try:
                thread.start()
            except RuntimeError:
                # No more threads or memory: this alarm goes without pictures, the process does not.
                del self._running[thread]
                log.error("incident %d, camera %s: no thread for the capture", order.incident, camera)

    def _drop_one(self) -> str:
        """Drop a waiting order; returns its camera."""
        place = self._repeated()
        _, camera = self._waiting[place]
        del self._waiting[place]
        self.dropped[camera] += 1
        return camera

    def _repeated(self) -> int:
        """Where the first order waits whose incident and camera have a capture before it; 0 when there is none."""
        covered = set(self._running.values())
        for place, (order, camera) in enumerate(self._waiting):
            if (order.incident, camera) in covered:
                return place
            covered.add((order.incident, camera))
        return 0

    def _report(self, camera: str) -> None:
        log.warning("camera %s: a capture order dropped, %d so far", camera, self.dropped[camera])
        self._health.note(camera, h.DROPPED, pick(texts.ORDERS_DROPPED, count=self.dropped[camera]))

    def _run(self, order: CaptureOrder, camera: str) -> None:
        watch = self._watches[camera]
        try:
            capture = self._begun(order, watch)
            self._health.fault(camera, h.STORE, self._said(capture.run()))
            self._health.note(camera, h.THINNED, pick(texts.THINNED, count=capture.thinned) if capture.thinned else "")
        except Exception:
            log.exception("incident %d, camera %s: the capture failed", order.incident, camera)
        finally:
            with self._lock:
                self._running.pop(threading.current_thread(), None)
                self._start_waiting()

    def _begun(self, order: CaptureOrder, watch: Watch) -> Capture:
        capture = Capture(order, watch.table, Film(watch.ring, watch.stills), self._studio, self._stop)
        watch.ask_stills(watch.table.post_s)
        return capture

    @staticmethod
    def _said(fault: OSError | None) -> str:
        if fault is None:
            return ""
        log.error("pictures can't be saved: %s", fault)
        return pick(texts.NOT_SAVED, why=fault.strerror or fault)
