"""An alarm: its record, its pictures, and its sound in each area of the zone, up to its end.

Silent kinds (hold-up, duress) stop after the record and the pictures: no siren, strobe, lamp, memory, indication or
notice ever learns of them.
"""

from collections.abc import Iterable
from dataclasses import replace

from rules import confirm, indications, pending
from rules.draft import Draft, about, about_areas, tripped_as
from rules.effects import Capture, JsonValue
from rules.site import Zone
from rules.state import Alarm, AreaState, changed
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.vocabulary import KINDS
from rules.zones import AREA_EVENTS, EXTERNAL_KINDS, INTRUDER_KINDS


def zone_alarm(
    d: Draft, zone: Zone, kind: str, *, quiet: bool = False, sounds: bool = True, confirms: bool = True
) -> None:
    """An alarm of a zone in all its areas. `quiet`: recorded, reported and indicated, but not sounded (a bypassed
    zone's line); `sounds` is False for kinds that only show (water, technical), `confirms` for the way in."""
    incident = d.next_incident()
    payload: dict[str, JsonValue] = {**about(zone), "incident": incident, "condition": tripped_as(d, zone)}
    if quiet:
        payload["bypassed"] = True
    silent = KINDS[kind].silent
    intruder = kind in INTRUDER_KINDS and not quiet
    before = [d.areas[id_] for id_ in zone.areas] if intruder else []
    held = intruder and pending.hold(d, zone, kind, incident)
    if not held:
        d.record(kind, payload)
    first = quiet or silent or not sounds
    if not silent:
        indications.add(d, kind, zone.id, zone.areas)
    if sounds and not quiet and not silent:
        news = [_sound(d, d.areas[id_], zone.id, kind) for id_ in zone.areas]
        first = any(news)
    if not silent and not quiet:
        d.tell("", "alarm", {"kind": kind, "zone": zone.id, "areas": list(zone.areas)})
    if first:
        look(d, incident, kind, zone.id, zone.cameras or of_areas(d, zone.areas))
    if intruder:
        if not held:
            pending.reported(d, zone.areas, incident)
        _count(d, zone)
        if confirms:
            confirm.intruder(d, zone, before)


def areas_alarm(d: Draft, ids: list[str], kind: str) -> None:
    """An alarm of no zone: an entry delay whose zone is gone from the panel file, or a cabinet's own contact."""
    if kind in KINDS and kind.startswith("alarm."):
        incident = d.next_incident()
        d.record(kind, {**about_areas(d.site, ids), "incident": incident})
        look(d, incident, kind, "", of_areas(d, ids))
    indications.add(d, kind, "", tuple(ids))
    for id_ in ids:
        _sound(d, d.areas[id_], "", kind)
    d.tell("", "alarm", {"kind": kind, "zone": "", "areas": list(ids)})


def of_areas(d: Draft, ids: Iterable[str]) -> tuple[str, ...]:
    """The cameras of these areas, each once."""
    return tuple(dict.fromkeys(camera for id_ in ids for camera in d.site.areas[id_].cameras))


def look(d: Draft, incident: int, kind: str, zone: str, cameras: tuple[str, ...]) -> None:
    """Ask these cameras for pictures, where there are any; `zone` is empty for an alarm of areas alone."""
    if cameras:
        d.captures.append(Capture(incident, kind, zone, cameras))


def _count(d: Draft, zone: Zone) -> None:
    """Swinger shutdown (CP-01 row 15): a zone that has alarmed so often in one armed period rests."""
    timings = d.site.timings
    limit = timings.swinger_trips if zone.swinger_trips is None else zone.swinger_trips
    stood = d.zone(zone.id)
    trips = stood.trips + 1
    if not limit or trips < limit:
        d.set_zone(changed(stood, trips=trips))
        return
    d.set_zone(changed(stood, trips=trips, shut=d.now + timings.swinger_reset_ms))
    d.record("zone.swinger-shutdown", {**about(zone), "trips": trips})


def _sound(d: Draft, area: AreaState, zone: str, kind: str) -> bool:
    """Sound an area's alarm for a zone; whether the zone is new in it."""
    alarm = area.alarm
    external = kind in EXTERNAL_KINDS
    new = alarm is None or zone not in alarm.zones
    if not new and alarm is not None and external and not alarm.external:
        alarm = replace(alarm, external=True)
    mode = FOLLOWING[area.mode, AREA_EVENTS.get(kind, AreaEvent.LIFE_ALARM)]
    waits = mode in (AreaMode.EXIT_DELAY, AreaMode.ENTRY_DELAY)
    d.set_area(
        area,
        mode=mode,
        deadline=area.deadline if waits else None,
        warn_at=area.warn_at if waits else None,
        entry_zones=area.entry_zones if waits else (),
        exit_error=area.exit_error and waits,
        alarm=_lengthened(d, alarm, zone, external) if new else alarm,
        strobe=True,
        memory=area.memory if not zone or zone in area.memory else (*area.memory, zone),
    )
    return new


def _lengthened(d: Draft, alarm: Alarm | None, zone: str, external: bool) -> Alarm:
    """A new alarm, or one that a further zone makes longer; silenced sirens sound anew, with a limit of their own."""
    timings, now = d.site.timings, d.now
    if alarm is None or alarm.silenced:
        until = now + min(timings.siren_ms, timings.siren_max_ms)
        older = alarm.zones if alarm else ()
        return Alarm(now, until, False, (*older, zone), external or bool(alarm and alarm.external))
    until = min(alarm.since + timings.siren_max_ms, now + timings.siren_ms)
    return Alarm(alarm.since, max(alarm.until, until), False, (*alarm.zones, zone), external or alarm.external)


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
        if area.exit_error or (area.alarm is not None and not area.alarm.silenced):
            sounding.append(id_)
            alarm = area.alarm and replace(area.alarm, silenced=True)
            d.set_area(area, alarm=alarm, exit_error=False)
    if sounding:
        d.record("siren.silenced", {**about_areas(d.site, sounding), **who})
    return sounding
