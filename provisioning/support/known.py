"""What of a panel is secret, by value: from the panel file and the files that it names, as far as they can be read.

What can't be read here is told, so that nobody believes it was looked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.support.scrub import MEMBERS, Scrubber

MAX_SECRET = 4096
SECRET_FILES = ("secret_file", "pin_file", "key_file")
FILE_MEMBERS: Mapping[str, str] = {name: kind for name, kind in MEMBERS.items() if name != "key"}
"""In a panel file `key` is the name of a file."""
_LEAST_WORD = 4
_BETWEEN = re.compile(r"[\s:=,;\"']+")


@dataclass
class Known:
    """Secret texts by kind, and files that hold more but could not be read."""

    texts: dict[str, set[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, kind: str, text: str) -> None:
        """One more, to be looked for everywhere."""
        if text:
            self.texts.setdefault(kind, set()).add(text)


def known_of(table: Mapping[str, Any], folder: Path, anonymous: bool) -> Known:
    """From the tables of a panel file. `anonymous`: names of places too."""
    known = Known()
    for name, value in _members(table):
        if name in SECRET_FILES and isinstance(value, str):
            _read(known, folder / value, value)
        elif name in FILE_MEMBERS:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, str):
                    known.add(FILE_MEMBERS[name], item)
        elif name == "source" and isinstance(value, str) and "@" in value:
            known.add("password", value.partition("://")[2].rpartition("@")[0])
        elif name == "name" and anonymous and isinstance(value, str):
            known.add("place", value)
    return known


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name), inner
            yield from _members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner)


def _read(known: Known, path: Path, shown: str) -> None:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET).decode("utf-8", "replace").strip()
    except OSError:
        known.unread.append(shown)
        return
    known.add("password", text)
    for word in _BETWEEN.split(text):
        if len(word) >= _LEAST_WORD:
            known.add("password", word)


def scrubbed_file(table: Mapping[str, Any], scrubber: Scrubber, place: str) -> Any:
    """The tables of a panel file without secrets. Users' numbers of a DC-09 path go by users' ids: their values stay,
    the ids do not.
    """
    return scrubber.value(place, _without_user_ids(table, scrubber, place), FILE_MEMBERS)


def _without_user_ids(table: Mapping[str, Any], scrubber: Scrubber, place: str) -> dict[str, Any]:
    found = dict(table)
    paths = found.get("path")
    if isinstance(paths, list):
        found["path"] = [
            {**row, "users": scrubber.take(place, "person", len(row["users"]))} if row.get("users") else row
            for row in paths
            if isinstance(row, dict)
        ]
    return found
