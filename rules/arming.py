"""Arming and disarming areas.

Sources: EN 50131-1 (digest §1.3), GB 50394 (digest §3.2), CP-01 rows 4 and 5 (digest §5).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rules import bypass, detect, exits, filters, pending, prevention, schedule, sessions, testing
from rules.delays import armed, entry_cancelled
from rules.draft import Draft, about, about_areas
from rules.effects import JsonValue
from rules.site import Zone
from rules.state import Last, changed
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.who import DISARMED_KINDS, Who


@dataclass(frozen=True)
class Way:
    """How to arm: with a part set (empty: in full), without entry delay, in spite of what is in the way."""

    part: str = ""
    instant: bool = False
    override: bool = False


FULL = Way()


def arm(d: Draft, ids: list[str], who: Who, way: Way = FULL) -> list[JsonValue]:
    """Arm these areas, all or none; those that are not disarmed stay as they are. The reasons against it.

    Remote arming has no exit delay (nobody is there to leave; CP-01 row 5).
    """
    disarmed = [id_ for id_ in ids if d.areas[id_].mode is AreaMode.DISARMED]
    delays = {id_: 0 if who.how == "remote" else max(0, d.site.areas[id_].exit_delay_ms) for id_ in disarmed}
    reasons = prevention.in_the_way(d, delays, way.part)
    if who.how == "schedule" and not d.durable.people.users:
        reasons = [prevention.NO_USER, *reasons]
    stay = prevention.override(d, reasons, who) if way.override else reasons
    about_it: dict[str, JsonValue] = {**about_areas(d.site, disarmed), **who.told()}
    if stay:
        kind = "area.auto-arm-failed" if who.how == "schedule" else "area.arming-refused"
        d.record(kind, {**about_it, "reasons": prevention.told(stay)})
        return prevention.told(stay)
    if reasons:
        d.record("area.arming-overridden", {**about_it, "reasons": prevention.told(reasons)})
    for delay in dict.fromkeys(delays.values()):
        _begin(d, [id_ for id_ in disarmed if delays[id_] == delay], delay, who, way)
    if disarmed:
        sessions.areas_armed(d)
        testing.areas_armed(d, disarmed)
    return []


def _begin(d: Draft, ids: list[str], delay: int, who: Who, way: Way) -> None:
    event = AreaEvent.ARM if delay else AreaEvent.ARM_NOW
    deadline = d.now + delay if delay else None
    warn_at = exits.warn_at(d, deadline) if deadline is not None else None
    for id_ in ids:
        area = d.areas[id_]
        d.set_area(
            area,
            **_CLEAN,
            mode=FOLLOWING[area.mode, event],
            deadline=deadline,
            warn_at=warn_at,
            by=who.by,
            user=who.user,
            how=who.how,
            part=way.part,
            instant=way.instant,
            memory=(),
        )
    if delay:
        d.record("area.exit-started", {**about_areas(d.site, ids), **who.told(), "exit_delay_ms": delay})
        d.tell("", "exit-started", {"areas": list(ids), "exit_delay_ms": delay})
    else:
        armed(d, ids, who)


_CLEAN: Mapping[str, object] = {
    "restarted": False,
    "left": False,
    "entry_zones": (),
    "exit_error": False,
    "alarm": None,
    "strobe": False,
    "armed_at": None,
    "reported_at": None,
    "incident": 0,
    "confirm_until": None,
    "confirm_zones": (),
    "confirmed": False,
}
"""Nothing of an earlier armed period is left in an area that begins or ends one."""


def disarm(d: Draft, ids: list[str], who: Who) -> list[str]:
    """Disarm these areas, and put out what an alarm left on in those that are disarmed. The zones in their memory."""
    set_ = [id_ for id_ in ids if d.areas[id_].mode is not AreaMode.DISARMED]
    reset = [id_ for id_ in ids if id_ not in set_ and (d.areas[id_].alarm or d.areas[id_].strobe)]
    memory = list(dict.fromkeys(zone for id_ in ids for zone in d.areas[id_].memory))
    pending.disarmed(d, set_, who)
    for id_ in (*set_, *reset):
        area = d.areas[id_]
        last = _last(d, id_) if id_ in set_ else area.last
        mode = FOLLOWING[area.mode, AreaEvent.DISARM]
        gone = {"by": "", "user": "", "how": "", "part": "", "instant": False, "deadline": None, "warn_at": None}
        d.set_area(area, **_CLEAN, **gone, mode=mode, last=last)
    if set_:
        d.record(DISARMED_KINDS[who.how], {**about_areas(d.site, set_), **who.told(), "memory": list(memory)})
    if reset:
        d.record("area.alarm-reset", {**about_areas(d.site, reset), **who.told()})
    if set_:
        filters.period_ended(d, set_, who.by)
        _end_bypasses(d, who)
        entry_cancelled(d)
        schedule.opened(d, set_, who)
    return memory


def _last(d: Draft, id_: str) -> Last:
    """What quick re-arming would do again."""
    area = d.areas[id_]
    zones = [z.id for z in d.zones.values() if z.bypassed and id_ in d.site.zones[z.id].areas]
    return Last(d.now, area.part, area.instant, tuple(zones))


def rearm(d: Draft, ids: list[str], who: Who) -> list[JsonValue] | None:
    """Arm the areas that were disarmed just now as they were, bypasses included; None when there are none."""
    recent = [a for id_ in ids if (a := d.areas[id_]).last is not None and a.mode is AreaMode.DISARMED]
    recent = [a for a in recent if a.last and d.now - a.last.at <= d.site.timings.rearm_ms]
    if not recent:
        return None
    for id_ in dict.fromkeys(zone for a in recent if a.last for zone in a.last.bypassed):
        zone = d.site.zones.get(id_)
        if zone and not d.zone(id_).bypassed and bypass.bypassable(zone) and bypass.at_rest(d, zone):
            bypass.begin(d, zone, who.told())
    reasons: list[JsonValue] = []
    ways = dict.fromkeys((a.last.part, a.last.instant) for a in recent if a.last)
    for part, instant in ways:
        mine = [a.id for a in recent if a.last and (a.last.part, a.last.instant) == (part, instant)]
        reasons += arm(d, mine, who, Way(part if part in d.site.parts else "", instant))
    return reasons


def _end_bypasses(d: Draft, who: Who) -> None:
    """A bypass holds for one arming: it ends when the last area of its zone is disarmed (EN *inhibit*, digest §1.3)."""
    for stood in list(d.zones.values()):
        zone = d.site.zones.get(stood.id)
        if stood.bypassed and zone and bypass.at_rest(d, zone):
            end_bypass(d, zone, who)


def end_bypass(d: Draft, zone: Zone, who: Who) -> None:
    """The zone counts again, at once, with what it reads."""
    d.set_zone(changed(d.zone(zone.id), bypassed=False))
    d.record("zone.unbypassed", {**about(zone), **who.told()})
    counts_again(d, zone)


def counts_again(d: Draft, zone: Zone) -> None:
    """React to what a zone reads that is in force again."""
    if zone.id not in d.live.held and not d.zone(zone.id).out:
        detect.react(d, zone, d.condition(zone.id))
