"""The other end of `sd_notify` on a desk: a socket for each child, and what the child has said on it.

The name is of the abstract space and chosen by the kernel, so nothing is left behind; a message counts only when the
kernel says that the child itself sent it.
"""

import socket
import struct
from collections.abc import Iterator

_CREDENTIALS = struct.Struct("3i")
_MAX_MESSAGE = 4096
_MAX_AT_ONCE = 64


class NotifySocket:
    """Receives the notifications of one child. Not blocking; for `select`."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")
        name = self._socket.getsockname()
        self.address = "@" + name[1:].decode()
        """For the child's `NOTIFY_SOCKET`."""

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def received(self, pid: int) -> Iterator[str]:
        """The assignments that process `pid` sent since the last time: `READY=1` and so on."""
        for _ in range(_MAX_AT_ONCE):
            try:
                data, ancillary, _, _ = self._socket.recvmsg(_MAX_MESSAGE, socket.CMSG_SPACE(_CREDENTIALS.size))
            except OSError:
                return
            if _sender(ancillary) == pid:
                yield from data.decode(errors="replace").splitlines()

    def close(self) -> None:
        """Close it; the name is gone with it."""
        self._socket.close()


def _sender(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and len(data) >= _CREDENTIALS.size:
            return int(_CREDENTIALS.unpack_from(data)[0])
    return None
