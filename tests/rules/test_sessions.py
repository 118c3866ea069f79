"""Codes and who may act when, from the written rules: levels, grants, sessions, days, one-time codes, duress."""

from dataclasses import replace

import pytest

from rules import AreaMode, CodeEntered, Right, Tell, User, UserRemoved, UserSet, Wish
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, WRONG, Panel, kinds, payload, switched, tells, told
from tests.rules.full import (
    ALL,
    DATED,
    DATED_DURESS,
    FRIDAY,
    HOUR_MS,
    INSTALLER,
    INSTALLER_DURESS,
    MAKER,
    MINUTE_MS,
    NORMAL,
    ONCE,
    ONCE_DURESS,
    arm,
    armed,
    ask,
    bank,
    clock,
    disarm,
    full,
    lock_out,
    power_cut,
    recorded,
    session,
)

GRANT_MS, SESSION_MS, LOCKOUT_MS = 5 * MINUTE_MS, HOUR_MS, 90_000
DISARMED, ARMED = AreaMode.DISARMED, AreaMode.ARMED
NO_HOURS = replace(full(), schedules={})


def refused(panel: Panel, key: str = INSTALLER, wish: Wish = Wish.TOGGLE) -> str:
    """Why this code was refused, as it is recorded and told; empty when it was not."""
    effects = ask(panel, wish, key=key)
    if kinds(effects) != ["code.refused"]:
        return ""
    reason = payload(effects, "code.refused")["reason"]
    assert told(effects) == [reason]
    return str(reason)


# The grant


@pytest.mark.clause("EN 50131-1 levels consent", "EN 50131-1 log session")
def test_an_installer_enters_after_a_users_grant() -> None:
    panel = bank()
    effects = ask(panel, Wish.GRANT)
    assert (kinds(effects), told(effects)) == (["installer.granted"], ["granted"])
    assert payload(effects, "installer.granted")["user"] == "manager"
    effects = ask(panel, Wish.TOGGLE, key=INSTALLER)
    assert (kinds(effects), told(effects)) == (["installer.entered"], ["installer-entered"])
    assert {panel.mode(area) for area in ALL} == {DISARMED}
    assert panel.view()["installer"] is True


@pytest.mark.clause("EN 50131-1 levels consent")
@pytest.mark.parametrize("wish", list(Wish))
def test_without_a_grant_his_code_is_refused_whatever_he_wants(wish: Wish) -> None:
    panel = bank()
    before = panel.view()
    assert refused(panel, wish=wish) == "no-grant"
    assert panel.view() == before


def test_the_grant_lasts_five_minutes() -> None:
    panel = bank()
    ask(panel, Wish.GRANT)
    panel.wait(GRANT_MS - 1)
    assert kinds(ask(panel, Wish.TOGGLE, key=INSTALLER)) == ["installer.entered"]
    panel = bank()
    ask(panel, Wish.GRANT)
    panel.wait(GRANT_MS)
    assert refused(panel) == "no-grant"


def test_a_grant_opens_the_door_once() -> None:
    panel = bank()
    session(panel)
    ask(panel, Wish.LEAVE, key=INSTALLER)
    assert refused(panel) == "no-grant"


def test_a_grant_needs_the_right() -> None:
    panel = bank()
    assert told(ask(panel, Wish.GRANT, key=CLERK)) == ["not-allowed"]
    assert refused(panel) == "no-grant"
    panel.play(UserSet("t", User("clerk", "Clerk", 2, ("hall",), CLERK, rights=(Right.GRANT,))))
    ask(panel, Wish.GRANT, key=CLERK)
    assert refused(panel) == ""


@pytest.mark.clause("EN 50131-1 levels consent")
def test_he_does_not_enter_while_one_of_his_areas_is_not_disarmed() -> None:
    panel = bank()
    arm(panel, "vault")
    ask(panel, Wish.GRANT)
    assert refused(panel) == "area-armed"
    assert panel.mode("vault") is ARMED
    disarm(panel, "vault")
    assert kinds(ask(panel, Wish.TOGGLE, key=INSTALLER)) == ["installer.entered"]


def test_an_installer_who_comes_in_with_a_wish_enters_and_gets_it() -> None:
    panel = bank()
    ask(panel, Wish.GRANT)
    effects = ask(panel, Wish.ISOLATE, key=INSTALLER, zone="window")
    assert kinds(effects) == ["installer.entered", "zone.isolated"]


# The session


@pytest.mark.parametrize("end", ["leave", "arming", "timer", "keyswitch", "remote"])
def test_it_ends(end: str) -> None:
    panel = bank()
    session(panel)
    match end:
        case "leave":
            effects = ask(panel, Wish.LEAVE, key=INSTALLER)
            assert told(effects) == ["installer-left"]
        case "arming":
            effects = arm(panel, "hall")
        case "keyswitch":
            effects = panel.trip("key")
        case "remote":
            effects = panel.remote(1, Wish.ARM, "store")
        case _:
            assert "installer.left" not in kinds(panel.wait(SESSION_MS - 1))
            effects = panel.wait(1)
    assert payload(effects, "installer.left")["user"] == "installer"
    assert panel.view()["installer"] is False
    assert refused(panel) == "no-grant"


def test_in_his_session_he_acts_like_a_user() -> None:
    panel = bank()
    session(panel)
    assert told(ask(panel, Wish.BYPASS, key=INSTALLER, zone="window")) == ["bypassed"]
    assert told(ask(panel, Wish.WALK_TEST, key=INSTALLER)) == ["walk-test"]
    assert told(arm(panel, "hall", key=INSTALLER)) == ["arming"]


def test_a_user_does_not_end_an_installers_session() -> None:
    panel = bank()
    session(panel)
    assert told(ask(panel, Wish.LEAVE)) == ["not-allowed"]
    assert panel.view()["installer"] is True


def test_another_installer_needs_a_grant_of_his_own() -> None:
    panel = bank()
    panel.play(UserSet("t", User("second", "Second", 3, ALL, "99" * 16)))
    session(panel)
    assert refused(panel, key="99" * 16) == "no-grant"


def test_a_session_goes_on_over_a_restart() -> None:
    panel = bank()
    session(panel)
    panel.wait(SESSION_MS // 2)
    power_cut(panel)
    assert panel.view()["installer"] is True
    panel.wait(SESSION_MS // 2)
    assert panel.view()["installer"] is False


def test_removing_the_installer_ends_his_session() -> None:
    panel = bank()
    session(panel)
    assert "installer.left" in kinds(panel.play(UserRemoved("t", "installer")))


def test_while_no_user_exists_he_acts_without_a_grant() -> None:
    panel = Panel(full(), users=False)
    panel.play(UserSet("t", User("installer", "Installer", 3, ALL, INSTALLER)))
    assert told(ask(panel, Wish.BYPASS, key=INSTALLER, zone="window")) == ["bypassed"]
    assert told(arm(panel, "vault", key=INSTALLER)) == ["armed"]
    assert told(disarm(panel, "vault", key=INSTALLER)) == ["disarmed"]
    panel.play(UserSet("t", User("clerk", "Clerk", 2, ("hall",), CLERK)))
    assert refused(panel) == "no-grant"


# The maker


@pytest.mark.clause("EN 50131-1 levels maker")
def test_the_maker_needs_an_installers_session() -> None:
    panel = bank()
    assert refused(panel, key=MAKER) == "no-grant"
    ask(panel, Wish.GRANT)
    assert refused(panel, key=MAKER) == "no-grant"
    ask(panel, Wish.TOGGLE, key=INSTALLER)
    assert refused(panel, key=MAKER, wish=Wish.STATUS) == ""
    ask(panel, Wish.LEAVE, key=INSTALLER)
    assert refused(panel, key=MAKER) == "no-grant"


# Dated codes


@pytest.mark.parametrize(("day", "ok"), [(-1, False), (0, True), (1, True), (2, False)])
def test_a_dated_code_counts_on_its_days(day: int, ok: bool) -> None:
    panel = bank(NO_HOURS)
    clock(panel, day=FRIDAY + day)
    assert refused(panel, key=DATED, wish=Wish.ARM) == ("" if ok else "not-valid-now")
    assert (panel.mode() is DISARMED) is not ok


@pytest.mark.parametrize("told_", ["never", "unsure", "before a restart"])
def test_a_clock_that_is_not_sure_proves_no_day(told_: str) -> None:
    panel = bank()
    if told_ != "never":
        clock(panel, sure=told_ != "unsure")
    if told_ == "before a restart":
        power_cut(panel)
    assert refused(panel, key=DATED) == "not-valid-now"


@pytest.mark.parametrize(
    ("first", "last", "ok"), [(None, FRIDAY, True), (None, FRIDAY - 1, False), (FRIDAY, None, True)]
)
def test_a_bound_may_be_missing(first: int | None, last: int | None, ok: bool) -> None:
    panel = bank()
    clock(panel)
    panel.play(UserSet("t", User("half", "Half", 2, ("hall",), "99" * 16, first_day=first, last_day=last)))
    assert (refused(panel, key="99" * 16) == "") is ok


# One-time codes


def test_a_one_time_code_is_used_up_by_its_first_accepted_use() -> None:
    panel = bank()
    effects = arm(panel, "hall", key=ONCE)
    assert payload(effects, "user.spent")["user"] == "once"
    for key in (ONCE, ONCE_DURESS):
        assert told(disarm(panel, "hall", key=key)) == ["wrong-code"]
    assert panel.mode() is not DISARMED


def test_a_use_that_was_refused_spends_nothing() -> None:
    panel = bank()
    assert told(disarm(panel, "vault", key=ONCE)) == ["not-allowed"]
    panel.read("window")
    assert told(arm(panel, "hall", key=ONCE)) == ["arming-refused"]
    assert "user.spent" not in recorded(panel)
    panel.read("window", NORMAL)
    assert "user.spent" in kinds(arm(panel, "hall", key=ONCE))


def test_a_duress_use_spends_it_too() -> None:
    panel = bank()
    effects = arm(panel, "hall", key=ONCE_DURESS)
    assert kinds(effects)[0] == "alarm.duress"
    assert "user.spent" in kinds(effects)
    assert told(disarm(panel, "hall", key=ONCE)) == ["wrong-code"]


def test_a_duress_use_that_was_refused_spends_it_as_little_as_the_own_code() -> None:
    """A wrong code at the next try would tell of it."""
    panel = bank()
    assert kinds(disarm(panel, "vault", key=ONCE_DURESS)) == ["alarm.duress"]
    assert told(arm(panel, "hall", key=ONCE)) == ["arming"]


def test_a_code_may_be_given_anew() -> None:
    panel = bank()
    arm(panel, "hall", key=ONCE)
    panel.play(UserSet("t", replace(panel.state.users["once"], key="99" * 16)))
    assert told(disarm(panel, "hall", key="99" * 16)) == ["disarmed"]


# Rights


RIGHT_OF = {
    Wish.ARM: Right.ARM,
    Wish.REARM: Right.ARM,
    Wish.POSTPONE: Right.ARM,
    Wish.DISARM: Right.DISARM,
    Wish.SILENCE: Right.DISARM,
    Wish.BYPASS: Right.BYPASS,
    Wish.UNBYPASS: Right.BYPASS,
    Wish.RESET: Right.RESET,
    Wish.WALK_TEST: Right.TEST,
    Wish.SIREN_TEST: Right.TEST,
    Wish.BATTERY_TEST: Right.TEST,
    Wish.END_TEST: Right.TEST,
    Wish.GRANT: Right.GRANT,
}


@pytest.mark.clause("GB 55029 3.5.1(4)(5) rights", "EN 50131-1 levels inhibit", "EN 50131-1 levels walk test")
@pytest.mark.parametrize(("wish", "right"), RIGHT_OF.items())
def test_each_wish_takes_its_right(wish: Wish, right: Right) -> None:
    panel = bank()
    others = tuple(r for r in Right if r is not right)
    panel.play(UserSet("t", User("with", "With", 2, ("hall",), "98" * 16, rights=(right,))))
    panel.play(UserSet("t", User("without", "Without", 2, ("hall",), "99" * 16, rights=others)))
    assert told(ask(panel, wish, key="99" * 16, zone="window")) == ["not-allowed"]
    assert told(ask(panel, wish, key="98" * 16, zone="window")) != ["not-allowed"]


def test_toggle_takes_the_right_to_what_it_would_do() -> None:
    panel = bank()
    panel.play(UserSet("t", User("opener", "Opener", 2, ("hall",), "98" * 16, rights=(Right.DISARM,))))
    panel.play(UserSet("t", User("closer", "Closer", 2, ("hall",), "99" * 16, rights=(Right.ARM,))))
    assert told(panel.code("98" * 16)) == ["not-allowed"]
    assert told(panel.code("99" * 16)) == ["arming"]
    assert told(panel.code("99" * 16)) == ["not-allowed"]
    assert told(panel.code("98" * 16)) == ["disarmed"]


def test_no_right_gives_what_the_level_does_not() -> None:
    panel = bank()
    panel.play(UserSet("t", User("all", "All", 2, ("hall",), "99" * 16, rights=tuple(Right))))
    assert told(ask(panel, Wish.ISOLATE, key="99" * 16, zone="window")) == ["not-allowed"]
    assert told(ask(panel, Wish.UNISOLATE, key="99" * 16, zone="window")) == ["not-allowed"]
    assert told(ask(panel, Wish.WALK_TEST, key="99" * 16, hold_up=True)) == ["not-allowed"]


@pytest.mark.clause("EN 50131-1 no single button")
@pytest.mark.parametrize("wish", list(Wish))
@pytest.mark.parametrize("key", ["", WRONG])
def test_no_act_without_a_code(wish: Wish, key: str) -> None:
    panel = bank()
    before = panel.view()
    assert told(ask(panel, wish, key=key, zone="window")) == ["wrong-code"]
    assert (panel.view(), kinds(panel.effects)) == (before, [])


# Lock-out


def test_a_code_that_was_refused_for_its_day_or_grant_clears_the_count() -> None:
    panel = bank()
    for key in (INSTALLER, DATED):
        for _ in range(4):
            panel.code(WRONG)
        assert refused(panel, key=key) != ""
        for _ in range(4):
            assert told(panel.code(WRONG)) == ["wrong-code"]
        ask(panel, Wish.STATUS)


@pytest.mark.clause("EN 50131-1 lock-out")
def test_the_lock_is_one_keypads_own_and_outlives_a_power_cut() -> None:
    panel = armed(bank())
    lock_out(panel)
    panel.wait(10_000)
    power_cut(panel)
    assert told(disarm(panel)) == ["locked-out"]
    assert told(ask(panel, Wish.DISARM, "hall", at="other"), "other") == ["disarmed"]
    panel.wait(LOCKOUT_MS - 10_000)
    assert told(disarm(panel)) == ["disarmed"]


def test_64_keypads_count_for_themselves_and_the_others_share_a_count() -> None:
    panel = bank()
    for i in range(64):
        panel.code(WRONG, at=f"kp-{i}")
    for i in range(5):
        panel.code(WRONG, at=f"other-{i}")
    assert told(panel.code(MANAGER, at="other-9"), "other-9") == ["locked-out"]
    for i in range(64):
        assert told(panel.code(WRONG, at=f"kp-{i}"), f"kp-{i}") == ["wrong-code"]
    assert told(panel.code(MANAGER, at="kp-63"), "kp-63") == ["arming"]


# Duress


def duress_alone(panel: Panel, plain: Panel, own: str, duress: str, wish: Wish) -> None:
    """The duress code shows exactly what the own code would, and calls for help besides."""
    usual = plain.play(CodeEntered("kp", own, wish))
    effects = panel.play(CodeEntered("kp", duress, wish))
    assert kinds(effects)[0] == "alarm.duress"
    assert kinds(effects)[1:] == kinds(usual)
    assert [e for e in effects if isinstance(e, Tell)] == [e for e in usual if isinstance(e, Tell)]
    assert switched(effects) == switched(usual)
    assert panel.view() == plain.view()


@pytest.mark.clause("GB 55029 3.5.1(4)(5) duress", "EN 50131-1 duress looks the same")
@pytest.mark.parametrize("wish", [w for w in Wish if w is not Wish.GRANT])
@pytest.mark.parametrize("set_", [False, True])
def test_duress_looks_like_the_own_code_whatever_is_asked_for(wish: Wish, set_: bool) -> None:
    panel, plain = (armed(bank(), "vault") if set_ else bank() for _ in range(2))
    duress_alone(panel, plain, MANAGER, MANAGER_DURESS, wish)


@pytest.mark.parametrize("wish", [Wish.TOGGLE, Wish.DISARM, Wish.STATUS])
def test_duress_during_a_lock_out(wish: Wish) -> None:
    panel, plain = armed(bank()), armed(bank())
    for each in (panel, plain):
        lock_out(each)
        each.wait(30_000)
    duress_alone(panel, plain, MANAGER, MANAGER_DURESS, wish)
    assert {panel.mode(area) for area in ALL} == {ARMED}


@pytest.mark.parametrize("day", [-1, 2])
def test_duress_out_of_its_days(day: int) -> None:
    panel, plain = bank(NO_HOURS), bank(NO_HOURS)
    for each in (panel, plain):
        clock(each, day=FRIDAY + day)
    duress_alone(panel, plain, DATED, DATED_DURESS, Wish.TOGGLE)
    assert panel.mode() is DISARMED


@pytest.mark.parametrize("granted", [False, True])
def test_duress_without_a_grant(granted: bool) -> None:
    panel, plain = armed(bank(), "vault"), armed(bank(), "vault")
    if granted:
        for each in (panel, plain):
            ask(each, Wish.GRANT)
    duress_alone(panel, plain, INSTALLER, INSTALLER_DURESS, Wish.DISARM)
    assert panel.mode("vault") is ARMED


def test_a_one_time_duress_code_during_a_lock_out_calls_for_help_and_shows_the_lock() -> None:
    panel = bank()
    lock_out(panel)
    effects = panel.code(ONCE_DURESS)
    assert kinds(effects)[0] == "alarm.duress"
    assert told(effects) == ["locked-out"]
    assert panel.mode() is DISARMED


def test_duress_that_may_not_do_what_is_asked_for_is_heard_all_the_same() -> None:
    panel = bank()
    panel.play(UserSet("t", User("aide", "Aide", 2, ("hall",), "98" * 16, "99" * 16, rights=(Right.ARM,))))
    effects = disarm(panel, "hall", key="99" * 16)
    assert kinds(effects) == ["alarm.duress"]
    assert [(t.source, t.notice) for t in tells(effects)] == [("kp", "not-allowed")]


# Who may be a user


@pytest.mark.clause("EN 50131-1 duress not consecutive", "EN 50131-1 disallowed codes", "CP-01 13")
@pytest.mark.parametrize(
    ("key", "duress", "near"),
    [
        ("99" * 16, "", (MANAGER,)),
        ("99" * 16, "", (MANAGER_DURESS,)),
        ("99" * 16, "98" * 16, ("98" * 16,)),
        ("99" * 16, "98" * 16, ("97" * 16, CLERK)),
    ],
)
def test_a_code_that_follows_another_one_is_refused(key: str, duress: str, near: tuple[str, ...]) -> None:
    panel = bank()
    effects = panel.play(UserSet("t", User("new", "New", 2, ("hall",), key, duress), near))
    assert [t.notice for t in tells(effects)] == ["user-refused"]
    assert told(panel.code(key)) == ["wrong-code"]


def test_ones_own_old_code_is_no_other_ones() -> None:
    panel = bank()
    user = replace(panel.state.users["manager"], key="99" * 16, duress_key="")
    assert kinds(panel.play(UserSet("t", user, (MANAGER, MANAGER_DURESS)))) == ["user.set"]


@pytest.mark.parametrize(("first", "last"), [(FRIDAY, FRIDAY - 1), (-1, None), (None, 4_000_000)])
def test_days_that_can_not_be_are_refused(first: int | None, last: int | None) -> None:
    panel = bank()
    user = User("new", "New", 2, ("hall",), "99" * 16, first_day=first, last_day=last)
    assert [t.args["reason"] for t in tells(panel.play(UserSet("t", user)))] == ["bad-days"]
    assert "new" not in panel.state.users


@pytest.mark.clause("EN 50131-1 log users")
def test_the_record_of_a_user_tells_all_but_his_keys() -> None:
    panel = bank()
    user = User("new", "New", 2, ("hall",), "99" * 16, "98" * 16, (Right.ARM, Right.TEST), FRIDAY, FRIDAY + 1, True)
    assert payload(panel.play(UserSet("zhang", user)), "user.set") == {
        "user": "new",
        "name": "New",
        "level": 2,
        "areas": ["hall"],
        "actor": "zhang",
        "rights": ["arm", "test"],
        "first_day": FRIDAY,
        "last_day": FRIDAY + 1,
        "once": True,
    }
