"""The other side of the analogue driver: a converter on mock pins with loops to set, and a panel that listens."""

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from gpiozero import Device

from drivers.analogue import AnalogueDriver
from drivers.loop_baseline import Baseline
from drivers.loop_plan import LoopPlan
from drivers.loop_zone import Loop
from drivers.mcp3xxx import Chip
from drivers.probe import Probe
from drivers.simulated_pins import SimulatedFactory
from drivers.wiring import Position
from hil.adc import Adc
from rules.site import Condition

WAIT_S = 20.0
CHIP = Chip("adc-1", 12)


class AnalogueRig:
    """A driver over gpiozero's mock SPI. `words` holds everything it tells, in order."""

    def __init__(
        self,
        loops: list[Loop],
        chip: Chip = CHIP,
        rate: int = 1,
        baseline: Baseline | None = None,
        on_condition: Callable[[str, Condition], None] | None = None,
        probes: Sequence[Probe] = (),
    ) -> None:
        self.factory = SimulatedFactory()
        # gpiozero's software SPI opens its bus with the default factory.
        Device.pin_factory = self.factory
        self.adc = Adc(self.factory, chip.bits, chip.select, chip.pull_ohm)
        self.loops = {loop.zone: loop for loop in loops}
        for zone in self.loops:
            self.put(zone, Position.CLOSE)
        self.words: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.levels: queue.Queue[tuple[str, float | None]] = queue.Queue()
        self.rate = rate
        self.baseline = baseline or Baseline(None)
        self.driver = AnalogueDriver(
            self.factory,
            chip,
            loops,
            self.now_ms,
            on_condition or (lambda zone, condition: self.words.put((zone, condition))),
            lambda present, detail: self.words.put(("driver", present, detail)),
            lambda zone, present, detail: self.words.put(("drift", zone, present, detail)),
            self.baseline,
            rate,
            probes,
            lambda name, part: self.levels.put((name, part)),
        )

    def now_ms(self) -> int:
        """The panel's clock, which may run faster than the world's."""
        return time.monotonic_ns() * self.rate // 1_000_000

    def put(self, zone: str, position: Position) -> None:
        """Bring a detector into a position."""
        loop = self.loops[zone]
        self.adc.ohm[loop.channel] = loop.plan.ohm_at(position)

    def next(self, drifts: bool = False) -> tuple[Any, ...]:
        """The next word; words of drift are left out unless asked for."""
        while True:
            word = self.words.get(timeout=WAIT_S)
            if drifts or word[0] != "drift":
                return word

    def frames(self, number: int) -> None:
        """Until the converter has answered so many more times."""
        until = self.adc.frames + number
        deadline = time.monotonic() + WAIT_S
        while self.adc.frames < until:
            assert time.monotonic() < deadline, "the driver reads no more"
            threading.Event().wait(0.005)

    def conditions(self) -> list[tuple[Any, ...]]:
        """What was told of zones and chip and not taken yet."""
        return [word for word in self.words.queue if word[0] != "drift"]

    def started(self) -> "AnalogueRig":
        """Started, and every zone told to be at rest."""
        self.driver.start()
        assert sorted(self.next() for _ in self.loops) == sorted((zone, Condition.NORMAL) for zone in self.loops)
        return self


def full_loop(zone: str = "pir", channel: int = 0, **plan: Any) -> Loop:
    """A loop with a triple resistor plan."""
    from drivers.loop_plan import Resistors

    return Loop(zone, channel, LoopPlan(Resistors.TRIPLE, **plan))


def count(chip: Chip, ohm: float) -> int:
    """What a converter reads of this resistance, by Ohm's law."""
    return chip.full if math.isinf(ohm) else round(chip.full * ohm / (ohm + chip.pull_ohm))
