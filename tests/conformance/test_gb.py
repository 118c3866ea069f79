"""GB 55029 and GB 50394: what alarms, what is shown, what may never be switched off."""

import pytest

from rules import AreaMode, CodeEntered, Condition, Right, TroubleChanged, User, UserSet, Wish
from tests.conformance.bank import BANK, bank, heard, power_cut, recorded, reported_at, shown, with_zone
from tests.rules.branch import Panel, kinds, payload, tells
from tests.rules.shop import (
    ACTIVE,
    FAULT,
    INSTALLER,
    MANAGER,
    MANAGER_DURESS,
    MINUTE_MS,
    NORMAL,
    OPEN,
    arm,
    armed,
    disarm,
    session,
)

SHORT = Condition.SHORT
WIRED = [id_ for id_, zone in BANK.zones.items() if zone.id != "trial"]
HOLD_UPS = ["button", "button-2", "bell-push", "foot-rail"]


def standing(*, set_: bool) -> Panel:
    """The bank, set or unset."""
    return armed(bank()) if set_ else bank()


# GB 55029 3.5.1


@pytest.mark.clause("GB 55029 3.5.1(7) alarm")
@pytest.mark.clause("GB 55029 3.5.1(1)(6) intrusion", "GB 50394 zone shown", "EN 50131-1 hold-up set")
def test_each_class_of_alarm_is_told_apart_with_its_zone() -> None:
    panel = armed(bank())
    told = [
        payload(panel.read(zone), kind) for zone, kind in (("window", "alarm.intruder"), ("button", "alarm.hold-up"))
    ]
    assert [(p["zone"], p["zone_number"]) for p in told] == [
        ("window", BANK.zones["window"].number),
        ("button", BANK.zones["button"].number),
    ]
    assert shown(panel) == ["alarm.intruder:window"]


@pytest.mark.clause("GB 55029 3.5.1(1)(6) emergency", "EN 50131-1 hold-up unset")
@pytest.mark.parametrize(
    ("zone", "kind"),
    [("button", "alarm.hold-up"), ("foot-rail", "alarm.duress-button"), ("bell-push", "alarm.audible-hold-up")],
)
def test_an_emergency_while_unset_is_reported_with_its_zone_and_no_external_siren(zone: str, kind: str) -> None:
    panel = bank()
    assert payload(panel.read(zone), kind)["zone"] == zone
    assert "horn" not in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(1)(6) tamper", "GB 55029 3.5.1(2) detector", "GB 50394 tamper always")
@pytest.mark.clause("EN 50131-1 tamper own zones", "Confirmation tamper apart")
@pytest.mark.parametrize("set_", [True, False])
def test_a_tamper_contact_alarms_as_tamper_set_or_unset(set_: bool) -> None:
    panel = standing(set_=set_)
    assert payload(panel.read("lid"), "alarm.tamper")["zone"] == "lid"
    assert shown(panel) == ["alarm.tamper:lid"]
    assert "bell" in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(2) panel", "EN 50131-1 tamper opening", "EN 50131-1 log tamper")
@pytest.mark.parametrize("set_", [True, False])
def test_an_opened_cabinet_alarms_set_or_unset(set_: bool) -> None:
    panel = standing(set_=set_)
    assert payload(panel.play(TroubleChanged("box", True, "main")), "trouble.box")["subject"] == "main"
    assert "bell" in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(1)(6) fault", "GB 50394 fault always")
@pytest.mark.clause("EN 50131-1 fault set", "EN 50131-1 fault unset")
@pytest.mark.parametrize("set_", [True, False])
def test_a_fault_is_reported_as_such_set_or_unset(set_: bool) -> None:
    panel = standing(set_=set_)
    assert payload(panel.read("window", FAULT), "zone.fault")["zone"] == "window"
    assert "horn" not in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 50394 tamper always")
@pytest.mark.parametrize("set_", [True, False])
@pytest.mark.parametrize("zone", WIRED)
def test_a_cut_line_of_every_zone_alarms_set_or_unset(zone: str, set_: bool) -> None:
    panel = standing(set_=set_)
    kind = "alarm.tamper" if zone == "lid" else "alarm.sensor-tamper"
    found = payload(panel.read(zone, OPEN), kind)
    assert (found["zone"], found["condition"]) == (zone, "open")
    assert "bell" in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(3) short", "GB 50394 tamper always")
@pytest.mark.parametrize("set_", [True, False])
@pytest.mark.parametrize("zone", WIRED)
def test_a_shorted_line_of_every_zone_alarms_set_or_unset(zone: str, set_: bool) -> None:
    panel = standing(set_=set_)
    kind = "alarm.tamper" if zone == "lid" else "alarm.sensor-tamper"
    found = payload(panel.read(zone, SHORT), kind)
    assert (found["zone"], found["condition"]) == (zone, "short")
    assert "bell" in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(3) supply")
@pytest.mark.parametrize("set_", [True, False])
@pytest.mark.parametrize("zone", ["door", "window", "pir", "seismic", "button"])
def test_a_detector_whose_supply_is_cut_alarms_set_or_unset(zone: str, set_: bool) -> None:
    panel = bank(with_zone(zone, supply_cut=True))
    if set_:
        armed(panel)
    found = payload(panel.read(zone, FAULT), "alarm.sensor-tamper")
    assert (found["zone"], found["condition"]) == (zone, "fault")
    assert "bell" in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(3) supply")
def test_a_driver_that_fails_is_no_supply_that_was_cut() -> None:
    panel = bank(with_zone("window", supply_cut=True))
    panel.play(TroubleChanged("driver", True, "gpio"))
    assert kinds(panel.read("window", FAULT)) == ["zone.fault"]
    assert heard(panel) == set()


@pytest.mark.clause("GB 55029 3.5.1(4)(5) rights")
@pytest.mark.parametrize(
    ("right", "wish", "kind"),
    [
        (Right.ARM, Wish.ARM, "area.exit-started"),
        (Right.BYPASS, Wish.BYPASS, "zone.bypassed"),
        (Right.TEST, Wish.SIREN_TEST, "test.siren"),
        (Right.GRANT, Wish.GRANT, "installer.granted"),
    ],
)
def test_a_user_does_what_his_rights_say_and_nothing_else(right: Right, wish: Wish, kind: str) -> None:
    panel = bank()
    panel.play(UserSet("manager", User("may", "May", 2, ("hall",), "e1" * 16, rights=(right,))))
    others = tuple(r for r in Right if r is not right)
    panel.play(UserSet("manager", User("not", "Not", 2, ("hall",), "e9" * 16, rights=others)))
    refused = panel.play(CodeEntered("kp", "e9" * 16, wish, zone="window" if wish is Wish.BYPASS else ""))
    assert kinds(refused) == []
    assert [tell.notice for tell in tells(refused)] == ["not-allowed"]
    allowed = panel.play(CodeEntered("kp", "e1" * 16, wish, zone="window" if wish is Wish.BYPASS else ""))
    assert kinds(allowed) == [kind]


@pytest.mark.clause("GB 55029 3.5.1(4)(5) arm", "GB 55029 3.5.1(4)(5) disarm", "GB 55029 3.5.1(7) operation")
def test_arming_and_disarming_are_recorded_with_who() -> None:
    panel = armed(bank())
    assert panel.mode() is AreaMode.ARMED
    assert payload(disarm(panel), "area.disarmed")["user"] == "manager"
    assert panel.mode() is AreaMode.DISARMED
    assert "area.armed" in recorded(panel)


@pytest.mark.clause("GB 55029 3.5.1(4)(5) bypass")
def test_a_bypassed_zone_does_not_alarm_and_who_bypassed_it_is_recorded() -> None:
    panel = bank()
    assert payload(panel.code(MANAGER, Wish.BYPASS, zone="window"), "zone.bypassed")["user"] == "manager"
    assert kinds(armed(panel).read("window")) == []


@pytest.mark.clause("GB 55029 3.5.1(4)(5) duress")
def test_a_code_under_duress_does_what_it_says_and_calls_for_help() -> None:
    panel = armed(bank())
    assert set(kinds(panel.code(MANAGER_DURESS, Wish.DISARM, "hall"))) == {"area.disarmed", "alarm.duress"}
    assert panel.mode() is AreaMode.DISARMED


@pytest.mark.clause("GB 55029 3.5.1(7) handling", "GB 50394 held until reset", "EN 50131-1 levels restore")
def test_what_was_done_about_an_alarm_is_recorded_with_who() -> None:
    panel = armed(bank())
    panel.trip("window")
    panel.wait(MINUTE_MS)
    assert payload(panel.code(MANAGER, Wish.SILENCE, "hall"), "siren.silenced")["user"] == "manager"
    assert payload(disarm(panel), "area.alarm-cancelled")["user"] == "manager"
    assert shown(panel) == ["alarm.intruder:window"]
    reset = payload(panel.code(MANAGER, Wish.RESET), "panel.reset")
    assert (reset["user"], reset["indications"]) == ("manager", ["alarm.intruder:window"])
    assert shown(panel) == []


# GB 50394


@pytest.mark.clause("GB 50394 hold-up non-disarmable", "EN 50131-1 not inhibitable")
@pytest.mark.parametrize("zone", HOLD_UPS)
@pytest.mark.parametrize("wish", [Wish.BYPASS, Wish.ISOLATE])
def test_nobody_takes_a_hold_up_button_out(zone: str, wish: Wish) -> None:
    panel = bank()
    session(panel)
    for key in (MANAGER, INSTALLER):
        assert kinds(panel.code(key, wish, zone=zone)) == []
    assert kinds(panel.read(zone))[0].startswith("alarm.")


@pytest.mark.clause("GB 50394 sound and light")
def test_an_alarm_sounds_and_lights() -> None:
    panel = armed(bank())
    panel.trip("window")
    assert {"horn", "bell", "strobe", "alarm"} <= panel.on()


@pytest.mark.clause("GB 50394 held until reset", "GB 50394 no automatic reset")
def test_an_indication_outlives_siren_disarm_arming_restart_and_a_day() -> None:
    panel = armed(bank())
    panel.trip("window")
    panel.wait(24 * 60 * MINUTE_MS)
    disarm(panel)
    arm(panel)
    panel.wait(24 * 60 * MINUTE_MS)
    power_cut(panel)
    assert shown(panel) == ["alarm.intruder:window"]
    assert "alarm" in panel.on()


@pytest.mark.clause("GB 50394 no automatic reset")
def test_what_still_alarms_is_not_reset() -> None:
    panel = armed(bank())
    panel.read("window")
    disarm(panel)
    panel.code(MANAGER, Wish.RESET)
    assert shown(panel) == ["alarm.intruder:window"]
    panel.read("window", NORMAL)
    panel.code(MANAGER, Wish.RESET)
    assert shown(panel) == []


@pytest.mark.clause("GB 50394 one after another", "GB 50394 nothing lost", "GB 50394 no missed alarm")
def test_alarms_of_one_moment_are_all_recorded_and_shown_in_their_order() -> None:
    panel = armed(bank())
    for zone in ("window", "button", "seismic", "pir", "bell-push", "lid"):
        panel.read(zone)
    assert [kind for kind in recorded(panel) if kind.startswith("alarm.") and kind != "alarm.confirmed"] == [
        *("alarm.intruder", "alarm.hold-up", "alarm.24-hour", "alarm.intruder"),
        *("alarm.audible-hold-up", "alarm.tamper"),
    ]
    assert shown(panel) == [
        *("alarm.intruder:window", "alarm.24-hour:seismic", "alarm.intruder:pir"),
        *("alarm.audible-hold-up:bell-push", "alarm.tamper:lid"),
    ]


@pytest.mark.clause("GB 50394 disarmed detection ignored", "EN 50131-1 intruder unset")
@pytest.mark.parametrize("zone", ["door", "corridor", "window", "pir"])
def test_detection_while_unset_is_nothing(zone: str) -> None:
    panel = bank()
    assert kinds(panel.trip(zone)) == []
    assert panel.on() == set()
    assert shown(panel) == []


@pytest.mark.clause("GB 50394 comes back set", "GB 50394 power off", "EN 50131-1 power loss")
@pytest.mark.parametrize("area", ["hall", "vault"])
def test_a_loss_of_power_leaves_it_as_it_was(area: str) -> None:
    panel = bank()
    arm(panel, area)
    panel.wait(10 * MINUTE_MS)
    effects = power_cut(panel)
    assert panel.mode(area) is AreaMode.ARMED
    assert {panel.mode(a) for a in ("hall", "vault")} == {AreaMode.ARMED, AreaMode.DISARMED}
    assert not [kind for kind in kinds(effects) if kind.startswith("area.disarmed")]


@pytest.mark.clause("GB 50394 no missed alarm")
def test_an_alarm_while_another_one_goes_on_is_recorded_at_once() -> None:
    panel = armed(bank())
    panel.read("window")
    for zone, kind in (("door", "alarm.entry"), ("office", "alarm.day"), ("smoke", "alarm.fire")):
        panel.wait(1_000)
        panel.read(zone, ACTIVE)
        assert reported_at(panel, kind) == panel.now
