"""Real brokers and their other clients: Mosquitto on loopback, certificates made for a test, a center's MQTT side."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import paho.mqtt.client as paho
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from firmware.config import MqttPath
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


@dataclass(frozen=True)
class Authority:
    """A certificate authority that lives as long as a test."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path, name: str) -> "Authority":
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _sign(name, key.public_key(), name, key, [], True)
        made = cls(folder, key, certificate)
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return made

    def issue(self, name: str, hosts: list[str]) -> None:
        """`name.pem` and `name.key` in the folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = _sign(name, key.public_key(), str(issuer), self.key, hosts, False)
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _sign(
    name: str,
    public: ec.EllipticCurvePublicKey,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    hosts: list[str],
    authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if hosts:
        names = [x509.IPAddress(ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())
