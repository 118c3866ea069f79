"""Frames of SIA DC-09 (IP reporting; digest §4.1): bytes from a message, and whole frames and replies from bytes.

    LF crc 0LLL "[*]ID" seq [Rrcvr] Lpref #acct [ [pad]| data ] [x]… _HH:MM:SS,MM-DD-YYYY CR

Pure: no sockets, no clock. Replies are read strictly (checksum, length, number, account), but for what receivers are
known to do otherwise (digest §4.2): a padding without `|`, so the time is the last 20 characters; `L` before `R`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Literal, TypeAlias, cast

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

Ident: TypeAlias = Literal["ADM-CID", "SIA-DCS", "NULL"]
Word: TypeAlias = Literal["ACK", "NAK", "DUH", "RSP"]

MAX_BODY = 0xFFF
"""Three hex digits tell the length."""
MAX_FRAME = MAX_BODY + 10
LAST_SEQUENCE = 9999
_BLOCK = 16
_ZERO_IV = bytes(_BLOCK)
_NOT_IN_PAD = b"|[]"
_TIME = "%H:%M:%S,%m-%d-%Y"
_TIME_LENGTH = 20
"""Characters of a time with its underscore."""

_REPLY = re.compile(
    rb'"(?P<star>\*?)(?P<word>ACK|NAK|DUH|RSP)"(?P<sequence>[0-9]{4})'
    rb"(?:[RL][0-9A-Fa-f]{0,6}){0,2}(?:#(?P<account>[0-9A-Fa-f]{3,16})|A0)?\[(?P<rest>.*)",
    re.DOTALL,
)
_PLAIN_REST = re.compile(rb"[^\[\]]*\](?:\[[^\[\]]*\])*(?P<time>_.{19})?", re.DOTALL)
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{32})+")


class BadFrame(Exception):
    """Bytes that are no frame, or no reply; the text says what was found and what was expected."""


class TooLong(Exception):
    """A message with more than `MAX_BODY` bytes."""


@dataclass(frozen=True)
class Station:
    """Who reports. `account`: 3 to 16 hex digits. `receiver`, `line`: 1 to 6 hex digits; no receiver, no `R`."""

    account: str
    receiver: str = "1"
    line: str = "0"

    @property
    def address(self) -> str:
        """As it stands in a frame."""
        return (f"R{self.receiver}" if self.receiver else "") + f"L{self.line}#{self.account}"


@dataclass(frozen=True)
class Message:
    """What is to be told. `content`: behind the account, without brackets; `extras`: the x-data, letters first."""

    ident: Ident
    content: str = ""
    extras: tuple[str, ...] = ()


NULL = Message("NULL")
"""The supervision message: it says nothing but that we are there."""


@dataclass(frozen=True)
class Reply:
    """What a receiver answered. `encrypted`: with our key. `moment`: its time (UTC seconds), where it told one."""

    word: Word
    sequence: int
    account: str
    encrypted: bool
    moment: float | None


def crc16(data: bytes) -> int:
    """CRC-16 with polynomial 0xA001 (reflected 0x8005), start 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def wrapped(body: bytes) -> bytes:
    """The body with its checksum and length, as it goes over the wire. Raises `TooLong`."""
    if len(body) > MAX_BODY:
        raise TooLong(f"{len(body)} bytes, at most {MAX_BODY}")
    return b"\n%04X%04X%b\r" % (crc16(body), len(body), body)


def time_text(moment: float) -> str:
    """The time of a frame, with its underscore."""
    return f"_{datetime.fromtimestamp(moment, UTC):{_TIME}}"


def frame(
    message: Message, sequence: int, station: Station, moment: float, key: bytes | None = None, pad: bytes = b""
) -> bytes:
    """The bytes of a message. `moment`: UTC seconds. With a key (16, 24 or 32 bytes) `pad` as of `padding` goes in."""
    data = f"#{station.account}|{message.content}" if message.ident != "NULL" else ""
    tail = "".join(f"[{extra}]" for extra in message.extras) + time_text(moment)
    head = f'"{"*" if key else ""}{message.ident}"{sequence:04d}{station.address}['.encode("ascii")
    # Text may hold letters of Windows-1252 (x-data I); everything else is ASCII.
    if key is None:
        return wrapped(head + f"{data}]{tail}".encode("cp1252"))
    plain = f"|{data}]{tail}".encode("cp1252")
    return wrapped(head + encrypt(key, pad + plain))


def padding(message: Message, station: Station, random: Random) -> bytes:
    """Random bytes for `frame`: up to a multiple of 16, and 16 more where it is one already."""
    plain = frame(message, 0, station, 0.0)
    # What is encrypted: all behind the first bracket but the CR, and a bar before it.
    length = len(plain) - plain.index(b"[") - 2 + 1
    allowed = [byte for byte in range(256) if byte not in _NOT_IN_PAD]
    return bytes(random.choices(allowed, k=_BLOCK - length % _BLOCK))


def encrypt(key: bytes, plain: bytes) -> bytes:
    """AES-CBC with the standard's IV of zeros, as upper-case hex. `plain`: a multiple of 16 bytes."""
    encryptor = Cipher(AES(key), CBC(_ZERO_IV)).encryptor()
    return (encryptor.update(plain) + encryptor.finalize()).hex().upper().encode("ascii")


def decrypt(key: bytes, text: bytes) -> bytes:
    """The way back. Raises `BadFrame` for what is no hex of whole blocks."""
    if not _HEX.fullmatch(text):
        raise BadFrame(f"{len(text)} characters, expected hex of whole blocks")
    decryptor = Cipher(AES(key), CBC(_ZERO_IV)).decryptor()
    return decryptor.update(bytes.fromhex(text.decode("ascii"))) + decryptor.finalize()


def body_of(found: bytes) -> bytes:
    """What stands in a frame (LF and CR taken off). Raises `BadFrame` where length or checksum do not fit."""
    try:
        crc, length = int(found[:4].decode("ascii"), 16), int(found[4:8].decode("ascii"), 16)
    except ValueError:
        raise BadFrame(f"it begins with {found[:8]!r}, expected 8 hex digits") from None
    body = found[8:]
    if len(body) != length:
        raise BadFrame(f"{len(body)} bytes, its length says {length}")
    if crc16(body) != crc:
        raise BadFrame(f"its checksum is {crc:04X}, expected {crc16(body):04X}")
    return body


def read_reply(found: bytes, key: bytes | None = None) -> Reply:
    """The reply in a frame (LF and CR taken off). Raises `BadFrame`; so does an encrypted one without the right key."""
    match = _REPLY.fullmatch(body_of(found))
    if match is None:
        raise BadFrame("no reply: expected ACK, NAK, DUH or RSP")
    rest, encrypted = match["rest"], bool(match["star"])
    if encrypted:
        if key is None:
            raise BadFrame("an encrypted reply, and this path has no key")
        told: bytes | None = _time_of(decrypt(key, rest))
    elif plain := _PLAIN_REST.fullmatch(rest):
        told = plain["time"]
    else:
        raise BadFrame("no end of its data")
    account = (match["account"] or b"").decode("ascii").upper()
    moment = None if told is None else moment_of(told)
    return Reply(cast("Word", match["word"].decode("ascii")), int(match["sequence"]), account, encrypted, moment)


def moment_of(told: bytes) -> float:
    """UTC seconds of a time with its underscore. Raises `BadFrame`."""
    try:
        return datetime.strptime(told.decode("ascii"), f"_{_TIME}").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise BadFrame(f"the time is {told!r}, expected _HH:MM:SS,MM-DD-YYYY") from None


def _time_of(plain: bytes) -> bytes:
    """The time at the end of what was encrypted: it is always there, and shows that the key was the right one."""
    if plain[-_TIME_LENGTH - 1 : -_TIME_LENGTH] != b"]":
        raise BadFrame("not encrypted with this path's key")
    return plain[-_TIME_LENGTH:]


class Splitter:
    """Cuts a stream into what stands between LF and CR. All else, and what is too long, is dropped and counted."""

    def __init__(self) -> None:
        self.dropped = 0
        """Bytes."""
        self._open = False
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now."""
        for byte in data:
            if byte == 0x0A:
                self.dropped += len(self._rest)
                self._rest.clear()
                self._open = True
            elif not self._open:
                self.dropped += byte != 0x0D
            elif byte == 0x0D:
                whole = bytes(self._rest)
                self._rest.clear()
                self._open = False
                if whole:
                    yield whole
            elif len(self._rest) >= MAX_FRAME:
                self.dropped += len(self._rest) + 1
                self._rest.clear()
                self._open = False
            else:
                self._rest.append(byte)
