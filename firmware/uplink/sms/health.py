"""Whether the SMS path works, as core is told: the modem's faults and those of the messages, put into one word.

A fault that may heal by itself has to stand for a while first, as with every other path (`path_fault_s`).
"""

from firmware.protocol.messages import Path

ORDER = ("modem", "sim", "network", "signal", "sending", "reports", "limit", "memory")
"""Which fault is named first. The last four: the network takes no message; delivery was not confirmed; the day's limit
is reached; what was sent can't be noted."""


class Health:
    """The faults of one path. Times are monotonic milliseconds."""

    def __init__(self, path: str, grace_ms: int, now_ms: int) -> None:
        self.up: bool | None = None
        """What core was told last."""
        self._path = path
        self._grace_ms = grace_ms
        self._since: dict[str, tuple[int, str]] = {"modem": (now_ms + grace_ms, "the modem is not there")}

    def fault(self, what: str, detail: str, now_ms: int, hard: bool = False) -> None:
        """`what` (one of `ORDER`) is wrong, or no more where there is no `detail`."""
        if not detail:
            self._since.pop(what, None)
            return
        counts_at = now_ms if hard else now_ms + self._grace_ms
        before = self._since.get(what)
        self._since[what] = (min(before[0], counts_at) if before else counts_at, detail)

    def message(self) -> Path | None:
        """What core has to know now, None when nothing is known yet."""
        return None if self.up is None else Path(path=self._path, up=self.up, detail=self._detail())

    def passed(self, now_ms: int) -> Path | None:
        """The message for core when the path came up or went down."""
        down = any(at <= now_ms for at, _ in self._since.values())
        if not down and self._since:
            return None  # wait and see
        if self.up is (not down):
            return None
        self.up = not down
        return self.message()

    def next_deadline(self) -> int | None:
        """When to look again."""
        return None if self.up is False else min((at for at, _ in self._since.values()), default=None)

    def _detail(self) -> str:
        return "; ".join(self._since[what][1] for what in ORDER if what in self._since)[:200]
