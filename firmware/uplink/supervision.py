"""Whether the path works: what core is told about it, and when the uplink gives a connection up.

A path is *up* when it is connected and the center receipts: at the first receipt that counted on this connection, or
at once where nothing waits for one. It is *down* when it was not up for `path_fault_s` (EN 50136, the time in which a
loss is reported), or at once when the broker refused us. A loss that heals sooner makes no trouble record; the
retained `link` shows it.
"""

from firmware.protocol.messages import Path


class Supervision:
    """The state of one path. Times are monotonic milliseconds."""

    def __init__(self, path: str, fault_ms: int) -> None:
        self.up: bool | None = None
        """What core was told last; None before anything is known."""
        self.up_since: int | None = None
        """Since when this connection works."""
        self._path = path
        self._fault_ms = fault_ms
        self._detail = ""
        self._reason = "no connection to the center"
        self._down_at: int | None = None
        self._receipt_by: int | None = None

    def message(self) -> Path | None:
        """What core has to know now, None when nothing is known yet."""
        return None if self.up is None else Path(path=self._path, up=self.up, detail=self._detail)

    def started(self, now_ms: int) -> None:
        """The path is wanted from now on."""
        if self.up_since is None and self._down_at is None:
            self._down_at = now_ms + self._fault_ms

    def opened(self) -> None:
        """It is connected; what is missing from now on is a receipt."""
        self._reason = "the center does not receipt"

    def worked(self, now_ms: int) -> Path | None:
        """A receipt counted, or nothing waits for one. The message for core when that is news."""
        self._down_at = None
        if self.up_since is None:
            self.up_since = now_ms
        return self._change(True, "")

    def lost(self, reason: str, refused: bool, now_ms: int) -> Path | None:
        """The connection ended, or could not be made."""
        self.up_since = None
        self._receipt_by = None
        if refused:
            return self.failed(reason)
        if self._down_at is None and self.up is not False:
            self._down_at = now_ms + self._fault_ms
        self._reason = reason
        return None

    def failed(self, reason: str) -> Path | None:
        """It is down, now."""
        self._down_at = None
        self._receipt_by = None
        self.up_since = None
        return self._change(False, reason)

    def outstanding(self, any_sent: bool, receipted: bool, now_ms: int) -> None:
        """Whether records wait for a receipt on this connection, and whether one just came."""
        if not any_sent:
            self._receipt_by = None
        elif receipted or self._receipt_by is None:
            self._receipt_by = now_ms + self._fault_ms

    def overdue(self, now_ms: int) -> bool:
        """No receipt at all for too long, although something is outstanding: give the connection up."""
        return self._receipt_by is not None and now_ms >= self._receipt_by

    def passed(self, now_ms: int) -> Path | None:
        """Time has passed: the message for core when the path has now been away too long."""
        if self._down_at is None or now_ms < self._down_at:
            return None
        return self.failed(self._reason)

    def next_deadline(self) -> int | None:
        """When to look again."""
        return min((moment for moment in (self._down_at, self._receipt_by) if moment is not None), default=None)

    def _change(self, up: bool, detail: str) -> Path | None:
        changed = up != self.up
        self.up = up
        self._detail = detail[:200]
        return self.message() if changed else None
