"""Records that somebody on a socket wished for: he is answered when his is durable, and not before."""

from collections import deque
from collections.abc import Callable, Mapping

from firmware.core.sockets import Peer
from firmware.protocol.messages import Answer
from rules.effects import JsonValue, Record
from rules.stimuli import Noted

MAX_WAITING = 64
"""Who waits longest has given up long ago."""
_BUSY = "busy: too much waits to be recorded"


class Awaited:
    """On the socket thread only."""

    def __init__(self, submit: Callable[[Noted], bool]) -> None:
        self._submit = submit
        self._waiting: deque[tuple[str, Mapping[str, JsonValue], Peer]] = deque(maxlen=MAX_WAITING)

    def record(self, peer: Peer, kind: str, payload: Mapping[str, JsonValue]) -> None:
        """Have it recorded for this peer, who is told at once where that can't be."""
        self._waiting.append((kind, payload, peer))
        if not self._submit(Noted(kind, payload)):
            self._waiting.pop()
            peer.send(Answer(ok=False, reason=_BUSY))

    def by(self, record: Record) -> Peer | None:
        """Who waited for this very record, which is durable now, and waits no more; None where nobody does."""
        for waiting in self._waiting:
            kind, payload, peer = waiting
            if kind == record.kind and payload == record.payload:
                self._waiting.remove(waiting)
                return peer
        return None
