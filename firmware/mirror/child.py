"""The mirror's child: `python -m firmware.mirror.child FD`. Core's socket is descriptor FD.

It copies once a second what is new, says once a second how it does, and ends when core lets go of the socket, says so,
or dies. It has the lowest priority, and no key but the public one.
"""

import os
import select
import socket
import sys
import time
from contextlib import suppress

from drivers.bus.bond import die_with_core
from firmware.mirror.keeping import Mirror
from firmware.mirror.words import END, LIMIT, BadWord, Setup, Status, packed, setup

TURN_S = 1.0
LONGEST_PAUSE_S = 30.0
SETUP_S = 10.0


class CoreGone(Exception):
    """Core has closed its side."""


class Line:
    """The child's end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end

    def heard(self, wait_s: float) -> bytes | None:
        """The next packet, None when none comes in time. Raises `CoreGone`."""
        ready, _, _ = select.select([self._end], [], [], max(0.0, wait_s))
        if not ready:
            return None
        packet = self._end.recv(LIMIT)
        if not packet:
            raise CoreGone
        return packet

    def say(self, status: Status) -> None:
        """Say how it does; what core has no room for is dropped: the next says it again. Raises `CoreGone`."""
        try:
            self._end.send(packed(status))
        except BlockingIOError:
            return
        except OSError as error:
            raise CoreGone from error


class Keeper:
    """Turns a mirror until core is gone."""

    def __init__(self, line: Line, what: Setup) -> None:
        self._line = line
        self._mirror = Mirror(what)
        self._told_s = 0.0
        self._code, self._detail = "", ""

    def turn(self) -> bool:
        """One turn, and what came of it; whether all is well."""
        self._code, self._detail = self._mirror.turn(time.monotonic(), self._alive)
        self._say(busy=False)
        return not self._code

    def _alive(self) -> None:
        if time.monotonic() - self._told_s >= TURN_S:
            self._say(busy=True)

    def _say(self, busy: bool) -> None:
        self._told_s = time.monotonic()
        mirror = self._mirror
        free = -1 if busy else mirror.free_mib()
        self._line.say(Status(self._code[:40], self._detail[:200], mirror.records, mirror.checked, free, busy))

    def life(self) -> None:
        """Turn until the end is said, then once more. Raises `CoreGone`."""
        pause = TURN_S
        while True:
            pause = TURN_S if self.turn() else min(LONGEST_PAUSE_S, 2 * pause)
            until = time.monotonic() + pause
            while (left := until - time.monotonic()) > 0:
                if self._line.heard(min(left, TURN_S)) == END:
                    self.turn()
                    return
                self._alive_between()

    def _alive_between(self) -> None:
        if time.monotonic() - self._told_s >= TURN_S:
            self._say(busy=False)


def main(argv: list[str]) -> int:
    """Run the mirror; the exit code is 0 when core let go."""
    die_with_core()
    with suppress(OSError):
        os.nice(15)
    os.umask(0o077)
    with socket.socket(fileno=int(argv[0])) as end:
        line = Line(end)
        try:
            packet = line.heard(SETUP_S)
            Keeper(line, setup(packet or b"")).life()
        except CoreGone:
            return 0
        except BadWord as bad:
            print(f"<3>fenghuo.mirror: {bad}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
