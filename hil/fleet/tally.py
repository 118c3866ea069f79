"""What is counted over a whole fleet: tries to connect, connections, losses, and how long receipts took."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_REASONS = 50


class Receipted(NamedTuple):
    """A record that was delivered."""

    lane: str
    recorded_ms: int
    opened_ms: int
    counted_ms: int

    def since_link_ms(self) -> int:
        """From when it was recorded, or from when there was a link to send it over, until its receipt counted."""
        return self.counted_ms - max(self.recorded_ms, self.opened_ms)


@dataclass
class Tally:
    """Moments are milliseconds of the boot clock."""

    attempts: list[int] = field(default_factory=list)
    """When each was due: on machines of their own panels are not kept waiting by each other, as they are here."""
    late_ms: int = 0
    """How long the one that waited longest did."""
    opens: list[int] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why tries failed and connections ended."""
    publishes: Counter[str] = field(default_factory=Counter)
    """By the first word behind the panel's name."""
    heartbeats: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    """Receipts that core did not take; there should be none."""
    receipts: list["Receipted"] = field(default_factory=list)

    def attempt(self, due_ms: int, now_ms: int) -> None:
        """A try to connect begins, that was due then."""
        self.attempts.append(due_ms)
        self.late_ms = max(self.late_ms, now_ms - due_ms)

    def opened(self, now_ms: int) -> None:
        """A connection works."""
        self.opens.append(now_ms)

    def closed(self, reason: str, was_open: bool, now_ms: int) -> None:
        """A connection ended, or could not be made."""
        if was_open:
            self.losses.append(now_ms)
        if reason in self.reasons or len(self.reasons) < MAX_REASONS:
            self.reasons[reason] += 1

    def published(self, topic: str) -> None:
        """Something was sent."""
        self.publishes[topic.split("/")[3]] += 1

    def refused(self, reason: str, _detail: str) -> None:
        """Core did not take a receipt."""
        self.refusals[reason] += 1

    def receipted(self, lane: str, recorded_ms: int, opened_ms: int, now_ms: int) -> None:
        """A record's receipt counted, on a connection that was opened then."""
        self.receipts.append(Receipted(lane, recorded_ms, opened_ms, now_ms))


def per_bin(moments: list[int], start_ms: int, end_ms: int, bin_ms: int) -> list[int]:
    """How many moments fall into each bin of a span."""
    bins = [0] * max(1, -(-(end_ms - start_ms) // bin_ms))
    for moment in moments:
        if start_ms <= moment < end_ms:
            bins[(moment - start_ms) // bin_ms] += 1
    return bins


def quantile(values: Sequence[int], share: float) -> float | None:
    """The value below which this share lies; None without values."""
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else None
