"""Ways of arming, from the written rules: part, instant, override, what is in the way, exit delay, quick re-arm."""

from typing import Any

import pytest

from rules import AreaMode, Condition, OutputKind, RemoteCommand, Right, Site, TroubleChanged, User, UserSet, Wish
from tests.rules.branch import CLERK, Panel, answer, kinds, payload, tells, told
from tests.rules.full import (
    ACTIVE,
    ALL,
    ENTRY_MS,
    EXIT_MS,
    FAULT,
    INSTALLER,
    MASKED,
    MINUTE_MS,
    NORMAL,
    OPEN,
    SHORT,
    SIREN_MS,
    SIRENS,
    arm,
    armed,
    ask,
    bank,
    disarm,
    full,
    payloads,
    recorded,
    session,
    sirens,
    with_zone,
)

DISARMED, EXIT, ARMED, ENTRY, ALARM = AreaMode


def reasons(panel: Panel, *areas: str, **more: Any) -> list[str]:
    """Why this arming is refused; empty when it is not."""
    effects = arm(panel, *(areas or ("hall",)), **more)
    if "area.arming-refused" not in kinds(effects):
        return []
    found = payload(effects, "area.arming-refused")["reasons"]
    assert [t.args["reasons"] for t in tells(effects) if t.notice == "arming-refused"] == [found]
    return list(found)


# Part sets


@pytest.mark.clause("EN 50131-1 log set")
def test_part_arming_is_recorded_with_its_part_and_who() -> None:
    panel = bank()
    arm(panel, "hall", part="night")
    panel.trip("door")
    found = payload(panel.wait(EXIT_MS), "area.part-armed")
    assert (found["areas"], found["part"], found["user"], found["by"]) == (["hall"], "night", "manager", "keypad:kp")
    assert panel.area_view("hall", "mode", "part") == ("armed", "night")


def test_zones_of_the_part_rest_and_the_others_count() -> None:
    panel = armed(bank(), "hall", part="night")
    assert kinds(panel.trip("pir") + panel.trip("corridor")) == []
    assert kinds(panel.read("window")) == ["alarm.intruder"]


def test_a_resting_zone_behaves_as_in_a_disarmed_area() -> None:
    panel = armed(bank(), "hall", part="front")
    assert kinds(panel.read("office")) == ["zone.day-trouble"]
    assert told(panel.read("window"), "") == ["chime"]
    assert kinds(panel.read("door")) == []
    assert kinds(panel.read("side-door", MASKED)) == ["zone.fault"]
    assert panel.mode() is ARMED


@pytest.mark.parametrize("condition", [OPEN, SHORT])
def test_the_line_of_a_resting_zone_alarms_as_always(condition: Condition) -> None:
    panel = armed(bank(), "hall", part="night")
    assert kinds(panel.read("pir", condition)) == ["alarm.sensor-tamper"]
    assert {"bell", "hall-siren"} <= sirens(panel)


def test_a_resting_zone_is_not_in_the_way() -> None:
    panel = bank()
    panel.read("office")
    panel.read("window")
    assert reasons(panel, part="front") == []


def test_a_resting_zone_with_a_cut_line_is_in_the_way() -> None:
    panel = bank()
    panel.read("window", OPEN)
    assert reasons(panel, part="front") == ["tamper:window"]


@pytest.mark.parametrize(("areas", "part"), [(("hall",), "attic"), (("vault",), "front"), (ALL, "front")])
def test_a_part_that_does_not_fit_is_refused(areas: tuple[str, ...], part: str) -> None:
    panel = bank()
    assert told(arm(panel, *areas, part=part)) == ["unknown-part"]
    assert {panel.mode(area) for area in ALL} == {DISARMED}


def test_a_part_asked_for_without_areas_arms_those_that_it_is_for() -> None:
    panel = bank()
    arm(panel, part="front")
    assert [panel.mode(area) for area in ALL] == [EXIT, DISARMED, DISARMED]


def test_a_common_zone_rests_where_one_of_its_areas_is_armed_with_its_part() -> None:
    panel = armed(bank(), part="night")
    assert kinds(panel.trip("shared-pir")) == []
    assert kinds(panel.read("yard")) == ["alarm.intruder"]


def test_a_part_ends_with_its_arming() -> None:
    panel = armed(bank(), "hall", part="night")
    disarm(panel, "hall")
    panel.wait(10 * MINUTE_MS)
    armed(panel, "hall")
    assert panel.area_view("hall", "part") == ("",)
    assert kinds(panel.read("pir")) == ["alarm.intruder"]


# Instant


def test_instant_arming_has_no_entry_delay() -> None:
    panel = bank()
    arm(panel, "hall", instant=True)
    panel.trip("garage")
    assert payload(panel.wait(EXIT_MS), "area.armed")["instant"] is True
    assert kinds(panel.read("side-door"))[:1] == ["alarm.entry"]
    assert panel.mode() is ALARM
    assert {"bell", "hall-siren"} <= sirens(panel)


def test_the_next_arming_is_not_instant() -> None:
    panel = armed(bank(), "hall", instant=True)
    disarm(panel, "hall")
    panel.wait(10 * MINUTE_MS)
    assert kinds(armed(panel, "hall").read("door")) == ["area.entry-started"]


# What is in the way


@pytest.mark.parametrize(
    ("zone", "condition", "reason"),
    [
        ("window", ACTIVE, "active:window"),
        ("pir", ACTIVE, "active:pir"),
        ("office", ACTIVE, "active:office"),
        ("shared-pir", ACTIVE, "active:shared-pir"),
        ("smoke", ACTIVE, "active:smoke"),
        ("panic", ACTIVE, "hold-up:panic"),
        ("lid", ACTIVE, "tamper:lid"),
        ("door", OPEN, "tamper:door"),
        ("counter", SHORT, "tamper:counter"),
        ("panic", OPEN, "tamper:panic"),
        ("button", OPEN, "tamper:button"),
        ("button", SHORT, "tamper:button"),
        ("button", FAULT, "fault:button"),
        ("foot-rail", FAULT, "fault:foot-rail"),
        ("supplied", FAULT, "tamper:supplied"),
        ("lid", MASKED, "tamper:lid"),
        ("pir", MASKED, "masked:pir"),
        ("pir", FAULT, "fault:pir"),
        ("corridor", FAULT, "fault:corridor"),
    ],
)
def test_zones_in_the_way(zone: str, condition: Condition, reason: str) -> None:
    panel = bank()
    panel.read(zone, condition)
    assert reasons(panel) == [reason]
    assert panel.mode() is DISARMED
    panel.read(zone, NORMAL)
    assert reasons(panel) == []
    assert panel.mode() is EXIT


@pytest.mark.parametrize("zone", ["button", "foot-rail"])
def test_a_pressed_silent_button_is_not_in_the_way(zone: str) -> None:
    panel = bank()
    panel.read(zone)
    assert reasons(panel) == []


@pytest.mark.parametrize("zone", ["door", "garage", "lobby", "corridor"])
def test_the_exit_route_may_be_active_where_an_exit_delay_runs(zone: str) -> None:
    panel = bank()
    panel.read(zone)
    assert reasons(panel, "hall") == []


def test_the_exit_route_is_in_the_way_where_no_exit_delay_runs() -> None:
    panel = bank()
    panel.read("lobby")
    assert reasons(panel, "vault") == ["active:lobby"]
    assert reasons(panel, "hall", "vault") == ["active:lobby"]


def test_what_is_active_elsewhere_is_not_in_the_way() -> None:
    panel = bank()
    panel.read("window")
    assert reasons(panel, "vault") == []


@pytest.mark.parametrize(
    "name",
    [
        "mains",
        "battery",
        "battery-missing",
        "battery-test",
        "charger",
        "overcurrent",
        "bus:rs485",
        "driver:gpio",
        "jamming",
        "siren:bell",
        "storage",
        "box",
    ],
)
def test_troubles_in_the_way(name: str) -> None:
    panel = bank()
    trouble, _, subject = name.partition(":")
    panel.play(TroubleChanged(trouble, True, subject))
    assert reasons(panel) == [f"trouble:{name}"]


@pytest.mark.parametrize("name", ["path:eth", "camera:cam-1", "clock", "board"])
def test_troubles_that_do_not_prevent_in_profile_cn(name: str) -> None:
    panel = bank()
    trouble, _, subject = name.partition(":")
    panel.play(TroubleChanged(trouble, True, subject))
    assert reasons(panel) == []


@pytest.mark.clause("EN 50131-1 setting failed")
def test_all_reasons_are_told_and_nothing_is_armed() -> None:
    panel = bank()
    panel.read("window")
    panel.read("shelf")
    panel.play(TroubleChanged("siren", True, "bell"))
    assert reasons(panel, *ALL) == ["active:window", "active:shelf", "trouble:siren:bell"]
    assert {panel.mode(area) for area in ALL} == {DISARMED}


def test_at_most_64_reasons_then_more() -> None:
    panel = bank()
    for i in range(64):
        panel.play(TroubleChanged("driver", True, f"d{i}"))
    assert len(reasons(panel)) == 64
    panel.read("window")
    found = reasons(panel)
    assert (len(found), found[-1]) == (65, "more")


def test_areas_that_are_not_disarmed_stay_as_they_are() -> None:
    panel = armed(bank(), "vault")
    before = panel.state.areas["vault"]
    arm(panel, *ALL, part="night")
    assert (panel.mode("hall"), panel.mode("store")) == (EXIT, EXIT)
    assert panel.state.areas["vault"] == before


# Notification


def silenced_site(panel: Panel, *, sirens_too: bool = True, paths: tuple[str, ...] = ("eth", "lte")) -> None:
    """Siren lines and paths fail."""
    lines = [o.id for o in panel.site.outputs.values() if o.kind is OutputKind.SIREN]
    for id_ in lines if sirens_too else lines[1:]:
        panel.play(TroubleChanged("siren", True, id_))
    for id_ in paths:
        panel.play(TroubleChanged("path", True, id_))


@pytest.mark.clause("EN 50131-1 prevention notification")
def test_no_siren_and_no_path_is_never_overridden() -> None:
    panel = bank()
    session(panel)
    silenced_site(panel)
    assert "notification" in reasons(panel, override=True, key=INSTALLER)
    assert panel.mode() is DISARMED


@pytest.mark.parametrize("what", ["one-siren", "one-path"])
def test_one_siren_or_one_path_is_enough(what: str) -> None:
    panel = bank()
    if what == "one-siren":
        silenced_site(panel, sirens_too=False)
    else:
        silenced_site(panel, paths=("eth",))
    assert "notification" not in reasons(panel)
    assert reasons(panel, override=True) == []
    assert panel.mode() is EXIT


# Override


@pytest.mark.clause("EN 50131-1 setting forced", "EN 50131-1 log override")
def test_an_override_bypasses_for_this_arming_and_names_everything() -> None:
    panel = bank()
    panel.read("window")
    panel.read("pir", MASKED)
    panel.play(TroubleChanged("battery", True))
    effects = arm(panel, "hall", override=True)
    overridden = payload(effects, "area.arming-overridden")
    assert overridden["reasons"] == ["active:window", "masked:pir", "trouble:battery"]
    assert (overridden["user"], overridden["areas"]) == ("manager", ["hall"])
    forced = payloads(panel, "zone.bypassed")
    assert [(f["zone"], f["forced"]) for f in forced] == [("window", True), ("pir", True)]
    panel.trip("door")
    panel.wait(EXIT_MS)
    assert panel.mode() is ARMED
    assert kinds(panel.trip("window")) == []
    assert kinds(disarm(panel, "hall")).count("zone.unbypassed") == 2


def test_an_active_zone_must_be_forceable() -> None:
    panel = bank()
    panel.read("pir")
    assert reasons(panel, override=True) == ["active:pir"]
    assert kinds(panel.effects) == ["area.arming-refused"]


def test_what_is_not_active_must_be_bypassable() -> None:
    panel = bank(with_zone(full(), "pir", bypassable=False))
    panel.read("pir", FAULT)
    assert reasons(panel, override=True) == ["fault:pir"]


@pytest.mark.parametrize("zone", ["button", "panic", "smoke"])
@pytest.mark.parametrize(("condition", "reason"), [(FAULT, "fault"), (OPEN, "tamper")])
def test_in_spite_of_what_guards_lives_an_installer_arms_and_it_is_not_bypassed(
    zone: str, condition: Condition, reason: str
) -> None:
    panel = bank()
    panel.read(zone, condition)
    assert reasons(panel, override=True) == [f"{reason}:{zone}"]
    session(panel)
    assert reasons(panel, override=True, key=INSTALLER) == []
    assert payload(panel.effects, "area.arming-overridden")["reasons"] == [f"{reason}:{zone}"]
    assert "zone.bypassed" not in kinds(panel.effects)
    assert not panel.state.zones[zone].out


@pytest.mark.clause("EN 50131-1 prevention hold-up active")
def test_a_button_that_is_stuck_goes_on_alarming_after_an_installer_has_armed() -> None:
    panel = bank()
    panel.read("panic")
    disarm(panel, "hall")
    session(panel)
    assert reasons(panel, override=True, key=INSTALLER) == []
    panel.read("panic", NORMAL)
    assert "alarm.audible-hold-up" in kinds(panel.read("panic"))


@pytest.mark.clause("EN 50131-1 prevention tamper")
def test_a_tamper_takes_an_installer() -> None:
    panel = bank()
    panel.read("pir", OPEN)
    assert reasons(panel, override=True) == ["tamper:pir"]
    session(panel)
    assert reasons(panel, override=True, key=INSTALLER) == []
    assert panel.mode() is EXIT


def test_an_open_cabinet_takes_an_installer() -> None:
    panel = bank()
    panel.play(TroubleChanged("box", True))
    assert reasons(panel, override=True) == ["trouble:box"]
    session(panel)
    assert reasons(panel, override=True, key=INSTALLER) == []


def test_a_detector_masked_while_set_is_still_a_masked_one_afterwards() -> None:
    panel = armed(bank(), "hall")
    panel.read("pir", MASKED)
    disarm(panel, "hall")
    assert reasons(panel) == ["masked:pir"]
    assert reasons(panel, override=True) == []


def test_nobody_overrides_a_broken_storage() -> None:
    panel = bank()
    session(panel)
    panel.play(TroubleChanged("storage", True))
    assert reasons(panel, override=True, key=INSTALLER) == ["trouble:storage"]


def test_one_reason_that_may_not_be_overridden_keeps_all() -> None:
    panel = bank()
    panel.read("window")
    panel.play(TroubleChanged("storage", True))
    assert "trouble:storage" in reasons(panel, override=True)
    assert not panel.zone_view("window", "bypassed")[0]
    assert panel.mode() is DISARMED


def test_an_override_needs_the_right() -> None:
    panel = bank()
    panel.play(UserSet("t", User("aide", "Aide", 2, ("hall",), "99" * 16, rights=(Right.ARM, Right.OVERRIDE))))
    panel.read("window")
    arm(panel, key=CLERK, override=True)
    assert panel.mode() is DISARMED
    assert not panel.zone_view("window", "bypassed")[0]
    arm(panel, key="99" * 16, override=True)
    assert panel.mode() is EXIT


def test_nothing_in_the_way_needs_no_override() -> None:
    panel = bank()
    assert kinds(arm(panel, "hall", override=True)) == ["area.exit-started"]


# The exit delay


@pytest.mark.clause("CP-01 2")
def test_the_last_ten_seconds_are_told_again() -> None:
    panel = bank()
    assert told(arm(panel, "hall"), "") == ["exit-started"]
    assert told(panel.wait(EXIT_MS - 10_001), "") == []
    assert told(panel.wait(1), "") == ["exit-ending"]
    assert "exit-ending" not in told(panel.wait(9_999), "")


@pytest.mark.clause("CP-01 3")
def test_a_door_that_opens_again_restarts_the_exit_delay_once() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.trip("garage")
    panel.wait(40_000)
    effects = panel.read("garage")
    assert payload(effects, "area.exit-restarted")["zone"] == "garage"
    assert told(effects, "") == ["exit-started"]
    panel.read("garage", NORMAL)
    panel.wait(EXIT_MS - 1_000)
    assert panel.mode() is EXIT
    assert kinds(panel.trip("garage")) == []
    assert kinds(panel.wait(1_000)) == ["area.armed"]


def test_the_next_arming_may_restart_again() -> None:
    panel = bank()
    for _ in range(2):
        arm(panel, "hall")
        panel.trip("garage")
        assert "area.exit-restarted" in kinds(panel.trip("garage"))
        disarm(panel, "hall")


def test_no_restart_where_the_site_has_none() -> None:
    panel = bank(exit_restart=False)
    arm(panel, "hall")
    panel.trip("garage")
    assert kinds(panel.trip("garage")) == []


@pytest.mark.clause("EN 50131-1 setting completed")
def test_closing_the_final_door_ends_the_exit_delay_five_seconds_later() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.read("door")
    panel.wait(10_000)
    panel.read("door", NORMAL)
    assert kinds(panel.wait(4_999)) == []
    assert kinds(panel.wait(1)) == ["area.armed"]


def test_a_final_door_never_makes_the_exit_delay_longer() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.read("door")
    panel.wait(EXIT_MS - 2_000)
    panel.read("door", NORMAL)
    assert kinds(panel.wait(2_000)) == ["area.armed"]


def test_the_final_door_opened_again_is_no_end() -> None:
    """Somebody came back for his bag: the restart counts, and the door stands open."""
    panel = bank()
    arm(panel, "hall")
    panel.trip("door")
    panel.wait(2_000)
    panel.read("door")
    panel.wait(30_000)
    assert panel.mode() is EXIT
    panel.read("door", NORMAL)
    assert kinds(panel.wait(5_000)) == ["area.armed"]


def test_a_door_that_is_no_final_door_ends_nothing() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.trip("side-door")
    assert kinds(panel.wait(EXIT_MS - 1)) == []


def stay_site() -> Site:
    return full(auto_part="night")


@pytest.mark.clause("CP-01 4")
def test_who_did_not_leave_is_armed_in_the_part() -> None:
    panel = bank(stay_site())
    arm(panel, "hall")
    assert payload(panel.wait(EXIT_MS), "area.part-armed")["part"] == "night"
    assert kinds(panel.trip("pir")) == []


@pytest.mark.clause("CP-01 4")
def test_who_left_is_armed_in_full() -> None:
    panel = bank(stay_site())
    arm(panel, "hall")
    panel.trip("door")
    assert kinds(panel.wait(EXIT_MS)) == ["area.armed"]
    assert panel.area_view("hall", "part") == ("",)


def test_a_part_that_is_named_stays() -> None:
    panel = bank(stay_site())
    arm(panel, "hall", part="front")
    assert payload(panel.wait(EXIT_MS), "area.part-armed")["part"] == "front"


@pytest.mark.clause("CP-01 4", "CP-01 5")
def test_remote_arming_has_no_exit_delay_and_no_part_of_its_own() -> None:
    panel = bank(stay_site())
    effects = panel.remote(1, Wish.ARM, "hall")
    assert kinds(effects) == ["area.armed-remotely", "command.done"]
    assert told(effects, "") == ["armed"]
    assert panel.area_view("hall", "mode", "part") == ("armed", "")


def test_remote_part_arming_keeps_its_kind_and_names_the_part() -> None:
    panel = bank()
    effects = panel.play(RemoteCommand(1, "Li", Wish.ARM, ("hall",), part="night"))
    assert payload(effects, "area.armed-remotely")["part"] == "night"
    assert "area.part-armed" not in kinds(effects)
    assert panel.area_view("hall", "mode", "part") == ("armed", "night")


def test_an_open_entry_door_prevents_remote_arming() -> None:
    panel = bank()
    panel.read("door")
    assert answer(panel.remote(1, Wish.ARM, "hall")).detail["reasons"] == ["active:door"]
    assert panel.mode() is DISARMED


def test_an_operator_may_name_part_instant_and_override() -> None:
    panel = bank()
    panel.read("window")
    panel.play(RemoteCommand(1, "Li", Wish.ARM, ("hall",), part="night", instant=True, override=True))
    assert panel.area_view("hall", "mode", "part", "instant") == ("armed", "night", True)
    assert panel.zone_view("window", "bypassed") == (True,)


# Its end


@pytest.mark.clause("CP-01 19")
def test_a_door_open_at_the_end_is_an_exit_error_that_warns_inside() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.read("garage")
    effects = panel.wait(EXIT_MS)
    assert kinds(effects) == ["area.armed", "area.entry-started", "area.exit-error"]
    assert payload(effects, "area.exit-error")["zones"] == ["garage"]
    assert told(effects, "")[-1] == "exit-error"
    assert panel.mode() is ENTRY
    assert sirens(panel) == {"hall-siren"}


@pytest.mark.clause("CP-01 19")
def test_who_disarms_in_it_ends_all_of_it() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.read("side-door")
    panel.wait(EXIT_MS)
    assert kinds(disarm(panel, "hall")) == ["area.disarmed"]
    assert not panel.on() & {*SIRENS, "strobe", "beeper", "hall-armed"}
    panel.wait(SIREN_MS)
    assert "alarm.exit-error" not in recorded(panel)


@pytest.mark.clause("CP-01 19")
def test_else_it_alarms_with_all_that_was_touched() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.read("side-door")
    panel.read("corridor")
    effects = panel.wait(EXIT_MS)
    assert "area.entry-route" in kinds(effects)
    assert "alarm.intruder" not in kinds(effects)
    panel.read("door")
    effects = panel.wait(ENTRY_MS)
    assert kinds(effects)[:1] == ["alarm.exit-error"]
    alarms = [k for k in kinds(effects) if k.startswith("alarm.")]
    assert sorted(alarms) == ["alarm.entry", "alarm.entry", "alarm.exit-error", "alarm.intruder"]
    assert "bell" in sirens(panel)


@pytest.mark.parametrize("zone", ["window", "office"])
def test_whatever_else_is_active_at_the_end_alarms(zone: str) -> None:
    panel = bank()
    arm(panel, "hall")
    panel.trip("door")
    panel.wait(1_000)
    panel.read(zone)
    effects = panel.wait(4_000)
    assert kinds(effects)[:2] == ["area.armed", "alarm.day" if zone == "office" else "alarm.intruder"]
    assert "bell" in sirens(panel)


def test_an_alarm_of_the_exit_delay_goes_on_with_all_sirens() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.trip("lid")
    assert sirens(panel) == {"hall-siren"}
    assert panel.mode() is EXIT
    panel.wait(EXIT_MS)
    assert panel.mode() is ALARM
    assert {"bell", "hall-siren"} <= sirens(panel)


def test_a_fire_of_the_exit_delay_stays_inside() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.trip("smoke")
    panel.wait(EXIT_MS)
    assert panel.mode() is ARMED
    assert sirens(panel) == {"hall-siren"}


# Quick re-arm


def test_within_five_minutes_it_is_armed_again_as_it_was() -> None:
    panel = bank()
    ask(panel, Wish.BYPASS, zone="window")
    armed(panel, "hall", part="night", instant=True)
    disarm(panel, "hall")
    assert not panel.zone_view("window", "bypassed")[0]
    panel.wait(5 * MINUTE_MS)
    panel.read("window")
    effects = ask(panel, Wish.REARM, "hall", key=CLERK)
    assert payload(effects, "zone.bypassed")["zone"] == "window"
    panel.wait(EXIT_MS)
    assert panel.area_view("hall", "mode", "part", "instant") == ("armed", "night", True)
    assert panel.zone_view("window", "bypassed") == (True,)


def test_later_there_is_nothing_to_rearm() -> None:
    panel = armed(bank(), "hall")
    disarm(panel, "hall")
    panel.wait(5 * MINUTE_MS + 1)
    assert told(ask(panel, Wish.REARM, "hall")) == ["nothing-to-rearm"]
    assert panel.mode() is DISARMED


def test_only_what_was_disarmed_just_now_is_armed_again() -> None:
    panel = armed(bank(), "vault")
    disarm(panel, "vault")
    ask(panel, Wish.REARM)
    assert (panel.mode("hall"), panel.mode("vault"), panel.mode("store")) == (DISARMED, ARMED, DISARMED)


def test_a_rearming_bypasses_no_zone_of_an_area_that_was_armed_meanwhile() -> None:
    panel = bank()
    ask(panel, Wish.BYPASS, zone="shared-pir")
    armed(panel, "hall")
    disarm(panel, "hall")
    arm(panel, "vault")
    ask(panel, Wish.REARM, "hall")
    assert panel.mode() is EXIT
    assert panel.zone_view("shared-pir", "bypassed") == (False,)


def test_a_rearming_bypasses_nothing_else() -> None:
    panel = armed(bank(), "hall")
    panel.read("window")
    panel.read("hushed", OPEN)
    disarm(panel, "hall")
    panel.read("window", NORMAL)
    panel.read("hushed", NORMAL)
    assert kinds(ask(panel, Wish.REARM, "hall")) == ["area.exit-started"]


def test_what_is_armed_again_already_is_not_rearmed() -> None:
    panel = armed(bank(), "vault")
    disarm(panel, "vault")
    arm(panel, "vault")
    assert told(ask(panel, Wish.REARM)) == ["nothing-to-rearm"]


def test_rearm_needs_the_right_to_arm() -> None:
    panel = bank()
    panel.play(UserSet("t", User("opener", "Opener", 2, ("hall",), "99" * 16, rights=(Right.DISARM,))))
    armed(panel, "hall")
    disarm(panel, "hall", key="99" * 16)
    assert told(ask(panel, Wish.REARM, key="99" * 16)) == ["not-allowed"]
    assert panel.mode() is DISARMED


def test_what_is_in_the_way_stops_a_rearming_too() -> None:
    panel = armed(bank(), "hall")
    disarm(panel, "hall")
    panel.read("pir")
    assert payload(ask(panel, Wish.REARM), "area.arming-refused")["reasons"] == ["active:pir"]


# What is recorded of an arming


@pytest.mark.clause("EN 50131-1 setting recorded")
def test_several_areas_are_recorded_by_when_they_are_armed() -> None:
    panel = bank()
    arm(panel, *ALL)
    assert panel.mode("vault") is ARMED
    panel.wait(30_000)
    assert panel.mode("store") is ARMED
    panel.wait(30_000)
    assert recorded(panel).count("area.armed") == 3
