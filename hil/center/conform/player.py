"""The panel that the kit plays: one MQTT 5 connection with its will, and everything that the center says to it.

It publishes what a scene tells it to, right or wrong, and judges nothing.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from firmware.clock import SystemClock, utc_text
from firmware.protocol import typ
from firmware.protocol.envelope import event
from firmware.protocol.jws import b64url
from firmware.protocol.records import Record
from hil.center.conform.journal import Journal
from hil.center.conform.said import Heard
from hil.center.keys import Key
from hil.center.wire import KEEP_ALIVE_S, Broker

WORDS = ("receipt", "command", "time", "keys", "certificate")
MAX_HEARD = 20_000
CONNECT_S = 10.0


class NoBroker(Exception):
    """The broker did not take the panel; the text says where."""


class Player:
    """One panel. Connect first; `close` at the end."""

    def __init__(self, broker: Broker, panel: str, key: Key) -> None:
        self.panel = panel
        self.key = key
        self.heard: list[Heard] = []
        self.published = 0
        self.nonces: list[str] = []
        self.beats: list[str] = []
        self.session = int(time.time())  # above that of every run before, as a heartbeat's session must be
        self._connections = 0
        self._broker = broker
        self._client: mqtt.Client | None = None
        self._changed = threading.Condition()

    # --- connection

    def connect(self) -> None:
        """Connect with a clean start and subscribe; says that it is online. Raises `NoBroker`."""
        self._connections += 1
        client = mqtt.Client(CallbackAPIVersion.VERSION2, self.panel, protocol=MQTTProtocolVersion.MQTTv5)
        if self._broker.tls is not None:
            client.tls_set_context(self._broker.tls)
        client.will_set(self._topic("link"), self.link(False), qos=1, retain=True)
        ready = threading.Event()
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        client.on_connect = lambda c, *_: c.subscribe([(self._topic(word), options) for word in WORDS])
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = self._on_message
        try:
            client.connect(self._broker.host, self._broker.port, KEEP_ALIVE_S, clean_start=True)
        except (OSError, ValueError) as error:
            raise NoBroker(f"{self._broker}: {error}") from None
        client.loop_start()
        if not ready.wait(CONNECT_S):
            client.loop_stop()
            raise NoBroker(f"{self._broker}: it does not take the subscriptions of {self.panel}")
        self._client = client
        self.publish("link", self.link(True), retain=True)

    def leave(self, with_will: bool = False) -> None:
        """Disconnect; `with_will`: so that the broker publishes the last will at once."""
        if self._client is None:
            return
        if with_will:
            leaving = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")
            self._client.disconnect(leaving, Properties(PacketTypes.DISCONNECT))  # type: ignore[no-untyped-call]
        else:
            self.publish("link", self.link(False), retain=True)
            self._client.disconnect()
        self._client.loop_stop()
        self._client = None

    close = leave

    def link(self, online: bool, connection: int | None = None) -> str:
        """A `link` message."""
        order = [self.session, 1, self._connections if connection is None else connection]
        return json.dumps({"panel": self.panel, "online": online, "order": order, "time": _now() if online else None})

    # --- what it publishes

    def publish(self, word: str, payload: bytes | str, qos: int = 1, retain: bool = False) -> None:
        """Publish on a topic of its own, and wait for the broker."""
        if self._client is None:
            raise RuntimeError("the played panel is not connected")
        self._client.publish(self._topic(word), payload, qos=qos, retain=retain).wait_for_publish(CONNECT_S)
        self.published += 1

    def send(self, record: Record, stored: bool = False, thumbnail: bytes | None = None, **changed: Any) -> None:
        """One record as an event; `changed`: members of the envelope that say something else."""
        body = event(record, stored, thumbnail) | changed
        self.publish(f"event/{changed.get('lane', record.header.lane)}", json.dumps(body))

    def send_batch(self, records: list[Record]) -> None:
        """Records of one lane as a batch."""
        body = [event(record, True) for record in records]
        self.publish(f"batch/{records[0].header.lane}", json.dumps(body))

    def beat(self, journal: Journal, signed_by: Key | None = None) -> str:
        """Publish the next heartbeat, perhaps signed by another; its nonce."""
        nonce = b64url(os.urandom(16))
        seq, own_hash = journal.head
        body = {
            "panel": self.panel,
            "session": self.session,
            "beat": len(self.beats) + (1 if signed_by is None else 1000),
            "time": _now(),
            "clock": "free-running",
            "monotonic_ms": SystemClock().monotonic_ms(),
            "journal": journal.id,
            "seq": seq,
            "hash": own_hash,
            "lanes": dict(journal.lanes),
            "troubles": [],
            "keys_serial": 0,
            "nonce": nonce,
        }
        token = (signed_by or self.key).sign(typ.HEARTBEAT, body)
        if signed_by is None:
            self.nonces.append(nonce)
            self.beats.append(token)
        self.publish("heartbeat", token, qos=0)
        return nonce

    def reply(self, counter: int | None, key: str) -> None:
        """A signed reply: done."""
        told = {"result": "done", "reason": "", "detail": {}, "time": _now()}
        body: dict[str, Any] = {"panel": self.panel, "counter": counter, "key": key, **told}
        self.publish("reply", self.key.sign(typ.REPLY, body))

    # --- what it hears

    def wait(self, predicate: Callable[[], object], timeout_s: float) -> bool:
        """Wait until the predicate holds; looked at again after each message."""
        with self._changed:
            return bool(self._changed.wait_for(predicate, timeout_s))

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        word = message.topic.rsplit("/", 1)[1]
        heard = Heard(word, bytes(message.payload), message.qos, message.retain, expiry, time.monotonic())
        with self._changed:
            if len(self.heard) < MAX_HEARD:
                self.heard.append(heard)
            self._changed.notify_all()

    def _topic(self, word: str) -> str:
        return f"fenghuo/v1/{self.panel}/{word}"


def _now() -> str:
    return utc_text(SystemClock().utc())
