"""Confirmed alarms, from BS 8243, DD 243 and CLC/TS 50131-9 (digest §6)."""

import pytest

from rules import Wish
from rules.profiles import PROFILES
from tests.conformance.bank import bank, recorded, with_zone
from tests.rules.branch import kinds, payload
from tests.rules.shop import ENTRY_MS, MANAGER, MANAGER_DURESS, MINUTE_MS, NORMAL, OPEN, arm, armed, disarm

HOUR_MS = 60 * MINUTE_MS


@pytest.mark.clause("Confirmation two detectors", "Confirmation messages", "EN 50131-1 log verified")
def test_two_detectors_within_the_time_confirm_once() -> None:
    panel = armed(bank())
    assert kinds(panel.trip("window"))[0] == "alarm.intruder"
    panel.wait(29 * MINUTE_MS)
    confirmed = payload(panel.read("pir"), "alarm.confirmed")
    assert confirmed["zones"] == ["window", "pir"]
    panel.trip("office")
    panel.trip("corridor")
    assert recorded(panel).count("alarm.confirmed") == 1


@pytest.mark.clause("Confirmation two detectors")
def test_the_same_detector_confirms_nothing() -> None:
    panel = armed(bank(with_zone("pir", with_zone("window", detector="dual-1"), detector="dual-1")))
    panel.trip("window")
    panel.trip("window")
    panel.trip("pir")
    assert "alarm.confirmed" not in recorded(panel)


@pytest.mark.clause("Confirmation time")
@pytest.mark.parametrize("profile", ["cn", "eu-g2", "eu-g3"])
def test_the_time_of_a_file(profile: str) -> None:
    number = PROFILES[profile].numbers["confirm_min"]
    assert (number.least, number.most) == (30, 60)


@pytest.mark.clause("Confirmation time", "Confirmation reinstatement", "Confirmation messages")
def test_after_the_time_it_is_reinstated_and_the_next_alarm_is_a_first_one() -> None:
    panel = armed(bank())
    panel.trip("window")
    assert "area.reinstated" not in kinds(panel.wait(30 * MINUTE_MS - 1))
    assert payload(panel.wait(1), "area.reinstated")["inhibited"] == []
    panel.trip("pir")
    assert "alarm.confirmed" not in recorded(panel)


@pytest.mark.clause("Confirmation reinstatement", "Confirmation messages")
def test_a_detector_that_is_still_active_is_inhibited_until_the_next_unsetting() -> None:
    panel = armed(bank())
    panel.read("window")
    assert payload(panel.wait(30 * MINUTE_MS), "area.reinstated")["inhibited"] == ["window"]
    panel.read("window", NORMAL)
    assert kinds(panel.trip("window")) == []
    assert "alarm.intruder" in kinds(panel.trip("pir"))
    assert "zone.unbypassed" in kinds(disarm(panel))


@pytest.mark.clause("Confirmation entry")
def test_an_entry_and_its_end_open_no_confirmation() -> None:
    panel = armed(bank())
    panel.trip("door")
    panel.wait(ENTRY_MS)
    assert "alarm.entry" in recorded(panel)
    panel.trip("window")
    assert "alarm.confirmed" not in recorded(panel)
    panel.trip("pir")
    assert "alarm.confirmed" in recorded(panel)


@pytest.mark.clause("Confirmation not while unset")
def test_nothing_is_confirmed_while_unset() -> None:
    panel = armed(bank())
    panel.trip("window")
    disarm(panel)
    panel.trip("pir")
    panel.trip("office")
    arm(panel)
    panel.wait(10 * MINUTE_MS)
    panel.trip("pir")
    assert "alarm.confirmed" not in recorded(panel)


@pytest.mark.clause("Confirmation hold-up", "Confirmation hold-up window")
@pytest.mark.parametrize(
    ("after_ms", "confirms"),
    [(2 * MINUTE_MS, False), (2 * MINUTE_MS + 1, True), (8 * HOUR_MS, True), (8 * HOUR_MS + 1, False)],
)
def test_a_second_hold_up_confirms_between_two_minutes_and_eight_hours(after_ms: int, confirms: bool) -> None:
    panel = bank()
    panel.trip("button")
    panel.wait(after_ms)
    assert ("alarm.hold-up-confirmed" in kinds(panel.read("button-2"))) is confirms


@pytest.mark.clause("Confirmation hold-up")
def test_a_duress_code_is_a_second_signal_too() -> None:
    panel = bank()
    panel.trip("button")
    panel.wait(3 * MINUTE_MS)
    assert "alarm.hold-up-confirmed" in kinds(panel.code(MANAGER_DURESS, Wish.ARM, "hall"))


@pytest.mark.clause("Confirmation hold-up tamper")
def test_a_hold_up_and_a_tamper_of_its_device_confirm() -> None:
    panel = bank()
    panel.trip("button")
    assert "alarm.hold-up-confirmed" not in kinds(panel.read("button-2", OPEN))
    assert "alarm.hold-up-confirmed" in kinds(panel.read("button", OPEN))


@pytest.mark.clause("Confirmation hold-up reset")
def test_after_a_confirmed_hold_up_a_user_arms_and_disarms_as_ever() -> None:
    panel = bank()
    panel.trip("button")
    panel.wait(3 * MINUTE_MS)
    panel.read("button")
    panel.read("button", NORMAL)
    assert kinds(arm(panel)) == ["area.exit-started"]
    assert kinds(panel.code(MANAGER, Wish.DISARM, "hall")) == ["area.disarmed"]
