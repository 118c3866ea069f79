"""The driver of one analogue converter: conditions of the loops on it, and voltages, over gpiozero's SPI.

Every channel is sampled every 40 ms. A chip that fails (no answer, disturbed frames, an error of the bus) is told
before its zones read fault, is opened again with growing pauses, and is well only when all its zones were read again.
It never raises into its host.
"""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event, Thread, current_thread
from typing import Any

from drivers.loop_baseline import Baseline
from drivers.loop_zone import Loop, WatchedLoop
from drivers.mcp3xxx import BadFrame, Chip
from drivers.pins import Factory
from drivers.probe import Probe, WatchedProbe
from drivers.retry import Retry
from rules.site import Condition

SAMPLE_MS = 40
STUCK_MS = 5_000
"""A thread that made no pass for so long does not live."""
LOAD_GONE_MS = 2_000
"""A line that carried a load is judged again so long after: relays let go, and sirens keep a charge."""
BAD_PASSES = 4
"""So many passes in a row with a disturbed frame are a failed chip; fewer are noise, and counted."""
_LET_GO = 0xFF

_log = logging.getLogger(__name__)


class AnalogueDriver:
    """All loops and probes of one chip, with one thread of its own.

    `on_condition(zone, condition)` as the GPIO driver's. `on_trouble(present, detail)`: the chip fails, or works again.
    `on_drift(zone, present, detail)`: maintenance is due, or no more; told for every loop once it is known.
    `on_level(probe, part)`: a voltage as a part of full scale, once a second; None when the chip fails. All are called
    from the driver's thread.
    """

    def __init__(
        self,
        factory: Factory,
        chip: Chip,
        loops: Sequence[Loop],
        clock_ms: Callable[[], int],
        on_condition: Callable[[str, Condition], None],
        on_trouble: Callable[[bool, str], None],
        on_drift: Callable[[str, bool, str], None],
        baseline: Baseline,
        clock_rate: int = 1,
        probes: Sequence[Probe] = (),
        on_level: Callable[[str, float | None], None] = lambda _name, _part: None,
    ) -> None:
        """`clock_ms` is monotonic; `clock_rate` is how much faster than the world it runs (simulated pins only)."""
        self.chip = chip
        self._factory = factory
        self._clock_ms = clock_ms
        self._rate = clock_rate
        self._on_condition = on_condition
        self._on_trouble = on_trouble
        self._on_drift = on_drift
        self._on_level = on_level
        self._baseline = baseline
        self._loops = [WatchedLoop(loop, chip, baseline.rest_ohm(loop.zone, loop.plan.rest_ohm)) for loop in loops]
        self._probes = [WatchedProbe(probe, chip.full) for probe in probes]
        channels = [*(loop.channel for loop in loops), *(probe.channel for probe in probes)]
        self._questions = {channel: chip.question(channel) for channel in channels}
        self._drifts: dict[str, bool] = {}
        self._loaded_until_ms: dict[str, float] = {}
        self._unjudged: set[str] = set()
        self._spi: Any = None
        self._retry = Retry()
        self._opened = self._pulled = False
        self._bad_passes = self._bad_frames = self._callback_errors = 0
        self._troubled = self._all = False
        self._stop = Event()
        self._passed_ms = clock_ms()
        self._thread = Thread(target=self._run, name=chip.id, daemon=True)

    def start(self) -> None:
        """Start the thread, which opens the chip."""
        self._passed_ms = self._clock_ms()
        self._thread.start()

    def report_all(self) -> None:
        """Call `on_condition` for every zone again, from the driver's thread; zones that never settled come later."""
        self._all = True

    def load(self, name: str, on: bool) -> None:
        """The line of this name begins or ends to carry its load, and is not judged meanwhile. From any thread."""
        self._loaded_until_ms[name] = math.inf if on else self._clock_ms() + LOAD_GONE_MS

    def alive(self) -> bool:
        """Whether the thread turns."""
        return self._thread.is_alive() and self._clock_ms() - self._passed_ms < STUCK_MS * self._rate

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis, of the chip and per zone."""
        return {
            "chip": self.chip.name,
            "alive": self.alive(),
            "silent_ms": self._clock_ms() - self._passed_ms,
            "errors": self._retry.errors,
            "error": self._retry.error,
            "bad_frames": self._bad_frames,
            "callback_errors": self._callback_errors,
            "zones": {loop.wire.zone: {**loop.health(), "error": self._retry.error} for loop in self._loops},
        }

    def close(self) -> None:
        """Stop the thread and give the chip back."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=STUCK_MS / 1000)
        self._close_spi()

    def _run(self) -> None:
        next_ms = self._clock_ms()
        while not self._stop.is_set():
            now_ms = self._clock_ms()
            try:
                self._pass(now_ms)
            except Exception:
                self._callback_errors += 1
                _log.exception("a pass over the loops of %s failed", self.chip.id)
            self._passed_ms = now_ms
            # What was missed is not made up for.
            next_ms = max(next_ms + SAMPLE_MS * self._rate, self._clock_ms())
            self._stop.wait(max(0, next_ms - self._clock_ms()) / self._rate / 1000)

    def _pass(self, now_ms: int) -> None:
        everything, self._all = self._all, False
        if self._spi is None and (not self._opened or self._retry.due(now_ms)):
            self._open(now_ms)
        found = self._sample(now_ms) if self._spi is not None else []
        if self._spi is None:
            found = [(loop, loop.fail(now_ms)) for loop in self._loops]
        if everything:
            found = [(loop, loop.reported) for loop in self._loops]
        # A fault is known to be the chip's own, not the detector's: its trouble begins before, and ends after.
        self._tell_trouble(begins=True)
        for loop, condition in found:
            if condition is not None:
                self._tell(self._on_condition, loop.wire.zone, condition)
        self._tell_trouble(begins=False)
        self._tell_drifts()

    def _open(self, now_ms: int) -> None:
        """Open the chip, and believe that it is there when every channel has answered as it must."""
        self._opened = True
        try:
            self._spi = self._factory.spi(port=0, device=self.chip.select)
            for channel in self._questions:
                self._read(channel)
        except Exception as error:
            self._fail(error, now_ms)
            return
        for loop in self._loops:
            loop.restart()
        for probe in self._probes:
            probe.restart()
        self._bad_passes = 0
        self._retry.works(f"chip {self.chip.name}")

    def _sample(self, now_ms: int) -> list[tuple[WatchedLoop, Condition | None]]:
        found: list[tuple[WatchedLoop, Condition | None]] = []
        bad: BadFrame | None = None
        for loop in self._loops:
            if self._is_loaded(loop, now_ms):
                continue
            rest = loop.rest_ohm
            try:
                found.append((loop, loop.look(partial(self._read, loop.wire.channel), now_ms)))
            except BadFrame as error:
                bad = error
            except Exception as error:
                self._fail(error, now_ms)
                return found
            if loop.rest_ohm is not None and loop.rest_ohm != rest:
                self._baseline.learn(loop.wire.zone, loop.wire.plan.rest_ohm, loop.rest_ohm, now_ms)
        try:
            bad = self._measure(now_ms) or bad
        except Exception as error:
            self._fail(error, now_ms)
            return found
        self._count(bad, now_ms)
        return found

    def _measure(self, now_ms: int) -> BadFrame | None:
        bad: BadFrame | None = None
        for probe in self._probes:
            try:
                part = probe.feed(self._read(probe.wire.channel), now_ms)
            except BadFrame as error:
                bad = error
                continue
            if part is not None:
                self._tell(self._on_level, probe.wire.name, part)
        return bad

    def _count(self, bad: BadFrame | None, now_ms: int) -> None:
        if bad is None:
            self._bad_passes = 0
            if self._all_known():
                self._retry.stands()
            return
        self._bad_frames += 1
        self._bad_passes += 1
        if self._bad_passes >= BAD_PASSES:
            self._fail(bad, now_ms)

    def _is_loaded(self, loop: WatchedLoop, now_ms: int) -> bool:
        name = loop.wire.zone
        if now_ms < self._loaded_until_ms.get(name, 0):
            self._unjudged.add(name)
            return True
        if name in self._unjudged:
            self._unjudged.discard(name)
            loop.restart()
        return False

    def _all_known(self) -> bool:
        return all(loop.known or loop.wire.zone in self._unjudged for loop in self._loops)

    def _read(self, channel: int) -> int:
        frame = self._spi.transfer(self._questions[channel])
        # Before its answer the chip lets go of the line. Where a pull-up is fitted, a line that stays low is no short.
        if frame[0] == _LET_GO:
            self._pulled = True
        elif self._pulled and not any(frame):
            raise self.chip.stuck(channel)
        return self.chip.value(channel, frame)

    def _fail(self, error: Exception, now_ms: int) -> None:
        self._retry.failed(error, now_ms, f"chip {self.chip.name}")
        self._close_spi()
        for probe in self._probes:
            self._tell(self._on_level, probe.wire.name, None)

    def _close_spi(self) -> None:
        spi, self._spi = self._spi, None
        if spi is not None:
            try:
                spi.close()
            except Exception as error:
                _log.debug("closing %s: %s", self.chip.id, error)

    def _tell_trouble(self, *, begins: bool) -> None:
        failed = self._retry.error is not None
        troubled = failed or (self._troubled and not self._all_known())
        if troubled != self._troubled and troubled is begins:
            self._troubled = troubled
            self._tell(self._on_trouble, troubled, self._retry.error or "")

    def _tell_drifts(self) -> None:
        for loop in self._loops:
            now = loop.drifting
            if now is not None and self._drifts.get(loop.wire.zone) is not now:
                self._drifts[loop.wire.zone] = now
                self._tell(self._on_drift, loop.wire.zone, now, loop.drift_text())

    def _tell(self, callback: Callable[..., None], *words: Any) -> None:
        try:
            callback(*words)
        except Exception:
            self._callback_errors += 1
            _log.exception("telling %s failed", words)
