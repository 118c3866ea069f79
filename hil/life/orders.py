"""The center's operators and their commands: signed, replayed, stale and forged ones, through core's own checks.

A replay comes in two ways: as the same token again, and past core's memory (which a restart empties) right to the
rules, whose counter is part of the durable state.
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.core.center_keys import CenterKeys, told
from firmware.core.commands import Commands
from firmware.core.pictures import Pictures
from firmware.core.refusals import Refusals
from firmware.protocol.jws import KeyRing, Signer, b64url
from firmware.protocol.signed import CommandArgs
from firmware.protocol.typ import COMMAND
from hil.life.clock import PanelClock
from hil.life.happenings import Commanded
from rules.effects import Answer
from rules.stimuli import RemoteCommand, Stimulus, Wish

PANEL = "life-panel"
BEAT_MS = 30_000
EXCHANGE_EVERY = 20
"""So many commands, and the center exchanges its keys."""
KEPT = 32
"""Tokens that somebody may have heard, for replays."""


def signer(name: str) -> Signer:
    """A key that is the same in every life."""
    return Signer(Ed25519PrivateKey.from_private_bytes(sha256(b"life-key:" + name.encode()).digest()))


_CENTER, _STRANGER, _CORE = signer("center"), signer("stranger"), signer("core")


class Orders:
    """The operators' side, and core's port for it. `restarted` when core starts."""

    def __init__(self, clock: PanelClock, random: Random, submit: Callable[[Stimulus], None]) -> None:
        self._clock = clock
        self._random = random
        self._submit = submit
        self._counter = 0
        self._given: list[tuple[str, Commanded]] = []
        self._beaten = -1
        self.restarted()

    def restarted(self) -> None:
        """Core starts: it remembers no nonce and no counter."""
        refusals = Refusals(self._clock, self._submit)
        pictures = Pictures(lambda _journal, _seq: None, self._submit, lambda _order: None, frozenset())
        keys = KeyRing([_CENTER.public])
        self._port = Commands(
            PANEL, keys, _CORE, self._clock, refusals, self._take, dict, lambda _reply: None, pictures
        )
        self._beaten = -1

    def _take(self, command: RemoteCommand) -> bool:
        self._submit(command)
        return True

    def answered(self, answer: Answer) -> None:
        """The rules' answer, its records durable."""
        self._port.answer(answer)

    def prepare(self, wish: Wish, deed: str, areas: tuple[str, ...], zone: str) -> Commanded | None:
        """What is about to be sent: told before it is; None when there is nothing to replay."""
        if deed == "replayed":
            return replace(self._heard(), at=self._clock.now, genuine=False) if self._given else None
        self._counter += 1
        genuine = deed == "genuine"
        return Commanded(
            self._clock.now, self._counter, f"operator-{self._counter % 5}", wish, areas, zone, genuine=genuine
        )

    def send(self, what: Commanded, deed: str) -> None:
        """Send it."""
        self._beat()
        if deed == "replayed":
            self._replay(what)
            return
        nonce = _nonce(self._beaten - (100 if deed == "stale" else self._random.randrange(2)))
        if what.genuine and nonce not in (_nonce(self._beaten), _nonce(self._beaten - 1)):
            nonce = _nonce(self._beaten)
        token = self._token(what, nonce, _STRANGER if deed == "forged" else _CENTER)
        if what.genuine and what.counter % EXCHANGE_EVERY == 0:
            self._exchange(what.counter)
        if what.genuine:
            self._given = [*self._given[-KEPT:], (token, what)]
        if what.wish is Wish.PICTURE:
            # Which picture, and where it goes, core knows by a journal and a camera; the rules count and record.
            self._submit(RemoteCommand(what.counter, what.operator, what.wish, key=_CENTER.kid))
            return
        self._port.received(token)

    def _exchange(self, serial: int) -> None:
        """The center sends a new list of its keys, the same ones; how core checks it is not lived here."""
        keys = (b64url(_CENTER.public.public_bytes_raw()),)
        listed = CenterKeys("center", serial, keys, keys, "life-root")
        self._submit(told(listed, listed.kept()))

    def _heard(self) -> Commanded:
        return self._given[self._random.randrange(len(self._given))][1]

    def _replay(self, what: Commanded) -> None:
        token = next((token for token, given in self._given if given.counter == what.counter), "")
        if self._random.random() < 0.5:
            self._port.received(token)
        else:
            self._submit(RemoteCommand(what.counter, what.operator, what.wish, what.areas, what.zone, key=_CENTER.kid))

    def _beat(self) -> None:
        """The heartbeats that core has sent since, as far as they still count."""
        now = self._clock.now // BEAT_MS
        for beat in range(max(self._beaten + 1, now - 1), now + 1):
            self._port.heartbeat_sent(_nonce(beat))
        self._beaten = now

    def _token(self, what: Commanded, nonce: str, key: Signer) -> str:
        args = CommandArgs(areas=list(what.areas), zone=what.zone)
        payload = {
            "panel": PANEL,
            "counter": what.counter,
            "nonce": nonce,
            "command": what.wish.value,
            "args": args.model_dump(),
            "operator": what.operator,
        }
        return key.sign(COMMAND, payload)


def _nonce(beat: int) -> str:
    return b64url(sha256(b"life-nonce:%d" % beat).digest()[:16])
