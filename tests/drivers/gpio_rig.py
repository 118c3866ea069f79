"""The other side of the driver's wires: pins that fail on demand, and a panel that listens."""

import queue
import time
from collections.abc import Callable, Sequence
from typing import Any

from drivers.gpio import GpioDriver
from drivers.simulated_pins import SimulatedFactory, SimulatedPin
from drivers.wiring import Input, OutputLine
from rules.site import Condition

WAIT_S = 10.0


class FaultyPin(SimulatedPin):
    """A pin whose line fails while `broken` holds a message, or does not follow while `stuck`."""

    broken = ""
    stuck = False
    claims = 0

    def _check(self) -> None:
        if self.broken:
            raise OSError(self.broken)

    def _claimed(self) -> None:
        self.claims += 1
        self.factory.claimed.append(repr(self))
        self._check()

    def _get_state(self) -> Any:
        self._check()
        return super()._get_state()

    def _set_state(self, value: Any) -> None:
        self._check()
        if not self.stuck:
            super()._set_state(value)

    def input_with_pull(self, pull: str) -> None:
        self._claimed()
        super().input_with_pull(pull)

    def output_with_state(self, state: bool) -> None:
        self._claimed()
        super().output_with_state(state)


class FaultyFactory(SimulatedFactory):
    """A factory of pins that can fail; `claimed` holds the lines in the order of their claims."""

    def __init__(self, observe: Callable[[int, bool], None] | None = None) -> None:
        super().__init__(observe)
        self.pin_class = FaultyPin
        self.claimed: list[str] = []


def drive(pin: Any, level: bool) -> None:
    """The world puts this level on a line."""
    if level:
        pin.drive_high()
    else:
        pin.drive_low()


class Rig:
    """A driver over simulated pins, and what it tells."""

    def __init__(
        self, inputs: Sequence[Input] = (), outputs: Sequence[OutputLine] = (), rate: int = 1, pins: Any = None
    ) -> None:
        self.levels: list[tuple[int, bool]] = []
        self.factory = pins or FaultyFactory(lambda line, level: self.levels.append((line, level)))
        self.told: queue.Queue[tuple[str, Condition, int]] = queue.Queue()
        self.troubles: queue.Queue[tuple[str, bool]] = queue.Queue()
        self.rate = rate
        self.driver = GpioDriver(
            self.factory,
            inputs,
            outputs,
            self.now_ms,
            lambda zone, condition: self.told.put((zone, condition, self.now_ms())),
            lambda name, present: self.troubles.put((name, present)),
            rate,
        )

    def now_ms(self) -> int:
        """The panel's clock, which may run faster than the world's."""
        return time.monotonic_ns() * self.rate // 1_000_000

    def next(self) -> tuple[str, Condition]:
        """The next condition told."""
        zone, condition, _ = self.told.get(timeout=WAIT_S)
        return zone, condition

    def trouble(self) -> tuple[str, bool]:
        """The next trouble told."""
        return self.troubles.get(timeout=WAIT_S)
