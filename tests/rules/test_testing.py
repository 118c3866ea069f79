"""Walk, siren and battery tests and the daily report, from the written rules: all end by themselves and are told."""

from dataclasses import replace

import pytest

from rules import (
    AreaMode,
    CodeEntered,
    Condition,
    Effect,
    Output,
    OutputKind,
    Place,
    Request,
    Right,
    Site,
    TestDone,
    TestDue,
    TroubleChanged,
    User,
    UserSet,
    WalkLeft,
    Wish,
    Zone,
    ZoneType,
)
from tests.rules.branch import Panel, kinds, payload
from tests.rules.shop import (
    FRIDAY,
    INSTALLER,
    MANAGER,
    MINUTE_MS,
    NORMAL,
    OPEN,
    SITE,
    arm,
    armed,
    clock,
    fresh,
    session,
)

HOUR_MS = 60 * MINUTE_MS
REPORT = SITE.timings.report_minute


def shop(site: Site = SITE) -> Panel:
    """With a chime, and a siren of each area besides the common one."""
    more = {
        "chime": Output("chime", OutputKind.CHIME, ("hall", "vault")),
        "hall-siren": Output("hall-siren", OutputKind.SIREN, ("hall",), Place.EXTERNAL),
        "vault-siren": Output("vault-siren", OutputKind.SIREN, ("vault",), Place.INTERNAL),
    }
    return fresh(replace(site, outputs={**site.outputs, **more}))


def walk(panel: Panel, key: str = MANAGER, *, quiet: bool = False, hold_up: bool = False) -> tuple[Effect, ...]:
    return panel.play(CodeEntered("kp", key, Wish.WALK_TEST, quiet=quiet, hold_up=hold_up))


def walking(*, quiet: bool = False) -> Panel:
    panel = shop()
    assert kinds(walk(panel, quiet=quiet)) == ["test.walk-started"]
    return panel


# Walk test


@pytest.mark.parametrize("wish", [Wish.WALK_TEST, Wish.SIREN_TEST, Wish.BATTERY_TEST])
def test_a_test_needs_the_right(wish: Wish) -> None:
    panel = shop()
    panel.play(UserSet("technician", User("cleaner", "Cleaner", 2, ("hall",), "e1" * 16, rights=(Right.ARM,))))
    panel.play(UserSet("technician", User("tester", "Tester", 2, ("hall",), "e9" * 16, rights=(Right.TEST,))))
    assert not {"test.walk-started", "test.siren", "test.battery"} & set(kinds(panel.code("e1" * 16, wish)))
    assert {"test.walk-started", "test.siren", "test.battery"} & set(kinds(panel.code("e9" * 16, wish)))


def test_a_walk_test_needs_all_his_areas_disarmed() -> None:
    panel = shop()
    arm(panel, "vault")
    assert "test.walk-started" not in kinds(walk(panel))


def test_each_zone_is_seen_once_with_a_chime() -> None:
    panel = walking()
    effects = panel.read("pir")
    assert payload(effects, "test.zone-seen")["zone"] == "pir"
    assert "chime" in panel.on()
    panel.wait(5_000)
    assert panel.on() == set()
    panel.read("pir", NORMAL)
    assert kinds(panel.read("pir")) == []
    assert kinds(panel.read("window")) == ["test.zone-seen"]


def test_a_quiet_walk_test_sounds_no_chime() -> None:
    panel = walking(quiet=True)
    assert kinds(panel.read("pir")) == ["test.zone-seen"]
    assert panel.on() == set()


@pytest.mark.parametrize("zone", ["door", "corridor", "window", "office", "seismic", "cellar", "boiler"])
def test_detection_does_nothing_else_meanwhile(zone: str) -> None:
    panel = walking(quiet=True)
    assert kinds(panel.read(zone)) == ["test.zone-seen"]
    assert kinds(panel.read(zone, NORMAL)) == []
    assert panel.on() == set()


@pytest.mark.parametrize(
    ("zone", "kind"),
    [
        ("button", "alarm.hold-up"),
        ("bell-push", "alarm.audible-hold-up"),
        ("foot-rail", "alarm.duress-button"),
        ("lid", "alarm.tamper"),
        ("smoke", "alarm.fire"),
        ("gas", "alarm.gas"),
        ("pendant", "alarm.medical"),
    ],
)
def test_what_guards_lives_alarms_as_ever(zone: str, kind: str) -> None:
    assert kind in kinds(walking().read(zone))


def test_a_cut_line_alarms_as_ever() -> None:
    assert "alarm.sensor-tamper" in kinds(walking().read("window", OPEN))


@pytest.mark.parametrize("zone", ["button", "bell-push", "foot-rail"])
def test_an_installer_may_test_hold_up_buttons(zone: str) -> None:
    panel = shop()
    session(panel)
    walk(panel, INSTALLER, hold_up=True)
    effects = panel.read(zone)
    assert kinds(effects) == ["test.hold-up-seen"]
    assert payload(effects, "test.hold-up-seen")["zone"] == zone


def test_a_user_may_not_test_hold_up_buttons() -> None:
    panel = shop()
    walk(panel, hold_up=True)
    assert kinds(panel.read("button")) == ["alarm.hold-up"]


def test_it_ends_by_a_code_and_tells_what_was_never_seen() -> None:
    panel = walking()
    panel.trip("pir")
    panel.trip("window")
    ended = payload(panel.code(MANAGER, Wish.END_TEST), "test.walk-ended")
    assert not {"pir", "window"} & set(ended["unseen"])
    assert {"door", "corridor", "office", "seismic", "lobby"} <= set(ended["unseen"])
    assert ended["unseen_count"] == len(ended["unseen"])
    assert kinds(panel.read("seismic")) == ["alarm.24-hour"]


def test_it_ends_after_an_hour() -> None:
    panel = walking()
    assert "test.walk-ended" not in kinds(panel.wait(HOUR_MS - 1))
    assert "test.walk-ended" in kinds(panel.wait(1))


def test_it_ends_when_an_area_is_armed() -> None:
    panel = walking()
    assert "test.walk-ended" in kinds(panel.remote(1, Wish.ARM, "hall"))
    assert panel.mode("hall") is AreaMode.ARMED
    assert "alarm.intruder" in kinds(panel.wait(HOUR_MS) + panel.read("pir"))


def test_unseen_zones_are_named_up_to_64_and_counted() -> None:
    crowd = {f"z{n}": Zone(f"z{n}", 100 + n, f"z{n}", ZoneType.INSTANT, ("hall",)) for n in range(80)}
    panel = shop(replace(SITE, zones={**crowd, "key": SITE.zones["key"]}))
    walk(panel)
    panel.trip("z3")
    ended = payload(panel.code(MANAGER, Wish.END_TEST), "test.walk-ended")
    assert len(ended["unseen"]) == 64
    assert ended["unseen_count"] == 79


# Siren test


def test_all_sirens_of_his_areas_sound_for_five_seconds() -> None:
    panel = shop()
    assert kinds(panel.code(MANAGER, Wish.SIREN_TEST)) == ["test.siren"]
    assert panel.on() == {"bell", "hall-siren", "vault-siren"}
    assert "test.siren-ended" not in kinds(panel.wait(4_999))
    assert panel.on() == {"bell", "hall-siren", "vault-siren"}
    assert kinds(panel.wait(1)) == ["test.siren-ended"]
    assert panel.on() == set()


def test_sirens_of_an_armed_area_are_not_tested() -> None:
    panel = shop()
    arm(panel, "vault")
    panel.code(MANAGER, Wish.SIREN_TEST, "hall")
    assert "hall-siren" in panel.on()
    assert "vault-siren" not in panel.on()


def test_without_naming_areas_the_disarmed_ones_are_tested() -> None:
    panel = shop()
    arm(panel, "vault")
    assert kinds(panel.code(MANAGER, Wish.SIREN_TEST)) == ["test.siren"]
    assert "hall-siren" in panel.on()
    assert "vault-siren" not in panel.on()


# Battery test


def test_a_battery_test_asks_the_panel_and_tells_the_result() -> None:
    panel = shop()
    effects = panel.code(MANAGER, Wish.BATTERY_TEST)
    assert kinds(effects) == ["test.battery"]
    assert [e for e in effects if isinstance(e, Request)] == [Request("battery")]
    effects = panel.play(TestDone("battery", True, "12.6 V"))
    assert kinds(effects) == ["test.battery-ended"]
    assert payload(effects, "test.battery-ended") == {"ok": True, "detail": "12.6 V"}


def test_a_failed_battery_test_is_a_trouble_until_one_passes() -> None:
    panel = shop()
    panel.code(MANAGER, Wish.BATTERY_TEST)
    effects = panel.play(TestDone("battery", False, "10.1 V"))
    assert kinds(effects) == ["test.battery-ended", "trouble.battery-test"]
    assert payload(effects, "test.battery-ended")["ok"] is False
    panel.code(MANAGER, Wish.BATTERY_TEST)
    assert kinds(panel.play(TestDone("battery", True))) == ["test.battery-ended", "trouble.battery-test-ended"]


def test_no_answer_in_a_minute_is_a_failed_battery_test() -> None:
    panel = shop()
    panel.code(MANAGER, Wish.BATTERY_TEST)
    assert kinds(panel.wait(59_999)) == []
    assert kinds(panel.wait(1)) == ["test.battery-ended", "trouble.battery-test"]


def test_the_schedule_asks_as_a_person_does_but_not_while_a_test_runs() -> None:
    panel = shop()
    effects = panel.play(TestDue("battery"))
    assert kinds(effects) == ["test.battery"]
    assert payload(effects, "test.battery") == {"by": "schedule:battery"}
    assert [e for e in effects if isinstance(e, Request)] == [Request("battery")]
    assert panel.play(TestDue("battery")) == ()
    assert kinds(panel.play(TestDone("battery", False, "10.1 V"))) == ["test.battery-ended", "trouble.battery-test"]
    assert panel.play(TestDue("moon")) == ()


# Daily report


def reports(effects: tuple[Effect, ...]) -> list[str]:
    return [kind for kind in kinds(effects) if kind.startswith("test.report")]


def test_the_daily_report_comes_once_a_day_at_its_minute() -> None:
    panel = fresh()
    assert reports(clock(panel, REPORT - 1)) == []
    assert reports(clock(panel, REPORT)) == ["test.report"]
    assert reports(clock(panel, REPORT)) == []
    assert reports(clock(panel, REPORT + 1)) == []
    assert reports(clock(panel, REPORT - 1, FRIDAY + 1)) == []
    assert reports(clock(panel, REPORT, FRIDAY + 1)) == ["test.report"]


def test_it_says_what_stands() -> None:
    panel = armed(fresh())
    panel.code(MANAGER, Wish.BYPASS, zone="seismic")
    panel.trip("pir")
    panel.play(TroubleChanged("siren", True))
    effects = clock(panel, REPORT)
    assert reports(effects) == ["test.report-trouble"]
    report = payload(effects, "test.report-trouble")
    assert report["set"] == ["hall"]
    assert report["troubles"] == ["siren"]
    assert report["bypassed"] == ["seismic"]
    assert report["isolated"] == []
    assert report["indications"] == 1


def test_nothing_silent_is_in_the_daily_report() -> None:
    plain, pressed = fresh(), fresh()
    pressed.read("button", Condition.ACTIVE)
    assert payload(clock(pressed, REPORT), "test.report") == payload(clock(plain, REPORT), "test.report")


def test_a_panel_without_anything_to_test_with_has_no_battery_trouble() -> None:
    panel = shop()
    panel.code(MANAGER, Wish.BATTERY_TEST)
    effects = panel.play(TestDone("battery", False, "no battery line", possible=False))
    assert kinds(effects) == ["test.battery-ended"]
    assert panel.state.durable.troubles == {}


def test_a_walk_test_ends_when_whoever_began_it_is_gone_and_nobody_elses_does() -> None:
    panel = walking()
    assert kinds(panel.play(WalkLeft("technician"))) == []
    assert "test.walk-ended" in kinds(panel.play(WalkLeft("kp")))
    assert kinds(panel.play(WalkLeft("kp"))) == []
