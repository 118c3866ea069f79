"""`fenghuo run all`: core, uplink, camera and clock as children of one process, restarted when they die or hang.

On a panel systemd does this, with a user and a sandbox for each; here is the same promise for a desk. A child that
dies comes back after a pause that grows from 0.2 s to 30 s, drawn at random below that (full jitter).
"""

import logging
import os
import random
import select
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from firmware.child import Child, Job
from firmware.clock import Clock, SystemClock
from firmware.config import Loaded
from firmware.rights import may_set_clock
from firmware.sd_notify import notify, watchdog_interval_s
from firmware.stopping import StopFlag

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0
STABLE_S = 60.0
"""A child that lived so long begins again with the shortest pause."""
HOPELESS = (2, 3)
"""Exit codes that say: a mistake in the file, or a board that this can't run on."""

_LONGEST_WAIT_MS = 1000

log = logging.getLogger("fenghuo.run")


def run_all(loaded: Loaded, log_level: str = "info") -> int:
    """Run the whole panel until SIGTERM or SIGINT; returns the exit code."""
    stop = StopFlag().install()
    try:
        rng = random.Random()  # noqa: S311  # jitter
        again = partial(_jobs_anew, loaded, log_level)
        supervisor = Supervisor(jobs(loaded, log_level), SystemClock(), rng, stop, again)
        return supervisor.run()
    finally:
        stop.close()


def jobs(loaded: Loaded, log_level: str) -> list[Job]:
    """Core first of all; the others where the file has something for them, and the machine lets them."""
    names = ["core"]
    if loaded.file.path:
        names.append("uplink")
    if loaded.file.camera:
        names.append("camera")
    if loaded.file.clock.from_center:
        if may_set_clock():
            names.append("clock")
        else:
            log.warning("the clock can't be set by the center's time: that needs the right CAP_SYS_TIME")
    tail = ["--config", str(loaded.path.absolute()), "--log-level", log_level]
    return [Job(name, [sys.executable, "-m", "firmware.commands", name, *tail]) for name in names]


def _jobs_anew(loaded: Loaded, log_level: str) -> list[Job] | None:
    """By the file as it is now; None where it can't be read."""
    from firmware.config import BadPanelFile, load

    try:
        return jobs(load(loaded.path), log_level)
    except BadPanelFile as bad:
        log.error("the panel file can't be read anew: %s", bad)
        return None


@dataclass
class _Slot:
    """A job's place: its child, or the moment of its next start."""

    job: Job
    child: Child | None = None
    start_at_ms: int = 0
    failures: int = 0
    was_ready: bool = False


class Supervisor:
    """The loop that starts, hears, restarts and stops. One thread; the first job must be able to run."""

    def __init__(
        self,
        jobs: Sequence[Job],
        clock: Clock,
        rng: random.Random,
        stop: StopFlag,
        anew: Callable[[], Sequence[Job] | None] = lambda: None,
    ) -> None:
        """`anew`: the jobs of another panel file, by which the first one has come back."""
        self._anew = anew
        self._slots = [_Slot(job) for job in jobs]
        self._clock = clock
        self._random = rng
        self._stop = stop
        self._hopeless: int | None = None
        self._told_ready = False
        self._beat_ms = int((watchdog_interval_s() or 0) * 1000)
        self._beat_at_ms = 0

    def run(self) -> int:
        """Until the stop flag is set.

        Returns 0 when every child then ended well and by itself, 1 else; or the code of a hopeless first job.
        """
        now = self._clock.monotonic_ms()
        while not self._stop.is_set() and self._hopeless is None:
            self._start_due(now)
            self._tell(now)
            planned = self._next_ms(now)
            self._wait(planned - now)
            now = self._clock.monotonic_ms()
            if now - planned > _LONGEST_WAIT_MS:
                self._forgive(now)
            for slot in list(self._slots):
                self._look(slot, now)
            self._follow(now)
        notify("STOPPING=1")
        clean = self._stop_all()
        return self._hopeless if self._hopeless is not None else 0 if clean else 1

    def pids(self) -> dict[str, int]:
        """The children that run now."""
        return {slot.job.name: slot.child.pid for slot in self._slots if slot.child}

    def _start_due(self, now: int) -> None:
        for slot in self._slots:
            if slot.child is None and slot.start_at_ms <= now:
                try:
                    slot.child = Child(slot.job, now, os.environ)
                except OSError as error:
                    log.error("%s can't be started: %s", slot.job.name, error)
                    self._pause(slot, now)
                else:
                    log.info("%s started, pid %d", slot.job.name, slot.child.pid)

    def _look(self, slot: _Slot, now: int) -> None:
        child = slot.child
        if child is None:
            return
        child.hear(now)
        slot.was_ready |= child.ready
        code = child.ended()
        if code is None and now < child.overdue_ms():
            return
        if code is None:
            log.error("%s gave no sign of life for too long: killed", slot.job.name)
            child.kill()
        child.close()
        slot.child = None
        if self._is_hopeless(slot, code):
            return
        if now - child.started_ms >= STABLE_S * 1000:
            slot.failures = 0
        self._pause(slot, now)
        pause = (slot.start_at_ms - now) / 1000
        log.warning("%s ended (code %d), again in %.1f s", slot.job.name, child.ended(), pause)

    def _follow(self, now: int) -> None:
        """After the first job has come back by another panel file: the processes that it wants, no others."""
        first = self._slots[0].child
        if first is None or not (first.reloaded and first.ready):
            return
        first.reloaded = False
        if (wanted := self._anew()) is None:
            return
        names, running = {job.name for job in wanted}, {slot.job.name for slot in self._slots}
        gone = [slot for slot in self._slots if slot.job.name not in names]
        self._stop_some(gone)
        self._slots = [slot for slot in self._slots if slot not in gone]
        self._slots += [_Slot(job, start_at_ms=now) for job in wanted if job.name not in running]

    def _is_hopeless(self, slot: _Slot, code: int | None) -> bool:
        if code in HOPELESS and slot is self._slots[0] and not slot.was_ready:
            log.error("%s can't run here (exit code %d): ending", slot.job.name, code)
            self._hopeless = code
        return self._hopeless is not None

    def _pause(self, slot: _Slot, now: int) -> None:
        slot.start_at_ms = now + int(pause_s(slot.failures, self._random) * 1000)
        slot.failures += 1

    def _tell(self, now: int) -> None:
        """Our own guard, where there is one: ready with all children, alive while this loop turns."""
        if not self._told_ready and all(slot.child is not None and slot.child.ready for slot in self._slots):
            self._told_ready = True
            notify("READY=1")
        if self._beat_ms and now >= self._beat_at_ms:
            notify("WATCHDOG=1")
            self._beat_at_ms = now + self._beat_ms

    def _next_ms(self, now: int) -> int:
        moments = [now + (self._beat_ms or _LONGEST_WAIT_MS)]
        moments += [slot.child.overdue_ms() if slot.child else slot.start_at_ms for slot in self._slots]
        return max(now, min(moments))

    def _forgive(self, now: int) -> None:
        """The machine slept, or we were stopped: the children's silence is not theirs."""
        for slot in self._slots:
            if slot.child:
                slot.child.forgive(now)

    def _wait(self, wait_ms: int) -> None:
        poll = select.poll()
        poll.register(self._stop.fileno(), select.POLLIN)
        for slot in self._slots:
            if slot.child:
                poll.register(slot.child.pidfd, select.POLLIN)
                poll.register(slot.child.guard.fileno(), select.POLLIN)
        poll.poll(wait_ms)

    def _stop_all(self) -> bool:
        """Stop the first job, then the others; True when none was killed and none failed.

        Core goes first: the uplink still carries its last records to the center.
        """
        first, others = self._slots[:1], self._slots[1:]
        return all([self._stop_some(first), self._stop_some(others)])

    def _stop_some(self, slots: Sequence[_Slot]) -> bool:
        """Ask these, wait so long as each job says, kill the rest; True when none was killed and none failed."""
        children = [slot.child for slot in slots if slot.child]
        for child in children:
            child.terminate()
        asked = self._clock.monotonic_ms()
        clean = True
        for child in children:
            code = _ended_by(child, asked + int(child.job.stop_s * 1000), self._clock)
            if code is None:
                log.error("%s did not stop in %.0f s: killed", child.job.name, child.job.stop_s)
            # A child that was still starting has no handler yet: our own SIGTERM ends it, and nothing was up.
            starting = code == -signal.SIGTERM and not child.ready
            clean = clean and (code == 0 or starting)
            child.close()
        return clean


def pause_s(failures: int, rng: random.Random) -> float:
    """How long to wait before the next start, after so many failures in a row before this one."""
    return rng.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, 16)))


def _ended_by(child: Child, deadline_ms: int, clock: Clock) -> int | None:
    poll = select.poll()
    poll.register(child.pidfd, select.POLLIN)
    while child.ended() is None and (left := deadline_ms - clock.monotonic_ms()) > 0:
        poll.poll(left)
    return child.ended()
