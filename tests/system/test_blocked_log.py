"""Nobody reads core's log: journald hangs on its disk, or a terminal is stopped. The siren must not care."""

import contextlib
import socket

from firmware.protocol import messages as m
from tests.system.rig import rig

UNREAD = 'mkfifo "$0" && exec 3<>"$0" && exec "$@" 2>&3'
"""Runs the process with a pipe as standard error that holds 64 KiB and that nobody reads."""


def test_a_log_that_nobody_reads_stops_neither_siren_nor_sockets() -> None:
    with rig(edit=lambda text: text.replace("exit_delay_s = 8", "exit_delay_s = 1")) as panel:
        panel.start("core", extra=("bash", "-c", UNREAD, str(panel.folder / "unread")))
        panel.add_user()
        panel.settle()
        panel.arm()
        # Each of these connections ends with a warning; together they are more than the pipe holds.
        for _ in range(1000):
            with socket.socket(socket.AF_UNIX) as peer, contextlib.suppress(OSError):
                peer.settimeout(1.0)
                peer.connect(str(panel.run / "uplink.sock"))
                peer.sendall(b"x" * (m.MAX_LINE + 1))
                while peer.recv(4096):
                    pass
        assert panel.status()["health"]["peers_dropped"] >= 900
        since = panel.mark()
        panel.move("back-door", "open")
        panel.wait("output", "siren-outside", True, since=since)
        panel.wait("tell", "alarm", since=since)
        assert panel.stop("core") == {"core": 0}
