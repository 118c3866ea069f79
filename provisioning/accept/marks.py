"""What people say of each alarm of a trial run: that it was true, or false and why. Kept in the working folder.

The journal knows what was confirmed and what was cancelled; that a spider set off a detector only a person knows.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from firmware.language import Text, pick
from provisioning.accept.results import STRICT, Word, read, write
from provisioning.journal_source import BadUse

NAME = "alarms.json"
MOST = 10_000
"""Alarms that may be marked: beyond, a site has other troubles."""
_OTHER: Text = (
    "{file} is of panel {found}, expected {panel}; give another --dir",
    "{file} 属于主机 {found}，应为 {panel}；请另选 --dir",
)
Says = Literal["true", "false"]


@dataclass(frozen=True, config=STRICT)
class Mark:
    """Of the alarm with this record. `cause`: in words; `by`: who says so; `time`: when (UTC)."""

    journal: Word
    seq: int
    says: Says
    cause: Word
    by: Word
    time: Word


@dataclass(frozen=True, config=STRICT)
class Marks:
    """Of one panel."""

    panel: Word
    marks: Annotated[tuple[Mark, ...], Field(max_length=MOST)] = ()

    def by_record(self) -> dict[tuple[str, int], Mark]:
        """By journal and number."""
        return {(mark.journal, mark.seq): mark for mark in self.marks}


MARKS = TypeAdapter(Marks)


def load_marks(folder: Path, panel: str) -> Marks:
    """Those of this folder, which may be none. Raises `Broken`, `OSError`, `BadUse` where they are another panel's."""
    found = read(folder / NAME, MARKS) or Marks(panel)
    if found.panel != panel:
        raise BadUse(pick(_OTHER, file=folder / NAME, found=found.panel, panel=panel))
    return found


def save_marks(folder: Path, marks: Marks) -> None:
    """Store them whole, readable by their owner alone. Raises `OSError`; the file before stays then."""
    write(folder / NAME, MARKS.dump_json(marks, indent=1))
