"""What an activation must pass before it counts as a trip: pulse count and double knock, swinger shutdown,
cross-zoning.

Sources: CP-01 rows 14 and 15 (digest §5); pulse count and double knock as detectors are read everywhere. Hold-up,
duress, tamper, fire, gas and medical zones never come here.
"""

from rules.draft import Draft, about
from rules.site import Condition, Zone
from rules.state import changed
from rules.table import AreaMode

MAX_PULSES = 9


def counts(d: Draft, zone: Zone) -> bool:
    """Whether this activation is a trip: by its pulses, and not of a zone that is shut down."""
    if d.zone(zone.id).shut is not None:
        return False
    if zone.id in d.live.knocks and d.before.live.conditions.get(zone.id) is Condition.ACTIVE:
        return False  # it has been active since it was counted last: looked at again, but not activated again
    return _knocked(d, zone) if zone.pulses > 1 or zone.double_knock else True


def _knocked(d: Draft, zone: Zone) -> bool:
    wanted = 2 if zone.double_knock else zone.pulses
    since = d.now - zone.pulse_window_ms
    moments = (*(at for at in d.live.knocks.get(zone.id, ()) if at > since), d.now)[-MAX_PULSES:]
    if len(moments) >= wanted:
        forget(d, zone.id)
        return True
    d.note(knocks={**d.live.knocks, zone.id: moments})
    if zone.double_knock:
        d.note(holds={**d.live.holds, zone.id: d.now + zone.pulse_window_ms})
    return False


def let_go(d: Draft, zone: str) -> None:
    """The zone is no longer active: a double knock needs a second one."""
    if zone in d.live.holds:
        d.note(holds={id_: until for id_, until in d.live.holds.items() if id_ != zone})


def forget(d: Draft, zone: str) -> None:
    """Begin to count anew."""
    let_go(d, zone)
    if zone in d.live.knocks:
        d.note(knocks={id_: moments for id_, moments in d.live.knocks.items() if id_ != zone})


def lasting(d: Draft) -> list[Zone]:
    """Double-knock zones that have been active for so long that one activation counts."""
    over = [id_ for id_, until in d.live.holds.items() if until <= d.now]
    for id_ in over:
        forget(d, id_)
    return [d.site.zones[id_] for id_ in over if d.condition(id_) is Condition.ACTIVE]


def crossing(d: Draft, zone: Zone) -> list[Zone]:
    """The zones that alarm now that this one tripped: none while another one of its cross group is waited for."""
    if not zone.cross_group or any(d.areas[id_].mode is AreaMode.ALARM for id_ in zone.areas):
        return [zone]
    first = d.live.crossed.get(zone.cross_group)
    if first is not None and first[1] > d.now:
        if first[0] == zone.id:
            return []
        d.note(crossed={g: f for g, f in d.live.crossed.items() if g != zone.cross_group})
        other = d.site.zones.get(first[0])
        return [other, zone] if other else [zone]
    d.note(crossed={**d.live.crossed, zone.cross_group: (zone.id, d.now + d.site.timings.cross_ms)})
    d.record("zone.unconfirmed", {**about(zone), "within_ms": d.site.timings.cross_ms})
    return []


def uncrossed(d: Draft) -> None:
    """Single trips whose time is over."""
    if any(until <= d.now for _, until in d.live.crossed.values()):
        d.note(crossed={g: f for g, f in d.live.crossed.items() if f[1] > d.now})


def rested(d: Draft) -> None:
    """Zones whose shutdown is over count again."""
    for stood in [z for z in d.zones.values() if z.shut is not None and z.shut <= d.now]:
        _again(d, stood.id, "timer")


def period_ended(d: Draft, ids: list[str], by: str) -> None:
    """These areas were disarmed: their zones begin a new count."""
    gone = set(ids)
    for stood in [z for z in d.zones.values() if z.trips or z.shut is not None]:
        zone = d.site.zones.get(stood.id)
        if zone is not None and gone.intersection(zone.areas):
            _again(d, stood.id, by)
    for id_ in [i for i in (*d.live.knocks, *d.live.holds) if gone.intersection(d.site.zones[i].areas)]:
        forget(d, id_)
    left = {g: f for g, f in d.live.crossed.items() if not gone.intersection(d.site.zones[f[0]].areas)}
    if len(left) < len(d.live.crossed):
        d.note(crossed=left)


def _again(d: Draft, id_: str, by: str) -> None:
    stood, zone = d.zone(id_), d.site.zones.get(id_)
    d.set_zone(changed(stood, trips=0, shut=None))
    if stood.shut is not None and zone is not None:
        d.record("zone.swinger-ended", {**about(zone), "by": by})
