"""Orders for pictures until the camera process has answered them: one that dies or hangs takes none with it.

An order counts as answered for a camera when its first manifest comes. Those that a process took with it are given
again to the next one, while they are young: what it saves then is late, and better than nothing.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware.protocol.messages import CaptureOrder

KEPT_ORDERS = 32
"""Orders that are remembered; beyond, the oldest go, and are counted where nobody got them."""
ORDER_LIFE_S = 60.0


@dataclass
class _Kept:
    order: CaptureOrder
    since: float
    given: bool = False


class CameraOrders:
    """On the socket thread only."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: monotonic seconds."""
        self.dropped = 0
        self._now = now
        self._kept: deque[_Kept] = deque()

    def add(self, order: CaptureOrder) -> None:
        """Another one."""
        self._kept.append(_Kept(order, self._now()))
        if len(self._kept) > KEPT_ORDERS:
            self.dropped += not self._kept.popleft().given

    def take(self) -> list[CaptureOrder]:
        """Those to give now, oldest first."""
        now = self._now()
        young = deque(kept for kept in self._kept if now - kept.since <= ORDER_LIFE_S)
        self.dropped += sum(not kept.given for kept in self._kept) - sum(not kept.given for kept in young)
        self._kept = young
        due = [kept for kept in young if not kept.given]
        for kept in due:
            kept.given = True
        return [kept.order for kept in due]

    def answered(self, incident: int, camera: str) -> None:
        """Pictures of this one came."""
        for kept in list(self._kept):
            if kept.order.incident == incident and camera in kept.order.cameras:
                left = [name for name in kept.order.cameras if name != camera]
                if left:
                    kept.order = kept.order.model_copy(update={"cameras": left})
                else:
                    self._kept.remove(kept)

    def lost(self) -> None:
        """Nobody is there any more: what was not answered is given again."""
        for kept in self._kept:
            kept.given = False
