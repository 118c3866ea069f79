"""Hold-up and duress: always reported, never shown."""

import pytest

from rules import CodeEntered, Condition, Record, Wish, private_view
from rules.vocabulary import KINDS
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, WRONG, Panel, captures, kinds, payload, switched, tells


@pytest.mark.parametrize("armed", [False, True])
def test_a_hold_up_is_recorded_and_pictured_and_nothing_else(armed: bool) -> None:
    panel = Panel().armed() if armed else Panel()
    view, on = panel.view(), panel.on()
    effects = panel.read("button")
    assert kinds(effects) == ["alarm.hold-up"]
    assert [shot.zone for shot in captures(effects)] == ["button"]
    assert len(effects) == 2
    assert (panel.view(), panel.on()) == (view, on)
    assert kinds(panel.read("button", Condition.NORMAL)) == ["restore.hold-up"]
    assert panel.view() == view


def test_a_pressed_button_is_not_in_the_way_of_arming() -> None:
    panel = Panel()
    panel.read("button")
    assert kinds(panel.code(CLERK, Wish.ARM)) == ["area.exit-started"]


def test_a_hold_up_pressed_again_alarms_again() -> None:
    panel = Panel()
    panel.trip("button")
    assert kinds(panel.trip("button")) == ["alarm.hold-up", "restore.hold-up"]


def test_a_standing_hold_up_shows_to_the_technician_only_when_asked_for() -> None:
    panel, plain = Panel(), Panel()
    panel.read("button")
    assert private_view(panel.site, panel.state) == private_view(plain.site, plain.state)
    assert private_view(panel.site, panel.state, silent=True)["silent"] == ["button"]


@pytest.mark.clause("EN 50131-1 duress looks the same", "GB 55029 3.5.1(4)(5) duress")
@pytest.mark.parametrize("wish", [Wish.TOGGLE, Wish.ARM, Wish.DISARM, Wish.SILENCE])
def test_duress_looks_like_the_users_own_code(wish: Wish) -> None:
    plain, forced = Panel().armed("vault"), Panel().armed("vault")
    usual = plain.code(MANAGER, wish)
    effects = forced.code(MANAGER_DURESS, wish)
    assert tells(effects) == tells(usual)
    assert switched(effects) == switched(usual)
    assert forced.view() == plain.view()
    assert kinds(effects) == ["alarm.duress", *kinds(usual)]
    assert payload(effects, "alarm.duress")["user"] == "manager"


def test_duress_is_heard_during_a_lock_out_which_looks_the_same() -> None:
    plain, forced = Panel().armed(), Panel().armed()
    for panel in (plain, forced):
        for _ in range(5):
            panel.code(WRONG)
    usual, effects = plain.code(MANAGER), forced.code(MANAGER_DURESS)
    assert tells(effects) == tells(usual)
    assert kinds(effects) == ["alarm.duress"]
    assert kinds(usual) == []
    assert forced.view() == plain.view()


def test_silent_kinds_are_those_of_hold_up_and_duress() -> None:
    silent = {kind.name for kind in KINDS.values() if kind.silent}
    assert silent == {
        "alarm.hold-up",
        "alarm.hold-up-confirmed",
        "alarm.duress",
        "alarm.duress-button",
        "restore.hold-up",
    }


def test_no_key_is_ever_recorded_or_told() -> None:
    panel = Panel()
    for key in (MANAGER, MANAGER_DURESS, CLERK, WRONG):
        panel.play(CodeEntered("kp", key))
    text = "".join(str(effect) for _, effect in panel.log) + str(private_view(panel.site, panel.state, silent=True))
    assert any(isinstance(effect, Record) for _, effect in panel.log)
    for key in (MANAGER, MANAGER_DURESS, CLERK, WRONG):
        assert key not in text
