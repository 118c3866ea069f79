"""Arming and disarming: delays, what stands in the way, who may, bypass, common zones."""

from dataclasses import replace

import pytest

from rules import AreaMode, Condition, Tell, TroubleChanged, Wish, ZoneChanged
from rules.prevention import MAX_REASONS
from tests.rules.branch import (
    CLERK,
    ENTRY_MS,
    EXIT_MS,
    MANAGER,
    WRONG,
    Panel,
    answer,
    branch,
    kinds,
    payload,
    switched,
    told,
)


def test_arming_runs_the_exit_delay_and_then_arms() -> None:
    panel = Panel()
    effects = panel.code(CLERK, Wish.ARM)
    assert panel.mode() is AreaMode.EXIT_DELAY
    assert payload(effects, "area.exit-started") == {
        "areas": ["hall"],
        "area_numbers": [1],
        "by": "keypad:kp",
        "user": "clerk",
        "exit_delay_ms": EXIT_MS,
    }
    assert kinds(panel.wait(EXIT_MS - 1)) == []
    effects = panel.wait(1)
    assert panel.mode() is AreaMode.ARMED
    assert payload(effects, "area.armed") == {
        "areas": ["hall"],
        "area_numbers": [1],
        "by": "keypad:kp",
        "user": "clerk",
    }
    assert switched(effects) == [("lamp", True)]


def test_an_area_without_exit_delay_is_armed_at_once() -> None:
    panel = Panel()
    assert kinds(panel.code(MANAGER, Wish.ARM, "vault")) == ["area.armed"]
    assert panel.mode("vault") is AreaMode.ARMED


def test_entry_exit_and_follower_may_be_active_while_one_leaves() -> None:
    panel = Panel()
    panel.read("door")
    panel.read("corridor")
    assert kinds(panel.code(MANAGER, Wish.ARM, "hall")) == ["area.exit-started"]
    panel.read("door", Condition.NORMAL)
    panel.read("corridor", Condition.NORMAL)
    assert kinds(panel.wait(EXIT_MS)) == ["area.armed"]
    assert panel.mode() is AreaMode.ARMED


def test_without_exit_delay_an_open_door_is_in_the_way() -> None:
    panel = Panel()
    panel.read("lobby")
    effects = panel.code(MANAGER, Wish.ARM, "vault")
    assert payload(effects, "area.arming-refused")["reasons"] == ["active:lobby"]
    assert panel.mode("vault") is AreaMode.DISARMED


def test_a_door_left_open_starts_the_entry_delay_when_the_exit_delay_ends() -> None:
    panel = Panel()
    panel.read("door")
    panel.read("corridor")
    panel.code(MANAGER, Wish.ARM, "hall")
    effects = panel.wait(EXIT_MS)
    assert kinds(effects) == ["area.armed", "area.entry-started", "area.entry-route", "area.exit-error"]
    assert panel.mode() is AreaMode.ENTRY_DELAY
    assert kinds(panel.wait(ENTRY_MS)) == ["alarm.exit-error", "alarm.entry", "alarm.intruder"]


@pytest.mark.parametrize("zone", ["corridor", "window"])
def test_what_else_is_active_when_the_exit_delay_ends_alarms(zone: str) -> None:
    panel = Panel()
    panel.code(MANAGER, Wish.ARM, "hall")
    panel.read(zone)
    effects = panel.wait(EXIT_MS)
    assert kinds(effects) == ["area.armed", "alarm.intruder"]
    assert panel.mode() is AreaMode.ALARM
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}


@pytest.mark.parametrize(
    ("stimulus", "reason"),
    [
        (ZoneChanged("window", Condition.ACTIVE), "active:window"),
        (ZoneChanged("lid", Condition.ACTIVE), "tamper:lid"),
        (ZoneChanged("window", Condition.OPEN), "tamper:window"),
        (ZoneChanged("button", Condition.SHORT), "tamper:button"),
        (ZoneChanged("door", Condition.FAULT), "fault:door"),
        (ZoneChanged("pir", Condition.MASKED), "masked:pir"),
        (TroubleChanged("mains", True), "trouble:mains"),
        (TroubleChanged("storage", True), "trouble:storage"),
        (TroubleChanged("driver", True, "gpio"), "trouble:driver:gpio"),
    ],
)
def test_what_prevents_arming_is_told_and_recorded(stimulus: ZoneChanged | TroubleChanged, reason: str) -> None:
    panel = Panel()
    panel.play(stimulus)
    effects = panel.code(CLERK, Wish.ARM)
    assert payload(effects, "area.arming-refused")["reasons"] == [reason]
    assert Tell("kp", "arming-refused", {"areas": ["hall"], "reasons": [reason]}) in effects
    assert panel.mode() is AreaMode.DISARMED


def test_a_trouble_that_does_not_block_is_not_in_the_way() -> None:
    panel = Panel()
    panel.play(TroubleChanged("path", True, "center-1"))
    assert kinds(panel.code(CLERK, Wish.ARM)) == ["area.exit-started"]


def test_arming_several_areas_is_all_or_nothing() -> None:
    panel = Panel()
    panel.read("window")
    panel.code(MANAGER, Wish.ARM)
    assert panel.mode("hall") is panel.mode("vault") is AreaMode.DISARMED


def test_reasons_are_limited_and_say_so() -> None:
    panel = Panel()
    for i in range(MAX_REASONS - 1):
        panel.play(TroubleChanged("driver", True, f"bus-{i:02}"))
    panel.read("window")
    panel.read("lid")
    reasons = payload(panel.code(MANAGER, Wish.ARM), "area.arming-refused")["reasons"]
    assert len(reasons) == MAX_REASONS + 1
    assert reasons[-1] == "more"


def test_toggle_disarms_what_is_not_disarmed_else_arms() -> None:
    panel = Panel()
    panel.code(MANAGER, Wish.ARM, "vault")
    assert kinds(panel.code(MANAGER)) == ["area.disarmed"]
    panel.code(MANAGER)
    assert (panel.mode("hall"), panel.mode("vault")) == (AreaMode.EXIT_DELAY, AreaMode.ARMED)
    assert payload(panel.code(MANAGER), "area.disarmed")["areas"] == ["hall", "vault"]


def test_a_user_moves_only_his_areas() -> None:
    panel = Panel().armed()
    assert told(panel.code(CLERK, Wish.DISARM, "vault")) == ["not-allowed"]
    assert told(panel.code(CLERK, Wish.DISARM, "cellar")) == ["unknown-area"]
    panel.code(CLERK, Wish.DISARM)
    assert (panel.mode("hall"), panel.mode("vault")) == (AreaMode.DISARMED, AreaMode.ARMED)


def test_disarming_ends_siren_and_strobe_and_keeps_the_memory_until_the_next_arming() -> None:
    panel = Panel().armed()
    panel.read("window")
    panel.read("window", Condition.NORMAL)
    effects = panel.code(MANAGER, Wish.DISARM)
    assert payload(effects, "area.disarmed")["memory"] == ["window"]
    assert panel.on() == set()
    assert panel.view()["areas"]["hall"]["memory"] == ["window"]
    panel.code(MANAGER, Wish.ARM, "hall")
    assert panel.view()["areas"]["hall"]["memory"] == []


def test_disarming_during_the_exit_delay() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.ARM)
    panel.wait(10_000)
    assert kinds(panel.code(CLERK)) == ["area.disarmed"]
    assert panel.wait(EXIT_MS) == ()
    assert panel.mode() is AreaMode.DISARMED


def test_a_bypassed_zone_is_not_in_the_way_and_does_not_alarm() -> None:
    panel = Panel()
    panel.read("window")
    effects = panel.code(CLERK, Wish.BYPASS, zone="window")
    assert payload(effects, "zone.bypassed") == {
        "zone": "window",
        "zone_number": 4,
        "areas": ["hall"],
        "by": "keypad:kp",
        "user": "clerk",
    }
    panel.armed("hall")
    panel.trip("window")
    assert panel.mode() is AreaMode.ARMED


def test_the_cut_line_of_a_bypassed_zone_is_reported_without_siren() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.BYPASS, zone="window")
    panel.armed("hall")
    effects = panel.read("window", Condition.OPEN)
    assert payload(effects, "alarm.sensor-tamper")["bypassed"] is True
    assert switched(effects) == []
    assert panel.mode() is AreaMode.ARMED


def test_disarming_ends_the_bypasses_of_this_arming() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.BYPASS, zone="window")
    panel.armed("hall")
    effects = panel.code(CLERK)
    assert kinds(effects) == ["area.disarmed", "zone.unbypassed"]
    panel.armed("hall")
    assert kinds(panel.read("window")) == ["alarm.intruder"]


def test_the_bypass_of_a_common_zone_lasts_until_its_last_area_is_disarmed() -> None:
    panel = Panel()
    panel.code(MANAGER, Wish.BYPASS, zone="shared-pir")
    panel.armed()
    assert "zone.unbypassed" not in kinds(panel.code(MANAGER, Wish.DISARM, "hall"))
    assert "zone.unbypassed" in kinds(panel.code(MANAGER, Wish.DISARM, "vault"))


@pytest.mark.parametrize(
    ("key", "zone", "notice"),
    [
        (MANAGER, "seismic", "not-bypassable"),
        (MANAGER, "button", "not-bypassable"),
        (MANAGER, "nothing", "unknown-zone"),
        (CLERK, "shared-pir", "not-allowed"),
        (WRONG, "window", "wrong-code"),
    ],
)
def test_refused_bypasses(key: str, zone: str, notice: str) -> None:
    panel = Panel()
    effects = panel.code(key, Wish.BYPASS, zone=zone)
    assert told(effects) == [notice]
    assert kinds(effects) == []
    assert not panel.state.zones


def test_no_bypass_while_armed() -> None:
    panel = Panel().armed()
    assert told(panel.code(MANAGER, Wish.BYPASS, zone="window")) == ["area-armed"]
    assert kinds(panel.read("window")) == ["alarm.intruder"]


def test_unbypass_is_recorded_with_who_and_counts_at_once() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.BYPASS, zone="window")
    assert kinds(panel.code(CLERK, Wish.BYPASS, zone="window")) == []
    panel.read("window")
    assert payload(panel.code(CLERK, Wish.UNBYPASS, zone="window"), "zone.unbypassed")["user"] == "clerk"
    assert payload(panel.code(CLERK, Wish.ARM), "area.arming-refused")["reasons"] == ["active:window"]


def test_a_common_zone_is_armed_only_when_all_its_areas_are() -> None:
    panel = Panel().armed("hall")
    assert panel.trip("shared-pir") == ()
    panel.code(MANAGER, Wish.ARM, "vault")
    assert kinds(panel.read("shared-pir")) == ["alarm.intruder"]
    assert panel.mode("hall") is panel.mode("vault") is AreaMode.ALARM


def test_the_common_door_alarms_no_neighbour_when_its_own_people_come() -> None:
    panel = Panel().armed()
    panel.trip("lobby")
    assert panel.mode("hall") is panel.mode("vault") is AreaMode.ENTRY_DELAY
    effects = panel.code(CLERK, Wish.DISARM)
    assert kinds(effects) == ["area.disarmed", "area.entry-cancelled"]
    assert panel.mode("vault") is AreaMode.ARMED
    assert kinds(panel.wait(ENTRY_MS)) == []


def test_an_entry_by_ones_own_door_is_not_cancelled_by_a_neighbour() -> None:
    panel = Panel().armed()
    panel.trip("lobby")
    panel.trip("door")
    panel.code(MANAGER, Wish.DISARM, "vault")
    assert panel.mode("hall") is AreaMode.ENTRY_DELAY
    assert kinds(panel.wait(ENTRY_MS)) == ["alarm.entry"]


def test_a_keyswitch_arms_and_disarms_its_areas() -> None:
    panel = Panel()
    assert payload(panel.trip("key"), "area.armed-by-key")["by"] == "key:key"
    assert panel.mode("vault") is AreaMode.ARMED
    assert payload(panel.trip("key"), "area.disarmed-by-key")["areas"] == ["vault"]


def test_a_keyswitch_that_is_refused_tells_all_keypads() -> None:
    panel = Panel()
    panel.read("lobby")
    effects = panel.trip("key")
    assert told(effects, "") == ["arming-refused"]
    assert panel.mode("vault") is AreaMode.DISARMED


@pytest.mark.parametrize("from_", [Condition.OPEN, Condition.SHORT, Condition.FAULT])
def test_a_harmed_keyswitch_line_disarms_nothing(from_: Condition) -> None:
    panel = Panel().armed("vault")
    panel.read("key", from_)
    panel.read("key", Condition.ACTIVE)
    assert panel.mode("vault") is not AreaMode.DISARMED


def test_remote_arming_has_no_exit_delay_and_its_own_kind() -> None:
    panel = Panel()
    effects = panel.remote(1, Wish.ARM, "hall")
    assert kinds(effects) == ["area.armed-remotely", "command.done"]
    assert panel.mode() is AreaMode.ARMED
    assert answer(effects).done


def test_arming_what_is_armed_changes_nothing() -> None:
    panel = Panel().armed()
    assert kinds(panel.code(MANAGER, Wish.ARM)) == []
    assert panel.mode() is AreaMode.ARMED


@pytest.mark.parametrize(
    ("area", "zone", "kind"), [("hall", "lid", "alarm.tamper"), ("vault", "seismic", "alarm.24-hour")]
)
def test_what_alarmed_in_the_exit_delay_and_stands_is_not_told_again_at_its_end(
    area: str, zone: str, kind: str
) -> None:
    site = branch()
    delayed = replace(site.areas[area], exit_delay_ms=EXIT_MS)
    panel = Panel(replace(site, areas={**site.areas, area: delayed}))
    panel.code(MANAGER, Wish.ARM, area)
    assert kinds(panel.read(zone)) == [kind]
    assert kinds(panel.wait(EXIT_MS)) == ["area.armed"]
    assert panel.mode(area) is AreaMode.ALARM
    assert "bell" in panel.on()
