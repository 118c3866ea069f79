"""Core's side of the mirror: keeps its child at work, hears how it does, and makes a trouble of it.

All that touches the second medium is the child: where that hangs, even so deep in the kernel that it can't be killed,
core waits for nothing, and starts no second one beside it. Nothing here raises into core.
"""

import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from drivers.bus.process import Child
from drivers.retry import Retry
from firmware.mirror.words import END, LIMIT, BadWord, Setup, Status, packed, status
from rules.effects import JsonValue

SILENT_MS = 60_000
"""A child that says nothing for so long is a trouble: the medium does not answer, or is slower than it may be."""
KILLED_AFTER = 10
"""So many times as long, and it is killed, as soon as the kernel lets that be."""
MEMORY_KIB = 64 * 1024
STABLE_MS = 60_000
HANGS = "hangs: the medium does not answer"
END_S = 3.0
"""So long core waits at its own end until the last records are on the mirror."""
PASS_S = 0.5

log = logging.getLogger("fenghuo.core.mirror")


def child_argv() -> list[str]:
    """The command of the child; the number of its descriptor comes after it."""
    return [sys.executable, "-m", "firmware.mirror.child"]


class MirrorKeeper:
    """A thread of its own; `trouble(present, detail)` is called from it."""

    def __init__(
        self,
        what: Setup,
        clock_ms: Callable[[], int],
        trouble: Callable[[bool, str], object],
        argv: Sequence[str] | None = None,
        silent_ms: int = SILENT_MS,
    ) -> None:
        """`clock_ms` is monotonic."""
        self._setup = packed(what)
        self._clock_ms = clock_ms
        self._trouble = trouble
        self._argv = argv or child_argv()
        self._silent_ms = silent_ms
        self._child: Child | None = None
        self._retry = Retry()
        self._last: Status | None = None
        self._told: str | None = None
        self._starts = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Start the thread, which starts the child."""
        self._thread.start()

    def figures(self) -> dict[str, JsonValue]:
        """For telemetry and diagnosis."""
        last = self._last
        return {
            "mirror": self._told or "",
            "mirror_records": last.records if last else 0,
            "mirror_checked": last.checked if last else 0,
            "mirror_free_mib": last.free_mib if last else -1,
            "mirror_starts": self._starts,
        }

    def close(self) -> None:
        """Let the child copy the end of the journal, which is closed now, and end it; never for long."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(END_S + 3 * PASS_S)

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._pass(self._clock_ms())
            except Exception:
                log.exception("a pass over the mirror failed")
                self._ending.wait(PASS_S)
        if self._child is not None:
            self._end(self._child)  # in this thread: the kernel ends the child together with the thread that began it

    def _end(self, child: Child) -> None:
        with suppress(OSError):
            child.line.send(END)
            _readable([child.pidfd], END_S)
        _kill(child)
        if child.process.poll() is not None:
            child.end()

    def _pass(self, now_ms: int) -> None:
        child = self._child
        if child is None:
            if self._retry.error is None or self._retry.due(now_ms):
                self._open(now_ms)
            self._ending.wait(PASS_S)
            return
        _readable([child.line.fileno(), child.pidfd], PASS_S)
        if child.process.poll() is not None:
            self._lost(child, f"its process ended with {child.process.returncode}", now_ms)
            return
        self._hear(child, now_ms)
        silent_ms = now_ms - child.heard_ms
        if silent_ms > self._silent_ms:
            self._tell(HANGS)
        if silent_ms > KILLED_AFTER * self._silent_ms:
            self._give_up(child, HANGS, now_ms)
        elif (kib := child.resident_kib()) > MEMORY_KIB:
            self._give_up(child, f"its process holds {kib} KiB", now_ms)
        elif now_ms - child.started_ms > STABLE_MS:
            self._retry.stands()

    def _open(self, now_ms: int) -> None:
        try:
            child = Child(self._argv, now_ms)
            child.line.send(self._setup)
        except OSError as error:
            self._retry.failed(error, now_ms, "the mirror")
            self._tell(f"its process can't be started: {error}")
            return
        self._starts += 1
        self._child = child

    def _hear(self, child: Child, now_ms: int) -> None:
        for _ in range(16):
            try:
                packet = child.line.recv(LIMIT)
                if not packet:
                    return  # it has ended: told by its pidfd
                said = status(packet)
            except BlockingIOError:
                return
            except (OSError, BadWord) as error:
                self._give_up(child, f"its process talks nonsense: {error}", now_ms)
                return
            child.heard_ms = now_ms
            if not said.busy:
                self._last = said
                self._retry.works("the mirror")
                self._tell(f"{said.code}: {said.detail}" if said.code else "")

    def _give_up(self, child: Child, why: str, now_ms: int) -> None:
        """Kill it. Until the kernel has let it go nothing is started in its place."""
        self._tell(why)
        _kill(child)
        if child.process.poll() is not None:
            self._lost(child, why, now_ms)

    def _lost(self, child: Child, why: str, now_ms: int) -> None:
        self._tell(self._told or why)
        child.end()
        self._child = None
        self._retry.failed(RuntimeError(why), now_ms, "the mirror")

    def _tell(self, why: str) -> None:
        if why != self._told:
            if why and self._told:  # the detail changed: it stands already
                self._told = why
                return
            self._told = why
            self._trouble(bool(why), why)


def _readable(handles: list[int], seconds: float) -> None:
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    poll.poll(seconds * 1000)


def _kill(child: Child) -> None:
    """Ask the kernel to end it with all that it started, and wait for that a moment at most."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    _readable([child.pidfd], PASS_S)
