"""Who may change whom among the users: nobody makes more of anyone than he is himself, nor touches one who is more.

Whether a code counts at all now (its days, an installer's session, a lock-out) is for the rules; they are asked first.
"""

from datetime import date

from firmware.protocol.messages import SetUser
from firmware.protocol.updates import Part
from rules.effects import JsonValue
from rules.site import Level
from rules.stimuli import Right, User


def wanted(wish: SetUser, key: str, duress_key: str) -> User:
    """The user that the message asks for; days become ordinals."""
    return User(
        wish.id,
        wish.name,
        wish.level,
        tuple(wish.areas),
        key,
        duress_key,
        None if wish.rights is None else tuple(Right(name) for name in dict.fromkeys(wish.rights)),
        _ordinal(wish.first_day),
        _ordinal(wish.last_day),
        wish.once,
    )


def _ordinal(day: str) -> int | None:
    return date.fromisoformat(day).toordinal() if day else None


def may_set(actor: User, before: User | None, after: User) -> bool:
    """Whether the actor may make `after` of `before` (None: a new user). His own code anyone may change, unless it is
    a one-time code: that would be one for ever.
    """
    if before is not None and before.id == actor.id and not actor.once and _same_but_codes(before, after):
        return True
    return _manages(actor) and _covers(actor, after) and (before is None or _covers(actor, before))


def may_remove(actor: User, changed: User | None) -> bool:
    """Whether the actor may remove this user; whether there is one, a manager may know."""
    return _manages(actor) and (changed is None or _covers(actor, changed))


def part(actor: User) -> Part | None:
    """For whom he may speak besides operating: an installer, or a user who may let one in. A code that counts once is
    a visitor's.
    """
    if actor.once:
        return None
    if actor.level >= Level.INSTALLER:
        return "installer"
    return "user" if actor.rights is None or Right.GRANT in actor.rights else None


def _manages(actor: User) -> bool:
    return not actor.once and (actor.rights is None or Right.USERS in actor.rights)


def _covers(actor: User, other: User) -> bool:
    """Level, areas, rights and days of the other are no more than the actor's own."""
    rights = actor.rights is None or (other.rights is not None and set(other.rights) <= set(actor.rights))
    days = actor.last_day is None or (other.last_day is not None and other.last_day <= actor.last_day)
    return other.level <= actor.level and set(other.areas) <= set(actor.areas) and rights and days


def _same_but_codes(before: User, after: User) -> bool:
    return _shape(before) == _shape(after)


def _shape(user: User) -> tuple[object, ...]:
    rights = None if user.rights is None else frozenset(user.rights)
    return user.name, user.level, frozenset(user.areas), rights, user.first_day, user.last_day, user.once


def shown(user: User) -> dict[str, JsonValue]:
    """A user as others may see him: no keys; days as dates, empty for no bound; `spent`: a one-time code was used."""
    return {
        "name": user.name,
        "level": user.level,
        "areas": list(user.areas),
        "rights": None if user.rights is None else [right.value for right in user.rights],
        "first_day": _iso(user.first_day),
        "last_day": _iso(user.last_day),
        "once": user.once,
        "spent": not user.key,
    }


def _iso(day: int | None) -> str:
    return "" if day is None else date.fromordinal(day).isoformat()
