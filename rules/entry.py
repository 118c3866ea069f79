"""The entry delay: who started it, and who walked the entry route meanwhile (its end: `rules.delays`).

Sources: EN 50131-1 (entry ≤ 45 s, digest §1.4). A follower stays silent while the delay runs, and is remembered: when
the delay runs out, it alarms with the door.
"""

from rules.alarms import zone_alarm
from rules.draft import Draft, about, about_areas
from rules.index import site_index
from rules.site import Condition, Zone
from rules.state import AreaState, changed
from rules.table import FOLLOWING, SET_MODES, AreaEvent, AreaMode
from rules.zones import ALARM_KINDS


def started(d: Draft, zone: Zone) -> None:
    """A zone of the way in opened: start the delay of its areas that are armed, or note it where one runs already."""
    starting = [
        area
        for id_ in zone.areas
        if (area := d.areas[id_]).mode is not AreaMode.ENTRY_DELAY
        and FOLLOWING[area.mode, AreaEvent.ENTRY] is AreaMode.ENTRY_DELAY
    ]
    delays = [delay_of(d, zone, area) for area in starting]
    if starting and min(delays) <= 0:
        stand(d, zone)
        zone_alarm(d, zone, ALARM_KINDS[zone.type], confirms=False)
        return
    touched(d, zone)
    for delay in dict.fromkeys(delays):
        ids = [area.id for area, own in zip(starting, delays, strict=True) if own == delay]
        for id_ in ids:
            area = d.areas[id_]
            d.set_area(area, mode=AreaMode.ENTRY_DELAY, deadline=d.now + delay, entry_zones=(zone.id,))
        d.record("area.entry-started", {**about(zone), **about_areas(d.site, ids), "entry_delay_ms": delay})
        d.tell("", "entry-started", {"areas": list(ids), "zone": zone.id, "entry_delay_ms": delay})


def delay_of(d: Draft, zone: Zone, area: AreaState) -> int:
    """The entry delay of this way into the area, ms: the zone's own, or the area's first or second time; 0 when
    instant."""
    if area.instant:
        return 0
    if zone.entry_delay_ms is not None:
        return zone.entry_delay_ms
    site_area = d.site.areas[area.id]
    return site_area.entry_delay_2_ms if zone.second_entry else site_area.entry_delay_ms


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


def shut_off(d: Draft, zone: Zone) -> bool:
    """Whether nobody can come in by an entry-exit zone of the zone's areas, so that a follower is the way in itself."""
    doors = [(door, id_) for id_ in zone.areas for door in site_index(d.site).entries_of[id_]]
    return bool(doors) and all(d.zone(door.id).out or d.mode_in(door, id_) is AreaMode.DISARMED for door, id_ in doors)


def is_set(d: Draft, zone: Zone) -> bool:
    """Whether all areas of the zone are set, and it does not rest in any."""
    return all(d.mode_in(zone, id_) in SET_MODES for id_ in zone.areas)


def stand(d: Draft, zone: Zone) -> None:
    """The alarm stands on the zone, if the zone still does: else its restore would never come."""
    if d.condition(zone.id) is not Condition.NORMAL:
        d.set_zone(changed(d.zone(zone.id), alarm=ALARM_KINDS[zone.type]))
