"""Held reports: each is followed by its alarm or its abort, never both, never neither; cancel and recent close."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from hil.life.happenings import Awake, Recorded
from hil.life.oracle_books import DURABLE_MS, KEPT_MS, AreaBook, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import INTRUDER_KINDS
from rules.site import Condition

LOOSE_MS = 5_000
Key = tuple[str, object]
"""Zone, incident."""


@dataclass
class Waiting:
    """A report that waits. `began`: when the zone tripped, at the latest."""

    zone: ZoneBook
    began: int
    due: int
    aborted_by: int = -1
    over: str = ""
    lost: bool = False
    """A power cut may have taken it from a journal in memory."""
    areas: tuple[AreaBook, ...] = field(default=())


class HeldReports(Group):
    """CP-01 rows 7 to 11 and 20, EN 50131-1/A1."""

    kinds: ClassVar[tuple[str, ...]] = (
        "zone.alarm-held",
        "area.alarm-aborted",
        "area.alarm-cancelled",
        "area.recent-close",
        *INTRUDER_KINDS,
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._waiting: dict[Key, Waiting] = {}
        self._reported: dict[str, int] = {}
        self._intruder: dict[str, int] = {}
        self._first: dict[str, bool] = {}
        self._begun: dict[str, int] = {}
        """When the armed period of an area began, its exit delay included."""

    def recorded(self, happening: Recorded) -> None:
        kind = happening.kind
        if kind == "zone.alarm-held":
            self._held(happening)
        elif kind == "area.alarm-aborted":
            self._aborted(happening)
        elif kind == "area.alarm-cancelled":
            self._cancelled(happening)
        elif kind == "area.recent-close":
            self._recent(happening)
        else:
            self._alarm(happening)

    # --- held, then reported or aborted

    def _held(self, record: Recorded) -> None:
        zone = self.books.zones.get(str(record.payload.get("zone", "")))
        if zone is None:
            return
        timings = self.books.site.timings
        entry = max([*(max(a.facts.entry_delay_ms, a.facts.entry_delay_2_ms) for a in zone.areas), 0])
        longest = max(timings.abort_ms, timings.entry_hold_ms, entry, zone.facts.entry_delay_ms or 0)
        began = min(record.at, zone.told_at if zone.told is not Condition.NORMAL else record.at)
        # What trips while another report of its areas waits, waits with it.
        before = [
            w.began for w in self._waiting.values() if not w.over and set(w.zone.facts.areas) & set(zone.facts.areas)
        ]
        waiting = Waiting(zone, min([began, *before]), record.at + longest, areas=zone.areas)
        if all(a.mode == "disarmed" for a in zone.areas):
            waiting.aborted_by = record.at
        if record.at == self.books.dark_at:
            self._goes_on(waiting)
        key = (zone.facts.id, record.payload.get("incident"))
        self._waiting[key] = waiting
        for area in zone.areas:
            self._first[area.facts.id] = False
        self._expect(key)
        if len(self._waiting) > 4_096:
            self._waiting = {k: w for k, w in self._waiting.items() if not w.over}

    def _expect(self, key: Key) -> None:
        waiting = self._waiting[key]

        def check(_due: int) -> None:
            if not waiting.over and not waiting.lost and not self.books.storage_bad():
                self.books.blame(
                    "report-unresolved", f"the held alarm {key} of {waiting.began} is neither reported nor aborted"
                )

        self.books.expect(waiting.due + DURABLE_MS, check)

    def _goes_on(self, waiting: Waiting) -> None:
        books = self.books
        if books.cause == "restart":
            waiting.due = max(waiting.due, books.awake_at)
        else:
            waiting.due = books.awake_at + max(0, waiting.due - books.dark_at) + KEPT_MS

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        """What was held then, or has been since, may be reported, aborted, or neither."""
        for waiting in self._waiting.values():
            waiting.lost = True

    def awake(self, happening: Awake) -> None:  # noqa: ARG002
        """Held reports are durable: they go on, with what remained."""
        for key, waiting in self._waiting.items():
            if not waiting.over and waiting.began <= self.books.dark_at:
                self._goes_on(waiting)
                self._expect(key)

    def _alarm(self, record: Recorded) -> None:
        zone = str(record.payload.get("zone", ""))
        waiting = self._waiting.get((zone, record.payload.get("incident")))
        for area in self.books.by_id(record.payload.get("areas")):
            self._reported[area.facts.id] = record.at
            if record.kind == "alarm.intruder":
                self._intruder[area.facts.id] = record.at
                if waiting is None:
                    self._first_alarm(area, record)
            self._first[area.facts.id] = False
        if waiting is None or waiting.lost:
            return
        if waiting.over:
            self.books.blame("report-both", f"{record.kind} of {zone} was {waiting.over} already")
        waiting.over = "reported"
        timings = self.books.site.timings
        holds = [h for h in (timings.abort_ms, timings.entry_hold_ms) if h]
        if holds and record.at - waiting.began < min(holds) - LOOSE_MS and self.books.awake_at < waiting.began:
            self._early(waiting, record)
        if 0 <= waiting.aborted_by < record.at - DURABLE_MS and not self.books.storage_bad():
            self.books.blame("report-both", f"{zone} was disarmed at {waiting.aborted_by}, and reported after that")

    def _early(self, waiting: Waiting, record: Recorded) -> None:
        """Before its time only where a second detector has confirmed it: the words do not say that it waits then."""
        books = self.books

        def check(_due: int) -> None:
            since = record.at - LOOSE_MS
            if not any(books.recorded_since(since, ("alarm.confirmed",), a.facts.id) for a in waiting.areas):
                late = record.at - waiting.began
                books.blame(
                    "report-early", f"{record.kind} of {waiting.zone.facts.id} went out {late} ms after its trip"
                )

        books.expect(record.at + LOOSE_MS, check)

    def _aborted(self, record: Recorded) -> None:
        """Only the disarming of all the zone's areas aborts (False alarms, Abort window; Entry)."""
        incidents: Any = record.payload.get("incidents") or ()
        found = [(key, w) for key, w in self._waiting.items() if key[1] in incidents]
        if not found and not any(w.lost for w in self._waiting.values()):
            self.books.blame("abort-without-disarm", f"an abort of {incidents}, and nothing was held")
        for key, waiting in found:
            if waiting.lost:
                continue
            if waiting.over:
                self.books.blame("report-both", f"the held alarm {key} was {waiting.over} already, and is aborted")
            waiting.over = "aborted"
            armed = any(a.disarmed_at < waiting.began and a.durable != "disarmed" for a in waiting.areas)
            if armed and waiting.aborted_by < 0:
                self.books.blame("abort-without-disarm", f"the held alarm {key} is aborted, and not all was disarmed")

    def moded(self, area: AreaBook, old: str) -> None:
        if area.mode == "disarmed":
            for waiting in self._waiting.values():
                if not waiting.over and area in waiting.areas and all(a.mode == "disarmed" for a in waiting.areas):
                    waiting.aborted_by = self.books.now
            self._must_cancel(area)
        elif old == "disarmed":
            self._begun[area.facts.id] = self.books.now
        elif area.mode == "armed" and old == "exit-delay":
            self._first[area.facts.id] = True

    # --- cancel

    def _must_cancel(self, area: AreaBook) -> None:
        """Who disarms within the window after an intruder report cancels it (CP-01 row 11)."""
        at, id_, books = self.books.now, area.facts.id, self.books
        reported = self._intruder.get(id_, -1)
        window = books.site.timings.cancel_ms
        if not window or reported < self._begun.get(id_, at) or at - reported > window - DURABLE_MS:
            return
        if books.awake_at > reported:
            return

        def check(_due: int) -> None:
            if not books.recorded_since(at, ("area.alarm-cancelled",), id_) and not books.storage_bad():
                books.blame("cancel", f"{id_} was disarmed {at - reported} ms after a report, which is not cancelled")

        books.expect(at + DURABLE_MS, check)

    def _cancelled(self, record: Recorded) -> None:
        books = self.books
        window = books.site.timings.cancel_ms + 2 * DURABLE_MS
        areas = books.by_id(record.payload.get("areas"))
        reported = {a.facts.id: self._reported.get(a.facts.id, -window * 9) for a in areas}
        late = [id_ for id_, at in reported.items() if record.at - at > window + books.dark_since(at)]
        undone = [a.facts.id for a in areas if record.at - a.disarmed_at > DURABLE_MS]
        if late and len(late) == len(areas):
            books.blame("cancel", f"a cancel of {late}, which reported no intruder alarm in time")
        elif undone and len(undone) == len(areas) and not books.storage_bad():
            books.blame("cancel", f"a cancel of {undone}, which nobody disarmed")

    # --- recent close

    def _first_alarm(self, area: AreaBook, record: Recorded) -> None:
        """The first intruder alarm within two minutes of the end of the exit delay (CP-01 row 20)."""
        books, id_ = self.books, area.facts.id
        zone = books.zones.get(str(record.payload.get("zone", "")))
        first, self._first[id_] = self._first.get(id_, False), False
        tripped = zone.told_at if zone else 0
        window = books.site.timings.recent_close_ms
        if not first or not window or books.awake_at > area.armed_at or len(area_ids(record)) != 1:
            return
        if not area.armed_at <= tripped <= record.at or record.at - area.armed_at > window - LOOSE_MS:
            return

        def check(_due: int) -> None:
            if not books.recorded_since(tripped, ("area.recent-close",), id_) and not books.storage_bad():
                books.blame("recent-close", f"{id_} alarmed {tripped - area.armed_at} ms after arming; no recent close")

        books.expect(record.at + DURABLE_MS, check)

    def _recent(self, record: Recorded) -> None:
        window = self.books.site.timings.recent_close_ms + 3 * DURABLE_MS + self.books.site.timings.abort_ms
        areas = self.books.by_id(record.payload.get("areas"))
        if all(record.at - a.armed_at > window + self.books.dark_since(a.armed_at) for a in areas):
            self.books.blame("recent-close", f"{area_ids(record)} were armed long before {record.at}")


def area_ids(record: Recorded) -> list[str]:
    """The areas that a record names."""
    areas = record.payload.get("areas")
    return [str(a) for a in areas] if isinstance(areas, list | tuple) else []
