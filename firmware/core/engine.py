"""The rules thread: stimuli in, `rules.step`, outputs switched at once, records handed to the journal thread.

Nothing here waits for a disk, a socket or another process, and no exception ends the thread. What others
are told (tells, answers) is handed over with the step's records, and goes out when those are durable.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import rules
from firmware.clock import Clock
from rules.effects import Answer, Capture, Effect, Record, Request, Switch, Tell
from rules.site import Site
from rules.stimuli import (
    ClockTold,
    CodeEntered,
    DeadlinePassed,
    PanelStarted,
    PanelStopping,
    Stimulus,
    TestDone,
    TestDue,
    TroubleChanged,
    WalkLeft,
    ZoneChanged,
)

log = logging.getLogger("fenghuo.core.engine")

FIELD_LIMIT = 4096
"""Stimuli from this panel's own wires and keypads that may wait."""
OUTSIDE_LIMIT = 512
"""Stimuli from other processes that may wait; they never displace those of the wires."""
LONGEST_WAIT_S = 0.5
REFLECT_MS = 1_000
"""After a step that failed: no deadline is tried, and no zone asked for again, for so long."""
_FROM_FIELD = (ZoneChanged, CodeEntered, ClockTold, TestDone, TestDue, WalkLeft, PanelStarted, PanelStopping)
_OUTSIDE_TROUBLES = ("path", "camera", "camera-tamper", "evidence")
"""Troubles that other processes tell of; all others are this process's own."""

Told: TypeAlias = Callable[[tuple[Effect, ...]], object]
"""Hears the effects of one step, on the rules thread; none where the step failed."""


@dataclass(frozen=True)
class Ports:
    """Where the effects go. Each is called on the rules thread, must not block, and may fail alone.

    `switch(output, on)`: at once. `commit(records, state, talk)`: records with the state after them, and what may be
    said when they are durable. `capture`: to the cameras. `changed(state)`: after every step that changed the state.
    `resync()`: field stimuli were lost; ask the drivers to report every zone again. `request`: a test that the rules
    ask for. `look()`: at least twice a second while the thread lives, to tell of what only a clock knows.
    """

    switch: Callable[[str, bool], None]
    commit: Callable[[tuple[Record, ...], "rules.PanelState", tuple[Tell | Answer, ...]], None]
    capture: Callable[[Capture], None]
    changed: Callable[["rules.PanelState"], None]
    resync: Callable[[], None]
    request: Callable[[Request], None] = lambda _: None
    look: Callable[[], None] = lambda: None


class Engine:
    """Owns the panel state. `submit` from any thread; `state` may be read from any thread (it is immutable)."""

    def __init__(self, site: Site, state: "rules.PanelState", clock: Clock, ports: Ports) -> None:
        self.state = state
        self.lost = 0
        self.errors = 0
        self.steps = 0
        self._site = site
        self._clock = clock
        self._ports = ports
        self._field: deque[tuple[Stimulus, Told | None]] = deque()
        self._outside: deque[tuple[Stimulus, Told | None]] = deque()
        self._wake = threading.Condition()
        self._resync = False
        self._ending = False
        self._turn = 0
        self._failed: dict[type[Stimulus], int] = {}
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)

    def submit(self, stimulus: Stimulus, told: Told | None = None) -> bool:
        """Hand in a stimulus; never blocks. False when the queue was full and it was dropped (and counted).

        `told` hears what it led to, before that is durable; it must not block.
        """
        from_field = _from_field(stimulus)
        queue, limit = (self._field, FIELD_LIMIT) if from_field else (self._outside, OUTSIDE_LIMIT)
        with self._wake:
            if len(queue) >= limit:
                self.lost += 1
                self._resync = self._resync or from_field
                return False
            queue.append((stimulus, told))
            self._wake.notify()
        return True

    def poke(self) -> None:
        """Look at the clock again (a test has turned it)."""
        with self._wake:
            self._wake.notify()

    def start(self) -> None:
        """Start the rules thread."""
        self._thread.start()

    def turn(self) -> int:
        """Grows while the thread lives, at least twice a second: for the watchdog."""
        return self._turn

    def idle(self) -> bool:
        """Whether nothing waits to be decided."""
        with self._wake:
            return not self._field and not self._outside

    def stop(self, reason: str, timeout_s: float = 2.0) -> None:
        """Decide what waits, record the stop, end the thread."""
        self.submit(PanelStopping(reason))
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            self._turn += 1
            if not self._ending:
                self._guarded(self._ports.look)
            found = self._next()
            if found is not None:
                effects = self.handle(found[0])
                if found[1] is not None:
                    self._guarded(found[1], effects)
            elif self._ending:
                return
            if self._resync and self.idle() and not self._failed_lately(ZoneChanged):
                self._resync = False
                self._guarded(self._ports.resync)

    def _failed_lately(self, kind: type[Stimulus]) -> bool:
        """Whether such a step failed just now: tried at once, it would fail again, and let nothing else through."""
        return self._clock.monotonic_ms() - self._failed.get(kind, -REFLECT_MS) < REFLECT_MS

    def _next(self) -> tuple[Stimulus, Told | None] | None:
        with self._wake:
            due = None if self._failed_lately(DeadlinePassed) else rules.next_deadline(self.state)
            if due is not None and due <= self._clock.monotonic_ms():
                return DeadlinePassed(), None
            if not self._field and not self._outside and not self._ending:
                self._wake.wait(self._pause(due))
            if self._field:
                return self._field.popleft()
            return self._outside.popleft() if self._outside else None

    def _pause(self, due: int | None) -> float:
        if due is None:
            return LONGEST_WAIT_S
        return min(LONGEST_WAIT_S, self._clock.wait_s(due - self._clock.monotonic_ms()))

    def handle(self, stimulus: Stimulus) -> tuple[Effect, ...]:
        """One step and its effects, on the calling thread (the rules thread; tests call it directly)."""
        try:
            state, effects = self._step(stimulus)
        except Exception:
            self._note_failure(stimulus)
            return ()
        self.steps += 1
        before, self.state = self.state, state
        if effects:
            self._carry_out(state, effects)
        if state is not before:
            self._guarded(self._ports.changed, state)
        return effects

    def _step(self, stimulus: Stimulus) -> "tuple[rules.PanelState, tuple[Effect, ...]]":
        now = self._clock.monotonic_ms()
        try:
            return rules.step(self._site, self.state, stimulus, now)
        except Exception:
            due = rules.next_deadline(self.state)
            if due is None or due > now or isinstance(stimulus, DeadlinePassed):
                raise
            # Each step takes the deadlines that are over along. If it is they that fail, an alarm must not fail with
            # them: it is decided in the moment before.
            done = rules.step(self._site, self.state, stimulus, due - 1)
            self._note_failure(DeadlinePassed())
            return done

    def _note_failure(self, stimulus: Stimulus) -> None:
        self.errors += 1
        kind = type(stimulus)
        log.exception("a step failed on %s; what it would have changed stays as it was", kind.__name__)
        if not self._failed_lately(kind) and not (isinstance(stimulus, TroubleChanged) and stimulus.trouble == "rules"):
            self.submit(TroubleChanged("rules", True, kind.__name__))
        self._failed[kind] = self._clock.monotonic_ms()
        if isinstance(stimulus, ZoneChanged):
            # The rules did not take this reading in, and a driver says nothing twice unless it is asked.
            self._resync = True

    def _carry_out(self, state: "rules.PanelState", effects: tuple[Effect, ...]) -> None:
        # Sirens first, then cameras: neither waits for what is written.
        for effect in effects:
            if isinstance(effect, Switch):
                self._guarded(self._ports.switch, effect.output, effect.on)
        for effect in effects:
            if isinstance(effect, Capture):
                self._guarded(self._ports.capture, effect)
        records = tuple(e for e in effects if isinstance(e, Record))
        talk = tuple(e for e in effects if isinstance(e, Tell | Answer))
        if records or talk:
            self._guarded(self._ports.commit, records, state, talk)
        for effect in effects:
            if isinstance(effect, Request):
                self._guarded(self._ports.request, effect)

    def _guarded(self, call: Callable[..., object], *args: object) -> None:
        """The error boundary around everything foreign that the rules thread calls."""
        try:
            call(*args)
        except Exception:
            self.errors += 1
            log.exception("an effect failed; the panel goes on")


def _from_field(stimulus: Stimulus) -> bool:
    if isinstance(stimulus, TroubleChanged):
        return stimulus.trouble not in _OUTSIDE_TROUBLES
    return isinstance(stimulus, _FROM_FIELD)
