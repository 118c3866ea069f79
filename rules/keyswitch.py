"""Keyswitches. Momentary: turning one to *active* toggles its areas. Maintained: turned on arms, turned back disarms.

Only a turn that was seen counts: a key that is found turned after a start, or comes out of a fault, moves nothing by
that, so no restart and no cut cable disarms. Its turning back is seen, and counts; but one whose line was cut, shorted
or masked must come to rest before it counts again, since whoever mends a cable may touch its ends.
"""

from rules import operations
from rules.draft import Draft
from rules.operations import Order
from rules.site import Condition, Zone, ZoneType
from rules.stimuli import Right, Wish
from rules.who import Who

_RIGHTS = (Right.ARM, Right.DISARM)


def turned(d: Draft, id_: str, condition: Condition) -> None:
    """A reading of a zone; only of a keyswitch it has an effect."""
    zone = d.site.zones.get(id_)
    if zone is None:
        return
    if zone.type is ZoneType.KEYSWITCH:
        _momentary(d, zone, condition)
    elif zone.type is ZoneType.MAINTAINED_KEYSWITCH:
        _maintained(d, zone, condition)


def _momentary(d: Draft, zone: Zone, condition: Condition) -> None:
    rested = zone.id in d.live.at_rest
    if condition is Condition.NORMAL:
        if not rested:
            d.note(at_rest=d.live.at_rest | {zone.id})
        return
    if rested:
        d.note(at_rest=d.live.at_rest - {zone.id})
    if condition is Condition.ACTIVE and rested:
        _wish(d, zone, Wish.TOGGLE)


def _maintained(d: Draft, zone: Zone, condition: Condition) -> None:
    on = f"{zone.id}+"
    was = d.before.live.conditions.get(zone.id, Condition.NORMAL)
    rested, turned_on = zone.id in d.live.at_rest, on in d.live.at_rest
    kept = d.live.at_rest - {zone.id, on}
    if condition is Condition.NORMAL:
        d.note(at_rest=kept | {zone.id})
        if turned_on:
            _wish(d, zone, Wish.DISARM)
    elif condition is Condition.ACTIVE and (turned_on or was in (Condition.NORMAL, Condition.FAULT)):
        d.note(at_rest=kept | {on})
        if rested:
            _wish(d, zone, Wish.ARM)
    elif kept != d.live.at_rest:
        d.note(at_rest=kept)


def _wish(d: Draft, zone: Zone, wish: Wish) -> None:
    if d.zone(zone.id).out:
        return
    outcome = operations.carry_out(d, Order(wish), Who(f"key:{zone.id}", "", "key", rights=_RIGHTS), zone.areas)
    d.tell("", outcome.notice, outcome.detail)
