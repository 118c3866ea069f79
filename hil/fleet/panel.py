"""One panel of the fleet: its keys, its journal in memory, core's side of delivery, the delivery logic and its wire.

What `firmware.core.uplink_port` and `firmware.uplink.main` do between processes is done here by calls. Moments are
those of the machine's boot clock, so that what one panel is told can be held against another's.
"""

import asyncio
from collections import deque
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.clock import Clock, utc_text
from firmware.core.delivery import Deliveries
from firmware.core.heartbeat import Heartbeats
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing, Signer, b64url
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.settings import Settings
from hil.fleet.tally import Tally
from hil.fleet.wire import Way, Wire
from hil.memory_journal import MemoryJournal
from rules.effects import JsonValue

HEARTBEAT_S = 30.0
KINDS = {"alarm": "alarm.intruder", "status": "zone.fault"}


class FleetPanel:
    """Plays one panel on the running loop, from `start` to `stop`; made on it too."""

    def __init__(self, id_: str, way: Way, receipts: KeyRing, random: Random, clock: Clock, tally: Tally) -> None:
        self.id = id_
        signer = Signer(Ed25519PrivateKey.from_private_bytes(random.randbytes(32)))
        self.x = b64url(signer.public.public_bytes_raw())
        self.journal = MemoryJournal(self.id)
        self.open = False
        self.way = way
        """Where its next try to connect goes."""
        self._opened_ms = 0
        self._deadline: int | None = None
        """Of the delivery logic, as it was before what it is fed now."""
        self._clock = clock
        self._tally = tally
        self._random = random
        self._core = Deliveries(self.journal, self.id, receipts, self.journal.mark, tally.refused)
        self._heartbeats = Heartbeats(self.id, 1, signer, clock, self.journal.durable)
        self._delivery = Delivery(Settings(self.id, "fleet", boot=clock.boot()), random)
        self._loop = asyncio.get_running_loop()
        self._queue: deque[e.Input] = deque()
        self._feeding = False
        self._recorded: dict[tuple[str, int], int] = {}
        self._wire: Wire | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: tuple[int, asyncio.TimerHandle] | None = None
        self._beat: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Power on. The first of the regular heartbeats falls anywhere in its interval."""
        self._beat = self._loop.call_later(self._random.uniform(0, HEARTBEAT_S), self._heart)
        self._feed(m.Welcome(panel=self.id, session=1, peer=1, version="fleet"))
        self._feed(self._core.head())
        self._feed(m.State(body=self._state()))
        self._feed(m.Beat(jws=self._heartbeats.beat([])[0]))

    @property
    def head(self) -> tuple[str, int, str]:
        """Its journal, and `seq` and hash of the last record in it."""
        mark = self.journal.durable()
        return mark.journal, mark.seq, mark.hash

    def record(self, lane: str, number: int) -> None:
        """Something happens at the site, and is durable at once."""
        now = self._clock.monotonic_ms()
        payload: dict[str, JsonValue] = {
            "zone": f"zone-{number % 64}",
            "zone_number": number % 64,
            "areas": ["hall"],
            "incident": number,
        }
        record = self.journal.append(lane, KINDS[lane], payload, now, utc_text(self._clock.utc()))
        self._recorded[lane, record.lane_seq] = now
        self._feed(self._core.head())

    def cut(self) -> None:
        """The network takes the connection away."""
        if self._wire is not None:
            self._wire.cut()

    def stop(self) -> None:
        """Power off, with a goodbye."""
        if self._beat is not None:
            self._beat.cancel()
        self._feed(e.Stop(utc_text(self._clock.utc())))
        if self._timer is not None:
            self._timer[1].cancel()

    def waiting(self) -> int:
        """How many records have no receipt."""
        return self.journal.undelivered()

    # --- inside

    def _heart(self) -> None:
        self._beat = self._loop.call_later(HEARTBEAT_S, self._heart)
        self._tally.heartbeats += 1
        self._feed(m.Beat(jws=self._heartbeats.beat([])[0]))

    def _state(self) -> dict[str, object]:
        """As large as that of a branch with 24 zones."""
        mark = self.journal.durable()
        zones = {f"zone-{n}": {"condition": "normal", "bypassed": False, "alarm": False} for n in range(24)}
        areas = {name: {"state": "armed", "alarm": False, "ready": True} for name in ("hall", "vault")}
        place = {"panel": self.id, "journal": mark.journal, "seq": mark.seq, "time": utc_text(self._clock.utc())}
        return {**place, "areas": areas, "zones": zones, "troubles": []}

    def _told(self, wire: Wire, event: e.FromPath) -> None:
        if wire is not self._wire:
            return
        if isinstance(event, e.Closed):
            self._wire = None
            self._tally.closed(event.reason, self.open, self._clock.monotonic_ms())
            self.open = False
        elif isinstance(event, e.Opened):
            self.open = True
            self._opened_ms = self._clock.monotonic_ms()
            self._tally.opened(self._opened_ms)
        self._feed(event)

    def _feed(self, event: e.Input) -> None:
        self._queue.append(event)
        if self._feeding:
            return
        self._feeding = True
        try:
            while self._queue:
                for output in self._delivery.feed(self._queue.popleft(), self._clock.monotonic_ms()):
                    self._do(output)
        finally:
            self._feeding = False
        self._set_timer()

    def _do(self, output: e.Output) -> None:
        match output:
            case e.Publish() if self._wire is not None:
                self._tally.published(output.topic)
                self._wire.publish(output)
            case e.Connect():
                self._connect(output)
            case e.Disconnect() if self._wire is not None:
                self._wire.disconnect(output)
            case m.Pull():
                # As over the socket: spliced bytes, parsed and checked on the other side.
                self._queue.append(e.Pulled(m.Records.model_validate_json(self._core.pull_line(output))))
            case m.ReceiptIn() if delivered := self._core.receipt(output):
                self._count(delivered)
                self._queue.extend((delivered, self._core.head()))

    def _connect(self, order: e.Connect) -> None:
        now = self._clock.monotonic_ms()
        self._tally.attempt(now if self._deadline is None else min(now, self._deadline), now)
        self._wire = wire = Wire(self.id, order, self._told, lambda: utc_text(self._clock.utc()))
        task = self._loop.create_task(wire.start(self.way))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count(self, delivered: m.Delivered) -> None:
        now = self._clock.monotonic_ms()
        for first, last in delivered.ranges:
            for number in range(first, last + 1):
                if (since := self._recorded.pop((delivered.lane, number), None)) is not None:
                    self._tally.receipted(delivered.lane, since, self._opened_ms, now)

    def _set_timer(self) -> None:
        deadline = self._deadline = self._delivery.next_deadline()
        if self._timer is not None:
            if self._timer[0] == deadline:
                return
            self._timer[1].cancel()
        self._timer = None
        if deadline is not None:
            wait_s = max(0, deadline - self._clock.monotonic_ms()) / 1000
            self._timer = deadline, self._loop.call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._feed(e.Tick())
