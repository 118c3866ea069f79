"""One signed command from the shell: sent beside a running center, answered by the panel's signed reply.

It shares the center's store for the counter alone, which is committed before anything is sent, and listens to this
one panel's heartbeats and replies; records and receipts stay the center's.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from firmware.clock import SystemClock, utc_text
from firmware.protocol.typ import COMMAND, HEARTBEAT, REPLY
from hil.center.center import COMMAND_LIFE_S
from hil.center.keys import BadToken, Key, read_token
from hil.center.store import Store
from hil.center.wire import Broker, expiring

REPLY_S = 10.0
CONNECT_S = 5.0
FRESH_S = 50.0
"""An older heartbeat's nonce may no longer count: the panel takes those of its last two."""
BEAT_S = 35.0


class NotSent(Exception):
    """The command did not leave; the text says why."""


class NoReply(Exception):
    """The command left, and nothing came back. `counter`: what its record will carry."""

    def __init__(self, counter: int) -> None:
        super().__init__(f"no reply to command {counter}")
        self.counter = counter


@dataclass(frozen=True)
class Order:
    """What an operator wants of a panel."""

    panel: str
    command: str
    args: Mapping[str, Any]
    operator: str


def send(broker: Broker, folder: Path, order: Order, beat_s: float = BEAT_S) -> dict[str, Any]:
    """Sign and send, wait for the signed reply and give it. Raises `NotSent`, `NoReply`.

    `beat_s`: so long to wait for a fresh heartbeat when the center's last one is too old, seconds.
    """
    store = Store(folder / "center.sqlite")
    try:
        x = store.key(order.panel)
        if x is None:
            raise NotSent(f"no heartbeat of panel {order.panel} yet, so there is no fresh nonce")
        key = Key.at(folder / "keys" / "command.jwk")
        with Line(broker, order.panel, x, key.kid) as line:
            nonce = fresh_nonce(store, line, order.panel, beat_s)
            now = utc_text(SystemClock().utc())
            try:
                counter, nonce = store.next_command(
                    order.panel, order.command, dict(order.args), order.operator, now, nonce
                )
            except LookupError as error:
                raise NotSent(str(error)) from None
            return line.ask(counter, key.sign(COMMAND, body_of(order, counter, nonce)))
    finally:
        store.close()


def body_of(order: Order, counter: int, nonce: str) -> dict[str, Any]:
    return {
        "panel": order.panel,
        "counter": counter,
        "nonce": nonce,
        "command": order.command,
        "args": dict(order.args),
        "operator": order.operator,
    }


def fresh_nonce(store: Store, line: "Line", panel: str, beat_s: float) -> str | None:
    """None: the center's own is fresh, or no better one came."""
    heard = store.rows("SELECT heard FROM panels WHERE panel=?", panel)[0]["heard"]
    if heard is not None and SystemClock().utc() - datetime.fromisoformat(heard).timestamp() < FRESH_S:
        return line.nonce
    return line.next_nonce(beat_s)


class Line:
    """The connection of one order."""

    def __init__(
        self,
        broker: Broker,
        panel: str,
        x: str,
        kid: str,
        words: tuple[str, ...] = (),
        heard: Callable[[str, bytes], object] = lambda _word, _payload: None,
    ) -> None:
        """`words`: further ones of the panel to listen to; `heard` is called with them on paho's thread."""
        self._words = ("heartbeat", "reply", *words)
        self._heard = heard
        self._kid = kid
        self.nonce: str | None = None
        self._broker = broker
        self._panel = panel
        self._x = x
        self._replies: dict[int, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._ready = False
        self._client = broker.client("")
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> "Line":
        self._client.loop_start()
        with self._changed:
            ready = self._changed.wait_for(lambda: self._ready, CONNECT_S)
        if not ready:
            self.__exit__()
            raise NotSent(f"no MQTT 5 broker at {self._broker} within {CONNECT_S:g} s: {self._broker.trouble()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def next_nonce(self, timeout_s: float) -> str | None:
        """The nonce of a heartbeat that comes within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.nonce, timeout_s)
            return self.nonce

    def ask(self, counter: int, token: str) -> dict[str, Any]:
        """Publish the token; the reply to it."""
        topic = f"fenghuo/v1/{self._panel}/command"
        self._client.publish(topic, token, qos=1, properties=expiring(COMMAND_LIFE_S))
        end = time.monotonic() + REPLY_S
        with self._changed:
            self._changed.wait_for(lambda: counter in self._replies, end - time.monotonic())
        if counter not in self._replies:
            raise NoReply(counter)
        return self._replies[counter]

    def say(self, word: str, payload: str) -> None:
        """Publish on a topic of the panel's, with a short life."""
        topic = f"fenghuo/v1/{self._panel}/{word}"
        self._client.publish(topic, payload, qos=1, properties=expiring(COMMAND_LIFE_S))

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, _props: object) -> None:
        if not reason.is_failure:
            client.subscribe([(f"fenghuo/v1/{self._panel}/{word}", 1) for word in self._words])

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        word = message.topic.rpartition("/")[2]
        if word not in ("heartbeat", "reply"):
            self._heard(word, bytes(message.payload))
            return
        beat = word == "heartbeat"
        try:
            body = read_token(self._x, HEARTBEAT if beat else REPLY, bytes(message.payload))
        except BadToken:
            return
        if body.get("panel") != self._panel or body.get("key", "") not in ("", self._kid):
            return  # another panel's, or the reply to another center's command
        with self._changed:
            if beat and isinstance(body.get("nonce"), str):
                self.nonce = body["nonce"]
            elif not beat and isinstance(body.get("counter"), int) and len(self._replies) < 1000:
                self._replies[body["counter"]] = body
            self._changed.notify_all()
