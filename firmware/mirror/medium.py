"""The folder of a mirror: whose it is, what lies in it, and writing small files there.

A stick may know no file rights and no links (FAT), be gone at any moment, and be another one when it comes back.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from firmware.journal.schema import companions

LABEL = "fenghuo-mirror.json"
FORMAT = 1
PANEL_FILE = "panel.toml"
PUBLIC_KEY = Path("keys") / "core.jwk"
MAX_LABEL = 4096


class BadMedium(Exception):
    """The medium can't be a mirror of this panel. `code` is short, the text says what was found and expected."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


def device_of(folder: Path) -> int:
    """The file system that holds the folder, or would hold it. Raises `OSError`."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.stat().st_dev


def panel_of(folder: Path) -> str:
    """The panel whose mirror this is; empty where there is no label. Raises `OSError`, `BadMedium`."""
    path = folder / LABEL
    if not path.exists():
        return ""
    try:
        if path.stat().st_size > MAX_LABEL:
            raise ValueError("it is too long")
        label = json.loads(path.read_bytes())
        if label["format"] != FORMAT:
            raise BadMedium("format", f"{LABEL} is of format {label['format']!r}, expected {FORMAT}")
        return str(label["panel"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadMedium("label", f"{LABEL} can't be read: {error}") from None


def claim(folder: Path, panel: str) -> None:
    """Make the folder this panel's mirror, unless it is that already. Raises `OSError`, `BadMedium`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = panel_of(folder)
    if found and found != panel:
        raise BadMedium("foreign", f"it is the mirror of panel {found!r}, expected {panel!r}")
    if not found:
        if next(journals(folder), None) is not None:
            raise BadMedium("label", f"there are journals and no {LABEL}")
        put(folder / LABEL, json.dumps({"format": FORMAT, "panel": panel}).encode() + b"\n")


def journals(folder: Path) -> Iterator[Path]:
    """The journal files of a mirror; those that were set aside have another name."""
    return folder.glob("journal-*.sqlite")


def put(path: Path, data: bytes) -> None:
    """Have these bytes there, whole or not at all; untouched where they are there already. Raises `OSError`."""
    with contextlib.suppress(OSError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync(path.parent)


def drop(path: Path) -> None:
    """Delete a database with its log. Raises `OSError`."""
    for file in companions(path):
        file.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make names in this folder durable, as far as its file system can. Raises `OSError` for a broken medium."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(PermissionError):
            os.fsync(handle)
    finally:
        os.close(handle)
