"""Confirmation, from the written rules: a second detector, a second hold-up signal, and reinstatement without one."""

import pytest

from rules import AreaMode, Condition, Wish
from tests.rules.branch import CLERK, MANAGER_DURESS, Panel, kinds, payload, switched, tells
from tests.rules.full import (
    ACTIVE,
    ENTRY_MS,
    HOUR_MS,
    INSTALLER_DURESS,
    MINUTE_MS,
    NORMAL,
    OPEN,
    SHORT,
    SIREN_MS,
    arm,
    armed,
    ask,
    bank,
    disarm,
    full,
    payloads,
    power_cut,
    recorded,
    sirens,
    with_zone,
)

CONFIRM_MS = 30 * MINUTE_MS


def hall() -> Panel:
    return armed(bank(swinger_trips=0), "hall")


# Intruder alarms


@pytest.mark.clause("Confirmation two detectors", "EN 50131-1 log verified")
def test_a_second_detector_confirms() -> None:
    panel = hall()
    first = payload(panel.trip("window"), "alarm.intruder")
    assert "alarm.confirmed" not in recorded(panel)
    panel.wait(CONFIRM_MS - 1)
    effects = panel.read("pir")
    confirmed = payload(effects, "alarm.confirmed")
    assert (confirmed["zone"], confirmed["areas"], confirmed["zones"]) == ("pir", ["hall"], ["window", "pir"])
    assert confirmed["incident"] > first["incident"]
    assert kinds(effects)[0] == "alarm.intruder"


@pytest.mark.clause("Confirmation time")
def test_after_its_time_a_second_detector_is_a_first_one() -> None:
    panel = hall()
    panel.trip("window")
    panel.wait(CONFIRM_MS)
    assert kinds(panel.trip("pir")) == ["alarm.intruder", "restore.intruder"]
    panel.wait(CONFIRM_MS - 1)
    assert "alarm.confirmed" in kinds(panel.trip("window"))


def test_the_same_zone_confirms_nothing() -> None:
    panel = hall()
    for _ in range(3):
        panel.trip("window")
        panel.wait(SIREN_MS)
    assert "alarm.confirmed" not in recorded(panel)


def test_zones_of_one_detector_confirm_nothing() -> None:
    panel = hall()
    panel.trip("twin-1")
    panel.trip("twin-2")
    assert "alarm.confirmed" not in recorded(panel)
    assert "alarm.confirmed" in kinds(panel.trip("pir"))


def test_it_is_confirmed_once_in_an_armed_period() -> None:
    panel = hall()
    for zone in ("window", "pir", "straight", "hushed"):
        panel.trip(zone)
    panel.wait(HOUR_MS)
    for zone in ("window", "pir"):
        panel.trip(zone)
    assert recorded(panel).count("alarm.confirmed") == 1


def test_the_next_armed_period_confirms_again() -> None:
    panel = hall()
    for _ in range(2):
        panel.trip("window")
        panel.trip("pir")
        disarm(panel, "hall")
        panel.wait(10 * MINUTE_MS)
        armed(panel, "hall")
    assert recorded(panel).count("alarm.confirmed") == 2


def test_a_disarm_ends_the_time() -> None:
    panel = hall()
    panel.trip("window")
    disarm(panel, "hall")
    armed(panel, "hall")
    panel.trip("pir")
    assert "alarm.confirmed" not in recorded(panel)


def test_another_area_confirms_nothing() -> None:
    panel = armed(bank(), "hall", "vault")
    panel.trip("window")
    panel.trip("vault-pir")
    assert "alarm.confirmed" not in recorded(panel)
    assert payload(panel.trip("vault-2"), "alarm.confirmed")["areas"] == ["vault"]


def test_what_is_still_held_is_reported_at_once() -> None:
    panel = armed(bank(abort_ms=30_000), "hall")
    panel.trip("window")
    panel.wait(10_000)
    effects = panel.trip("pir")
    assert [e["zone"] for e in payloads(panel, "alarm.intruder")] == ["window", "pir"]
    assert kinds(effects).index("alarm.intruder") < kinds(effects).index("alarm.confirmed")
    panel.wait(HOUR_MS)
    assert recorded(panel).count("alarm.intruder") == 2


@pytest.mark.clause("Confirmation entry")
@pytest.mark.parametrize("way", ["deviation", "expiry"])
def test_an_alarm_in_an_entry_delay_or_by_its_end_opens_nothing(way: str) -> None:
    panel = hall()
    panel.read("door")
    panel.read("corridor")
    if way == "deviation":
        panel.trip("window")
    panel.wait(ENTRY_MS)
    panel.read("pir")
    assert "alarm.confirmed" not in recorded(panel)
    assert "alarm.confirmed" in kinds(panel.read("straight"))


@pytest.mark.clause("Confirmation entry")
def test_the_entry_door_of_an_area_in_alarm_confirms_nothing() -> None:
    panel = hall()
    panel.trip("window")
    assert kinds(panel.read("door")) == ["alarm.entry"]


@pytest.mark.clause("Confirmation not while unset")
def test_nothing_is_confirmed_while_disarmed() -> None:
    panel = bank()
    for zone in ("window", "pir", "seismic", "case", "lid"):
        panel.trip(zone)
    assert "alarm.confirmed" not in recorded(panel)


@pytest.mark.parametrize("zone", ["lid", "smoke", "panic"])
def test_what_is_no_intruder_alarm_opens_and_confirms_nothing(zone: str) -> None:
    panel = hall()
    panel.trip(zone)
    panel.trip("window")
    panel.trip(zone)
    assert "alarm.confirmed" not in recorded(panel)


@pytest.mark.clause("Confirmation tamper apart")
def test_a_cut_line_confirms_nothing_and_is_a_tamper() -> None:
    panel = hall()
    panel.trip("window")
    assert kinds(panel.read("pir", OPEN)) == ["alarm.sensor-tamper"]


def test_the_time_goes_on_over_a_power_cut() -> None:
    panel = hall()
    panel.trip("window")
    panel.wait(10 * MINUTE_MS)
    power_cut(panel)
    panel.wait(MINUTE_MS)
    assert "alarm.confirmed" in kinds(panel.trip("pir"))


# Reinstatement


@pytest.mark.clause("Confirmation reinstatement", "EN 50131-1 log reinstatement")
def test_without_a_second_detector_it_is_reinstated() -> None:
    panel = hall()
    panel.trip("window")
    assert "area.reinstated" not in kinds(panel.wait(CONFIRM_MS - 1))
    found = payload(panel.wait(1), "area.reinstated")
    assert (found["areas"], found["inhibited"]) == (["hall"], [])
    assert panel.mode() is AreaMode.ARMED
    assert "alarm.intruder" in kinds(panel.trip("window"))


@pytest.mark.clause("Confirmation reinstatement", "Confirmation messages")
def test_what_is_still_active_is_inhibited() -> None:
    panel = hall()
    panel.read("window")
    effects = panel.wait(CONFIRM_MS)
    assert payload(effects, "area.reinstated")["inhibited"] == ["window"]
    assert payload(effects, "zone.bypassed")["zone"] == "window"
    panel.trip("window")
    assert sirens(panel) == set()
    assert "zone.unbypassed" in kinds(disarm(panel, "hall"))


def test_a_zone_that_may_not_be_bypassed_is_not_inhibited() -> None:
    panel = armed(bank(with_zone(full(), "window", bypassable=False)), "hall")
    panel.read("window")
    effects = panel.wait(CONFIRM_MS)
    assert payload(effects, "area.reinstated")["inhibited"] == []


def test_a_confirmed_alarm_is_not_reinstated() -> None:
    panel = hall()
    panel.trip("window")
    panel.trip("pir")
    panel.wait(2 * HOUR_MS)
    assert "area.reinstated" not in recorded(panel)


def test_without_the_feature_nothing_is_confirmed_or_reinstated() -> None:
    panel = armed(bank(confirm_ms=0), "hall")
    panel.trip("window")
    panel.trip("pir")
    panel.wait(HOUR_MS)
    assert not {"alarm.confirmed", "area.reinstated"} & set(recorded(panel))


# Hold-up


@pytest.mark.clause("Confirmation hold-up")
@pytest.mark.parametrize("second", ["button", "button-2", "foot-rail", "panic", "code"])
def test_a_second_hold_up_signal_confirms_and_nothing_shows(second: str) -> None:
    panel = bank()
    panel.trip("button")
    panel.wait(2 * MINUTE_MS + 1)
    view = panel.view()
    effects = ask(panel, Wish.STATUS, key=MANAGER_DURESS) if second == "code" else panel.read(second)
    assert "alarm.hold-up-confirmed" in kinds(effects)
    if second in ("button", "button-2", "foot-rail"):
        assert (switched(effects), tells(effects)) == ([], [])
        assert panel.view() == view


@pytest.mark.clause("Confirmation hold-up")
def test_a_second_signal_within_two_minutes_is_the_same_hold_up() -> None:
    panel = bank()
    for _ in range(4):
        panel.trip("button")
        panel.wait(40_000)
    assert "alarm.hold-up-confirmed" not in recorded(panel)
    assert "alarm.hold-up-confirmed" in kinds(panel.trip("button-2"))


@pytest.mark.clause("Confirmation hold-up window")
@pytest.mark.parametrize(("later_ms", "confirmed"), [(8 * HOUR_MS, True), (8 * HOUR_MS + 1, False)])
def test_the_window_is_eight_hours(later_ms: int, confirmed: bool) -> None:
    panel = bank()
    panel.trip("button")
    panel.wait(later_ms)
    assert ("alarm.hold-up-confirmed" in kinds(panel.trip("button"))) is confirmed


def test_a_duress_code_is_a_hold_up_signal() -> None:
    panel = armed(bank(), "hall")
    assert "alarm.hold-up-confirmed" not in kinds(disarm(panel, "hall", key=MANAGER_DURESS))
    panel.wait(3 * MINUTE_MS)
    assert kinds(panel.read("button")) == ["alarm.hold-up", "alarm.hold-up-confirmed"]


def test_two_duress_codes_confirm() -> None:
    panel = bank()
    ask(panel, Wish.STATUS, key=MANAGER_DURESS)
    panel.wait(3 * MINUTE_MS)
    assert "alarm.hold-up-confirmed" in kinds(ask(panel, Wish.STATUS, key=INSTALLER_DURESS))


@pytest.mark.clause("Confirmation hold-up tamper")
@pytest.mark.parametrize("tamper", [OPEN, SHORT])
def test_a_hold_up_and_a_tamper_of_its_own_line_confirm(tamper: Condition) -> None:
    for first, second in ((ACTIVE, tamper), (tamper, ACTIVE)):
        panel = bank()
        assert "alarm.hold-up-confirmed" not in kinds(panel.read("button", first))
        view = panel.view()["zones"]["button"]
        assert payload(panel.read("button", second), "alarm.hold-up-confirmed")["zone"] == "button"
        assert panel.view()["zones"]["button"] == view


def test_a_tamper_of_the_second_button_that_is_pressed_confirms_too() -> None:
    panel = bank()
    panel.read("button")
    panel.read("button-2")
    assert "alarm.hold-up-confirmed" in kinds(panel.read("button-2", OPEN))


def test_a_tamper_of_another_line_confirms_no_hold_up() -> None:
    panel = bank()
    panel.trip("button")
    for zone in ("button-2", "foot-rail", "window", "lid"):
        panel.read(zone, OPEN)
    assert "alarm.hold-up-confirmed" not in recorded(panel)


@pytest.mark.clause("Confirmation hold-up reset")
def test_after_a_confirmed_hold_up_the_next_one_needs_no_reset() -> None:
    panel = bank()
    for _ in range(4):
        panel.trip("button")
        panel.wait(3 * MINUTE_MS)
    assert recorded(panel).count("alarm.hold-up-confirmed") == 2
    assert kinds(arm(panel, "hall", key=CLERK)) == ["area.exit-started"]


def test_the_first_signal_is_remembered_over_a_power_cut() -> None:
    panel = bank()
    panel.read("button")
    panel.wait(MINUTE_MS)
    power_cut(panel)
    panel.read("button", NORMAL)
    panel.wait(2 * MINUTE_MS)
    assert "alarm.hold-up-confirmed" in kinds(panel.read("button"))


def test_a_button_that_stands_after_a_start_confirms_nothing() -> None:
    panel = bank()
    panel.read("button")
    panel.wait(HOUR_MS)
    panel.start()
    assert kinds(panel.read("button")) == []
