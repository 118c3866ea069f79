"""What is measured at the battery, from whatever the panel file names: a divider, an INA219, a thermistor, a file.

Each source leaves its latest value, and an old value counts as none; nobody waits for a source.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.battery import Reading
from drivers.board_health import celsius_of
from firmware.clock import Clock
from firmware.core.wires import THERMISTOR, VOLTS

if TYPE_CHECKING:
    from drivers.ina219 import Ina219Driver
    from firmware.config import Battery, PanelFile

OLD_MS = 5_000
_KELVIN, _REFERENCE_K = 273.15, 298.15
_PLAUSIBLE_C = (-40.0, 90.0)
_STEP = 1 / 4096
"""A step of a 12-bit converter: what is nearer to an end is a short or a cut."""


@dataclass(frozen=True)
class Scale:
    """From a part of full scale to what it means. `mv`: of the battery at full scale. `pull_ohm`: of the thermistor's
    channel."""

    mv: float = 0.0
    pull_ohm: int = 2_200
    ohm_25c: int = 10_000
    beta_k: int = 3_950

    def celsius(self, part: float) -> float | None:
        """The temperature of an NTC to ground; None where it is cut, shorted or out of this world."""
        if not _STEP < part < 1 - _STEP:
            return None
        ohm = self.pull_ohm * part / (1 - part)
        inverse = 1 / _REFERENCE_K + math.log(ohm / self.ohm_25c) / self.beta_k
        if inverse <= 0:
            return None
        found = 1 / inverse - _KELVIN
        return found if _PLAUSIBLE_C[0] <= found <= _PLAUSIBLE_C[1] else None


def scale_of(file: "PanelFile", battery: "Battery") -> Scale:
    """The scale of this panel's battery."""
    chips = {adc.id: adc for adc in file.adc}
    scale = Scale()
    if battery.volts is not None:
        part = battery.volts.bottom_ohm / (battery.volts.bottom_ohm + battery.volts.top_ohm)
        scale = Scale(mv=chips[battery.volts.adc].vref_mv / part)
    if battery.thermistor is not None:
        ntc = battery.thermistor
        scale = Scale(scale.mv, chips[ntc.adc].pull_ohm, ntc.ohm_25c, ntc.beta_k)
    return scale


class Gauge:
    """`level` comes from a driver's thread, `reading` is asked for on another."""

    def __init__(self, file: "PanelFile", battery: "Battery", ina: "Ina219Driver | None", clock: Clock) -> None:
        self.ina = ina
        self._scale = scale_of(file, battery)
        self._clock = clock
        self._old_ms = OLD_MS * file.panel.clock_rate
        self._levels: dict[str, tuple[float | None, int]] = {}
        path = battery.temperature_file
        self._file = Path(path) if path else None
        self._offset_k = battery.temperature_offset_k

    def level(self, name: str, part: float | None) -> None:
        """A probe's voltage as a part of full scale; None when its chip fails."""
        self._levels[name] = (part, self._clock.monotonic_ms())

    def reading(self) -> Reading:
        """What is measured now."""
        celsius = self._celsius()
        if self.ina is not None:
            self.ina.check(self._clock.monotonic_ms())
            found = self.ina.reading()
            return Reading(None, None, celsius) if found is None else Reading(*found, celsius)
        part = self._fresh(VOLTS)
        return Reading(None if part is None else part * self._scale.mv, None, celsius)

    def _celsius(self) -> float | None:
        if self._file is not None:
            found = celsius_of(self._file)
            return None if found is None else found + self._offset_k
        part = self._fresh(THERMISTOR)
        found = None if part is None else self._scale.celsius(part)
        return None if found is None else found + self._offset_k

    def _fresh(self, name: str) -> float | None:
        part, at_ms = self._levels.get(name, (None, 0))
        return part if self._clock.monotonic_ms() - at_ms <= self._old_ms else None

    def close(self) -> None:
        """Stop what is the gauge's own."""
        if self.ina is not None:
            self.ina.close()
