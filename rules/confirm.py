"""Confirmation: a second detector, or a second hold-up signal, makes an alarm more than one detector's word.

Sources: DD 243, BS 8243 and CLC/TS 50131-9 (digest §6).
"""

from rules import bypass, pending
from rules.draft import Draft, about, about_areas
from rules.effects import JsonValue
from rules.index import site_index
from rules.site import Condition, Zone
from rules.state import AreaState, HoldUp
from rules.table import SET_MODES, AreaMode
from rules.zones import INTRUDER

_COUNTING = frozenset({AreaMode.ARMED, AreaMode.ALARM})


def intruder(d: Draft, zone: Zone, before: list[AreaState]) -> None:
    """An intruder alarm of a zone whose areas stood like `before`: it opens the time of confirmation, or confirms.

    What is on the way in, and alarms with an entry delay, says nothing of its own.
    """
    time_ms = d.site.timings.confirm_ms
    for was in before:
        known = was.alarm is not None and zone.id in was.alarm.zones
        if not time_ms or was.mode not in _COUNTING or known or zone in _entries(d, was.id):
            continue
        area = d.areas[was.id]
        if area.confirmed or zone.id in area.confirm_zones:
            continue
        if area.confirm_until is None:
            d.set_area(area, confirm_until=d.now + time_ms, confirm_zones=(zone.id,))
        elif _independent(d, zone, area):
            _confirmed(d, zone, area)


def _entries(d: Draft, area: str) -> tuple[Zone, ...]:
    return site_index(d.site).entries_of[area]


def _independent(d: Draft, zone: Zone, area: AreaState) -> bool:
    others = [d.site.zones[id_].detector for id_ in area.confirm_zones if id_ in d.site.zones]
    return not zone.detector or zone.detector not in others


def _confirmed(d: Draft, zone: Zone, area: AreaState) -> None:
    """Somebody is there: nothing of this area waits any more."""
    pending.reports_due(d, frozenset({area.id}))
    area = d.areas[area.id]
    zones: list[JsonValue] = [*area.confirm_zones, zone.id]
    d.set_area(area, confirmed=True, confirm_until=None, confirm_zones=())
    incident = d.next_incident()
    d.record("alarm.confirmed", {**about(zone), **about_areas(d.site, [area.id]), "zones": zones, "incident": incident})


def unconfirmed(d: Draft) -> None:
    """Nobody confirmed in time: detection is reinstated, without what is still active (TS 50131-9)."""
    for area in list(d.areas.values()):
        if area.confirm_until is None or area.confirm_until > d.now:
            continue
        d.set_area(area, confirm_until=None, confirm_zones=())
        if area.mode not in SET_MODES:
            continue
        inhibited = [zone for id_ in area.confirm_zones if (zone := d.site.zones.get(id_)) and _stands(d, zone)]
        for zone in inhibited:
            bypass.begin(d, zone, {"by": "reinstatement"})
        names: list[JsonValue] = [zone.id for zone in inhibited]
        d.record("area.reinstated", {**about_areas(d.site, [area.id]), "inhibited": names})


def _stands(d: Draft, zone: Zone) -> bool:
    usable = zone.type in INTRUDER and bypass.bypassable(zone)
    return usable and not d.zone(zone.id).out and d.condition(zone.id) is Condition.ACTIVE


def hold_up(d: Draft, zone: str) -> None:
    """A hold-up or duress signal (`zone` empty for a code): a second one later confirms the first, and so does a tamper
    of its own line that stood until now."""
    first, was = _first(d), d.before.zones.get(zone)
    later = first is not None and d.now - first.at > d.site.timings.hold_up_gap_ms
    if later or (was is not None and was.tamper):
        _hold_up_confirmed(d, zone)
    elif first is None:
        d.keep(hold_up=HoldUp(d.now, zone))


def hold_up_tampered(d: Draft, zone: Zone) -> None:
    """A hold-up zone's line was cut or shorted: with its own hold-up signal before, that confirms."""
    first = _first(d)
    if first is not None and (first.zone == zone.id or d.zone(zone.id).alarm):
        _hold_up_confirmed(d, zone.id)


def _first(d: Draft) -> HoldUp | None:
    """The hold-up that a second signal may confirm still."""
    first = d.durable.hold_up
    return first if first is not None and d.now - first.at <= d.site.timings.hold_up_window_ms else None


def _hold_up_confirmed(d: Draft, zone: str) -> None:
    found = d.site.zones.get(zone)
    told: dict[str, JsonValue] = about(found) if found else {"areas": []}
    d.record("alarm.hold-up-confirmed", {**told, "incident": d.next_incident()})
    d.keep(hold_up=None)
