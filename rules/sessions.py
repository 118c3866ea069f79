"""When a code counts: on its days, and an installer's only in a session that a user let him begin.

Source: EN 50131-1 access levels (digest §1.1): level 3 needs the consent of level 2 and enters while unset, level 4
needs both.
"""

from rules.draft import Draft
from rules.site import Level
from rules.stimuli import User
from rules.table import AreaMode
from rules.who import Who


def refusal(d: Draft, user: User) -> str:
    """Why this user's code does not count now, a name of `rules.notices`; empty when it does. Changes nothing."""
    if not _valid_today(d, user):
        return "not-valid-now"
    if user.level < Level.INSTALLER or commissioning(d) or _inside(d, user):
        return ""
    if d.durable.granted is None or user.level > Level.INSTALLER:
        return "no-grant"
    return "" if _all_disarmed(d, user) else "area-armed"


def _valid_today(d: Draft, user: User) -> bool:
    if user.first_day is None and user.last_day is None:
        return True
    day = d.live.day
    early = user.first_day is not None and day < user.first_day
    late = user.last_day is not None and day > user.last_day
    return d.live.sure and not early and not late


def commissioning(d: Draft) -> bool:
    """No user exists who could let an installer in: then he acts without."""
    return all(user.level != Level.USER for user in d.durable.people.users.values())


def _inside(d: Draft, user: User) -> bool:
    return d.durable.installer is not None and (user.level > Level.INSTALLER or d.durable.installer_id == user.id)


def _all_disarmed(d: Draft, user: User) -> bool:
    return all(d.areas[id_].mode is AreaMode.DISARMED for id_ in user.areas if id_ in d.areas)


def begins(d: Draft, user: User, by: str) -> bool:
    """Begin the session of an installer whose code counts, where it has to; whether it began."""
    if user.level != Level.INSTALLER or commissioning(d) or _inside(d, user):
        return False
    left(d, "replaced")
    d.keep(granted=None, installer=d.now + d.site.timings.installer_ms, installer_id=user.id)
    d.record("installer.entered", {"user": user.id, "by": by})
    return True


def grant(d: Draft, who: Who) -> None:
    """A user lets the installer in for a while."""
    d.keep(granted=d.now + d.site.timings.grant_ms)
    d.record("installer.granted", {**who.told(), "for_ms": d.site.timings.grant_ms})


def left(d: Draft, why: str) -> bool:
    """End the installer's session; whether there was one."""
    if d.durable.installer is None:
        return False
    d.record("installer.left", {"user": d.durable.installer_id, "reason": why})
    d.keep(installer=None, installer_id="")
    return True


def areas_armed(d: Draft) -> None:
    """Somebody armed: whoever works on the panel is done, and nobody is let in (EN: only while unset)."""
    left(d, "armed")
    if d.durable.granted is not None:
        d.keep(granted=None)


def expired(d: Draft) -> None:
    """Grants and sessions whose time is over."""
    if d.durable.granted is not None and d.durable.granted <= d.now:
        d.keep(granted=None)
    if d.durable.installer is not None and d.durable.installer <= d.now:
        left(d, "timer")
