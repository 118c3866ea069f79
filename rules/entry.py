"""The entry delay: who started it, and who walked the entry route meanwhile (its end: `rules.delays`).

Sources: EN 50131-1 (entry ≤ 45 s, digest §1.4). A follower stays silent while the delay runs, and is remembered: when
the delay runs out, it alarms with the door.
"""

from rules.alarms import zone_alarm
from rules.draft import Draft, about, about_areas
from rules.site import Condition, Zone
from rules.state import changed
from rules.table import FOLLOWING, SET_MODES, AreaEvent, AreaMode
from rules.zones import ALARM_KINDS


def started(d: Draft, zone: Zone) -> None:
    """An entry-exit zone opened: start the delay of its areas that are armed, or note it where one runs already."""
    starting = [
        area
        for id_ in zone.areas
        if (area := d.areas[id_]).mode is not AreaMode.ENTRY_DELAY
        and FOLLOWING[area.mode, AreaEvent.ENTRY] is AreaMode.ENTRY_DELAY
    ]
    delays = [d.site.areas[area.id].entry_delay_ms for area in starting]
    if starting and min(delays) <= 0:
        stand(d, zone)
        zone_alarm(d, zone, ALARM_KINDS[zone.type])
        return
    touched(d, zone)
    for delay in dict.fromkeys(delays):
        ids = [area.id for area, own in zip(starting, delays, strict=True) if own == delay]
        for id_ in ids:
            area = d.areas[id_]
            d.set_area(area, mode=AreaMode.ENTRY_DELAY, deadline=d.now + delay, entry_zones=(zone.id,))
        d.record("area.entry-started", {**about(zone), **about_areas(d.site, ids), "entry_delay_ms": delay})
        d.tell("", "entry-started", {"areas": list(ids), "zone": zone.id, "entry_delay_ms": delay})


def touched(d: Draft, zone: Zone) -> None:
    """A zone of the entry route was touched while the delay runs: remembered, once each."""
    ids = []
    for id_ in zone.areas:
        area = d.areas[id_]
        if area.mode is AreaMode.ENTRY_DELAY and zone.id not in area.entry_zones:
            ids.append(id_)
            d.set_area(area, entry_zones=(*area.entry_zones, zone.id))
    if ids:
        d.record("area.entry-route", {**about(zone), **about_areas(d.site, ids)})


def is_set(d: Draft, zone: Zone) -> bool:
    """Whether all areas of the zone are set."""
    return all(d.areas[id_].mode in SET_MODES for id_ in zone.areas)


def stand(d: Draft, zone: Zone) -> None:
    """The alarm stands on the zone, if the zone still does: else its restore would never come."""
    if d.condition(zone.id) is not Condition.NORMAL:
        d.set_zone(changed(d.zone(zone.id), alarm=ALARM_KINDS[zone.type]))
