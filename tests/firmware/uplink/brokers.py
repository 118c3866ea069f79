"""Real brokers and their other clients: Mosquitto on loopback, a center's MQTT side."""

import threading
import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firmware.config import MqttPath
from hil.authority import Authority
from hil.broker import HOST, Mosquitto

__all__ = ["HOST", "PLAIN", "Authority", "Mosquitto", "Watcher", "plain_path", "wait_for"]

PLAIN = "I accept that anyone on the network can read and drop reports"


def wait_for(what: Callable[[], object], why: str, seconds: float = 10.0) -> None:
    """Wait for something that another process does; fails with `why`."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain: {why}"
        time.sleep(0.01)


def plain_path(port: int, **changes: object) -> MqttPath:
    return MqttPath.model_validate({"id": "primary", "host": HOST, "port": port, "plaintext": PLAIN, **changes})


class Watcher:
    """An MQTT 5 client of the center's side: keeps what it gets, and may answer each message."""

    def __init__(self, port: int, topic: str, answer: Callable[[str, bytes], str | None] = lambda *_: None) -> None:
        self.messages: list[paho.MQTTMessage] = []
        self._changed = threading.Condition()
        self._answer = answer
        self._ready = threading.Event()
        self._topic = topic
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect(HOST, port)
        self.client.loop_start()
        assert self._ready.wait(5)

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        answer = self._answer(message.topic, bytes(message.payload))
        if answer:
            client.publish(message.topic.rsplit("/", 2)[0] + "/receipt", answer, 1)
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, what: Callable[[list[paho.MQTTMessage]], object], why: str, seconds: float = 10.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: what(self.messages), seconds), f"waited in vain: {why}"

    def of(self, word: str) -> list[bytes]:
        """Payloads of topics that end so."""
        with self._changed:
            return [bytes(m.payload) for m in self.messages if m.topic.endswith(word)]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
