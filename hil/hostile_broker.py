"""A broker that means harm, or is broken: speaks just enough MQTT 5 for one panel's uplink, and a center's part of it.

Behaving well it acknowledges what is published and receipts records itself, with the key that it is given; every other
behaviour leaves that at one point. Each connection has a thread; all end with the broker. Listens on loopback only.
"""

import json
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import Signer
from firmware.protocol.typ import RECEIPT
from hil.broker import HOST

Behaviour = Literal[
    "well",
    "slow",
    "half-open",
    "no-connack",
    "no-puback",
    "false-receipts",
    "repeated-receipts",
    "oversized",
    "spam",
    "quota",
    "not-authorised",
    "taken-over",
]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)

OVERSIZED = 64 * 1024 * 1024
SLOW_BYTES, SLOW_S = 1024, 0.2
PATIENCE_S = 0.05
_CONNECT, _PUBLISH, _SUBSCRIBE, _PING = 1, 3, 8, 12
_LEFT = {"quota": 0x97, "not-authorised": 0x87}


class HostileBroker:
    """A context manager; `behave` changes its ways at any time, for the connections that stand too."""

    def __init__(self, receipts: Signer) -> None:
        """`receipts`: the key whose receipts count."""
        self.behaviour: Behaviour = "well"
        self.counts: Counter[str] = Counter()
        """Packets of each sort, `connections`, and `poured` bytes."""
        self._panel = ""
        self._receipts = receipts
        self._stranger = Signer(Ed25519PrivateKey.generate())
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="hostile", daemon=True)]
        self._ended = threading.Event()

    def behave(self, behaviour: Behaviour) -> None:
        """From now on so."""
        self.behaviour = behaviour
        self.counts.clear()

    def __enter__(self) -> "HostileBroker":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for end in (self._listener, *self._peers):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ended.is_set():
                peer, _ = self._listener.accept()
                self.counts["connections"] += 1
                self._peers.append(peer)
                thread = threading.Thread(target=self._serve, args=(peer,), name="hostile-peer", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, peer: socket.socket) -> None:
        reader = _Reader(self, peer)
        with suppress(OSError, EOFError, ValueError, KeyError), peer:
            while True:
                self._take(peer, *reader.packet())

    def _take(self, peer: socket.socket, first: int, body: bytes) -> None:
        match first >> 4:
            case kind if kind == _CONNECT:
                self._connected(peer)
            case kind if kind == _SUBSCRIBE:
                self.counts["subscribe"] += 1
                peer.sendall(_packet(0x90, body[:2] + b"\x00" + b"\x01" * _filters(body)))
                self._attack(peer)
            case kind if kind == _PUBLISH:
                self._published(peer, (first >> 1) & 3, body)
            case kind if kind == _PING:
                peer.sendall(b"\xd0\x00")

    def _connected(self, peer: socket.socket) -> None:
        if self.behaviour == "no-connack":
            self._hold()
        code = _LEFT.get(self.behaviour, 0)
        peer.sendall(_packet(0x20, bytes([0, code, 0])))
        if code:
            raise EOFError

    def _hold(self) -> None:
        """Say and read nothing for as long as this goes on."""
        mine = self.behaviour
        while self.behaviour == mine and not self._ended.wait(PATIENCE_S):
            pass

    def _attack(self, peer: socket.socket) -> None:
        """What it does to one who has just subscribed."""
        match self.behaviour:
            case "taken-over":
                peer.sendall(b"\xe0\x02\x8e\x00")
                raise EOFError
            case "oversized":
                peer.sendall(b"\x30" + _varint(OVERSIZED))
                self._pour(peer, b"x" * 65_536, OVERSIZED)
            case "spam":
                junk = [("receipt", b"a.b.c"), ("command", b"x" * 3000), ("nonsense/topic", b"?"), ("receipt", b"")]
                packets = b"".join(_publish(f"fenghuo/v1/{self._panel}/{word}", data) for word, data in junk)
                self._pour(peer, packets * 20, OVERSIZED)

    def _pour(self, peer: socket.socket, data: bytes, most: int) -> None:
        poured = 0
        while poured < most and not self._ended.is_set():
            peer.sendall(data)
            poured += len(data)
            self.counts["poured"] += len(data)

    def _published(self, peer: socket.socket, qos: int, body: bytes) -> None:
        length = struct.unpack_from(">H", body)[0]
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        _, _, self._panel, *words = topic.split("/")
        self.counts[words[0]] += 1
        if qos:
            identifier, rest = rest[:2], rest[2:]
            if self.behaviour == "no-puback":
                return
            peer.sendall(_packet(0x40, identifier))
        skip, at = _read_varint(rest)
        if words[0] in ("event", "batch") and words[1] != "telemetry":
            self._receipt(peer, json.loads(rest[at + skip :]))

    def _receipt(self, peer: socket.socket, said: Any) -> None:
        events = said if isinstance(said, list) else [said]
        headers = [(event["data"]["header"], event["data"]["hash"]) for event in events]
        right = [self._receipts.sign(RECEIPT, _stored(header, hash_)) for header, hash_ in headers]
        match self.behaviour:
            case "well" | "slow":
                tokens = right
            case "repeated-receipts":
                tokens = [*reversed(right)] * 5
            case "false-receipts":
                tokens = [token for header, hash_ in headers for token in self._false(header, hash_)]
            case _:
                tokens = []
        for token in tokens:
            self.counts["receipts"] += 1
            peer.sendall(_publish(f"fenghuo/v1/{self._panel}/receipt", token.encode()))

    def _false(self, header: dict[str, Any], hash_: str) -> list[str]:
        """Of a number that there is not, of another record, of another panel, of nobody's key."""
        beyond = header | {"lane_seq": header["lane_seq"] + 1_000_000}
        return [
            self._receipts.sign(RECEIPT, _stored(beyond, hash_)),
            self._receipts.sign(RECEIPT, _stored(header, "0" * 64)),
            self._receipts.sign(RECEIPT, _stored(header | {"panel": "bank-0000"}, hash_)),
            self._stranger.sign(RECEIPT, _stored(header, hash_)),
        ]


class _Reader:
    """Takes packets off a connection, at the pace of the behaviour."""

    def __init__(self, broker: HostileBroker, peer: socket.socket) -> None:
        self._broker = broker
        self._peer = peer
        self._data = b""

    def packet(self) -> tuple[int, bytes]:
        """The first byte and the body of the next one. Raises `EOFError`, `OSError`."""
        while True:
            with suppress(IndexError):
                size, at = _read_varint(self._data[1:])
                if len(self._data) >= 1 + at + size:
                    first, body = self._data[0], self._data[1 + at : 1 + at + size]
                    self._data = self._data[1 + at + size :]
                    return first, body
            self._more()

    def _more(self) -> None:
        if self._broker.behaviour == "half-open":
            self._broker._hold()
        slow = self._broker.behaviour == "slow"
        if slow:
            time.sleep(SLOW_S)
        data = self._peer.recv(SLOW_BYTES if slow else 65_536)
        if not data:
            raise EOFError
        self._data += data


def _stored(header: dict[str, Any], hash_: str) -> dict[str, Any]:
    number = header["lane_seq"]
    place = {name: header[name] for name in ("panel", "journal", "lane")}
    return place | {"ranges": [{"first": number, "last": number, "hash": hash_}]}


def _filters(body: bytes) -> int:
    """How many topic filters a SUBSCRIBE has."""
    at, found = 3, 0
    while at < len(body):
        at += 2 + int(struct.unpack_from(">H", body, at)[0]) + 1
        found += 1
    return found


def _publish(topic: str, payload: bytes) -> bytes:
    return _packet(0x30, struct.pack(">H", len(topic)) + topic.encode() + b"\x00" + payload)


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    found = bytearray()
    while True:
        value, low = divmod(value, 128)
        found.append(low | (0x80 if value else 0))
        if not value:
            return bytes(found)


def _read_varint(data: bytes) -> tuple[int, int]:
    """The value and how many bytes it takes. Raises `IndexError` where more is to come."""
    value = 0
    for at in range(4):
        value |= (data[at] & 0x7F) << (7 * at)
        if not data[at] & 0x80:
            return value, at + 1
    raise ValueError("a length of more than four bytes")
