"""A child that a test kills, forked from a process that has no threads.

A test's process has threads, its own and some that earlier tests left behind. A plain fork copies whatever lock one of
them holds at that moment (SQLite's, say), and in the child nobody would ever give it back.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

_SERVER = get_context("forkserver")
# What the children need, imported once and not by each of them.
_SERVER.set_forkserver_preload(
    [
        "provisioning.enrolment.commands",
        "provisioning.restore",
        "tests.firmware.mirror.rig",
        "tests.hil.life.storage_rig",
        "tests.provisioning.calling",
    ]
)


@dataclass(frozen=True)
class Child:
    """One that runs; it is killed when the test leaves it."""

    process: ForkServerProcess
    said: Connection

    def hear(self, most: int | None = None) -> Iterator[bytes]:
        """What it says, until it ends or has said so much."""
        with contextlib.suppress(EOFError):
            while most is None or most > 0:
                yield self.said.recv_bytes()
                most = None if most is None else most - 1

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.process.kill()
        self.process.join()


@contextlib.contextmanager
def child(work: Callable[..., object], *words: object) -> Iterator[Child]:
    """`work(*words, tell)` runs in it; `tell.send_bytes` of less than 4 KiB is heard whole or not at all."""
    ours, theirs = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=work, args=(*words, theirs))
    process.start()
    theirs.close()
    it = Child(process, ours)
    try:
        yield it
    finally:
        it.kill()
        ours.close()


def exit_code(work: Callable[..., object], *words: object) -> int:
    """Run `work(*words)` in a child to its end: what it ended with, a signal as a negative number."""
    process = _SERVER.Process(target=work, args=words)
    process.start()
    process.join()
    code = process.exitcode
    assert code is not None
    return code
