"""One life of a bus child: its process and its end of the talk. It dies with all that it started."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from drivers.bus.bond import GUARDS


def child_argv(kind: str) -> list[str]:
    """The command of a bus child; the number of its descriptor comes after it."""
    return [sys.executable, "-m", "drivers.bus.child", kind]


class Child:
    """A running child and what is known of it in this life."""

    def __init__(self, argv: Sequence[str], now_ms: int) -> None:
        """Start it; raises `OSError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                descriptor = theirs.fileno()
                self.process = subprocess.Popen(
                    [*argv, str(descriptor)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[descriptor],
                    process_group=0,
                    env={name: value for name, value in os.environ.items() if name not in GUARDS},
                )
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        self.line = ours
        self.pidfd = os.pidfd_open(self.process.pid)
        self.started_ms = self.heard_ms = now_ms
        self.up = False
        self.kib = 0
        self.known: set[str] = set()
        self.failed: set[str] = set()
        self.tampered: set[str] = set()

    def resident_kib(self) -> int:
        """What it holds in memory; 0 when it has ended."""
        with suppress(OSError, ValueError, IndexError), Path(f"/proc/{self.process.pid}/statm").open() as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
        return 0

    def end(self) -> int:
        """Kill it with all that it started; its exit code."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.line.close()
        os.close(self.pidfd)
        return code
