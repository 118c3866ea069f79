"""What is said about a panel file: one `Mistake` each, with place, what was found and what was expected.

A `Finding` is a mistake before its line in the file is known; both texts are complete sentences' worth in English and
Chinese, so whoever shows them only picks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from firmware.language import Language, Text, pick

Loc: TypeAlias = tuple[str | int, ...]
"""Where in the file: keys and indices from 0, as pydantic writes them: ("zone", 2, "input", "line")."""

MAX_SHOWN = 60
_SAID = {
    "found": ("found", "实际"),
    "expected": ("expected", "应为"),
    "nothing": ("nothing", "无"),
    "more": ("… and {count} more mistakes", "……另有 {count} 处错误"),
}


@dataclass(frozen=True)
class Finding:
    """Something wrong at `loc`; `found` is the value as TOML would write it, "" where there is none."""

    loc: Loc
    found: str
    expected: Text
    text: Text


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a panel file. `line` counts from 1, None where no line can be named."""

    file: str
    line: int | None
    key: str
    found: str
    expected: Text
    text: Text

    def say(self, lang: Language | None = None) -> str:
        """Two lines for a person: the place and what is wrong; then what was found and what is expected."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f"{place}: {self.key}" if self.key else place
        colon = pick((": ", "："), lang)
        found = self.found or pick(_SAID["nothing"], lang)
        return (
            f"{where}: {pick(self.text, lang)}\n"
            f"    {pick(_SAID['found'], lang)}{colon}{found}   {pick(_SAID['expected'], lang)}{colon}"
            f"{pick(self.expected, lang)}"
        )


class BadPanelFile(Exception):
    """The panel file can't be used. `mistakes` are in the file's order, up to a limit; `more` counts the rest."""

    def __init__(self, mistakes: Sequence[Mistake], more: int = 0) -> None:
        super().__init__(mistakes)
        self.mistakes = list(mistakes)
        self.more = more

    def say(self, lang: Language | None = None) -> str:
        """All mistakes, for a person."""
        lines = [mistake.say(lang) for mistake in self.mistakes]
        if self.more:
            lines.append(pick(_SAID["more"], lang, count=self.more))
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.say()


def show(value: object) -> str:
    """A value of the file as TOML writes it, on one line, bounded, without control characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"~2^{abs(value).bit_length() - 1}"
    if isinstance(value, Mapping):
        return "{}" if not value else "{ " + shorten(", ".join(map(str, value))) + " }"
    if isinstance(value, list):
        return "[" + shorten(", ".join(show(v) if not isinstance(v, list) else "[…]" for v in value[:8])) + "]"
    return shorten('"' + value + '"' if isinstance(value, str) else str(value))


def shorten(text: str) -> str:
    """At most `MAX_SHOWN` characters, each of them printable."""
    cut = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)


def name_key(loc: Loc, data: Mapping[str, Any]) -> str:
    """The place as an installer reads it: `[panel] id`, `[[zone]] #3 "front-door": input.line`."""
    if len(loc) >= 2 and isinstance(loc[1], int):
        head, rest = _name_row(str(loc[0]), loc[1], data), loc[2:]
        return f"{head}: {_dotted(rest)}" if rest else head
    if len(loc) >= 2:
        return f"[{shorten(str(loc[0]))}] {_dotted(loc[1:])}"
    return _dotted(loc)


def _name_row(table: str, index: int, data: Mapping[str, Any]) -> str:
    rows = data.get(table)
    row = rows[index] if isinstance(rows, list) and index < len(rows) else None
    name = row.get("id") if isinstance(row, dict) else None
    return f"[[{table}]] #{index + 1}" + (f" {show(name)}" if isinstance(name, str) else "")


def _dotted(loc: Loc) -> str:
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else ("." if text else "") + shorten(part)
    return text
