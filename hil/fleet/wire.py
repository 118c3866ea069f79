"""A panel's way to the broker over asyncio: it does what the delivery logic asks, as `firmware.uplink.mqtt` over paho.

One connection at a time; `Opened` comes at most once, `Closed` exactly once for each. Between connections nothing is
kept.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from firmware.protocol import topics
from firmware.uplink.connection import CONNECT_TIMEOUT_S, MAX_PACKET_BYTES, RECEIVE_MAXIMUM
from firmware.uplink.events import Acked, Closed, Connect, Disconnect, FromPath, Opened, Publish, Received
from hil.fleet import mqtt5

KEEPALIVE_S = 15
FIRST_FAILURE = 0x80


@dataclass(frozen=True)
class Way:
    """Where the broker is, and what to be known by there; `tls` None: in the clear."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Wire(asyncio.Protocol):
    """One connection: from the TCP connect to its end. `tell` hears what happens; `ended` when it ended."""

    def __init__(
        self, panel: str, order: Connect, tell: Callable[["Wire", FromPath], None], time: Callable[[], str]
    ) -> None:
        self._panel = panel
        self._order = order
        self._tell = tell
        self._time = time
        self._parser = mqtt5.Parser(MAX_PACKET_BYTES)
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._packet = 1
        self._tokens: dict[int, int] = {}
        self._ping: asyncio.TimerHandle | None = None
        self._unanswered = False
        self._loop = asyncio.get_running_loop()

    async def start(self, way: Way) -> None:
        """Connect; what becomes of it is told."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._loop.create_connection(lambda: self, way.host, way.port, ssl=way.tls)
        except (OSError, TimeoutError) as error:
            self._end(f"{type(error).__name__}: {error}")

    def publish(self, order: Publish) -> None:
        """Send it; `Acked` comes with its PUBACK, for QoS 0 at once."""
        if self._over or self._transport is None:
            return
        number = None
        if order.qos:
            number = self._next_packet()
            self._tokens[number] = order.token
        self._send(mqtt5.publish(order.topic, order.payload, number, order.retain, order.content_type))
        if number is None:
            self._loop.call_soon(self._say, Acked(order.token))

    def disconnect(self, order: Disconnect) -> None:
        """End it, in good order or so that the broker sends the last will; `Closed` comes."""
        if self._transport is not None and order.graceful:
            self._send(mqtt5.DISCONNECT)
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()
        self._loop.call_soon(self._end, order.reason)

    def cut(self) -> None:
        """The network takes it away: no goodbye, and the broker sees a reset."""
        if self._transport is not None:
            self._transport.abort()
        else:
            self._end("cut")

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP and TLS are there."""
        self._transport = cast(asyncio.Transport, transport)
        if self._over:
            self._transport.abort()
            return
        order = self._order
        self._send(
            mqtt5.connect(self._panel, KEEPALIVE_S, order.will_topic, order.will, RECEIVE_MAXIMUM, MAX_PACKET_BYTES)
        )

    def data_received(self, data: bytes) -> None:
        """Bytes from the broker."""
        try:
            for packet in self._parser.feed(data):
                self._take(packet)
        except mqtt5.BadPacket as bad:
            self._end(str(bad))

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended."""
        self._end("the connection was lost" if exc is None else f"{type(exc).__name__}: {exc}")

    # --- inside

    def _take(self, packet: mqtt5.Incoming) -> None:
        match packet:
            case mqtt5.Connack(reason) if reason >= FIRST_FAILURE:
                self._end(f"the broker refused the connection: 0x{reason:02X}", refused=True)
            case mqtt5.Connack():
                words = [topics.topic(self._panel, word) for word in ("receipt", "command")]
                self._send(mqtt5.subscribe(self._next_packet(), words))
                self._ping = self._loop.call_later(KEEPALIVE_S, self._keep_alive)
            case mqtt5.Suback(_, reasons) if any(reason >= FIRST_FAILURE for reason in reasons):
                self._end("the broker refused a subscription", refused=True)
            case mqtt5.Suback():
                self._say(Opened(self._time()))
            case mqtt5.Puback(number, reason):
                token = self._tokens.pop(number, None)
                if token is not None:
                    self._say(Acked(token, f"0x{reason:02X}" if reason >= FIRST_FAILURE else ""))
            case mqtt5.Arrived():
                self._arrived(packet)
            case mqtt5.Pong():
                self._unanswered = False
            case mqtt5.Goodbye(reason):
                self._end(f"the broker ended the connection: 0x{reason:02X}", refused=reason >= FIRST_FAILURE)

    def _arrived(self, packet: mqtt5.Arrived) -> None:
        if packet.packet is not None:
            self._send(mqtt5.puback(packet.packet))
        parsed = topics.parse(packet.topic)
        if parsed is not None and parsed[0] == self._panel and len(parsed[1]) == 1:
            self._say(Received(parsed[1][0], packet.payload))

    def _keep_alive(self) -> None:
        # Simpler than paho, which pings only when nothing else was sent: the same or a little more work.
        if self._unanswered:
            self._end("the broker does not answer")
            return
        self._unanswered = True
        self._send(mqtt5.PINGREQ)
        self._ping = self._loop.call_later(KEEPALIVE_S, self._keep_alive)

    def _next_packet(self) -> int:
        self._packet = self._packet % 0xFFFF + 1
        return self._packet

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._over:
            self._transport.write(data)

    def _say(self, event: FromPath) -> None:
        if not self._over:
            self._tell(self, event)

    def _end(self, reason: str, refused: bool = False) -> None:
        if self._over:
            return
        self._over = True
        if self._ping is not None:
            self._ping.cancel()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()
        self._tell(self, Closed(reason[:200], refused))
