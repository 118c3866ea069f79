"""The socket of the uplink: records, heartbeats and state out; receipts and commands in, checked elsewhere in core.

It also watches the uplink from outside: an uplink that is gone, or one that is there and gets no alarm
receipted, is a path trouble, whatever it says of itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.core.center_keys import Exchanges
from firmware.core.certificates import Certificates
from firmware.core.clock_port import ClockPort
from firmware.core.commands import Commands
from firmware.core.damping import Allowance, Damper
from firmware.core.delivery import Deliveries
from firmware.core.heartbeat import Heartbeats
from firmware.core.pictures import Pictures
from firmware.core.sockets import Peer, Role, Server
from firmware.protocol import messages as m
from rules.effects import JsonValue
from rules.stimuli import TroubleChanged

GONE_AFTER_S = 30.0
CERTIFICATES_EVERY_S = 3600.0
NOTES_BURST, NOTES_PER_S = 200, 0.1
"""What an uplink may add to the telemetry: far more than a day's limit of short messages."""


@dataclass(frozen=True)
class UplinkFacts:
    """What the port needs to know of the panel."""

    panel: str
    session: int
    version: str
    paths: frozenset[str]
    path_fault_s: float
    floor: str = ""
    file: str = ""


class UplinkPort:
    """On the socket thread only."""

    def __init__(
        self,
        facts: UplinkFacts,
        deliveries: Deliveries,
        commands: Commands,
        pictures: Pictures,
        exchanges: Exchanges,
        certificates: Certificates,
        clock: ClockPort,
        heartbeats: Heartbeats,
        submit: Callable[[TroubleChanged], object],
        state: Callable[[], m.State | None],
        troubles: Callable[[], list[str]],
        authorities: Callable[[], tuple[str, ...]],
        server: Server,
        note: Callable[[str, dict[str, JsonValue]], object] = lambda _kind, _data: None,
    ) -> None:
        """`authorities`: the CAs that count besides the panel file's. `note` puts an item into the telemetry."""
        self.notes_refused = 0
        self.tried: dict[str, tuple[str, str]] = {}
        """What became of the last short message of a technician's test, by path: state and detail."""
        self._facts = facts
        self._deliveries = deliveries
        self._commands = commands
        self._pictures = pictures
        self._exchanges = exchanges
        self._clock = clock
        self._heartbeats = heartbeats
        self._certificates = certificates
        self._troubled = Damper(submit)
        self._state = state
        self._troubles = troubles
        self._authorities = authorities
        self._server = server
        self._note = note
        self._notes = Allowance(NOTES_BURST, NOTES_PER_S)
        self._shown: dict[str, Any] = {}
        self._alone_since: float | None = time.monotonic()
        self._stuck: tuple[object, float] = (None, time.monotonic())

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role("uplink", path, m.from_uplink, self._received, self._connected, self._closed, peers=2)

    def attach(self, heartbeat_s: int) -> None:
        """Set the regular work up; before the server starts."""
        self._server.every(heartbeat_s, self.beat)
        self._server.every(1.0, self._watch)
        self._server.every(CERTIFICATES_EVERY_S, self._certificates.look)

    def _connected(self, peer: Peer) -> None:
        facts = self._facts
        if authorities := self._authorities():
            peer.send(m.Authorities(certificates=list(authorities)))
        peer.send(
            m.Welcome(
                panel=facts.panel,
                session=facts.session,
                peer=peer.number,
                version=facts.version,
                floor=facts.floor,
                file=facts.file,
            )
        )
        peer.send(self._deliveries.head())
        if state := self._state():
            peer.send(state)
        self._alone_since = None
        self._troubled.change(TroubleChanged("path", False, "uplink"))
        self.beat()

    def _closed(self, _peer: Peer) -> None:
        if not self._server.peers("uplink"):
            self._alone_since = time.monotonic()

    def _received(self, peer: Peer, message: Any) -> None:
        match message:
            case m.Pull():
                peer.send_line(self._deliveries.pull_line(message))
            case m.ReceiptIn():
                delivered = self._deliveries.receipt(message)
                if delivered is not None:
                    self._send(delivered)
            case m.Acknowledged():
                delivered = self._deliveries.acknowledged(message)
                if delivered is not None:
                    self._send(delivered)
            case m.CommandIn():
                self._commands.received(message.jws, message.path)
            case m.PictureSent():
                self._pictures.sent(message)
            case m.KeysIn():
                self._exchanges.received(message.jws)
            case m.TimeIn():
                self._clock.time_received(message.jws)
            case m.Path():
                if message.path in self._facts.paths:
                    self._troubled.change(TroubleChanged("path", not message.up, message.path, message.detail))
            case m.RenewalAsk() | m.Certificate() | m.Renewed() | m.TakenOver():
                self._of_certificates(message)
            case m.Sms() | m.Modem() | m.Latency():
                if isinstance(message, m.Sms) and message.trial and message.path in self._facts.paths:
                    self.tried[message.path] = (message.state, message.detail)
                if message.path in self._facts.paths and self._notes.take():
                    self._note(f"telemetry.{message.type}", message.model_dump(exclude={"type"}))
                else:
                    self.notes_refused += 1

    def _of_certificates(self, message: m.RenewalAsk | m.Certificate | m.Renewed | m.TakenOver) -> None:
        match message:
            case m.RenewalAsk():
                if (signed := self._certificates.ask(message)) is not None:
                    self._send(signed)
            case m.Certificate():
                self._certificates.heard(message)
            case m.Renewed():
                self._certificates.renewed(message)
            case m.TakenOver():
                self._certificates.taken_over(message)

    def _send(self, message: Any) -> None:
        self._server.broadcast("uplink", message)

    def try_path(self, path: str, for_ms: int) -> bool:
        """Have the status lane go by this path for a while; False where no uplink is connected."""
        self.tried.pop(path, None)
        self._send(m.TryPath(path=path, for_ms=for_ms))
        return bool(self._server.peers("uplink"))

    def tell_head(self) -> None:
        """The durable mark or a cursor moved."""
        self._send(self._deliveries.head())

    def tell_state(self) -> None:
        """The public state may have changed; sent only when something to see has, so that nothing silent moves it."""
        if state := self._state():
            shown = {name: value for name, value in state.body.items() if name not in ("seq", "time")}
            if shown != self._shown:
                self._shown = shown
                self._send(state)

    def tell_authorities(self) -> None:
        """The CAs that count have changed."""
        self._send(m.Authorities(certificates=list(self._authorities())))

    def beat(self) -> None:
        """Send a heartbeat, where there is somebody to carry it."""
        if self._server.peers("uplink"):
            jws, nonce = self._heartbeats.beat(self._troubles())
            self._commands.heartbeat_sent(nonce)
            self._clock.heartbeat_sent(nonce)
            self._send(m.Beat(jws=jws))

    def _watch(self) -> None:
        self._troubled.settle()
        self._certificates.settle()
        if not self._facts.paths:
            return  # nobody is to carry anything, so nothing is missing
        now = time.monotonic()
        if self._alone_since is not None and now - self._alone_since > GONE_AFTER_S:
            self._troubled.change(TroubleChanged("path", True, "uplink", "the uplink process is not connected"))
            self._alone_since = now + 86_400.0
        self._watch_alarms(now)

    def _watch_alarms(self, now: float) -> None:
        """An alarm that waits for its receipt too long is a path fault, though the uplink may say all is well."""
        waiting = tuple(
            (head.journal, head.first_undelivered["alarm"])
            for head in self._deliveries.head().journals
            if head.first_undelivered.get("alarm", 1) <= head.last.get("alarm", 0)
        )
        if waiting != self._stuck[0]:
            if not waiting:
                self._troubled.change(TroubleChanged("path", False, "receipts"))
            self._stuck = (waiting, now)
        elif waiting and now - self._stuck[1] > self._facts.path_fault_s:
            self._troubled.change(TroubleChanged("path", True, "receipts", "an alarm is not receipted by the center"))
            self._stuck = (waiting, now + 86_400.0)
