"""How long delivery takes: recorded → sent → receipted, for each record that this path got receipted, as telemetry.

Each record counts in a histogram of fixed steps; alarms are told one by one too, as many as one message takes. Only
what was recorded in this boot has a first half: the boot clock is the one clock that both processes share.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from firmware.protocol.messages import Latency, Spread, Took

EVERY_MS = 60_000
"""Between two messages of a lane."""
MAX_TOOK = 32
ONE_BY_ONE = "alarm"
STEPS_MS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 300_000, 3_600_000)
BEYOND_MS = 30 * 86_400_000
"""What is longer than the last step counts as this: the card is kept at least thirty days."""


class Histogram:
    """Counts of durations by step."""

    def __init__(self) -> None:
        self._counts = [0] * (len(STEPS_MS) + 1)
        self._worst = 0

    def add(self, ms: int) -> None:
        """One more; negative counts as 0."""
        self._counts[bisect_left(STEPS_MS, ms)] += 1
        self._worst = max(self._worst, ms)

    def spread(self) -> Spread | None:
        """What to tell; None without any."""
        count = sum(self._counts)
        if not count:
            return None
        return Spread(count=count, half_ms=self._bound(0.5), most_ms=self._bound(0.95), worst_ms=self._worst)

    def _bound(self, share: float) -> int:
        left = share * sum(self._counts)
        for step, count in zip((*STEPS_MS, BEYOND_MS), self._counts, strict=True):
            left -= count
            if left <= 0:
                return min(step, self._worst)
        return self._worst


@dataclass
class _Lane:
    to_sent: Histogram = field(default_factory=Histogram)
    to_receipted: Histogram = field(default_factory=Histogram)
    took: list[Took] = field(default_factory=list)


class Latencies:
    """Of one path. Moments are monotonic milliseconds."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lanes: dict[str, _Lane] = {}
        self._tell_at: int | None = None

    def delivered(self, lane: str, record: str, recorded_ms: int | None, sent_ms: int, now_ms: int) -> None:
        """A record was receipted now. `recorded_ms` None: it is of an earlier boot; `record`: journal and seq."""
        its = self._lanes.get(lane)
        if its is None:
            its = self._lanes[lane] = _Lane()
        to_sent = None if recorded_ms is None else max(0, sent_ms - recorded_ms)
        to_receipted = max(0, now_ms - sent_ms)
        its.to_receipted.add(to_receipted)
        if to_sent is not None:
            its.to_sent.add(to_sent)
        if lane == ONE_BY_ONE and len(its.took) < MAX_TOOK:
            its.took.append(Took(record=record, sent_ms=to_sent, receipted_ms=to_receipted))
        if self._tell_at is None:
            self._tell_at = now_ms + EVERY_MS

    def messages(self, now_ms: int) -> list[Latency]:
        """What to tell core now."""
        if self._tell_at is None or now_ms < self._tell_at:
            return []
        lanes, self._lanes, self._tell_at = self._lanes, {}, None
        return [
            Latency(
                path=self._path,
                lane=lane,
                recorded_to_sent=its.to_sent.spread(),
                sent_to_receipted=spread,
                records=its.took,
            )
            for lane, its in lanes.items()
            if (spread := its.to_receipted.spread())
        ]

    def next_deadline(self) -> int | None:
        """When the next message is due."""
        return self._tell_at
