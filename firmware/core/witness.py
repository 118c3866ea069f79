"""What happens on a panel with simulated pins, for whoever watches the desk: pins seen at the pins themselves."""

from collections import deque
from typing import Any

from firmware.clock import utc_text
from firmware.core.sockets import Peer, Server
from firmware.protocol.messages import Seen

REPLAYED = 512
"""What happened lately, for a watcher who comes late."""


class Witness:
    """`seen` from any thread; the rest on the socket thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lately: deque[Seen] = deque(maxlen=REPLAYED)

    def seen(self, what: str, name: str, value: Any, monotonic_ms: int, utc: float) -> None:
        """Something happened at this moment; whoever watches is told. Returns at once."""
        line = Seen(what=what, name=name, value=value, monotonic_ms=monotonic_ms, utc=utc_text(utc))
        self._server.call(lambda: self._tell(line))

    def watch(self, peer: Peer, replay: bool) -> None:
        """Tell this peer from now on."""
        peer.watching = True
        for line in self._lately if replay else ():
            peer.send(line)

    def _tell(self, line: Seen) -> None:
        self._lately.append(line)
        for peer in self._server.peers("desk"):
            if peer.watching:
                peer.send(line)
