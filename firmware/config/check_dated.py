"""Whether schedules, special days and guard tours can be kept: hours, dates, windows."""

import re
from collections.abc import Callable, Iterator
from datetime import date

from firmware.config.findings import twice, wrong
from firmware.config.hours import DATE, HOURS, MINUTES_A_DAY, TIME, WEEKDAYS, are_hours, minute_of, time_text
from firmware.config.mistakes import Finding, Loc, show
from firmware.config.rows import Document, Row
from firmware.language import Text

MAX_DAYS = 100
"""One [[day]] goes on for so long at most: the longest school holidays."""
MAX_ROWS = 128
"""As many as the models take; a file with more has another mistake."""
_HOURS_KEYS = (*WEEKDAYS, "weekdays", "weekend")
_MINUTES_A_WEEK = 7 * MINUTES_A_DAY
_HOURS: Text = (
    'opening before closing, both of one day, as "08:30-17:30"; or "closed"',
    '同一天内先开门后关门，如 "08:30-17:30"；或 "closed"',
)


def _hours(document: Document) -> Iterator[Finding]:
    rows: list[tuple[Row, tuple[str, ...]]] = [(row, _HOURS_KEYS) for row in document.rows("schedule")]
    rows += [(row, ("hours",)) for row in document.rows("day")]
    for row, keys in rows:
        for key in keys:
            text = row.text(key)
            # What is not even written like hours is found by the models.
            if re.fullmatch(HOURS, text) and not are_hours(text):
                yield wrong(row, key, _HOURS, ("no hours of one day", "不是一天之内的时段"))


def _week(document: Document) -> Iterator[Finding]:
    for schedule in document.rows("schedule"):
        for number, day in enumerate(WEEKDAYS):
            group = "weekdays" if number < 5 else "weekend"
            if not schedule.has(day) and not schedule.has(group):
                yield wrong(
                    schedule,
                    day,
                    (f'hours or "closed", here or as {group}', f'时段或 "closed"，写在此处或 {group}'),
                    ("what is open on this day is not said", "未说明这一天的开放时间"),
                )


def _closing(document: Document) -> Iterator[Finding]:
    for schedule in document.rows("schedule"):
        late, auto = schedule.number("late_after_min"), schedule.number("auto_arm_after_min")
        if late is not None and auto is not None and auto < late:
            yield wrong(
                schedule,
                "auto_arm_after_min",
                (f"at least late_after_min ({late})", f"不小于 late_after_min({late})"),
                ("it would arm itself before it is late", "会在判定为延误之前自动布防"),
            )
        for key in ("warn_min", "postpone_min", "postpones"):
            if schedule.has(key) and auto is None:
                yield wrong(
                    schedule,
                    key,
                    ("auto_arm_after_min besides", "同时设置 auto_arm_after_min"),
                    ("nothing arms itself here", "此时间表不自动布防"),
                )


def _days(document: Document) -> Iterator[Finding]:
    seen: set[int] = set()
    for row in document.rows("day")[:MAX_ROWS]:
        for key in ("date", "until"):
            if re.fullmatch(DATE, row.text(key)) and _ordinal(row.text(key)) is None:
                expected: Text = ('a day as "2026-10-01"', '如 "2026-10-01" 的日期')
                yield wrong(row, key, expected, ("there is no such day", "没有这一天"))
        first = _ordinal(row.text("date"))
        last = _ordinal(row.text("until")) if row.has("until") else first
        if first is None or last is None:
            continue
        if not first <= last < first + MAX_DAYS:
            expected = (f"the same day or a later one, at most {MAX_DAYS} days", f"同一天或其后，至多 {MAX_DAYS} 天")
            yield wrong(row, "until", expected, ("not a span of days", "不是有效的日期区间"))
            continue
        days = range(first, last + 1)
        if again := seen.intersection(days):
            found = show(date.fromordinal(min(again)).isoformat())
            expected = ("each day only once", "每天只设一次")
            yield Finding(row.at("date"), found, expected, ("this day is set twice", "这一天重复设置"))
        seen.update(days)


def _ordinal(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal() if re.fullmatch(DATE, text) else None
    except ValueError:
        return None


def _stops(document: Document) -> Iterator[Finding]:
    checkpoints = {z.text("id") for z in document.rows("zone") if z.text("type") == "checkpoint"} - {""}
    for tour in document.rows("tour"):
        stops = tour.tables("stops")
        zones = [(stop.at("zone"), stop.text("zone")) for stop in stops if stop.text("zone")]
        names = ", ".join(sorted(checkpoints)[:12]) or "–"
        for loc, name in zones:
            if name not in checkpoints:
                yield Finding(
                    loc,
                    show(name),
                    (f'a zone of type "checkpoint": {names}', f'类型为 "checkpoint" 的防区：{names}'),
                    ("this is no checkpoint", "这不是巡更点"),
                )
        yield from twice(
            zones, ("each only once", "每个只列一次"), ("a checkpoint twice in one tour", "巡更点在同一路线中重复")
        )
        yield from _windows(stops)


def _windows(stops: list[Row]) -> Iterator[Finding]:
    before = (0, 0)
    for stop in stops:
        after, until = stop.number("after_min", 0), stop.number("until_min")
        if after is None or until is None:
            continue
        if until <= after:
            yield wrong(
                stop,
                "until_min",
                (f"more than after_min ({show(after)})", f"大于 after_min({show(after)})"),
                ("the window ends before it begins", "时间窗口先结束后开始"),
            )
        elif after < before[0] or until < before[1]:
            yield wrong(
                stop,
                "after_min" if after < before[0] and stop.has("after_min") else "until_min",
                (
                    f"not before those of the stop before it ({before[0]} to {before[1]})",
                    f"不早于前一巡更点的窗口({before[0]} 至 {before[1]})",
                ),
                ("the windows of a tour ascend", "巡更窗口必须依次递增"),
            )
        else:
            before = (after, until)


def _starts(document: Document) -> Iterator[Finding]:
    for tour in document.rows("tour"):
        for key in ("days", "starts"):
            yield from twice(tour.texts(key), ("each only once", "每个只列一次"), ("listed twice", "重复列出"))
        starts: list[tuple[Loc, int]] = []
        for loc, text in tour.texts("starts"):
            minute = minute_of(text)
            if minute is not None and minute < MINUTES_A_DAY:
                starts.append((loc, minute))
            elif re.fullmatch(TIME, text):
                expected: Text = ("a time from 00:00 to 23:59", "00:00 至 23:59 的时刻")
                yield Finding(loc, show(text), expected, ("there is no such time of day", "没有这个时刻"))
        yield from _overlap(tour, starts)


def _overlap(tour: Row, starts: list[tuple[Loc, int]]) -> Iterator[Finding]:
    """A tour must be over before it starts anew, over the night and the week's end too."""
    lasts = max((stop.number("until_min") or 0 for stop in tour.tables("stops")), default=0)
    named = {WEEKDAYS.index(day) for _, day in tour.texts("days") if day in WEEKDAYS} or set(range(7))
    moments = sorted({(day * MINUTES_A_DAY + minute): loc for day in named for loc, minute in starts}.items())
    said: set[Loc] = set()
    for (moment, loc), (following, _) in zip(moments, [*moments[1:], *moments[:1]], strict=True):
        gap = (following - moment) % _MINUTES_A_WEEK or _MINUTES_A_WEEK
        if gap < lasts and loc not in said:
            said.add(loc)
            yield Finding(
                loc,
                show(time_text(moment % MINUTES_A_DAY)),
                (
                    f"the next start {show(lasts)} minutes later at the earliest",
                    f"下次开始至少在 {show(lasts)} 分钟之后",
                ),
                (f"the tour starts again after {gap} minutes, before it is over", f"路线未结束，{gap} 分钟后又开始"),
            )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_hours, _week, _closing, _days, _stops, _starts)
