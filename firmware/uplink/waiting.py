"""Since when alarms wait for their receipt: spans of `lane_seq` by the moment at which they became known.

For the routing, which asks how long the oldest has waited. What waited at start counts from the start. Bounded:
when there are too many spans two of one journal are joined, under the older moment.
"""

from dataclasses import dataclass
from itertools import combinations

from firmware.protocol.messages import Delivered, Head

LANE = "alarm"
MAX_SPANS = 64


@dataclass
class _Span:
    journal: str
    first: int
    last: int
    since_ms: int


class Waiting:
    """Alarms without a receipt."""

    def __init__(self) -> None:
        self._spans: list[_Span] = []
        self._seen: dict[str, int] = {}

    def head(self, head: Head, now_ms: int) -> None:
        """The durable mark or a cursor moved."""
        known = {journal.journal for journal in head.journals}
        self._spans = [span for span in self._spans if span.journal in known]
        self._seen = {journal: last for journal, last in self._seen.items() if journal in known}
        for journal in head.journals:
            first, last = journal.first_undelivered.get(LANE, 1), journal.last.get(LANE, 0)
            before = max(self._seen.get(journal.journal, 0), first - 1)
            self._seen[journal.journal] = max(before, last)
            if last > before:
                self._add(_Span(journal.journal, before + 1, last, now_ms))
            self._receipted(journal.journal, 1, first - 1)

    def delivered(self, message: Delivered) -> None:
        """The center receipted these."""
        if message.lane == LANE:
            for first, last in message.ranges:
                self._receipted(message.journal, first, last)

    def since(self) -> int | None:
        """Since when the oldest waits (monotonic ms); None when none does."""
        return min((span.since_ms for span in self._spans), default=None)

    def _add(self, span: _Span) -> None:
        latest = self._spans[-1] if self._spans else None
        full = len(self._spans) >= MAX_SPANS
        if latest and latest.journal == span.journal and (full or latest.since_ms == span.since_ms):
            latest.last = span.last
            return
        if full:
            self._join_two()
        self._spans.append(span)

    def _join_two(self) -> None:
        """The oldest two of one journal: there are fewer journals in a `Head` than spans here."""
        older, newer = next(pair for pair in combinations(self._spans, 2) if pair[0].journal == pair[1].journal)
        older.first, older.last = min(older.first, newer.first), max(older.last, newer.last)
        older.since_ms = min(older.since_ms, newer.since_ms)
        self._spans.remove(newer)

    def _receipted(self, journal: str, first: int, last: int) -> None:
        """What lies inside goes; of a span that is cut in two the whole stays: it may still hold one that waits."""
        kept = []
        for span in self._spans:
            if span.journal == journal:
                if first <= span.first <= last:
                    span.first = last + 1
                if first <= span.last <= last:
                    span.last = first - 1
                if span.first > span.last:
                    continue
            kept.append(span)
        self._spans = kept
