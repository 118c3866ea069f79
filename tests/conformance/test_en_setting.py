"""EN 50131-1 and -3: access levels, codes, what prevents setting and who may override it (digest §1.1 to §1.3)."""

from dataclasses import replace

import pytest

from rules import AreaMode, CodeEntered, Condition, Effect, Right, Site, TroubleChanged, User, UserSet, Wish
from rules.profiles import PROFILES
from tests.conformance.bank import BANK, bank, heard, power_cut, recorded, with_zone
from tests.rules.branch import Panel, kinds, payload, told
from tests.rules.shop import (
    ACTIVE,
    EXIT_MS,
    FAULT,
    INSTALLER,
    MANAGER,
    MINUTE_MS,
    NORMAL,
    OPEN,
    WRONG,
    arm,
    armed,
    disarm,
    session,
)

MAKER = "d5" * 16
MASKED = Condition.MASKED


def staffed(site: Site = BANK) -> Panel:
    panel = bank(site)
    panel.play(UserSet("manager", User("maker", "Maker", 4, ("hall", "vault"), MAKER)))
    return panel


def override(panel: Panel, key: str = MANAGER) -> tuple[Effect, ...]:
    return panel.play(CodeEntered("kp", key, Wish.ARM, ("hall",), override=True))


# Levels


@pytest.mark.clause("EN 50131-1 levels set", "EN 50131-1 no single button")
def test_nobody_sets_without_a_code() -> None:
    panel = bank()
    assert kinds(panel.code("", Wish.ARM, "hall")) == []
    assert kinds(panel.code(WRONG, Wish.ARM, "hall")) == []
    assert panel.mode() is AreaMode.DISARMED


@pytest.mark.clause("EN 50131-1 levels set", "EN 50131-1 levels unset")
def test_users_and_installers_set_and_unset() -> None:
    panel = bank()
    arm(panel)
    disarm(panel)
    session(panel)
    assert kinds(panel.code(INSTALLER, Wish.ARM, "hall"))[0] == "area.exit-started"


@pytest.mark.clause("EN 50131-1 levels consent")
@pytest.mark.parametrize("wish", [Wish.ARM, Wish.RESET, Wish.WALK_TEST, Wish.ISOLATE])
def test_without_a_grant_an_installer_does_nothing(wish: Wish) -> None:
    panel = bank()
    effects = panel.code(INSTALLER, wish, zone="window" if wish is Wish.ISOLATE else "")
    assert kinds(effects) == ["code.refused"]
    assert payload(effects, "code.refused")["reason"] == "no-grant"


@pytest.mark.clause("EN 50131-1 levels consent")
def test_a_grant_lasts_five_minutes_and_lets_him_in_while_unset_only() -> None:
    panel = bank()
    panel.code(MANAGER, Wish.GRANT)
    panel.wait(5 * MINUTE_MS)
    assert kinds(panel.code(INSTALLER)) == ["code.refused"]
    arm(panel, "vault")
    panel.code(MANAGER, Wish.GRANT)
    assert "installer.entered" not in kinds(panel.code(INSTALLER))
    disarm(panel, "vault")
    panel.code(MANAGER, Wish.GRANT)
    assert "installer.entered" in kinds(panel.code(INSTALLER))


@pytest.mark.clause("EN 50131-1 levels consent")
def test_his_session_ends_after_an_hour_or_by_arming() -> None:
    panel = bank()
    session(panel)
    assert kinds(panel.wait(60 * MINUTE_MS)) == ["installer.left"]
    session(panel)
    assert "installer.left" in kinds(arm(panel))


@pytest.mark.clause("EN 50131-1 levels maker")
def test_the_maker_needs_a_grant_and_an_installers_session() -> None:
    panel = staffed()
    assert kinds(panel.code(MAKER, Wish.RESET)) == ["code.refused"]
    panel.code(MANAGER, Wish.GRANT)
    assert kinds(panel.code(MAKER, Wish.RESET)) == ["code.refused"]
    panel.code(INSTALLER)
    assert "code.refused" not in kinds(panel.code(MAKER, Wish.RESET))


@pytest.mark.clause("EN 50131-1 levels isolate", "EN 50131-1 isolate stays")
def test_isolating_is_for_installers_and_stays_until_it_is_removed() -> None:
    panel = bank()
    assert kinds(panel.code(MANAGER, Wish.ISOLATE, zone="window")) == []
    session(panel)
    assert kinds(panel.code(INSTALLER, Wish.ISOLATE, zone="window")) == ["zone.isolated"]
    armed(panel)
    assert kinds(panel.read("window")) == []
    disarm(panel)
    power_cut(panel)
    armed(panel)
    panel.read("window", NORMAL)
    assert kinds(panel.read("window")) == []


@pytest.mark.clause("EN 50131-1 levels inhibit", "EN 50131-1 inhibit ends", "EN 50131-1 log inhibit")
def test_a_bypass_ends_with_the_next_unsetting() -> None:
    panel = bank()
    panel.code(MANAGER, Wish.BYPASS, zone="window")
    assert kinds(armed(panel).trip("window")) == []
    assert "zone.unbypassed" in kinds(disarm(panel))
    assert kinds(armed(panel).read("window")) == ["alarm.intruder"]


@pytest.mark.clause("EN 50131-1 levels walk test")
def test_users_and_installers_walk_test() -> None:
    panel = bank()
    assert kinds(panel.code(MANAGER, Wish.WALK_TEST)) == ["test.walk-started"]
    panel.code(MANAGER, Wish.END_TEST)
    session(panel)
    assert kinds(panel.code(INSTALLER, Wish.WALK_TEST)) == ["test.walk-started"]


# Wrong codes


def wrong(panel: Panel, times: int) -> tuple[Effect, ...]:
    seen: tuple[Effect, ...] = ()
    for _ in range(times):
        seen += panel.code(WRONG)
    return seen


@pytest.mark.clause("EN 50131-1 wrong codes", "EN 50131-1 lock-out", "EN 50131-1 lock-out reported")
def test_wrong_codes_lock_out_for_90_s_and_are_reported() -> None:
    panel = bank()
    assert kinds(wrong(panel, 4)) == []
    effects = panel.code(WRONG)
    assert payload(effects, "code.locked-out")["lockout_ms"] >= 90_000
    panel.wait(89_999)
    assert kinds(arm(panel)) == []
    panel.wait(1)
    assert kinds(arm(panel))[0] == "area.exit-started"


@pytest.mark.clause("EN 50131-1 wrong codes", "EN 50131-1 lock-out")
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_locks_out_within_the_limits(profile: str) -> None:
    numbers = PROFILES[profile].numbers
    assert 3 <= numbers["code_attempts"].least <= numbers["code_attempts"].most <= 10
    assert numbers["lockout_s"].least >= 90


@pytest.mark.clause("EN 50131-1 lock-out again", "EN 50131-1 lock-out cleared")
def test_each_further_wrong_code_locks_again_until_a_right_one() -> None:
    panel = bank()
    wrong(panel, 5)
    panel.wait(90_000)
    assert kinds(wrong(panel, 1)) == ["code.locked-out"]
    panel.wait(90_000)
    arm(panel)
    assert kinds(wrong(panel, 4)) == []
    assert kinds(wrong(panel, 1)) == ["code.locked-out"]


@pytest.mark.clause("EN 50131-1 duress not consecutive", "EN 50131-1 disallowed codes", "CP-01 13")
@pytest.mark.clause("GB 55029 2.0.4 passwords")
def test_codes_too_near_to_others_are_refused() -> None:
    panel = bank()
    new = User("new", "New", 2, ("hall",), "e1" * 16)
    assert kinds(panel.play(UserSet("manager", new, near=(MANAGER,)))) == []
    assert kinds(panel.play(UserSet("manager", replace(new, duress_key="e2" * 16), near=("e1" * 16,)))) == []
    assert kinds(panel.play(UserSet("manager", replace(new, duress_key="e1" * 16)))) == []
    assert kinds(panel.play(UserSet("manager", replace(new, key=MANAGER)))) == []
    assert kinds(panel.play(UserSet("manager", new, near=("99" * 16,)))) == ["user.set"]


# What prevents setting, and who may override it


@pytest.mark.parametrize(
    ("zone", "condition", "reason"),
    [
        pytest.param(
            *("window", ACTIVE, "active:window"), marks=pytest.mark.clause("EN 50131-1 prevention detector active")
        ),
        pytest.param(*("pir", MASKED, "masked:pir"), marks=pytest.mark.clause("EN 50131-1 prevention masked")),
        pytest.param(*("pir", FAULT, "fault:pir"), marks=pytest.mark.clause("EN 50131-1 prevention detector fault")),
    ],
)
def test_a_detector_prevents_setting_which_a_user_may_override(zone: str, condition: Condition, reason: str) -> None:
    panel = bank()
    panel.read(zone, condition)
    refused = arm(panel)
    assert payload(refused, "area.arming-refused")["reasons"] == [reason]
    assert panel.mode() is AreaMode.DISARMED
    effects = override(panel)
    assert payload(effects, "area.arming-overridden")["reasons"] == [reason]
    assert payload(effects, "zone.bypassed")["zone"] == zone
    assert panel.mode() is AreaMode.EXIT_DELAY


@pytest.mark.clause("EN 50131-1 prevention detector active")
def test_an_active_detector_that_the_file_does_not_let_force_is_not_overridden() -> None:
    panel = bank()
    panel.read("pir")
    assert payload(override(panel), "area.arming-refused")["reasons"] == ["active:pir"]


@pytest.mark.clause("EN 50131-1 prevention hold-up active")
def test_a_pressed_hold_up_button_prevents_setting_which_only_an_installer_may_override() -> None:
    panel = bank()
    panel.read("bell-push")
    panel.code(MANAGER, Wish.TOGGLE)  # ends its alarm
    assert payload(arm(panel), "area.arming-refused")["reasons"] == ["hold-up:bell-push"]
    assert payload(override(panel), "area.arming-refused")["reasons"] == ["hold-up:bell-push"]
    session(panel)
    assert payload(override(panel, INSTALLER), "area.arming-overridden")["reasons"] == ["hold-up:bell-push"]
    assert not panel.state.zones["bell-push"].out


@pytest.mark.clause("EN 50131-1 prevention tamper")
def test_tampering_prevents_setting_which_only_an_installer_may_override() -> None:
    panel = bank()
    panel.read("window", OPEN)
    panel.code(MANAGER, Wish.TOGGLE)
    assert payload(arm(panel), "area.arming-refused")["reasons"] == ["tamper:window"]
    assert payload(override(panel), "area.arming-refused")["reasons"] == ["tamper:window"]
    session(panel)
    assert payload(override(panel, INSTALLER), "area.arming-overridden")["reasons"] == ["tamper:window"]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        pytest.param("mains", "trouble:mains", marks=pytest.mark.clause("EN 50131-1 prevention mains")),
        pytest.param("battery", "trouble:battery", marks=pytest.mark.clause("EN 50131-1 prevention battery")),
        pytest.param("charger", "trouble:charger", marks=pytest.mark.clause("EN 50131-1 prevention battery")),
        pytest.param("bus", "trouble:bus", marks=pytest.mark.clause("EN 50131-1 prevention interconnection")),
        pytest.param("driver", "trouble:driver", marks=pytest.mark.clause("EN 50131-1 prevention interconnection")),
        pytest.param("siren", "trouble:siren", marks=pytest.mark.clause("EN 50131-1 prevention siren")),
    ],
)
def test_a_trouble_prevents_setting_which_a_user_may_override(trouble: str, reason: str) -> None:
    panel = bank()
    panel.play(TroubleChanged(trouble, True))
    panel.wait(60 * MINUTE_MS)
    assert payload(arm(panel), "area.arming-refused")["reasons"] == [reason]
    assert payload(override(panel), "area.arming-overridden")["reasons"] == [reason]
    assert panel.mode() is AreaMode.EXIT_DELAY


@pytest.mark.parametrize("profile", ["eu-g2", "eu-g3"])
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        pytest.param("path", "trouble:path:first", marks=pytest.mark.clause("EN 50131-1 prevention transmission")),
        pytest.param("camera", "trouble:camera:first", marks=pytest.mark.clause("EN 50131-1 prevention other")),
    ],
)
def test_in_the_profiles_of_en_these_prevent_setting_too(profile: str, trouble: str, reason: str) -> None:
    panel = bank(replace(BANK, prevention=PROFILES[profile].prevention))
    panel.play(TroubleChanged(trouble, True, "first"))
    assert payload(arm(panel), "area.arming-refused")["reasons"] == [reason]
    assert payload(override(panel), "area.arming-overridden")["reasons"] == [reason]


@pytest.mark.clause("EN 50131-1 prevention notification")
def test_when_nothing_could_notify_nobody_overrides() -> None:
    panel = bank()
    for siren in ("horn", "bell"):
        panel.play(TroubleChanged("siren", True, siren))
    for path in BANK.paths:
        panel.play(TroubleChanged("path", True, path))
    session(panel)
    for key in (MANAGER, INSTALLER):
        assert "notification" in payload(override(panel, key), "area.arming-refused")["reasons"]
    assert panel.mode() is AreaMode.DISARMED


@pytest.mark.clause("EN 50131-1 setting forced", "EN 50131-1 levels inhibit", "EN 50131-1 log override")
def test_forced_setting_needs_the_right_and_counts_once() -> None:
    panel = bank()
    panel.play(UserSet("manager", User("clerk", "Clerk", 2, ("hall",), "e1" * 16, rights=(Right.ARM,))))
    panel.read("window")
    override(panel, "e1" * 16)
    assert panel.mode() is AreaMode.DISARMED
    override(panel)
    panel.wait(EXIT_MS)
    disarm(panel)
    assert payload(arm(panel), "area.arming-refused")["reasons"] == ["active:window"]


@pytest.mark.clause("EN 50131-1 setting failed")
def test_a_refused_setting_is_told_at_the_keypad_and_recorded() -> None:
    panel = bank()
    panel.read("window")
    effects = arm(panel)
    assert told(effects) == ["arming-refused"]
    assert payload(effects, "area.arming-refused")["reasons"] == ["active:window"]


@pytest.mark.clause("EN 50131-1 setting exit route")
def test_the_exit_route_may_be_active_while_one_leaves_and_not_at_the_end() -> None:
    panel = bank()
    panel.read("door")
    panel.read("corridor")
    assert kinds(arm(panel)) == ["area.exit-started"]
    panel.read("corridor", NORMAL)
    assert "area.exit-error" in kinds(panel.wait(EXIT_MS))
    assert heard(panel) == {"bell"}


@pytest.mark.clause("EN 50131-1 setting completed")
def test_a_final_door_completes_the_setting() -> None:
    panel = bank(with_zone("door", final_door=True))
    arm(panel)
    panel.trip("door")
    panel.wait(5_000)
    assert panel.mode() is AreaMode.ARMED


@pytest.mark.clause("EN 50131-1 setting completed", "EN 50131-1 setting recorded")
def test_a_timer_a_key_and_the_center_complete_it_and_it_is_recorded() -> None:
    panel = bank()
    arm(panel)
    panel.wait(EXIT_MS)
    panel.trip("key")
    assert [kind for kind in recorded(panel) if kind.startswith("area.armed")] == ["area.armed", "area.armed-by-key"]
    disarm(panel)
    assert "area.armed-remotely" in kinds(panel.remote(1, Wish.ARM, "hall"))
