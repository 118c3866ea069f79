"""The far end of a simulated life: the real delivery logic over a bad network to a broker and a center that come and
go.

Real are `firmware.uplink.delivery.Delivery` (the uplink's decisions) and `firmware.core.delivery.Deliveries`
(core's: what is pulled, which receipts count), with real records, hashes and receipts, signed by a stand-in key
(`hil.life.quick_key`). The network, the broker and the center are models. Heartbeats and the retained state are left
out: they decide nothing about records.
"""

from collections import deque
from random import Random

from firmware.core.delivery import Deliveries
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.settings import Settings
from hil.life.clock import PanelClock
from hil.life.ground import Ground
from hil.life.happenings import Held
from hil.life.model_center import SIGNER, ModelCenter
from hil.life.network import Network
from hil.life.ports import Arrived, Disk
from rules.stimuli import TroubleChanged

STORE_MS = (1, 20)
RECEIPT_MS = 4_000
"""The center gathers what it stored for so long before it receipts it (it may wait up to the panel's 10 s)."""
OPEN_MS = 60
RESTART_MS = (500, 20_000)
NO_ANSWER_MS = 5_000
TIME = "2026-03-14T23:09:26.123Z"


class LifeFarEnd:
    """The uplink, the network, the broker and the center of one panel (`hil.life.ports.FarEnd`)."""

    def __init__(self, ground: Ground, clock: PanelClock, disk: Disk, random: Random) -> None:
        del clock  # the uplink's time is the world's: it never looks at a wall
        self.center = ModelCenter(ground.name)
        self.refusals: list[str] = []
        self._path = min(ground.paths, default="")
        self._disk = disk
        self._random = random
        self._network = Network(random)
        self._delivery: Delivery | None = None
        self._core: Deliveries | None = None
        self._keys = KeyRing([SIGNER.public])
        self._session = self._peer = 0
        self._broker_from = self._center_from = 0
        self._broker_life = 0
        self._held: list[Held] = []
        self._troubles: list[TroubleChanged] = []
        self._at = 0
        self._due: int | None = None

    # --- core's side

    def core_up(self, session: int, at: int) -> None:
        """Core has opened its sockets: the uplink is greeted."""
        self._at = at
        self._session = session
        self._core = Deliveries(
            self._disk.reader, self.center.panel, self._keys, self._disk.mark_delivered, self._refused
        )
        if self._path and self._delivery is None:
            self._delivery = self._new_delivery()
        self._greet()

    def _new_delivery(self) -> Delivery:
        return Delivery(Settings(self.center.panel, self._path), Random(self._random.getrandbits(32)))  # noqa: S311

    def _refused(self, reason: str, detail: str) -> None:
        if len(self.refusals) < 100:
            self.refusals.append(f"{reason}: {detail}")

    def _greet(self) -> None:
        self._peer += 1
        if self._core is not None:
            self._feed(m.Welcome(panel=self.center.panel, session=self._session, peer=self._peer, version="life"))
            self._feed(self._core.head())

    def core_down(self, at: int, power: bool) -> None:
        """Core is gone; with `power` the uplink too."""
        self._at = at
        self._core = None
        if power:
            self._delivery = self._due = None
            self._network.close()
        else:
            self._feed(e.CoreLost())

    def head_moved(self, at: int) -> None:
        """The durable mark moved."""
        self._at = at
        if self._core is not None:
            self._feed(self._core.head())

    # --- what the world does

    def link(self, up: bool, at: int) -> None:
        """The network between the panel and the broker."""
        self._at = at
        self._network.link(up, at)

    def restart_uplink(self, at: int) -> None:
        """All that the uplink knew is gone."""
        self._at = at
        if self._delivery is not None:
            self._network.close()
            self._delivery = self._new_delivery()
            self._greet()

    def restart_broker(self, at: int) -> None:
        """The broker is away for a while; what it had not passed on is gone, and so are its connections."""
        self._at = at
        self._broker_life += 1
        self._broker_from = at + self._random.randint(*RESTART_MS)
        self._closed("broker restarted")

    def restart_center(self, at: int) -> None:
        """The center is away for a while; the broker keeps its session."""
        self._at = at
        self._center_from = at + self._random.randint(*RESTART_MS)
        self.center.restarted()

    # --- time

    def next_work(self) -> int | None:
        """When something arrives, or the uplink wants to be asked again."""
        first, second = self._network.next_work(), self._due
        if first is None or second is None:
            return second if first is None else first
        return min(first, second)

    def work(self, at: int) -> Arrived:
        """Do what is due by now."""
        self._at = at
        for crossing in self._network.arrivals(at):
            self._arrived(crossing.what, crossing.connection, crossing.body)
        if self._due is not None and self._due <= at:
            self._feed(e.Tick())
        held, troubles = tuple(self._held), tuple(self._troubles)
        self._held.clear()
        self._troubles.clear()
        return Arrived(held, troubles)

    # --- what arrives where

    def _arrived(self, what: str, connection: int, body: object) -> None:
        lives = connection == self._network.connection and connection > 0
        match what, body:
            case "hello", None if lives:
                self._feed(e.Opened(TIME))
            case "refused", None:
                self._feed(e.Closed("nobody answers"))
            case "keepalive", None if lives and not self._network.up:
                self._closed("keepalive")
            case "publish", e.Publish():
                self._at_broker(body)
            case "ack", int() if lives:
                self._feed(e.Acked(body))
            case "store", (e.Publish() as publish, int() as life):
                self._at_center(publish, life)
            case "receipting", None:
                self._receipt()
            case "receipt", bytes() if lives:
                self._feed(e.Received("receipt", body))

    def _at_broker(self, publish: e.Publish) -> None:
        if self._at < self._broker_from:
            return
        if publish.qos:
            self._network.send("ack", publish.token, self._at)
        ready = max(self._at, self._center_from) + self._random.randint(*STORE_MS)
        self._network.later("store", (publish, self._broker_life), ready)

    def _at_center(self, publish: e.Publish, life: int) -> None:
        if life != self._broker_life:
            return  # the broker that had it is gone
        if self._at < self._center_from:
            self._network.later("store", (publish, life), self._center_from + 1)
            return
        waited = self.center.waiting()
        for new in self.center.take(tuple(publish.topic.split("/")[3:]), publish.payload):
            self._held.append(Held(self._at, new.journal, new.seq, new.lane, new.kind, new.payload))
        if not waited and self.center.waiting():
            self._network.later("receipting", None, self._at + RECEIPT_MS)

    def _receipt(self) -> None:
        if self._at < self._center_from:
            return
        for token in self.center.receipts():
            if self._network.connection and self._at >= self._broker_from:
                self._network.send("receipt", token.encode(), self._at)

    def _closed(self, reason: str) -> None:
        if self._network.connection:
            self._network.close()
            self._feed(e.Closed(reason))

    # --- the uplink's words

    def _feed(self, event: e.Input) -> None:
        """Feed the uplink, and what core answers to it, until nobody has anything to say."""
        pending: deque[e.Input] = deque([event])
        while pending and self._delivery is not None:
            for output in self._delivery.feed(pending.popleft(), self._at):
                answer = self._do(output)
                if answer is not None:
                    pending.extend(answer)
        self._due = self._delivery.next_deadline() if self._delivery is not None else None

    def _do(self, output: e.Output) -> list[e.Input] | None:
        match output:
            case e.Publish():
                self._network.send("publish", output, self._at)
            case e.Connect():
                self._connect()
            case e.Disconnect():
                self._network.close()
                return [e.Closed(output.reason)]
            case m.Path():
                self._troubles.append(TroubleChanged("path", not output.up, output.path, output.detail))
            case m.Pull() if self._core is not None:
                return [e.Pulled(self._core.pull(output))]
            case m.ReceiptIn() if self._core is not None:
                delivered = self._core.receipt(output)
                return [delivered, self._core.head()] if delivered else None
            case _:
                pass
        return None

    def _connect(self) -> None:
        if self._network.up and self._at >= self._broker_from:
            self._network.connect()
            self._network.send("hello", None, self._at + OPEN_MS, sure=True)
        else:
            self._network.close()
            self._network.later("refused", None, self._at + NO_ANSWER_MS)
