"""What a walk test has to see, and what it has seen: the rows of `fenghuo walk-test`. Pure.

The panel decides and keeps the list; this says what stands in the panel file for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware.config import PanelFile
from rules.site import ZoneType
from rules.zones import HOLD_UPS, WALKED


@dataclass(frozen=True)
class Stop:
    """A zone to be tripped. `seen`: how many seconds after the begin, None while it was not. `out`: it is bypassed or
    isolated, so nobody waits for it."""

    id: str
    number: int
    name: str
    areas: tuple[str, ...]
    seen: float | None = None
    out: bool = False


def stops(file: PanelFile, areas: Collection[str], hold_up: bool) -> list[Stop]:
    """All zones of a walk test in these areas, in the order of their numbers."""
    wanted = WALKED | HOLD_UPS if hold_up else WALKED
    zones = [z for z in file.zone if ZoneType(z.type) in wanted and set(z.areas) <= set(areas)]
    return [Stop(z.id, z.number, z.name, tuple(z.areas)) for z in sorted(zones, key=lambda zone: zone.number)]


def with_status(rows: Sequence[Stop], status: Mapping[str, Any], now_s: float) -> list[Stop]:
    """The rows after another answer of the panel; a row keeps the moment at which it was seen first."""
    found, zones = status.get("walk_seen"), status.get("zones")
    seen = set(found) if isinstance(found, list) else set()
    return [_row(row, seen, zones if isinstance(zones, Mapping) else {}, now_s) for row in rows]


def _row(row: Stop, seen: Collection[str], zones: Mapping[str, Any], now_s: float) -> Stop:
    zone = zones.get(row.id)
    out = isinstance(zone, Mapping) and bool(zone.get("bypassed") or zone.get("isolated") or zone.get("shut_down"))
    when = now_s if row.seen is None and row.id in seen else row.seen
    return Stop(row.id, row.number, row.name, row.areas, when, out)


def missing(rows: Sequence[Stop]) -> list[Stop]:
    """What nobody has tripped yet, and should."""
    return [row for row in rows if row.seen is None and not row.out]
