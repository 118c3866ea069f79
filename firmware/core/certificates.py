"""What core does about the certificates of the paths: warns before they end, signs requests for new ones, records.

Core has no network and holds none of these keys. It believes the uplink's figures as far as a captured uplink could do
harm with them, which is a trouble that is not shown; what it signs, it limits. On its socket thread only.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from firmware.clock import Clock, utc_text
from firmware.core.damping import Allowance, Damper
from firmware.protocol import messages as m
from firmware.protocol.jws import Signer
from firmware.protocol.typ import RENEWAL
from rules.effects import JsonValue
from rules.stimuli import Noted, TroubleChanged

log = logging.getLogger("fenghuo.core.certificates")

AHEAD_S = 30 * 86_400
SHARE = 1 / 4
"""So long before its end a certificate is a trouble: 30 days, and one with a short life that part of it, which is after
its renewal should have come (2/3 of its life)."""
ASKS, ASKS_PER_S = 6, 1 / 3600
"""Requests that core signs for one path: so many at once, then one an hour."""
NOTES, NOTES_PER_S = 6, 1 / 600
"""Records of renewed certificates and of sessions taken over, for one path and sort."""
SUBJECTS: dict[Literal["client", "ca"], str] = {"client": "client certificate", "ca": "center's CA"}


class Certificates:
    """Of all paths of the panel file."""

    def __init__(
        self,
        panel: str,
        paths: frozenset[str],
        signer: Signer,
        clock: Clock,
        floor: str,
        submit: Callable[[TroubleChanged | Noted], object],
    ) -> None:
        """`floor`: a time that is over for sure, for a clock that is not (UTC text, may be empty)."""
        self.refused = 0
        self._panel = panel
        self._paths = paths
        self._signer = signer
        self._clock = clock
        self._floor = datetime.fromisoformat(floor).timestamp() if floor else 0.0
        self._submit = submit
        self._troubled = Damper(submit)
        self._lives: dict[tuple[str, Literal["client", "ca"]], m.Certificate] = {}
        self._asks: dict[str, Allowance] = {}
        self._notes: dict[tuple[str, str], Allowance] = {}
        self._unrecorded: dict[tuple[str, str], int] = {}

    def heard(self, message: m.Certificate) -> None:
        """The uplink says when a certificate ends."""
        if message.path in self._paths:
            self._lives[message.path, message.file] = message
            self._judge(message.path)

    def look(self) -> None:
        """Time has passed. Call about once an hour."""
        for path in {path for path, _ in self._lives}:
            self._judge(path)

    def settle(self) -> None:
        """Pass on what was held back. Call about once a second."""
        self._troubled.settle()

    def ask(self, message: m.RenewalAsk) -> m.Renewal | None:
        """The uplink asks for a new certificate: the signed request, None where it asks too often."""
        if message.path not in self._paths:
            self.refused += 1
            return None
        if not self._asks.setdefault(message.path, Allowance(ASKS, ASKS_PER_S)).take():
            self.refused += 1
            log.warning("path %s: the uplink asks for certificates too often", message.path)
            return None
        payload = {
            "panel": self._panel,
            "path": message.path,
            "csr": message.csr,
            "replaces": message.replaces,
            "time": utc_text(self._clock.utc()),
        }
        return m.Renewal(path=message.path, jws=self._signer.sign(RENEWAL, payload))

    def renewed(self, message: m.Renewed) -> None:
        """Another client certificate is in force."""
        self._record(
            "path.certificate-renewed",
            message.path,
            {"old": message.old, "new": message.new, "not_after": message.not_after},
        )

    def taken_over(self, message: m.TakenOver) -> None:
        """Somebody else opened a session as this panel: stolen keys, a cloned panel, or a broker that lies."""
        self._record("path.taken-over", message.path, {"sure": message.sure})

    def _record(self, kind: str, path: str, more: dict[str, JsonValue]) -> None:
        key = (path, kind)
        if path not in self._paths or not self._notes.setdefault(key, Allowance(NOTES, NOTES_PER_S)).take():
            self.refused += 1
            self._unrecorded[key] = self._unrecorded.get(key, 0) + (path in self._paths)
            return
        missed = self._unrecorded.pop(key, 0)
        self._submit(Noted(kind, {"path": path, **more, **({"unrecorded": missed} if missed else {})}))

    def _judge(self, path: str) -> None:
        now = self._clock.utc()
        if self._clock.state() != "synchronised":
            now = max(now, self._floor)
        soon = [
            f"{SUBJECTS[file]}: ends {life.not_after}"
            for (of, file), life in sorted(self._lives.items())
            if of == path and _ends_soon(life, now)
        ]
        self._troubled.change(TroubleChanged("certificate", bool(soon), path, "; ".join(soon)))


def _ends_soon(life: m.Certificate, now: float) -> bool:
    begins, ends = (datetime.fromisoformat(text).timestamp() for text in (life.not_before, life.not_after))
    return ends - now < min(AHEAD_S, (ends - begins) * SHARE)
