"""Edits of a panel file's text that keep its comments and its order, and writing the result so that it is whole.

A key is named as a person would: `panel.name`, `timings.siren_s`, `area.hall.exit_delay_s`,
`zone.front-door.input.line`; a row of a list by its id, or by its number from 1.
"""

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from firmware.config import BadPanelFile, checked
from firmware.config.mistakes import shorten
from firmware.durable import sync_folder
from firmware.language import Text, pick

_NO_ROW: Text = (
    "{key}: there is no {row} in {table}; expected one of {known}",
    "{key}：{table} 中没有 {row}；应为 {known} 之一",
)
_NO_TABLE: Text = (
    "{key}: {part} holds no keys; expected TABLE.KEY or TABLE.ID.KEY",
    "{key}：{part} 不含键；应为 表.键 或 表.编号.键",
)
_NOT_SET: Text = ("{key}: this key is not in the file", "{key}：文件中无此键")
_SHORT: Text = (
    "{key}: expected TABLE.KEY or TABLE.ID.KEY, as area.hall.exit_delay_s",
    "{key}：应为 表.键 或 表.编号.键，如 area.hall.exit_delay_s",
)


class BadKey(Exception):
    """There is no such place in the file. The text is for the technician."""


def value_of(word: str) -> Any:
    """A value as TOML writes it; a word that is none is a text: `hall` needs no quotes at a shell."""
    try:
        return tomlkit.value(word)
    except (TOMLKitError, ValueError):
        return word


def with_key(text: str, key: str, value: Any) -> str:
    """The text with this key set. The comment on its line stays. Raises `BadKey`."""
    document = tomlkit.parse(text)
    table, name = _place(document, key)
    table[name] = value
    return tomlkit.dumps(document)


def without_key(text: str, key: str) -> str:
    """The text without this key: the profile's default is in force then. Raises `BadKey`."""
    document = tomlkit.parse(text)
    table, name = _place(document, key)
    if name not in table:
        raise BadKey(pick(_NOT_SET, key=shorten(key)))
    del table[name]
    return tomlkit.dumps(document)


def without_everywhere(text: str, name: str) -> str:
    """The text without this key in any row of any list."""
    document = tomlkit.parse(text)
    for rows in document.values():
        for row in rows if isinstance(rows, list) else ():
            row.pop(name, None)
    return tomlkit.dumps(document)


def mistakes_in(path: Path, text: str) -> str:
    """What `fenghuo site check` would say of this text as that file; empty where it is fine."""
    try:
        checked(path, text.encode())
    except BadPanelFile as bad:
        return bad.say()
    return ""


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all. Raises `FileExistsError`, `OSError`."""
    with _part(path, text) as part:
        _appear(part, path)
    _synced(path.parent)


def write_whole(path: Path, text: str, keep: bool = False) -> Path | None:
    """Write the file so that its name always stands for the whole of one.

    With `keep` what was there goes to `NAME.old`: returns that. Raises `OSError`, and then nothing has changed.
    """
    with _part(path, text) as part:
        old = _set_aside(path) if keep else None
        part.replace(path)
    _synced(path.parent)
    return old


@contextmanager
def _part(path: Path, text: str) -> Iterator[Path]:
    """The text in a file beside it, safe on the medium; gone afterwards, however it ends."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


def _synced(folder: Path) -> None:
    """Make the names in this folder durable, where the file system can."""
    with suppress(OSError):
        sync_folder(folder)


def _set_aside(path: Path) -> Path | None:
    """A copy beside it, of the same rights; the file itself stays in force until it is replaced."""
    if not path.exists():
        return None
    old, part = path.with_name(f"{path.name}.old"), path.with_name(f".{path.name}.{os.getpid()}.old")
    try:
        part.write_bytes(path.read_bytes())
        part.chmod(path.stat().st_mode & 0o777)
        part.replace(old)
    finally:
        part.unlink(missing_ok=True)
    return old


def _appear(part: Path, path: Path) -> None:
    """Under its name, but never over another; a FAT card has no links, there a look must do."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(str(path)) from None
        part.replace(path)


def _place(document: tomlkit.TOMLDocument, key: str) -> tuple[MutableMapping[str, Any], str]:
    """The table that holds the key, and the key's own name in it."""
    *parts, name = key.split(".")
    if not parts or not all((*parts, name)):
        raise BadKey(pick(_SHORT, key=shorten(key)))
    here: Any = document
    for at, part in enumerate(parts):
        if isinstance(here, list):
            here = _row(here, part, key, parts[at - 1])
        elif isinstance(here, MutableMapping):
            if part not in here and at == 0:
                here[part] = tomlkit.table()
            here = here.get(part)
    if isinstance(here, list):
        here = _row(here, name, key, parts[-1])
    if not isinstance(here, MutableMapping):
        raise BadKey(pick(_NO_TABLE, key=shorten(key), part=shorten(parts[-1])))
    return here, name


def _row(rows: list[Any], part: str, key: str, table: str) -> Any:
    named = {row["id"]: row for row in rows if isinstance(row, MutableMapping) and "id" in row}
    if part in named:
        return named[part]
    if part.isdecimal() and 1 <= int(part) <= len(rows):
        return rows[int(part) - 1]
    known = ", ".join(map(str, named)) or f"1 … {len(rows)}"
    raise BadKey(pick(_NO_ROW, key=shorten(key), row=shorten(part), table=f"[[{table}]]", known=known[:500]))
