"""What core and the mirror's child say to each other: one JSON object in each packet of their socket pair."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

LIMIT = 64 * 1024
"""The longest packet, in bytes."""
TEXT_LIMIT = 400

W = TypeVar("W", "Setup", "Status")


class BadWord(Exception):
    """A packet that is no word: what was found, and what was expected."""


@dataclass(frozen=True)
class Setup:
    """What to mirror, and where to: folders as absolute paths; the panel file, with its hash; the public key's text.

    `second`: the folder must be on another file system than `data`, or no medium is there.
    """

    panel: str
    data: str
    run: str
    folder: str
    file: str
    file_sha256: str
    key: str
    second: bool


@dataclass(frozen=True)
class Status:
    """How the mirror does. `code` is empty when it is well; `records` came since the child's start, `checked` were
    read back; `free_mib` -1 unknown; `busy`: amid the work, the rest as it was before."""

    code: str
    detail: str
    records: int
    checked: int
    free_mib: int
    busy: bool


END = b"end"
"""Core's last word: copy once more, then end."""


def packed(word: Setup | Status) -> bytes:
    """The packet of a word."""
    return json.dumps(asdict(word), ensure_ascii=False, separators=(",", ":")).encode()


def setup(packet: bytes) -> Setup:
    """What core says first. Raises `BadWord`."""
    return _word(Setup, packet)


def status(packet: bytes) -> Status:
    """What the child says. Raises `BadWord` for whatever is not exactly a status, or has too long texts."""
    found = _word(Status, packet)
    for name in ("code", "detail"):
        if len(getattr(found, name)) > TEXT_LIMIT:
            raise BadWord(f"{name}: {len(getattr(found, name))} characters, expected at most {TEXT_LIMIT}")
    return found


def _word(kind: type[W], packet: bytes) -> W:
    try:
        read = json.loads(packet.decode())
    except (ValueError, RecursionError) as error:
        raise BadWord(f"{packet[:40]!r}, expected a JSON object") from error
    wanted: Mapping[str, Any] = {field.name: field.type for field in fields(kind)}
    if not isinstance(read, dict) or read.keys() != wanted.keys():
        raise BadWord(f"{packet[:40]!r}, expected the members {', '.join(wanted)}")
    for name, type_ in wanted.items():
        if type(read[name]) is not type_:
            raise BadWord(f"{name}: {str(read[name])[:40]!r}, expected a {type_.__name__}")
    return kind(**read)
