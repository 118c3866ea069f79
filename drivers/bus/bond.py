"""What binds a child process of core's to core: it must not outlive it, and not speak in its name."""

import ctypes
import os
import signal

GUARDS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Names in the environment that are the parent's own: a child must not be able to feed its parent's watchdog."""

_PR_SET_PDEATHSIG = 1


def die_with_core() -> None:
    """In the child: core stops it itself; when core is killed, the kernel does. Raises `SystemExit` without core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C on a desk goes to the whole group: core says when
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        raise SystemExit(0)
