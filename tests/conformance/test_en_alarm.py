"""EN 50131-1 and -3: entry, sirens, restoring, what each signal does set and unset, power (digest §1.4 to §1.11)."""

from dataclasses import replace
from typing import Any

import pytest

from rules import AreaMode, CodeEntered, Condition, Site, TestDone, TroubleChanged, Wish
from rules.profiles import PROFILES
from tests.conformance.bank import BANK, bank, heard, reported_at, shown, timed, with_zone
from tests.rules.branch import Panel, kinds, payload
from tests.rules.shop import (
    ENTRY_MS,
    FAULT,
    INSTALLER,
    MANAGER,
    MINUTE_MS,
    NORMAL,
    OPEN,
    arm,
    armed,
    disarm,
    session,
)

MASKED = Condition.MASKED
SECOND_MS = 1_000


def with_output(id_: str, site: Site = BANK, **changes: Any) -> Site:
    return replace(site, outputs={**site.outputs, id_: replace(site.outputs[id_], **changes)})


# Entry


@pytest.mark.clause("EN 50131-1 entry 45 s")
@pytest.mark.parametrize("profile", ["cn", "eu-g2", "eu-g3"])
def test_no_file_has_an_entry_delay_beyond_45_s(profile: str) -> None:
    number = PROFILES[profile].numbers["entry_delay_s"]
    assert number.default <= number.most == 45


@pytest.mark.clause("EN 50131-1 entry ended", "CP-01 21")
def test_the_entry_delay_is_told_and_its_end_is_an_alarm() -> None:
    panel = armed(bank())
    panel.trip("door")
    assert panel.mode() is AreaMode.ENTRY_DELAY
    assert "buzzer" in panel.on()
    assert kinds(panel.wait(ENTRY_MS - 1)) == []
    assert kinds(panel.wait(1)) == ["alarm.entry"]
    assert heard(panel) == {"horn", "bell"}


@pytest.mark.clause("EN 50131-1 entry deviation sounds", "EN 50131-1 entry deviation held")
@pytest.mark.parametrize("entry_s", [10, 30, 45])
@pytest.mark.parametrize("after_s", [1, 9])
def test_off_the_entry_route_it_sounds_at_once_and_is_sent_after_30_s_and_the_entry_delay(
    after_s: int, entry_s: int
) -> None:
    panel = armed(bank(with_zone("door", entry_delay_ms=entry_s * SECOND_MS)))
    began = panel.now
    panel.trip("door")
    panel.wait(after_s * SECOND_MS)
    left = panel.now
    panel.trip("window")
    assert heard(panel) == {"horn", "bell"}
    panel.wait(5 * MINUTE_MS)
    assert reported_at(panel, "alarm.intruder") == max(left + 30 * SECOND_MS, began + entry_s * SECOND_MS)


@pytest.mark.clause("EN 50131-1 entry deviation held")
def test_off_the_entry_route_nothing_is_sent_when_disarmed_in_time() -> None:
    panel = armed(bank())
    panel.trip("door")
    panel.trip("window")
    panel.wait(ENTRY_MS - 1)
    disarm(panel)
    assert "alarm.intruder" not in kinds(panel.wait(5 * MINUTE_MS))
    assert heard(panel) == set()


# Sirens


@pytest.mark.clause("EN 50131-1 siren 90 s to 15 min")
@pytest.mark.parametrize("profile", PROFILES)
def test_no_file_lets_a_siren_sound_less_than_90_s_or_more_than_15_min(profile: str) -> None:
    numbers = PROFILES[profile].numbers
    assert numbers["siren_s"].least >= 90
    assert numbers["siren_max_s"].most <= 900


@pytest.mark.clause("EN 50131-1 siren 90 s to 15 min")
def test_sirens_stop_after_15_min_however_many_zones_alarm() -> None:
    panel = armed(bank())
    for zone in ("window", "pir", "office"):
        panel.trip(zone)
        panel.wait(4 * MINUTE_MS)
        assert heard(panel) == {"horn", "bell"}
    panel.trip("corridor")
    panel.wait(3 * MINUTE_MS - 1)
    assert heard(panel) == {"horn", "bell"}
    panel.wait(1)
    assert heard(panel) == set()


@pytest.mark.clause("EN 50131-1 siren delay", "EN 50131-1 siren delay dropped")
@pytest.mark.parametrize("down", [False, True])
def test_an_external_siren_waits_unless_every_path_is_down(down: bool) -> None:
    panel = armed(bank(with_output("horn", delay_ms=MINUTE_MS)))
    if down:
        for path in BANK.paths:
            panel.play(TroubleChanged("path", True, path))
    panel.trip("window")
    assert heard(panel) == ({"horn", "bell"} if down else {"bell"})
    panel.wait(MINUTE_MS)
    assert heard(panel) == {"horn", "bell"}


@pytest.mark.clause("EN 50131-1 siren delay")
@pytest.mark.parametrize("profile", PROFILES)
def test_no_file_has_a_siren_delay_beyond_ten_minutes(profile: str) -> None:
    assert PROFILES[profile].numbers["siren_delay_s"].most <= 600


@pytest.mark.clause("EN 50131-1 siren unset")
@pytest.mark.parametrize("zone", ["seismic", "lid", "bell-push", "smoke", "gas", "pendant"])
def test_no_external_siren_while_unset(zone: str) -> None:
    panel = bank()
    panel.read(zone)
    panel.read("window", OPEN)
    panel.play(TroubleChanged("box", True))
    assert heard(panel) == {"bell"}


@pytest.mark.clause("EN 50131-1 siren unset")
def test_a_neighbour_that_is_set_makes_no_external_siren_for_an_unset_area() -> None:
    panel = bank()
    arm(panel, "vault")
    panel.read("lid")
    assert heard(panel) == {"bell"}


# Mains


@pytest.mark.clause("EN 50131-1 mains report delay", "CP-01 26", "EN 50131-6 mains fault", "EN 50131-1 log mains")
def test_lost_mains_is_reported_after_its_delay_and_a_dip_is_not() -> None:
    panel = bank()
    panel.play(TroubleChanged("mains", True))
    assert kinds(panel.wait(BANK.timings.mains_delay_ms - 1)) == []
    assert kinds(panel.wait(1)) == ["trouble.mains"]
    assert kinds(panel.play(TroubleChanged("mains", False))) == ["trouble.mains-ended"]
    panel.play(TroubleChanged("mains", True))
    assert "trouble.mains" not in kinds(panel.wait(MINUTE_MS) + panel.play(TroubleChanged("mains", False)))


@pytest.mark.clause("EN 50131-1 mains report delay")
@pytest.mark.parametrize("profile", PROFILES)
def test_no_file_delays_it_beyond_an_hour(profile: str) -> None:
    assert PROFILES[profile].numbers["mains_report_delay_s"].most <= 3600


@pytest.mark.clause("EN 50131-6 load test")
def test_a_battery_that_fails_its_test_is_a_trouble() -> None:
    panel = bank()
    panel.code(MANAGER, Wish.BATTERY_TEST)
    assert "trouble.battery-test" in kinds(panel.play(TestDone("battery", False)))


# Restoring


@pytest.mark.clause("EN 50131-1 restore alarms")
@pytest.mark.parametrize("reset_level", [2, 3])
def test_users_restore_intruder_alarms_mains_and_paths(reset_level: int) -> None:
    panel = armed(bank(timed(reset_level=reset_level, mains_delay_ms=0)))
    panel.trip("window")
    disarm(panel)
    for trouble in ("mains", "path"):
        panel.play(TroubleChanged(trouble, True))
        panel.play(TroubleChanged(trouble, False))
    panel.code(MANAGER, Wish.RESET)
    assert shown(panel) == []
    assert not {"mains", "path"} & {name.partition(":")[0] for name in panel.state.durable.trouble_memory}


@pytest.mark.clause("EN 50131-1 restore tamper", "EN 50131-1 restore faults")
def test_at_grade_3_only_an_installer_restores_tampers_and_faults() -> None:
    panel = bank(timed(reset_level=3))
    panel.read("window", OPEN)
    panel.read("window", NORMAL)
    panel.play(TroubleChanged("siren", True))
    panel.play(TroubleChanged("siren", False))
    panel.code(MANAGER, Wish.RESET)
    assert shown(panel) == ["alarm.sensor-tamper:window"]
    assert list(panel.state.durable.trouble_memory) == ["siren"]
    session(panel)
    panel.code(INSTALLER, Wish.RESET)
    assert shown(panel) == []
    assert list(panel.state.durable.trouble_memory) == []


@pytest.mark.clause("EN 50131-1 restore tamper", "EN 50131-1 restore faults")
def test_the_grade_3_profile_wants_an_installer() -> None:
    assert PROFILES["eu-g3"].reset_level == 3
    assert PROFILES["eu-g2"].reset_level == 2


# The processing matrix


@pytest.mark.clause("EN 50131-1 intruder set")
def test_an_intruder_while_set() -> None:
    panel = armed(bank())
    assert kinds(panel.read("window")) == ["alarm.intruder"]
    assert heard(panel) == {"horn", "bell"}


@pytest.mark.clause("EN 50131-1 tamper set")
def test_tamper_while_set() -> None:
    panel = armed(bank())
    assert kinds(panel.read("window", OPEN)) == ["alarm.sensor-tamper"]
    assert heard(panel) == {"horn", "bell"}


@pytest.mark.clause("EN 50131-1 tamper unset")
def test_tamper_while_unset() -> None:
    panel = bank()
    assert kinds(panel.read("window", OPEN)) == ["alarm.sensor-tamper"]
    assert heard(panel) == {"bell"}


@pytest.mark.clause("EN 50131-1 masking set")
def test_masking_while_set_is_a_tamper_alarm() -> None:
    panel = armed(bank())
    assert payload(panel.read("pir", MASKED), "alarm.sensor-tamper")["condition"] == "masked"


@pytest.mark.clause("EN 50131-1 masking unset")
def test_masking_while_unset_is_a_fault() -> None:
    panel = bank()
    assert payload(panel.read("pir", MASKED), "zone.fault")["condition"] == "masked"
    assert heard(panel) == set()


@pytest.mark.clause("EN 50131-1 hold-up set", "EN 50131-1 hold-up unset", "EN 50131-1 duress looks the same")
@pytest.mark.parametrize("set_", [True, False])
def test_a_silent_hold_up_is_sent_and_shows_nowhere(set_: bool) -> None:
    def stand() -> Panel:
        return armed(bank()) if set_ else bank()

    panel, other = stand(), stand()
    assert payload(panel.read("button"), "alarm.hold-up")["zone"] == "button"
    assert panel.on() == other.on()
    assert panel.view() == other.view()
    assert shown(panel) == []


@pytest.mark.clause("EN 50131-1 duress looks the same")
def test_a_duress_code_looks_like_the_users_own() -> None:
    panels = [armed(bank()), armed(bank())]
    told = []
    for panel, key in zip(panels, ("a1" * 16, "a2" * 16), strict=True):
        effects = panel.play(CodeEntered("kp", key, Wish.DISARM, ("hall",)))
        told.append([e for e in effects if type(e).__name__ in ("Tell", "Switch")])
    assert told[0] == told[1]
    assert panels[0].view() == panels[1].view()
    assert panels[0].on() == panels[1].on()


@pytest.mark.clause("EN 50131-1 fault set", "EN 50131-1 fault unset", "EN 50131-1 log hold-up fault")
@pytest.mark.parametrize("set_", [True, False])
def test_a_fault_sounds_nothing(set_: bool) -> None:
    panel = armed(bank()) if set_ else bank()
    assert kinds(panel.read("button", FAULT)) == ["zone.hold-up-fault"]
    assert kinds(panel.read("pir", FAULT)) == ["zone.fault"]
    assert heard(panel) == set()
