"""A panel as small as it can be, the other end of the center's wire: makes records, signs, publishes as it is told."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from firmware.protocol.envelope import event
from firmware.protocol.jws import KeyRing, Refused, Signer, b64url, load_public
from firmware.protocol.records import Record
from firmware.protocol.signed import Command, Receipt, read_command, read_receipt
from hil.center.conform.journal import LANES, NOW, Journal

__all__ = ["LANES", "NOW", "Journal", "TinyPanel", "encoded", "picture"]


class TinyPanel:
    """One panel on a broker: publishes on its topics, collects verified receipts and commands."""

    def __init__(self, host: str, port: int, panel: str = "bank-1", journal: str | None = None) -> None:
        self.panel = panel
        self.journal = Journal(panel, journal)
        self.signer = Signer(Ed25519PrivateKey.generate())
        self.x = b64url(self.signer.public.public_bytes_raw())
        self.receipts: list[Receipt] = []
        self.commands: list[Command] = []
        self.refused: list[Refused] = []
        self.nonces: list[str] = []
        self.tokens: list[str] = []
        self.session = 1
        self._beat = 0
        self._keys: tuple[KeyRing, KeyRing] | None = None
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(f"fenghuo/v1/{panel}/{word}", SubscribeOptions(qos=1)) for word in ("receipt", "command")]
        )
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect(host, port)
        self.client.loop_start()
        assert self._ready.wait(10), "the broker did not take the panel's subscription"

    def trust(self, receipt_x: str, command_x: str) -> None:
        self._keys = (KeyRing([load_public(receipt_x)]), KeyRing([load_public(command_x)]))

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            try:
                assert self._keys is not None
                if message.topic.endswith("/receipt"):
                    self.receipts.append(read_receipt(self._keys[0], message.payload.decode(errors="replace")))
                else:
                    self.tokens.append(message.payload.decode(errors="replace"))
                    self.commands.append(read_command(self._keys[1], message.payload.decode(errors="replace")))
            except Refused as refused:
                self.refused.append(refused)
            self._changed.notify_all()

    def wait(self, predicate: Callable[[], object], timeout_s: float = 10) -> bool:
        with self._changed:
            return bool(self._changed.wait_for(predicate, timeout_s))

    def receipted(self) -> dict[str, set[int]]:
        """The lane_seqs that the receipts of this journal name, the hash of each range checked as core does."""
        by_place = {(r.header.lane, r.header.lane_seq): r.hash for r in self.journal.records}
        found: dict[str, set[int]] = {lane: set() for lane in LANES}
        for receipt in self.receipts:
            for r in receipt.ranges:
                if receipt.journal == self.journal.id and by_place.get((receipt.lane, r.last)) == r.hash:
                    found[receipt.lane] |= set(range(r.first, r.last + 1))
        return found

    def delivered(self, count: int) -> bool:
        return sum(map(len, self.receipted().values())) >= count

    def publish(self, words: str, payload: bytes | str, retain: bool = False) -> None:
        self.client.publish(f"fenghuo/v1/{self.panel}/{words}", payload, qos=1, retain=retain).wait_for_publish(5)

    def send(self, record: Record, stored: bool = False, thumbnail: bytes | None = None) -> None:
        self.publish(f"event/{record.header.lane}", json.dumps(event(record, stored, thumbnail)))

    def send_batch(self, records: list[Record]) -> None:
        self.publish(f"batch/{records[0].header.lane}", json.dumps([event(r, True) for r in records]))

    def beat_body(self) -> dict[str, Any]:
        self._beat += 1
        seq, own_hash = self.journal.head
        nonce = b64url(hashlib.sha256(f"{self.session}-{self._beat}".encode()).digest()[:16])
        self.nonces.append(nonce)
        return {
            "panel": self.panel,
            "session": self.session,
            "beat": self._beat,
            "time": NOW,
            "clock": "free-running",
            "monotonic_ms": self._beat,
            "journal": self.journal.id,
            "seq": seq,
            "hash": own_hash,
            "lanes": dict(self.journal.lanes),
            "troubles": [],
            "keys_serial": 0,
            "nonce": nonce,
        }

    def beat(self) -> str:
        """Publish a signed heartbeat; its token."""
        token = self.signer.sign("fenghuo.heartbeat.v1", self.beat_body())
        self.publish("heartbeat", token)
        return token

    def reply(
        self, counter: int | None, result: str = "done", reason: str = "", detail: dict[str, Any] | None = None
    ) -> None:
        body: dict[str, Any] = {
            "panel": self.panel,
            "counter": counter,
            "key": "",
            "result": result,
            "reason": reason,
            "detail": detail or {},
            "time": NOW,
        }
        self.publish("reply", self.signer.sign("fenghuo.reply.v1", body))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def picture(data: bytes) -> dict[str, Any]:
    """`thumbnail` of an evidence payload that names these bytes."""
    return {"thumbnail": {"file": "t.jpg", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
