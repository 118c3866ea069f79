"""An alarm: its record, its pictures, and its sound in each area of the zone, up to its end.

Silent kinds (hold-up, duress) stop after the record and the pictures: no siren, strobe, lamp, memory or notice ever
learns of them.
"""

from dataclasses import replace

from rules.draft import Draft, about, about_areas
from rules.effects import Capture, JsonValue
from rules.site import Zone
from rules.state import Alarm, AreaState
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.vocabulary import KINDS


def zone_alarm(d: Draft, zone: Zone, kind: str, *, quiet: bool = False) -> None:
    """An alarm of a zone in all its areas. `quiet`: recorded and reported, but not sounded (a bypassed zone's line)."""
    d.incident += 1
    payload = {**about(zone), "incident": d.incident, "condition": d.condition(zone.id).value}
    if quiet:
        payload["bypassed"] = True
    d.record(kind, payload)
    silent = KINDS[kind].silent
    first = quiet or silent
    if not first:
        news = [_sound(d, d.areas[id_], zone.id) for id_ in zone.areas]
        first = any(news)
        d.tell("", "alarm", {"kind": kind, "zone": zone.id, "areas": list(zone.areas)})
    if first and zone.cameras:
        d.captures.append(Capture(d.incident, kind, zone.id, zone.cameras))


def area_alarm(d: Draft, area: AreaState) -> None:
    """The alarm of an area whose entry delay ran out, and whose entry zone is no longer in the panel file."""
    d.incident += 1
    d.record("alarm.entry", {**about_areas(d.site, [area.id]), "incident": d.incident})
    _sound(d, area, "")
    d.tell("", "alarm", {"kind": "alarm.entry", "zone": "", "areas": [area.id]})


def _sound(d: Draft, area: AreaState, zone: str) -> bool:
    """Sound an area's alarm for a zone; whether the zone is new in it."""
    alarm = area.alarm
    new = alarm is None or zone not in alarm.zones
    mode = FOLLOWING[area.mode, AreaEvent.ALARM]
    d.set_area(
        area,
        mode=mode,
        deadline=area.deadline if mode is AreaMode.EXIT_DELAY else None,
        entry_zones=(),
        alarm=_lengthened(d, alarm, zone) if new else alarm,
        strobe=True,
        memory=area.memory if not zone or zone in area.memory else (*area.memory, zone),
    )
    return new


def _lengthened(d: Draft, alarm: Alarm | None, zone: str) -> Alarm:
    """A new alarm, or one that a further zone makes longer; silenced sirens sound anew, with a limit of their own."""
    timings, now = d.site.timings, d.now
    if alarm is None or alarm.silenced:
        until = now + min(timings.siren_ms, timings.siren_max_ms)
        return Alarm(now, until, False, (*(alarm.zones if alarm else ()), zone))
    until = min(alarm.since + timings.siren_max_ms, now + timings.siren_ms)
    return Alarm(alarm.since, max(alarm.until, until), False, (*alarm.zones, zone))


def alarms_ended(d: Draft) -> None:
    """The sirens' time is over: areas are armed again (or go on as they were), with memory and strobe."""
    stopped: list[str] = []
    quiet: list[str] = []
    for area in list(d.areas.values()):
        alarm = area.alarm
        if alarm is not None and alarm.until <= d.now:
            (quiet if alarm.silenced else stopped).append(area.id)
            d.set_area(area, mode=FOLLOWING[area.mode, AreaEvent.ALARM_ENDED], alarm=None)
    for kind, ids in (("siren.stopped", stopped), ("area.alarm-ended", quiet)):
        if ids:
            d.record(kind, {**about_areas(d.site, ids), "by": "timer"})
            d.tell("", kind, {"areas": list(ids)})


def silence(d: Draft, ids: list[str], who: dict[str, JsonValue]) -> list[str]:
    """Stop the sirens of these areas; alarm, memory and strobe stay. The areas that sounded."""
    sounding = []
    for id_ in ids:
        area = d.areas[id_]
        if area.alarm is not None and not area.alarm.silenced:
            sounding.append(id_)
            d.set_area(area, alarm=replace(area.alarm, silenced=True))
    if sounding:
        d.record("siren.silenced", {**about_areas(d.site, sounding), **who})
    return sounding
