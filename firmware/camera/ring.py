"""The last seconds of a camera, in memory: so that the pictures of an alarm begin before it.

Frames are kept as JPEG, oldest leave first, bounded by number and by bytes. One thread adds, any number read and wait.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

MAX_BYTES = 32 * 1024 * 1024
"""Of one ring. At 640 by 480 the number bounds it long before (about 60 KiB a frame)."""
MIN_FRAMES = 8
"""Kept even with `pre_s` 0, so that a slow disk loses no frame after the alarm."""


@dataclass(frozen=True)
class Shot:
    """One frame in the ring. `number` counts from 1 and has no gaps, so a reader sees what it missed."""

    number: int
    monotonic_ms: int
    jpeg: bytes
    width: int
    height: int


def frames_for(pre_s: int, frames_per_s: int) -> int:
    """How many frames a ring must hold for so many seconds before the alarm."""
    return max(pre_s * frames_per_s + 1, MIN_FRAMES)


class Ring:
    """Holds at most `frames` shots and `max_bytes` of JPEG; a single larger frame is held alone.

    `squeezed` counts shots that left for their bytes before their time.
    """

    def __init__(self, frames: int, max_bytes: int = MAX_BYTES) -> None:
        self.squeezed = 0
        self._frames = frames
        self._max_bytes = max_bytes
        self._shots: deque[Shot] = deque()
        self._bytes = 0
        self._number = 0
        self._news = threading.Condition()

    def add(self, jpeg: bytes, monotonic_ms: int, width: int, height: int) -> Shot:
        """Put a frame in; wakes who waits."""
        with self._news:
            self._number += 1
            shot = Shot(self._number, monotonic_ms, jpeg, width, height)
            self._shots.append(shot)
            self._bytes += len(jpeg)
            while len(self._shots) > self._frames:
                self._drop()
            while self._bytes > self._max_bytes and len(self._shots) > 1:
                self._drop()
                self.squeezed += 1
            self._news.notify_all()
        return shot

    def _drop(self) -> None:
        self._bytes -= len(self._shots.popleft().jpeg)

    def after(self, number: int) -> list[Shot]:
        """The shots later than `number`, oldest first."""
        with self._news:
            return [shot for shot in self._shots if shot.number > number]

    def since(self, monotonic_ms: int) -> list[Shot]:
        """The shots taken at this moment or later, oldest first."""
        with self._news:
            return [shot for shot in self._shots if shot.monotonic_ms >= monotonic_ms]

    def wait(self, number: int, timeout_s: float) -> list[Shot]:
        """As `after`, but waits until there is one; empty when the time is over."""
        until = time.monotonic() + timeout_s
        with self._news:
            while self._number <= number:
                left = until - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    break
            return [shot for shot in self._shots if shot.number > number]

    @property
    def number(self) -> int:
        """Of the last shot, 0 before the first."""
        return self._number

    @property
    def bytes(self) -> int:
        """Bytes of JPEG held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._shots)
