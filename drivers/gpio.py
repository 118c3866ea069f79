"""The GPIO driver: conditions of the zones on plain lines, and the outputs, over any gpiozero pin factory.

It reads levels and lets edges only wake it up: an edge can be lost (gpiozero #1039, #1090; lg #18), a level can't. All
levels are polled anyway, so a lost edge costs one poll. It never raises into its host.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread, current_thread
from typing import Any

from drivers.gpio_output import SwitchedOutput
from drivers.gpio_zone import WatchedZone
from drivers.pins import Factory
from drivers.wiring import Input, OutputLine
from rules.site import Condition

POLL_MS = 200
"""All levels are read this often even if no edge comes."""
PASS_MS = 4
"""The least time between two passes that only edges ask for: a chattering line can't take the processor."""

STUCK_MS = 5_000
"""A thread that made no pass for so long does not live."""

_log = logging.getLogger(__name__)


class GpioDriver:
    """All plain lines of a panel, with one thread of its own.

    `on_condition(zone, condition)` is called from that thread, first when the zone's level has stood for its
    debounce after `start`, then for every change. `on_trouble("driver", present)` tells when the first line fails
    and when the last one works again; `health` says which. Pins are gpiozero pins but not gpiozero devices: those
    reserve, debounce and call back in ways that lose edges.
    """

    def __init__(
        self,
        factory: Factory,
        inputs: Sequence[Input],
        outputs: Sequence[OutputLine],
        clock_ms: Callable[[], int],
        on_condition: Callable[[str, Condition], None],
        on_trouble: Callable[[str, bool], None],
        clock_rate: int = 1,
    ) -> None:
        """`clock_ms` is monotonic; `clock_rate` is how much faster than the world it runs (simulated pins only)."""
        self._clock_ms = clock_ms
        self._rate = clock_rate
        self._on_condition = on_condition
        self._on_trouble = on_trouble
        self._wake = Event()
        self._stop = Event()
        self._zones = [WatchedZone(wire, factory, clock_ms, self._wake.set) for wire in inputs]
        self._outputs = {wire.output: SwitchedOutput(wire, factory, clock_ms) for wire in outputs}
        self._troubled = False
        self._callback_errors = 0
        self._all = False
        self._passed_ms = 0
        self._thread = Thread(target=self._run, name="gpio", daemon=True)

    def claim_outputs(self, wanted: Mapping[str, bool]) -> None:
        """Claim every output's line with its value in one go, so that nothing clicks. Outputs not named are off."""
        for name, output in self._outputs.items():
            output.claim(wanted.get(name, False))

    def start(self) -> None:
        """Claim the inputs and start the thread; outputs that were not claimed yet are claimed, off."""
        for output in self._outputs.values():
            if not output.claimed:
                output.claim(False)
        now_ms = self._clock_ms()
        for zone in self._zones:
            zone.claim(now_ms)
        self._passed_ms = now_ms
        self._thread.start()

    def switch(self, output: str, on: bool) -> bool:
        """Switch an output at once, from any thread. False when its line failed (it is tried again) or is unknown."""
        line = self._outputs.get(output)
        if line is None:
            _log.error("no output %r", output)
            return False
        done = line.switch(on)
        if not done:
            self._wake.set()
        return done

    def read_back(self, output: str) -> bool:
        """What the output's line really does: True when its load is on; False too when it is unknown."""
        line = self._outputs.get(output)
        return line is not None and line.read_back()

    def report_all(self) -> None:
        """Call `on_condition` for every zone again, from the driver's thread; zones that never settled come later."""
        self._all = True
        self._wake.set()

    def alive(self) -> bool:
        """Whether the thread turns: a hang in the pin library shows here."""
        return self._thread.is_alive() and self._clock_ms() - self._passed_ms < STUCK_MS * self._rate

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis, per zone and output, and error counts."""
        lines: list[WatchedZone | SwitchedOutput] = [*self._zones, *self._outputs.values()]
        return {
            "alive": self.alive(),
            "silent_ms": self._clock_ms() - self._passed_ms,
            "failing": sum(line.retry.error is not None for line in lines),
            "errors": sum(line.retry.errors for line in lines),
            "callback_errors": self._callback_errors,
            "zones": {zone.wire.zone: zone.health() for zone in self._zones},
            "outputs": {name: output.health() for name, output in self._outputs.items()},
        }

    def close(self) -> None:
        """Stop the thread and give the inputs back. Outputs keep their level until the factory is closed."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=STUCK_MS / 1000)
        for zone in self._zones:
            zone.close()

    def _run(self) -> None:
        next_poll_ms = last_ms = self._passed_ms
        while not self._stop.is_set():
            self._wake.clear()
            now_ms = self._clock_ms()
            poll = now_ms >= next_poll_ms
            if poll:
                next_poll_ms = now_ms + POLL_MS * self._rate
            try:
                self._pass(now_ms, poll)
            except Exception:
                self._callback_errors += 1
                _log.exception("a pass over the lines failed")
            self._passed_ms = now_ms
            self._wait(next_poll_ms, last_ms)
            last_ms = now_ms

    def _wait(self, until_ms: int, last_ms: int) -> None:
        """Sleep until an edge, the next debounce or the next poll; not shorter than `PASS_MS` after an edge."""
        for zone in self._zones:
            again_ms = zone.again_ms
            if again_ms is not None and again_ms < until_ms:
                until_ms = again_ms
        if self._wake.wait(max(0, until_ms - self._clock_ms()) / self._rate / 1000):
            early_ms = min(until_ms, last_ms + PASS_MS * self._rate) - self._clock_ms()
            self._stop.wait(max(0, early_ms) / self._rate / 1000)

    def _pass(self, now_ms: int, poll: bool) -> None:
        everything, self._all = self._all, False
        found = [(zone, zone.look(now_ms, poll)) for zone in self._zones if poll or zone.due(now_ms)]
        if everything:
            found = [(zone, zone.reported) for zone in self._zones]
        if poll:
            for output in self._outputs.values():
                output.check(now_ms)
        # A fault is known to be the driver's own, not the detector's: its trouble begins before, and ends after.
        self._tell_trouble(begins=True)
        for zone, condition in found:
            if condition is not None:
                self._tell(self._on_condition, zone.wire.zone, condition)
        self._tell_trouble(begins=False)

    def _tell_trouble(self, *, begins: bool) -> None:
        troubled = any(zone.retry.error is not None for zone in self._zones) or any(
            output.retry.error is not None for output in self._outputs.values()
        )
        if troubled != self._troubled and troubled is begins:
            self._troubled = troubled
            self._tell(self._on_trouble, "driver", troubled)

    def _tell(self, callback: Callable[[str, Any], None], name: str, value: Any) -> None:
        try:
            callback(name, value)
        except Exception:
            self._callback_errors += 1
            _log.exception("telling %s = %s failed", name, value)
