"""Arming and disarming areas, and what stands in the way of arming.

Sources: EN 50131-1 prevention of setting (digest §1.3), GB 50394 (digest §3.2), CP-01 rows 4 and 5 (digest §5).
"""

from rules import detect
from rules.delays import armed, entry_cancelled
from rules.draft import Draft, about, about_areas
from rules.site import Condition, Zone, ZoneType
from rules.state import changed
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.vocabulary import TROUBLES
from rules.who import DISARMED_KINDS, Who
from rules.zones import EXIT_ROUTE

MAX_REASONS = 64
"""So many reasons of a refused arming are told; a further entry `more` says that there are more."""


def arm(d: Draft, ids: list[str], who: Who) -> list[str]:
    """Arm these areas, all or none; those that are not disarmed stay as they are. The reasons against it.

    Remote arming has no exit delay (nobody is there to leave; CP-01 row 5).
    """
    disarmed = [id_ for id_ in ids if d.areas[id_].mode is AreaMode.DISARMED]
    delays = {id_: 0 if who.how == "remote" else max(0, d.site.areas[id_].exit_delay_ms) for id_ in disarmed}
    reasons = in_the_way(d, delays)
    if reasons:
        d.record("area.arming-refused", {**about_areas(d.site, disarmed), **who.told(), "reasons": list(reasons)})
        return reasons
    for delay in dict.fromkeys(delays.values()):
        _begin(d, [id_ for id_ in disarmed if delays[id_] == delay], delay, who)
    return []


def _begin(d: Draft, ids: list[str], delay: int, who: Who) -> None:
    event = AreaEvent.ARM if delay else AreaEvent.ARM_NOW
    for id_ in ids:
        area = d.areas[id_]
        d.set_area(
            area,
            mode=FOLLOWING[area.mode, event],
            deadline=d.now + delay if delay else None,
            by=who.by,
            user=who.user,
            how=who.how,
            alarm=None,
            strobe=False,
            memory=(),
        )
    if delay:
        d.record("area.exit-started", {**about_areas(d.site, ids), **who.told(), "exit_delay_ms": delay})
        d.tell("", "exit-started", {"areas": list(ids), "exit_delay_ms": delay})
    else:
        armed(d, ids, who)


def disarm(d: Draft, ids: list[str], who: Who) -> list[str]:
    """Disarm these areas, and put out what an alarm left on in those that are disarmed. The zones in their memory."""
    armed = [id_ for id_ in ids if d.areas[id_].mode is not AreaMode.DISARMED]
    reset = [id_ for id_ in ids if id_ not in armed and (d.areas[id_].alarm or d.areas[id_].strobe)]
    memory = list(dict.fromkeys(zone for id_ in ids for zone in d.areas[id_].memory))
    for id_ in (*armed, *reset):
        area = d.areas[id_]
        mode = FOLLOWING[area.mode, AreaEvent.DISARM]
        d.set_area(area, mode=mode, deadline=None, by="", user="", how="", entry_zones=(), alarm=None, strobe=False)
    if armed:
        d.record(DISARMED_KINDS[who.how], {**about_areas(d.site, armed), **who.told(), "memory": list(memory)})
    if reset:
        d.record("area.alarm-reset", {**about_areas(d.site, reset), **who.told()})
    if armed:
        _end_bypasses(d, who)
        entry_cancelled(d)
    return memory


def _end_bypasses(d: Draft, who: Who) -> None:
    """A bypass holds for one arming: it ends when the last area of its zone is disarmed (EN *inhibit*, digest §1.3)."""
    for stood in list(d.zones.values()):
        zone = d.site.zones.get(stood.id)
        if stood.bypassed and zone and all(d.areas[id_].mode is AreaMode.DISARMED for id_ in zone.areas):
            end_bypass(d, zone, who)


def end_bypass(d: Draft, zone: Zone, who: Who) -> None:
    """The zone counts again, at once, with what it reads."""
    d.set_zone(changed(d.zone(zone.id), bypassed=False))
    d.record("zone.unbypassed", {**about(zone), **who.told()})
    if zone.id not in d.live.held:
        detect.react(d, zone, d.condition(zone.id))


def in_the_way(d: Draft, delays: dict[str, int]) -> list[str]:
    """What prevents arming these areas (area → exit delay): `active:ZONE`, `tamper:ZONE`, `fault:ZONE`, `trouble:NAME`.

    A pressed silent hold-up button is not among them: a refusal would show it (rules.md, "Silent").
    """
    if not delays:
        return []
    ids = set(d.zones) | set(d.live.conditions)
    zones = sorted((d.site.zones[id_] for id_ in ids if id_ in d.site.zones), key=lambda z: z.number)
    found = [f"{reason}:{z.id}" for z in zones if (reason := _against(d, z, delays))]
    found += [f"trouble:{name}" for name in sorted(d.troubles) if TROUBLES[name.partition(":")[0]].blocks_arming]
    return found if len(found) <= MAX_REASONS else [*found[:MAX_REASONS], "more"]


def _against(d: Draft, zone: Zone, delays: dict[str, int]) -> str:
    mine = [id_ for id_ in zone.areas if id_ in delays]
    stood, condition = d.zone(zone.id), d.condition(zone.id)
    if not mine or stood.bypassed:
        return ""
    if stood.tamper or condition in (Condition.OPEN, Condition.SHORT):
        return "tamper"
    if stood.fault or condition in (Condition.FAULT, Condition.MASKED):
        return "fault"
    if condition is not Condition.ACTIVE or zone.type in (ZoneType.HOLD_UP, ZoneType.KEYSWITCH):
        return ""
    if zone.type is ZoneType.TAMPER:
        return "tamper"
    if zone.type in EXIT_ROUTE and all(delays[id_] for id_ in mine):
        return ""
    return "active"
