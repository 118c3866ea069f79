"""What each zone type means in each condition and mode, from the written table; entry ways, supply, restores, chime."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rules import AreaMode, Condition, TroubleChanged, Wish, ZoneType
from tests.rules.branch import CLERK, Panel, captures, kinds, payload, switched, tells, told
from tests.rules.full import (
    ACTIVE,
    ENTRY_2_MS,
    ENTRY_MS,
    EXIT_MS,
    FAULT,
    INSTALLER,
    MASKED,
    NORMAL,
    OPEN,
    SHORT,
    SIDE_MS,
    STORE_ENTRY_MS,
    arm,
    armed,
    ask,
    bank,
    disarm,
    full,
    power_cut,
    recorded,
    session,
    shown,
    sirens,
    with_zone,
)

DISARMED, EXIT, ARMED, ENTRY, ALARM = AreaMode
ONE_OF_EACH = {
    "entry-exit": "garage",
    "follower": "corridor",
    "instant": "hushed",
    "day": "office",
    "24-hour": "case",
    "hold-up": "button",
    "audible-hold-up": "panic",
    "duress": "foot-rail",
    "tamper": "lid",
    "fire": "smoke",
    "gas": "gas",
    "water": "leak",
    "technical": "boiler",
    "medical": "pendant",
    "keyswitch": "key",
    "maintained-keyswitch": "lock",
    "checkpoint": "post-1",
    "monitor": "counter",
}
KINDS = {
    "instant": "alarm.intruder",
    "follower": "alarm.intruder",
    "entry-exit": "alarm.entry",
    "hold-up": "alarm.hold-up",
    "duress": "alarm.duress-button",
}
"""Where it is not `alarm.` and the type."""
MODES = ("disarmed", "exit-delay", "armed", "entry-delay", "alarm")


def table() -> list[tuple[str, str, str, str]]:
    """Type, condition, mode, reaction: each cell of the table in docs/rules.md."""
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| (active|open|short|masked|fault) \|(.*)\|$", text, re.MULTILINE)
    cells = [(t, c, m, r.strip()) for t, c, rest in rows for m, r in zip(MODES, rest.split("|"), strict=False)]
    assert len(cells) == len(ZoneType) * 5 * len(MODES)
    return cells


def in_mode(mode: str, zone: str) -> Panel:
    """A panel whose zone's area is in this mode."""
    (area,) = full().zones[zone].areas
    site = full(swinger_trips=0, entry_hold_ms=0, recent_close_ms=0, confirm_ms=0)
    site = replace(site, areas={**site.areas, "vault": replace(site.areas["vault"], exit_delay_ms=EXIT_MS)})
    door = {"hall": "side-door", "vault": "vault-door", "store": "store-door"}[area]
    more = {"vault-door": replace(site.zones["store-door"], id="vault-door", number=90, areas=("vault",))}
    panel = bank(replace(site, zones={**site.zones, **more}))
    if mode == "exit-delay":
        arm(panel, area)
    elif mode != "disarmed":
        armed(panel, area)
    if mode == "entry-delay":
        panel.trip(door)
    elif mode == "alarm":
        panel.trip({"hall": "window", "vault": "vault-pir", "store": "shelf"}[area])
    assert panel.mode(area).value == mode
    return panel


@pytest.mark.parametrize(("type_", "condition", "mode", "reaction"), table())
def test_the_written_table(type_: str, condition: str, mode: str, reaction: str) -> None:
    """Each reaction, seen from outside: what is recorded, sounds, and is told."""
    zone = ONE_OF_EACH[type_]
    assert full().zones[zone].type == type_
    panel = in_mode(mode, zone)
    before, lit = sirens(panel), panel.on()
    effects = panel.read(zone, Condition(condition))
    seen, loud = kinds(effects), sirens(panel) - before
    alarm = KINDS.get(type_, f"alarm.{type_}")
    if reaction == "alarm":
        assert seen == [alarm]
        assert loud or before
        assert told(effects, "") == ["alarm"]
        assert "strobe" in panel.on()
    elif reaction == "silent":
        assert seen == [alarm]
        assert (panel.on(), tells(effects)) == (lit, [])
    elif reaction == "notify":
        assert seen == [alarm]
        assert not loud
        assert shown(panel)[-1] == f"{alarm}:{zone}"
    elif reaction == "tamper":
        assert seen == ["alarm.tamper" if type_ == "tamper" else "alarm.sensor-tamper"]
        assert payload(effects, seen[0])["condition"] == condition
        assert loud or before
    elif reaction == "fault":
        fire_or_hold_up = {"fire": "fire-", "hold-up": "hold-up-", "audible-hold-up": "hold-up-", "duress": "hold-up-"}
        assert seen == [f"zone.{fire_or_hold_up.get(type_, '')}fault"]
        assert payload(effects, seen[0])["condition"] == condition
        assert panel.on() == lit
    elif reaction == "day":
        assert (seen, told(effects, "")) == (["zone.day-trouble"], ["day-trouble"])
        assert panel.on() == lit
    elif reaction == "entry":
        assert seen == (["area.entry-started"] if mode == "armed" else ["area.entry-route"])
        assert not loud
    elif reaction == "route":
        assert (seen, loud) == (["area.entry-route"], set())
    elif reaction == "toggle":
        assert not {k for k in seen if k.startswith("alarm.")}
        assert panel.mode(panel.site.zones[zone].areas[0]).value != mode or type_ == "maintained-keyswitch"
    else:
        assert reaction in ("·", "stop")
        assert (seen, panel.on()) == ([], lit)


# Lines, supply, masking


@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 55029 3.5.1(3) short")
def test_open_and_short_are_told_apart() -> None:
    panel = bank()
    panel.read("window", OPEN)
    effects = panel.read("window", SHORT)
    assert kinds(effects) == ["restore.sensor-tamper", "alarm.sensor-tamper"]
    assert payload(effects, "alarm.sensor-tamper")["condition"] == "short"
    assert payload(effects, "restore.sensor-tamper")["condition"] == "open"


@pytest.mark.clause("GB 55029 3.5.1(3) supply")
@pytest.mark.parametrize("set_", [False, True])
def test_a_supply_that_is_cut_alarms_armed_or_not(set_: bool) -> None:
    panel = armed(bank(), "hall") if set_ else bank()
    effects = panel.read("supplied", FAULT)
    assert payload(effects, "alarm.sensor-tamper")["condition"] == "fault"
    assert ("bell" in sirens(panel)) is set_
    assert "hall-siren" in sirens(panel)
    assert kinds(panel.read("supplied", NORMAL)) == ["restore.sensor-tamper"]


@pytest.mark.parametrize("trouble", ["driver", "bus"])
def test_a_fault_of_the_driver_itself_is_a_mere_fault(trouble: str) -> None:
    panel = armed(bank(), "hall")
    panel.play(TroubleChanged(trouble, True, "bus-1"))
    effects = panel.read("supplied", FAULT)
    assert (kinds(effects), switched(effects)) == (["zone.fault"], [])


@pytest.mark.parametrize("subject", ["rs485", "rs485/m1"])
def test_a_fault_of_its_bus_or_of_its_module_is_a_mere_fault(subject: str) -> None:
    site = full()
    zones = {**site.zones, "supplied": replace(site.zones["supplied"], driver="rs485/m1")}
    panel = armed(bank(replace(site, zones=zones)), "hall")
    panel.play(TroubleChanged("bus", True, subject))
    assert kinds(panel.read("supplied", FAULT)) == ["zone.fault"]


@pytest.mark.parametrize("subject", ["", "bus-2", "gpio"])
def test_the_trouble_of_another_driver_hides_no_cut_supply(subject: str) -> None:
    panel = armed(bank(), "hall")
    panel.play(TroubleChanged("driver", True, subject))
    assert kinds(panel.read("supplied", FAULT)) == ["alarm.sensor-tamper"]


def test_a_zone_without_that_mark_has_a_fault() -> None:
    assert kinds(armed(bank(), "hall").read("pir", FAULT)) == ["zone.fault"]


def test_a_masked_detector_that_is_armed_is_not_told_again() -> None:
    panel = bank()
    panel.read("pir", MASKED)
    ask(panel, Wish.BYPASS, zone="pir")
    armed(panel, "hall")
    disarm(panel, "hall")
    assert recorded(panel).count("zone.fault") == 1
    assert "zone.fault-ended" in kinds(panel.read("pir", NORMAL))


@pytest.mark.clause("EN 50131-1 masking set", "EN 50131-1 masking unset")
def test_a_detector_masked_while_one_leaves_is_a_tamper_once_it_is_set() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.trip("garage")
    assert kinds(panel.read("pir", MASKED)) == ["zone.fault"]
    assert kinds(panel.wait(EXIT_MS)) == ["area.armed", "alarm.sensor-tamper"]
    assert "bell" in sirens(panel)


@pytest.mark.parametrize("condition", [c for c in Condition if c is not NORMAL])
@pytest.mark.parametrize("zone", ["window", "button", "lid", "smoke", "counter", "leak", "office", "pendant"])
def test_a_condition_that_stands_is_told_once(zone: str, condition: Condition) -> None:
    panel = bank()
    panel.read(zone, condition)
    assert panel.read(zone, condition) == ()
    panel.start()
    assert kinds(panel.read(zone, condition)) == []


@pytest.mark.parametrize("zone", ["panic", "lid", "smoke", "case", "gas", "pendant", "leak", "button"])
def test_a_zone_that_rests_and_trips_again_is_recorded_again(zone: str) -> None:
    panel = bank()
    first, second = kinds(panel.trip(zone)), kinds(panel.trip(zone))
    assert first
    assert first == second


# Restores


@pytest.mark.clause("EN 50131-1 log restore")
@pytest.mark.parametrize(
    ("zone", "restored"),
    [
        ("window", "intruder"),
        ("office", "day"),
        ("case", "24-hour"),
        ("button", "hold-up"),
        ("foot-rail", "hold-up"),
        ("panic", "audible-hold-up"),
        ("lid", "tamper"),
        ("smoke", "fire"),
        ("gas", "gas"),
        ("leak", "water"),
        ("pendant", "medical"),
    ],
)
def test_the_end_of_an_alarm_is_recorded(zone: str, restored: str) -> None:
    panel = armed(bank())
    panel.read(zone)
    found = payload(panel.read(zone, NORMAL), f"restore.{restored}")
    assert found["zone"] == zone


def test_an_entry_zone_that_alarmed_is_restored() -> None:
    panel = armed(bank(), "hall")
    panel.read("door")
    panel.wait(ENTRY_MS)
    assert kinds(panel.read("door", NORMAL)) == ["restore.entry"]


@pytest.mark.parametrize("zone", ["hushed", "boiler"])
def test_a_zone_may_keep_its_restores_to_itself(zone: str) -> None:
    panel = armed(bank(), "hall")
    panel.read(zone)
    assert kinds(panel.read(zone, NORMAL)) == []
    assert panel.zone_view(zone, "alarm") == (False,)
    panel.read(zone, OPEN)
    assert kinds(panel.read(zone, NORMAL)) == ["restore.sensor-tamper"]


@pytest.mark.parametrize("zone", ["lid", "smoke", "panic", "button", "gas", "pendant", "case"])
def test_but_not_one_that_guards_lives(zone: str) -> None:
    panel = bank(with_zone(full(), zone, report_restore=False))
    panel.read(zone)
    assert kinds(panel.read(zone, NORMAL))[0].startswith("restore.")


@pytest.mark.parametrize(("zone", "kind"), [("button", "hold-up-fault"), ("smoke", "fire-fault"), ("pir", "fault")])
def test_faults_end_under_their_own_kind(zone: str, kind: str) -> None:
    panel = bank()
    assert kinds(panel.read(zone, FAULT)) == [f"zone.{kind}"]
    assert kinds(panel.read(zone, NORMAL)) == [f"zone.{kind}-ended"]


def test_a_day_trouble_ends() -> None:
    panel = bank()
    panel.read("office")
    assert kinds(panel.read("office", NORMAL)) == ["zone.day-trouble-ended"]


# Bypassed and isolated


@pytest.mark.parametrize("way", ["bypassed", "isolated"])
@pytest.mark.parametrize("zone", ["window", "door", "office", "case", "leak", "gas"])
def test_a_zone_that_is_out_does_not_alarm_but_its_line_is_reported(zone: str, way: str) -> None:
    panel = out(zone, way)
    armed(panel)
    assert kinds(panel.trip(zone)) == []
    effects = panel.read(zone, OPEN)
    assert payload(effects, "alarm.sensor-tamper")["bypassed"] is True
    assert sirens(panel) == set()


def out(zone: str, way: str) -> Panel:
    panel = bank()
    if way == "isolated":
        session(panel)
        ask(panel, Wish.ISOLATE, zone=zone, key=INSTALLER)
        ask(panel, Wish.LEAVE, key=INSTALLER)
    else:
        ask(panel, Wish.BYPASS, zone=zone)
    assert panel.zone_view(zone, way) == (True,)
    return panel


@pytest.mark.clause("EN 50131-1 isolate stays", "EN 50131-1 inhibit ends")
def test_a_bypass_ends_with_the_arming_and_an_isolation_stays() -> None:
    for way, again in (("bypassed", "alarm.intruder"), ("isolated", "")):
        panel = armed(out("window", way))
        disarm(panel)
        armed(panel)
        assert kinds(panel.read("window"))[:1] == ([again] if again else [])


@pytest.mark.clause("GB 50394 hold-up non-disarmable", "EN 50131-1 not inhibitable")
@pytest.mark.parametrize("wish", [Wish.BYPASS, Wish.ISOLATE])
@pytest.mark.parametrize("zone", ["button", "panic", "foot-rail", "smoke", "lid"])
def test_what_guards_lives_is_never_bypassed_or_isolated(zone: str, wish: Wish) -> None:
    panel = bank()
    session(panel)
    assert told(ask(panel, wish, zone=zone, key=INSTALLER)) == ["not-bypassable"]
    assert kinds(panel.read(zone))[0].startswith("alarm.")


@pytest.mark.clause("EN 50131-1 levels isolate", "EN 50131-1 levels inhibit")
def test_isolating_takes_level_3_and_disarmed_areas() -> None:
    panel = bank()
    assert told(ask(panel, Wish.ISOLATE, zone="window")) == ["not-allowed"]
    arm(panel, "vault")
    session(panel)
    assert told(ask(panel, Wish.BYPASS, zone="vault-pir")) == ["area-armed"]
    assert told(ask(panel, Wish.BYPASS, zone="shared-pir")) == ["area-armed"]


# The ways in


@pytest.mark.parametrize(
    ("zone", "delay_ms"),
    [("door", ENTRY_MS), ("garage", ENTRY_2_MS), ("side-door", SIDE_MS), ("store-door", STORE_ENTRY_MS)],
)
def test_each_way_in_has_its_time(zone: str, delay_ms: int) -> None:
    panel = armed(bank())
    assert payload(panel.read(zone), "area.entry-started")["entry_delay_ms"] == delay_ms
    assert "alarm.entry" not in kinds(panel.wait(delay_ms - 1))
    assert payload(panel.wait(1), "alarm.entry")["zone"] == zone


def test_a_common_door_gives_each_area_its_own_time() -> None:
    site = full()
    site = replace(site, areas={**site.areas, "vault": replace(site.areas["vault"], entry_delay_ms=10_000)})
    panel = armed(bank(site), "hall", "vault")
    effects = panel.read("lobby")
    assert kinds(effects) == ["area.entry-started", "area.entry-started"]
    panel.wait(10_000)
    assert panel.mode("vault") is ALARM


@pytest.mark.clause("EN 50131-1 entry ended")
def test_a_longer_way_does_not_lengthen_a_delay_that_runs() -> None:
    panel = armed(bank(), "hall")
    panel.trip("side-door")
    panel.wait(10_000)
    assert kinds(panel.trip("garage")) == ["area.entry-route"]
    effects = panel.wait(5_000)
    assert [k for k in kinds(effects) if k.startswith("alarm")] == ["alarm.entry", "alarm.entry"]


def doors_out(way: str) -> Panel:
    """The hall is armed, and nobody can come in by any of its doors as far as the panel knows."""
    site, doors = full(), ("door", "garage", "side-door", "lobby")
    if way == "resting":
        parts = {**site.parts, "doors": replace(site.parts["front"], id="doors", omits=doors)}
        panel = bank(replace(site, parts=parts))
        arm(panel, "hall", part="doors")
    else:
        panel = bank(site)
        if way == "isolated":
            session(panel)
        for door in doors:
            wish, key = (Wish.ISOLATE, INSTALLER) if way == "isolated" else (Wish.BYPASS, "a1" * 16)
            ask(panel, wish, zone=door, key=key)
        arm(panel, "hall")
    panel.wait(EXIT_MS + 600_000)
    assert panel.mode() is ARMED
    return panel


@pytest.mark.parametrize("way", ["bypassed", "isolated", "resting"])
def test_a_follower_whose_doors_are_out_starts_the_entry_delay(way: str) -> None:
    panel = doors_out(way)
    started = payload(panel.read("corridor"), "area.entry-started")
    assert (started["zone"], started["entry_delay_ms"]) == ("corridor", ENTRY_MS)
    assert kinds(panel.wait(ENTRY_MS)) == ["alarm.intruder"]


def test_with_one_door_in_force_it_alarms_at_once() -> None:
    panel = bank()
    for door in ("door", "garage", "side-door"):
        ask(panel, Wish.BYPASS, zone=door)
    arm(panel, "hall")
    panel.wait(EXIT_MS)
    assert kinds(panel.read("corridor"))[:1] == ["alarm.intruder"]


def test_in_an_area_without_doors_it_alarms_at_once() -> None:
    site = full()
    zone = replace(site.zones["vault-pir"], type=ZoneType.FOLLOWER)
    lobby = replace(site.zones["lobby"], areas=("hall",))
    panel = armed(bank(replace(site, zones={**site.zones, "vault-pir": zone, "lobby": lobby})), "vault")
    assert kinds(panel.read("vault-pir")) == ["alarm.intruder"]


@pytest.mark.parametrize("zone", ["lid", "panic", "button"])
def test_a_tamper_or_hold_up_ends_no_entry_delay(zone: str) -> None:
    panel = armed(bank(), "hall")
    panel.read("door")
    panel.read(zone)
    assert panel.mode() is ENTRY
    assert "alarm.entry" in kinds(panel.wait(ENTRY_MS))


@pytest.mark.parametrize("zone", ["smoke", "gas", "pendant"])
@pytest.mark.parametrize("mode", ["armed", "entry-delay", "exit-delay", "disarmed"])
def test_what_calls_for_help_changes_no_mode(zone: str, mode: str) -> None:
    panel = in_mode(mode, zone)
    panel.trip(zone)
    assert panel.mode().value == mode
    assert "hall-siren" in sirens(panel)
    if mode == "armed":
        assert kinds(panel.read("door"))[-1:] == ["area.entry-started"]


@pytest.mark.parametrize("zone", ["door", "corridor"])
def test_in_an_area_in_alarm_the_way_in_alarms_at_once(zone: str) -> None:
    panel = armed(bank(), "hall")
    panel.trip("window")
    assert kinds(panel.read(zone))[0] in ("alarm.entry", "alarm.intruder")


# Common zones


def test_a_common_zone_is_armed_when_all_its_areas_are_set() -> None:
    panel = armed(bank(), "hall", "vault")
    assert kinds(panel.trip("yard")) == []
    assert payload(panel.read("shared-pir"), "alarm.intruder")["areas"] == ["hall", "vault"]
    arm(panel, "store")
    panel.wait(EXIT_MS)
    assert "alarm.intruder" in kinds(panel.read("yard"))


def test_a_disarm_by_the_common_door_leaves_the_neighbour_armed() -> None:
    panel = armed(bank(), "hall", "vault")
    panel.read("lobby")
    effects = disarm(panel, "hall", key=CLERK)
    assert payload(effects, "area.entry-cancelled")["areas"] == ["vault"]
    assert panel.mode("vault") is ARMED
    assert "alarm.entry" not in kinds(panel.wait(ENTRY_MS))


def test_a_neighbour_whose_own_zone_is_active_reacts_to_it() -> None:
    panel = armed(bank(), "hall", "vault")
    panel.read("lobby")
    effects = panel.read("vault-pir")
    assert "zone.alarm-held" in kinds(effects)
    disarm(panel, "hall", key=CLERK)
    assert panel.mode("vault") is ALARM


def test_an_own_door_that_was_touched_too_keeps_the_delay() -> None:
    panel = armed(bank(), "hall", "vault")
    panel.read("lobby")
    panel.read("door")
    assert "area.entry-cancelled" not in kinds(disarm(panel, "vault"))
    assert panel.mode("hall") is ENTRY
    assert [k for k in kinds(panel.wait(ENTRY_MS)) if k.startswith("alarm.")] == ["alarm.entry"]
    assert shown(panel) == ["alarm.entry:door"]


# Chime, monitor, pictures


def test_a_chime_zone_is_told_and_sounds_while_disarmed() -> None:
    panel = bank()
    panel.wait(10_000)
    effects = panel.read("door")
    assert [(t.notice, t.args["zone"]) for t in tells(effects)] == [("chime", "door")]
    assert "chime" in panel.on()
    panel.wait(1_500)
    assert "chime" not in panel.on()
    assert told(panel.read("door", NORMAL), "") == []


@pytest.mark.parametrize("zone", ["garage", "pir"])
def test_a_zone_without_chime_is_quiet(zone: str) -> None:
    assert bank().read(zone) == ()


def test_a_chime_zone_that_a_start_finds_open_does_not_ring_again() -> None:
    panel = bank()
    panel.wait(10_000)
    panel.read("door")
    panel.start()
    assert told(panel.read("door"), "") == []
    panel.read("door", NORMAL)
    panel.wait(10_000)
    assert told(panel.read("door"), "") == ["chime"]


def test_a_common_chime_zone_rings_only_while_all_its_areas_are_disarmed() -> None:
    panel = armed(bank(with_zone(full(), "lobby", chime=True)), "vault")
    assert "chime" not in told(panel.trip("lobby"), "")
    disarm(panel, "vault")
    assert "chime" in told(panel.trip("lobby"), "")


def test_no_chime_while_armed() -> None:
    panel = armed(bank(), "hall")
    assert "chime" not in told(panel.read("door"), "")
    assert "chime" not in panel.on()


def test_an_alarm_asks_for_pictures_of_its_own_incident() -> None:
    panel = armed(bank(), "hall")
    effects = panel.read("window")
    (shot,) = captures(effects)
    assert (shot.zone, shot.cameras) == ("window", ("cam-1", "cam-2"))
    assert shot.incident == payload(effects, "alarm.intruder")["incident"]


def test_a_silent_hold_up_is_pictured() -> None:
    (shot,) = captures(bank().read("button"))
    assert (shot.zone, shot.kind, shot.cameras) == ("button", "alarm.hold-up", ("cam-1",))


# Settling


@pytest.mark.clause("CP-01 25")
def test_after_power_up_a_detector_settles() -> None:
    panel = armed(bank(), "hall")
    power_cut(panel)
    assert kinds(panel.read("pir")) == []
    assert kinds(panel.wait(59_999)) == []
    assert "alarm.intruder" in kinds(panel.wait(1))


def test_a_driver_that_repeats_itself_while_it_settles_loses_nothing() -> None:
    panel = armed(bank(), "hall")
    power_cut(panel)
    for _ in range(3):
        panel.read("pir")
        panel.wait(10_000)
    assert "alarm.intruder" in kinds(panel.wait(30_000))


@pytest.mark.parametrize("zone", ["button", "foot-rail", "lid", "smoke"])
def test_what_guards_lives_never_settles(zone: str) -> None:
    panel = bank()
    power_cut(panel)
    assert full().zones[zone].settle_ms
    assert kinds(panel.read(zone))[0].startswith("alarm.")


def test_other_conditions_are_believed_at_once() -> None:
    panel = bank()
    power_cut(panel)
    panel.read("pir")
    assert kinds(panel.read("pir", OPEN)) == ["alarm.sensor-tamper"]


def test_a_zone_unknown_to_the_site_has_no_effect() -> None:
    assert bank().read("attic", ACTIVE) == ()


def test_every_type_has_its_zone_here() -> None:
    zones: dict[str, Any] = {t.value: full().zones[ONE_OF_EACH[t.value]].type for t in ZoneType}
    assert zones == {t.value: t for t in ZoneType}
