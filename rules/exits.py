"""The exit delay while it runs: who left, its one restart, the final door, and its last seconds.

Sources: CP-01 rows 2 to 4 (digest §5); completion by the final door, EN 50131-1 (digest §1.3).
"""

from rules.draft import Draft, about, about_areas
from rules.site import Condition, Zone
from rules.table import AreaMode


def moved(d: Draft, zone: Zone, condition: Condition) -> None:
    """An entry-exit zone opened or closed: what it means for areas that are being left."""
    leaving = [area for id_ in zone.areas if (area := d.areas[id_]).mode is AreaMode.EXIT_DELAY]
    if condition is Condition.ACTIVE:
        _opened(d, zone, [area.id for area in leaving])
    elif condition is Condition.NORMAL and zone.final_door:
        for area in leaving:
            soon = d.now + d.site.timings.final_set_ms
            if area.deadline is not None and soon < area.deadline:
                d.set_area(area, deadline=soon, warn_at=None, left=True)


def _opened(d: Draft, zone: Zone, ids: list[str]) -> None:
    again = []
    for id_ in ids:
        area = d.areas[id_]
        if not area.left:
            d.set_area(area, left=True)
        elif d.site.timings.exit_restart and not area.restarted:
            again.append(id_)
            deadline = d.now + d.site.areas[id_].exit_delay_ms
            d.set_area(area, deadline=deadline, warn_at=warn_at(d, deadline), restarted=True)
    if again:
        d.record("area.exit-restarted", {**about(zone), **about_areas(d.site, again)})
        for id_ in again:
            d.tell("", "exit-started", {"areas": [id_], "exit_delay_ms": d.site.areas[id_].exit_delay_ms})


def warn_at(d: Draft, deadline: int) -> int | None:
    """When the last seconds of this exit delay are told; None when it is shorter than they are."""
    moment = deadline - d.site.timings.exit_warning_ms
    return moment if d.site.timings.exit_warning_ms and moment > d.now else None


def ending(d: Draft) -> None:
    """Exit delays that come to their last seconds: told once each."""
    for area in list(d.areas.values()):
        if area.warn_at is not None and area.warn_at <= d.now:
            d.set_area(area, warn_at=None)
            if area.deadline is not None and area.deadline > d.now:
                d.tell("", "exit-ending", {"areas": [area.id], "remaining_ms": area.deadline - d.now})
