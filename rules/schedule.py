"""Opening hours: when an area should be armed, and what became of which closing time.

What was done about a closing time is kept, so a clock that jumps, a restart or a day in the dark neither misses one nor
acts twice (`rules.daily` acts).
"""

from collections.abc import Mapping
from dataclasses import replace

from rules.draft import Draft, about_areas
from rules.effects import JsonValue
from rules.site import Hours, Schedule, Site
from rules.state import Closing
from rules.table import AreaMode
from rules.who import Who

DAY = 1440
MAX_DAY = 3_652_059
_LOOK_BACK_DAYS = 400
"""Longer than any holidays."""
_ALWAYS = 1
"""The closing time of a schedule that has not opened for so long."""
NEW = Closing()

Told = tuple[bool, str, Mapping[str, JsonValue]]


def hours_on(site: Site, schedule: Schedule, day: int) -> Hours | None:
    """The opening hours of a day; None when it is closed."""
    return site.days[day] if day in site.days else schedule.week[(day - 1) % 7]


def closed_since(site: Site, schedule: Schedule, now: int) -> int | None:
    """The closing time that `now` is after, both in minutes since day 0; None in opening hours."""
    day, minute = divmod(now, DAY)
    today, before = _known(site, schedule, day)
    if today and today.opens <= minute < today.closes:
        return None
    return day * DAY + today.closes if today and minute >= today.closes else before


def _known(site: Site, schedule: Schedule, day: int) -> tuple[Hours | None, int | None]:
    """The hours of this day and the closing time before it; kept for the day, since it is asked for every minute."""
    kept: dict[str, tuple[int, Hours | None, int | None]] = site.__dict__.setdefault("_hours", {})
    found = kept.get(schedule.id)
    if found is None or found[0] != day:
        found = kept[schedule.id] = (day, hours_on(site, schedule, day), _closing_before(site, schedule, day))
    return found[1], found[2]


def _closing_before(site: Site, schedule: Schedule, day: int) -> int:
    for before in range(day - 1, day - _LOOK_BACK_DAYS, -1):
        if before > 0 and (hours := hours_on(site, schedule, before)):
            return before * DAY + hours.closes
    return _ALWAYS


def put(d: Draft, area: str, closing: Closing) -> None:
    """Keep what became of an area's closing times."""
    d.keep(closings={**d.durable.closings, area: closing})


def arms_at(known: Closing, schedule: Schedule, closing: int) -> int | None:
    """When the area arms itself after this closing time, in minutes since day 0; None when it does not, or has."""
    if schedule.auto_after_min is None:
        return None
    if known.due > closing:  # one from before this closing time counts no more: the panel was dark meanwhile
        return known.due
    return None if known.auto == closing else closing + schedule.auto_after_min


def postpone(d: Draft, ids: list[str], who: Who) -> Told:
    """Put off the automatic arming of these areas that is near, as often as the schedule allows."""
    now = d.live.day * DAY + d.live.minute
    done = []
    for id_ in ids:
        schedule = d.site.schedules.get(d.site.areas[id_].schedule)
        closing = closed_since(d.site, schedule, now) if schedule and d.live.sure else None
        if schedule is None or closing is None:
            continue
        known = d.durable.closings.get(id_, NEW)
        due = arms_at(known, schedule, closing)
        if due is not None and known.postponed < schedule.postpones and d.areas[id_].mode is AreaMode.DISARMED:
            put(d, id_, replace(known, due=max(now, due) + schedule.postpone_min, postponed=known.postponed + 1))
            done.append(id_)
    if not done:
        return False, "nothing-to-postpone", {}
    d.record("area.auto-arm-postponed", {**about_areas(d.site, done), **who.told()})
    return True, "postponed", {"areas": list(done)}


def opened(d: Draft, ids: list[str], who: Who) -> None:
    """These areas were disarmed: outside opening hours the center is told, and automatic arming comes again."""
    if not d.live.sure:
        return
    now = d.live.day * DAY + d.live.minute
    outside = []
    for id_ in ids:
        schedule = d.site.schedules.get(d.site.areas[id_].schedule)
        if schedule is None or closed_since(d.site, schedule, now) is None:
            continue
        outside.append(id_)
        if schedule.auto_after_min is not None:
            known = d.durable.closings.get(id_, NEW)
            put(d, id_, replace(known, due=now + max(1, schedule.auto_after_min), postponed=0))
    if outside:
        d.record("area.opened-outside-hours", {**about_areas(d.site, outside), **who.told()})
