"""Telling the service manager how a process is: ready, alive, stopping (sd_notify(3)).

A process that nobody guards has no `NOTIFY_SOCKET`, and all this does nothing; it never raises, since a panel must not
stop because its guard is gone.
"""

import os
import socket
from collections.abc import Mapping

ALONE_MS = 5_000
"""How long a process beside core is not ready without it; core's absence is its own trouble, and holds nobody up."""


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=…` (lines of them); True when it was handed over.

    `NOTIFY_SOCKET` is a path, or a name of the abstract space beginning with `@`.
    """
    name = environment.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return False
    address = "\0" + name[1:] if name.startswith("@") else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            # A guard that does not read must not hold up the process that it guards.
            sender.setblocking(False)
            sender.sendto(state.encode(), address)
    except (OSError, ValueError):
        return False
    return True


def watchdog_interval_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often to send `WATCHDOG=1`, seconds: half of what the guard allows; None where nobody watches."""
    try:
        limit_us = int(environment.get("WATCHDOG_USEC", "0"))
        watched = int(environment.get("WATCHDOG_PID", str(os.getpid())))
    except ValueError:
        return None
    if limit_us <= 0 or watched != os.getpid():
        return None
    return limit_us / 2_000_000


class Readiness:
    """`READY=1` of a process beside core, once: when core has welcomed it, or after `ALONE_MS` without.

    So who has waited for its start can ask core for it (`fenghuo try path` after a restart of the uplink).
    """

    def __init__(self, now_ms: int) -> None:
        """`now_ms`: the monotonic clock."""
        self._said = False
        self._alone_at = now_ms + ALONE_MS

    def turn(self, welcomed: bool, now_ms: int) -> bool:
        """Say it when it is time; whether it is said."""
        if not self._said and (welcomed or now_ms >= self._alone_at):
            self._said = True
            notify("READY=1")
        return self._said
