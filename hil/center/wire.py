"""How a center reaches its broker: the address as an operator writes it, TLS, and one MQTT 5 client of ours.

`mqtts://` is checked as a panel checks it: TLS 1.2 or later, the CA of the given file alone, the host name.
"""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware.language import Text, pick

KEEP_ALIVE_S = 30
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_TEXTS: dict[str, Text] = {
    "url": ("--broker {found!r}: expected mqtt://HOST:PORT or mqtts://HOST:PORT",
            "--broker {found!r}:应为 mqtt://主机:端口 或 mqtts://主机:端口"),
    "plain-only": ("--broker {found!r}: expected mqtt://HOST:PORT", "--broker {found!r}:应为 mqtt://主机:端口"),
    "plain": ("--broker {found!r}: certificates go with mqtts://", "--broker {found!r}:证书须配合 mqtts:// 使用"),
    "pair": ("--cert and --key go together", "--cert 与 --key 必须同时给出"),
    "ca": ("mqtts:// needs --ca, the file of the CA that signed the broker's certificate",
           "mqtts:// 需要 --ca:签发代理证书的 CA 文件"),
    "file": ("{option} {file}: {detail}", "{option} {file}:{detail}"),
}  # fmt: skip


@dataclass(frozen=True)
class Broker:
    """Where an MQTT 5 broker listens, and the TLS that goes with it (None: in plain text)."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @classmethod
    def at(cls, url: str, ca: Path | None = None, cert: Path | None = None, key: Path | None = None) -> "Broker":
        """From `mqtt://HOST:PORT` or `mqtts://HOST:PORT` and files in PEM; raises `ValueError` that says what is wrong.

        `cert` and `key`: the client certificate that a broker asks for.
        """
        scheme, host, port = _parts(url)
        if (cert is None) != (key is None):
            raise ValueError(pick(_TEXTS["pair"]))
        if scheme == "mqtt":
            if ca or cert:
                raise ValueError(pick(_TEXTS["plain"], found=url))
            return cls(host, port)
        if ca is None:
            raise ValueError(pick(_TEXTS["ca"]))
        return cls(host, port, _context(ca, cert, key))

    def client(self, name: str, session_s: int = 0, max_unsent: int = 1000, unacknowledged: int = 0) -> mqtt.Client:
        """A client that is about to connect (call `loop_start`). `name` empty: the broker gives one.

        `session_s`: so long the broker keeps what comes while the client is away, seconds; 0: a clean start.
        `max_unsent`: so many messages of ours may wait for the broker. `unacknowledged`: above 0 each message is
        acknowledged by hand, and the broker sends at most so many before.
        """
        made = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5,
                           manual_ack=unacknowledged > 0)  # fmt: skip
        if self.tls is not None:
            made.tls_set_context(self.tls)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = session_s
        if unacknowledged:
            properties.ReceiveMaximum = unacknowledged
        made.reconnect_delay_set(1, 30)
        made.max_queued_messages_set(max_unsent)
        made.connect_async(
            self.host, self.port, keepalive=KEEP_ALIVE_S, clean_start=session_s == 0, properties=properties
        )
        return made

    def trouble(self, timeout_s: float = 3.0) -> str:
        """Why it can't be reached, as a new connection finds out; empty when it listens and its certificate counts."""
        try:
            with socket.create_connection((self.host, self.port), timeout_s) as plain:
                if self.tls is not None:
                    self.tls.wrap_socket(plain, server_hostname=self.host).close()
        except (OSError, ValueError) as error:
            return str(error)
        return ""

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def address(url: str) -> tuple[str, int]:
    """Host and port of `mqtt://HOST:PORT`; raises `ValueError`."""
    scheme, host, port = _parts(url)
    if scheme != "mqtt":
        raise ValueError(pick(_TEXTS["plain-only"], found=url))
    return host, port


def expiring(seconds: int) -> Properties:
    """Properties of a publish that no broker keeps longer."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = seconds
    return properties


def _parts(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ValueError(pick(_TEXTS["url"], found=url)) from None
    if not parts.hostname or parts.username or parts.path.strip("/"):
        raise ValueError(pick(_TEXTS["url"], found=url))
    return parts.scheme, parts.hostname, port


def _context(ca: Path, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_verify_locations(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ValueError(pick(_TEXTS["file"], option="--ca", file=ca, detail=error)) from None
    if cert and key:
        try:
            made.load_cert_chain(str(cert), str(key))
        except (OSError, ssl.SSLError) as error:
            raise ValueError(pick(_TEXTS["file"], option="--cert/--key", file=f"{cert}, {key}", detail=error)) from None
    return made
