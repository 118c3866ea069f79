"""Which path carries which lane: decided here, free of I/O, from what each path says of itself and what waits.

1. A lane goes by the first path of the file that can carry it and works. One that stopped working keeps its lanes for
   `failover_ms`; the next then takes over, well within the reporting time of EN 50136 (digest §2: 90 s for DP4).
   Alarms go by the next at once.
2. A path that works again carries alarms at once, and all that is its own when it has worked for `failback_ms`.
3. An alarm that has waited for its receipt longer than `escalate_ms` goes by the next working path too, after twice
   that by the one behind it, and so on: whatever the first path says of itself.
4. A path that a technician tries leads the status lane for that while, if it works; alarms take no notice of it.
5. With `alarms_on_all` the alarm lane goes by every working path at once.
A record that goes by two paths is the same record: identity is (panel, journal, seq).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware.protocol.messages import Delivered, Head
from firmware.uplink.waiting import Waiting

ALARM = "alarm"
TRIED_LANE = "status"
FAILBACK_MS = 30_000


@dataclass(frozen=True)
class Route:
    """A path as the routing sees it: its id, the lanes that it can carry, and whether what it brings is a delivery.

    One that is not `final` (DC-09 whose acknowledgements do not count) leads only where no other works.
    """

    path: str
    lanes: frozenset[str]
    final: bool = True


@dataclass(frozen=True)
class Terms:
    """Of `[center]` in the panel file."""

    escalate_ms: int = 30_000
    failover_ms: int = 10_000
    failback_ms: int = FAILBACK_MS
    alarms_on_all: bool = False


class Routing:
    """Moments are monotonic milliseconds."""

    def __init__(self, routes: Sequence[Route], terms: Terms, now_ms: int) -> None:
        self._routes = sorted(routes, key=lambda route: not route.final)
        self._terms = terms
        self._waiting = Waiting()
        self._works = {route.path: False for route in routes}
        self._since = {route.path: now_ms for route in routes}
        """Since when each is as `_works` says."""
        self._leads: dict[str, str] = {}
        self._tried: tuple[str, int] | None = None
        """A path that is tried, and until when."""

    def tried(self, path: str, until_ms: int) -> None:
        """A technician tries this path; another one that was tried is no longer."""
        self._tried = (path, until_ms)

    def head(self, head: Head, now_ms: int) -> None:
        """The durable mark or a cursor moved."""
        self._waiting.head(head, now_ms)

    def delivered(self, message: Delivered) -> None:
        """The center receipted these."""
        self._waiting.delivered(message)

    def duties(self, works: Mapping[str, bool], now_ms: int) -> dict[str, frozenset[str]]:
        """The lanes of each path from now on, given which of them work."""
        for path, working in works.items():
            if self._works[path] is not working:
                self._works[path] = working
                self._since[path] = now_ms
        duties: dict[str, set[str]] = {route.path: set() for route in self._routes}
        for lane in sorted({lane for route in self._routes for lane in route.lanes}):
            able = [route.path for route in self._routes if lane in route.lanes]
            lead = self._on_trial(lane, able, now_ms) or self._lead(lane, able, now_ms)
            duties[lead].add(lane)
            if lane == ALARM:
                for path in self._also(able, lead, now_ms):
                    duties[path].add(lane)
        return {path: frozenset(lanes) for path, lanes in duties.items()}

    def next_deadline(self, now_ms: int) -> int | None:
        """When the duties may change by time alone."""
        terms = self._terms
        moments = [
            self._since[route.path] + (terms.failback_ms if self._works[route.path] else terms.failover_ms)
            for route in self._routes
        ]
        if self._tried is not None:
            moments.append(self._tried[1])
        since = self._waiting.since()
        if since is not None:
            moments += [since + step * terms.escalate_ms for step in range(1, len(self._routes))]
        return min((moment for moment in moments if moment > now_ms), default=None)

    def _on_trial(self, lane: str, able: list[str], now_ms: int) -> str:
        """The path that is tried, where it may lead this lane now."""
        if self._tried is None or lane != TRIED_LANE:
            return ""
        path, until_ms = self._tried
        return path if now_ms < until_ms and path in able and self._works[path] else ""

    def _lead(self, lane: str, able: list[str], now_ms: int) -> str:
        """Whose the lane is. It stays where it is unless that path has failed, or a better one has settled."""
        lead = self._leads.get(lane, able[0])
        settled = [path for path in able if self._works[path] and now_ms >= self._since[path] + self._terms.failback_ms]
        better = [path for path in able[: able.index(lead)] if path in settled]
        # One that failed a moment ago may be back in the next: nobody takes over at once.
        failed = not self._works[lead] and now_ms >= self._since[lead] + self._terms.failover_ms
        working = [path for path in able if self._works[path]]
        self._leads[lane] = next(iter([*better, *(working if failed else []), lead]))
        return self._leads[lane]

    def _also(self, able: list[str], lead: str, now_ms: int) -> list[str]:
        """Who carries alarms besides: those before the lead that are back, and whom an alarm escalates to."""
        others = [path for path in able if path != lead and self._works[path]]
        if self._terms.alarms_on_all:
            return others
        before = able[: able.index(lead)]
        since = self._waiting.since()
        level = 0 if since is None else (now_ms - since) // self._terms.escalate_ms
        level = max(level, 0 if self._works[lead] else 1)  # alarms do not wait for `failover_ms`
        behind = [path for path in others if path not in before]
        return [path for path in others if path in before] + behind[:level]
