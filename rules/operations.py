"""What people and operators may ask for, done once for codes, keys and remote commands alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rules import bypass, indications, schedule, sessions, testing
from rules.alarms import silence
from rules.arming import Way, arm, counts_again, disarm, end_bypass, rearm
from rules.draft import Draft, about
from rules.effects import JsonValue
from rules.index import site_index
from rules.site import Level, Zone
from rules.state import changed
from rules.stimuli import Right, Wish
from rules.table import AreaMode
from rules.who import Who
from rules.zones import ISOLABLE


@dataclass(frozen=True)
class Order:
    """What is asked for: see `rules.stimuli.CodeEntered`."""

    wish: Wish
    areas: tuple[str, ...] = ()
    zone: str = ""
    part: str = ""
    instant: bool = False
    override: bool = False
    quiet: bool = False
    hold_up: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a wish: done or not, the notice that tells it (`rules.notices`), and its values."""

    done: bool
    notice: str
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


RIGHTS: Mapping[Wish, Right] = {
    Wish.ARM: Right.ARM,
    Wish.REARM: Right.ARM,
    Wish.POSTPONE: Right.ARM,
    Wish.DISARM: Right.DISARM,
    Wish.SILENCE: Right.DISARM,
    Wish.RESET: Right.RESET,
    Wish.BYPASS: Right.BYPASS,
    Wish.UNBYPASS: Right.BYPASS,
    Wish.ISOLATE: Right.BYPASS,
    Wish.UNISOLATE: Right.BYPASS,
    Wish.GRANT: Right.GRANT,
    Wish.WALK_TEST: Right.TEST,
    Wish.SIREN_TEST: Right.TEST,
    Wish.BATTERY_TEST: Right.TEST,
    Wish.END_TEST: Right.TEST,
}
"""The right that each wish needs; what is not here needs none."""
_ZONE_WISHES = frozenset({Wish.BYPASS, Wish.UNBYPASS, Wish.ISOLATE, Wish.UNISOLATE})


def carry_out(d: Draft, order: Order, who: Who, allowed: Sequence[str]) -> Outcome:
    """Do what is asked if it is allowed. `areas` empty means all of `allowed`."""
    if order.wish in _ZONE_WISHES:
        return _on_zone(d, order, who, allowed) if who.may(Right.BYPASS) else Outcome(False, "not-allowed")
    refused, ids = _chosen(d, order.areas, allowed)
    if refused:
        return refused
    wish = order.wish
    if wish is Wish.TOGGLE:
        # An alarm that shows in a disarmed area is what its user came to end.
        busy = [i for i in ids if (a := d.areas[i]).mode is not AreaMode.DISARMED or a.alarm or a.strobe]
        wish, ids = (Wish.DISARM, busy) if busy else (Wish.ARM, ids)
    right = RIGHTS.get(wish)
    if right is not None and not who.may(right):
        return Outcome(False, "not-allowed")
    return _done(d, wish, order, who, ids)


def _done(d: Draft, wish: Wish, order: Order, who: Who, ids: list[str]) -> Outcome:
    match wish:
        case Wish.ARM:
            return _arm(d, ids, order, who)
        case Wish.DISARM:
            return Outcome(True, "disarmed", {"areas": list(ids), "memory": list(disarm(d, ids, who))})
        case Wish.REARM:
            return _rearm(d, ids, who)
        case Wish.SILENCE:
            return Outcome(True, "silenced", {"areas": list(silence(d, ids, who.told()))})
        case Wish.RESET:
            return Outcome(True, "reset", indications.reset(d, ids, who.level, who))
        case Wish.POSTPONE:
            return _told(schedule.postpone(d, ids, who))
        case Wish.GRANT:
            sessions.grant(d, who)
            return Outcome(True, "granted", {"for_ms": d.site.timings.grant_ms})
        case Wish.LEAVE:
            left = who.level >= Level.INSTALLER and sessions.left(d, "left")
            return Outcome(True, "installer-left") if left else Outcome(False, "not-allowed")
        case Wish.WALK_TEST:
            return _told(testing.walk(d, ids, who, order.quiet, order.hold_up))
        case Wish.SIREN_TEST:
            return _told(testing.sound(d, ids, who))
        case Wish.BATTERY_TEST:
            return _told(testing.battery(d, who))
        case Wish.END_TEST:
            return _told(testing.end(d, who.by))
        case Wish.STATUS:
            return Outcome(True, "status")
        case Wish.PICTURE if who.how == "remote":
            return Outcome(True, "picture")
        case _:
            return Outcome(False, "unknown-wish")


def _told(result: tuple[bool, str, Mapping[str, JsonValue]]) -> Outcome:
    return Outcome(*result)


def _chosen(d: Draft, areas: Sequence[str], allowed: Sequence[str]) -> tuple[Outcome | None, list[str]]:
    wanted = set(areas or allowed)
    for id_ in areas:
        if id_ not in d.areas:
            return Outcome(False, "unknown-area"), []
        if id_ not in allowed:
            return Outcome(False, "not-allowed"), []
    ids = [id_ for id_ in site_index(d.site).area_ids if id_ in wanted]
    return (None, ids) if ids else (Outcome(False, "not-allowed"), [])


def _arm(d: Draft, ids: list[str], order: Order, who: Who) -> Outcome:
    part = d.site.parts.get(order.part)
    if order.part and part is None:
        return Outcome(False, "unknown-part")
    if part is not None and part.areas:
        fit = [id_ for id_ in ids if id_ in part.areas]
        # All the areas that are named, or none; who names none means those that the part is for.
        if not fit or (order.areas and fit != ids):
            return Outcome(False, "unknown-part")
        ids = fit
    # Who may not override is told what is in the way, as if he had not asked.
    override = order.override and who.may(Right.OVERRIDE)
    reasons = arm(d, ids, who, Way(order.part, order.instant, override))
    return _armed(d, ids, reasons)


def _armed(d: Draft, ids: list[str], reasons: list[JsonValue]) -> Outcome:
    if reasons:
        return Outcome(False, "arming-refused", {"areas": list(ids), "reasons": reasons})
    leaving = any(d.areas[id_].mode is AreaMode.EXIT_DELAY for id_ in ids)
    return Outcome(True, "arming" if leaving else "armed", {"areas": list(ids)})


def _rearm(d: Draft, ids: list[str], who: Who) -> Outcome:
    reasons = rearm(d, ids, who)
    return Outcome(False, "nothing-to-rearm") if reasons is None else _armed(d, ids, reasons)


def _on_zone(d: Draft, order: Order, who: Who, allowed: Sequence[str]) -> Outcome:
    zone = d.site.zones.get(order.zone)
    if zone is None:
        return Outcome(False, "unknown-zone")
    if not set(zone.areas) <= set(allowed):
        return Outcome(False, "not-allowed")
    isolating = order.wish in (Wish.ISOLATE, Wish.UNISOLATE)
    if isolating and who.level < Level.INSTALLER:
        return Outcome(False, "not-allowed")
    usable = zone.type in ISOLABLE if isolating else bypass.bypassable(zone)
    if not usable:
        return Outcome(False, "not-bypassable", {"zone": zone.id})
    if not bypass.at_rest(d, zone):
        return Outcome(False, "area-armed", {"zone": zone.id})
    return _isolate(d, order.wish, zone, who) if isolating else _bypass(d, order.wish, zone, who)


def _bypass(d: Draft, wish: Wish, zone: Zone, who: Who) -> Outcome:
    stood, wanted = d.zone(zone.id), wish is Wish.BYPASS
    if stood.bypassed and not wanted:
        end_bypass(d, zone, who)
    elif wanted and not stood.bypassed:
        bypass.begin(d, zone, who.told())
    return Outcome(True, "bypassed" if wanted else "unbypassed", {"zone": zone.id})


def _isolate(d: Draft, wish: Wish, zone: Zone, who: Who) -> Outcome:
    stood, wanted = d.zone(zone.id), wish is Wish.ISOLATE
    if stood.isolated is not wanted:
        d.set_zone(changed(stood, isolated=wanted))
        d.record("zone.isolated" if wanted else "zone.unisolated", {**about(zone), **who.told()})
        if not wanted:
            counts_again(d, zone)
    return Outcome(True, "isolated" if wanted else "unisolated", {"zone": zone.id})
