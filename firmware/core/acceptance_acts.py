"""An acceptance run begins and ends, and its report is signed: each is a record before the technician may go on.

Core signs the manifest of a report only when the record that names it is durable: a signed report is always one that
the journal tells of. Who may was judged before (`technician_port`).
"""

from collections.abc import Callable, Mapping

from firmware.clock import Clock, utc_text
from firmware.core.awaited import Awaited
from firmware.core.sockets import Peer
from firmware.protocol import messages as m
from firmware.protocol.jws import Signer
from firmware.protocol.typ import ACCEPTANCE
from rules.effects import JsonValue, Record
from rules.stimuli import Noted


class AcceptanceActs:
    """On the socket thread only."""

    def __init__(self, panel: str, file: str, signer: Signer, clock: Clock, submit: Callable[[Noted], bool]) -> None:
        """`file`: SHA-256 of the panel file in force."""
        self._panel = panel
        self._file = file
        self._signer = signer
        self._clock = clock
        self._awaited = Awaited(submit)

    def act(self, peer: Peer, wish: m.Acceptance | m.SignReport, user: str) -> None:
        """Record what this installer wishes; the answer comes when the record is durable."""
        payload: dict[str, JsonValue] = {"run": wish.run, "user": user, "by": wish.by}
        if isinstance(wish, m.SignReport):
            kind = "acceptance.signed"
            payload |= {"what": wish.what, "manifest": wish.manifest}
        else:
            kind = f"acceptance.{wish.act}"
            payload |= {"file": self._file}
            if wish.act == "ended":
                payload |= {"passed": wish.passed, "failed": wish.failed, "waived": wish.waived}
        self._awaited.record(peer, kind, payload)

    def recorded(self, record: Record) -> None:
        """A record of these kinds is durable: whoever waits for it may go on."""
        if peer := self._awaited.by(record):
            detail = {"jws": self._signed(record.payload)} if record.kind == "acceptance.signed" else {}
            peer.send(m.Answer(ok=True, detail=detail))

    def _signed(self, payload: Mapping[str, JsonValue]) -> str:
        told = {name: payload[name] for name in ("what", "run", "manifest", "user", "by")}
        return self._signer.sign(ACCEPTANCE, {"panel": self._panel, **told, "time": utc_text(self._clock.utc())})
