"""What happens when an exit or an entry delay ends, or goes on no longer.

Sources: EN 50131-1 (digest §1.3, §1.4); exit error and auto-stay: CP-01 rows 19 and 4 (digest §5).
"""

from rules import detect
from rules.alarms import areas_alarm, look, of_areas, zone_alarm
from rules.draft import Draft, about_areas
from rules.effects import JsonValue
from rules.entry import is_set, stand
from rules.state import AreaState
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.who import Who, armed_kind
from rules.zones import ALARM_KINDS


def _due(d: Draft, mode: AreaMode) -> list[AreaState]:
    """The areas whose delay is over."""
    return [a for a in d.areas.values() if a.mode is mode and a.deadline is not None and a.deadline <= d.now]


def armed(d: Draft, ids: list[str], who: Who) -> None:
    """Record that the areas are armed, and tell it; areas that are armed alike in one record."""
    for id_ in ids:
        d.set_area(d.areas[id_], armed_at=d.now)
    ways = dict.fromkeys((d.areas[id_].part, d.areas[id_].instant) for id_ in ids)
    for part, instant in ways:
        mine = [id_ for id_ in ids if (d.areas[id_].part, d.areas[id_].instant) == (part, instant)]
        more: dict[str, JsonValue] = {}
        if part:
            more["part"] = part
        if instant:
            more["instant"] = True
        d.record(armed_kind(who.how, part), {**about_areas(d.site, mine), **who.told(), **more})
        d.tell("", "armed", {"areas": list(mine), **more})


def exit_ended(d: Draft) -> None:
    """Exit delays that ran out: the areas are armed, and what is still active on them counts.

    An alarm that sounds locally since the exit delay goes on, with all sirens now.
    """
    due = _due(d, AreaMode.EXIT_DELAY)
    if not due:
        return
    for area in due:
        mode = FOLLOWING[area.mode, AreaEvent.EXIT_ENDED]
        if area.alarm is not None:
            mode = FOLLOWING[mode, AreaEvent.OTHER_ALARM if area.alarm.external else AreaEvent.LIFE_ALARM]
        d.set_area(area, mode=mode, deadline=None, warn_at=None, part=_part(d, area))
    for who in dict.fromkeys(Who(a.by, a.user, a.how) for a in due):
        armed(d, [a.id for a in due if (a.by, a.user, a.how) == (who.by, who.user, who.how)], who)
    detect.look_again(d, [a.id for a in due], again=True)
    _exit_errors(d, [a.id for a in due])


def _part(d: Draft, area: AreaState) -> str:
    """The part that the area is armed with: auto-stay, when nobody left (CP-01 row 4)."""
    auto = d.site.parts.get(d.site.timings.auto_part)
    stays = auto is not None and area.how == "code" and not (area.part or area.left)
    return auto.id if auto and stays and (not auto.areas or area.id in auto.areas) else area.part


def _exit_errors(d: Draft, ids: list[str]) -> None:
    """Doors that are open at the end of the exit delay: whoever left is warned while the entry delay runs."""
    wrong = [area for id_ in ids if (area := d.areas[id_]).mode is AreaMode.ENTRY_DELAY]
    if not wrong:
        return
    for area in wrong:
        d.set_area(area, exit_error=True)
    zones: list[JsonValue] = list(dict.fromkeys(z for area in wrong for z in area.entry_zones))
    told = Who(wrong[0].by, wrong[0].user, wrong[0].how).told()
    areas = [area.id for area in wrong]
    d.record("area.exit-error", {**about_areas(d.site, areas), **told, "zones": zones})
    d.tell("", "exit-error", {"areas": list(areas), "zones": zones})


def entry_ended(d: Draft) -> None:
    """Entry delays that ran out: every zone that was touched alarms."""
    due = _due(d, AreaMode.ENTRY_DELAY)
    if not due:
        return
    touched_zones = dict.fromkeys(id_ for a in due for id_ in a.entry_zones)
    errors = [a.id for a in due if a.exit_error]
    for area in due:
        mode = FOLLOWING[area.mode, AreaEvent.ENTRY_ENDED]
        d.set_area(area, mode=mode, deadline=None, entry_zones=(), exit_error=False)
    if errors:
        incident = d.next_incident()
        d.record("alarm.exit-error", {**about_areas(d.site, errors), "incident": incident})
        look(d, incident, "alarm.exit-error", "", of_areas(d, errors))
    alarmed: set[str] = set()
    for id_ in touched_zones:
        zone = d.site.zones.get(id_)
        if zone is not None and is_set(d, zone):
            stand(d, zone)
            zone_alarm(d, zone, ALARM_KINDS[zone.type], confirms=False)
            alarmed.update(zone.areas)
    for area in due:
        # No zone of the panel file is left to alarm: the area alarms by itself.
        if area.id not in alarmed:
            areas_alarm(d, [area.id], "alarm.entry")
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
            d.set_area(area, mode=mode, deadline=None, entry_zones=(), exit_error=False)
    if ids:
        d.record("area.entry-cancelled", about_areas(d.site, ids))
        detect.look_again(d, ids, again=False)


def _entered(d: Draft, area: AreaState) -> bool:
    zones = [d.site.zones.get(id_) for id_ in area.entry_zones]
    return any(zone is None or is_set(d, zone) for zone in zones)
