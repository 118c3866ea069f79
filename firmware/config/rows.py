"""The raw tables of a panel file, read tolerantly: what has the wrong type is simply not there.

Checks over the whole file work on these, so that a wrong type in one place hides no other mistake.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware.config.defaults import defaults_of, profile_of
from firmware.config.mistakes import Loc


@dataclass(frozen=True)
class Row:
    """One table of the file and where it stands. `defaults`: of the profile, for keys that are left out."""

    loc: Loc
    values: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def at(self, *keys: str | int) -> Loc:
        """The place of a key in it."""
        return (*self.loc, *keys)

    def text(self, key: str, default: str = "") -> str:
        """A text, `default` where there is none."""
        value = self.values.get(key, self.defaults.get(key, default))
        return value if isinstance(value, str) else default

    def number(self, key: str, default: int | None = None) -> int | None:
        """A whole number, `default` where there is none."""
        value = self.values.get(key, self.defaults.get(key, default))
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def on(self, key: str) -> bool:
        """Whether a flag is there and true."""
        return self.values.get(key) is True

    def texts(self, key: str) -> list[tuple[Loc, str]]:
        """The texts in a list, each with its place."""
        value = self.values.get(key)
        items = value if isinstance(value, list) else []
        return [(self.at(key, i), item) for i, item in enumerate(items) if isinstance(item, str)]

    def inner(self, key: str) -> "Row":
        """A table inside; empty where there is none."""
        value = self.values.get(key)
        return Row(self.at(key), value if isinstance(value, dict) else {})

    def tables(self, key: str) -> "list[Row]":
        """The tables in a list inside."""
        value = self.values.get(key)
        items = value if isinstance(value, list) else []
        return [Row(self.at(key, i), item) for i, item in enumerate(items) if isinstance(item, dict)]

    def has(self, key: str) -> bool:
        """Whether the key is there at all, whatever its value."""
        return key in self.values


class Document:
    """The whole file as rows, and the profile that it names."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.profile = profile_of(data)
        self.defaults = defaults_of(data)
        self._ids: dict[str, set[str]] = {}

    def table(self, name: str) -> Row:
        """A `[name]` table; empty where there is none."""
        row = Row((), self.data).inner(name)
        return Row(row.loc, row.values, self.defaults.get(name, {}))

    def rows(self, name: str) -> list[Row]:
        """The `[[name]]` tables."""
        value = self.data.get(name)
        items = value if isinstance(value, list) else []
        defaults = self.defaults.get(name, {})
        return [Row((name, i), item, defaults) for i, item in enumerate(items) if isinstance(item, dict)]

    def ids(self, name: str) -> set[str]:
        """The ids of the `[[name]]` tables."""
        if name not in self._ids:
            self._ids[name] = {row.text("id") for row in self.rows(name)} - {""}
        return self._ids[name]

    def each(self, *names: str) -> Iterator[Row]:
        """The `[[...]]` tables of several names, in this order."""
        for name in names:
            yield from self.rows(name)
