"""One connection of paho: from the TCP connect to its one and only end.

paho runs the network thread. Whatever it does, the owner hears `Opened` at most once and `Closed` exactly once, unless
it ended the connection itself.
"""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware.config import MqttPath
from firmware.protocol import topics
from firmware.protocol.jws import MAX_BYTES
from firmware.uplink.events import Closed, Connect, Publish, Received
from firmware.uplink.outbox import JSON_TYPE

log = logging.getLogger("fenghuo.uplink.connection")

MAX_PACKET_BYTES = MAX_BYTES + 4096
"""Of one incoming packet; a broker that sends a larger one is cut off before it is read."""
RECEIVE_MAXIMUM = 64
WORDS = ("receipt", "command")
"""What a path can't do without: a broker that refuses one of these is none."""
MORE_WORDS = ("keys", "time", "certificate", "fetch")
"""What an older access list may refuse."""
CONNECT_TIMEOUT_S = 10.0
FAREWELL_S = 2.0
FAREWELL_READS = 64
FIRST_FAILURE = 0x80
TAKEN_OVER = 0x8E
# The broker will not have us, or not this; more than a broken line (MQTT 5, 2.4).
_REFUSALS = frozenset({0x82, 0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, TAKEN_OVER, 0x97, 0x9A, 0x9B, 0x9C, 0x9D})


@dataclass(frozen=True)
class Subscribed:
    """The broker granted receipts and commands."""


@dataclass(frozen=True)
class Left:
    """paho says that the publish with this id has left; `failure` is the broker's reason, if any."""

    mid: int
    failure: str


PahoEvent: TypeAlias = Subscribed | Left | Received | Closed


class _Bounded(paho.Client):
    """paho, but it takes in no packet that is larger than we told the broker, and knows who hung up."""

    hung_up = False

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > MAX_PACKET_BYTES:
            raise ConnectionError(f"the broker announced a packet of {bufsize} bytes, at most {MAX_PACKET_BYTES}")
        data = super()._sock_recv(bufsize)
        self.hung_up = not data
        return data

    def obey(self, receive_maximum: int) -> None:
        """Have no more unacknowledged publishes than the broker takes; paho does not look at that by itself."""
        self._max_inflight_messages = max(1, min(receive_maximum, self._max_inflight_messages))


class Connection:
    """Made, started, ended; never used twice."""

    def __init__(
        self,
        panel: str,
        path: MqttPath,
        tls: ssl.SSLContext | None,
        put: Callable[["Connection", PahoEvent], None],
        client: str,
    ) -> None:
        """`put` is called on paho's thread. `client`: the MQTT client id."""
        self._panel = panel
        self._path = path
        self._put = put
        self._ended = threading.Event()
        self._dropped = False
        self._farewell = False
        self._left = threading.Event()
        self._socket: socket.socket | None = None
        self._client = _Bounded(
            CallbackAPIVersion.VERSION2, client_id=client, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_socket_open = self._on_socket_open
        self._client.on_socket_close = self._on_socket_close

    def start(self, order: Connect) -> None:
        """Begin, without waiting."""
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.ContentType = JSON_TYPE
        self._client.will_set(order.will_topic, order.will, qos=1, retain=True, properties=properties)
        threading.Thread(target=self._connect, name="mqtt-connect", daemon=True).start()

    def publish(self, order: Publish) -> int | None:
        """Hand a publish to paho; its id, None when the connection is ending."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = order.content_type
        try:
            info = self._client.publish(order.topic, order.payload, order.qos, order.retain, properties)
        except (ValueError, OSError):
            return None
        return info.mid if info.rc == paho.MQTT_ERR_SUCCESS else None

    def end(self, graceful: bool) -> None:
        """End it: with a DISCONNECT behind all that is queued (waits up to 2 s), or cut, so that the will is sent."""
        self._dropped = True
        if graceful and self._client.is_connected():
            self._farewell = True
            self._client.disconnect()
            self._left.wait(FAREWELL_S)
        self._cut()

    def _connect(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        try:
            self._client.connect(
                self._path.host, self._path.port, self._path.keepalive_s, clean_start=True, properties=properties
            )
        except Exception as error:  # whatever paho, ssl or the resolver raise: this try failed
            self._close(f"{type(error).__name__}: {error}", isinstance(error, ssl.SSLError))
            return
        if self._dropped:
            self._cut()
        self._client.loop_start()

    def _cut(self) -> None:
        if self._socket is not None:
            # Not SSLSocket.shutdown: that would take the TLS state from under paho's thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _close(self, reason: str, refused: bool, taken_over: bool = False, hung_up: bool = False) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._put(self, Closed(reason[:200], refused, taken_over, hung_up))

    # --- paho's thread -------------------------------------------------------------------------

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._socket = sock

    def _on_socket_close(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        """Behind a DISCONNECT: read until the broker hangs up. Closed with bytes unread, the line would be reset, and
        the broker might send the will, not having read our goodbye.
        """
        if self._farewell:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_WR)
                socket.socket.settimeout(sock, FAREWELL_S)
                for _ in range(FAREWELL_READS):
                    if not socket.socket.recv(sock, MAX_PACKET_BYTES):
                        break
        self._left.set()

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._close(f"the broker refused the connection: {reason}", reason.value in _REFUSALS)
            return
        self._client.obey(getattr(properties, "ReceiveMaximum", 0xFFFF))
        words = [(topics.topic(self._panel, word), 1) for word in (*WORDS, *MORE_WORDS)]
        client.subscribe(words)

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        failed = [str(reason) for reason in reasons[: len(WORDS)] if reason.value >= FIRST_FAILURE]
        for word, reason in zip(MORE_WORDS, reasons[len(WORDS) :], strict=False):
            if reason.value >= FIRST_FAILURE:
                log.warning("the broker refused the subscription of %s: %s", word, reason)
        if failed:
            self._close(f"the broker refused a subscription: {', '.join(failed)}", True)
            self._cut()
        else:
            self._put(self, Subscribed())

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self._put(self, Left(mid, str(reason) if reason.value >= FIRST_FAILURE else ""))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        parsed = topics.parse(message.topic)
        if parsed is not None and parsed[0] == self._panel and len(parsed[1]) == 1:
            self._put(self, Received(parsed[1][0], bytes(message.payload)))

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, flags: paho.DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            taken_over = reason.value == TAKEN_OVER
            self._close(f"the broker ended the connection: {reason}", reason.value in _REFUSALS, taken_over)
        else:
            self._close(f"the connection was lost: {reason}", False, hung_up=self._client.hung_up)
