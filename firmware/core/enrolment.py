"""Core's part in the enrolment: it signs the request for the panel's first certificate, and records what came of it.

The technician's program makes the TLS key and speaks with the center; core has neither network nor that key. Its
signature alone opens nothing: the center asks for the one-time code, or for a fingerprint that two people compare.
"""

from collections.abc import Callable

from firmware.clock import Clock, utc_text
from firmware.core.damping import Allowance
from firmware.protocol import messages as m
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.typ import ENROLMENT
from rules.effects import JsonValue
from rules.stimuli import Noted

KIND = "path.enrolled"
ASKS, ASKS_PER_S = 20, 1 / 300
"""Requests and records: so many at once, then one in five minutes."""
_OFTEN = "enrolment: too many requests, one in five minutes from now on"
_BUSY = "busy: too much waits to be recorded"


class Enrolment:
    """On the socket thread only."""

    def __init__(
        self, panel: str, paths: frozenset[str], signer: Signer, clock: Clock, submit: Callable[[Noted], bool]
    ) -> None:
        self._panel = panel
        self._paths = paths
        self._signer = signer
        self._clock = clock
        self._submit = submit
        self._signs = Allowance(ASKS, ASKS_PER_S)
        self._notes = Allowance(ASKS, ASKS_PER_S)

    def sign(self, wish: m.SignEnrolment) -> m.Answer:
        """The signed request (`signed` by this core's key, which it carries)."""
        if not self._signs.take():
            return m.Answer(ok=False, reason=_OFTEN)
        payload = {
            "panel": self._panel,
            "csr": wish.csr,
            "key": b64url(self._signer.public.public_bytes_raw()),
            "nonce": wish.nonce,
            "time": utc_text(self._clock.utc()),
        }
        return m.Answer(ok=True, detail={"jws": self._signer.sign(ENROLMENT, payload)})

    def enrolled(self, told: m.Enrolled) -> m.Answer:
        """Record it."""
        if told.path not in self._paths:
            return m.Answer(ok=False, reason=f"path: {told.path!r} is not in the panel file")
        if not self._notes.take():
            return m.Answer(ok=False, reason=_OFTEN)
        if not self._submit(Noted(KIND, payload(told))):
            return m.Answer(ok=False, reason=_BUSY)
        return m.Answer(ok=True)


def payload(told: m.Enrolled) -> dict[str, JsonValue]:
    """Of the record."""
    return {
        "path": told.path,
        "new": told.certificate,
        "not_after": told.not_after,
        "authorities": list(told.authorities),
        "keys": list(told.keys),
        "proof": told.proof,
    }
