"""The center's signed time, and the socket of the one process that may set the clock by it.

A board without a time server takes the time from the center where its file says so. The token answers a heartbeat: what
it tells lies between that heartbeat and now, so the boot clock bounds its error, whoever held it up. Core decides, and
never sets: the process `clock` has that right and no other.
"""

import hmac
import logging
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from firmware.clock import FLOOR, LATEST, Clock, utc_text
from firmware.core.refusals import Refusals
from firmware.core.sockets import Peer, Role, Server
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing, Refused
from rules.effects import JsonValue

log = logging.getLogger("fenghuo.core.clock")

LATE_MS = 10_000
"""An answer that took longer says too little."""
RIGHT_WITHIN_S = 1.0
"""A clock that is off by less, beyond what the answer can tell, is right."""
VOUCHED_MS = 86_400_000
"""So long a clock that was found right counts as synchronised: it goes wrong by 5 s a day at 60 ppm."""
FURTHEST_S = 3600.0
"""A clock that was sure is not set by more: rather the center is wrong, or its key in other hands."""
ASK_AGAIN_MS = 5_000


class Watched(Protocol):
    """What is asked of the wall clock (`firmware.core.wall.Wall`)."""

    @property
    def sure(self) -> bool:
        """Whether the clock was synchronised, and nobody else has set it since."""
        ...

    def expect(self, by: str, at_ms: int, utc: float, within_s: float) -> None:
        """Somebody will set it."""
        ...

    def right(self, off_s: float) -> None:
        """How far it is off, by one who knows."""
        ...


class ClockPort:
    """On the socket thread only."""

    def __init__(
        self,
        panel: str,
        session: int,
        version: str,
        keys: KeyRing,
        clock: Clock,
        wall: Watched,
        refusals: Refusals,
        server: Server,
        used: bool,
    ) -> None:
        """`keys`: of receipts. `used`: the panel file lets the center set the clock."""
        self.off_ms: int | None = None
        """How much later the center's clock was when it last told the time, milliseconds."""
        self.late = 0
        self.ordered = 0
        self._welcome = (panel, session, version)
        self._keys = keys
        self._clock = clock
        self._wall = wall
        self._refusals = refusals
        self._server = server
        self._used = used
        self._nonces: deque[tuple[str, int]] = deque(maxlen=2)
        self._asked_at: int | None = None

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role("clock", path, m.from_clock, self._received, self._connected, peers=1)

    def heartbeat_sent(self, nonce: str) -> None:
        """A heartbeat with this nonce goes out now."""
        self._nonces.append((nonce, self._clock.monotonic_ms()))

    def figures(self) -> dict[str, JsonValue]:
        """For the health figures."""
        return {"center_off_ms": self.off_ms, "center_times_late": self.late, "clock_orders": self.ordered}

    def time_received(self, token: str) -> None:
        """A token came in on the topic `time`."""
        from firmware.protocol.signed import read_time

        now = self._clock.monotonic_ms()
        try:
            told = read_time(self._keys, token)
            if not hmac.compare_digest(told.panel, self._welcome[0]):
                raise Refused("wrong-panel", f"for {told.panel!r}")
            age_ms = now - self._sent_at(told.nonce)
            if age_ms > LATE_MS:
                self.late += 1
                return
            self._believe(_seconds(told.time), age_ms, now)
        except Refused as refused:
            self._refusals.note("time", refused.reason, refused.detail)

    def _sent_at(self, nonce: str) -> int:
        found = [at for own, at in self._nonces if hmac.compare_digest(own, nonce)]
        if not found:
            raise Refused("stale", "the nonce is not that of one of the last two heartbeats")
        return found[0]

    def _believe(self, told: float, age_ms: int, now: int) -> None:
        """`told` was the time at some moment of the last `age_ms`."""
        within_s = age_ms / 2000
        true = told + within_s
        off_s = true - self._clock.utc()
        self.off_ms = round(off_s * 1000)
        if not self._used or self._clock.served():
            return
        if abs(off_s) <= RIGHT_WITHIN_S + within_s:
            self._wall.right(off_s)
            self._clock.vouch(now + VOUCHED_MS)
            return
        if not FLOOR <= true <= LATEST:
            raise Refused("out-of-range", f"{told:.0f} s since 1970, expected {utc_text(FLOOR)} to {utc_text(LATEST)}")
        if self._wall.sure and abs(off_s) > FURTHEST_S:
            raise Refused("implausible", f"the clock was sure, and is off by {off_s:.0f} s")
        self._order(true, within_s, now)

    def _order(self, true: float, within_s: float, now: int) -> None:
        if self._asked_at is not None and now - self._asked_at < ASK_AGAIN_MS:
            return
        peers = self._server.peers("clock")
        if not peers:
            log.warning("the clock should be set to %s, and no process is there for it", utc_text(true))
            return
        self._asked_at = now
        self.ordered += 1
        self._wall.expect("center", now, true, within_s + RIGHT_WITHIN_S)
        peers[-1].send(m.SetClock(utc_ms=round(true * 1000), monotonic_ms=now))

    def _connected(self, peer: Peer) -> None:
        panel, session, version = self._welcome
        peer.send(m.Welcome(panel=panel, session=session, peer=peer.number, version=version))

    def _received(self, _peer: Peer, message: Any) -> None:
        if message.how == "refused":
            log.error("the clock was not set: %s", message.detail)
        else:
            log.info("the clock was %s by %d ms", message.how, message.off_ms)


def _seconds(text: str) -> float:
    """Raises `Refused` for a moment that there is not."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refused("malformed", f"time: {text[:40]} is no moment") from None
