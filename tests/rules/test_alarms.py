"""What alarms, what it sounds, how long, and how it ends."""

from dataclasses import replace

import pytest

from rules import AreaMode, Condition, Output, OutputKind, Site, Wish, next_deadline
from tests.rules.branch import (
    CLERK,
    ENTRY_MS,
    EXIT_MS,
    MANAGER,
    MANAGER_DURESS,
    SIREN_MS,
    Panel,
    branch,
    captures,
    kinds,
    payload,
    switched,
    told,
)


def test_the_door_starts_the_entry_delay_which_a_code_ends() -> None:
    panel = Panel().armed()
    effects = panel.read("door")
    assert payload(effects, "area.entry-started")["entry_delay_ms"] == ENTRY_MS
    assert told(effects, "") == ["entry-started"]
    assert panel.mode() is AreaMode.ENTRY_DELAY
    assert switched(effects) == []
    panel.wait(ENTRY_MS - 1)
    assert kinds(panel.code(CLERK)) == ["area.disarmed"]
    assert panel.wait(SIREN_MS) == ()


def test_the_end_of_the_entry_delay_is_an_alarm() -> None:
    panel = Panel().armed()
    panel.trip("door")
    effects = panel.wait(ENTRY_MS)
    assert payload(effects, "alarm.entry")["zone"] == "door"
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}
    assert panel.mode("vault") is AreaMode.ARMED


def test_a_follower_is_silent_during_entry_and_alarms_with_the_door() -> None:
    panel = Panel().armed()
    panel.read("door")
    assert kinds(panel.trip("corridor")) == ["area.entry-route"]
    assert panel.on() == {"lamp"}
    assert kinds(panel.trip("corridor")) == []
    assert kinds(panel.wait(ENTRY_MS)) == ["alarm.entry", "alarm.intruder"]


def test_a_follower_without_entry_alarms_at_once() -> None:
    panel = Panel().armed()
    effects = panel.read("corridor")
    assert payload(effects, "alarm.intruder") == {
        "zone": "corridor",
        "zone_number": 3,
        "areas": ["hall"],
        "incident": 1,
        "condition": "active",
    }
    assert switched(effects) == [("bell", True), ("buzzer", True), ("strobe", True)]


def test_leaving_the_entry_route_alarms_at_once() -> None:
    panel = Panel().armed()
    panel.read("door")
    assert kinds(panel.read("window")) == ["alarm.intruder"]
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}


@pytest.mark.clause("GB 50394 disarmed detection ignored", "EN 50131-1 intruder unset")
def test_detection_in_a_disarmed_area_is_ignored() -> None:
    panel = Panel()
    for zone in ("door", "corridor", "window", "pir", "shared-pir"):
        assert panel.trip(zone) == ()


def test_an_entry_delay_of_zero_alarms_at_once() -> None:
    site = branch()
    hall = type(site.areas["hall"])("hall", 1, "Hall", 0, EXIT_MS)
    panel = Panel(Site({**site.areas, "hall": hall}, site.zones, site.outputs, site.timings)).armed("hall")
    assert kinds(panel.read("door")) == ["alarm.entry"]


def test_the_siren_stops_at_its_limit_and_sounds_again_for_the_next_alarm() -> None:
    panel = Panel().armed()
    panel.trip("window")
    panel.wait(SIREN_MS - 1)
    assert "bell" in panel.on()
    effects = panel.wait(1)
    assert kinds(effects) == ["siren.stopped"]
    assert panel.on() == {"strobe", "lamp"}
    assert panel.mode() is AreaMode.ARMED
    assert panel.area_view("hall", "mode", "alarm", "memory") == ("armed", False, ["window"])
    panel.wait(60_000)
    assert kinds(panel.read("window")) == ["alarm.intruder"]
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}


@pytest.mark.clause("EN 50131-1 siren 90 s to 15 min")
def test_a_further_zone_lengthens_the_alarm_up_to_the_maximum() -> None:
    panel = Panel(branch(siren_ms=100_000, siren_max_ms=180_000)).armed()
    panel.trip("window")
    panel.wait(90_000)
    panel.trip("pir")
    panel.wait(89_999)
    assert "bell" in panel.on()
    assert kinds(panel.wait(1)) == ["siren.stopped"]


def test_a_chattering_zone_does_not_lengthen_the_alarm() -> None:
    panel = Panel().armed()
    for _ in range(10):
        panel.trip("window")
        panel.wait(SIREN_MS // 10)
    assert panel.on() == {"strobe", "lamp"}
    assert len(captures(effect for _, effect in panel.log)) == 1


def test_each_alarm_record_has_an_incident_of_its_own_for_its_pictures() -> None:
    panel = Panel().armed()
    first, second = panel.read("window"), panel.read("corridor")
    (shot,) = captures(first)
    assert shot.incident == payload(first, "alarm.intruder")["incident"] == 1
    assert shot.cameras == ("cam-1", "cam-2")
    assert payload(second, "alarm.intruder")["incident"] == 2


def with_area_cameras() -> Site:
    site = branch()
    hall, vault = (replace(site.areas[id_], cameras=(f"{id_}-cam", "shared-cam")) for id_ in ("hall", "vault"))
    return replace(site, areas={"hall": hall, "vault": vault})


def test_a_zone_without_cameras_takes_those_of_its_areas_each_once() -> None:
    panel = Panel(with_area_cameras()).armed()
    (own,) = captures(panel.read("window"))
    assert own.cameras == ("cam-1", "cam-2")
    (both,) = captures(panel.read("shared-pir"))
    assert (both.zone, both.cameras) == ("shared-pir", ("hall-cam", "shared-cam", "vault-cam"))


def test_alarms_of_no_zone_take_the_cameras_of_their_areas() -> None:
    panel = Panel(with_area_cameras())
    effects = panel.code(MANAGER_DURESS, Wish.ARM, "hall")
    (shot,) = captures(effects)
    assert (shot.kind, shot.zone) == ("alarm.duress", "")
    assert shot.incident == payload(effects, "alarm.duress")["incident"]
    assert set(shot.cameras) == {"hall-cam", "vault-cam", "shared-cam"}
    late = Panel(with_area_cameras())
    late.code(MANAGER, Wish.ARM)
    late.read("door")
    late.wait(EXIT_MS)
    effects = late.wait(ENTRY_MS)
    first = captures(effects)[0]
    assert (first.kind, first.zone, first.incident) == (
        "alarm.exit-error",
        "",
        payload(effects, "alarm.exit-error")["incident"],
    )


def test_silence_stops_the_siren_and_keeps_alarm_and_memory() -> None:
    panel = Panel().armed()
    panel.read("window")
    effects = panel.code(CLERK, Wish.SILENCE)
    assert payload(effects, "siren.silenced")["user"] == "clerk"
    assert panel.on() == {"strobe", "lamp"}
    assert panel.mode() is AreaMode.ALARM
    assert panel.view()["areas"]["hall"]["memory"] == ["window"]
    panel.trip("window")
    assert "bell" not in panel.on()
    panel.read("pir")
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}


def test_a_silenced_alarm_still_ends_and_the_next_one_sounds() -> None:
    panel = Panel().armed()
    panel.trip("window")
    panel.code(CLERK, Wish.SILENCE)
    assert kinds(panel.wait(SIREN_MS)) == ["area.alarm-ended"]
    assert panel.mode() is AreaMode.ARMED
    panel.trip("window")
    assert "bell" in panel.on()


@pytest.mark.clause("EN 50131-1 siren unset")
def test_a_24_hour_zone_alarms_while_disarmed_without_the_external_siren() -> None:
    panel = Panel()
    effects = panel.read("seismic")
    assert kinds(effects) == ["alarm.24-hour"]
    assert switched(effects) == [("strobe", True)]
    assert panel.mode("vault") is AreaMode.DISARMED
    assert panel.area_view("vault", "mode", "alarm", "memory") == ("disarmed", True, ["seismic"])


@pytest.mark.clause("EN 50131-1 siren unset", "EN 50131-1 tamper unset")
def test_tamper_while_disarmed_sounds_the_internal_siren_only() -> None:
    panel = Panel()
    effects = panel.read("lid")
    assert kinds(effects) == ["alarm.tamper"]
    assert panel.on() == {"buzzer", "strobe"}
    assert kinds(panel.wait(SIREN_MS)) == ["siren.stopped"]
    assert panel.on() == {"strobe"}


def test_a_code_ends_what_an_alarm_left_on_while_disarmed() -> None:
    panel = Panel()
    panel.trip("lid")
    assert kinds(panel.code(CLERK)) == ["area.alarm-reset"]
    assert panel.on() == set()
    assert panel.mode() is AreaMode.DISARMED
    assert kinds(panel.code(CLERK)) == ["area.exit-started"]


@pytest.mark.clause("EN 50131-1 tamper set")
def test_tamper_while_armed_sounds_everything() -> None:
    panel = Panel().armed()
    panel.read("lid")
    assert panel.mode() is AreaMode.ALARM
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}


def test_an_alarm_of_the_exit_delay_goes_on_with_all_sirens_when_it_ends() -> None:
    panel = Panel()
    panel.code(MANAGER, Wish.ARM, "hall")
    panel.trip("lid")
    assert panel.mode() is AreaMode.EXIT_DELAY
    assert panel.on() == {"buzzer", "strobe"}
    panel.wait(EXIT_MS)
    assert panel.mode() is AreaMode.ALARM
    assert "bell" in panel.on()


@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 55029 3.5.1(3) short")
@pytest.mark.parametrize("condition", [Condition.OPEN, Condition.SHORT])
@pytest.mark.parametrize("zone", ["door", "corridor", "window", "seismic", "button", "lid", "key"])
@pytest.mark.parametrize("armed", [False, True])
def test_a_cut_or_shorted_line_alarms_armed_or_not(zone: str, condition: Condition, armed: bool) -> None:
    panel = Panel().armed() if armed else Panel()
    effects = panel.read(zone, condition)
    kind = "alarm.tamper" if zone == "lid" else "alarm.sensor-tamper"
    assert payload(effects, kind)["condition"] == condition.value
    assert ("bell" in panel.on()) is armed
    assert kinds(panel.read(zone, Condition.NORMAL)) == [kind.replace("alarm", "restore")]


@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 55029 3.5.1(3) short")
def test_open_and_short_are_told_apart() -> None:
    panel = Panel()
    panel.read("window", Condition.OPEN)
    effects = panel.read("window", Condition.SHORT)
    assert kinds(effects) == ["restore.sensor-tamper", "alarm.sensor-tamper"]
    assert payload(effects, "alarm.sensor-tamper")["condition"] == "short"


@pytest.mark.clause("EN 50131-1 masking set", "EN 50131-1 masking unset")
@pytest.mark.parametrize(("armed", "kind"), [(False, "zone.fault"), (True, "alarm.sensor-tamper")])
def test_a_masked_detector_is_a_fault_while_disarmed_and_an_alarm_while_armed(armed: bool, kind: str) -> None:
    panel = Panel().armed() if armed else Panel()
    assert payload(panel.read("pir", Condition.MASKED), kind)["condition"] == "masked"


@pytest.mark.parametrize("armed", [False, True])
def test_a_fault_is_recorded_and_ended(armed: bool) -> None:
    panel = Panel().armed() if armed else Panel()
    effects = panel.read("pir", Condition.FAULT)
    assert kinds(effects) == ["zone.fault"]
    assert switched(effects) == []
    assert kinds(panel.read("pir", Condition.NORMAL)) == ["zone.fault-ended"]


def test_restores_name_what_ends() -> None:
    panel = Panel().armed()
    for zone, kind in (("window", "restore.intruder"), ("seismic", "restore.24-hour"), ("lid", "restore.tamper")):
        panel.read(zone)
        assert kinds(panel.read(zone, Condition.NORMAL)) == [kind]


def test_a_driver_that_repeats_itself_alarms_once() -> None:
    panel = Panel().armed()
    assert len(kinds(panel.read("window"))) == 1
    assert panel.read("window") == ()


def test_an_alarm_is_shown_until_its_zone_is_restored() -> None:
    panel = Panel().armed()
    panel.read("window")
    assert panel.zone_view("window", "condition", "bypassed", "alarm") == ("active", False, True)
    panel.read("window", Condition.NORMAL)
    assert panel.zone_view("window", "condition", "bypassed", "alarm") == ("normal", False, False)


def test_a_late_timer_changes_nothing_but_the_moment() -> None:
    panel = Panel().armed()
    panel.trip("window")
    panel.now += SIREN_MS + 5_000
    effects = panel.trip("door")
    assert kinds(effects) == ["siren.stopped", "area.entry-started"]
    due = next_deadline(panel.state)
    assert due == panel.now + ENTRY_MS


def test_the_armed_lamp_is_on_only_while_all_its_areas_are_set() -> None:
    site = branch()
    lamp = Output("lamp", OutputKind.ARMED, ("hall", "vault"))
    panel = Panel(Site(site.areas, site.zones, {**site.outputs, "lamp": lamp}, site.timings)).armed("vault")
    assert "lamp" not in panel.on()
    panel.armed("hall")
    assert "lamp" in panel.on()
