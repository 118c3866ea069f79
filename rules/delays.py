"""What happens when an exit or an entry delay ends, or goes on no longer.

Sources: EN 50131-1 (digest §1.3, §1.4); an entry-exit zone still open at the end of the exit delay starts the entry
delay at once (the local part of CP-01 row 19, exit error).
"""

from rules import detect
from rules.alarms import area_alarm, zone_alarm
from rules.draft import Draft, about_areas
from rules.entry import is_set, stand
from rules.state import AreaState
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.who import ARMED_KINDS, Who
from rules.zones import ALARM_KINDS


def _due(d: Draft, mode: AreaMode) -> list[AreaState]:
    """The areas whose delay is over."""
    return [a for a in d.areas.values() if a.mode is mode and a.deadline is not None and a.deadline <= d.now]


def armed(d: Draft, ids: list[str], who: Who) -> None:
    """Record that the areas are armed, and tell it."""
    d.record(ARMED_KINDS[who.how], {**about_areas(d.site, ids), **who.told()})
    d.tell("", "armed", {"areas": list(ids)})


def exit_ended(d: Draft) -> None:
    """Exit delays that ran out: the areas are armed, and what is still active on them counts.

    An alarm that sounds locally since the exit delay goes on, with all sirens now.
    """
    due = _due(d, AreaMode.EXIT_DELAY)
    for area in due:
        mode = FOLLOWING[area.mode, AreaEvent.EXIT_ENDED]
        if area.alarm is not None:
            mode = FOLLOWING[mode, AreaEvent.ALARM]
        d.set_area(area, mode=mode, deadline=None)
    for who in dict.fromkeys(Who(a.by, a.user, a.how) for a in due):
        armed(d, [a.id for a in due if (a.by, a.user, a.how) == (who.by, who.user, who.how)], who)
    if due:
        detect.look_again(d, [a.id for a in due], again=True)


def entry_ended(d: Draft) -> None:
    """Entry delays that ran out: every zone that was touched alarms."""
    due = _due(d, AreaMode.ENTRY_DELAY)
    touched_zones = dict.fromkeys(id_ for a in due for id_ in a.entry_zones)
    for area in due:
        d.set_area(area, mode=FOLLOWING[area.mode, AreaEvent.ENTRY_ENDED], deadline=None, entry_zones=())
    for id_ in touched_zones:
        zone = d.site.zones.get(id_)
        if zone is not None and is_set(d, zone):
            stand(d, zone)
            zone_alarm(d, zone, ALARM_KINDS[zone.type])
    for area in due:
        # No zone of the panel file is left to alarm: the area alarms by itself.
        if d.areas[area.id].alarm is None:
            area_alarm(d, d.areas[area.id])
    if due:
        detect.look_again(d, [a.id for a in due], again=False)


def entry_cancelled(d: Draft) -> None:
    """Some area was disarmed: entry delays that only common zones of it had started do not go on.

    A common zone is armed only while all its areas are; so the areas that stay armed do so without alarm, and react
    to what their own zones read now.
    """
    ids = []
    for area in list(d.areas.values()):
        if area.mode is AreaMode.ENTRY_DELAY and area.entry_zones and not _entered(d, area):
            ids.append(area.id)
            mode = FOLLOWING[area.mode, AreaEvent.ENTRY_CANCELLED]
            d.set_area(area, mode=mode, deadline=None, entry_zones=())
    if ids:
        d.record("area.entry-cancelled", about_areas(d.site, ids))
        detect.look_again(d, ids, again=False)


def _entered(d: Draft, area: AreaState) -> bool:
    zones = [d.site.zones.get(id_) for id_ in area.entry_zones]
    return any(zone is None or is_set(d, zone) for zone in zones)
