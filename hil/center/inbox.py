"""What waits for the center's thread: a bounded share for each panel, taken in turns.

So a panel that floods fills its own share and delays nobody. What finds no room is dropped and counted: it gets no
receipt, and a panel sends it again.
"""

import threading
import time
from collections import Counter, OrderedDict, deque

MAX_SHARE = 1024
"""Messages of one panel. A panel has at most 832 records on their way: 64 live ones, and 256 of each lane."""
MAX_SHARE_BYTES = 16 * 1024 * 1024
"""Of one panel: 256 pictures' records with their thumbnails are some 10 MiB."""
MAX_BYTES = 128 * 1024 * 1024
OVERHEAD = 1024
"""Counted for each message beside its bytes."""
MAX_TURN_OF_ONE = 64
"""Messages of one panel in one transaction: so long, and no longer, do the others wait for their receipts."""
MAX_FLOODING = 100
ROOM_S = 5.0
"""So long the network thread waits for room, seconds; meanwhile the broker keeps what comes."""


class Inbox:
    """Filled by the network's thread, emptied by the center's."""

    def __init__(self, share: int = MAX_SHARE, max_bytes: int = MAX_BYTES) -> None:
        self.dropped = Counter[str]()
        self._share = share
        self._max_bytes = max_bytes
        self._bytes = 0
        self._share_bytes = Counter[str]()
        self._waiting: OrderedDict[str, deque[tuple[str, bytes]]] = OrderedDict()
        self._flooding: set[str] = set()
        self._closed = False
        self._changed = threading.Condition()

    def put(self, topic: str, data: bytes) -> None:
        """Keep a message of a panel, or drop and count it: `share-full`, or `no-room` after `ROOM_S`."""
        panel = topic.split("/", 3)[2] if topic.count("/") >= 2 else ""
        size = len(data) + OVERHEAD
        with self._changed:
            if len(self._waiting.get(panel, ())) >= self._share or self._share_bytes[panel] + size > MAX_SHARE_BYTES:
                self.dropped["share-full"] += 1
                if len(self._flooding) < MAX_FLOODING:
                    self._flooding.add(panel)
                return
            if not self._changed.wait_for(lambda: self._bytes + size <= self._max_bytes or self._closed, ROOM_S):
                self.dropped["no-room"] += 1
                return
            self._waiting.setdefault(panel, deque()).append((topic, data))
            self._bytes += size
            self._share_bytes[panel] += size
            self._changed.notify_all()

    def flooding(self) -> set[str]:
        """The panels whose share was full since the last call."""
        with self._changed:
            found, self._flooding = self._flooding, set()
            return found

    def close(self) -> None:
        """Let `take` come back at once from now on; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, most: int, until: float | None) -> tuple[list[tuple[str, bytes]], bool]:
        """Up to so many messages, one of each panel in turn, at most `MAX_TURN_OF_ONE`; and whether more can come.

        Waits for the first one, at most until this moment of `time.monotonic`, None for ever.
        """
        with self._changed:
            wait = None if until is None else max(0.0, until - time.monotonic())
            self._changed.wait_for(lambda: self._waiting or self._closed, wait)
            taken: list[tuple[str, bytes]] = []
            turns = Counter[str]()
            rest: OrderedDict[str, deque[tuple[str, bytes]]] = OrderedDict()
            while self._waiting and len(taken) < most:
                panel, queue = self._waiting.popitem(last=False)
                taken.append(queue.popleft())
                turns[panel] += 1
                size = len(taken[-1][1]) + OVERHEAD
                self._bytes -= size
                self._share_bytes[panel] -= size
                if not queue:
                    del self._share_bytes[panel]
                elif turns[panel] < MAX_TURN_OF_ONE:
                    self._waiting[panel] = queue
                else:
                    rest[panel] = queue
            self._waiting.update(rest)
            self._changed.notify_all()
            return taken, not (self._closed and not self._waiting)
