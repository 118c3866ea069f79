"""The signed heartbeat: that core lives, how far its journal reaches, and a fresh nonce for commands."""

import os
from collections.abc import Callable

from firmware.clock import Clock, utc_text
from firmware.journal.entries import Mark
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.signed import Heartbeat
from firmware.protocol.typ import HEARTBEAT

MAX_TROUBLES = 64


class Heartbeats:
    """Makes heartbeats. On the socket thread only."""

    def __init__(
        self,
        panel: str,
        session: int,
        signer: Signer,
        clock: Clock,
        mark: Callable[[], Mark],
        keys_serial: Callable[[], int] = lambda: 0,
    ) -> None:
        """`keys_serial`: the number of the center's key list that counts."""
        self._panel = panel
        self._session = session
        self._signer = signer
        self._clock = clock
        self._mark = mark
        self._keys_serial = keys_serial
        self._beat = 0

    def beat(self, troubles: list[str]) -> tuple[str, str]:
        """The next heartbeat as a JWS, and its nonce."""
        self._beat += 1
        mark = self._mark()
        nonce = b64url(os.urandom(16))
        heartbeat = Heartbeat(
            panel=self._panel,
            session=self._session,
            beat=self._beat,
            time=utc_text(self._clock.utc()),
            clock=self._clock.state(),
            monotonic_ms=self._clock.monotonic_ms(),
            journal=mark.journal,
            seq=mark.seq,
            hash=mark.hash,
            lanes=dict(mark.lanes),
            troubles=troubles[:MAX_TROUBLES],
            keys_serial=self._keys_serial(),
            nonce=nonce,
        )
        return self._signer.sign(HEARTBEAT, heartbeat.model_dump()), nonce
