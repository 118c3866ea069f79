"""The network between a panel and the broker of its center: things cross it late, out of step, twice, or not at all.

A connection is a TCP one: while the link is down what is under way freezes, and goes on when the link comes back before
the connection is given up. What crosses is told by the caller's own words; nothing here knows MQTT.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import Any

FAST_MS = (2, 40)
SLOW_MS = (200, 6_000)
SLOW = 0.01
"""One in so many crossings is slow, and may be overtaken by what was sent later."""
AGAIN = 0.005
"""One in so many comes twice."""
LOST = 0.001
"""One in so many never comes, though the connection lives: a broker that fell over it, a proxy that dropped it."""
KEEPALIVE_MS = 45_000
"""A connection without an answer is given up after so long: paho's 30 s and half as much again."""


@dataclass(frozen=True)
class Crossing:
    """Something that arrives. `connection`: on which it was sent; it means nothing on a later one."""

    what: str
    connection: int
    body: Any = None


class Network:
    """The link and its one connection. All moments are the world's own, in milliseconds."""

    def __init__(self, random: Random) -> None:
        self.up = True
        self.connection = 0
        """The connection that lives; 0 when there is none."""
        self._random = random
        self._made = 0
        self._order = 0
        self._under_way: list[tuple[int, int, Crossing, bool]] = []
        self._frozen: list[Crossing] = []

    def next_work(self) -> int | None:
        """When something arrives next."""
        return self._under_way[0][0] if self._under_way else None

    def arrivals(self, at: int) -> Iterator[Crossing]:
        """What arrives by now, in order; what has to cross a link that is down freezes."""
        while self._under_way and self._under_way[0][0] <= at:
            _, _, crossing, crosses = heappop(self._under_way)
            if crosses and crossing.connection != self.connection:
                continue  # its connection is gone, and what it carried with it
            if crosses and not self.up:
                self._frozen.append(crossing)
                continue
            yield crossing

    def connect(self) -> int:
        """A new connection; the one before it is gone."""
        self._made += 1
        self.connection = self._made
        self._frozen.clear()
        return self.connection

    def close(self) -> None:
        """The connection is gone, and what was under way on it."""
        self.connection = 0
        self._frozen.clear()

    def send(self, what: str, body: Any, at: int, *, sure: bool = False) -> None:
        """Across the link, on the connection that lives. `sure`: neither lost nor twice (a greeting of TCP itself)."""
        chance = 1.0 if sure else self._random.random()
        if chance < LOST:
            return
        self._put(Crossing(what, self.connection, body), at + self._late(), True)
        if LOST <= chance < LOST + AGAIN:
            self._put(Crossing(what, self.connection, body), at + self._late(), True)

    def later(self, what: str, body: Any, at: int) -> None:
        """On one side of the link, at that moment."""
        self._put(Crossing(what, self.connection, body), at, False)

    def link(self, up: bool, at: int) -> None:
        """The link is cut, or mended: what froze goes on its way again."""
        if up is self.up:
            return
        self.up = up
        if up:
            frozen, self._frozen = self._frozen, []
            for crossing in frozen:
                self._put(crossing, at + self._late(), True)
        elif self.connection:
            self.later("keepalive", None, at + KEEPALIVE_MS)

    def _late(self) -> int:
        low, high = SLOW_MS if self._random.random() < SLOW else FAST_MS
        return self._random.randint(low, high)

    def _put(self, crossing: Crossing, at: int, crosses: bool) -> None:
        self._order += 1
        heappush(self._under_way, (at, self._order, crossing, crosses))
