"""How fast a backlog drains to a center that stores and receipts, against a bare paho loop.

Ours: a real journal file, core's side of delivery, the delivery logic and paho in this process, a real Mosquitto, and
a center in a child that checks hashes, commits to SQLite (FULL) and signs receipts. The yardstick: paho publishes the
same records, one message each, QoS 1, to nobody. The bar of the design: ratio ≥ 1.
"""

import select
import shutil
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from time import perf_counter

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from paho.mqtt.enums import CallbackAPIVersion

from firmware.clock import SystemClock, utc_text
from firmware.config import MqttPath
from firmware.core.delivery import Deliveries
from firmware.journal.entries import Commit, Draft
from firmware.journal.journal import Journal
from firmware.protocol import messages as m
from firmware.protocol.envelope import event
from firmware.protocol.jws import KeyRing, Signer, load_public
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.packing import encode
from firmware.uplink.settings import Settings
from hil.broker import HOST, Mosquitto
from hil.storing_center import StoringCenter
from rules.effects import JsonValue
from rules.vocabulary import KINDS

PANEL = "bench-panel"
RECORDS = 20_000
LIMIT_S = 60.0
_PLAIN = "I accept that anyone on the network can read and drop reports"


def measure(folder: Path, records: int = RECORDS) -> dict[str, float]:
    """Records per second: `uplink_per_s` receipted, `bare_per_s` acknowledged, `uplink_ratio`. About 10 s.

    `alarm_ms`: from a live alarm becoming durable in the middle of the drain to its counted receipt.
    """
    work = folder / "bench-uplink"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        with Mosquitto(work) as broker:
            journal = _journal(work, records)
            yardstick = bare(broker.port, payloads(journal, records))
            ours, alarm_ms = _ours(work, broker.port, journal, records)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {"uplink_per_s": ours, "bare_per_s": yardstick, "uplink_ratio": ours / yardstick, "alarm_ms": alarm_ms}


def _journal(work: Path, records: int) -> Journal:
    signer = Signer(Ed25519PrivateKey.generate())
    journal = Journal.open(
        work / "data",
        work / "run",
        PANEL,
        signer,
        SystemClock(),
        lambda state: state if isinstance(state, bytes) else b"",
        lambda kind: KINDS[kind].lane.value,
        lambda _kind: False,
    )
    status = next(kind.name for kind in KINDS.values() if kind.lane == "status" and not kind.checkpoint)
    for start in range(0, records, 500):
        numbers = range(start, min(start + 500, records))
        journal.commit([Commit((_draft(status, number),)) for number in numbers])
    return journal


def _draft(kind: str, number: int) -> Draft:
    payload: dict[str, JsonValue] = {
        "zone": f"zone-{number % 64}",
        "area": f"area-{number % 8}",
        "number": number,
        "source": "keypad-1",
    }
    return Draft(kind, payload, utc_text(1_800_000_000 + number), "synchronised", "bench", number)


# --- the yardstick -----------------------------------------------------------------------------------


def bare(port: int, payloads: Sequence[bytes]) -> float:
    """Messages per second that a bare paho loop gets acknowledged, QoS 1."""
    acknowledged = threading.Semaphore(0)
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_publish = lambda *_: acknowledged.release()
    client.connect(HOST, port)
    client.loop_start()
    begin = perf_counter()
    for payload in payloads:
        client.publish(f"bare/{PANEL}", payload, 1)
    for _ in payloads:
        if not acknowledged.acquire(timeout=LIMIT_S):
            raise TimeoutError("the bare loop was not acknowledged")
    span = perf_counter() - begin
    client.disconnect()
    client.loop_stop()
    return len(payloads) / span


def payloads(journal: Journal, records: int) -> list[bytes]:
    """The first undelivered status records of a journal as they travel, one by one."""
    reader = journal.reader()
    core = Deliveries(reader, PANEL, KeyRing([]), lambda *_: None)
    name, at, found = reader.heads()[-1].journal, 1, list[bytes]()
    while len(found) < records:
        answer = core.pull(m.Pull(journal=name, lane="status", first=at, last=records + 8))
        found += [encode(event(record, True)) for record in answer.records]
        at = answer.next
    reader.close()
    return found[:records]


# --- ours --------------------------------------------------------------------------------------------


class _Panel:
    """Core's side, delivery and paho in one loop."""

    def __init__(self, port: int, journal: Journal, key: Ed25519PublicKey) -> None:
        self.journal = journal
        self.reader = journal.reader()
        self.clock = SystemClock()
        self.alarm_receipted = 0.0
        self._core = Deliveries(self.reader, PANEL, KeyRing([key]), self._mark)
        self._delivery = Delivery(Settings(PANEL, "bench", backoff_base_ms=1), SystemRandom())
        path = MqttPath.model_validate({"id": "bench", "host": HOST, "port": port, "plaintext": _PLAIN})
        self._link = MqttLink(PANEL, path, None, lambda: utc_text(self.clock.utc()))
        self._queue: deque[e.Input] = deque([m.Welcome(panel=PANEL, session=1, peer=1, version="bench")])
        self.head()

    def head(self) -> None:
        self._queue.append(self._core.head())

    def waiting(self) -> bool:
        return any(h.first_undelivered[lane] <= h.last[lane] for h in self.reader.heads() for lane in h.last)

    def delivered(self) -> int:
        return self.reader.heads()[-1].first_undelivered["status"] - 1

    def turn(self) -> None:
        if not self._queue:
            deadline = self._delivery.next_deadline()
            wait = 1000 if deadline is None else max(0, deadline - self.clock.monotonic_ms())
            select.select([self._link.fileno()], [], [], min(wait, 1000) / 1000)
            self._queue.extend(self._link.events())
            self._queue.append(e.Tick())
        while self._queue:
            for output in self._delivery.feed(self._queue.popleft(), self.clock.monotonic_ms()):
                self._do(output)

    def close(self) -> None:
        self._link.close()
        self.reader.close()

    def _do(self, output: e.Output) -> None:
        match output:
            case e.Publish():
                self._link.publish(output)
            case e.Connect():
                self._link.connect(output)
            case e.Disconnect():
                raise RuntimeError(f"the bench lost its connection: {output.reason}")
            case m.Pull():
                # As over the socket: spliced bytes, parsed and checked on the other side.
                self._queue.append(e.Pulled(m.Records.model_validate_json(self._core.pull_line(output))))
            case m.ReceiptIn():
                if delivered := self._core.receipt(output):
                    self._queue.extend((delivered, self._core.head()))

    def _mark(self, journal: str, lane: str, ranges: list[tuple[int, int]], jws: str) -> None:
        if lane == "alarm":
            self.alarm_receipted = perf_counter()
        self.journal.mark_delivered(journal, lane, ranges)
        self.journal.keep_receipt(journal, lane, jws)


def _ours(work: Path, port: int, journal: Journal, records: int) -> tuple[float, float]:
    center = StoringCenter(port, work / "center.sqlite")
    panel = _Panel(port, journal, load_public(center.x))
    alarm = next(kind.name for kind in KINDS.values() if kind.lane == "alarm" and not kind.checkpoint)
    alarm_at = 0.0
    try:
        begin = perf_counter()
        while panel.waiting():
            panel.turn()
            if not alarm_at and panel.delivered() >= records // 2:
                journal.commit([Commit((_draft(alarm, 0),))])
                alarm_at = perf_counter()
                panel.head()
            if perf_counter() - begin > LIMIT_S:
                raise TimeoutError(f"only {panel.delivered()} of {records} were receipted in {LIMIT_S:g} s")
        span = perf_counter() - begin
    finally:
        panel.close()
        center.stop()
    return records / span, (panel.alarm_receipted - alarm_at) * 1000
