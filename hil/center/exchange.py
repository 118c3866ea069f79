"""What a center says to panels besides receipts and commands: a new list of its keys, and what time it is.

An exchange is sent again for each heartbeat that shows an older list, so a panel that was off gets it too. The root key
that signs it belongs on a machine without a network; here it is a file like the others, for rigs.
"""

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from firmware.clock import Clock, SystemClock, utc_text
from hil.center.center import Center
from hil.center.intake import Arrival
from hil.center.keys import Key

AGAIN_S = 60.0
"""An exchange goes to one panel at most this often."""
TIME_EVERY_S = 3600.0
"""The time goes to a panel whose clock is well this often; to one whose clock is not, for each heartbeat."""


@dataclass
class Standing:
    """A signed list that is sent to each panel whose heartbeat shows an older one. `panel`: one, or `*`."""

    token: str
    serial: int
    panel: str
    sent: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, token: str) -> "Standing":
        """From what the offline machine has signed; it is no secret, and panels check it. Raises `ValueError`."""
        parts = token.strip().split(".")
        try:
            body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            serial, panel = body["serial"], body["panel"]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"no signed list of keys: {error}") from None
        if type(serial) is not int or type(panel) is not str or len(parts) != 3:
            raise ValueError("no signed list of keys: expected panel and serial in a token of three parts")
        return cls(token.strip(), serial, panel)

    def attach(self, center: Center) -> None:
        """Answer heartbeats with it from now on."""

        def heard(arrival: Arrival) -> None:
            mine = arrival.what == "heartbeat" and self.panel in ("*", arrival.panel)
            if not mine or arrival.body.get("keys_serial", 0) >= self.serial:
                return
            now = time.monotonic()
            if now - self.sent.get(arrival.panel, -AGAIN_S) >= AGAIN_S:
                self.sent[arrival.panel] = now
                center.send(arrival.panel, "keys", self.token)

        center.on_arrival(heard)


@dataclass
class Exchange:
    """A numbered list of the center's keys, signed by the root."""

    root: Key
    serial: int
    receipt_keys: Sequence[str]
    command_keys: Sequence[str]
    authorities: Sequence[str] = ()
    panel: str = "*"

    def token(self) -> str:
        """The same list is the same token: Ed25519 signatures are deterministic."""
        body: dict[str, Any] = {
            "panel": self.panel,
            "serial": self.serial,
            "receipt_keys": list(self.receipt_keys),
            "command_keys": list(self.command_keys),
            "authorities": list(self.authorities),
        }
        return self.root.sign("fenghuo.keys.v1", body)

    def attach(self, center: Center) -> Standing:
        """Send it to every panel whose heartbeat shows an older list."""
        standing = Standing.of(self.token())
        standing.attach(center)
        return standing


@dataclass
class TimeService:
    """Answers heartbeats with the signed time, under the key that signs receipts."""

    clock: Clock = field(default_factory=SystemClock)
    every_s: float = TIME_EVERY_S
    sent: dict[str, float] = field(default_factory=dict)

    def attach(self, center: Center) -> None:
        """Answer each heartbeat of a panel whose clock is not synchronised, and some of the others'."""

        def heard(arrival: Arrival) -> None:
            if arrival.what != "heartbeat":
                return
            now = time.monotonic()
            unsure = arrival.body.get("clock") != "synchronised"
            if unsure or now - self.sent.get(arrival.panel, -self.every_s) >= self.every_s:
                self.sent[arrival.panel] = now
                center.send(arrival.panel, "time", self.token(center, arrival.panel, arrival.body["nonce"]))

        center.on_arrival(heard)

    def token(self, center: Center, panel: str, nonce: str) -> str:
        """The time as a panel believes it: bound to the nonce of the heartbeat."""
        body = {"panel": panel, "nonce": nonce, "time": utc_text(self.clock.utc())}
        return center.receipt_key.sign("fenghuo.time.v1", body)
