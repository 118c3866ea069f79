"""Everything that is wired to the panel, as one: the plain lines, the converters of the analogue loops, the buses.

It starts, asks and stops the drivers together; each keeps a thread and troubles of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drivers.gpio import GpioDriver

if TYPE_CHECKING:
    from drivers.analogue import AnalogueDriver
    from drivers.bus.driver import BusDriver
    from drivers.loop_baseline import Baseline


class Field:
    """The GPIO driver, the drivers of the loops with what their loops have learned, and the buses.

    An output is on a line of the GPIO driver's, or on a bus.
    """

    def __init__(
        self,
        gpio: GpioDriver,
        loops: "Sequence[AnalogueDriver]" = (),
        baseline: "Baseline | None" = None,
        loaded: Collection[str] = (),
        buses: "Sequence[BusDriver]" = (),
    ) -> None:
        """`loaded`: the outputs whose supervised lines can't be judged while they are on."""
        self._gpio = gpio
        self._loaded = loaded
        self._loops = loops
        self._buses = {bus.bus.id: bus for bus in buses}
        self._drivers: list[GpioDriver | AnalogueDriver | BusDriver] = [gpio, *loops, *buses]
        self._bus_of = {output: bus for bus in buses for output in bus.bus.outputs}
        self._baseline = baseline

    def claim_outputs(self, wanted: Mapping[str, bool]) -> None:
        """Claim every output's line with its value in one go; a bus is told when it starts."""
        for output in self._loaded:
            if wanted.get(output, False):
                self._load(output, True)
        self._gpio.claim_outputs({output: on for output, on in wanted.items() if output not in self._bus_of})
        for bus in self._buses.values():
            bus.claim_outputs(wanted)

    def start(self) -> None:
        """Begin to sense."""
        for driver in self._drivers:
            driver.start()
        if self._baseline is not None:
            self._baseline.start()

    def switch(self, output: str, on: bool) -> bool:
        """Switch an output at once; False when its line or bus failed, or it is unknown."""
        bus = self._bus_of.get(output)
        done = self._gpio.switch(output, on) if bus is None else bus.switch(output, on)
        if output in self._loaded:
            self._load(output, on)
        return done

    def show(self, bus: str, device: str, what: Mapping[str, Any]) -> None:
        """What a keypad or reader on a bus shows from now on."""
        self._buses[bus].show(device, what)

    def _load(self, output: str, on: bool) -> None:
        for driver in self._loops:
            driver.load(output, on)

    def report_all(self) -> None:
        """Every zone's condition again."""
        for driver in self._drivers:
            driver.report_all()

    def alive(self) -> bool:
        """Whether every driver's thread turns."""
        return all(driver.alive() for driver in self._drivers)

    def drivers(self) -> dict[str, Any]:
        """Each driver's own figures by its name, for a diagnosis; `gpio` is that of the plain lines."""
        found = {"gpio": {"kind": "gpio", **self._gpio.health()}}
        found |= {driver.chip.id: {"kind": driver.chip.name, **driver.health()} for driver in self._loops}
        return found | {id_: bus.health() for id_, bus in self._buses.items()}

    def health(self) -> dict[str, Any]:
        """Figures of the plain lines, with zones, outputs and errors of all; `chips`, `buses`: each one's own."""
        found = self._gpio.health()
        chips = {driver.chip.id: driver.health() for driver in self._loops}
        buses = {id_: bus.health() for id_, bus in self._buses.items()}
        others = (*chips.values(), *buses.values())
        zones, outputs = dict(found["zones"]), dict(found["outputs"])
        for part in others:
            zones |= part.pop("zones")
            outputs |= part.pop("outputs", {})
        return {
            **found,
            "failing": found["failing"] + sum(part["error"] is not None for part in others),
            "errors": found["errors"] + sum(part["errors"] for part in others),
            "zones": zones,
            "outputs": outputs,
            "chips": chips,
            "buses": buses,
        }

    def close(self) -> None:
        """Sense no more."""
        for driver in self._drivers:
            driver.close()
        if self._baseline is not None:
            self._baseline.close()
