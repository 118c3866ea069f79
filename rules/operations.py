"""What people and operators may ask for, done once for codes, keys and remote commands alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rules.alarms import silence
from rules.arming import arm, disarm, end_bypass
from rules.draft import Draft, about
from rules.effects import JsonValue
from rules.index import site_index
from rules.state import changed
from rules.stimuli import Wish
from rules.table import AreaMode
from rules.who import Who
from rules.zones import NEVER_BYPASSED


@dataclass(frozen=True)
class Outcome:
    """What became of a wish: done or not, the notice that tells it (`rules.notices`), and its values."""

    done: bool
    notice: str
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


def carry_out(d: Draft, wish: Wish, areas: Sequence[str], zone: str, who: Who, allowed: Sequence[str]) -> Outcome:
    """Do what is asked if it is allowed. `areas` empty means all of `allowed`."""
    if wish in (Wish.BYPASS, Wish.UNBYPASS):
        return _bypass(d, wish, zone, who, allowed)
    refused, ids = _chosen(d, areas, allowed)
    if refused:
        return refused
    if wish is Wish.TOGGLE:
        # An alarm that shows in a disarmed area is what its user came to end.
        busy = [i for i in ids if (a := d.areas[i]).mode is not AreaMode.DISARMED or a.alarm or a.strobe]
        wish, ids = (Wish.DISARM, busy) if busy else (Wish.ARM, ids)
    if wish is Wish.ARM:
        return _arm(d, ids, who)
    if wish is Wish.DISARM:
        return Outcome(True, "disarmed", {"areas": list(ids), "memory": list(disarm(d, ids, who))})
    if wish is Wish.SILENCE:
        return Outcome(True, "silenced", {"areas": list(silence(d, ids, who.told()))})
    return Outcome(wish is Wish.STATUS, "status" if wish is Wish.STATUS else "unknown-wish")


def _chosen(d: Draft, areas: Sequence[str], allowed: Sequence[str]) -> tuple[Outcome | None, list[str]]:
    wanted = set(areas or allowed)
    for id_ in areas:
        if id_ not in d.areas:
            return Outcome(False, "unknown-area"), []
        if id_ not in allowed:
            return Outcome(False, "not-allowed"), []
    ids = [id_ for id_ in site_index(d.site).area_ids if id_ in wanted]
    return (None, ids) if ids else (Outcome(False, "not-allowed"), [])


def _arm(d: Draft, ids: list[str], who: Who) -> Outcome:
    reasons = arm(d, ids, who)
    if reasons:
        return Outcome(False, "arming-refused", {"areas": list(ids), "reasons": list(reasons)})
    leaving = any(d.areas[id_].mode is AreaMode.EXIT_DELAY for id_ in ids)
    return Outcome(True, "arming" if leaving else "armed", {"areas": list(ids)})


def _bypass(d: Draft, wish: Wish, id_: str, who: Who, allowed: Sequence[str]) -> Outcome:
    zone = d.site.zones.get(id_)
    if zone is None:
        return Outcome(False, "unknown-zone")
    if not set(zone.areas) <= set(allowed):
        return Outcome(False, "not-allowed")
    if not zone.bypassable or zone.type in NEVER_BYPASSED:
        return Outcome(False, "not-bypassable", {"zone": id_})
    if any(d.areas[area].mode is not AreaMode.DISARMED for area in zone.areas):
        return Outcome(False, "area-armed", {"zone": id_})
    stood, wanted = d.zone(id_), wish is Wish.BYPASS
    if stood.bypassed and not wanted:
        end_bypass(d, zone, who)
    elif wanted and not stood.bypassed:
        d.set_zone(changed(stood, bypassed=True))
        d.record("zone.bypassed", {**about(zone), **who.told()})
    return Outcome(True, "bypassed" if wanted else "unbypassed", {"zone": id_})
