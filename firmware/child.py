"""One child process of `fenghuo run all`: started in a group of its own, watched, killed with all that it started.

When its parent dies without a word the kernel sends it SIGTERM, so it stops in good order and does not outlive it.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from drivers.bus.bond import GUARDS
from firmware.guard import NotifySocket

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Job:
    """What to run.

    `watchdog_s`: how long it may be silent once ready; `start_s`: how long it may take to get ready; `stop_s`: how long
    it may take to stop when asked. Beyond each it is killed.
    """

    name: str
    argv: Sequence[str]
    watchdog_s: float = 20.0
    start_s: float = 60.0
    stop_s: float = 10.0


class Child:
    """A running process of a job. All moments are monotonic milliseconds of the supervisor's clock."""

    def __init__(self, job: Job, now_ms: int, environment: Mapping[str, str]) -> None:
        self.job = job
        self.started_ms = now_ms
        self.ready = False
        self.reloaded = False
        """It has come back by another panel file; whoever has dealt with that says so here."""
        self._heard_ms = now_ms
        self.guard = NotifySocket()
        own = {name: value for name, value in environment.items() if name not in GUARDS}
        own |= {"NOTIFY_SOCKET": self.guard.address, "WATCHDOG_USEC": str(int(job.watchdog_s * 1_000_000))}
        parent = os.getpid()
        try:
            self._process = subprocess.Popen(
                job.argv,
                stdin=subprocess.DEVNULL,
                env=own,
                process_group=0,
                preexec_fn=lambda: _die_with(parent),  # the supervisor has one thread
            )
        except OSError:
            self.guard.close()
            raise
        self.pidfd = os.pidfd_open(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def hear(self, now_ms: int) -> None:
        """Take in what it has said to its guard."""
        for word in self.guard.received(self.pid):
            if word == "READY=1":
                self.ready = True
            if word == "RELOADING=1":
                self.ready, self.reloaded = False, True
            if word in ("READY=1", "WATCHDOG=1", "RELOADING=1"):
                self._heard_ms = now_ms

    def overdue_ms(self) -> int:
        """The moment at which its silence becomes too long."""
        limit_s = self.job.watchdog_s if self.ready else self.job.start_s
        return self._heard_ms + int(limit_s * 1000)

    def forgive(self, now_ms: int) -> None:
        """Count its silence from now: nobody could listen."""
        self._heard_ms = now_ms

    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to stop."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it and all of its group at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Forget an ended child: what it left of its group is killed."""
        self.kill()
        self._process.wait()
        os.close(self.pidfd)
        self.guard.close()


def _die_with(parent: int) -> None:
    """In the child, before exec: SIGTERM when the parent is gone."""
    # The supervisor's own handlers are still here, and would write into its pipe.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above
        os.kill(os.getpid(), signal.SIGTERM)
