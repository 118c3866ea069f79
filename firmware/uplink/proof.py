"""When a path that carries nothing proves itself: a delivered record of the status lane goes over it once more.

A connection is no proof that the center behind it stores and signs. EN 50136 asks for a report on the alternative path
too (digest §2: DP4 every 5 h while the primary works); a receipt for a record that is delivered already costs one
message, changes nothing, and is as strong as any other. Until there is one, the connection has to do.
"""

from dataclasses import dataclass

LANE = "status"


@dataclass(frozen=True)
class Sample:
    """The record that is sent as a proof."""

    journal: str
    lane_seq: int


class Proof:
    """Of one path. Times are monotonic milliseconds."""

    def __init__(self, every_ms: int, answer_ms: int, fault_ms: int) -> None:
        """`every_ms` between proofs, `answer_ms` until one is sent again, `fault_ms` until the path has failed."""
        self._every_ms = every_ms
        self._answer_ms = answer_ms
        self._fault_ms = fault_ms
        self._due: int | None = None
        self._by: int | None = None

    @property
    def outstanding(self) -> bool:
        """Whether a receipt is waited for, or a proof is due that no receipt has come for yet."""
        return self._by is not None

    def wanted(self, wanted: bool, now_ms: int) -> None:
        """The path is open and carries no record (True), or has other ways to be proven (False)."""
        if not wanted:
            self._due = self._by = None
        elif self._due is None:
            self._due = now_ms
            self._by = now_ms + self._fault_ms

    def due(self, now_ms: int) -> bool:
        """Whether to send one now."""
        return self._due is not None and now_ms >= self._due

    def sent(self, now_ms: int) -> None:
        """It went out."""
        self._due = now_ms + self._answer_ms
        if self._by is None:
            self._by = now_ms + self._fault_ms

    def nothing(self, now_ms: int) -> None:
        """There is no record to send yet."""
        self._due = now_ms + self._fault_ms
        self._by = None

    def receipted(self, now_ms: int) -> None:
        """A receipt that counted came by this path."""
        if self._due is not None:
            self._due = now_ms + self._every_ms
        self._by = None

    def failed(self, now_ms: int) -> bool:
        """No receipt came in time."""
        return self._by is not None and now_ms >= self._by

    def next_deadline(self, asking: bool) -> int | None:
        """When to look again. `asking`: core has not answered the last question yet, so none can be sent."""
        moments = (self._by, None if asking else self._due)
        return min((moment for moment in moments if moment is not None), default=None)
