"""A request or an answer cut into texts that fit a QR code each, and put together again in any order.

A part is `FH1:ID:NUMBER:COUNT:CHECK:DATA`, all of it in the letters of a QR code's alphanumeric mode and without a
space, so that it survives being pasted; `DATA` is a piece of the base32 text (RFC 4648, no padding) of the
zlib-compressed bytes. Pure text: drawing and scanning are somebody else's.
"""

import base64
import binascii
import hashlib
import re
import zlib

from firmware.language import Text, pick

MAX_WHOLE = 64 * 1024
MAX_DATA = 420
MAX_PARTS = 64
_PART = re.compile(r"FH1:([0-9A-F]{8}):([1-9][0-9]?):([1-9][0-9]?):([0-9A-F]{8}):([A-Z2-7]{1,420})")

_TEXTS: dict[str, Text] = {
    "none": ("expected parts that begin with FH1:, or a file of JSON", "应为以 FH1: 开头的分段，或 JSON 文件"),
    "damaged": ("part {number} is damaged or cut short: scan it again", "第 {number} 段损坏或不完整，请重新扫描"),
    "other": ("this part belongs to another request or answer", "该分段属于另一请求或应答"),
    "missing": ("parts {missing} of {count} are missing", "共 {count} 段，缺少第 {missing} 段"),
    "whole": ("the parts do not make a whole: scan them again", "各分段无法拼合，请重新扫描"),
    "large": ("too large for QR codes: take the file", "内容过大，无法用二维码传递，请使用文件"),
}


class BadPart(ValueError):
    """A text that is no part, or parts that make no whole; for the person who scans."""

    def __init__(self, name: str, **values: object) -> None:
        super().__init__(pick(_TEXTS[name], **values))


def parts(whole: bytes) -> list[str]:
    """The texts for one QR code each, at most 64. Raises `BadPart` for more."""
    text = base64.b32encode(zlib.compress(whole, 9)).decode().rstrip("=")
    pieces = [text[at : at + MAX_DATA] for at in range(0, len(text), MAX_DATA)]
    if len(pieces) > MAX_PARTS or len(whole) > MAX_WHOLE:
        raise BadPart("large")
    name = hashlib.sha256(whole).hexdigest()[:8].upper()
    return [_part(name, number, len(pieces), piece) for number, piece in enumerate(pieces, 1)]


class Collection:
    """Parts as they come: in any order, some of them twice. All of one whole."""

    def __init__(self) -> None:
        self._name = ""
        self._count = 0
        self._pieces: dict[int, str] = {}

    def add(self, text: str) -> int:
        """Take one part; its number. Raises `BadPart`, and what was taken before stays."""
        found = _PART.fullmatch(text.strip())
        if found is None:
            said = text.strip()[13:].partition(":")[0]
            raise BadPart("damaged", number=said) if said.isdecimal() and len(said) < 3 else BadPart("none")
        name, number, count, check, piece = found[1], int(found[2]), int(found[3]), found[4], found[5]
        if check != _check(name, number, count, piece) or number > count or count > MAX_PARTS:
            raise BadPart("damaged", number=number)
        if self._pieces and (name, count) != (self._name, self._count):
            raise BadPart("other")
        self._name, self._count = name, count
        self._pieces[number] = piece
        return number

    @property
    def count(self) -> int:
        """How many there are in all; 0 before the first one."""
        return self._count

    @property
    def missing(self) -> list[int]:
        """The numbers that have not come yet."""
        return [number for number in range(1, self._count + 1) if number not in self._pieces]

    def whole(self) -> bytes:
        """The bytes. Raises `BadPart` where some are missing, or they make no whole."""
        if not self._count:
            raise BadPart("none")
        if self.missing:
            raise BadPart("missing", missing=", ".join(map(str, self.missing)), count=self._count)
        text = "".join(self._pieces[number] for number in range(1, self._count + 1))
        try:
            unpacker = zlib.decompressobj()
            whole = unpacker.decompress(base64.b32decode(text + "=" * (-len(text) % 8)), MAX_WHOLE + 1)
        except (zlib.error, binascii.Error):
            raise BadPart("whole") from None
        if not unpacker.eof or hashlib.sha256(whole).hexdigest()[:8].upper() != self._name:
            raise BadPart("whole")
        return whole


def put_together(data: bytes) -> bytes:
    """What a file holds: JSON as it stands, or parts, one a line. Raises `BadPart`."""
    if data.lstrip()[:1] == b"{":
        return data
    collection = Collection()
    for line in data.decode(errors="replace").split():
        collection.add(line)
    return collection.whole()


def _part(name: str, number: int, count: int, piece: str) -> str:
    return f"FH1:{name}:{number}:{count}:{_check(name, number, count, piece)}:{piece}"


def _check(name: str, number: int, count: int, piece: str) -> str:
    return f"{zlib.crc32(f'{name}:{number}:{count}:{piece}'.encode()):08X}"
