"""A step in the making: the parts of the state that may still be exchanged, and the effects so far.

Lives for one step only and never leaves `rules`. The durable and the live part are copied when first written to, and
their mappings likewise, so the state before stays as it was.
"""

from collections.abc import Mapping
from typing import Any

from rules.effects import Answer, Capture, Effect, JsonValue, Record, Request, Tell
from rules.index import site_index
from rules.site import Condition, Site, Zone
from rules.state import AreaState, Durable, Live, PanelState, ZoneState, changed
from rules.switching import switches
from rules.table import PRECEDENCE, AreaMode

MAX_TEXT = 64
"""Characters of a name from outside (source, subject, operator) that are kept."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """The text, cut to `limit` and without lone surrogates, so that it can always be written."""
    return text[:limit] if text.isascii() else text[:limit].encode("utf-8", "replace").decode()


_NORMAL, _DISARMED = Condition.NORMAL, AreaMode.DISARMED


class Draft:
    """What a step has decided so far. `durable` and `live` are read freely and written by `keep` and `note` only."""

    __slots__ = ("answers", "before", "captures", "durable", "live", "now", "records", "requests", "site", "tells")

    def __init__(self, site: Site, state: PanelState, now: int) -> None:
        self.site, self.before, self.now = site, state, now
        self.durable: Durable = state.durable
        self.live: Live = state.live
        self.records: list[Record] = []
        self.captures: list[Capture] = []
        self.tells: list[Tell] = []
        self.answers: list[Answer] = []
        self.requests: list[Request] = []

    # --- reading

    @property
    def areas(self) -> Mapping[str, AreaState]:
        """As decided so far."""
        return self.durable.areas

    @property
    def zones(self) -> Mapping[str, ZoneState]:
        """As decided so far; zones at rest are absent."""
        return self.durable.zones

    def zone(self, id_: str) -> ZoneState:
        """What stands on a zone."""
        return self.durable.zones.get(id_) or ZoneState(id_)

    def condition(self, id_: str) -> Condition:
        """What the zone reads; `normal` before its first report."""
        return self.live.conditions.get(id_, _NORMAL)

    def mode_in(self, zone: Zone, area_id: str) -> AreaMode:
        """The mode of one of the zone's areas as it holds for the zone: one that rests by the part set is disarmed."""
        area = self.durable.areas[area_id]
        if area.part and zone.id in site_index(self.site).omits.get(area.part, ()):
            return _DISARMED
        return area.mode

    def mode_of(self, zone: Zone) -> AreaMode:
        """The mode in which the zone's reaction is looked up."""
        if len(zone.areas) == 1:
            return self.mode_in(zone, zone.areas[0])
        modes = {self.mode_in(zone, id_) for id_ in zone.areas}
        return next(mode for mode in PRECEDENCE if mode in modes)

    # --- writing

    def keep(self, **changes: Any) -> None:
        """Replace members of the durable part."""
        if self.durable is self.before.durable:
            self.durable = changed(self.durable, **changes)
        else:
            self.durable.__dict__.update(changes)

    def note(self, **changes: Any) -> None:
        """Replace members of the live part."""
        if self.live is self.before.live:
            self.live = changed(self.live, **changes)
        else:
            self.live.__dict__.update(changes)

    def set_area(self, area: AreaState, **changes: Any) -> None:
        """Replace an area's state."""
        areas = dict(self.durable.areas)
        areas[area.id] = changed(area, **changes)
        self.keep(areas=areas)

    def set_zone(self, zone: ZoneState) -> None:
        """Replace what stands on a zone."""
        zones = dict(self.durable.zones)
        if zone.quiet:
            zones.pop(zone.id, None)
        else:
            zones[zone.id] = zone
        self.keep(zones=zones)

    def set_condition(self, id_: str, condition: Condition) -> None:
        """What the zone reads now."""
        conditions = dict(self.live.conditions)
        if condition is _NORMAL:
            conditions.pop(id_, None)
        else:
            conditions[id_] = condition
        self.note(conditions=conditions)

    def next_incident(self) -> int:
        """A number for a new incident."""
        incident = self.durable.incident + 1
        self.keep(incident=incident)
        return incident

    # --- effects

    def record(self, kind: str, payload: Mapping[str, JsonValue]) -> None:
        """Write this event."""
        self.records.append(Record(kind, payload))

    def tell(self, source: str, notice: str, args: Mapping[str, JsonValue]) -> None:
        """Tell a keypad, or all (empty source)."""
        self.tells.append(Tell(source, notice, args))

    def finish(self) -> tuple[PanelState, tuple[Effect, ...]]:
        """The state after, and the effects: what switches first, then what is written, then what waits for that."""
        before = self.before
        if self.durable is before.durable and self.live is before.live:
            state = before
        else:
            state = PanelState(self.durable, self.live)
        return state, (
            *switches(self.site, before, state),
            *self.records,
            *self.captures,
            *self.requests,
            *self.tells,
            *self.answers,
        )


def about(zone: Zone) -> dict[str, JsonValue]:
    """What every record about a zone tells of it."""
    return {"zone": zone.id, "zone_number": zone.number, "areas": list(zone.areas)}


def about_areas(site: Site, ids: list[str]) -> dict[str, JsonValue]:
    """What every record about areas tells of them."""
    return {"areas": list(ids), "area_numbers": [site.areas[id_].number for id_ in ids]}


def tripped_as(d: Draft, zone: Zone) -> str:
    """What set its alarm off: what it reads, or `active` when it is at rest again meanwhile."""
    condition = d.condition(zone.id)
    return (Condition.ACTIVE if condition is _NORMAL else condition).value
