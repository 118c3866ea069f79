"""Records as lines for a person or as JSON, and reading them from a file that may be in use."""

import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.journal.entries import LANES
from firmware.journal.texts import BAD_SINCE, EXPIRED
from firmware.journal.verify import open_to_read
from firmware.language import Text, pick
from provisioning.journal_source import BadUse
from rules.vocabulary import KINDS

BAD_LANE: Text = ("--lane {found}: expected one of {lanes}", "--lane {found}：应为 {lanes} 之一")
LONGEST_VALUE = 60
_HIDDEN = ("jws", "key", "key_hash", "duress_key")


@dataclass(frozen=True)
class Stored:
    """A record as it was read. `payload` None: expired."""

    seq: int
    header: dict[str, Any]
    payload: dict[str, Any] | None
    hash: str

    def as_json(self) -> str:
        """The record as it travels (docs/protocol.md)."""
        members = {"header": self.header, "payload": self.payload, "hash": self.hash}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Filter:
    """Which records are wanted; empty members let all pass."""

    lane: str
    kind: str
    since: str

    @classmethod
    def of(cls, lane: str, kind: str, since: str) -> "Filter":
        """From the words on the command line. Raises `BadUse`."""
        if lane and lane not in LANES:
            raise BadUse(pick(BAD_LANE, found=lane, lanes=", ".join(LANES)))
        if since and not (since[:4].isdigit() and since[4:5] == "-" and since[:10].count("-") == 2):
            raise BadUse(pick(BAD_SINCE, found=since))
        return cls(lane, kind, since)

    def passes(self, stored: Stored) -> bool:
        """Whether the record is wanted."""
        header = stored.header
        kind = str(header.get("kind", ""))
        return (
            (not self.lane or header.get("lane") == self.lane)
            and (not self.kind or kind == self.kind or kind.startswith(self.kind.rstrip(".") + "."))
            and (not self.since or str(header.get("time", "")) >= self.since)
        )


def read_file(path: Path, last: int = 0, after: int = -1, word: str = "") -> Generator[Stored, None, None]:
    """The records of a file after `after`, oldest first; only the `last` newest if given. Raises `sqlite3.Error`.

    `word`: only those whose payload has it; SQLite looks for it, so a million others cost little.

    A row that is no record is shown as far as it can be read: `fenghuo journal verify` says what is wrong with it.
    """
    with closing(open_to_read(path)) as connection:
        if last:
            highest = connection.execute("SELECT max(seq) FROM record").fetchone()[0] or 0
            after = max(after, highest - last)
        query = """SELECT seq, header, payload, hash FROM record
            WHERE seq > ? AND (? = X'' OR instr(payload, ?)) ORDER BY seq"""
        for seq, header, payload, hash_ in connection.execute(query, (after, word.encode(), word.encode())):
            yield Stored(seq, _members(header) or {"seq": seq}, _members(payload), str(hash_))


def _members(data: object) -> dict[str, Any] | None:
    if not isinstance(data, bytes):
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {"?": data[:LONGEST_VALUE].hex()}
    return value if isinstance(value, dict) else {"?": value}


def line(stored: Stored) -> str:
    """One line for a person, in his language."""
    header = stored.header
    kind = str(header.get("kind", "?"))
    text = pick((KINDS[kind].en, KINDS[kind].zh)) if kind in KINDS else kind
    doubt = "" if header.get("clock") == "synchronised" else "~"
    rest = pick(EXPIRED) if stored.payload is None else _values(stored.payload)
    return f"{stored.seq:>7}  {header.get('time', '?')}{doubt:1}  {header.get('lane', '?'):8}  {text}  {rest}".rstrip()


def _values(payload: dict[str, Any]) -> str:
    return "  ".join(f"{name}={_value(value)}" for name, value in payload.items() if name not in _HIDDEN)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
