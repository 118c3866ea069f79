"""What really stands on a broker between a panel and a center is what the AsyncAPI document says of each topic."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from jsonschema import Draft202012Validator
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from firmware.protocol.jws import unb64url
from hil.center import Center
from hil.center.exchange import TimeService
from tests.system.rig import rig

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
_PARAMETERS = {"{panel}": "[a-z0-9][a-z0-9-]{2,47}", "{path}": "(second|third|fourth)"}


@dataclass(frozen=True)
class Seen:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    content: str | None
    expires: bool


class Tap:
    """Listens to everything of a panel, retained flags as they were published."""

    def __init__(self, port: int, panel: str) -> None:
        self.seen: list[Seen] = []
        self._changed = threading.Condition()
        ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"fenghuo/v1/{panel}/#", options=SubscribeOptions(qos=1, retainAsPublished=True))
        self._client.loop_start()
        assert ready.wait(10)

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        content = getattr(message.properties, "ContentType", None)
        expires = hasattr(message.properties, "MessageExpiryInterval")
        seen = Seen(message.topic, bytes(message.payload), message.qos, message.retain, content, expires)
        with self._changed:
            self.seen.append(seen)
            self._changed.notify_all()

    def wait(self, predicate: Callable[[], object], timeout_s: float = 20.0) -> bool:
        with self._changed:
            return bool(self._changed.wait_for(predicate, timeout_s))

    def words(self) -> Counter[str]:
        return Counter(seen.topic.split("/", 3)[3] for seen in self.seen)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def at(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference[2:].split("/"):
        found = found[step]
    return found


def operation_of(topic: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name of the channel, the operation, and its message."""
    for operation in DOCUMENT["operations"].values():
        name = operation["channel"]["$ref"].rsplit("/", 1)[1]
        pattern = re.escape(at(operation["channel"]["$ref"])["address"])
        for parameter, value in _PARAMETERS.items():
            pattern = pattern.replace(re.escape(parameter), value)
        if re.fullmatch(pattern, topic):
            (message,) = at(operation["channel"]["$ref"])["messages"].values()
            return name, operation, at(message["$ref"])
    raise AssertionError(f"{topic}: no channel of the document")


def check(seen: Seen) -> str:
    name, operation, message = operation_of(seen.topic)
    binding = operation["bindings"]["mqtt"]
    assert seen.qos == binding["qos"], seen
    assert seen.retain == binding["retain"], seen
    assert seen.expires == ("messageExpiryInterval" in binding), seen
    if operation["action"] == "send":
        assert seen.content == message["contentType"], seen
    body = seen.payload.decode()
    payload = message["payload"]
    if "x-jws-typ" in message:
        assert re.fullmatch(payload["pattern"], body)
        header, middle, _ = body.split(".")
        assert json.loads(unb64url(header))["typ"] == message["x-jws-typ"]
        payload, body = message["x-jws-payload"], unb64url(middle).decode()
    schema = json.loads((DOCS / payload["schema"]["$ref"]).read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(body))] == [], seen.topic
    return name


def test_everything_that_crosses_the_wire_is_what_the_document_says(mosquitto: int, tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    with (
        Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as center,
        rig(port=mosquitto, center=(center.receipt_key.x, center.command_key.x)) as panel,
    ):
        TimeService().attach(center)
        tap = Tap(mosquitto, panel.panel)
        try:
            panel.start("core")
            keys[panel.panel] = str(panel.panel_x())
            panel.add_user()  # records that wait, and so a batch
            panel.start("uplink")
            panel.settle()
            assert center.wait(lambda c: c.heads(panel.panel), 20)
            center.command(panel.panel, "arm", {"areas": ["hall"]}, "wang")
            assert tap.wait(lambda: tap.words()["reply"])
            panel.move("back-door", "open")
            assert tap.wait(lambda: tap.words()["event/alarm"] and tap.words()["time"] and tap.words()["receipt"] >= 3)
            panel.stop("uplink")
            assert tap.wait(lambda: tap.words()["link"] >= 2)
        finally:
            tap.close()
    names = Counter(check(seen) for seen in tap.seen)
    assert {"event-status", "event-alarm", "batch-status", "heartbeat", "reply", "state", "link", "receipt", "command",
            "time"} <= set(names)  # fmt: skip
