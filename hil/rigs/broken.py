"""Breaks on purpose, the negative controls of a rig: `pytest hil --break NAME` must not pass, on any rig.

`siren-pin`: the panel file has the outdoor siren on another line than the site's. `journal`: one record of the stopped
panel is altered before it is judged. `lost`: the center forgets one record. `wire`: the rig's self-check fails.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from hil.rigs.protocol import RigFault, Verdict

Break: TypeAlias = Literal["siren-pin", "journal", "lost", "wire"]
BREAKS: tuple[str, ...] = get_args(Break)
EXPECTED: dict[Break, Verdict] = {"siren-pin": "fail", "journal": "fail", "lost": "fail", "wire": "rig-fault"}


def break_wire(broken: str) -> None:
    """What a self-check finds. Raises `RigFault`."""
    if broken == "wire":
        raise RigFault("wire of siren-outside: its line was driven, and the rig's input did not change")


def break_file(broken: str, text: str) -> str:
    """The panel file as a careless installer wrote it."""
    if broken != "siren-pin":
        return text
    wrong = text.replace("line = 20\n", "line = 3\n")
    if wrong == text:
        raise RigFault("no siren on line 20 in the site's panel file")
    return wrong


def break_records(broken: str, journals: Path, center: Path) -> None:
    """Alter a record of the journal, or take one from the center."""
    if broken == "journal":
        with closing(sqlite3.connect(next(journals.glob("journal*.sqlite")))) as db, db:
            db.execute("UPDATE record SET payload = CAST(replace(payload, 'Li Wei', 'Li Xie') AS BLOB)")
    if broken == "lost":
        with closing(sqlite3.connect(center)) as db, db:
            db.execute("DELETE FROM records WHERE seq = (SELECT MAX(seq) - 1 FROM records)")
