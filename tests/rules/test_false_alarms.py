"""What reduces false alarms, from the written rules; and what none of it ever holds back."""

from dataclasses import replace
from typing import Any

import pytest

from rules import AreaMode, Condition, Site, ZoneType
from tests.rules.branch import CLERK, MANAGER_DURESS, Panel, kinds, payload, switched, tells, told
from tests.rules.full import (
    ENTRY_MS,
    EXIT_MS,
    HOUR_MS,
    MINUTE_MS,
    NORMAL,
    OPEN,
    SHORT,
    SIREN_MS,
    arm,
    armed,
    bank,
    disarm,
    full,
    payloads,
    recorded,
    shown,
    sirens,
    with_zone,
)

ABORT_MS = 30_000
DISARMED, EXIT, ARMED, ENTRY, ALARM = AreaMode


def us(**timings: Any) -> Panel:
    """A hall with CP-01's abort window, armed."""
    return armed(bank(abort_ms=ABORT_MS, **timings), "hall")


# The abort window


@pytest.mark.clause("CP-01 7")
def test_an_alarm_sounds_at_once_and_is_reported_at_the_end_of_the_window() -> None:
    panel = us()
    effects = panel.trip("window")
    held = payload(effects, "zone.alarm-held")
    assert (held["zone"], held["kind"], held["report_in_ms"]) == ("window", "alarm.intruder", ABORT_MS)
    assert "alarm.intruder" not in kinds(effects)
    assert {"bell", "hall-siren"} <= sirens(panel)
    assert panel.mode() is ALARM
    assert shown(panel) == ["alarm.intruder:window"]
    assert kinds(panel.wait(ABORT_MS - 1)) == []
    report = payload(panel.wait(1), "alarm.intruder")
    assert (report["incident"], report["zone"], report["condition"]) == (held["incident"], "window", "active")


@pytest.mark.clause("CP-01 10")
def test_a_disarm_within_the_window_aborts_and_tells_it() -> None:
    panel = us()
    held = payload(panel.read("window"), "zone.alarm-held")
    panel.wait(ABORT_MS - 1)
    effects = disarm(panel, "hall", key=CLERK)
    aborted = payload(effects, "area.alarm-aborted")
    assert (aborted["user"], aborted["incidents"], aborted["areas"]) == ("clerk", [held["incident"]], ["hall"])
    assert "alarm-aborted" in told(effects, "")
    assert "area.alarm-cancelled" not in kinds(effects)
    panel.wait(HOUR_MS)
    assert "alarm.intruder" not in recorded(panel)


def test_an_alarm_that_was_aborted_leaves_no_cancel_for_later() -> None:
    panel = us()
    panel.trip("window")
    disarm(panel, "hall")
    armed(panel, "hall", quiet_ms=1_000)
    assert "area.alarm-cancelled" not in kinds(disarm(panel, "hall"))


def test_the_window_can_be_switched_off_for_a_zone() -> None:
    assert kinds(us().read("straight")) == ["alarm.intruder"]


def test_without_the_feature_everything_is_reported_at_once() -> None:
    assert kinds(armed(bank(), "hall").read("window")) == ["alarm.intruder"]


def test_an_entry_alarm_waits_for_the_window_too() -> None:
    panel = us()
    panel.read("door")
    effects = panel.wait(ENTRY_MS)
    assert payload(effects, "zone.alarm-held")["kind"] == "alarm.entry"
    assert "bell" in sirens(panel)
    assert kinds(panel.wait(ABORT_MS))[:1] == ["alarm.entry"]


@pytest.mark.clause("CP-01 11", "CP-01 12")
def test_a_disarm_within_five_minutes_of_the_report_cancels_it() -> None:
    panel = us()
    incident = payload(panel.trip("window"), "zone.alarm-held")["incident"]
    panel.wait(ABORT_MS)
    panel.wait(5 * MINUTE_MS)
    effects = disarm(panel, "hall", key=CLERK)
    cancelled = payload(effects, "area.alarm-cancelled")
    assert (cancelled["incidents"], cancelled["user"], cancelled["areas"]) == ([incident], "clerk", ["hall"])
    assert "alarm-cancelled" in told(effects, "")


def test_later_nothing_is_cancelled() -> None:
    panel = armed(bank(), "hall")
    panel.trip("window")
    panel.wait(5 * MINUTE_MS + 1)
    assert "area.alarm-cancelled" not in kinds(disarm(panel, "hall"))


@pytest.mark.parametrize("zone", ["lid", "smoke", "button", "panic"])
def test_what_is_no_intruder_alarm_is_never_cancelled(zone: str) -> None:
    panel = armed(bank(), "hall")
    panel.trip(zone)
    assert kinds(disarm(panel, "hall")) == ["area.disarmed"]


def test_a_common_zones_report_waits_while_one_of_its_areas_is_set() -> None:
    panel = armed(bank(abort_ms=ABORT_MS), "hall", "vault")
    panel.trip("shared-pir")
    assert "area.alarm-aborted" not in kinds(disarm(panel, "hall"))
    assert "alarm.intruder" in kinds(panel.wait(ABORT_MS))


def test_a_common_zones_report_is_aborted_when_all_its_areas_are_disarmed() -> None:
    panel = armed(bank(abort_ms=ABORT_MS), "hall", "vault")
    panel.trip("shared-pir")
    disarm(panel, "hall")
    assert "area.alarm-aborted" in kinds(disarm(panel, "vault"))
    panel.wait(HOUR_MS)
    assert "alarm.intruder" not in recorded(panel)


def test_a_report_that_waits_survives_a_restart() -> None:
    panel = us()
    panel.trip("window")
    panel.wait(10_000)
    panel.start()
    assert "alarm.intruder" in kinds(panel.wait(ABORT_MS - 10_000))


def test_at_most_64_reports_wait_and_a_further_alarm_is_reported_at_once() -> None:
    site = full(abort_ms=ABORT_MS, swinger_trips=0, confirm_ms=0)
    spare = site.zones["pir"]
    more = {f"z{i}": replace(spare, id=f"z{i}", number=100 + i) for i in range(70)}
    panel = armed(bank(replace(site, zones={**site.zones, **more})), "hall")
    for id_ in list(more)[:64]:
        assert kinds(panel.read(id_)) == ["zone.alarm-held"]
    assert "alarm.intruder" in kinds(panel.read("z64"))


# Off the entry route


@pytest.mark.clause("EN 50131-1 entry deviation sounds", "EN 50131-1 entry deviation held")
def test_off_the_entry_route_every_siren_sounds_and_the_report_waits_30_seconds() -> None:
    panel = armed(bank(), "hall")
    panel.read("door")
    panel.wait(20_000)
    effects = panel.read("window")
    assert payload(effects, "zone.alarm-held")["report_in_ms"] == 30_000
    assert {"bell", "hall-siren"} <= sirens(panel)
    assert "alarm.intruder" not in kinds(panel.wait(29_999))
    assert "alarm.intruder" in kinds(panel.wait(1))


def test_and_until_the_entry_delay_would_have_ended() -> None:
    panel = armed(bank(), "hall")
    panel.read("garage")
    effects = panel.read("window")
    assert payload(effects, "zone.alarm-held")["report_in_ms"] == 45_000
    assert "alarm.intruder" not in kinds(panel.wait(44_999))
    assert "alarm.intruder" in kinds(panel.wait(1))


def test_who_disarms_meanwhile_aborts_the_report() -> None:
    panel = armed(bank(), "hall")
    panel.read("door")
    panel.read("window")
    panel.wait(29_000)
    effects = disarm(panel, "hall")
    assert {"area.alarm-aborted", "area.disarmed"} == set(kinds(effects))
    panel.wait(HOUR_MS)
    assert not {"alarm.intruder", "alarm.entry"} & set(recorded(panel))


def test_a_day_zone_is_off_the_route_as_well() -> None:
    panel = armed(bank(), "hall")
    panel.read("door")
    assert payload(panel.read("office"), "zone.alarm-held")["kind"] == "alarm.day"


def test_a_follower_is_silent_on_the_route() -> None:
    panel = armed(bank(), "hall")
    panel.read("door")
    effects = panel.read("corridor")
    assert (kinds(effects), switched(effects)) == (["area.entry-route"], [])


# Recent close


@pytest.mark.clause("CP-01 20")
def test_the_first_alarm_within_two_minutes_of_arming_is_a_recent_close() -> None:
    panel = armed(bank(), "hall", quiet_ms=60_000)
    effects = panel.trip("window")
    assert kinds(effects)[:2] == ["alarm.intruder", "area.recent-close"]
    assert payload(effects, "area.recent-close")["incident"] == payload(effects, "alarm.intruder")["incident"]
    assert "area.recent-close" not in kinds(panel.trip("pir"))


def test_two_minutes_later_it_is_none() -> None:
    panel = bank()
    arm(panel, "vault")
    panel.wait(2 * MINUTE_MS)
    assert kinds(panel.read("vault-pir")) == ["alarm.intruder"]


def test_a_tamper_is_no_recent_close() -> None:
    panel = bank()
    arm(panel, "vault")
    assert kinds(panel.read("vault-pir", OPEN)) == ["alarm.sensor-tamper"]


# Swinger shutdown


def alarms(panel: Panel, zone: str, times: int) -> list[str]:
    """What a zone records that trips again and again, each time in an alarm of its own."""
    seen: list[str] = []
    for _ in range(times):
        seen += [k for k in kinds(panel.trip(zone)) if k.startswith(("alarm.", "zone."))]
        panel.wait(SIREN_MS)
    return seen


@pytest.mark.clause("CP-01 15")
def test_after_two_alarms_the_zone_rests() -> None:
    panel = armed(bank(confirm_ms=0), "hall")
    assert alarms(panel, "window", 4) == ["alarm.intruder", "alarm.intruder", "zone.swinger-shutdown"]
    assert panel.zone_view("window", "shut_down") == (True,)
    assert kinds(panel.read("pir")) == ["alarm.intruder"]


@pytest.mark.clause("CP-01 15 reset")
def test_a_disarm_ends_the_shutdown() -> None:
    panel = armed(bank(), "hall")
    alarms(panel, "window", 2)
    assert payload(disarm(panel, "hall"), "zone.swinger-ended")["zone"] == "window"
    armed(panel, "hall")
    assert alarms(panel, "window", 1) == ["alarm.intruder"]


def test_the_disarm_of_another_area_ends_no_shutdown() -> None:
    panel = armed(bank(), "hall", "vault")
    alarms(panel, "window", 2)
    assert "zone.swinger-ended" not in kinds(disarm(panel, "vault"))
    assert panel.zone_view("window", "shut_down") == (True,)


@pytest.mark.clause("CP-01 15 reset")
def test_eight_hours_end_the_shutdown() -> None:
    panel = armed(bank(), "hall")
    panel.trip("touchy")
    assert "zone.swinger-ended" not in kinds(panel.wait(8 * HOUR_MS - 1))
    assert "zone.swinger-ended" in kinds(panel.wait(1))
    assert kinds(panel.read("touchy"))[:1] == ["alarm.intruder"]


@pytest.mark.clause("CP-01 16")
def test_a_zone_may_have_a_limit_of_its_own_or_none() -> None:
    panel = armed(bank(confirm_ms=0), "hall")
    assert alarms(panel, "touchy", 2) == ["alarm.intruder", "zone.swinger-shutdown"]
    assert alarms(panel, "patient", 5) == ["alarm.intruder"] * 5


@pytest.mark.parametrize("condition", [OPEN, SHORT])
def test_the_tampers_of_a_zone_that_rests_alarm(condition: Condition) -> None:
    panel = armed(bank(), "hall")
    alarms(panel, "window", 2)
    assert kinds(panel.read("window", condition)) == ["alarm.sensor-tamper"]
    assert "bell" in sirens(panel)


def test_an_alarm_of_an_earlier_armed_period_does_not_count() -> None:
    panel = armed(bank(), "hall")
    alarms(panel, "window", 1)
    disarm(panel, "hall")
    armed(panel, "hall")
    assert alarms(panel, "window", 1) == ["alarm.intruder"]


# Cross-zoning


@pytest.mark.clause("CP-01 14")
def test_two_zones_of_a_group_alarm_together() -> None:
    panel = armed(bank(), "hall")
    effects = panel.trip("cross-1")
    assert kinds(effects) == ["zone.unconfirmed"]
    assert (switched(effects), panel.mode()) == ([], ARMED)
    panel.wait(119_000)
    effects = panel.read("cross-2")
    alarmed = [e["zone"] for e in payloads(panel, "alarm.intruder")]
    assert sorted(alarmed) == ["cross-1", "cross-2"]
    assert {"bell", "hall-siren"} <= sirens(panel)


def test_one_of_them_alone_never_alarms() -> None:
    panel = armed(bank(), "hall")
    panel.trip("cross-1")
    panel.wait(MINUTE_MS)
    panel.trip("cross-1")
    assert panel.mode() is ARMED


def test_a_second_trip_of_the_same_zone_does_not_renew_the_time() -> None:
    panel = armed(bank(), "hall")
    panel.trip("cross-1")
    panel.wait(MINUTE_MS)
    assert kinds(panel.trip("cross-1")) == []
    panel.wait(MINUTE_MS)
    assert kinds(panel.trip("cross-2")) == ["zone.unconfirmed"]
    assert panel.mode() is ARMED


def test_after_their_time_they_begin_anew() -> None:
    panel = armed(bank(), "hall")
    panel.trip("cross-1")
    panel.wait(120_000)
    assert kinds(panel.trip("cross-2")) == ["zone.unconfirmed"]
    panel.wait(60_000)
    panel.trip("cross-1")
    assert recorded(panel).count("alarm.intruder") == 2


def test_a_disarm_forgets_the_first_of_them() -> None:
    panel = armed(bank(), "hall")
    panel.trip("cross-1")
    disarm(panel, "hall")
    arm(panel, "hall")
    panel.trip("door")
    panel.wait(EXIT_MS)
    assert kinds(panel.trip("cross-2")) == ["zone.unconfirmed"]


def test_each_group_waits_for_its_own() -> None:
    site = with_zone(with_zone(full(), "vault-pir", cross_group="safe"), "vault-2", cross_group="safe")
    panel = armed(bank(site), "hall", "vault")
    panel.trip("cross-1")
    assert kinds(panel.trip("vault-pir")) == ["zone.unconfirmed"]
    panel.trip("vault-2")
    assert (panel.mode("hall"), panel.mode("vault")) == (ARMED, ALARM)
    panel.trip("cross-2")
    assert panel.mode("hall") is ALARM


def test_in_an_area_in_alarm_they_alarm_one_by_one() -> None:
    panel = armed(bank(), "hall")
    panel.trip("window")
    assert "alarm.intruder" in kinds(panel.read("cross-1"))


def test_the_line_of_a_cross_zone_waits_for_nobody() -> None:
    panel = armed(bank(), "hall")
    assert kinds(panel.read("cross-1", OPEN)) == ["alarm.sensor-tamper"]


# Pulse count and double knock


def test_three_pulses_in_their_window_make_one_trip() -> None:
    panel = armed(bank(), "hall")
    for _ in range(2):
        assert kinds(panel.trip("pulse-pir")) == []
        panel.wait(14_000)
    assert kinds(panel.read("pulse-pir")) == ["alarm.intruder"]


def test_pulses_that_are_too_far_apart_make_none() -> None:
    panel = armed(bank(), "hall")
    for _ in range(6):
        assert kinds(panel.trip("pulse-pir")) == []
        panel.wait(15_001)


def test_after_a_trip_the_count_begins_anew() -> None:
    panel = armed(bank(), "hall")
    for _ in range(3):
        panel.trip("pulse-pir")
    panel.wait(SIREN_MS)
    assert kinds(panel.trip("pulse-pir") + panel.trip("pulse-pir")) == []
    assert "alarm.intruder" in kinds(panel.trip("pulse-pir"))


def test_two_knocks_make_a_trip() -> None:
    panel = armed(bank(), "hall")
    assert kinds(panel.trip("shock")) == []
    panel.wait(9_000)
    assert kinds(panel.read("shock")) == ["alarm.intruder"]


def test_one_knock_that_lasts_makes_a_trip() -> None:
    panel = armed(bank(), "hall")
    assert kinds(panel.read("shock")) == []
    assert kinds(panel.wait(9_999)) == []
    assert kinds(panel.wait(1)) == ["alarm.intruder"]


def test_one_short_knock_makes_none() -> None:
    panel = armed(bank(), "hall")
    panel.trip("shock")
    panel.wait(10_001)
    assert kinds(panel.trip("shock")) == []
    assert panel.mode() is ARMED


@pytest.mark.parametrize("zone", ["pulse-pir", "shock"])
def test_what_was_counted_before_a_disarm_counts_no_more(zone: str) -> None:
    panel = armed(bank(), "hall")
    panel.trip(zone)
    disarm(panel, "hall")
    arm(panel, "hall", instant=True)
    panel.trip("door")
    panel.wait(5_000)
    assert panel.mode() is ARMED
    assert kinds(panel.trip(zone)) == []


@pytest.mark.parametrize("zone", ["pulse-pir", "shock"])
def test_a_cut_line_is_counted_by_nobody(zone: str) -> None:
    assert kinds(armed(bank(), "hall").read(zone, OPEN)) == ["alarm.sensor-tamper"]


# Soak test


@pytest.mark.parametrize("set_", [False, True])
@pytest.mark.parametrize("condition", [c for c in Condition if c is not NORMAL])
def test_a_zone_on_trial_is_recorded_and_nothing_else(condition: Condition, set_: bool) -> None:
    panel = armed(bank(), "hall") if set_ else bank()
    before = panel.on()
    effects = panel.read("trial", condition)
    assert payload(effects, "zone.soak-tripped")["condition"] == condition.value
    assert len(effects) == 1
    assert panel.on() == before
    assert kinds(panel.read("trial", NORMAL)) == []
    assert shown(panel) == []


def test_a_zone_on_trial_is_not_in_the_way() -> None:
    panel = bank()
    panel.read("trial")
    assert kinds(arm(panel, "hall")) == ["area.exit-started"]
    panel.trip("door")
    assert kinds(panel.wait(EXIT_MS)) == ["area.armed"]


# What is never held back

GUARDS_LIVES = {
    "button": "alarm.hold-up",
    "panic": "alarm.audible-hold-up",
    "foot-rail": "alarm.duress-button",
    "lid": "alarm.tamper",
    "smoke": "alarm.fire",
    "gas": "alarm.gas",
    "pendant": "alarm.medical",
}
NEVER_HELD = {**GUARDS_LIVES, "seismic": "alarm.24-hour"}


def strict_site() -> Site:
    """Everything that reduces false alarms is on, and stands at these zones too."""
    site = full(abort_ms=ABORT_MS, swinger_trips=1)
    marks: dict[str, Any] = {"pulses": 3, "pulse_window_ms": 60_000, "cross_group": "all", "swinger_trips": 1}
    for id_ in NEVER_HELD:
        site = with_zone(site, id_, **marks, double_knock=id_ in ("smoke", "seismic"))
    return site


@pytest.mark.clause("CP-01 never held", "GB 50394 no missed alarm")
@pytest.mark.parametrize("mode", ["disarmed", "exit", "armed", "entry", "alarm"])
@pytest.mark.parametrize(("zone", "kind"), NEVER_HELD.items())
def test_never_held_back(zone: str, kind: str, mode: str) -> None:
    panel = bank(strict_site())
    if mode == "exit":
        arm(panel, "hall", "vault")
    elif mode != "disarmed":
        armed(panel, "hall", "vault")
    if mode == "entry":
        panel.trip("lobby")
    elif mode == "alarm":
        panel.trip("shared-pir")
    for _ in range(4):
        effects = panel.trip(zone)
        assert payload(effects, kind)["zone"] == zone
        assert not {"zone.alarm-held", "zone.unconfirmed", "zone.swinger-shutdown"} & set(kinds(effects))
        panel.wait(1_000)


@pytest.mark.clause("CP-01 never held")
@pytest.mark.parametrize(("zone", "kind"), GUARDS_LIVES.items())
def test_never_on_trial(zone: str, kind: str) -> None:
    panel = bank(with_zone(full(), zone, soak=True))
    assert kind in kinds(panel.read(zone))


@pytest.mark.parametrize("zone", ["button", "lid", "smoke", "seismic", "window", "pulse-pir"])
def test_a_line_is_never_held_back(zone: str) -> None:
    panel = armed(bank(strict_site()), "hall", "vault")
    kind = "alarm.tamper" if zone == "lid" else "alarm.sensor-tamper"
    for condition in (OPEN, SHORT, OPEN, SHORT):
        assert kind in kinds(panel.read(zone, condition))
        assert "zone.alarm-held" not in kinds(panel.effects)


@pytest.mark.clause("CP-01 never held")
def test_duress_is_never_held_back() -> None:
    panel = armed(bank(strict_site()), "hall")
    panel.trip("window")
    for _ in range(3):
        effects = disarm(panel, "hall", key=MANAGER_DURESS)
        assert kinds(effects)[0] == "alarm.duress"
    assert "area.alarm-aborted" in recorded(panel)


def test_an_abort_stops_nothing_but_intruder_reports() -> None:
    panel = us()
    panel.trip("window")
    panel.trip("smoke")
    panel.trip("lid")
    assert {"alarm.fire", "alarm.tamper"} <= set(recorded(panel))
    effects = disarm(panel, "hall")
    assert kinds(effects)[0] == "area.alarm-aborted"
    assert [t.notice for t in tells(effects) if not t.source] == ["alarm-aborted"]


def test_zone_types_of_this_file_are_all_that_are_never_held() -> None:
    types = {full().zones[id_].type for id_ in NEVER_HELD}
    assert set(ZoneType) - types == {
        ZoneType.ENTRY_EXIT,
        ZoneType.FOLLOWER,
        ZoneType.INSTANT,
        ZoneType.DAY,
        ZoneType.WATER,
        ZoneType.TECHNICAL,
        ZoneType.KEYSWITCH,
        ZoneType.MAINTAINED_KEYSWITCH,
        ZoneType.CHECKPOINT,
        ZoneType.MONITOR,
    }


def test_an_activation_that_stands_is_no_further_pulse_when_a_delay_ends() -> None:
    panel = armed(bank(), "hall")
    panel.trip("door")
    delay = panel.state.areas["hall"].deadline
    assert delay is not None
    panel.wait(delay - panel.now - 5_000)
    panel.trip("pulse-pir")
    panel.read("pulse-pir")  # the second of three, and it stays
    panel.wait(5_000)
    assert panel.mode("hall") is AreaMode.ALARM
    assert not panel.state.zones.get("pulse-pir")
    panel.read("pulse-pir", Condition.NORMAL)
    panel.read("pulse-pir")
    assert panel.state.zones["pulse-pir"].alarm == "alarm.intruder"
