"""Tests that end by themselves: walk test, siren test, battery test.

Sources: EN 50131-1 (walk test at level 2, digest §1.1), CP-01 row 24 (digest §5). What guards lives alarms as ever in a
walk test.
"""

from collections.abc import Mapping
from dataclasses import replace

from rules import chimes, detect, troubles
from rules.draft import Draft, about, about_areas, clean
from rules.effects import JsonValue, Request
from rules.index import site_index
from rules.site import Condition, Level, OutputKind, Zone
from rules.state import Walk
from rules.stimuli import TestDone, TestDue, WalkLeft
from rules.table import AreaMode
from rules.who import Who
from rules.zones import HOLD_UPS, INTRUDER, WALKED

MAX_UNSEEN = 64
"""So many zones that were never seen are named in the report."""

Told = tuple[bool, str, Mapping[str, JsonValue]]


def walk(d: Draft, ids: list[str], who: Who, quiet: bool, hold_up: bool) -> Told:
    """Begin a walk test in these areas."""
    if d.durable.walk is not None:
        return False, "test-running", {}
    if any(d.areas[id_].mode is not AreaMode.DISARMED for id_ in ids):
        return False, "area-armed", {}
    if hold_up and who.level < Level.INSTALLER:
        return False, "not-allowed", {}
    until = d.now + d.site.timings.walk_ms
    d.keep(walk=Walk(until, who.by, who.user, tuple(ids), quiet, hold_up))
    more: dict[str, JsonValue] = {"quiet": quiet, "hold_up": hold_up}
    d.record("test.walk-started", {**about_areas(d.site, ids), **who.told(), **more})
    return True, "walk-test", {"areas": list(ids), "for_ms": d.site.timings.walk_ms}


def tripped(d: Draft, zone: Zone) -> bool:
    """A zone was active in a walk test; whether that is all that follows."""
    test = d.durable.walk
    if test is None or not _in_test(test, zone):
        return False
    if zone.id not in test.seen:
        d.keep(walk=replace(test, seen=(*test.seen, zone.id)))
        d.record("test.hold-up-seen" if zone.type in HOLD_UPS else "test.zone-seen", about(zone))
        if not test.quiet:
            chimes.ring(d, zone)
    return True


def _in_test(test: Walk, zone: Zone) -> bool:
    wanted = zone.type in WALKED or (test.hold_up and zone.type in HOLD_UPS)
    return wanted and set(zone.areas) <= set(test.areas)


def end(d: Draft, by: str) -> Told:
    """End the walk test; zones that alarm whether armed or not, and are active, count from now on."""
    test = d.durable.walk
    if test is None:
        return False, "no-test", {}
    zones = [z for z in d.site.zones.values() if _in_test(test, z) and not d.zone(z.id).out]
    unseen = [z.id for z in zones if z.id not in test.seen]
    d.keep(walk=None)
    names: list[JsonValue] = [*unseen[:MAX_UNSEEN]]
    figures: dict[str, JsonValue] = {"seen": len(test.seen), "unseen": names, "unseen_count": len(unseen)}
    d.record("test.walk-ended", {**about_areas(d.site, list(test.areas)), "by": by, **figures})
    d.tell("", "walk-test-ended", figures)
    for zone in zones:
        if zone.type not in INTRUDER and d.condition(zone.id) is Condition.ACTIVE and zone.id not in d.live.held:
            detect.react(d, zone, Condition.ACTIVE)
    return True, "walk-test-ended", figures


def left(d: Draft, gone: WalkLeft) -> None:
    """End the walk test that was begun at this source; another one goes on."""
    by, test = f"keypad:{clean(gone.source)}", d.durable.walk
    _, notice, figures = end(d, by) if test is not None and test.by == by else (False, "no-test", {})
    d.tell(gone.source, notice, figures)


def sound(d: Draft, ids: list[str], who: Who) -> Told:
    """All sirens of those of these areas that are disarmed, for some seconds."""
    ids = [id_ for id_ in ids if d.areas[id_].mode is AreaMode.DISARMED]
    if not ids:
        return False, "area-armed", {}
    if d.durable.siren_test is not None:
        return False, "test-running", {}
    index, for_ms = site_index(d.site), d.site.timings.siren_test_ms
    sirens = list(dict.fromkeys(o.id for a in ids for o in index.outputs_of[a] if o.kind is OutputKind.SIREN))
    chimes.turn_on(d, dict.fromkeys(sirens, for_ms))
    d.keep(siren_test=d.now + for_ms)
    d.record("test.siren", {**about_areas(d.site, ids), **who.told(), "outputs": list(sirens), "for_ms": for_ms})
    return True, "siren-test", {"areas": list(ids), "for_ms": for_ms}


def battery(d: Draft, who: Who) -> Told:
    """Ask the panel for a load test."""
    if d.durable.battery_test is not None:
        return False, "test-running", {}
    _ask(d, who.told())
    return True, "battery-test", {}


def due(d: Draft, asked: TestDue) -> None:
    """The panel's own schedule asks; not while a test runs already."""
    if asked.test == "battery" and d.durable.battery_test is None:
        _ask(d, {"by": "schedule:battery"})


def _ask(d: Draft, by: Mapping[str, JsonValue]) -> None:
    d.keep(battery_test=d.now + d.site.timings.battery_test_ms)
    d.record("test.battery", by)
    d.requests.append(Request("battery"))


def done(d: Draft, result: TestDone) -> None:
    """The panel's answer; one that nobody waits for is ignored."""
    if result.test == "battery" and d.durable.battery_test is not None:
        _battery_done(d, result.ok, result.detail, result.possible)


def _battery_done(d: Draft, ok: bool, detail: str, possible: bool = True) -> None:
    d.keep(battery_test=None)
    detail = clean(detail, 200)
    d.record("test.battery-ended", {"ok": ok, "detail": detail})
    d.tell("", "battery-test-passed" if ok else "battery-test-failed", {})
    if possible:
        troubles.changed(d, "battery-test", not ok, detail=detail)


def over(d: Draft) -> None:
    """Tests whose time is over."""
    durable = d.durable
    if durable.walk is not None and durable.walk.until <= d.now:
        end(d, "timer")
    if durable.siren_test is not None and durable.siren_test <= d.now:
        d.keep(siren_test=None)
        d.record("test.siren-ended", {})
    if durable.battery_test is not None and durable.battery_test <= d.now:
        _battery_done(d, False, "no answer")


def started(d: Draft) -> None:
    """The panel came up: what the drivers tell again must not count as seen, so a walk test ends."""
    end(d, "start")


def areas_armed(d: Draft, ids: list[str]) -> None:
    """These areas were armed: a walk test in them ends."""
    test = d.durable.walk
    if test is not None and set(ids).intersection(test.areas):
        end(d, "arming")
