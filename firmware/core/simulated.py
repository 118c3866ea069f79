"""The simulated site as a panel file describes it: what its battery shows, and what its probes and its INA219 read."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.chemistry import CHEMISTRIES
from drivers.simulated_supply import SimulatedBattery
from firmware.core.gauge import scale_of
from firmware.core.wires import THERMISTOR, VOLTS, loaded_lines, loops_by_chip, probes_on, zone_inputs

if TYPE_CHECKING:
    from drivers.simulated import SimulatedWorld
    from firmware.config import Loaded, PanelFile

_KELVIN, _REFERENCE_K = 273.15, 298.15


def simulated_world(loaded: "Loaded") -> "SimulatedWorld":
    """The site behind the simulated pins; raises `BadWorld`, `OSError`."""
    from drivers.simulated import FILE, SimulatedWorld

    file, power = loaded.file, loaded.file.power
    loops = [loop for found in loops_by_chip(file).values() for loop in found]
    return SimulatedWorld(
        loaded.run / FILE,
        zone_inputs(file),
        power.mains_line,
        power.battery_line,
        loops,
        loaded_lines(file),
        simulated_battery(file),
    )


def simulated_battery(file: "PanelFile") -> SimulatedBattery | None:
    """A well battery of this panel; None where none is measured."""
    table = file.power.battery
    if table is None:
        return None
    kind, cells = CHEMISTRIES[table.chemistry], table.cells
    loaded = (kind.test + kind.resting) // 2
    return SimulatedBattery((kind.floating + 50) * cells, kind.resting * cells, loaded * cells, table.load_ma or 400)


def simulated_parts(file: "PanelFile", adc: str, world: "SimulatedWorld") -> Callable[[int], float | None]:
    """What each channel of this converter measures, as a part of full scale; None where it has a loop."""
    table = file.power.battery
    if table is None:
        return lambda _channel: None
    scale, names = scale_of(file, table), {probe.channel: probe.name for probe in probes_on(file, adc)}

    def part(channel: int) -> float | None:
        name = names.get(channel)
        if name == VOLTS:
            return min(1.0, world.millivolts() / scale.mv)
        if name == THERMISTOR:
            kelvin = world.supply.celsius() + _KELVIN
            ohm = scale.ohm_25c * math.exp(scale.beta_k * (1 / kelvin - 1 / _REFERENCE_K))
            return ohm / (ohm + scale.pull_ohm)
        return None

    return part
