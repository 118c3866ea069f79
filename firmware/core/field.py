"""Everything that is wired to the panel, as one: the plain lines, and the converters of the analogue loops.

It starts, asks and stops the drivers together; each keeps a thread and troubles of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drivers.gpio import GpioDriver

if TYPE_CHECKING:
    from drivers.analogue import AnalogueDriver
    from drivers.loop_baseline import Baseline


class Field:
    """The GPIO driver, which has all outputs, and the drivers of the loops, with what their loops have learned."""

    def __init__(
        self,
        gpio: GpioDriver,
        loops: "Sequence[AnalogueDriver]" = (),
        baseline: "Baseline | None" = None,
        loaded: Collection[str] = (),
    ) -> None:
        """`loaded`: the outputs whose supervised lines can't be judged while they are on."""
        self._gpio = gpio
        self._loaded = loaded
        self._loops = loops
        self._drivers: list[GpioDriver | AnalogueDriver] = [gpio, *loops]
        self._baseline = baseline

    def claim_outputs(self, wanted: Mapping[str, bool]) -> None:
        """Claim every output's line with its value in one go."""
        for output in self._loaded:
            if wanted.get(output, False):
                self._load(output, True)
        self._gpio.claim_outputs(wanted)

    def start(self) -> None:
        """Begin to sense."""
        self._gpio.start()
        for driver in self._loops:
            driver.start()
        if self._baseline is not None:
            self._baseline.start()

    def switch(self, output: str, on: bool) -> bool:
        """Switch an output at once; False when its line failed or is unknown."""
        done = self._gpio.switch(output, on)
        if output in self._loaded:
            self._load(output, on)
        return done

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

    def health(self) -> dict[str, Any]:
        """The figures of the plain lines, with the zones and the errors of all; `chips`: each converter's own."""
        found = self._gpio.health()
        chips = {driver.chip.id: driver.health() for driver in self._loops}
        zones = dict(found["zones"])
        for chip in chips.values():
            zones |= chip.pop("zones")
        failing = found["failing"] + sum(chip["error"] is not None for chip in chips.values())
        errors = found["errors"] + sum(chip["errors"] for chip in chips.values())
        return {**found, "failing": failing, "errors": errors, "zones": zones, "chips": chips}

    def close(self) -> None:
        """Sense no more."""
        self._gpio.close()
        for driver in self._loops:
            driver.close()
        if self._baseline is not None:
            self._baseline.close()
