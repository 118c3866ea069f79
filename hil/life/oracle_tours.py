"""Guard tours: a checkpoint that was reached in its window is recorded as reached, one that was not as missed."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from hil.life.happenings import Recorded, WallClock
from hil.life.oracle_books import DURABLE_MS, Books, ZoneBook
from hil.life.oracle_group import Group
from rules.site import Condition, Tour, ZoneType

MINUTE = 60_000
MARGIN_MS = 65_000
"""A window is told in minutes: so near to its ends either verdict will do."""


@dataclass
class Walked:
    """When a checkpoint was activated, as the panel was told."""

    times: list[int] = field(default_factory=list)


class Tours(Group):
    """Each tour that starts by an even clock, and is not cut by a dark panel."""

    kinds: ClassVar[tuple[str, ...]] = ("tour.started",)

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._begun: dict[str, deque[int]] = {tour: deque(maxlen=64) for tour in books.site.tours}
        """At which told minutes each tour began: a clock that tells them again begins none."""
        self._starts_of: dict[str, int] = dict.fromkeys(books.site.tours, 0)
        self._by_minute: dict[tuple[int, int], list[Tour]] = {}
        for tour in books.site.tours.values():
            for start in tour.starts:
                self._by_minute.setdefault(start, []).append(tour)
        self._walked = {z.id: Walked() for z in books.site.zones.values() if z.type is ZoneType.CHECKPOINT}

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:  # noqa: ARG002
        walked = self._walked.get(zone.facts.id)
        if walked is not None and zone.wire is Condition.ACTIVE and not asked:
            walked.times = [*walked.times[-31:], self.books.now]

    def clock(self, happening: WallClock, day: int, minute: int, sure: bool) -> None:
        now, before = happening.day * 1_440 + happening.minute, day * 1_440 + minute
        if not (happening.sure and sure and now - before == 1 and self.books.awake):
            return
        for tour in self._by_minute.get(((happening.day - 1) % 7, happening.minute), ()):
            if not any(0 <= begun - now <= 16 for begun in self._begun[tour.id]):
                self._starts(tour, happening.at)

    def recorded(self, happening: Recorded) -> None:
        tour = str(happening.payload.get("tour", ""))
        if tour in self._begun:
            self._begun[tour].append(self.books.day * 1_440 + self.books.minute)
            self._starts_of[tour] += 1

    def _starts(self, tour: Tour, at: int) -> None:
        books = self.books

        def begun(_due: int) -> None:
            if not books.recorded_since(at, ("tour.started",), tour.id) and not books.storage_bad():
                books.blame("tour", f"{tour.id} was due at {at}, and did not start")

        books.expect(at + DURABLE_MS, begun)
        length = max(stop.until_min for stop in tour.stops)
        minutes = [w * 1_440 + m for w, m in tour.starts]
        gaps = [(b - a) % 10_080 or 10_080 for a in minutes for b in minutes]
        if min(gaps) <= length + 2:
            return  # the next start ends it before its time
        for stop in tour.stops:
            low, high = at + stop.after_min * MINUTE, at + stop.until_min * MINUTE
            judge = partial(self._judge, tour.id, self._starts_of[tour.id], stop.zone, low, high)
            books.expect(high + DURABLE_MS + MARGIN_MS, judge)

    def _judge(self, tour: str, before: int, id_: str, low: int, high: int, _due: int) -> None:
        """Reached in its window, or missed at the end of it."""
        if self._starts_of[tour] > before + 1:
            return  # a clock that was set to another day began it anew, which ends the one before (Guard tours)
        books, zone = self.books, self.books.zones[id_]
        if zone.out is not False or id_ not in self._walked or books.storage_bad():
            return
        times = self._walked[id_].times
        inside = [t for t in times if low + MARGIN_MS <= t <= high - MARGIN_MS]
        near = [t for t in times if low - MARGIN_MS <= t <= high + MARGIN_MS]
        if inside and not books.recorded_since(inside[0], ("tour.reached", "tour.out-of-order"), id_):
            books.blame("tour", f"{id_} was reached at {inside[0]}, inside {low} to {high}, and is not recorded")
        missed = books.recorded_since(high - MARGIN_MS, ("tour.missed",), id_)
        if inside and missed and not self._elsewhere(id_):
            books.blame("tour", f"{id_} was reached at {inside[0]}, and is recorded as missed")
        if not near and not missed:
            books.blame("tour", f"{id_} was not reached from {low} to {high}, and is not recorded as missed")

    def _elsewhere(self, id_: str) -> bool:
        """It belongs to several tours or stops: another one may have missed it."""
        return sum(stop.zone == id_ for tour in self.books.site.tours.values() for stop in tour.stops) > 1
