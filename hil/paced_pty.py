"""A pty that takes as long as a serial line: ten bits a byte at the line's speed, both ways; it can be pulled out.

`port` is a stable name, as /dev/serial/by-id has them: a link to whichever pty is there, dangling while it is out.
"""

import os
import select
import time
import tty
from pathlib import Path

CHUNK = 4
BITS_A_BYTE = 10


class PacedPty:
    """The far end of a serial line, used by one thread but for `unplug` and `replug`."""

    def __init__(self, port: Path, baud: int) -> None:
        self.port = port
        self.baud = baud
        self._ours = -1
        self._theirs = -1
        self.replug()

    @property
    def plugged(self) -> bool:
        """Whether it is in."""
        return self._ours >= 0

    def replug(self) -> None:
        """Plug it in: another device, the same stable name."""
        ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        aside = self.port.with_name(f"{self.port.name}.new")
        aside.symlink_to(os.ttyname(self._theirs))
        aside.replace(self.port)
        self._ours = ours

    def unplug(self) -> None:
        """Pull it out: the name dangles, and who has it open reads a hang-up."""
        ours, self._ours = self._ours, -1
        self.port.unlink(missing_ok=True)
        if ours >= 0:
            os.close(ours)
            os.close(self._theirs)

    def read(self, wait_s: float) -> bytes:
        """What came, once its line time is over; nothing when nothing came in time, or it is pulled out."""
        ours = self._ours
        if ours < 0:
            time.sleep(wait_s)
            return b""
        try:
            ready, _, _ = select.select([ours], [], [], wait_s)
            found = os.read(ours, 256) if ready else b""
        except (OSError, ValueError):
            return b""
        time.sleep(len(found) * BITS_A_BYTE / self.baud)
        return found

    def write(self, data: bytes) -> None:
        """Send it, a few bytes at a time, each when the line would have brought it."""
        due = time.monotonic()
        for start in range(0, len(data), CHUNK):
            chunk = data[start : start + CHUNK]
            due += len(chunk) * BITS_A_BYTE / self.baud
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                os.write(self._ours, chunk)
            except OSError:
                return
