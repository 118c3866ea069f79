"""Who looked at pictures, took them away, or had them kept: recorded before the technician may go on.

The technician's program says what is done and by whom; it gets its answer when the record is durable. Core signs one
bundle for each recorded export and nothing else of evidence: a signed bundle is always one that the journal tells of.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from firmware.clock import Clock, utc_text
from firmware.core.awaited import Awaited
from firmware.core.sockets import Peer
from firmware.protocol import messages as m
from firmware.protocol.jws import Signer
from firmware.protocol.typ import BUNDLE
from rules.effects import JsonValue, Record
from rules.stimuli import Noted

MAX_HOLDS = 64
"""Orders to the camera that wait."""
_NO_CAMERA = "camera: its process is not connected; it keeps the pictures"
_NOT_EXPORTED = "evidence-sign: no export was recorded on this connection"


class EvidenceActs:
    """On the socket thread only."""

    def __init__(
        self,
        panel: str,
        signer: Signer,
        clock: Clock,
        submit: Callable[[Noted], bool],
        order: Callable[[m.Hold], bool],
    ) -> None:
        """`order` gives a hold to the camera process; False when none is connected."""
        self._panel = panel
        self._signer = signer
        self._clock = clock
        self._awaited = Awaited(submit)
        self._order = order
        self._holding: dict[tuple[str, int], tuple[Peer, m.EvidenceHold]] = {}
        self._exported: WeakKeyDictionary[Peer, m.EvidenceAct] = WeakKeyDictionary()
        self._asked: WeakKeyDictionary[Peer, m.EvidenceAct] = WeakKeyDictionary()

    def act(self, peer: Peer, wish: m.EvidenceAct) -> None:
        """Record that pictures are looked at or leave."""
        self._asked[peer] = wish
        self._record(peer, f"evidence.{wish.act}", wish.journal, wish.incident, wish.by, wish.reason)

    def hold(self, peer: Peer, wish: m.EvidenceHold) -> None:
        """Have camera keep or release them; recorded when it is so on the card."""
        if len(self._holding) >= MAX_HOLDS:
            self._holding.clear()  # those who asked have long given up
        self._holding[wish.journal, wish.incident] = (peer, wish)
        order = m.Hold(time=utc_text(self._clock.utc()), **wish.model_dump(exclude={"type"}))
        if not self._order(order):
            del self._holding[wish.journal, wish.incident]
            peer.send(m.Answer(ok=False, reason=_NO_CAMERA))

    def held(self, told: m.Held) -> None:
        """Camera has kept or released them, or could not."""
        peer, wish = self._holding.pop((told.journal, told.incident), (None, None))
        if peer is None or wish is None or wish.held is not told.held:
            return
        if told.fault:
            peer.send(m.Answer(ok=False, reason=f"camera: {told.fault}"[:200]))
            return
        kind = "evidence.held" if wish.held else "evidence.released"
        self._record(peer, kind, wish.journal, wish.incident, wish.by, wish.reason)

    def sign(self, peer: Peer, wish: m.SignBundle) -> None:
        """Sign the bundle of the export that was recorded last on this connection; once."""
        export = self._exported.pop(peer, None)
        if export is None:
            peer.send(m.Answer(ok=False, reason=_NOT_EXPORTED))
            return
        payload = {
            "panel": self._panel,
            "journal": export.journal,
            "incident": export.incident,
            "index": wish.index,
            "by": export.by,
            "time": utc_text(self._clock.utc()),
        }
        peer.send(m.Answer(ok=True, detail={"jws": self._signer.sign(BUNDLE, payload)}))

    def recorded(self, record: Record) -> None:
        """A record of this kind is durable: whoever waits for it may go on."""
        if peer := self._awaited.by(record):
            if record.kind == "evidence.exported" and (asked := self._asked.get(peer)) is not None:
                self._exported[peer] = asked
            peer.send(m.Answer(ok=True))

    def _record(self, peer: Peer, kind: str, journal: str, incident: int, by: str, reason: str) -> None:
        payload: dict[str, JsonValue] = {"journal": journal, "incident": incident, "by": by, "reason": reason}
        self._awaited.record(peer, kind, payload)
