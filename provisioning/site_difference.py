"""What differs between two panel files: every key, by its place, with defaults filled in; rows are matched by id.

It knows nothing of what a difference means: `provisioning.site_care` does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from firmware.config import PanelFile

Place: TypeAlias = tuple[str, ...]
"""Keys and ids from the file's top: ("zone", "front-door", "input", "line")."""


@dataclass(frozen=True)
class Change:
    """One difference. `old`, `new`: JSON values; for a whole row that came or went the row itself, and None."""

    what: Literal["added", "removed", "changed"]
    place: Place
    old: Any
    new: Any


def differences(old: PanelFile, new: PanelFile) -> list[Change]:
    """All changes, in the order of the tables of the file."""
    return list(_of_tables(_plain(old), _plain(new), ()))


def _plain(file: PanelFile) -> dict[str, Any]:
    dumped: dict[str, Any] = file.model_dump(mode="json")
    return dumped


def _of_tables(old: Mapping[str, Any], new: Mapping[str, Any], place: Place) -> Iterator[Change]:
    for key in dict.fromkeys((*old, *new)):
        yield from _of_values(old.get(key), new.get(key), (*place, key))


def _of_values(old: Any, new: Any, place: Place) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_tables(old, new, place)
    elif _rows(old) and _rows(new):
        yield from _of_rows(_named(old), _named(new), place)
    else:
        yield Change("changed", place, old, new)


def _of_rows(old: Mapping[str, Any], new: Mapping[str, Any], place: Place) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield Change("removed", (*place, name), old[name], None)
        elif name not in old:
            yield Change("added", (*place, name), None, new[name])
        else:
            yield from _of_values(old[name], new[name], (*place, name))


def _rows(value: Any) -> bool:
    """Whether it is a list of rows that have names; an empty list may be one."""
    return isinstance(value, list) and all(isinstance(row, dict) and ("id" in row or "date" in row) for row in value)


def _named(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """By id, days by their date. The order of rows is lost here (`site_care.order_of_paths`)."""
    return {str(row.get("id") or row["date"]): row for row in rows}
