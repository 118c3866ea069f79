"""What others are told waits for the durable mark: words held back until their records are on disk."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

log = logging.getLogger("fenghuo.core.talk")

LIMIT = 1024
"""Words that may wait; beyond, the oldest are dropped and counted."""


class Talk:
    """Holds what is to be said. `hold` on the rules thread, `durable` on the journal thread; words run on either."""

    def __init__(self) -> None:
        self.dropped = 0
        self._held: deque[tuple[int, Callable[[], None]]] = deque()
        self._mark = 0
        self._lock = threading.Lock()

    def hold(self, ticket: int, words: Iterable[Callable[[], None]]) -> None:
        """Say these when `ticket` is durable; at once when it is already."""
        with self._lock:
            self._held.extend((ticket, word) for word in words)
            while len(self._held) > LIMIT:
                self._held.popleft()
                self.dropped += 1
        self.durable(0)

    def durable(self, ticket: int) -> None:
        """Everything up to `ticket` is on disk."""
        ready = []
        with self._lock:
            self._mark = max(self._mark, ticket)
            while self._held and self._held[0][0] <= self._mark:
                ready.append(self._held.popleft()[1])
        for word in ready:
            try:
                word()
            except Exception:
                log.exception("a word could not be said")
