"""A serial reader on the far end of a pty: sends the line of a tag, and noise, half lines or silence on demand."""

import os
import tty


class LineReader:
    """`port` is what the panel opens."""

    def __init__(self, prefix: str = "\x02", end: str = "\r\n\x03") -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self._prefix = prefix
        self._end = end

    def hold(self, number: str) -> None:
        """Somebody holds a tag to it."""
        self.send((self._prefix + number + self._end).encode())

    def send(self, data: bytes) -> None:
        """Any bytes: noise, half a line."""
        os.write(self._ours, data)

    def unplug(self) -> None:
        """The adapter is pulled out: its port hangs up."""
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def close(self) -> None:
        """Let go of the pty."""
        if self._ours >= 0:
            self.unplug()
