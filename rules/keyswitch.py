"""Keyswitches, momentary: turning one to *active* toggles its areas.

Only a turn that was seen counts, from rest to active: a key that is found active after a start, or comes out of a
fault, moves nothing, so no restart and no cut cable disarms.
"""

from rules import operations
from rules.draft import Draft
from rules.site import Condition, ZoneType
from rules.stimuli import Wish
from rules.who import Who


def turned(d: Draft, id_: str, condition: Condition) -> None:
    """A reading of a zone; only of a keyswitch it has an effect."""
    zone = d.site.zones.get(id_)
    if zone is None or zone.type is not ZoneType.KEYSWITCH:
        return
    rested = zone.id in d.live.at_rest
    if condition is Condition.NORMAL:
        if not rested:
            d.set_live(at_rest=d.live.at_rest | {zone.id})
        return
    if rested:
        d.set_live(at_rest=d.live.at_rest - {zone.id})
    if condition is Condition.ACTIVE and rested and not d.zone(zone.id).bypassed:
        who = Who(f"key:{zone.id}", "", "key")
        outcome = operations.carry_out(d, Wish.TOGGLE, (), "", who, zone.areas)
        d.tell("", outcome.notice, outcome.detail)
