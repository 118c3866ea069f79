"""One of many consumers of records, for a center that one process can't carry (docs/scale.md).

A group shares a subscription, so the broker gives each message to one of them, in no order that counts. Each keeps what
it gets in the store that all share, and receipts it at once, every record by itself: none of them sees a whole chain.
"""

import contextlib
import queue
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import paho.mqtt.client as mqtt
import typer

from firmware.clock import Clock, SystemClock, utc_text
from firmware.protocol.typ import RECEIPT
from hil.center import alarms, vouched
from hil.center.keys import Key
from hil.center.reader import LANES, MAX_PAYLOAD, Garbage, RecordIn, panel_of, read_records
from hil.center.receipts import MAX_RANGES
from hil.center.running import Panels
from hil.center.store import Store
from hil.center.wire import Broker

UNACKNOWLEDGED = 200
"""Messages that the broker gives one consumer before the first of them is committed: the rest goes to others."""
MAX_TURN = 64
LOOK_S = 0.2
_Work = tuple[str, bytes, int, int]
"""Topic, payload, message id and QoS."""


class Consumer:
    """One member of a group. `run` takes messages until `stop`."""

    def __init__(self, broker: Broker, folder: Path, group: str, panels: Panels, clock: Clock | None = None) -> None:
        self.store = Store(folder / "center.sqlite")
        self._key = Key.at(folder / "keys" / "receipt.jwk")
        self._panels = panels
        self._clock = clock or SystemClock()
        self._queue: queue.Queue[_Work] = queue.Queue(UNACKNOWLEDGED + 1)
        self._ending = False
        self._topics = [(f"$share/{group}/fenghuo/v1/+/{word}/+", 1) for word in ("event", "batch")]
        # No session: a broker may go on to put messages aside for a member that is away, and panels send again anyhow.
        self._client = broker.client("", unacknowledged=UNACKNOWLEDGED)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self.ready = threading.Event()
        self._client.on_subscribe = lambda *_: self.ready.set()
        self.taken = 0

    def run(self) -> None:
        """Take messages until `stop`; what was taken in is committed and receipted first."""
        self._client.loop_start()
        running = True
        while running:
            batch, running = self._take()
            try:
                self._turn(batch)
            except sqlite3.Error as error:
                # Neither acknowledged nor receipted: the panels send it again.
                print(f"the store failed: {error}", file=sys.stderr, flush=True)
        self._client.disconnect()
        self._client.loop_stop()
        self.store.close()

    def stop(self) -> None:
        """Let `run` take what has come, and end. Safe in a signal handler."""
        self._ending = True

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, _props: object) -> None:
        if not reason.is_failure:
            client.subscribe(self._topics)

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        # The broker keeps to the receive maximum, so there is always room.
        self._queue.put((message.topic, bytes(message.payload[: MAX_PAYLOAD + 1]), message.mid, message.qos))

    def _take(self) -> tuple[list[_Work], bool]:
        taken: list[_Work] = []
        item = self._next()
        while item is not None:
            taken.append(item)
            if len(taken) >= MAX_TURN or self._queue.empty():
                return taken, True
            item = self._queue.get_nowait()  # nobody else takes any
        return taken, False

    def _next(self) -> _Work | None:
        # Never for long: a signal's handler waits for this thread, wherever the kernel hands the signal to.
        while not self._ending:
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=LOOK_S)
        with contextlib.suppress(queue.Empty):
            return self._queue.get_nowait()
        return None

    def _turn(self, batch: list[_Work]) -> None:
        due: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
        with self.store.transaction():
            for topic, data, _, _ in batch:
                for record in self._records(topic, data):
                    header = record.header
                    if self._keep(record):
                        place = (record.panel, header["journal"], header["lane"])
                        due.setdefault(place, []).append((header["lane_seq"], record.hash))
        for (panel, journal, lane), records in due.items():
            for at in range(0, len(records), MAX_RANGES):
                self._receipt(panel, journal, lane, records[at : at + MAX_RANGES])
        for _, _, mid, qos in batch:
            self._client.ack(mid, qos)
            self.taken += 1

    def _keep(self, record: RecordIn) -> bool:
        """Whether it is stored now, and may be receipted."""
        now = utc_text(self._clock.utc())
        what = self.store.take(record, now)
        self.store.count(record.panel, "record" if what == "new" else what)
        if what == "new":
            vouched.look_at(self.store, record, now)
            alarms.note(self.store, record, now)
        return what != "full"

    def _records(self, topic: str, data: bytes) -> list[RecordIn]:
        try:
            panel, words = panel_of(topic)
            if self._known(panel) and len(words) == 2 and words[1] in LANES:
                records, bad = read_records(panel, words[1], data, batch=words[0] == "batch")
                for garbage in bad:
                    self.store.count(panel, f"garbage.{garbage.reason}")
                return records
        except Garbage as garbage:
            self.store.count("", f"garbage.{garbage.reason}")
        return []

    def _known(self, panel: str) -> bool:
        if self.store.key(panel) is None:
            x = self._panels(panel)
            if x is None:
                self.store.count("", "garbage.unknown-panel")
                return False
            self.store.register(panel, x)
        return True

    def _receipt(self, panel: str, journal: str, lane: str, records: list[tuple[int, str]]) -> None:
        ranges = [{"first": lane_seq, "last": lane_seq, "hash": own_hash} for lane_seq, own_hash in records]
        body = {"panel": panel, "journal": journal, "lane": lane, "ranges": ranges}
        self._client.publish(f"fenghuo/v1/{panel}/receipt", self._key.sign(RECEIPT, body), qos=1)


def consume(
    broker: Annotated[str, typer.Option(help="mqtt(s)://HOST:PORT of an MQTT 5 broker. MQTT 5 代理地址。")],
    folder: Annotated[Path, typer.Option("--dir", help="Where the shared store and keys lie. 共享数据与密钥目录。")],
    panels: Annotated[Path, typer.Option(help="A folder of ID.jwk files. 存放 编号.jwk 的目录。")],
    group: Annotated[str, typer.Option(help="Name of the group. 消费组名称。")] = "fenghuo",
    ca: Annotated[Path | None, typer.Option(help="CA of the broker's certificate (PEM). 代理证书的 CA。")] = None,
    cert: Annotated[Path | None, typer.Option(help="Client certificate (PEM). 客户端证书。")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM). 证书私钥。")] = None,
) -> None:
    """Take records beside other consumers of a group (docs/scale.md). 与同组消费者分担记录。"""
    if not group or set(group) & set("/+#"):
        raise typer.BadParameter(f"--group {group!r}: / + # ?")
    try:
        consumer = Consumer(Broker.at(broker, ca, cert, key), folder, group, Panels.of([], panels))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: consumer.stop())
    told = threading.Thread(target=lambda: consumer.ready.wait() and print("ready", flush=True), daemon=True)
    told.start()
    consumer.run()
    print(f"taken {consumer.taken}", flush=True)
