"""One zone's GPIO lines: claimed, read as levels, debounced together, and claimed again after they failed.

Each zone is its own error boundary: whatever the pin library raises makes this zone read fault, and nothing else.
"""

import logging
from collections.abc import Callable
from typing import Any

from drivers.debounce import Debouncer
from drivers.pins import Factory, Pin
from drivers.retry import Retry
from drivers.wiring import Input, Levels, condition
from rules.site import Condition

RESTLESS_MS = 5_000
"""A line that does not come to rest for so long reads fault: nobody knows any more what the contact does."""
STORM_EDGES = 400
"""More edges than this between two polls of all levels are noise: edges are muted, the levels still polled."""
MUTE_MS = 1_000

_log = logging.getLogger(__name__)


class Edges:
    """What one line's edges told since they were last taken: how many, and when the last one came."""

    __slots__ = ("__weakref__", "_clock_ms", "_wake", "count", "last_ms", "total")

    def __init__(self, clock_ms: Callable[[], int], wake: Callable[[], None]) -> None:
        self._clock_ms = clock_ms
        self._wake = wake
        self.count = 0
        self.total = 0
        self.last_ms = 0

    def happened(self, _ticks: Any, _state: Any) -> None:
        """For `pin.when_changed`; called in the pin library's thread."""
        self.last_ms = self._clock_ms()
        self.count += 1
        self._wake()

    def take(self) -> tuple[int, int]:
        """How many edges, and the moment of the last; starts over."""
        count, self.count = self.count, 0
        self.total += count
        return count, self.last_ms


class WatchedZone:
    """A zone's lines, read as levels and debounced together; used by the driver's thread only."""

    def __init__(self, wire: Input, factory: Factory, clock_ms: Callable[[], int], wake: Callable[[], None]) -> None:
        self.wire = wire
        self.edges = Edges(clock_ms, wake)
        self.retry = Retry()
        self.reported: Condition | None = None
        self.changed_ms = self.began_ms = 0
        """When the condition was reported, and when the level that led to it began."""
        self._levels: Levels = ()
        self._factory = factory
        self._pins: tuple[Pin, ...] = ()
        self._debounce: Debouncer[Condition] = Debouncer(wire.debounce_ms)
        self._short_pulses_before = 0
        self._muted_until_ms: int | None = None
        self._period_edges = 0

    @property
    def short_pulses(self) -> int:
        """Pulses shorter than the debounce, since start."""
        return self._short_pulses_before + self._debounce.short_pulses

    def claim(self, now_ms: int) -> None:
        """Claim the lines (again) and listen for edges; a failure is noted for `look`."""
        try:
            self._pins = tuple(self._factory.pin(line) for line in self.wire.lines)
            for pin in self._pins:
                pin.when_changed = None
                pin.input_with_pull("up")
            self._levels = self._sample()
            self._listen(True)
        except Exception as error:
            self._fail(error, now_ms)
            return
        self._short_pulses_before = self.short_pulses
        self._debounce = Debouncer(self.wire.debounce_ms)
        self.edges.take()
        self.retry.works(self._what())

    def due(self, now_ms: int) -> bool:
        """Whether an edge, the debounce or a failed line asks for a look before the next poll."""
        if self.retry.error is not None:
            return self.retry.due(now_ms) or self.reported is not Condition.FAULT
        again_ms = self._debounce.again_ms
        return self.edges.count > 0 or (again_ms is not None and now_ms >= again_ms)

    @property
    def again_ms(self) -> int | None:
        """When the debounce wants the next look."""
        return None if self.retry.error is not None else self._debounce.again_ms

    def look(self, now_ms: int, poll: bool) -> Condition | None:
        """Read the levels; returns the zone's condition where it differs from what was reported last."""
        if self.retry.due(now_ms):
            self.claim(now_ms)
        if self.retry.error is None:
            try:
                self._read(now_ms, poll)
            except Exception as error:
                self._fail(error, now_ms)
        found = self._found(now_ms)
        if found is None or found == self.reported:
            return None
        self.reported, self.changed_ms, self.began_ms = found, now_ms, self._debounce.since_ms
        return found

    def _read(self, now_ms: int, poll: bool) -> None:
        edges, edge_ms = self.edges.take()
        before, self._levels = self._levels, self._sample()
        if edges > 1 and self._levels == before and self._debounce.again_ms is None:
            self._debounce.pulses_unseen(edges // 2)
        self._period_edges += edges
        if self._muted_until_ms is not None:
            edges, edge_ms = 1, now_ms  # unheard edges: the line counts as restless
        reading = condition(self.wire.wiring, self._levels)
        self._debounce.feed(reading, now_ms, edge_ms if edges else None)
        if poll:
            self._calm_storm(now_ms)
            if self._debounce.again_ms is None:
                self.retry.stands()

    def _sample(self) -> Levels:
        return tuple(bool(pin.state) for pin in self._pins)

    def _found(self, now_ms: int) -> Condition | None:
        if self.retry.error is not None:
            return Condition.FAULT
        if self._debounce.restless_ms(now_ms) >= max(RESTLESS_MS, 2 * self.wire.debounce_ms):
            self._debounce.distrust()
            return Condition.FAULT
        return self._debounce.settled

    def _calm_storm(self, now_ms: int) -> None:
        """Mute the edges of a line that chatters faster than anyone wants to hear, for a while."""
        edges, self._period_edges = self._period_edges, 0
        if self._muted_until_ms is None and edges > STORM_EDGES:
            _log.warning("%s: %d edges between two polls, muted for %d ms", self._what(), edges, MUTE_MS)
            self._muted_until_ms = now_ms + MUTE_MS
            self._listen(False)
        elif self._muted_until_ms is not None and now_ms >= self._muted_until_ms:
            self._muted_until_ms = None
            self._listen(True)

    def _listen(self, on: bool) -> None:
        for pin in self._pins:
            pin.when_changed = self.edges.happened if on else None

    def _fail(self, error: Exception, now_ms: int) -> None:
        self.retry.failed(error, now_ms, self._what())
        self._muted_until_ms = None
        self.close()

    def _what(self) -> str:
        return f"zone {self.wire.zone}, line {', '.join(str(line) for line in self.wire.lines)}"

    def close(self) -> None:
        """Give the lines back."""
        pins, self._pins = self._pins, ()
        for pin in pins:
            try:
                pin.when_changed = None
                pin.close()
            except Exception as error:
                _log.debug("%s: closing: %s", self._what(), error)

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis."""
        return {
            "condition": None if self.reported is None else str(self.reported),
            "levels": ["high" if level else "low" for level in self._levels],
            "changed_ms": self.changed_ms,
            "began_ms": self.began_ms,
            "short_pulses": self.short_pulses,
            "edges": self.edges.total,
            "muted": self._muted_until_ms is not None,
            "errors": self.retry.errors,
            "error": self.retry.error,
        }
