"""A clean stop: SIGTERM and SIGINT set a flag, and wake whoever waits on it.

The flag is a byte in a pipe that is never read, and not a `threading.Event`: a handler that runs while the main thread
is inside `Event.wait` can lock itself out, and a loop over sockets can wait for a file descriptor only. The interpreter
itself writes that byte at once, in whichever thread the kernel hands the signal to: Python's handlers run in the main
thread alone, which would go on waiting, since nothing has interrupted it.
"""

import os
import select
import signal
from collections.abc import Iterable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopFlag:
    """Set once, stays set. Any thread may ask, wait or set; only the main thread may `install`."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._reason = ""
        self._before: dict[int, object] = {}
        self._wakeup_before: int | None = None

    def install(self, signals: Iterable[signal.Signals] = SIGNALS) -> "StopFlag":
        """Let these signals set the flag, until `close`. No other signal may have a handler of Python's meanwhile."""
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in signals:
            self._before[number] = signal.signal(number, self._caught)
        return self

    def set(self, reason: str) -> None:
        """Ask for the stop; the first reason counts."""
        if not self._reason:
            self._reason = reason
            os.write(self._write, b"!")

    @property
    def reason(self) -> str:
        """Why: `SIGTERM`, `SIGINT` or what `set` was given; empty while not set, and until a handler has run."""
        return self._reason

    def is_set(self) -> bool:
        """Whether to stop."""
        return self.wait(0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleep until the flag is set, at most `timeout_s`; True when it is set."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000))

    def fileno(self) -> int:
        """Readable from the moment the flag is set; for `select`, never to be read."""
        return self._read

    def close(self) -> None:
        """Give the signals back and close the pipe."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned before
        self._before.clear()
        if self._wakeup_before is not None:
            signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read)
        os.close(self._write)

    def _caught(self, number: int, _frame: FrameType | None) -> None:
        self.set(signal.Signals(number).name)
