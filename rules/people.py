"""Codes: finding the user, duress, wrong codes and lock-out; and who the users are.

Sources: EN 50131-1 authorisation and lock-out (digest §1.2), duress that looks like a normal operation (digest §1.2,
GB 55029 3.5.1(5)). A key is looked up in one dict, whoever's it is, so a try costs the same. Keys are never told or
recorded.
"""

from collections.abc import Mapping
from dataclasses import replace

from rules import confirm, operations, sessions
from rules.alarms import look, of_areas
from rules.draft import Draft, about_areas, clean
from rules.effects import JsonValue
from rules.operations import Order
from rules.site import Level
from rules.state import People
from rules.stimuli import CodeEntered, User, UserRemoved, UserSet, Wish
from rules.who import Who

MAX_SOURCES = 64
"""So many sources have a count and a lock of their own; further ones share one."""
MAX_USERS = 512
MAX_DAY = 3_652_059
"""9999-12-31 as an ordinal."""
_SHARED = "*"


def code_entered(d: Draft, entered: CodeEntered) -> None:
    """A code at a keypad."""
    source = clean(entered.source)
    user, duress = d.durable.people.by_key.get(entered.key, (None, False))
    if user is not None and duress:
        # Also during a lock-out: the keypad tells the same, and help is called.
        _duress(d, user, source)
    slot = _slot(d, source)
    if d.durable.lockouts.get(slot, d.now) > d.now:
        d.tell(entered.source, "locked-out", {"remaining_ms": d.durable.lockouts[slot] - d.now})
    elif user is None:
        _wrong(d, entered.source, source, slot)
    else:
        _right(d, entered, user, source, slot)


def _right(d: Draft, entered: CodeEntered, user: User, source: str, slot: str) -> None:
    if slot in d.live.attempts:
        d.note(attempts={k: v for k, v in d.live.attempts.items() if k != slot})
    by = f"keypad:{source}"
    refused = sessions.refusal(d, user)
    if refused:
        d.record("code.refused", {"user": user.id, "by": by, "reason": refused})
        d.tell(entered.source, refused, {})
        return
    if sessions.begins(d, user, by) and entered.wish is Wish.TOGGLE:
        d.tell(entered.source, "installer-entered", {"for_ms": d.site.timings.installer_ms})
        return
    who = Who(by, user.id, "code", user.level, user.rights)
    outcome = operations.carry_out(d, _order(entered), who, user.areas)
    d.tell(entered.source, outcome.notice, outcome.detail)
    if user.once and outcome.done:
        _spent(d, user)


def _order(entered: CodeEntered) -> Order:
    return Order(
        entered.wish,
        entered.areas,
        entered.zone,
        entered.part,
        entered.instant,
        entered.override,
        entered.quiet,
        entered.hold_up,
    )


def _spent(d: Draft, user: User) -> None:
    """A one-time code was used, in duress or not: its keys are gone."""
    known = d.durable.people.users.get(user.id)
    if known is not None and known.key:
        users = {**d.durable.people.users, user.id: replace(known, key="", duress_key="")}
        d.keep(people=People(users))
        d.record("user.spent", {"user": user.id})


def _duress(d: Draft, user: User, source: str) -> None:
    areas = [id_ for id_ in user.areas if id_ in d.areas]
    incident = d.next_incident()
    d.record(
        "alarm.duress",
        {**about_areas(d.site, areas), "user": user.id, "by": f"keypad:{source}", "incident": incident},
    )
    look(d, incident, "alarm.duress", "", of_areas(d, areas))
    confirm.hold_up(d, "")


def _slot(d: Draft, source: str) -> str:
    known = source in d.durable.lockouts or source in d.live.attempts
    room = len(d.durable.lockouts.keys() | d.live.attempts.keys()) < MAX_SOURCES
    return source if known or room else _SHARED


def _wrong(d: Draft, asker: str, source: str, slot: str) -> None:
    """Count it. The count stays at the limit until a right code, so each further wrong one locks again (G3)."""
    timings = d.site.timings
    count = min(d.live.attempts.get(slot, 0) + 1, timings.code_attempts)
    d.note(attempts={**d.live.attempts, slot: count})
    if count < timings.code_attempts:
        d.tell(asker, "wrong-code", {})
        return
    d.keep(lockouts={**d.durable.lockouts, slot: d.now + timings.lockout_ms})
    d.record("code.locked-out", {"by": f"keypad:{source}", "attempts": count, "lockout_ms": timings.lockout_ms})
    d.tell(asker, "locked-out", {"remaining_ms": timings.lockout_ms})


def lockouts_ended(d: Draft) -> None:
    """Sources whose lock-out is over may try again."""
    over = sorted(source for source, until in d.durable.lockouts.items() if until <= d.now)
    if over:
        d.keep(lockouts={source: until for source, until in d.durable.lockouts.items() if until > d.now})
        for source in over:
            d.record("code.lock-out-ended", {"by": f"keypad:{source}"})


def user_set(d: Draft, change: UserSet) -> None:
    """Add or change a user; refused when the keys are not his alone, or what is said of him can't be."""
    user = change.user
    reason = _unfit(d, change, d.durable.people.users)
    if reason:
        d.tell(change.actor, "user-refused", {"user": clean(user.id), "reason": reason})
        return
    d.keep(people=People({**d.durable.people.users, user.id: user}))
    d.record("user.set", {"user": user.id, "name": user.name, "level": user.level, **_more(user, change.actor)})


def _more(user: User, actor: str) -> Mapping[str, JsonValue]:
    told: dict[str, JsonValue] = {"areas": list(user.areas), "actor": clean(actor)}
    if user.rights is not None:
        told["rights"] = [right.value for right in user.rights]
    for name, day in (("first_day", user.first_day), ("last_day", user.last_day)):
        if day is not None:
            told[name] = day
    if user.once:
        told["once"] = True
    return told


def _unfit(d: Draft, change: UserSet, users: Mapping[str, User]) -> str:
    user = change.user
    others = {key for u in users.values() if u.id != user.id for key in (u.key, u.duress_key) if key}
    if not user.id or not user.id.isascii() or clean(user.id) != user.id or clean(user.name) != user.name:
        return "bad-name"
    if user.level not in (Level.USER, Level.INSTALLER, Level.MAKER):
        return "bad-level"
    if user.once and user.level != Level.USER:
        # An installer's first act would spend it and leave him shut out amid his session.
        return "once-is-for-users"
    if not user.areas or len(set(user.areas)) != len(user.areas) or not set(user.areas) <= set(d.areas):
        return "unknown-area"
    if not _fit_days(user):
        return "bad-days"
    if not _fit_key(user.key) or (user.duress_key and not _fit_key(user.duress_key)) or user.key == user.duress_key:
        return "bad-code"
    if user.key in others or user.duress_key in others:
        return "code-in-use"
    if (others | {user.key, user.duress_key}).intersection(change.near):
        # Digest §1.2: no code derived from another one by counting.
        return "code-too-close"
    return "too-many-users" if user.id not in users and len(users) >= MAX_USERS else ""


def _fit_days(user: User) -> bool:
    first, last = user.first_day or 1, user.last_day or MAX_DAY
    return 1 <= first <= last <= MAX_DAY


def _fit_key(key: str) -> bool:
    return 0 < len(key) <= 256 and key.isascii()


def user_removed(d: Draft, change: UserRemoved) -> None:
    """Remove a user; an unknown one is refused."""
    users = d.durable.people.users
    if change.user not in users:
        d.tell(change.actor, "user-refused", {"user": clean(change.user), "reason": "unknown-user"})
        return
    d.keep(people=People({id_: u for id_, u in users.items() if id_ != change.user}))
    d.record("user.removed", {"user": change.user, "actor": clean(change.actor)})
    if d.durable.installer_id == change.user:
        sessions.left(d, "removed")
