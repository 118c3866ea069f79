"""From the panel file to the site that the rules see: seconds become milliseconds, defaults become values."""

from typing import TYPE_CHECKING

from rules.site import Area, Output, OutputKind, Place, Site, Timings, Zone, ZoneType

if TYPE_CHECKING:
    from firmware.config import models

_SETTLING = ("pir", "glass-break", "vibration")
_NEVER_SETTLES = ("hold-up", "tamper")
_NOT_BYPASSABLE = ("24-hour", "hold-up", "tamper")


def to_site(file: "models.PanelFile") -> Site:
    """The rules' site; order is the file's. The file must have passed `load`."""
    return Site(
        areas={a.id: _area(a) for a in file.area},
        zones={z.id: _zone(z, file.timings.settle_s) for z in file.zone},
        outputs={o.id: Output(o.id, OutputKind(o.kind), tuple(o.areas), Place(o.place)) for o in file.output},
        timings=Timings(
            siren_ms=file.timings.siren_s * 1000,
            siren_max_ms=file.timings.siren_max_s * 1000,
            code_attempts=file.timings.code_attempts,
            lockout_ms=file.timings.lockout_s * 1000,
        ),
    )


def bypassable(zone: "models.Zone") -> bool:
    """What the file says, else all but 24-hour, hold-up and tamper zones (digest §1.3)."""
    return zone.type not in _NOT_BYPASSABLE if zone.bypassable is None else zone.bypassable


def settle_ms(zone: "models.Zone", settle_s: int) -> int:
    """How long after power-up its readings do not count: sensors that warm up only, never hold-up or tamper."""
    settles = zone.sensor in _SETTLING and zone.type not in _NEVER_SETTLES
    return settle_s * 1000 if settles else 0


def _area(area: "models.Area") -> Area:
    return Area(area.id, area.number, area.name, area.entry_delay_s * 1000, area.exit_delay_s * 1000)


def _zone(zone: "models.Zone", settle_s: int) -> Zone:
    return Zone(
        id=zone.id,
        number=zone.number,
        name=zone.name,
        type=ZoneType(zone.type),
        areas=tuple(zone.areas),
        bypassable=bypassable(zone),
        settle_ms=settle_ms(zone, settle_s),
        cameras=tuple(zone.cameras),
    )
