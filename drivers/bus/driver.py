"""Core's side of a bus: starts the child, hears it, and starts another when it ends, hangs, leaks or talks nonsense.

A bus that is out of order is told first, then all its zones read fault; it is well again when a child has said every
zone once. Outputs keep what was last ordered: a new child is given it before all else. Nothing here raises into core.
"""

import logging
import select
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread, current_thread
from typing import Any

from drivers.bus.process import Child, child_argv
from drivers.bus.words import (
    LIMIT,
    BadWord,
    Bidding,
    Entered,
    Failed,
    Figures,
    Order,
    ReadBack,
    Report,
    Sensed,
    Setup,
    Show,
    Tampered,
    Up,
    packed,
    saying,
)
from drivers.retry import Retry
from rules.site import Condition

SILENT_MS = 5_000
"""A child that says nothing for so long hangs (EN 50131-1, digest §1.9: an interconnection may be away for 10 s)."""
START_MS, LONGEST_START_MS = 8_000, 64_000
"""So long a child may take until it is up: its first round over, or its port told as missing. The one after a child
that took longer may take twice as long: a busy board's children would else be killed for ever just before they are up.
"""
MEMORY_KIB = 64 * 1024
"""A child that holds more leaks (the budget is 35 MiB a bus, DESIGN §6)."""
STABLE_MS = 60_000
"""A child that lived so long begins again with the shortest pause."""
STUCK_MS = 5_000
MAX_WORDS = 256
"""So many words are taken in one pass; a child that babbles waits in its own send."""
PASS_S = 0.02
"""The least time between two passes that are full of words."""
MAX_BIDDINGS = 256
"""So many biddings wait for a child; more are a child that does not listen, and it is killed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ears:
    """Who hears a bus. All are called from its thread, must not block, and may fail alone.

    `condition(zone, condition)`; `failed(part, present, detail)`, part "" is the whole bus; `tampered` likewise;
    `entered(device, what, text)`.
    """

    condition: Callable[[str, Condition], None]
    failed: Callable[[str, bool, str], None]
    tampered: Callable[[str, bool, str], None]
    entered: Callable[[str, str, str], None]


@dataclass(frozen=True)
class BusWiring:
    """What is on a bus: the zones, outputs, parts (modules) and devices (keypads, readers) that its child may name.

    `wiring` is handed to the child as it is.
    """

    id: str
    kind: str
    wiring: Mapping[str, Any]
    zones: Sequence[str] = ()
    outputs: Sequence[str] = ()
    parts: Set[str] = frozenset()
    devices: Set[str] = frozenset()


class BusDriver:
    """One bus, with a thread of its own that keeps a child at work."""

    def __init__(
        self,
        bus: BusWiring,
        clock_ms: Callable[[], int],
        ears: Ears,
        clock_rate: int = 1,
        argv: Sequence[str] | None = None,
    ) -> None:
        """`clock_ms` is monotonic; `clock_rate` is how much faster than the world it runs (simulated pins only)."""
        self.bus = bus
        self._argv = argv or child_argv(bus.kind)
        self._clock_ms = clock_ms
        self._rate = clock_rate
        self._ears = ears
        self._wanted: dict[str, bool] = dict.fromkeys(bus.outputs, False)
        self._read_back: dict[str, bool] = {}
        self._reported: dict[str, Condition | None] = dict.fromkeys(bus.zones)
        self._failed: dict[str, str] = {}
        self._tampered: dict[str, str] = {}
        self._tampers_told: set[str] = set()
        self._biddings: deque[Bidding] = deque()
        self._shown: dict[str, Mapping[str, Any]] = {}
        self._figures: Mapping[str, Any] = {}
        self._lock = Lock()
        self._retry = Retry()
        self._child: Child | None = None
        self._began = False
        self._starts = self._callback_errors = 0
        self._start_ms = START_MS
        self._passed_ms = clock_ms()
        self._stop = Event()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._thread = Thread(target=self._run, name=bus.id, daemon=True)

    # --- for core (any thread) --------------------------------------------------------------------

    def claim_outputs(self, wanted: Mapping[str, bool]) -> None:
        """What each output has to be; those not named are off. The child is given it when it starts."""
        for output in self.bus.outputs:
            self._wanted[output] = wanted.get(output, False)

    def start(self) -> None:
        """Start the thread, which starts the child."""
        self._passed_ms = self._clock_ms()
        self._thread.start()

    def switch(self, output: str, on: bool) -> bool:
        """Order an output; never blocks. False when the bus is out of order: it will be done when it works again."""
        self._wanted[output] = on
        child = self._child
        self._bid(Order(output, on))
        return child is not None and child.up and not self._failed

    def show(self, device: str, what: Mapping[str, Any]) -> None:
        """What a device shows from now on; a new child is told again."""
        with self._lock:
            self._shown[device] = what
        self._bid(Show(device, what))

    def report_all(self) -> None:
        """Every zone's condition again, from the child's own reading."""
        self._bid(Report())

    def alive(self) -> bool:
        """Whether the thread turns; the child is its business."""
        return self._thread.is_alive() and self._clock_ms() - self._passed_ms < STUCK_MS * self._rate

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis: of the driver, and under `bus` what its child said last."""
        child, now_ms = self._child, self._clock_ms()
        error = self._retry.error or next(iter(self._failed.values()), None)
        return {
            "kind": self.bus.kind,
            "alive": self.alive(),
            "up": child is not None and child.up,
            "pid": child.process.pid if child else None,
            "starts": self._starts,
            "silent_ms": now_ms - child.heard_ms if child else None,
            "resident_kib": child.kib if child else 0,
            "errors": self._retry.errors,
            "error": error,
            "failed": dict(self._failed),
            "callback_errors": self._callback_errors,
            "zones": {
                zone: {"condition": condition and condition.value, "error": error}
                for zone, condition in self._reported.items()
            },
            "outputs": {
                output: {"on": on, "read_back": self._read_back.get(output)} for output, on in self._wanted.items()
            },
            "bus": dict(self._figures),
        }

    def close(self) -> None:
        """Stop the thread and its child; outputs keep what the modules make of a silent bus."""
        self._stop.set()
        self._poke()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=STUCK_MS / 1000)
        if self._child is not None:
            self._child.end()
            self._child = None
        self._wake_in.close()
        self._wake_out.close()

    def _bid(self, word: Bidding) -> None:
        with self._lock:
            # Without a child nothing needs to wait: the next one is told all of it when it starts.
            if self._child is not None:
                self._biddings.append(word)
        self._poke()

    def _poke(self) -> None:
        with suppress(OSError):
            self._wake_in.send(b"!")

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            self._passed_ms = self._clock_ms()
            try:
                self._pass(self._passed_ms)
            except Exception:
                self._callback_errors += 1
                _log.exception("a pass over bus %s failed", self.bus.id)
                self._stop.wait(PASS_S)

    def _pass(self, now_ms: int) -> None:
        if self._child is None:
            if not self._began or self._retry.due(now_ms):
                self._open(now_ms)
            else:
                self._wait(0.2)
            return
        child = self._child
        if not self._bidden(child):
            self._lose("it does not listen", now_ms)
            return
        self._wait(0.2)
        self._hear(child, self._clock_ms())

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wake_out, select.POLLIN)
        child = self._child
        if child is not None:
            poll.register(child.line, select.POLLIN | (select.POLLOUT if self._biddings else 0))
            poll.register(child.pidfd, select.POLLIN)
        poll.poll(seconds * 1000)
        with suppress(BlockingIOError):
            self._wake_out.recv(4096)

    def _open(self, now_ms: int) -> None:
        self._began = True
        try:
            child = Child(self._argv, now_ms)
        except OSError as error:
            self._fail(f"the bus process can't be started: {error}", now_ms)
            return
        self._starts += 1
        self._child = child
        with self._lock:
            self._biddings.clear()
            self._biddings.append(Setup(self.bus.wiring, dict(self._wanted)))
            self._biddings.extend(Show(device, what) for device, what in self._shown.items())

    def _bidden(self, child: Child) -> bool:
        """Send what waits, as far as the child takes it; False when too much waits."""
        while True:
            with self._lock:
                if not self._biddings:
                    return True
                word = self._biddings[0]
            try:
                child.line.send(packed(word))
            except BlockingIOError:
                return len(self._biddings) <= MAX_BIDDINGS
            except OSError:
                return True  # it has ended: told by its pidfd
            with self._lock:
                if self._biddings and self._biddings[0] is word:
                    self._biddings.popleft()

    def _hear(self, child: Child, now_ms: int) -> None:
        wrong = ""
        for count in range(MAX_WORDS):
            try:
                packet = child.line.recv(LIMIT)
                if not packet:
                    break
                self._take(child, packet, now_ms)
            except BlockingIOError:
                break
            except BadWord as error:
                wrong = f"it said what is no word: {error}"
                break
            except OSError:
                break
            if count == MAX_WORDS - 1:
                self._stop.wait(PASS_S)
        wrong = wrong or self._amiss(child, now_ms)
        if wrong:
            self._lose(wrong, now_ms)

    def _amiss(self, child: Child, now_ms: int) -> str:
        """What is wrong with a child, "" for nothing."""
        code = child.process.poll()
        if code is not None:
            return f"it ended by itself (exit code {code})"
        if not child.up and now_ms - child.started_ms > self._start_ms * self._rate:
            self._start_ms = min(self._start_ms * 2, LONGEST_START_MS)
            silent = child.heard_ms == child.started_ms
            return "it gave no sign of life" if silent else "its first round took too long"
        if child.up and now_ms - child.heard_ms > SILENT_MS * self._rate:
            return "it gave no sign of life"
        if child.kib > MEMORY_KIB:
            return f"it holds {child.kib // 1024} MiB of memory, at most {MEMORY_KIB // 1024} are its own"
        if child.up and now_ms - child.started_ms > STABLE_MS * self._rate:
            self._retry.stands()
            self._start_ms = START_MS
        return ""

    def _take(self, child: Child, packet: bytes, now_ms: int) -> None:
        word = saying(packet)
        child.heard_ms = now_ms
        match word:
            case Figures(figures):
                self._figures = figures
                child.kib = child.resident_kib()
            case Sensed(zone, condition):
                self._known(zone, self._reported)
                child.known.add(zone)
                self._condition(zone, condition)
            case Failed(part, present, detail):
                self._part(part)
                (child.failed.add if present else child.failed.discard)(part)
                self._tell_failed(part, present, detail)
            case Tampered(part, present, detail):
                self._part(part)
                (child.tampered.add if present else child.tampered.discard)(part)
                self._tell_tampered(part, present, detail)
            case ReadBack(output, on):
                self._known(output, self._wanted)
                self._read_back[output] = on
            case Entered(device, what, text):
                self._known(device, self.bus.devices)
                self._tell(self._ears.entered, device, what, text)
            case Up():
                self._came_up(child)

    def _known(self, name: str, names: Set[str] | Mapping[str, Any]) -> None:
        if name not in names:
            raise BadWord(f"{name[:40]!r}, which is not on this bus")

    def _part(self, part: str) -> None:
        if part:
            self._known(part, self.bus.parts)

    def _came_up(self, child: Child) -> None:
        missing = [zone for zone in self.bus.zones if zone not in child.known]
        if missing:
            raise BadWord(f"up, though zones were not said: {', '.join(missing[:5])}")
        child.up = True
        self._retry.works(f"bus {self.bus.id}")
        for part in [p for p in self._failed if p not in child.failed]:
            self._tell_failed(part, False, "")
        for part in [p for p in self._tampered if p not in child.tampered]:
            self._tell_tampered(part, False, "")

    def _lose(self, why: str, now_ms: int) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()
        self._fail(f"the bus process was lost: {why}", now_ms)

    def _fail(self, why: str, now_ms: int) -> None:
        """A fault is known to be the bus's own, not the detectors': its trouble begins before."""
        self._retry.failed(RuntimeError(why), now_ms, f"bus {self.bus.id}")
        self._tell_failed("", True, why)
        self._figures = {}
        self._read_back.clear()
        for zone in self.bus.zones:
            self._condition(zone, Condition.FAULT)

    # --- telling ------------------------------------------------------------------------------------

    def _condition(self, zone: str, condition: Condition) -> None:
        self._reported[zone] = condition
        self._tell(self._ears.condition, zone, condition)

    def _tell_failed(self, part: str, present: bool, detail: str) -> None:
        if present is not (part in self._failed):
            self._mark(self._failed, part, present, detail)
            self._tell(self._ears.failed, part, present, detail)

    def _tell_tampered(self, part: str, present: bool, detail: str) -> None:
        # The first word about a part is passed on in any case: a tamper may stand from the life of core before.
        if present is not (part in self._tampered) or part not in self._tampers_told:
            self._tampers_told.add(part)
            self._mark(self._tampered, part, present, detail)
            self._tell(self._ears.tampered, part, present, detail)

    @staticmethod
    def _mark(marks: dict[str, str], part: str, present: bool, detail: str) -> None:
        if present:
            marks[part] = detail
        else:
            marks.pop(part, None)

    def _tell(self, callback: Callable[..., None], *words: Any) -> None:
        try:
            callback(*words)
        except Exception:
            self._callback_errors += 1
            _log.exception("telling %s failed", words)
