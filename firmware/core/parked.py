"""What core does when the battery is at its end and the stop is recorded: nothing but look whether the supply is back.

A board that were switched off would stay dark when the mains return, unless something cuts its supply; so the process
stays, senses and sounds nothing, and the panel begins again by itself. Where a line cuts the battery off (`cut_line`),
it is switched on at the end.
"""

import logging
from typing import TYPE_CHECKING

from drivers.battery import Standing
from drivers.chemistry import CHEMISTRIES
from drivers.gpio import GpioDriver
from drivers.pins import open_factory
from firmware.clock import Clock
from firmware.core.power import open_gauge
from firmware.core.wires import CUT, MAINS, output_lines, supply_inputs
from rules.site import Condition

if TYPE_CHECKING:
    from drivers.analogue import AnalogueDriver
    from drivers.simulated import SimulatedWorld
    from firmware.config import Loaded

CUT_AFTER_MS = 10_000
MAINS_MS = 10_000
CHARGED_MS = 60_000
"""A battery that only recovers without its load is not charged."""

log = logging.getLogger("fenghuo.core.parked")


class Parked:
    """Call `well` about once a second, on one thread. Raises `DriverError`, `OSError` where nothing can be opened."""

    def __init__(self, loaded: "Loaded", clock: Clock) -> None:
        """`loaded`: a file with a battery."""
        file = loaded.file
        battery = file.power.battery
        if battery is None:
            raise ValueError("a panel without a measured battery is never parked")
        self._clock = clock
        self._begun_ms = clock.monotonic_ms()
        self._mains: bool | None = None
        self._back = Standing(MAINS_MS, 0)
        self._charged = Standing(CHARGED_MS, 0)
        self._enough_mv = CHEMISTRIES[battery.chemistry].low_ends * battery.cells
        self._world = _world(loaded)
        self._factory = open_factory(file.panel.pins, file.panel.chip, loaded.run)
        self._gauge = open_gauge(file, battery, clock, lambda *_: None, self._world)
        self._cuts = battery.cut_line is not None
        self._gpio = GpioDriver(
            self._factory,
            supply_inputs(file),
            [line for line in output_lines(file) if line.output == CUT],
            clock.monotonic_ms,
            self._condition,
            lambda _name, _present: None,
            file.panel.clock_rate,
        )
        if self._world is not None:
            self._world.apply(self._factory)
        self._probes = self._open_probes(loaded)
        self._gpio.start()
        for driver in self._probes:
            driver.start()
        if self._gauge.ina is not None:
            self._gauge.ina.start()

    def _open_probes(self, loaded: "Loaded") -> "list[AnalogueDriver]":
        if not loaded.file.adc:
            return []
        from firmware.core.loops import Told, open_probes, simulate

        if self._world is not None:
            simulate(loaded.file, self._factory, self._world)
        told = Told(
            lambda _name, _condition: None,
            lambda *_: None,
            lambda _kind, _data: None,
            self._clock.monotonic_ms,
            self._gauge.level,
        )
        return open_probes(loaded.file, self._factory, told)

    def _condition(self, name: str, condition: Condition) -> None:
        if name == MAINS:
            self._mains = None if condition is Condition.FAULT else condition is Condition.NORMAL

    def well(self) -> bool:
        """Whether the panel may begin again: the mains are back for a while, or the battery is charged."""
        if self._world is not None:
            self._world.reload()
        now_ms = self._clock.monotonic_ms()
        if self._cuts and now_ms - self._begun_ms >= CUT_AFTER_MS:
            self._cuts = not self._gpio.switch(CUT, True)
        mv = self._gauge.reading().mv
        self._back.feed(self._mains is True, now_ms)
        self._charged.feed(mv is not None and mv >= self._enough_mv, now_ms)
        return bool(self._back.present or self._charged.present)

    def close(self) -> None:
        """Give everything back."""
        self._gpio.close()
        for driver in self._probes:
            driver.close()
        self._gauge.close()
        self._factory.close()


def _world(loaded: "Loaded") -> "SimulatedWorld | None":
    if loaded.file.panel.pins != "simulated":
        return None
    from firmware.core.simulated import simulated_world

    return simulated_world(loaded)
