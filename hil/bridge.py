"""Mosquitto's own bridge with persistence, as a carrier for benches: the yardstick of the uplink.

A producer publishes to a local broker with QoS 1; what was acknowledged to it counts as kept. The local broker bridges
to the center's with QoS 1 and a session that lasts, and saves its queue as often as it is told.
"""

import json
import queue
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hil.bench_core import PAD
from hil.broker import HOST, Mosquitto
from hil.carrier import Carrier, boot_ms

TOPIC = "fenghuo/v1/bench/event"

_BRIDGE = """\
allow_anonymous true
max_inflight_messages 1000
persistence true
persistence_location {folder}/
autosave_on_changes {on_changes}
autosave_interval 1
connection center
address {host}:{port}
topic # out 1
cleansession false
clientid fenghuo-bench-bridge
notifications false
restart_timeout 1 8
keepalive_interval 10
"""


def bridging(work: Path, data: Path, port: int, on_changes: bool) -> Mosquitto:
    """A local broker that keeps its queue in `data` and bridges to the broker at this port."""
    data.mkdir(parents=True, exist_ok=True)
    text = _BRIDGE.format(folder=data, on_changes=str(on_changes).lower(), host=HOST, port=port)
    return Mosquitto(work, text)


class Collector:
    """The center's side of a bridge: takes messages in, commits them, notes when."""

    def __init__(self, port: int, file: Path) -> None:
        self.first: dict[int, int] = {}
        self.again = 0
        self._queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._subscribed = threading.Event()
        self._file = file
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "collector", clean_session=False)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{TOPIC}/#", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _c, _d, message: self._queue.put(int(json.loads(message.payload)["n"]))
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._store, daemon=True)
        self._thread.start()
        if not self._subscribed.wait(10):
            raise TimeoutError("the collector is not subscribed")

    def _store(self) -> None:
        with closing(sqlite3.connect(self._file, isolation_level=None)) as db:
            db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS n(n INTEGER, t INTEGER)"
            )
            while True:
                numbers = [self._queue.get()]
                while not self._queue.empty() and len(numbers) < 512:
                    numbers.append(self._queue.get())
                whole = [number for number in numbers if number is not None]
                db.execute("BEGIN")
                db.executemany("INSERT INTO n VALUES(?, 0)", [(number,) for number in whole])
                db.execute("COMMIT")
                now = boot_ms()
                for number in whole:
                    self.again += number in self.first
                    self.first.setdefault(number, now)
                if None in numbers:
                    return

    def close(self) -> None:
        """End it."""
        self._client.disconnect()
        self._client.loop_stop()
        self._queue.put(None)
        self._thread.join(10)


class Bridge(Carrier):
    """Mosquitto's own. `on_changes`: it saves its queue after every message, else once a second."""

    def __init__(self, work: Path, data: Path, link: int, remote: int, on_changes: bool) -> None:
        super().__init__()
        self.name = "bridge, saves each change" if on_changes else "bridge, saves each second"
        work.mkdir(parents=True, exist_ok=True)
        self._local = bridging(work, data, link, on_changes)
        self._collector = Collector(remote, work / "collector.sqlite")
        self._number = 0
        self._mids: dict[int, int] = {}
        self._early: set[int] = set()
        """Acknowledged before `publish` had returned."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._room = threading.Semaphore(100)
        self._client: mqtt.Client | None = None

    def start(self) -> None:
        self._local.start()
        if self._client is None:
            client = mqtt.Client(CallbackAPIVersion.VERSION2, "producer", clean_session=False)
            client.max_inflight_messages_set(100)
            client.reconnect_delay_set(1, 1)
            client.on_publish = self._published
            client.connect(HOST, self._local.port)
            client.loop_start()
            self._client = client

    def kill(self) -> None:
        self._local.kill()

    def make(self, count: int, per_s: float, lane: str = "status") -> None:
        threading.Thread(target=self._make, args=(count, per_s, lane), daemon=True).start()

    def _make(self, count: int, per_s: float, lane: str) -> None:
        due = time.monotonic()
        for _ in range(count):
            if lane != "alarm":
                self._room.acquire()
            if self._ended.is_set() or self._client is None:
                return
            with self._lock:
                self._number = number = self._number + 1
                if lane == "alarm":
                    self.alarms.append(number)
            # About as long as one of our records as a CloudEvent.
            body = json.dumps({"n": number, "lane": lane, "pad": PAD, "header": "h" * 600})
            # Not under the lock: paho calls `_published` while it holds one that `publish` needs.
            mid = self._client.publish(f"{TOPIC}/{lane}", body, 1).mid
            with self._lock:
                early = mid in self._early
                self._early.discard(mid)
                self._mids.update({} if early else {mid: number})
            if early:
                self._keep(number)
            if per_s:
                due += 1 / per_s
                time.sleep(max(0.0, due - time.monotonic()))

    def _published(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._lock:
            number = self._mids.pop(mid, None)
            if number is None:
                self._early.add(mid)
        self._room.release()
        if number is not None:
            self._keep(number)

    def _keep(self, number: int) -> None:
        self.kept[number] = boot_ms()
        self.on_kept(number)

    def arrived(self) -> dict[int, int]:
        return dict(self._collector.first)

    def again(self) -> int:
        return self._collector.again

    def close(self) -> None:
        self._ended.set()
        self._room.release()
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
        self._local.kill()
        self._collector.close()
