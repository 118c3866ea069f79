"""A site as people walk it: which doors lead in, which detectors lie behind them, what a burglar would go for.

Worked out from the rules' site alone, so any panel file can be lived through.
"""

from dataclasses import dataclass
from functools import cached_property

from rules.site import Site, ZoneType

DETECTORS = (ZoneType.FOLLOWER, ZoneType.INSTANT, ZoneType.MONITOR)
"""What people set off all day while they work."""
HOLD_UPS = (ZoneType.HOLD_UP, ZoneType.DURESS, ZoneType.AUDIBLE_HOLD_UP)


@dataclass(frozen=True)
class Ground:
    """A site with its name and the hash of its panel file (of its name, where it has none).

    `cameras` and `paths`: ids of the panel file. `supplies`: which of `mains` and `battery` are supervised.
    """

    name: str
    site: Site
    config_hash: str
    cameras: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    supplies: frozenset[str] = frozenset({"mains", "battery"})

    @cached_property
    def other_paths(self) -> tuple[str, ...]:
        """Ways to the center besides the one whose delivery is lived through: they only work, or do not."""
        return tuple(sorted(self.paths)[1:])

    @cached_property
    def drivers(self) -> tuple[str, ...]:
        """The drivers and buses that read zones."""
        return tuple(dict.fromkeys(zone.driver for zone in self.site.zones.values()))

    @cached_property
    def of_driver(self) -> dict[str, tuple[str, ...]]:
        """Driver → its zones."""
        zones = self.site.zones.values()
        return {driver: tuple(z.id for z in zones if z.driver == driver) for driver in self.drivers}

    def zones(self, area: str, *types: ZoneType) -> tuple[str, ...]:
        """Zones of these types in the area (in any, when it is empty)."""
        return self._by_type.get((area, types)) or self._find(area, types)

    @cached_property
    def _by_type(self) -> dict[tuple[str, tuple[ZoneType, ...]], tuple[str, ...]]:
        return {}

    def _find(self, area: str, types: tuple[ZoneType, ...]) -> tuple[str, ...]:
        found = tuple(z.id for z in self.site.zones.values() if z.type in types and (not area or area in z.areas))
        self._by_type[area, types] = found
        return found

    def doors(self, area: str) -> tuple[str, ...]:
        """The ways in: entry-exit zones of the area, its own before those that it shares."""
        found = self.zones(area, ZoneType.ENTRY_EXIT)
        return tuple(sorted(found, key=lambda id_: len(self.site.zones[id_].areas)))

    def worked(self, area: str) -> tuple[str, ...]:
        """What is set off while people work in the area."""
        return self.zones(area, ZoneType.ENTRY_EXIT, *DETECTORS)

    def opening(self, area: str, day: int, weekday: int) -> tuple[int, int] | None:
        """Minutes of the day between which the area is meant to be open; None when it stays closed.

        Where nobody can come in (a fence, a roof) nobody works.
        """
        if not self.doors(area):
            return None
        schedule = self.site.schedules.get(self.site.areas[area].schedule)
        if schedule is None:
            # Without one: office hours, on work days; the site's own days count too.
            return None if weekday >= 5 or self.site.days.get(day, True) is None else (8 * 60, 18 * 60)
        hours = self.site.days[day] if day in self.site.days else schedule.week[weekday]
        return None if hours is None else (hours.opens, hours.closes)
