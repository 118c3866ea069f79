"""The socket of the updater: core says who consents and how the panel is, and records each step.

What runs in the slots, and whether a bundle is sound, core does not judge: its file could be the one that is replaced.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any

from firmware.core.deliveries_seen import DeliveriesSeen
from firmware.core.past import Past, Told, newest
from firmware.core.sockets import Peer, Role, Server
from firmware.core.standing import part
from firmware.language import Text
from firmware.protocol import messages as m
from firmware.protocol import updates as u
from rules.effects import JsonValue, Record
from rules.stimuli import Noted, User

log = logging.getLogger("fenghuo.core.updates")

TELL_EVERY_S = 2.0
KNOWN_STEPS = 64
"""Steps that are known to be in the journal: as many as an updater tells at once."""
BY = "update"
NO_UPDATER = "updater: its process is not connected"
NO_USERS = "code: this panel has no users yet"
NOT_HIS = "code: not that of an installer, or of a user who may let one in"
GOES_ON, STARTED, OTHER = "update-goes-on", "update-started", "update-other"
REASONS: Mapping[str, Text] = {
    GOES_ON: ("an update goes on: wait for its end, or withdraw it", "更新正在进行：请等待结束或撤回"),
    STARTED: ("too late: the panel restarts, or has restarted", "为时已晚：主机正在重启或已重启"),
    OTHER: ("that is not the update that is offered now", "这不是当前提出的更新"),
    NO_UPDATER: ("no updater runs on this panel: systemctl status fenghuo-updater", "主机上没有运行更新进程"),
    NOT_HIS: ("not the code of an installer, or of a user who may let one in", "非安装员或可授权安装员的用户密码"),
}
"""Why not, by the word that core answers with."""
MAY_OFFER = ("", "none", "offered", "good", "gone-back", "refused")
MAY_WITHDRAW = ("offered", "consented", "installed")


@dataclass(frozen=True)
class UpdateFacts:
    """What the port asks of core. `panel`: all of it, but for the receipt; `at_rest`: that one thing, asked at each
    change of the state.
    """

    welcome: m.Welcome
    panel: Callable[[], u.Panel]
    at_rest: Callable[[], bool]
    submit: Callable[[Noted], bool]
    past: Past
    seen: DeliveriesSeen


class UpdatePort:
    """On the socket thread only."""

    def __init__(self, facts: UpdateFacts, server: Server) -> None:
        self._facts = facts
        self._server = server
        self._status: u.UpdateStatus | None = None
        self._steps: deque[Told] | None = None
        self._at_rest = False
        self._test: _Test | None = None

    def role(self, path: Path) -> Role:
        """The socket of this port: root opens it, and nobody else has to."""
        return Role("updater", path, m.from_updater, self._received, self._connected, mode=0o600, peers=1)

    def attach(self) -> None:
        """Set the regular work up; before the server starts."""
        self._server.every(TELL_EVERY_S, self._tell)

    @property
    def watched(self) -> bool:
        """Whether an updater was there lately; from any thread."""
        return self._status is not None

    def status(self) -> dict[str, Any]:
        """What the updater told last; empty where none is there."""
        there = self._status is not None and self._server.peers("updater")
        return self._status.model_dump(exclude={"type"}) if there and self._status is not None else {}

    # --- the technician's wishes, with a code that counts -----------------------------------------------

    def act(self, wish: u.UpdateOffer | u.UpdateConsent | u.UpdateWithdraw, actor: User | None) -> m.Answer:
        """Pass the wish on, where it is his to have it, and where it means something now."""
        if actor is None:
            return m.Answer(ok=False, reason=NO_USERS)
        his = part(actor)
        if not his:
            return m.Answer(ok=False, reason=NOT_HIS)
        if not self.status() or self._status is None:
            return m.Answer(ok=False, reason=NO_UPDATER)
        if reason := _not_now(wish, self._status):
            return m.Answer(ok=False, reason=reason)
        self._server.broadcast("updater", _passed_on(wish, actor.id, his))
        return m.Answer(ok=True, detail={"part": his, "offers": self._status.offers})

    # --- the updater ----------------------------------------------------------------------------------

    def _connected(self, peer: Peer) -> None:
        self._status = None
        peer.send(self._facts.welcome.model_copy(update={"peer": peer.number}))
        self._tell()

    def _received(self, peer: Peer, message: Any) -> None:
        match message:
            case u.UpdateStatus():
                self._status = message
            case u.Step():
                self._record(peer, message)
            case u.Trial():
                if self._test is None:
                    self._test = _Test(self._facts)

    def _record(self, peer: Peer, step: u.Step) -> None:
        if (step.kind, _payload(step)) in self._recorded():
            peer.send(u.StepTaken(number=step.number))
        elif not self._facts.submit(Noted(step.kind, _payload(step))):
            log.error("a step of an update could not be recorded: too much waits; it is told again")

    def recorded(self, record: Record) -> None:
        """The record of a step is durable."""
        number = record.payload.get("step")
        if isinstance(number, int):
            self._recorded().append((record.kind, dict(record.payload)))
            self._server.broadcast("updater", u.StepTaken(number=number))

    def _recorded(self) -> deque[Told]:
        """The steps that the journal holds: also those whose updater core could not tell so before it ended."""
        if self._steps is None:
            self._steps = deque(newest(self._facts.past, "update."), maxlen=KNOWN_STEPS)
        return self._steps

    def look(self) -> None:
        """The state changed: that somebody arms is told at once, or the machine would restart in spite of it."""
        if self._server.peers("updater") and self._facts.at_rest() != self._at_rest:
            self._tell()

    def _tell(self) -> None:
        if not self._server.peers("updater"):
            return
        if self._test is not None:
            self._test.look()
        receipt = self._test is not None and self._test.delivered
        panel = self._facts.panel()
        self._at_rest = panel.at_rest
        self._server.broadcast("updater", panel.model_copy(update={"receipt": receipt}))


class _Test:
    """A test record, and whether the center's receipt for it has come."""

    def __init__(self, facts: UpdateFacts) -> None:
        self.delivered = False
        self._facts = facts
        self._seq = facts.past.head()
        self._record: tuple[str, str, int] | None = None
        self._made = False

    def look(self) -> None:
        """Make the record, find its place in its lane, ask for its receipt: as far as it comes now."""
        if not self._made:
            self._made = self._facts.submit(Noted("test.manual", {"by": BY, "user": ""}))
        elif self._record is None:
            self._find()
        if self._record is not None and not self.delivered:
            self.delivered = self._facts.seen.find(*self._record) is not None

    def _find(self) -> None:
        for stored in self._facts.past.after(self._seq):
            header, payload = loads(stored.header), loads(stored.payload or b"{}")
            self._seq = stored.seq
            if header["kind"] == "test.manual" and payload.get("by") == BY:
                self._record = (header["journal"], header["lane"], header["lane_seq"])
                return


def _not_now(wish: u.UpdateOffer | u.UpdateConsent | u.UpdateWithdraw, status: u.UpdateStatus) -> str:
    match wish:
        case u.UpdateOffer():
            return "" if status.stage in MAY_OFFER else GOES_ON
        case u.UpdateConsent():
            return "" if status.stage == "offered" and status.sha256 == wish.sha256 != "" else OTHER
        case u.UpdateWithdraw():
            return "" if status.stage in MAY_WITHDRAW else STARTED


def _passed_on(
    wish: u.UpdateOffer | u.UpdateConsent | u.UpdateWithdraw, by: str, part: u.Part
) -> u.Offer | u.Consent | u.Withdraw:
    match wish:
        case u.UpdateOffer():
            return u.Offer(
                source=wish.source,
                by=by,
                even_armed=wish.even_armed,
                no_way_back=wish.no_way_back,
                reason=wish.reason,
            )
        case u.UpdateConsent():
            return u.Consent(sha256=wish.sha256, part=part, by=by)
        case u.UpdateWithdraw():
            return u.Withdraw(by=by)


def _payload(step: u.Step) -> dict[str, JsonValue]:
    """What the record tells; what is empty is left out."""
    told = step.model_dump(exclude={"type", "number", "kind"})
    return {"step": step.number, **{name: value for name, value in told.items() if value}}
