"""Begins a panel's journal anew from the copies on a mirror: the old journals as archives, and a new one chained to the
newest of them, with its state. Two panels never go on in one journal: a restored one has a journal id of its own, and
its first record names the record of the old journal that it comes from.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.journal.check import Tail, Unsound, examine, predecessor, read_session
from firmware.journal.entries import Moment
from firmware.journal.opening import Files, begin, begun
from firmware.journal.salvage import set_aside
from firmware.journal.schema import COMING, NAME, companions, connect, file_uri, move, remove, touch
from firmware.journal.store import Terms
from firmware.journal.verify import open_to_read
from firmware.protocol.jws import KeyRing
from rules.effects import JsonValue

REASON = "restored"
SAME = "same"
PREFIX = "restore-"
"""Of a copy that is not in its place yet: core takes no notice of it."""


@dataclass(frozen=True)
class Copied:
    """A journal as it lies on the mirror. `tail`: its end, with the state; a rescued one has none."""

    path: Path
    journal: str
    session: int
    before: tuple[str, int] | None
    last: int
    hash: str
    tail: Tail | None


def read(path: Path, panel: str, keys: KeyRing) -> Copied:
    """What a copy holds, by its signatures. Raises `Unsound`, `sqlite3.Error`, `OSError`."""
    with contextlib.closing(open_to_read(path)) as connection:
        session = read_session(connection, keys)
        before = predecessor(connection)
        tail = None if session.get("salvaged") else examine(connection, panel, keys)
        last = connection.execute("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1").fetchone()
    if session["panel"] != panel:
        raise Unsound("panel", f"it is the journal of panel {session['panel']!r}, expected {panel!r}")
    journal, number = str(session["journal"]), int(session["session"])
    return Copied(path, journal, number, before, int(last[0]), str(last[1]), tail)


def newest(copies: Sequence[Copied]) -> Copied | None:
    """The journal that was in use last: of the latest session, and with none after it."""
    followed = {copy.before[0] for copy in copies if copy.before}
    ends = [copy for copy in copies if copy.tail is not None and copy.journal not in followed]
    return max(ends, key=lambda copy: (copy.session, copy.tail.lived[2] if copy.tail else ""), default=None)


def newer_than(data: Path, panel: str, keys: KeyRing, copies: Sequence[Copied], source: Copied) -> str:
    """What lies in the data folder: empty (nothing that is not on the mirror), `SAME` (all that is on it), `REASON`
    (restored from this very mirror, and maybe used since), or the name of a file with other records."""
    known = {copy.journal: copy for copy in copies}
    for path in sorted(data.glob("journal*.sqlite")):
        if ".corrupt-" in path.name or path.name == COMING:
            continue
        try:
            found = read(path, panel, keys)
        except (Unsound, sqlite3.Error, OSError, ValueError, TypeError, KeyError):
            return path.name
        if found.before == (source.journal, source.last) and found.journal not in known:
            return REASON
        there = known.get(found.journal)
        if there is None or found.last > there.last or not _holds(there, found.last, found.hash):
            return path.name
        if path.name == NAME and there is source and found.last == source.last:
            return SAME
    return ""


def _holds(copy: Copied, seq: int, hash_: str) -> bool:
    with contextlib.closing(open_to_read(copy.path)) as connection:
        found = connection.execute("SELECT hash FROM record WHERE seq = ?", (seq,)).fetchone()
        return found is None or found[0] == hash_  # its front may be gone


def stage(copies: Sequence[Copied], data: Path) -> None:
    """Copy the journals into the data folder under names of no meaning. Raises `OSError`, `sqlite3.Error`."""
    drop_staged(data)
    for copy in copies:
        target = data / f"{PREFIX}{copy.journal}.sqlite"
        touch(target)
        with (
            contextlib.closing(open_to_read(copy.path)) as source,
            contextlib.closing(connect(file_uri(target, "rw"))) as written,
        ):
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM journal").fetchone()
            written.execute("PRAGMA synchronous = FULL")
            source.backup(written)


def drop_staged(data: Path) -> None:
    """Delete what an interrupted `stage` left."""
    for path in data.glob(f"{PREFIX}*"):
        path.unlink(missing_ok=True)


def clear(data: Path, all_of_them: bool) -> None:
    """Set aside the journal in use, or all of them; nothing is deleted. Raises `OSError`."""
    for path in sorted(data.glob("journal*.sqlite" if all_of_them else NAME)):
        if ".corrupt-" not in path.name:
            set_aside(path)


def take_over(
    terms: Terms, files: Files, source: Copied, now: Moment, state: bytes, told: dict[str, JsonValue]
) -> tuple[str, int]:
    """Give the staged journals their names, and begin the new one: its id and its session. Raises `OSError`,
    `sqlite3.Error`. Cut short before the end it can be done again from `stage` on."""
    if source.tail is None:
        raise Unsound("state", "the newest journal has no state")
    for path in sorted(files.data.glob(f"{PREFIX}*.sqlite")):
        target = files.data / f"journal-{path.name.removeprefix(PREFIX)}"
        if target.exists():
            remove(target)
        move(path, target)
    last: dict[str, JsonValue] = {"journal": source.journal, "seq": source.last, "hash": source.hash}
    payload = begun(terms, REASON, "from a mirror", last, **told)
    session = source.session + 1
    store = begin(terms, files, now, session, payload, state, source.tail.lived)
    journal = store.journal
    store.close()
    return journal, session


def size_of(copies: Sequence[Copied]) -> int:
    """Bytes that the copies take."""
    return sum(path.stat().st_size for copy in copies for path in companions(copy.path)[:2] if path.exists())
