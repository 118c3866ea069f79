"""The events of a panel that have pictures: their records in the journals, and the captures that these tell of.

An event is (journal, incident); on the command line its number, with the start of the journal's id before it where two
journals have that number: `7` or `8f14e45f:7`.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firmware.language import Text, pick
from firmware.protocol.messages import Manifest
from provisioning.journal_lines import Stored, read_file
from provisioning.journal_source import BadUse, Source, sources

PICTURES = "evidence.pictures"
DELETED = "evidence.deleted"
EVIDENCE = "evidence"
_EVENT = re.compile(r"(?:([0-9a-f-]{4,36}):)?([1-9][0-9]{0,15})")

BAD_EVENT: Text = (
    "EVENT {found}: expected the number of an incident, as 7 or 8f14e45f:7",
    "EVENT {found}：应为警情编号，如 7 或 8f14e45f:7",
)
NO_EVENT: Text = ("EVENT {found}: no pictures of it in the journal", "EVENT {found}：日志中没有该警情的图像")
SEVERAL: Text = (
    "EVENT {found}: several journals have one; expected one of {known}",
    "EVENT {found}：多个日志有此编号；应为 {known} 之一",
)
UNREADABLE: Text = ("{place}: can't be read: {why}", "{place}：无法读取：{why}")


@dataclass
class Event:
    """An incident with pictures. `records` tell of it, oldest first: the alarm, its pictures, who looked at them."""

    journal: str
    incident: int
    file: Path
    records: list[Stored] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As on the command line, unmistakable."""
        return f"{self.journal[:8]}:{self.incident}"

    @property
    def kind(self) -> str:
        """Kind of the first record: the alarm's, as long as that is in the journal."""
        return str(self.records[0].header.get("kind", "?"))

    @property
    def time(self) -> str:
        """UTC of the first record."""
        return str(self.records[0].header.get("time", "?"))

    def parts(self) -> list[tuple[Stored, Manifest]]:
        """The records of pictures that can be read, and what they say."""
        return [(record, part) for record in self.records if (part := part_of(record)) is not None]

    def folders(self) -> list[str]:
        """The captures that the records name, in the order of their first mention."""
        found: dict[str, None] = {}
        for _, part in self.parts():
            files = [picture.file for picture in part.pictures]
            files += [part.thumbnail.file] if part.thumbnail else []
            files += [part.sealed.file] if part.sealed else []
            found.update(dict.fromkeys(file.rpartition("/")[0] for file in files if "/" in file))
        return list(found)


@dataclass(frozen=True)
class Shelf:
    """Journals and evidence folder of one panel."""

    source: Source
    folder: Path

    @classmethod
    def of(cls, place: Path | None, config: Path | None) -> "Shelf":
        """From the words on the command line. Raises `BadUse`."""
        source = sources(place, config, None)
        if source.loaded is not None:
            return cls(source, source.loaded.data / EVIDENCE)
        return cls(source, source.files[-1].parent / EVIDENCE)

    def events(self) -> list[Event]:
        """All events with pictures, oldest first. Raises `BadUse`."""
        found: dict[tuple[str, int], Event] = {}
        for path in self.source.files:
            for record in _reading(path, word='"incident'):
                journal = str(record.header.get("journal"))
                if (record.payload or {}).get("journal", journal) != journal:
                    continue  # what was done to an event of an older journal
                for incident in _incidents(record):
                    key = (journal, incident)
                    found.setdefault(key, Event(*key, path)).records.append(record)
        return [event for event in found.values() if any(r.header.get("kind") == PICTURES for r in event.records)]

    def event(self, word: str) -> Event:
        """The one that this word means. Raises `BadUse`."""
        match = _EVENT.fullmatch(word)
        if match is None:
            raise BadUse(pick(BAD_EVENT, found=word[:60]))
        journal, incident = match.group(1) or "", int(match.group(2))
        found = [e for e in self.events() if e.incident == incident and e.journal.startswith(journal)]
        if not found:
            raise BadUse(pick(NO_EVENT, found=word))
        if len(found) > 1:
            raise BadUse(pick(SEVERAL, found=word, known=", ".join(event.name for event in found)))
        return found[0]

    def deleted(self) -> set[str]:
        """The captures that went at the end of their retention, as the journals say. Raises `BadUse`."""
        found: set[str] = set()
        for path in self.source.files:
            for record in _reading(path, word='"folders"'):
                if record.header.get("kind") == DELETED and record.payload is not None:
                    found.update(map(str, record.payload.get("folders", [])))
        return found

    def chain(self, event: Event) -> Iterator[Stored]:
        """All records of the event's journal from its first one on. Raises `BadUse`."""
        return _reading(event.file, event.records[0].seq - 1)


def part_of(record: Stored) -> Manifest | None:
    """What a record says of pictures; None for other records and what can't be read."""
    if record.header.get("kind") != PICTURES or record.payload is None:
        return None
    try:
        return Manifest.model_validate(record.payload)
    except ValidationError:
        return None


def _incidents(record: Stored) -> set[int]:
    """The incidents that a record is about."""
    payload: dict[str, Any] = record.payload or {}
    several = payload.get("incidents")
    found = [payload.get("incident"), *(several if isinstance(several, list) else [])]
    return {number for number in found if type(number) is int and number > 0}


def _reading(path: Path, after: int = -1, word: str = "") -> Iterator[Stored]:
    try:
        with closing(read_file(path, after=after, word=word)) as rows:
            yield from rows
    except (sqlite3.Error, OSError) as error:
        raise BadUse(pick(UNREADABLE, place=path, why=error)) from None
