"""Codes, lock-out, users."""

import pytest

from rules import AreaMode, User, UserRemoved, UserSet, Wish, next_deadline
from rules.people import MAX_SOURCES, MAX_USERS
from tests.rules.branch import CLERK, LOCKOUT_MS, MANAGER, WRONG, Panel, kinds, payload, tells, told


def test_wrong_codes_lock_their_source_out() -> None:
    panel = Panel().armed()
    for _ in range(4):
        assert told(panel.code(WRONG)) == ["wrong-code"]
    effects = panel.code(WRONG)
    assert payload(effects, "code.locked-out") == {"by": "keypad:kp", "attempts": 5, "lockout_ms": LOCKOUT_MS}
    panel.wait(1_000)
    effects = panel.code(MANAGER)
    assert [(t.notice, t.args) for t in tells(effects)] == [("locked-out", {"remaining_ms": LOCKOUT_MS - 1_000})]
    assert panel.mode() is AreaMode.ARMED


def test_a_lock_out_ends_by_itself() -> None:
    panel = Panel().armed()
    for _ in range(5):
        panel.code(WRONG)
    assert payload(panel.wait(LOCKOUT_MS), "code.lock-out-ended") == {"by": "keypad:kp"}
    panel.code(MANAGER)
    assert panel.mode() is AreaMode.DISARMED


@pytest.mark.clause("EN 50131-1 lock-out again", "EN 50131-1 lock-out cleared")
def test_after_a_lock_out_each_wrong_code_locks_again_until_a_right_one() -> None:
    panel = Panel()
    for _ in range(5):
        panel.code(WRONG)
    panel.wait(LOCKOUT_MS)
    assert kinds(panel.code(WRONG)) == ["code.locked-out"]
    panel.wait(LOCKOUT_MS)
    panel.code(MANAGER, Wish.SILENCE)
    assert told(panel.code(WRONG)) == ["wrong-code"]


def test_each_source_counts_for_itself() -> None:
    panel = Panel().armed()
    for _ in range(5):
        panel.code(WRONG, at="kp-1")
    assert told(panel.code(WRONG, at="kp-2"), "kp-2") == ["wrong-code"]
    panel.code(MANAGER, at="kp-2")
    assert panel.mode() is AreaMode.DISARMED


def test_a_flood_of_sources_is_bounded_and_still_locks() -> None:
    panel = Panel()
    for i in range(10 * MAX_SOURCES):
        panel.code(WRONG, at=f"source-{i}")
    assert len(panel.state.live.attempts) <= MAX_SOURCES + 1
    assert told(panel.code(MANAGER, at="source-new"), "source-new") == ["locked-out"]


def test_the_empty_key_is_nobodys() -> None:
    panel = Panel()
    assert told(panel.code("")) == ["wrong-code"]


def test_user_records_hold_no_key() -> None:
    panel = Panel(users=False)
    effects = panel.play(UserSet("zhang", User("u", "李四", 2, ("hall",), CLERK, WRONG)))
    assert payload(effects, "user.set") == {
        "user": "u",
        "name": "李四",
        "level": 2,
        "areas": ["hall"],
        "actor": "zhang",
    }
    assert payload(panel.play(UserRemoved("zhang", "u")), "user.removed") == {"user": "u", "actor": "zhang"}
    assert told(panel.code(CLERK)) == ["wrong-code"]


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (User("new", "New", 2, ("hall",), MANAGER), "code-in-use"),
        (User("new", "New", 2, ("hall",), WRONG, CLERK), "code-in-use"),
        (User("new", "New", 2, ("hall",), WRONG, WRONG), "bad-code"),
        (User("new", "New", 2, ("hall",), ""), "bad-code"),
        (User("new", "New", 1, ("hall",), WRONG), "bad-level"),
        (User("new", "New", 3, ("hall",), WRONG, once=True), "once-is-for-users"),
        (User("new", "New", 4, ("hall",), WRONG, once=True), "once-is-for-users"),
        (User("new", "New", 2, ("cellar",), WRONG), "unknown-area"),
        (User("new", "New", 2, (), WRONG), "unknown-area"),
        (User("新", "New", 2, ("hall",), WRONG), "bad-name"),
        (User("new", "x" * 65, 2, ("hall",), WRONG), "bad-name"),
    ],
)
def test_unfit_users_are_refused_to_the_actor(user: User, reason: str) -> None:
    panel = Panel()
    before = panel.state
    effects = panel.play(UserSet("technician", user))
    assert [(t.source, t.notice, t.args["reason"]) for t in tells(effects)] == [("technician", "user-refused", reason)]
    assert kinds(effects) == []
    assert panel.state == before


def test_the_number_of_users_is_limited() -> None:
    panel = Panel(users=False)
    for i in range(MAX_USERS):
        panel.play(UserSet("t", User(f"u{i}", "", 2, ("hall",), f"{i:064x}")))
    effects = panel.play(UserSet("t", User("more", "", 2, ("hall",), "ee")))
    assert told(effects, "t") == ["user-refused"]
    assert len(panel.state.users) == MAX_USERS


def test_removing_an_unknown_user_is_refused() -> None:
    assert told(Panel().play(UserRemoved("t", "nobody")), "t") == ["user-refused"]


def test_a_lock_out_is_a_deadline() -> None:
    panel = Panel()
    for _ in range(5):
        panel.code(WRONG)
    assert next_deadline(panel.state) == panel.now + LOCKOUT_MS
