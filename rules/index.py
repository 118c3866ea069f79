"""What follows from a site alone, worked out once: so no step looks at every zone or output."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.site import Output, OutputKind, Site, Zone, ZoneType


@dataclass(frozen=True)
class SiteIndex:
    """`outputs_of`: area → the outputs that serve it. `area_ids`: all areas in the panel file's order. `sirens`,
    `lamps`: all sirens, all alarm lamps. `relays_of`: zone → relays that follow it. `event_relays`: event kind →
    relays. `omits`: part → the zones that rest. `entries_of`: area → its entry-exit zones. `stops`: zone → tours it
    is on.
    """

    outputs_of: Mapping[str, tuple[Output, ...]]
    area_ids: tuple[str, ...]
    sirens: tuple[Output, ...]
    lamps: tuple[Output, ...]
    relays_of: Mapping[str, tuple[Output, ...]]
    event_relays: Mapping[str, tuple[Output, ...]]
    omits: Mapping[str, frozenset[str]]
    entries_of: Mapping[str, tuple[Zone, ...]]
    stops: Mapping[str, tuple[str, ...]]
    scheduled: Mapping[str, tuple[str, ...]]


def site_index(site: Site) -> SiteIndex:
    """The index of a site, kept in the site object itself."""
    found = site.__dict__.get("_index")
    if isinstance(found, SiteIndex):
        return found
    made = _made(site)
    site.__dict__["_index"] = made
    return made


def _made(site: Site) -> SiteIndex:
    outputs = site.outputs.values()
    relays = [(o, *o.follows.partition(":")[::2]) for o in outputs if o.kind is OutputKind.RELAY]

    def following(what: str) -> dict[str, tuple[Output, ...]]:
        return _grouped((name, o) for o, kind, name in relays if kind == what)

    served = {o.id: set(o.areas) for o in outputs}
    for o, kind, name in relays:
        if kind in ("area", "alarm"):
            served[o.id].add(name)
    return SiteIndex(
        outputs_of={id_: tuple(o for o in outputs if id_ in served[o.id]) for id_ in site.areas},
        area_ids=tuple(site.areas),
        sirens=tuple(o for o in outputs if o.kind is OutputKind.SIREN),
        lamps=tuple(o for o in outputs if o.kind is OutputKind.ALARM),
        relays_of=following("zone"),
        event_relays=following("event"),
        omits={part.id: frozenset(part.omits) for part in site.parts.values()},
        entries_of={
            id_: tuple(z for z in site.zones.values() if z.type is ZoneType.ENTRY_EXIT and id_ in z.areas)
            for id_ in site.areas
        },
        stops={
            id_: tuple(t.id for t in site.tours.values() if any(s.zone == id_ for s in t.stops)) for id_ in site.zones
        },
        scheduled={
            id_: areas
            for id_ in site.schedules
            if (areas := tuple(a.id for a in site.areas.values() if a.schedule == id_))
        },
    )


def _grouped(items: Iterable[tuple[str, Output]]) -> dict[str, tuple[Output, ...]]:
    found: dict[str, tuple[Output, ...]] = {}
    for name, output in items:
        found[name] = (*found.get(name, ()), output)
    return found
