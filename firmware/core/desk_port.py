"""The desk socket: the installer's fingers on simulated pins. It exists only where the panel file says so.

Beside what `firmware.core.desk` moves, it streams what happens (`watch`), pins seen at the pins themselves.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.clock import Clock, utc_text
from firmware.core.codes import Codes
from firmware.core.desk import Desk
from firmware.core.sockets import Peer, Role, Server
from firmware.protocol import messages as m
from rules.stimuli import CodeEntered, Wish


REPLAYED = 512
"""What happened lately, for a watcher who comes late."""


class DeskPort:
    """On the socket thread only, but for `seen`."""

    def __init__(
        self, desk: Desk, codes: Codes, clock: Clock, server: Server, submit: Callable[[CodeEntered], object]
    ) -> None:
        self._desk = desk
        self._codes = codes
        self._clock = clock
        self._server = server
        self._submit = submit
        self._lately: deque[m.Seen] = deque(maxlen=REPLAYED)

    def close(self) -> None:
        """Let go of the buttons."""
        self._desk.close()

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role("desk", path, m.from_desk, self._received, mode=0o600, peers=8)

    def seen(self, what: str, name: str, value: Any) -> None:
        """Something happened; whoever watches is told. From any thread, returns at once."""
        line = m.Seen(
            what=what,
            name=name,
            value=value,
            monotonic_ms=self._clock.monotonic_ms(),
            utc=utc_text(self._clock.utc()),
        )
        self._server.call(lambda: self._tell(line))

    def _tell(self, line: m.Seen) -> None:
        self._lately.append(line)
        for peer in self._server.peers("desk"):
            if peer.watching:
                peer.send(line)

    def _received(self, peer: Peer, message: Any) -> None:
        match message:
            case m.Watch():
                peer.watching = True
                peer.send(m.Answer(ok=True))
                for line in self._lately if message.replay else ():
                    peer.send(line)
            case m.Code():
                self._code(peer, message)
            case _:
                for reply in self._desk.handle(message):
                    peer.send(reply)

    def _code(self, peer: Peer, code: m.Code) -> None:
        taken = self._codes.enter(
            self._submit,
            f"keypad:{code.source}",
            code.digits.removesuffix("#"),
            Wish(code.wish),
            tuple(code.areas),
            code.zone,
        )
        peer.send(m.Answer(ok=taken, reason="" if taken else "busy: too many codes wait to be judged"))
