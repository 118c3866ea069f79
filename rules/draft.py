"""A step in the making: the parts of the state that may still be exchanged, and the effects so far.

Lives for one step only and never leaves `rules`. Mappings are copied when first written to, so the state before stays
as it was.
"""

from collections.abc import Mapping
from typing import Any

from rules.effects import Answer, Capture, Effect, JsonValue, Record, Tell
from rules.outputs import switches
from rules.site import Condition, Site, Zone
from rules.state import AreaState, PanelState, ZoneState, changed
from rules.table import PRECEDENCE, AreaMode

MAX_TEXT = 64
"""Characters of a name from outside (source, subject, operator) that are kept."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """The text, cut to `limit` and without lone surrogates, so that it can always be written."""
    return text[:limit] if text.isascii() else text[:limit].encode("utf-8", "replace").decode()


_NORMAL = Condition.NORMAL


class Draft:
    """What a step has decided so far."""

    __slots__ = (
        "_areas",
        "_troubles",
        "_zones",
        "answers",
        "before",
        "captures",
        "config_hash",
        "counter",
        "incident",
        "live",
        "lockouts",
        "now",
        "people",
        "powered_ms",
        "records",
        "site",
        "tells",
    )

    def __init__(self, site: Site, state: PanelState, now: int) -> None:
        self.site, self.before, self.now = site, state, now
        durable = state.durable
        self._areas, self._zones, self._troubles = durable.areas, durable.zones, durable.troubles
        self.people, self.lockouts = durable.people, durable.lockouts
        self.incident, self.counter = durable.incident, durable.counter
        self.powered_ms, self.config_hash = durable.powered_ms, durable.config_hash
        self.live = state.live
        self.records: list[Record] = []
        self.captures: list[Capture] = []
        self.tells: list[Tell] = []
        self.answers: list[Answer] = []

    # --- reading

    @property
    def areas(self) -> Mapping[str, AreaState]:
        """As decided so far."""
        return self._areas

    @property
    def zones(self) -> Mapping[str, ZoneState]:
        """As decided so far; zones at rest are absent."""
        return self._zones

    @property
    def troubles(self) -> Mapping[str, str]:
        """As decided so far."""
        return self._troubles

    def zone(self, id_: str) -> ZoneState:
        """What stands on a zone."""
        return self._zones.get(id_) or ZoneState(id_)

    def condition(self, id_: str) -> Condition:
        """What the zone reads; `normal` before its first report."""
        return self.live.conditions.get(id_, _NORMAL)

    def mode_of(self, zone: Zone) -> AreaMode:
        """The mode in which the zone's reaction is looked up."""
        if len(zone.areas) == 1:
            return self._areas[zone.areas[0]].mode
        modes = {self._areas[id_].mode for id_ in zone.areas}
        return next(mode for mode in PRECEDENCE if mode in modes)

    # --- writing

    def set_area(self, area: AreaState, **changes: Any) -> None:
        """Replace an area's state."""
        areas = dict(self._areas)
        areas[area.id] = changed(area, **changes)
        self._areas = areas

    def set_zone(self, zone: ZoneState) -> None:
        """Replace what stands on a zone."""
        zones = dict(self._zones)
        if zone.quiet:
            zones.pop(zone.id, None)
        else:
            zones[zone.id] = zone
        self._zones = zones

    def set_trouble(self, name: str, detail: str | None) -> None:
        """A trouble stands, or no longer (None)."""
        troubles = dict(self._troubles)
        if detail is None:
            troubles.pop(name, None)
        else:
            troubles[name] = detail
        self._troubles = troubles

    def set_condition(self, id_: str, condition: Condition) -> None:
        """What the zone reads now."""
        conditions = dict(self.live.conditions)
        if condition is _NORMAL:
            conditions.pop(id_, None)
        else:
            conditions[id_] = condition
        self.live = changed(self.live, conditions=conditions)

    def set_live(self, **changes: Any) -> None:
        """Replace other members of the live part."""
        self.live = changed(self.live, **changes)

    # --- effects

    def record(self, kind: str, payload: Mapping[str, JsonValue]) -> None:
        """Write this event."""
        self.records.append(Record(kind, payload))

    def tell(self, source: str, notice: str, args: Mapping[str, JsonValue]) -> None:
        """Tell a keypad, or all (empty source)."""
        self.tells.append(Tell(source, notice, args))

    def finish(self) -> tuple[PanelState, tuple[Effect, ...]]:
        """The state after, and the effects: what switches first, then what is written, then what waits for that."""
        before, durable = self.before, self.before.durable
        same = (
            self._areas is durable.areas
            and self._zones is durable.zones
            and self.incident == durable.incident
            and self._troubles is durable.troubles
            and self.people is durable.people
            and self.lockouts is durable.lockouts
            and self.counter == durable.counter
            and self.powered_ms == durable.powered_ms
            and self.config_hash == durable.config_hash
        )
        if not same:
            durable = changed(
                durable,
                areas=self._areas,
                zones=self._zones,
                troubles=self._troubles,
                people=self.people,
                lockouts=self.lockouts,
                incident=self.incident,
                counter=self.counter,
                powered_ms=self.powered_ms,
                config_hash=self.config_hash,
            )
        state = before if same and self.live is before.live else PanelState(durable, self.live)
        switched = switches(self.site, before.durable.areas, self._areas)
        return state, (*switched, *self.records, *self.captures, *self.tells, *self.answers)


def about(zone: Zone) -> dict[str, JsonValue]:
    """What every record about a zone tells of it."""
    return {"zone": zone.id, "zone_number": zone.number, "areas": list(zone.areas)}


def about_areas(site: Site, ids: list[str]) -> dict[str, JsonValue]:
    """What every record about areas tells of them."""
    return {"areas": list(ids), "area_numbers": [site.areas[id_].number for id_ in ids]}
