"""Bypassing a zone for one arming: which zones may be, and the act itself, whoever asks for it.

Sources: EN *inhibit* (digest §1.3); hold-up devices can't be disarmed in any way (GB 50394, digest §3.2).
"""

from rules.draft import Draft, about
from rules.effects import JsonValue
from rules.site import Zone
from rules.state import changed
from rules.table import AreaMode
from rules.zones import NEVER_BYPASSED


def bypassable(zone: Zone) -> bool:
    """Whether the zone may ever be bypassed: by its type, and as the panel file says."""
    return zone.bypassable and zone.type not in NEVER_BYPASSED


def at_rest(d: Draft, zone: Zone) -> bool:
    """Whether all its areas are disarmed: only then it may be bypassed or isolated by hand."""
    return all(d.areas[id_].mode is AreaMode.DISARMED for id_ in zone.areas)


def begin(d: Draft, zone: Zone, told: dict[str, JsonValue]) -> None:
    """Bypass it. `told`: who or what did, as the record says it."""
    d.set_zone(changed(d.zone(zone.id), bypassed=True))
    d.record("zone.bypassed", {**about(zone), **told})
