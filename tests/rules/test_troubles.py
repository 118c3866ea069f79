"""Troubles of the panel itself, from the written rules: begin and end once each, mains, paths, box, memory, limits."""

import pytest

from rules import Right, TroubleChanged, User, UserSet, Wish
from rules.vocabulary import TROUBLES
from tests.rules.branch import CLERK, Panel, kinds, payload, switched, told
from tests.rules.full import (
    INSTALLER,
    MINUTE_MS,
    armed,
    ask,
    bank,
    moment,
    power_cut,
    recorded,
    session,
    sirens,
)

MAINS_MS = 10 * MINUTE_MS
TOLD = sorted(set(TROUBLES) - {"mains", "paths"})


def begin(panel: Panel, name: str, detail: str = "") -> list[str]:
    trouble, _, subject = name.partition(":")
    return kinds(panel.play(TroubleChanged(trouble, True, subject, detail)))


def end(panel: Panel, name: str) -> list[str]:
    trouble, _, subject = name.partition(":")
    return kinds(panel.play(TroubleChanged(trouble, False, subject)))


def memory(panel: Panel) -> list[str]:
    return list(panel.view()["trouble_memory"])


@pytest.mark.parametrize("trouble", TOLD)
def test_begin_and_end_are_recorded_once_each(trouble: str) -> None:
    panel = bank()
    panel.play(TroubleChanged(trouble, True, "x", "why"))
    assert payload(panel.effects, f"trouble.{trouble}") == {"trouble": trouble, "subject": "x", "detail": "why"}
    assert begin(panel, f"{trouble}:x") == []
    assert end(panel, f"{trouble}:y") == []
    assert end(panel, f"{trouble}:x") == [f"trouble.{trouble}-ended"]
    assert end(panel, f"{trouble}:x") == []


def test_a_restart_tells_a_trouble_that_stands_not_again() -> None:
    panel = bank()
    begin(panel, "siren:bell")
    power_cut(panel)
    assert panel.view()["troubles"] == ["siren:bell"]
    assert begin(panel, "siren:bell") == []


# Mains


@pytest.mark.clause("CP-01 26", "EN 50131-1 mains report delay", "EN 50131-6 mains fault")
def test_the_report_of_lost_mains_waits() -> None:
    panel = bank()
    assert begin(panel, "mains") == []
    assert panel.view()["troubles"] == ["mains"]
    assert kinds(panel.wait(MAINS_MS - 1)) == []
    assert kinds(panel.wait(1)) == ["trouble.mains"]
    assert end(panel, "mains") == ["trouble.mains-ended"]


@pytest.mark.clause("CP-01 26")
def test_a_shorter_loss_is_a_dip() -> None:
    panel = bank()
    begin(panel, "mains")
    panel.wait(MAINS_MS - 1)
    panel.play(TroubleChanged("mains", False))
    assert kinds(panel.effects) == ["power.mains-dip"]
    assert payload(panel.effects, "power.mains-dip")["lasted_ms"] == MAINS_MS - 1
    panel.wait(MAINS_MS)
    assert "trouble.mains" not in recorded(panel)
    assert memory(panel) == []


def test_a_low_battery_meanwhile_goes_out_at_once() -> None:
    panel = bank()
    begin(panel, "mains")
    assert begin(panel, "battery") == ["trouble.battery"]
    assert begin(panel, "charger") == ["trouble.charger"]


def test_the_wait_goes_on_over_a_restart() -> None:
    panel = bank()
    begin(panel, "mains")
    panel.wait(6 * MINUTE_MS)
    power_cut(panel)
    assert begin(panel, "mains") == []
    panel.wait(4 * MINUTE_MS)
    assert moment(panel, "trouble.mains") == panel.now


def test_without_a_delay_it_is_reported_at_once() -> None:
    assert begin(bank(mains_delay_ms=0), "mains") == ["trouble.mains"]


# Paths


def test_when_every_path_has_failed_the_trouble_paths_begins_by_itself() -> None:
    panel = bank()
    assert begin(panel, "path:eth") == ["trouble.path"]
    assert begin(panel, "path:lte") == ["trouble.path", "trouble.paths"]
    assert panel.view()["troubles"] == ["path:eth", "path:lte", "paths"]
    assert end(panel, "path:eth") == ["trouble.path-ended", "trouble.paths-ended"]
    assert begin(panel, "path:eth") == ["trouble.path", "trouble.paths"]


def test_a_path_that_the_site_has_not_counts_for_nothing() -> None:
    panel = bank()
    begin(panel, "path:eth")
    assert begin(panel, "path:satellite") == ["trouble.path"]


def test_nobody_else_tells_of_paths() -> None:
    panel = bank()
    assert begin(panel, "paths") == []
    assert panel.view()["troubles"] == []
    begin(panel, "path:eth")
    begin(panel, "path:lte")
    assert end(panel, "paths") == []
    assert "paths" in panel.view()["troubles"]


# The box


@pytest.mark.clause("GB 55029 3.5.1(2) panel", "EN 50131-1 tamper opening")
def test_an_opened_cabinet_is_an_alarm() -> None:
    panel = bank()
    assert begin(panel, "box") == ["trouble.box"]
    assert told(panel.effects, "") == ["alarm"]
    assert {"hall-siren", "vault-siren", "store-siren"} == sirens(panel)
    assert "strobe" in panel.on()
    assert end(panel, "box") == ["trouble.box-ended"]


def test_it_sounds_outside_too_where_it_is_set() -> None:
    panel = armed(bank())
    begin(panel, "box")
    assert {"bell", "hall-siren", "vault-siren", "store-siren"} == sirens(panel)
    assert panel.mode().value == "alarm"


@pytest.mark.parametrize("trouble", sorted(set(TOLD) - {"box"}))
def test_no_other_trouble_sounds(trouble: str) -> None:
    panel = armed(bank())
    begin(panel, trouble)
    assert switched(panel.effects) == []


# Memory


def test_a_trouble_that_ended_stays_in_the_memory_until_its_reset() -> None:
    panel = bank()
    begin(panel, "siren:bell")
    assert memory(panel) == ["siren:bell"]
    end(panel, "siren:bell")
    assert memory(panel) == ["siren:bell"]
    found = payload(ask(panel, Wish.RESET), "panel.reset")
    assert (found["troubles"], found["user"]) == (["siren:bell"], "manager")
    assert memory(panel) == []


def test_one_that_stands_stays() -> None:
    panel = bank()
    begin(panel, "siren:bell")
    assert kinds(ask(panel, Wish.RESET)) == []
    assert memory(panel) == ["siren:bell"]


@pytest.mark.clause("EN 50131-1 restore faults", "EN 50131-1 restore alarms")
def test_a_reset_by_level_2_where_faults_take_level_3() -> None:
    panel = bank(reset_level=3)
    for name in ("mains", "path:eth", "jamming", "siren:bell", "driver:gpio", "battery", "camera:c"):
        begin(panel, name)
        panel.wait(MAINS_MS)
        end(panel, name)
    ask(panel, Wish.RESET)
    assert memory(panel) == ["siren:bell", "driver:gpio", "battery", "camera:c"]
    session(panel)
    ask(panel, Wish.RESET, key=INSTALLER)
    assert memory(panel) == []


def test_in_profile_cn_level_2_resets_faults_too() -> None:
    panel = bank()
    begin(panel, "driver:gpio")
    end(panel, "driver:gpio")
    ask(panel, Wish.RESET)
    assert memory(panel) == []


def test_the_memory_needs_the_right_to_reset() -> None:
    panel = bank()
    begin(panel, "camera:c")
    end(panel, "camera:c")
    assert told(ask(panel, Wish.RESET, key=CLERK)) == ["not-allowed"]
    panel.play(UserSet("t", User("clerk", "Clerk", 2, ("hall",), CLERK, rights=(Right.RESET,))))
    ask(panel, Wish.RESET, key=CLERK)
    assert memory(panel) == []


def test_the_memory_outlives_a_power_cut() -> None:
    panel = bank()
    begin(panel, "camera:c")
    end(panel, "camera:c")
    power_cut(panel)
    assert memory(panel) == ["camera:c"]


# Limits


def test_at_most_64_stand_and_the_trouble_rules_names_the_first_that_found_no_room() -> None:
    panel = bank()
    for i in range(64):
        assert begin(panel, f"driver:d{i}") == ["trouble.driver"]
    assert begin(panel, "driver:late") == ["trouble.rules"]
    assert "driver:late" in str(payload(panel.effects, "trouble.rules")["detail"])
    assert begin(panel, "driver:later") == []
    assert len(panel.view()["troubles"]) == 65


@pytest.mark.parametrize("trouble", ["mains", "siren:bell", "camera:cam-1", "storage"])
def test_what_found_no_room_ends_without_a_word(trouble: str) -> None:
    panel = bank()
    for i in range(64):
        begin(panel, f"driver:d{i}")
    begin(panel, trouble)
    assert end(panel, trouble) == []


def test_an_opened_box_and_lost_paths_find_room_in_any_crowd() -> None:
    panel = bank()
    for i in range(70):
        begin(panel, f"driver:d{i}")
    assert "trouble.box" in begin(panel, "box")
    assert "hall-siren" in panel.on()
    for path in panel.site.paths:
        assert "trouble.path" in begin(panel, f"path:{path}")
    assert "paths" in panel.view()["troubles"]
    assert end(panel, "box") == ["trouble.box-ended"]


def test_their_room_has_a_limit_too() -> None:
    panel = bank()
    for i in range(200):
        begin(panel, f"path:p{i}")
    assert len(panel.view()["troubles"]) == 64 + 32 + 1
    assert "rules" in panel.view()["troubles"]


def test_names_from_outside_are_cut_at_64_characters() -> None:
    panel = bank()
    panel.play(TroubleChanged("camera", True, "c" * 200, "d" * 1_000))
    assert panel.view()["troubles"] == ["camera:" + "c" * 64]
    assert end(panel, "camera:" + "c" * 200) == ["trouble.camera-ended"]


def test_a_trouble_that_nobody_knows_has_no_effect() -> None:
    assert begin(bank(), "unheard-of") == []
