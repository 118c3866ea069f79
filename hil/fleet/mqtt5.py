"""The little of MQTT 5 that a panel speaks, as bytes: no sockets, no threads, no clock.

For a fleet, where paho's thread and buffers for each panel would be what is measured. What a panel never needs
(QoS 2, aliases, authentication exchanges) is refused by name. Section numbers are those of the OASIS standard.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

MAX_REMAINING = 268_435_455
"""What a packet's length field can say at most (1.5.5)."""

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 0x10, 0x20, 0x30, 0x40
_SUBSCRIBE, _SUBACK, _PINGREQ, _PINGRESP, _DISCONNECT = 0x82, 0x90, 0xC0, 0xD0, 0xE0
_CONTENT_TYPE, _RECEIVE_MAXIMUM, _MAXIMUM_PACKET_SIZE = 0x03, 0x21, 0x27
_WILL_QOS_1_RETAINED = 0b0010_1100


class BadPacket(ValueError):
    """The broker sent what no panel expects; the text says what was found."""


@dataclass(frozen=True)
class Connack:
    """The answer to CONNECT; 0x80 and above is a refusal (3.2.2.2)."""

    reason: int


@dataclass(frozen=True)
class Suback:
    """The answer to SUBSCRIBE, a reason for each topic (3.9.3)."""

    packet: int
    reasons: tuple[int, ...]


@dataclass(frozen=True)
class Puback:
    """A QoS 1 publish has left (3.4)."""

    packet: int
    reason: int


@dataclass(frozen=True)
class Arrived:
    """A publish from the broker; `packet` None for QoS 0, else it wants a PUBACK."""

    topic: str
    payload: bytes
    packet: int | None


@dataclass(frozen=True)
class Pong:
    """PINGRESP."""


@dataclass(frozen=True)
class Goodbye:
    """DISCONNECT from the broker (3.14)."""

    reason: int


Incoming: TypeAlias = Connack | Suback | Puback | Arrived | Pong | Goodbye


class Parser:
    """Bytes in, whole packets out. Holds no more than one packet of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Incoming]:
        """What is complete now. Raises `BadPacket`; nothing may be fed after that."""
        self._held += data
        found: list[Incoming] = []
        at = 0
        while (span := self._span(at)) is not None:
            start, end = span
            found.append(_parse(self._held[at], bytes(self._held[start:end])))
            at = end
        del self._held[:at]
        return found

    def _span(self, at: int) -> tuple[int, int] | None:
        """Where the body of the packet at `at` begins and ends; None when it is not all here."""
        length = 0
        for index in range(4):
            place = at + 1 + index
            if place >= len(self._held):
                return None
            length |= (self._held[place] & 0x7F) << (7 * index)
            if length > self._limit:
                raise BadPacket(f"a packet of {length} bytes or more, at most {self._limit}")
            if not self._held[place] & 0x80:
                end = place + 1 + length
                return (place + 1, end) if end <= len(self._held) else None
        raise BadPacket("a length of more than four bytes")


def _parse(first: int, body: bytes) -> Incoming:
    try:
        match first & 0xF0:
            case 0x30:
                return _arrived(first, body)
            case kind if kind in (_CONNACK, _PUBACK, _SUBACK & 0xF0, _PINGRESP, _DISCONNECT) and first & 0x0F == 0:
                return _answer(kind, body)
        raise BadPacket(f"a packet that begins with 0x{first:02X}")
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BadPacket(f"packet 0x{first:02X} of {len(body)} bytes: {error}") from None


def _answer(kind: int, body: bytes) -> Incoming:
    if kind == _CONNACK:
        return Connack(body[1])
    if kind == _PUBACK:
        return Puback(_number(body), body[2] if len(body) > 2 else 0)
    if kind == _SUBACK & 0xF0:
        return Suback(_number(body), tuple(body[_behind_properties(body, 2) :]))
    if kind == _PINGRESP:
        return Pong()
    return Goodbye(body[0] if body else 0)


def _arrived(first: int, body: bytes) -> Arrived:
    qos = first >> 1 & 3
    if qos > 1:
        raise BadPacket(f"a publish of QoS {qos}; at most 1 was asked for")
    at = 2 + _number(body)
    if at > len(body):
        raise BadPacket("a topic that is longer than its packet")
    topic = body[2:at].decode()
    packet = None
    if qos:
        packet = _number(body[at:])
        at += 2
    return Arrived(topic, body[_behind_properties(body, at) :], packet)


def _behind_properties(body: bytes, at: int) -> int:
    length = 0
    for index in range(4):
        value = body[at + index]
        length |= (value & 0x7F) << (7 * index)
        if not value & 0x80:
            end = at + index + 1 + length
            if end > len(body):
                raise BadPacket("properties that are longer than their packet")
            return end
    raise BadPacket("properties with a length of more than four bytes")


def _number(body: bytes) -> int:
    return int(struct.unpack_from(">H", body)[0])


# --- out -----------------------------------------------------------------------------------------


def connect(
    client: str, keepalive_s: int, will_topic: str, will: bytes, receive_maximum: int, maximum_packet: int
) -> bytes:
    """CONNECT with a clean start, session expiry 0, and a retained last will of QoS 1 (3.1)."""
    properties = struct.pack(">BHBI", _RECEIVE_MAXIMUM, receive_maximum, _MAXIMUM_PACKET_SIZE, maximum_packet)
    head = _text("MQTT") + struct.pack(">BBH", 5, 0b10 | _WILL_QOS_1_RETAINED, keepalive_s)
    body = head + bytes([len(properties)]) + properties + _text(client)
    return _packet(_CONNECT, body + b"\0" + _text(will_topic) + struct.pack(">H", len(will)) + will)


def subscribe(packet: int, topics: Sequence[str]) -> bytes:
    """SUBSCRIBE with QoS 1 (3.8)."""
    return _packet(_SUBSCRIBE, struct.pack(">HB", packet, 0) + b"".join(_text(topic) + b"\1" for topic in topics))


def publish(topic: str, payload: bytes, packet: int | None, retain: bool, content_type: str) -> bytes:
    """PUBLISH; QoS 1 with a `packet` number, else QoS 0 (3.3)."""
    first = _PUBLISH | (0 if packet is None else 2) | int(retain)
    number = b"" if packet is None else struct.pack(">H", packet)
    kind = bytes([_CONTENT_TYPE]) + _text(content_type)
    return _packet(first, _text(topic) + number + bytes([len(kind)]) + kind + payload)


def puback(packet: int) -> bytes:
    """PUBACK, success (3.4)."""
    return struct.pack(">BBH", _PUBACK, 2, packet)


PINGREQ = bytes([_PINGREQ, 0])
DISCONNECT = bytes([_DISCONNECT, 0])
"""Normal: without the last will (3.14.2.1)."""


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _length(len(body)) + body


def _length(value: int) -> bytes:
    if value > MAX_REMAINING:
        raise ValueError(f"a packet of {value} bytes, at most {MAX_REMAINING}")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
