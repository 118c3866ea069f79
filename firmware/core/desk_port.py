"""The desk socket: the installer's fingers on simulated pins. It exists only where the panel file says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.core.codes import Codes
from firmware.core.desk import Desk
from firmware.core.sockets import Peer, Role
from firmware.core.witness import Witness
from firmware.protocol import messages as m
from rules.stimuli import CodeEntered, Wish


class DeskPort:
    """On the socket thread only."""

    def __init__(self, desk: Desk, codes: Codes, witness: Witness, submit: Callable[[CodeEntered], object]) -> None:
        self._desk = desk
        self._codes = codes
        self._witness = witness
        self._submit = submit

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role("desk", path, m.from_desk, self._received, mode=0o600, peers=8)

    def close(self) -> None:
        """Let go of the buttons."""
        self._desk.close()

    def _received(self, peer: Peer, message: Any) -> None:
        match message:
            case m.Watch():
                peer.send(m.Answer(ok=True))
                self._witness.watch(peer, message.replay)
            case m.Code():
                self._code(peer, message)
            case _:
                for reply in self._desk.handle(message):
                    peer.send(reply)

    def _code(self, peer: Peer, code: m.Code) -> None:
        entered = CodeEntered(
            code.source,
            "",
            Wish(code.wish),
            tuple(code.areas),
            code.zone,
            code.part,
            code.instant,
            code.override,
            code.quiet,
            code.hold_up,
        )
        taken = self._codes.enter(self._submit, code.digits.removesuffix("#"), entered)
        peer.send(m.Answer(ok=taken, reason="" if taken else "busy: too many codes wait to be judged"))
