"""From a zone's reading to what follows: ends what no longer stands, then looks up the reaction and does it.

A condition that stands is told once: neither a driver that repeats itself nor a restart alarms a second time.
"""

from rules import entry
from rules.alarms import zone_alarm
from rules.draft import Draft, about
from rules.site import Condition, Zone, ZoneType
from rules.state import changed
from rules.table import AreaMode
from rules.zones import ALARM_KINDS, NEVER_SETTLES, REACTIONS, RESTORE_KINDS, Reaction, tamper_kind

_NORMAL, _ACTIVE = Condition.NORMAL, Condition.ACTIVE
_NOTHING, _TOGGLE, _TAMPER, _FAULT = Reaction.NOTHING, Reaction.TOGGLE, Reaction.TAMPER, Reaction.FAULT
_ENTRY, _ROUTE = Reaction.ENTRY, Reaction.ROUTE


def zone_changed(d: Draft, id_: str, condition: Condition) -> None:
    """A driver's reading of a zone, changed or repeated; an unknown zone has no effect."""
    zone = d.site.zones.get(id_)
    if zone is None:
        return
    known = d.live.conditions.get(id_, _NORMAL)
    if condition is not known:
        d.set_condition(id_, condition)
    if id_ in d.live.held:
        if condition is _ACTIVE:
            return
        d.set_live(held={k: v for k, v in d.live.held.items() if k != id_})
    if id_ in d.zones:
        _end(d, zone, condition)
    if condition is known or condition is _NORMAL:
        return
    if not (condition is _ACTIVE and _settling(d, zone)):
        react(d, zone, condition)


def _end(d: Draft, zone: Zone, condition: Condition) -> None:
    """Record the end of what stood and no longer does."""
    stood = d.zone(zone.id)
    left = stood
    if stood.fault and stood.fault != condition.value:
        d.record("zone.fault-ended", {**about(zone), "condition": stood.fault})
        left = changed(left, fault="")
    if stood.tamper and stood.tamper != condition.value:
        d.record(RESTORE_KINDS[tamper_kind(zone.type)], {**about(zone), "condition": stood.tamper})
        left = changed(left, tamper="")
    if stood.alarm and condition is _NORMAL:
        d.record(RESTORE_KINDS[stood.alarm], about(zone))
        left = changed(left, alarm="")
    if left is not stood:
        d.set_zone(left)


def _settling(d: Draft, zone: Zone) -> bool:
    """Hold an activity back while the detector settles after power-up."""
    if d.powered_ms is None or not zone.settle_ms or zone.type in NEVER_SETTLES:
        return False
    until = d.powered_ms + zone.settle_ms
    if d.now >= until:
        return False
    due = d.live.settle_due
    d.set_live(held={**d.live.held, zone.id: until}, settle_due=until if due is None else min(due, until))
    return True


def settled(d: Draft) -> None:
    """What is still active at the end of its settling counts now."""
    due = d.live.settle_due
    if due is None or due > d.now:
        return
    over = [id_ for id_, until in d.live.held.items() if until <= d.now]
    held = {id_: until for id_, until in d.live.held.items() if until > d.now}
    d.set_live(held=held, settle_due=min(held.values(), default=None))
    for id_ in over:
        react(d, d.site.zones[id_], _ACTIVE)


def react(d: Draft, zone: Zone, condition: Condition, *, again: bool = False) -> None:
    """Do what the table says. `again`: also where it stands already (the end of an exit delay)."""
    reaction = REACTIONS[zone.type, condition, d.mode_of(zone)]
    if reaction is _NOTHING or reaction is _TOGGLE:
        return
    if reaction is _TAMPER:
        _tampered(d, zone, condition, again)
        return
    if reaction is _FAULT:
        _faulty(d, zone, condition)
        return
    stood = d.zone(zone.id)
    if stood.bypassed or (stood.alarm and not again):
        return
    if reaction is _ENTRY:
        entry.started(d, zone)
    elif reaction is _ROUTE:
        entry.touched(d, zone)
    else:
        kind = ALARM_KINDS[zone.type]
        d.set_zone(changed(stood, alarm=kind))
        zone_alarm(d, zone, kind)


def _tampered(d: Draft, zone: Zone, condition: Condition, again: bool) -> None:
    """A line that is cut, shorted or masked. On a bypassed zone it is reported, and sounds nothing."""
    stood = d.zone(zone.id)
    if condition.value in (stood.tamper, stood.fault) and not again:
        return
    d.set_zone(changed(stood, tamper=condition.value))
    zone_alarm(d, zone, tamper_kind(zone.type), quiet=stood.bypassed)


def _faulty(d: Draft, zone: Zone, condition: Condition) -> None:
    stood = d.zone(zone.id)
    if condition.value not in (stood.tamper, stood.fault):
        d.set_zone(changed(stood, fault=condition.value))
        d.record("zone.fault", {**about(zone), "condition": condition.value})


def look_again(d: Draft, ids: list[str], *, again: bool) -> None:
    """React to what the zones of these areas read already, now that the areas' modes are others.

    Entry-exit zones come first, so that an open door starts the entry delay before a follower could alarm.
    """
    chosen = set(ids)
    zones = [d.site.zones[id_] for id_ in d.live.conditions if chosen.intersection(d.site.zones[id_].areas)]
    for zone in sorted(zones, key=lambda z: (z.type is not ZoneType.ENTRY_EXIT, z.number)):
        silent = zone.type in (ZoneType.HOLD_UP, ZoneType.KEYSWITCH)
        quiet = d.zone(zone.id).bypassed or zone.id in d.live.held
        if not quiet and not (silent and again) and d.mode_of(zone) is not AreaMode.DISARMED:
            react(d, zone, d.condition(zone.id), again=again)
