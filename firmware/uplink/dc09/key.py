"""The AES key of a path, read from its file: readable by its owner alone, hex or text, as the receiver takes it."""

import re
import stat
from pathlib import Path
from typing import Literal, TypeAlias

Encoding: TypeAlias = Literal["hex", "text"]
LENGTHS = (16, 24, 32)
"""Bytes of a key: AES-128, AES-192, AES-256."""
_MAX_BYTES = 256
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadKey(Exception):
    """A key that can't be used; the text names the file and holds nothing of the key."""


def read_key(file: Path, encoding: Encoding) -> bytes:
    """The key. `hex`: 32, 48 or 64 digits. `text`: 16, 24 or 32 characters, taken as bytes. Raises `BadKey`."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            raw = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadKey(f"{file}: {error.strerror or error}") from None
    if mode & _OTHERS:
        raise BadKey(f"{file}: mode {mode:04o}, expected 0600: others can read or change it")
    text = raw.removesuffix(b"\n").removesuffix(b"\r")
    return _from_hex(file, text) if encoding == "hex" else _from_text(file, text)


def _from_hex(file: Path, text: bytes) -> bytes:
    if not re.fullmatch(rb"[0-9A-Fa-f]*", text) or len(text) // 2 not in LENGTHS or len(text) % 2:
        raise BadKey(f"{file}: {len(text)} characters, expected 32, 48 or 64 hex digits")
    return bytes.fromhex(text.decode("ascii"))


def _from_text(file: Path, text: bytes) -> bytes:
    if not re.fullmatch(rb"[\x20-\x7e]*", text) or len(text) not in LENGTHS:
        raise BadKey(f"{file}: {len(text)} bytes, expected 16, 24 or 32 printable characters")
    return text
