"""Codes: finding the user, duress, wrong codes and lock-out; and who the users are.

Sources: EN 50131-1 authorisation and lock-out (digest §1.2), duress that looks like a normal operation (digest §1.2,
GB 55029 3.5.1(5)). A key is looked up in one dict, whoever's it is, so a try costs the same. Keys are never told or
recorded.
"""

from collections.abc import Mapping

from rules import operations
from rules.draft import Draft, about_areas, clean
from rules.state import People
from rules.stimuli import CodeEntered, User, UserRemoved, UserSet
from rules.who import Who

MAX_SOURCES = 64
"""So many sources have a count and a lock of their own; further ones share one."""
MAX_USERS = 512
_SHARED = "*"


def code_entered(d: Draft, entered: CodeEntered) -> None:
    """A code at a keypad."""
    source = clean(entered.source)
    user, duress = d.people.by_key.get(entered.key, (None, False))
    if user is not None and duress:
        # Also during a lock-out: the keypad tells the same, and help is called.
        _duress(d, user, source)
    slot = _slot(d, source)
    if d.lockouts.get(slot, d.now) > d.now:
        d.tell(entered.source, "locked-out", {"remaining_ms": d.lockouts[slot] - d.now})
    elif user is None:
        _wrong(d, entered.source, source, slot)
    else:
        _right(d, entered, user, source, slot)


def _right(d: Draft, entered: CodeEntered, user: User, source: str, slot: str) -> None:
    if slot in d.live.attempts:
        d.set_live(attempts={k: v for k, v in d.live.attempts.items() if k != slot})
    who = Who(f"keypad:{source}", user.id, "code")
    outcome = operations.carry_out(d, entered.wish, entered.areas, entered.zone, who, user.areas)
    d.tell(entered.source, outcome.notice, outcome.detail)


def _duress(d: Draft, user: User, source: str) -> None:
    d.incident += 1
    areas = [id_ for id_ in user.areas if id_ in d.areas]
    payload = {**about_areas(d.site, areas), "user": user.id, "by": f"keypad:{source}", "incident": d.incident}
    d.record("alarm.duress", payload)


def _slot(d: Draft, source: str) -> str:
    known = source in d.lockouts or source in d.live.attempts
    room = len(d.lockouts.keys() | d.live.attempts.keys()) < MAX_SOURCES
    return source if known or room else _SHARED


def _wrong(d: Draft, asker: str, source: str, slot: str) -> None:
    """Count it. The count stays at the limit until a right code, so each further wrong one locks again (G3)."""
    timings = d.site.timings
    count = min(d.live.attempts.get(slot, 0) + 1, timings.code_attempts)
    d.set_live(attempts={**d.live.attempts, slot: count})
    if count < timings.code_attempts:
        d.tell(asker, "wrong-code", {})
        return
    d.lockouts = {**d.lockouts, slot: d.now + timings.lockout_ms}
    d.record("code.locked-out", {"by": f"keypad:{source}", "attempts": count, "lockout_ms": timings.lockout_ms})
    d.tell(asker, "locked-out", {"remaining_ms": timings.lockout_ms})


def lockouts_ended(d: Draft) -> None:
    """Sources whose lock-out is over may try again."""
    over = sorted(source for source, until in d.lockouts.items() if until <= d.now)
    if over:
        d.lockouts = {source: until for source, until in d.lockouts.items() if until > d.now}
        for source in over:
            d.record("code.lock-out-ended", {"by": f"keypad:{source}"})


def user_set(d: Draft, change: UserSet) -> None:
    """Add or change a user; refused when the keys are not his alone, or what is said of him can't be."""
    user = change.user
    reason = _unfit(d, user, d.people.users)
    if reason:
        d.tell(change.actor, "user-refused", {"user": clean(user.id), "reason": reason})
        return
    d.people = People({**d.people.users, user.id: user})
    d.record("user.set", {"user": user.id, "name": user.name, "level": user.level, **_by(user, change.actor)})


def _by(user: User, actor: str) -> Mapping[str, list[str] | str]:
    return {"areas": list(user.areas), "actor": clean(actor)}


def _unfit(d: Draft, user: User, users: Mapping[str, User]) -> str:
    others = {key for u in users.values() if u.id != user.id for key in (u.key, u.duress_key) if key}
    if not user.id or not user.id.isascii() or clean(user.id) != user.id or clean(user.name) != user.name:
        return "bad-name"
    if user.level not in (2, 3):
        return "bad-level"
    if not user.areas or len(set(user.areas)) != len(user.areas) or not set(user.areas) <= set(d.areas):
        return "unknown-area"
    if not _fit_key(user.key) or (user.duress_key and not _fit_key(user.duress_key)) or user.key == user.duress_key:
        return "bad-code"
    if user.key in others or user.duress_key in others:
        return "code-in-use"
    return "too-many-users" if user.id not in users and len(users) >= MAX_USERS else ""


def _fit_key(key: str) -> bool:
    return 0 < len(key) <= 256 and key.isascii()


def user_removed(d: Draft, change: UserRemoved) -> None:
    """Remove a user; an unknown one is refused."""
    if change.user not in d.people.users:
        d.tell(change.actor, "user-refused", {"user": clean(change.user), "reason": "unknown-user"})
        return
    d.people = People({id_: u for id_, u in d.people.users.items() if id_ != change.user})
    d.record("user.removed", {"user": change.user, "actor": clean(change.actor)})
