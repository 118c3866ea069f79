"""Reports that wait: an intruder alarm sounds at once, and is reported when its abort window, or the wait of an alarm
off the entry route, is over.

Sources: CP-01 rows 7 to 11 (digest §5), EN 50131-1/A1 (digest §1.4). Only intruder alarms ever wait.
"""

from rules.draft import Draft, about, about_areas, tripped_as
from rules.effects import JsonValue
from rules.site import Zone
from rules.state import Pending
from rules.table import AreaMode
from rules.who import Who

MAX_PENDING = 64
"""So many reports wait; a further alarm is reported at once."""


def hold(d: Draft, zone: Zone, kind: str, incident: int) -> bool:
    """Hold the report of this alarm back if it has to wait; before its areas change."""
    due = _due(d, zone, kind)
    waiting = d.durable.pending
    if due is None or due <= d.now or len(waiting) >= MAX_PENDING:
        return False
    condition = tripped_as(d, zone)
    recent = _just_armed(d, zone.areas)
    d.keep(pending=(*waiting, Pending(kind, zone.id, zone.areas, incident, condition, due, recent)))
    d.record(
        "zone.alarm-held",
        {**about(zone), "incident": incident, "kind": kind, "condition": condition, "report_in_ms": due - d.now},
    )
    return True


def _due(d: Draft, zone: Zone, kind: str) -> int | None:
    """When it may be reported; None for at once. What follows an alarm that was reported waits no more."""
    timings = d.site.timings
    areas = [d.areas[id_] for id_ in zone.areas]
    if any(area.reported_at is not None for area in areas):
        return None
    due = d.now + timings.abort_ms if timings.abort_ms and zone.abort else d.now
    off_route = kind != "alarm.entry" and timings.entry_hold_ms > 0
    for area in areas:
        if off_route and area.mode is AreaMode.ENTRY_DELAY and area.deadline is not None and area.deadline > d.now:
            due = max(due, d.now + timings.entry_hold_ms, area.deadline)
    mine = set(zone.areas)
    return max([due, *(p.due for p in d.durable.pending if mine.intersection(p.areas))])


def reports_due(d: Draft, areas: frozenset[str] | None = None) -> None:
    """Report what has waited long enough; of these areas, whatever waits."""
    waiting = d.durable.pending
    if not waiting:
        return
    ready = [p for p in waiting if (p.due <= d.now if areas is None else areas.intersection(p.areas))]
    if not ready:
        return
    d.keep(pending=tuple(p for p in waiting if p not in ready))
    for p in ready:
        d.record(p.kind, _payload(d, p))
        _reported(d, p.areas, p.incident, p.recent)


def _payload(d: Draft, p: Pending) -> dict[str, JsonValue]:
    zone = d.site.zones.get(p.zone)
    told = about(zone) if zone else {"zone": p.zone, "areas": list(p.areas)}
    return {**told, "incident": p.incident, "condition": p.condition}


def reported(d: Draft, areas: tuple[str, ...], incident: int) -> None:
    """An intruder alarm went out: it can be cancelled for a while; soon after arming the center is told so."""
    _reported(d, areas, incident, _just_armed(d, areas))


def _just_armed(d: Draft, areas: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these areas for which this is the first alarm, soon after the end of the exit delay (CP-01 row 20)."""
    recent = []
    for area in [found for id_ in areas if (found := d.areas.get(id_)) and found.armed_at is not None]:
        if area.armed_at is not None and d.now - area.armed_at < d.site.timings.recent_close_ms:
            recent.append(area.id)
        d.set_area(area, armed_at=None)
    return tuple(recent)


def _reported(d: Draft, areas: tuple[str, ...], incident: int, recent: tuple[str, ...]) -> None:
    for id_ in areas:
        if id_ in d.areas:
            d.set_area(d.areas[id_], reported_at=d.now, incident=incident)
    if recent:
        known = [id_ for id_ in recent if id_ in d.areas]
        d.record("area.recent-close", {**about_areas(d.site, known), "incident": incident})


def disarmed(d: Draft, ids: list[str], who: Who) -> None:
    """These areas are being disarmed: abort what waits of them alone, cancel what was reported just now."""
    gone = set(ids)
    unset = {a.id for a in d.areas.values() if a.mode is AreaMode.DISARMED} | gone
    aborted = [p for p in d.durable.pending if gone.intersection(p.areas) and unset.issuperset(p.areas)]
    if aborted:
        d.keep(pending=tuple(p for p in d.durable.pending if p not in aborted))
        areas = [id_ for id_ in d.areas if any(id_ in p.areas for p in aborted)]
        incidents: list[JsonValue] = [p.incident for p in aborted]
        d.record("area.alarm-aborted", {**about_areas(d.site, areas), **who.told(), "incidents": incidents})
        d.tell("", "alarm-aborted", {"areas": list(areas)})
    window = d.site.timings.cancel_ms
    cancelled = [a for id_ in ids if (a := d.areas[id_]).reported_at is not None and d.now - a.reported_at <= window]
    if cancelled and window:
        areas = [a.id for a in cancelled]
        numbers: list[JsonValue] = list(dict.fromkeys(a.incident for a in cancelled))
        d.record("area.alarm-cancelled", {**about_areas(d.site, areas), **who.told(), "incidents": numbers})
        d.tell("", "alarm-cancelled", {"areas": list(areas)})
