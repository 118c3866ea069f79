"""The stage of the demo: one queue into which panel, center and play tell what happens; waiting that never goes dark.

All that is shown passes through `pump`, in one thread, in the order in which it came in.
"""

import heapq
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firmware.clock import Clock
from firmware.language import Text
from hil.center import Arrival, Center
from hil.demo_panel import PanelProcesses, ask
from hil.demo_screen import Screen
from hil.timeline import Happening, Timeline

_SHOWN = ("record", "receipt", "heartbeat", "state", "link", "command", "reply", "garbage", "rival")
_PAUSE_S = 0.05
_SETTLE_MS = 60
"""What is told is held so long before it is shown, so that the tellers' happenings stand in the order they happened."""


class Stopped(Exception):
    """The person at the terminal, or a signal, ended the demo."""


_MISSED: Text = ("did not happen in time: {what}", "未在规定时间内发生:{what}")


class Missed(Exception):
    """Something that had to happen did not happen in time."""

    def __init__(self, what: Text) -> None:
        super().__init__(what[0])
        self.text: Text = (_MISSED[0].format(what=what[0]), _MISSED[1].format(what=what[1]))


class Stage:
    """What a play uses: act, wait, look at the facts."""

    def __init__(
        self, timeline: Timeline, screen: Screen, clock: Clock, stop: threading.Event, pace: float = 1
    ) -> None:
        """`pace` scales the pauses that are only for the eyes."""
        self._pace = pace
        self.timeline = timeline
        self.problems: list[Text] = []
        self.panel: PanelProcesses | None = None
        self._screen = screen
        self._clock = clock
        self._stop = stop
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._held: list[tuple[int, int, Happening]] = []
        self._count = 0

    def put(self, happening: Happening) -> None:
        """From any thread: something happened."""
        self._queue.put(happening)

    def arrived(self, arrival: Arrival) -> None:
        """From the center's thread: something arrived there, or left it."""
        if arrival.what in _SHOWN:
            self.put(Happening(arrival.monotonic_ms, "center", arrival.what, arrival.panel, arrival.body))

    def now(self) -> int:
        """Boot clock, milliseconds."""
        return self._clock.monotonic_ms()

    def step(self, text: Text, tone: str = "step") -> None:
        """Say what comes next."""
        self.put(Happening(self._clock.monotonic_ms(), "demo", "step", tone, text))
        self.flush()

    def act(self, socket: Path, message: BaseModel, what: str, name: str, value: Any) -> int:
        """The hand does something at the site; shown before core can answer. Returns the moment."""
        now = self._clock.monotonic_ms()
        self.put(Happening(now, "hand", what, name, value))
        ask(socket, message)
        self._pump()
        return now

    def wait(
        self, doing: Text, until: Callable[[], object], timeout_s: float, countdown_s: float | None = None
    ) -> None:
        """Show what comes in until the condition holds; raises `Missed`, `Stopped` or `PanelDied`.

        `countdown_s` is shown running down where something is known to last so long.
        """
        begin = time.monotonic()
        while True:
            self._pump()
            if until():
                return
            passed = time.monotonic() - begin
            if self._stop.is_set():
                raise Stopped
            if self.panel is not None:
                self.panel.check()
            if passed > timeout_s:
                raise Missed(doing)
            rest = max(0.0, (timeout_s if countdown_s is None else countdown_s) - passed)
            self._screen.foot(doing, rest, sum(self.timeline.facts.stored.values()))
            self._collect(_PAUSE_S)

    def expect(
        self, doing: Text, until: Callable[[], object], timeout_s: float, countdown_s: float | None = None
    ) -> bool:
        """As `wait`, but a thing that stays out is kept as a problem, and the play goes on."""
        try:
            self.wait(doing, until, timeout_s, countdown_s)
        except Missed as missed:
            self.problem(missed.text)
            return False
        return True

    def pause(self, doing: Text, seconds: float) -> None:
        """Let some time pass."""
        end = time.monotonic() + seconds
        self.wait(doing, lambda: time.monotonic() >= end, seconds + 1, seconds)

    def rest(self, doing: Text, seconds: float) -> None:
        """A pause for the eyes of the person who watches; short where nobody does."""
        self.pause(doing, seconds * self._pace)

    def problem(self, text: Text) -> None:
        """Something is not as it must be: shown, and the verdict is against the demo."""
        self.problems.append(text)
        self.step(text, "bad")

    def check(self, text: Text, holds: object) -> None:
        """A thing that must hold now."""
        if not holds:
            self.problem(text)

    def flush(self) -> None:
        """Show all that was told, at the end."""
        self._pump(settle_ms=0)

    def _pump(self, settle_ms: int = _SETTLE_MS) -> None:
        while self._collect(0):
            pass
        until = self._clock.monotonic_ms() - settle_ms
        while self._held and self._held[0][0] <= until:
            happening = heapq.heappop(self._held)[2]
            self._screen.happening(happening, self.timeline.feed(happening))

    def _collect(self, wait_s: float) -> bool:
        try:
            happening = self._queue.get(timeout=wait_s) if wait_s else self._queue.get_nowait()
        except queue.Empty:
            return False
        self._count += 1
        heapq.heappush(self._held, (happening.ms, self._count, happening))
        return True


def held(center: Center, panel: str, kind: str) -> int:
    """How many records of this kind the center holds."""
    return int(center.store.rows("SELECT COUNT(*) FROM records WHERE panel=? AND kind=?", panel, kind)[0][0])
