"""What is due by the wall clock: late-to-close, automatic arming, guard tours, the daily report.

Nothing ever disarms by schedule, and a clock that is not sure moves none.
"""

from collections.abc import Mapping
from dataclasses import replace

from rules import arming, tours
from rules.draft import Draft, about_areas
from rules.effects import JsonValue
from rules.index import site_index
from rules.schedule import DAY, MAX_DAY, NEW, arms_at, closed_since, hours_on, put
from rules.site import Schedule, Site
from rules.state import Closing, PanelState, changed
from rules.stimuli import ClockTold
from rules.table import SET_MODES, AreaMode
from rules.who import Who


def idle(site: Site, state: PanelState, clock: ClockTold) -> bool:
    """Whether nothing is due by this minute; without a draft, since it is so in nearly every minute of a life."""
    durable, now = state.durable, clock.day * DAY + clock.minute
    if not _kept_dull(site, durable.closings, now) or clock.day > MAX_DAY or durable.clock_sure is not clock.sure:
        return False
    reported = durable.reported_day == clock.day or clock.minute < site.timings.report_minute
    return reported and clock.day > 0 and 0 <= clock.minute < DAY and not tours.near(site, now)


def noted(state: PanelState, clock: ClockTold) -> PanelState:
    """The state with this time of the clock, and nothing else."""
    live = changed(state.live, day=clock.day, minute=clock.minute, sure=clock.sure)
    if (due := state.live.__dict__.get("_due")) is not None:
        live.__dict__["_due"] = due  # the clock moves no deadline
    return PanelState(state.durable, live)


def told(d: Draft, clock: ClockTold) -> None:
    """The clock was told: do what is due by it."""
    if not (0 < clock.day <= MAX_DAY and 0 <= clock.minute < DAY):
        return
    d.note(day=clock.day, minute=clock.minute, sure=clock.sure)
    if d.durable.clock_sure is not clock.sure:
        d.keep(clock_sure=clock.sure)
    _report(d, clock)
    if clock.sure:
        now = clock.day * DAY + clock.minute
        if not _dull(d, now):
            for id_, areas in site_index(d.site).scheduled.items():
                schedule = d.site.schedules[id_]
                closing = closed_since(d.site, schedule, now)
                for area in areas:
                    if _concerns(d.durable.closings.get(area, NEW), schedule, closing):
                        _tend(d, area, schedule, now, closing)
        tours.begin(d, now)


def _kept_dull(site: Site, closings: Mapping[str, Closing], now: int) -> bool:
    kept = site.__dict__.get("_dull_until")
    return kept is not None and kept[0] is closings and kept[1] <= now < kept[2]


def _dull(d: Draft, now: int) -> bool:
    """Whether no schedule wants anything before its next opening or closing: kept in the site, for all minutes till
    then, as long as nothing is done about a closing time."""
    closings = d.durable.closings
    if _kept_dull(d.site, closings, now):
        return True
    edge = now - now % DAY + DAY
    for id_, areas in site_index(d.site).scheduled.items():
        schedule = d.site.schedules[id_]
        closing = closed_since(d.site, schedule, now)
        if any(_concerns(closings.get(area, NEW), schedule, closing) for area in areas):
            return False
        if hours := hours_on(d.site, schedule, now // DAY):
            edges = (now - now % DAY + minute for minute in (hours.opens, hours.closes))
            edge = min(edge, *(moment for moment in edges if moment > now), now - now % DAY + DAY)
    d.site.__dict__["_dull_until"] = (closings, now, edge)
    return True


def _concerns(known: Closing, schedule: Schedule, closing: int | None) -> bool:
    """Whether anything may be due of this closing time: asked for each area in every minute of its life."""
    if closing is None or known.due > closing:
        return bool(known.due or known.postponed)
    late = schedule.late_after_min is not None and known.late != closing
    return late or arms_at(known, schedule, closing) is not None


def _tend(d: Draft, area: str, schedule: Schedule, now: int, closing: int | None) -> None:
    known = d.durable.closings.get(area, NEW)
    if closing is None:
        if known.due or known.postponed:
            put(d, area, replace(known, due=0, postponed=0))
        return
    disarmed = d.areas[area].mode is AreaMode.DISARMED
    if schedule.late_after_min is not None and now >= closing + schedule.late_after_min and known.late != closing:
        known = replace(known, late=closing)
        put(d, area, known)
        if disarmed:
            d.record("area.late-to-close", {**about_areas(d.site, [area]), "by": f"schedule:{schedule.id}"})
    due = arms_at(known, schedule, closing)
    if due is None:
        return
    if now >= due:
        put(d, area, replace(known, auto=closing, due=0, postponed=0))
        if disarmed:
            arming.arm(d, [area], Who(f"schedule:{schedule.id}", "", "schedule"), arming.Way(override=True))
    elif disarmed and now >= due - schedule.warn_min and known.warned != due:
        put(d, area, replace(known, warned=due))
        d.tell("", "auto-arm-soon", {"areas": [area], "minutes": due - now})


def _report(d: Draft, clock: ClockTold) -> None:
    """The daily report (CID 602): that the panel lives and what stands, also to a center that polls nobody."""
    if d.durable.reported_day == clock.day or clock.minute < d.site.timings.report_minute:
        return
    first = d.durable.reported_day == 0
    d.keep(reported_day=clock.day)
    if first and clock.minute > d.site.timings.report_minute:
        return  # a panel that is new today reports from tomorrow on
    out = [z for z in d.zones.values() if z.out]
    troubles = sorted(d.durable.troubles)
    armed: list[JsonValue] = [a.id for a in d.areas.values() if a.mode in SET_MODES]
    d.record(
        "test.report-trouble" if troubles else "test.report",
        {
            "set": armed,
            "troubles": troubles[:64],
            "bypassed": [z.id for z in out if z.bypassed][:64],
            "isolated": [z.id for z in out if z.isolated][:64],
            "indications": len(d.durable.indications),
        },
    )
