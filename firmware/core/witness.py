"""What happens on a panel with simulated pins, for whoever watches the desk socket: pins seen at the pins themselves.

It is there before the first pin is claimed, so that nothing of the start is missed.
"""

from collections import deque
from typing import Any

from firmware.clock import Clock, utc_text
from firmware.core.sockets import Peer, Server
from firmware.protocol.messages import Seen

REPLAYED = 512
"""What happened lately, for a watcher who comes late."""


class Witness:
    """`seen` from any thread; the rest on the socket thread."""

    def __init__(self, clock: Clock, server: Server) -> None:
        self._clock = clock
        self._server = server
        self._lately: deque[Seen] = deque(maxlen=REPLAYED)

    def seen(self, what: str, name: str, value: Any) -> None:
        """Something happened; whoever watches is told. Returns at once."""
        line = Seen(
            what=what,
            name=name,
            value=value,
            monotonic_ms=self._clock.monotonic_ms(),
            utc=utc_text(self._clock.utc()),
        )
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
