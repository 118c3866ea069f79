"""One lane of one journal as the uplink sees it: what to ask for next, and what is sent but not receipted.

Only numbers are held, never records, and of those no more than a window: memory is the same with a million
records waiting. What must be sent again is asked for again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Why: TypeAlias = Literal["live", "fresh", "again", "stored", "proof"]
"""Recorded since the connection; the newest from before it; sent, but not receipted in time; all else from before the
connection; delivered already, sent to prove the path (`proof.py`; never of a stream)."""
URGENCY: tuple[Why, ...] = ("live", "fresh", "again", "stored")
"""What goes first in a lane."""

MAX_DOUBLINGS = 4
LIVE_EXTRA = 64
"""So many live records may go out beyond the window, so that a full window of stored ones does not hold them back."""
SWEEP_MS = 60_000
"""When all was sent and receipted, and core still says that something waits (a record that could not be read, a receipt
that was forgotten), all of it is asked for again after this."""


@dataclass(frozen=True)
class Origin:
    """Of a record, for the latencies: its `seq`, and the boot clock when it was recorded (None: in another boot)."""

    seq: int
    recorded_ms: int | None


@dataclass
class Flight:
    """A record that was sent: when to send it again, how often it was sent, and when first."""

    due_ms: int
    sent: int
    first_ms: int
    origin: Origin | None = None


class Stream:
    """A lane of a journal, from a connection on. Numbers are `lane_seq`."""

    def __init__(self, first_undelivered: int, last: int, window: int, live: bool, fresh: int = 0) -> None:
        """`live`: all of it was recorded since the connection. `fresh`: so many of the newest go before the others."""
        self.last = last
        self.first_undelivered = first_undelivered
        self.flights: dict[int, Flight] = {}
        self._window = window
        stored_last = 0 if live else last
        self._fresh_next = max(first_undelivered, stored_last - fresh + 1)
        self._fresh_last = stored_last
        self._stored_next = first_undelivered
        self._stored_last = self._fresh_next - 1
        self._live_next = max(stored_last + 1, first_undelivered)
        self._stuck = False
        self._earliest_due: int | None = None
        self._sweep_at: int | None = None

    def head(self, first_undelivered: int, last: int) -> None:
        """The durable mark or the delivery cursor moved."""
        self.last = last
        self.first_undelivered = first_undelivered
        self._stuck = False

    def wants(self, now_ms: int, limit: int) -> tuple[Why, int, int] | None:
        """What to pull next, and why: first and last number. None when there is nothing to send now."""
        if self._stuck:
            return None
        if self._live_next <= self.last and self.room("live", limit):
            return "live", self._live_next, self.last
        if self._fresh_next <= self._fresh_last and self.room("fresh", limit):
            return "fresh", self._fresh_next, self._fresh_last
        if again := self._overdue(now_ms, limit):
            return "again", *again
        if self._stored_next <= self._stored_last and self.room("stored", limit):
            return "stored", self._stored_next, self._stored_last
        return self._sweep(now_ms)

    def room(self, why: Why, limit: int) -> int:
        """How many may be sent now, at most `limit`."""
        if why == "again":
            return limit
        return max(0, min(limit, self._window + (LIVE_EXTRA if why == "live" else 0) - len(self.flights)))

    def _overdue(self, now_ms: int, limit: int) -> tuple[int, int] | None:
        if self._earliest_due is None or now_ms < self._earliest_due:
            return None
        due = sorted(n for n, flight in self.flights.items() if flight.due_ms <= now_ms)
        if not due:
            self._earliest_due = min((flight.due_ms for flight in self.flights.values()), default=None)
            return None
        last = due[0]
        for number in due[1:limit]:
            if number != last + 1:
                break
            last = number
        return due[0], last

    def _sweep(self, now_ms: int) -> tuple[Why, int, int] | None:
        walked = (
            self._live_next > self.last
            and self._fresh_next > self._fresh_last
            and self._stored_next > self._stored_last
        )
        if self.flights or not walked or self.first_undelivered > self.last:
            self._sweep_at = None
        elif self._sweep_at is None:
            self._sweep_at = now_ms + SWEEP_MS
        elif now_ms >= self._sweep_at:
            self._sweep_at = None
            self._stored_next, self._stored_last = self.first_undelivered, self.last
            return "stored", self._stored_next, self._stored_last
        return None

    def sent(
        self, numbers: list[int], now_ms: int, timeout_ms: int, origins: Mapping[int, Origin] | None = None
    ) -> None:
        """These go out now; unreceipted they are due again after a pause that grows with each time."""
        for number in numbers:
            before = self.flights.get(number)
            times = before.sent if before else 0
            due = now_ms + (timeout_ms << min(times, MAX_DOUBLINGS))
            first_ms = before.first_ms if before else now_ms
            self.flights[number] = Flight(due, times + 1, first_ms, (origins or {}).get(number))
            self._earliest_due = due if self._earliest_due is None else min(due, self._earliest_due)

    def answered(self, why: Why, first: int, go_on: int, numbers: list[int]) -> None:
        """A pull was answered: go on from `go_on`; what it passed over has been delivered."""
        if go_on <= first:
            self._stuck = True
        elif why == "live":
            self._live_next = go_on
        elif why == "fresh":
            self._fresh_next = go_on
        elif why == "stored":
            self._stored_next = go_on
        else:
            for number in range(first, go_on):
                if number not in numbers:
                    self.flights.pop(number, None)

    def delivered(self, first: int, last: int) -> list[Flight]:
        """Receipted, ends included; what of it was sent by this path."""
        if last - first < len(self.flights):
            popped = [self.flights.pop(number, None) for number in range(first, last + 1)]
            return [flight for flight in popped if flight]
        inside = [n for n in self.flights if first <= n <= last]
        return [self.flights.pop(n) for n in inside]

    def stick(self) -> None:
        """Core can't answer for this one: ask no more until its head moves."""
        self._stuck = True

    def waiting(self) -> bool:
        """Whether anything of it is not delivered."""
        return bool(self.flights) or self.first_undelivered <= self.last

    def next_due(self) -> int | None:
        """When to look for what must be sent again: never late, sometimes early."""
        if self._stuck:
            return None
        return self._earliest_due if self.flights else self._sweep_at
