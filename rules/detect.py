"""From a zone's reading to what follows: ends what no longer stands, then looks up the reaction and does it.

A condition that stands is told once: neither a driver that repeats itself nor a restart alarms a second time.
"""

from rules import chimes, confirm, entry, exits, filters, testing, tours
from rules.alarms import zone_alarm
from rules.draft import Draft, about
from rules.site import Condition, Zone, ZoneType
from rules.state import changed
from rules.table import AreaMode
from rules.zones import (
    ALARM_KINDS,
    HOLD_UPS,
    INTRUDER,
    KEYSWITCHES,
    NEVER_BYPASSED,
    NEVER_ON_TRIAL,
    NEVER_SETTLES,
    REACTIONS,
    RESTORE_KINDS,
    SILENT,
    Reaction,
    fault_kind,
    tamper_kind,
)

_NORMAL, _ACTIVE, _FAULTY = Condition.NORMAL, Condition.ACTIVE, Condition.FAULT
_NOTHING, _TOGGLE, _TAMPER, _FAULT = Reaction.NOTHING, Reaction.TOGGLE, Reaction.TAMPER, Reaction.FAULT
_ENTRY, _ROUTE, _ALARM, _DAY = Reaction.ENTRY, Reaction.ROUTE, Reaction.ALARM, Reaction.DAY
_ENTRY_EXIT, _FOLLOWER = ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER
_DISARMED, _ARMED = AreaMode.DISARMED, AreaMode.ARMED
_MAY_KEEP_RESTORES = INTRUDER | {ZoneType.WATER, ZoneType.TECHNICAL}


def zone_changed(d: Draft, id_: str, condition: Condition) -> None:
    """A driver's reading of a zone, changed or repeated; an unknown zone has no effect."""
    zone = d.site.zones.get(id_)
    if zone is None:
        return
    known = d.live.conditions.get(id_, _NORMAL)
    if condition is not known:
        d.set_condition(id_, condition)
        if known is _ACTIVE and zone.double_knock:
            filters.let_go(d, id_)
        if zone.type is _ENTRY_EXIT:
            exits.moved(d, zone, condition)
    if id_ in d.live.held:
        if condition is _ACTIVE:
            return
        d.note(held={k: v for k, v in d.live.held.items() if k != id_})
    if id_ in d.durable.zones:
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
        d.record(f"{fault_kind(zone.type)}-ended", {**about(zone), "condition": stood.fault})
        left = changed(left, fault="")
    if stood.tamper and stood.tamper != condition.value:
        d.record(RESTORE_KINDS[tamper_kind(zone.type)], {**about(zone), "condition": stood.tamper})
        left = changed(left, tamper="")
    if stood.day and condition is not _ACTIVE:
        d.record("zone.day-trouble-ended", about(zone))
        left = changed(left, day=False)
    if stood.alarm and condition is _NORMAL:
        if zone.report_restore or zone.type not in _MAY_KEEP_RESTORES:
            d.record(RESTORE_KINDS[stood.alarm], about(zone))
        left = changed(left, alarm="")
    if left is not stood:
        d.set_zone(left)


def _settling(d: Draft, zone: Zone) -> bool:
    """Hold an activity back while the detector settles after power-up."""
    powered = d.durable.powered_ms
    if powered is None or not zone.settle_ms or zone.type in NEVER_SETTLES:
        return False
    until = powered + zone.settle_ms
    if d.now >= until:
        return False
    d.note(held={**d.live.held, zone.id: until})
    return True


def settled(d: Draft) -> None:
    """What is still active at the end of its settling counts now, as does what has been active long enough."""
    if d.live.held:
        over = [id_ for id_, until in d.live.held.items() if until <= d.now]
        if over:
            d.note(held={id_: until for id_, until in d.live.held.items() if until > d.now})
            for id_ in over:
                react(d, d.site.zones[id_], _ACTIVE)
    if d.live.holds:
        for zone in filters.lasting(d):
            react(d, zone, _ACTIVE, counted=True)


def react(d: Draft, zone: Zone, condition: Condition, *, again: bool = False, counted: bool = False) -> None:
    """Do what the table says. `again`: also where it stands already (the end of an exit delay); `counted`: its
    activations are enough."""
    if condition is _NORMAL:
        return
    mode = d.mode_of(zone)
    reaction = REACTIONS[zone.type, condition, mode]
    if zone.soak and zone.type not in NEVER_ON_TRIAL and reaction is not Reaction.STOP:
        if not again:
            d.record("zone.soak-tripped", {**about(zone), "condition": condition.value})
        return
    if reaction is _TOGGLE:
        return
    if reaction is _FAULT and condition is _FAULTY and zone.supply_cut and not _driver_failed(d, zone):
        reaction = _TAMPER
    if reaction is _TAMPER:
        _tampered(d, zone, condition, again)
    elif reaction is _FAULT:
        _faulty(d, zone, condition)
    elif d.durable.walk is not None and testing.tripped(d, zone):
        return
    elif reaction is _NOTHING:
        if zone.chime and not again and all(d.mode_in(zone, id_) is _DISARMED for id_ in zone.areas):
            chimes.opened(d, zone)
    else:
        _active(d, zone, reaction, again, counted)


def _active(d: Draft, zone: Zone, reaction: Reaction, again: bool, counted: bool) -> None:
    """An activation that counts, of a zone that is in force."""
    if reaction is Reaction.STOP:
        tours.reached(d, zone)
        return
    stood = d.zone(zone.id)
    # What alarms whether armed or not has alarmed already when a delay ends, and goes on.
    told = stood.alarm and not (again and zone.type in INTRUDER)
    if (stood.out and zone.type not in NEVER_BYPASSED) or told:
        return
    if reaction is _DAY:
        if stood.day:
            return
        d.set_zone(changed(stood, day=True))
        d.record("zone.day-trouble", about(zone))
        d.tell("", "day-trouble", {"zone": zone.id, "areas": list(zone.areas)})
        return
    if zone.type in INTRUDER and not counted and not filters.counts(d, zone):
        return
    if reaction is _ALARM and zone.type is _FOLLOWER and d.mode_of(zone) is _ARMED and entry.shut_off(d, zone):
        reaction = _ENTRY
    if reaction is _ENTRY:
        entry.started(d, zone)
    elif reaction is _ROUTE:
        entry.touched(d, zone)
    elif zone.type in INTRUDER:
        for tripped in filters.crossing(d, zone):
            _alarm(d, tripped)
    else:
        _alarm(d, zone)


def _alarm(d: Draft, zone: Zone) -> None:
    """The alarm of an active zone; one that has gone back to rest meanwhile (the first of a cross group) stands no
    more."""
    kind = ALARM_KINDS[zone.type]
    if d.condition(zone.id) is not _NORMAL:
        d.set_zone(changed(d.zone(zone.id), alarm=kind))
    zone_alarm(d, zone, kind, sounds=zone.type not in (ZoneType.WATER, ZoneType.TECHNICAL))
    if zone.type in HOLD_UPS:
        confirm.hold_up(d, zone.id)


def _driver_failed(d: Draft, zone: Zone) -> bool:
    """Whether the fault is that of the driver which reads the zone, of its bus, or of its module on the bus."""
    troubles, bus = d.durable.troubles, zone.driver.partition("/")[0]
    return any(name in troubles for name in (f"driver:{zone.driver}", f"bus:{zone.driver}", f"bus:{bus}"))


def _tampered(d: Draft, zone: Zone, condition: Condition, again: bool) -> None:
    """A line that is cut, shorted, masked or without supply. On a bypassed zone it is reported, and sounds nothing."""
    stood = d.zone(zone.id)
    # A mask that was a fault while unset is a tamper now; a cut line has alarmed already, and goes on.
    if condition.value == stood.tamper or (condition.value == stood.fault and not again):
        return
    d.set_zone(changed(stood, tamper=condition.value))
    zone_alarm(d, zone, tamper_kind(zone.type), quiet=stood.out)
    if zone.type in HOLD_UPS:
        confirm.hold_up_tampered(d, zone)


def _faulty(d: Draft, zone: Zone, condition: Condition) -> None:
    stood = d.zone(zone.id)
    if condition.value not in (stood.tamper, stood.fault):
        d.set_zone(changed(stood, fault=condition.value))
        d.record(fault_kind(zone.type), {**about(zone), "condition": condition.value})


def look_again(d: Draft, ids: list[str], *, again: bool) -> None:
    """React to what the zones of these areas read already, now that the areas' modes are others.

    Entry-exit zones come first, so that an open door starts the entry delay before a follower could alarm.
    """
    chosen = set(ids)
    zones = [d.site.zones[id_] for id_ in d.live.conditions if chosen.intersection(d.site.zones[id_].areas)]
    for zone in sorted(zones, key=lambda z: (z.type is not _ENTRY_EXIT, z.number)):
        apart = zone.type in SILENT or zone.type in KEYSWITCHES
        quiet = d.zone(zone.id).out or zone.id in d.live.held
        if not quiet and not (apart and again) and d.mode_of(zone) is not _DISARMED:
            react(d, zone, d.condition(zone.id), again=again)
