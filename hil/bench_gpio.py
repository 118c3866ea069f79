"""How long a settled input takes to an output, against a bare gpiozero callback, and what an idle driver costs.

Over mock pins: what is measured is our code and Python's threads, not the kernel. Mock pins call back in the thread
that moves them, which no real line does; so there is a second yardstick whose edges come through a pipe, as lgpio's do.
"""

import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from gpiozero import DigitalInputDevice, OutputDevice

from drivers.analogue import AnalogueDriver
from drivers.gpio import GpioDriver
from drivers.loop_baseline import Baseline
from drivers.loop_plan import LoopPlan
from drivers.loop_zone import Loop
from drivers.mcp3xxx import CHANNELS, Chip
from drivers.simulated_adc import SimulatedSpi
from drivers.simulated_pins import SimulatedFactory, SimulatedPin
from drivers.wiring import Input, OutputLine
from rules.site import Condition

DEBOUNCE_MS = 10
ZONES = 64
LINE_IN, LINE_OUT = 17, 27
IDLE_S = 2.0
_WAIT_S = 5.0


def measure(n: int) -> dict[str, float]:
    """Microseconds from the end of the debounce (`driver_`) or from the edge (`bare_`, `piped_`) to the output.

    Medians and 99th percentiles of `n` switchings each; `idle_cpu` is CPU seconds in a second of an idle driver
    with 64 zones, `idle_mixed_cpu` of three with 48 zones on lines and 16 on loops.
    """
    figures: dict[str, float] = {}
    for name, run in (("driver", _driver), ("bare", _bare), ("piped", _piped)):
        found = sorted(run(n))
        figures[f"{name}_median_us"] = statistics.median(found)
        figures[f"{name}_p99_us"] = found[min(len(found) - 1, len(found) * 99 // 100)]
    figures["idle_cpu"] = _idle()
    figures["idle_mixed_cpu"] = _idle_mixed()
    return figures


class _Stopwatch:
    """Notes when the output's line moved."""

    def __init__(self) -> None:
        self._moved = threading.Event()
        self._at_ns = 0

    def observe(self, line: int, _level: bool) -> None:
        if line == LINE_OUT:
            self._at_ns = time.perf_counter_ns()
            self._moved.set()

    def time_us(self, move: Callable[[], None], off_ms: int) -> float:
        """From the move, or so much later, to the output."""
        self._moved.clear()
        start_ns = time.perf_counter_ns()
        move()
        if not self._moved.wait(_WAIT_S):
            raise TimeoutError("the output did not move")
        return (self._at_ns - start_ns) / 1_000 - off_ms * 1_000


def _clock_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _toggle(pin: Any, number: int) -> Callable[[], None]:
    return pin.drive_low if number % 2 == 0 else pin.drive_high  # type: ignore[no-any-return]


def _driver(n: int) -> list[float]:
    watch = _Stopwatch()
    factory = SimulatedFactory(watch.observe)
    ready = threading.Event()

    def changed(_zone: str, condition: Condition) -> None:
        driver.switch("siren", condition is Condition.NORMAL)
        ready.set()

    wires = [Input("z", LINE_IN, debounce_ms=DEBOUNCE_MS)]
    driver = GpioDriver(factory, wires, [OutputLine("siren", LINE_OUT)], _clock_ms, changed, lambda *_: None)
    driver.claim_outputs({})
    driver.start()
    ready.wait(_WAIT_S)
    try:
        return [watch.time_us(_toggle(factory.pin(LINE_IN), i), DEBOUNCE_MS) for i in range(n)]
    finally:
        driver.close()


def _bare(n: int, pin_class: type[SimulatedPin] = SimulatedPin) -> list[float]:
    watch = _Stopwatch()
    factory = SimulatedFactory(watch.observe)
    factory.pin_class = pin_class
    with (
        OutputDevice(LINE_OUT, pin_factory=factory) as siren,
        DigitalInputDevice(LINE_IN, pull_up=True, pin_factory=factory) as contact,
    ):
        contact.when_activated = siren.on
        contact.when_deactivated = siren.off
        return [watch.time_us(_toggle(contact.pin, i), 0) for i in range(n)]


class _PipedPin(SimulatedPin):
    """Its edges come through a pipe and another thread, as lgpio's do."""

    def __init__(self, factory: Any, info: Any) -> None:
        super().__init__(factory, info)
        self._read, self._write = os.pipe()
        threading.Thread(target=self._deliver, daemon=True).start()

    def _call_when_changed(self) -> None:
        os.write(self._write, b"\0" * 16)

    def _deliver(self) -> None:
        with open(self._read, "rb", buffering=0) as pipe:  # noqa: PTH123  # a descriptor, not a path
            while pipe.read(16):
                super()._call_when_changed()

    def close(self) -> None:
        super().close()
        if self._write >= 0:
            os.close(self._write)
            self._write = -1


def _piped(n: int) -> list[float]:
    return _bare(n, _PipedPin)


def _idle() -> float:
    factory = SimulatedFactory()
    wires = [Input(f"z{line}", line) for line in range(ZONES)]
    told = threading.Semaphore(0)
    driver = GpioDriver(factory, wires, [], _clock_ms, lambda *_: told.release(), lambda *_: None)
    driver.start()
    try:
        for _ in wires:
            told.acquire(timeout=_WAIT_S)
        cpu, wall = time.process_time(), time.perf_counter()
        threading.Event().wait(IDLE_S)
        return (time.process_time() - cpu) / (time.perf_counter() - wall)
    finally:
        driver.close()


class _Still(SimulatedSpi):
    """Loops at rest; the frames are made once, so that the converter's own work, which no board does, counts little."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, lambda _channel: LoopPlan().rest_ohm)
        self._answers: dict[tuple[int, ...], list[int]] = {}

    def transfer(self, data: Sequence[int]) -> list[int]:
        """The same answer to the same question."""
        key = tuple(data)
        if key not in self._answers:
            self._answers[key] = super().transfer(data)
        return self._answers[key]


def _idle_mixed() -> float:
    """48 zones on lines and 16 on the loops of two converters: all that the board's SPI has room for."""
    factory = SimulatedFactory()
    told = threading.Semaphore(0)
    chips = [Chip("adc-0", 12, 0), Chip("adc-1", 12, 1)]
    factory.chips = {chip.select: _Still(chip) for chip in chips}
    wires = [Input(f"z{line}", line) for line in range(ZONES - CHANNELS * len(chips))]
    drivers: list[GpioDriver | AnalogueDriver] = [
        GpioDriver(factory, wires, [], _clock_ms, lambda *_: told.release(), lambda *_: None),
        *(_loops(factory, chip, lambda *_: told.release()) for chip in chips),
    ]
    for driver in drivers:
        driver.start()
    try:
        for _ in range(ZONES):
            told.acquire(timeout=_WAIT_S)
        cpu, wall = time.process_time(), time.perf_counter()
        threading.Event().wait(IDLE_S)
        return (time.process_time() - cpu) / (time.perf_counter() - wall)
    finally:
        for driver in drivers:
            driver.close()


def _loops(factory: SimulatedFactory, chip: Chip, tell: Callable[[str, Condition], None]) -> AnalogueDriver:
    loops = [Loop(f"{chip.id}-{channel}", channel, LoopPlan()) for channel in range(CHANNELS)]
    return AnalogueDriver(factory, chip, loops, _clock_ms, tell, lambda *_: None, lambda *_: None, Baseline(None))
