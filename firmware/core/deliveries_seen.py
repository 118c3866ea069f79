"""The newest deliveries, so that a technician can ask which path carried a record and when its receipt was verified."""

from collections import deque
from collections.abc import Callable

from firmware.protocol.messages import Delivered

KEPT = 256
"""Beyond, the oldest are forgotten: a test asks within a minute."""


class DeliveriesSeen:
    """On the socket thread only. `now`: monotonic ms."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._kept: deque[tuple[Delivered, int]] = deque(maxlen=KEPT)

    def note(self, delivered: Delivered) -> None:
        """A receipt has counted."""
        self._kept.append((delivered, self._now()))

    def find(self, journal: str, lane: str, lane_seq: int) -> tuple[str, int] | None:
        """Its path, and when; None where no receipt of it is known here."""
        for delivered, when in self._kept:
            if delivered.journal == journal and delivered.lane == lane:
                for low, high in delivered.ranges:
                    if low <= lane_seq <= high:
                        return delivered.path, when
        return None
