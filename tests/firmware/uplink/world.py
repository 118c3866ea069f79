"""The other sides of the delivery logic: core over a journal in memory, a center with a key, and a bad network.

`World` plays them around one real `Delivery` with a clock of its own; nothing here sleeps.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.core.delivery import Deliveries
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing, Signer
from firmware.protocol.records import Record, faults
from firmware.protocol.typ import RECEIPT
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.settings import Settings
from hil.memory_journal import MemoryJournal

PANEL = "bank-7"
CENTER = Signer(Ed25519PrivateKey.from_private_bytes(b"c" * 32))
TIME = "2026-03-14T23:09:26.123Z"


def receipt(
    journal: str, lane: str, spans: list[tuple[int, int, str]], panel: str = PANEL, signer: Signer = CENTER
) -> str:
    """A signed receipt."""
    ranges = [{"first": first, "last": last, "hash": hash_} for first, last, hash_ in spans]
    return signer.sign(RECEIPT, {"panel": panel, "journal": journal, "lane": lane, "ranges": ranges})


@dataclass
class ModelCenter:
    """Keeps each record once, by identity; answers each message with a receipt."""

    held: dict[tuple[str, int], Record] = field(default_factory=dict)
    arrivals: list[tuple[str, str, int, bool]] = field(default_factory=list)
    duplicates: int = 0
    silent: bool = False

    def take(self, topic: str, payload: bytes) -> str | None:
        """A publish arrived; the receipt for it, if any."""
        words = topic.split("/")[3:]
        if words[0] not in ("event", "batch") or words[1] == "telemetry":
            return None
        value = json.loads(payload)
        records = [self._keep(event, words[1]) for event in (value if words[0] == "batch" else [value])]
        spans = [(r.header.lane_seq, r.header.lane_seq, r.hash) for r in records]
        return None if self.silent else receipt(records[0].header.journal, words[1], spans)

    def _keep(self, event: dict[str, Any], lane: str) -> Record:
        data = {key: value for key, value in event["data"].items() if key != "thumbnail"}
        record = Record.model_validate_json(json.dumps(data))
        assert faults(record) == []
        assert event["id"] == f"{record.header.journal}-{record.header.seq}"
        assert event["lane"] == lane == record.header.lane
        key = (record.header.journal, record.header.seq)
        self.duplicates += key in self.held
        self.held[key] = record
        self.arrivals.append((lane, record.header.journal, record.header.lane_seq, event["stored"]))
        return record


class World:
    """A panel's uplink between its core and a center, over a network that the test drives."""

    def __init__(self, seed: int = 1, **settings: Any) -> None:
        self.now = 1_000
        self.random = Random(seed)
        self.settings = Settings(PANEL, "primary", **settings)
        self.journal = MemoryJournal(PANEL)
        self.refusals: list[str] = []
        self.core = Deliveries(
            self.journal, PANEL, KeyRing([CENTER.public]), self.journal.mark, lambda why, _: self.refusals.append(why)
        )
        self.center = ModelCenter()
        self.delivery = Delivery(self.settings, Random(seed))
        self.session, self.peer = 1, 0
        self.core_there = False
        self.to_uplink: deque[e.FromCore | e.Closed] = deque()
        self.up_wire: deque[e.Publish] = deque()
        self.down_wire: deque[tuple[str, bytes]] = deque()
        self.connects: list[e.Connect] = []
        self.disconnects: list[e.Disconnect] = []
        self.paths: list[m.Path] = []
        self.published: list[e.Publish] = []
        self.pulls: list[m.Pull] = []
        self.commands: list[str] = []
        self.connected = False
        self.most_unacked = 0

    # --- what the test does

    def start_core(self) -> None:
        """Core is there and greets."""
        self.peer += 1
        self.core_there = True
        self.to_uplink.clear()
        self.feed(m.Welcome(panel=PANEL, session=self.session, peer=self.peer, version="test"))
        self.feed(self.core.head())

    def stop_core(self) -> None:
        self.core_there = False
        self.to_uplink.clear()
        self.feed(e.CoreLost())

    def restart_uplink(self) -> None:
        """The process dies and comes back: all it knew is gone."""
        self.close_network()
        self.delivery = Delivery(self.settings, Random(self.random.random()))
        self.start_core()

    def record(self, lane: str = "alarm", payload: dict[str, Any] | None = None) -> None:
        self.journal.append(lane, "alarm.intrusion", payload or {"zone": "door"}, self.now)
        if self.core_there:
            self.to_uplink.append(self.core.head())

    def open(self) -> None:
        """Let the uplink's try to connect succeed."""
        self.wait_for_connect()
        self.connected = True
        self.feed(e.Opened(TIME))

    def wait_for_connect(self) -> None:
        while self.delivery.phase != "connecting":
            self.to_deadline()

    def close_network(self, reason: str = "cut", refused: bool = False) -> None:
        """The connection breaks: what is on the wires is lost."""
        self.connected = False
        self.up_wire.clear()
        self.down_wire.clear()
        self.feed(e.Closed(reason, refused))

    def to_deadline(self) -> None:
        deadline = self.delivery.next_deadline()
        assert deadline is not None, "nothing would ever happen again"
        self.now = max(self.now, deadline)
        self.feed(e.Tick())

    def pass_ms(self, ms: int) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + ms
        while (deadline := self.delivery.next_deadline()) is not None and deadline <= end:
            self.to_deadline()
            self.settle_core()
        self.now = end
        self.feed(e.Tick())

    def settle_core(self) -> None:
        """Let core's answers come in, and what follows."""
        while self.to_uplink:
            self.feed(self.to_uplink.popleft())

    def settle(self) -> None:
        """Let everything on core's socket and on the wires arrive, in order."""
        while self.to_uplink or self.up_wire or self.down_wire:
            self.settle_core()
            if self.up_wire:
                self.carry_up(0)
            if self.down_wire:
                self.carry_down(0)

    def carry_up(self, index: int, lose: bool = False, again: bool = False, ack: bool = True) -> None:
        """One publish arrives at the center (or not), and its PUBACK at the uplink."""
        publish = self.up_wire[index]
        if not again:
            del self.up_wire[index]
        if not lose:
            answer = self.center.take(publish.topic, publish.payload)
            if answer:
                self.down_wire.append(("receipt", answer.encode()))
        if ack:
            self.feed(e.Acked(publish.token))

    def carry_down(self, index: int, lose: bool = False, again: bool = False) -> None:
        word, payload = self.down_wire[index]
        if not again:
            del self.down_wire[index]
        if not lose:
            self.feed(e.Received(word, payload))

    # --- what it answers

    def feed(self, event: e.Input) -> list[e.Output]:
        before = self.now
        outputs = self.delivery.feed(event, self.now)
        for output in outputs:
            self._do(output)
        assert self.now == before
        deadline = self.delivery.next_deadline()
        assert deadline is None or deadline > self.now, "the process would spin"
        return outputs

    def _do(self, output: e.Output) -> None:
        match output:
            case e.Publish():
                assert self.connected, "published without a connection"
                self.published.append(output)
                self.up_wire.append(output)
                self.most_unacked = max(self.most_unacked, len(self.up_wire))
            case e.Connect():
                assert not self.connected
                self.connects.append(output)
            case e.Disconnect():
                self.disconnects.append(output)
                self.connected = False
                self.up_wire.clear()
                self.down_wire.clear()
                self.to_uplink.append(e.Closed(output.reason))
            case m.Path():
                self.paths.append(output)
            case m.Pull():
                assert self.core_there
                self.pulls.append(output)
                self.to_uplink.append(e.Pulled(self.core.pull(output)))
            case m.ReceiptIn():
                if delivered := self.core.receipt(output):
                    self.to_uplink.extend((delivered, self.core.head()))
            case m.CommandIn():
                self.commands.append(output.jws)

    def complete(self) -> bool:
        """The center holds every record, as it is in the journal."""
        mine = {(journal, record.seq): record.hash for journal, record in self.journal.records()}
        return {key: record.hash for key, record in self.center.held.items()} == mine
