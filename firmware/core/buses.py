"""The serial buses of a panel: a driver for each, what it is told of its wiring, and whom it tells.

A bus that is out of order is the trouble `bus` with its id; a module or reader on it `bus` with BUS/PART.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.core.readers import line_wirings, osdp_wirings
from rules.site import Condition

if TYPE_CHECKING:
    from drivers.bus.driver import BusDriver, BusWiring
    from firmware.config import PanelFile


@dataclass(frozen=True)
class Told:
    """Where the buses' words go. `trouble(name, present, subject, detail)`; `entered(device, what, text)`.

    `folder`: of the panel file, where key files lie.
    """

    condition: Callable[[str, Condition], None]
    trouble: Callable[[str, bool, str, str], None]
    entered: Callable[[str, str, str], None]
    clock_ms: Callable[[], int]
    folder: Path = Path()


def wirings(file: "PanelFile", folder: Path) -> "list[BusWiring]":
    """What is on each bus of the file; nothing of theirs is imported where there are none."""
    return [*_modbus(file), *osdp_wirings(file, folder), *line_wirings(file)]


def _modbus(file: "PanelFile") -> "list[BusWiring]":
    if not file.modbus:
        return []
    from firmware.core.modbus_wiring import modbus_wirings

    return modbus_wirings(file)


def open_buses(file: "PanelFile", told: Told) -> "list[BusDriver]":
    """The drivers, not started."""
    found = wirings(file, told.folder)
    if not found:
        return []
    from drivers.bus.driver import BusDriver, Ears

    return [
        BusDriver(bus, told.clock_ms, Ears(*_ears(bus.id, told, sounders(file, bus))), file.panel.clock_rate)
        for bus in found
    ]


def sounders(file: "PanelFile", bus: "BusWiring") -> dict[str, str]:
    """The sirens and strobes on a bus, and on which of its modules each is."""
    warning = [o for o in file.output if o.id in bus.outputs and o.kind in ("siren", "strobe")]
    return {output.id: output.point.module for output in warning if output.point}


def _ears(
    bus: str, told: Told, sirens: Mapping[str, str]
) -> tuple[
    Callable[[str, Condition], None],
    Callable[[str, bool, str], None],
    Callable[[str, bool, str], None],
    Callable[[str, str, str], None],
]:
    away: dict[str, str] = {}
    silent: set[str] = set()

    def failed(part: str, present: bool, detail: str) -> None:
        if present:
            away[part] = detail
        else:
            away.pop(part, None)
        if part not in sirens:
            told.trouble("bus", present, f"{bus}/{part}" if part else bus, detail)
        # A siren that can't be switched is a trouble of its own: whatever of the way to it fails, it may stay silent.
        for siren, module in sirens.items():
            why = [away[step] for step in ("", module, siren) if step in away]
            if bool(why) is not (siren in silent):
                (silent.add if why else silent.discard)(siren)
                told.trouble("siren", bool(why), siren, why[0] if why else "")

    def tampered(part: str, present: bool, detail: str) -> None:
        told.trouble("box", present, part or bus, detail)

    return told.condition, failed, tampered, told.entered
