"""The wall clock: late to close, automatic arming, openings outside hours, the daily report."""

from collections import deque
from typing import ClassVar

from hil.life.happenings import Commanded, Dark, Recorded, Typed, WallClock
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books
from hil.life.oracle_group import Group
from rules.site import Hours, Schedule, Site
from rules.stimuli import Wish

DAY = 1_440
EXIT_MS = 600_000
"""An exit delay is over by then."""


def hours_of(books: Books, schedule: Schedule, day: int) -> Hours | None:
    """The opening hours of a day: a dated day overrides the week. Ordinal 1 was a Monday."""
    if day in books.site.days:
        return books.site.days[day]
    return schedule.week[(day - 1) % 7]


def is_open(books: Books, schedule: Schedule, margin: int, after: int = 0) -> bool:
    """Whether it is surely inside opening hours, `margin` minutes from their ends, the end put off by `after`."""
    hours = hours_of(books, schedule, books.day)
    return hours is not None and hours.opens + margin <= books.minute < hours.closes + after - margin


def is_closed(books: Books, schedule: Schedule, margin: int) -> bool:
    """Whether it is surely outside opening hours."""
    hours = hours_of(books, schedule, books.day)
    return hours is None or books.minute < hours.opens - margin or books.minute > hours.closes + margin


def may_arm_itself(books: Books, area: AreaBook) -> bool:
    """Automatic arming comes by a sure clock, some minutes after closing (Arming, Schedule)."""
    return books.sure and is_ripe(books, area)


def is_ripe(books: Books, area: AreaBook) -> bool:
    """Whether automatic arming may come at the last time that was told, if that was a sure one."""
    schedule = books.site.schedules.get(area.facts.schedule)
    if schedule is None or schedule.auto_after_min is None:
        return False
    return not is_open(books, schedule, 1, schedule.auto_after_min)


def _ripe_minutes(site: Site) -> frozenset[int]:
    """Minutes of the day at which anything can be due after a closing time: all others are passed over."""
    found = set()
    for schedule in site.schedules.values():
        for hours in (*schedule.week, *site.days.values()):
            for after in (schedule.late_after_min, schedule.auto_after_min):
                if hours is not None and after is not None:
                    found.add((hours.closes + after) % DAY)
    return frozenset(found)


class Schedules(Group):
    """What is due by the clock. Expected only where it ran evenly, minute by minute, since closing time."""

    kinds: ClassVar[tuple[str, ...]] = (
        "area.late-to-close",
        "area.armed-automatically",
        "area.auto-arm-failed",
        "area.opened-outside-hours",
        "test.report",
        "test.report-trouble",
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._even_since = 1 << 62
        self._set_at = -EXIT_MS
        self._late_for: dict[str, int] = {}
        self._postponed_at = -1
        self._latest = 0
        self._report_day = -1
        self._report_days: deque[int] = deque(maxlen=64)
        self._ripe = _ripe_minutes(books.site)

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self._late_for.clear()
        self._report_day = -1

    def dark(self, happening: Dark) -> None:  # noqa: ARG002
        self._even_since = 1 << 62

    def typed(self, happening: Typed) -> None:
        if happening.wish is Wish.POSTPONE:
            self._postponed_at = happening.at

    def commanded(self, happening: Commanded) -> None:
        if happening.wish is Wish.POSTPONE:
            self._postponed_at = happening.at

    def clock(self, happening: WallClock, day: int, minute: int, sure: bool) -> None:
        now, before = happening.day * DAY + happening.minute, day * DAY + minute
        again = 0 <= self._latest - now < 2 * DAY
        self._latest = now if abs(now - self._latest) >= 2 * DAY else max(now, self._latest)
        if not happening.sure or not sure or now - before not in (0, 1):
            self._even_since = now if happening.sure else 1 << 62
            self._set_at = self.books.now if sure and happening.sure else self._set_at
            if now < before:
                self._late_for.clear()
                self._report_day = -1
            return
        if now == before or not self.books.awake or again:
            return  # what was told before is not due again
        due = happening.minute == self.books.site.timings.report_minute
        if due and happening.day not in self._report_days:
            self._must_report()
        if happening.minute not in self._ripe:
            return
        for area in self.books.areas.values():
            schedule = self.books.site.schedules.get(area.facts.schedule)
            if schedule is not None and area.mode == "disarmed":
                self._due(area, schedule, now)

    def _due(self, area: AreaBook, schedule: Schedule, now: int) -> None:
        for day in (self.books.day, self.books.day - 1):
            hours = hours_of(self.books, schedule, day)
            if hours is None:
                continue
            closes = day * DAY + hours.closes
            minutes = now - closes
            if minutes not in (schedule.late_after_min, schedule.auto_after_min):
                continue
            if closes <= self._even_since or self._opens_between(schedule, closes, now):
                continue
            closed_at = self.books.now - minutes * 60_000
            if minutes == schedule.late_after_min:
                self._must(area, "late-to-close", ("area.late-to-close",))
            if minutes == schedule.auto_after_min and area.disarmed_at < closed_at and self._postponed_at < closed_at:
                self._must_arm(area)

    def _opens_between(self, schedule: Schedule, closes: int, now: int) -> bool:
        hours = hours_of(self.books, schedule, now // DAY)
        return hours is not None and closes < now // DAY * DAY + hours.opens <= now

    def _must(self, area: AreaBook, rule: str, kinds: tuple[str, ...], what: str = "is due") -> None:
        at, books, id_ = self.books.now, self.books, area.facts.id

        def check(_due: int) -> None:
            if not books.recorded_since(at, kinds, id_) and not books.storage_bad():
                books.blame(rule, f"{id_}: {kinds[0]} {what} at {at}, and is not recorded")

        books.expect(at + DURABLE_MS, check)

    def _must_arm(self, area: AreaBook) -> None:
        at, books, id_ = self.books.now, self.books, area.facts.id

        def check(_due: int) -> None:
            failed = books.recorded_since(at, ("area.auto-arm-failed",), id_)
            if area.mode == "disarmed" and area.mode_at < at and not failed and not books.storage_bad():
                books.blame("auto-arm", f"{id_} was due at {at}, and neither arms nor says why not")

        books.expect(at + DURABLE_MS, check)

    def _must_report(self) -> None:
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            if not books.recorded_since(at, ("test.report", "test.report-trouble"), "") and not books.storage_bad():
                books.blame("daily-report", f"the report of {at} is missing")

        books.expect(at + DURABLE_MS, check)

    def moded(self, area: AreaBook, old: str) -> None:  # noqa: ARG002
        """A disarming outside opening hours is recorded as that besides."""
        schedule = self.books.site.schedules.get(area.facts.schedule)
        if area.mode != "disarmed" or schedule is None or not self.books.sure:
            return
        if self.books.now - self.books.told_clock_at <= 61_000 and is_closed(self.books, schedule, 1):
            self._must(area, "outside-hours", ("area.opened-outside-hours",))

    def recorded(self, happening: Recorded) -> None:
        if happening.kind in ("test.report", "test.report-trouble"):
            self._reported(happening)
            return
        for area in self.books.by_id(happening.payload.get("areas")):
            schedule = self.books.site.schedules.get(area.facts.schedule)
            if schedule is not None:
                self._by_schedule(happening, area, schedule)
            elif happening.kind != "area.armed-automatically":
                self.books.blame("auto-arm", f"{happening.kind} of {area.facts.id}, which has no schedule")

    def _by_schedule(self, record: Recorded, area: AreaBook, schedule: Schedule) -> None:
        books, id_ = self.books, area.facts.id
        # What began before the clock was set was decided by another time.
        even = books.sure and books.told_clock_at > books.awake_at and books.now - self._set_at > EXIT_MS
        if record.kind == "area.opened-outside-hours":
            if even and is_open(books, schedule, 2):
                books.blame("outside-hours", f"{id_} was opened at minute {books.minute}, inside its hours")
            return
        if record.kind == "area.late-to-close":
            if even and is_open(books, schedule, 2, schedule.late_after_min or 0):
                books.blame("late-to-close", f"{id_}: reported at minute {books.minute}")
            key = self._last_close(schedule)
            if self._late_for.get(id_) == key and key:
                books.blame("late-to-close", f"{id_}: reported twice for one closing time")
            self._late_for[id_] = key
        elif even and is_open(books, schedule, 2, schedule.auto_after_min or 0):
            books.blame("auto-arm", f"{id_}: {record.kind} at minute {books.minute}")

    def _last_close(self, schedule: Schedule) -> int:
        now = self.books.day * DAY + self.books.minute
        for day in range(self.books.day, self.books.day - 8, -1):
            hours = hours_of(self.books, schedule, day)
            if hours is not None and day * DAY + hours.closes <= now:
                return day * DAY + hours.closes
        return 0

    def _reported(self, record: Recorded) -> None:
        books = self.books
        if self._report_day == books.day and books.sure and books.day:
            books.blame("daily-report", f"two reports on day {books.day}")
        self._report_day = books.day
        self._report_days.append(books.day)
        calm = all(record.at - at > DURABLE_MS for at in books.trouble_at.values())
        if calm and books.now - books.awake_at > DURABLE_MS + AT_ONCE_MS:
            stands = bool(books.view.get("troubles"))
            if stands is not (record.kind == "test.report-trouble"):
                books.blame("daily-report", f"{record.kind}, and troubles are {list(books.view.get('troubles', ()))}")
