"""When to try a failed line again, for every driver whose parts fail one at a time."""

import logging

RETRY_FIRST_MS = 1_000
RETRY_MAX_MS = 60_000

_log = logging.getLogger(__name__)


class Retry:
    """When to try a failed line again: pauses double from 1 s to 60 s."""

    __slots__ = ("_at_ms", "_pause_ms", "error", "errors")

    def __init__(self) -> None:
        self.error: str | None = None
        self.errors = 0
        self._pause_ms = 0
        self._at_ms = 0

    def failed(self, error: Exception, now_ms: int, what: str) -> None:
        """Note a failure; the pause grows."""
        self.errors += 1
        if str(error) != self.error:
            _log.warning("%s failed: %s", what, error)
        self.error = str(error) or type(error).__name__
        self._pause_ms = min(self._pause_ms * 2 or RETRY_FIRST_MS, RETRY_MAX_MS)
        self._at_ms = now_ms + self._pause_ms

    def due(self, now_ms: int) -> bool:
        """Whether a failed line should be tried now."""
        return self.error is not None and now_ms >= self._at_ms

    def works(self, what: str) -> None:
        """The line works (again)."""
        if self.error is not None:
            _log.info("%s works again", what)
        self.error = None

    def stands(self) -> None:
        """It has worked for a while: the next failure starts with a short pause again."""
        self._pause_ms = 0
