"""Outputs that are on for a moment: chimes, and relays that follow an event."""

from rules.draft import Draft
from rules.index import site_index
from rules.site import OutputKind, Zone

FOUND_MS = 10_000
"""So long after a start a zone that is read as open is taken for one that stood open before it."""


def opened(d: Draft, zone: Zone) -> None:
    """A chime zone opened. One that a start finds open does not ring again."""
    if d.live.started is None or d.now - d.live.started >= FOUND_MS:
        ring(d, zone)


def ring(d: Draft, zone: Zone) -> None:
    """Tell it, and sound the chimes of the zone's areas."""
    d.tell("", "chime", {"zone": zone.id, "areas": list(zone.areas)})
    index = site_index(d.site)
    served = [o.id for id_ in zone.areas for o in index.outputs_of[id_] if o.kind is OutputKind.CHIME]
    turn_on(d, dict.fromkeys(served, d.site.timings.chime_ms))


def turn_on(d: Draft, outputs: dict[str, int]) -> None:
    """These outputs are on for so many ms from now."""
    if outputs:
        d.note(chimes={**d.live.chimes, **{id_: d.now + ms for id_, ms in outputs.items()}})


def over(d: Draft) -> None:
    """The moments that are over."""
    if any(until <= d.now for until in d.live.chimes.values()):
        d.note(chimes={id_: until for id_, until in d.live.chimes.items() if until > d.now})


def followed(d: Draft) -> None:
    """Relays that follow one of the events of this step; at its end."""
    relays = site_index(d.site).event_relays
    if relays:
        for record in d.records:
            turn_on(d, {o.id: o.pulse_ms for o in relays.get(record.kind, ())})
