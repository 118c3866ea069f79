"""The analogue loops of a panel: a driver for each converter, what their loops have learned, and whom they tell."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.analogue import AnalogueDriver
from drivers.loop_baseline import FILE, Baseline
from drivers.pins import Factory
from firmware.core.wires import loops_by_chip, probes_on
from rules.effects import JsonValue
from rules.site import Condition

if TYPE_CHECKING:
    from drivers.simulated import SimulatedWorld
    from firmware.config import PanelFile


@dataclass(frozen=True)
class Told:
    """Where the drivers' words go. `trouble(name, present, subject, detail)` and `note` as those of `Inside`."""

    condition: Callable[[str, Condition], None]
    trouble: Callable[[str, bool, str, str], None]
    note: Callable[[str, dict[str, JsonValue]], None]
    clock_ms: Callable[[], int]
    level: Callable[[str, float | None], None] = lambda _name, _part: None


def open_loops(file: "PanelFile", factory: Factory, data: Path, told: Told) -> tuple[list[AnalogueDriver], Baseline]:
    """The drivers, not started. What they have learned lies beside the journal, in `data`."""
    baseline = Baseline(data / FILE, lambda text: told.trouble("maintenance", bool(text), FILE, text))

    def drifted(zone: str, present: bool, detail: str) -> None:
        told.trouble("maintenance", present, zone, detail)
        told.note("telemetry.zone", {"zone": zone, "maintenance": present, "detail": detail})

    def driver_of(chip: str) -> Callable[[bool, str], None]:
        return lambda present, detail: told.trouble("driver", present, chip, detail)

    drivers = [
        AnalogueDriver(
            factory,
            chip,
            loops,
            told.clock_ms,
            told.condition,
            driver_of(chip.id),
            drifted,
            baseline,
            file.panel.clock_rate,
            probes_on(file, chip.id),
            told.level,
        )
        for chip, loops in loops_by_chip(file).items()
    ]
    return drivers, baseline


def open_probes(file: "PanelFile", factory: Factory, told: Told) -> list[AnalogueDriver]:
    """Drivers of what is measured at the battery alone, not started; the loops rest."""
    probes = {chip: probes_on(file, chip.id) for chip in loops_by_chip(file)}
    rate, quiet = file.panel.clock_rate, Baseline(None)
    return [
        AnalogueDriver(
            factory,
            chip,
            (),
            told.clock_ms,
            told.condition,
            lambda _present, _detail: None,
            lambda _zone, _present, _detail: None,
            quiet,
            rate,
            found,
            told.level,
        )
        for chip, found in probes.items()
        if found
    ]


def simulate(file: "PanelFile", factory: Factory, world: "SimulatedWorld") -> None:
    """Let the simulated site answer for the converters; `factory` is one of simulated pins."""
    from drivers.simulated_adc import SimulatedSpi
    from firmware.core.simulated import simulated_parts

    chips = getattr(factory, "chips", {})
    for chip, loops in loops_by_chip(file).items():
        zones = {loop.channel: loop.zone for loop in loops}

        def ohm(channel: int, zones: dict[int, str] = zones) -> float:
            return world.ohm(zones[channel]) if channel in zones else float("inf")

        chips[chip.select] = SimulatedSpi(chip, ohm, simulated_parts(file, chip.id, world))
