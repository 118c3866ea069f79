"""Finding the best journal to go on with: at the start, after a file turned out broken, and when the disk fails.

The order: the spare file of a run that ended while the disk was failing, the file on the disk, what can be salvaged of
it, a new file, the run folder, memory. The first record of every new journal says which case it was, and names the
last one.
"""

import contextlib
import errno
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from firmware.clock import Clock, utc_text
from firmware.journal import ballast
from firmware.journal.archive import Archive
from firmware.journal.check import Unsound, predecessor
from firmware.journal.entries import Mark, Moment, Restored
from firmware.journal.salvage import Salvage, keep_few, salvage, set_aside
from firmware.journal.schema import COMING, NAME, Connect, file_uri, finish_moves, frozen_uri, move, remove, touch
from firmware.journal.store import Store, Terms
from firmware.protocol.jws import b64url
from rules.effects import JsonValue

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}
Problem = (sqlite3.Error, OSError)


@dataclass(frozen=True)
class Files:
    """Where the journals of a panel lie, and how they are opened."""

    data: Path
    fallback: Path
    connect: Connect
    free: ballast.Free = ballast.free_bytes

    @property
    def main(self) -> Path:
        """The journal in use, while the disk works."""
        return self.data / NAME

    @property
    def coming(self) -> Path:
        """A complete journal that is about to take the main place."""
        return self.data / COMING

    @property
    def spare(self) -> Path:
        """The journal in use while the disk fails."""
        return self.fallback / NAME

    def archive(self, journal: str) -> Path:
        """A free name for an older journal on the disk."""
        path = self.data / f"journal-{journal}.sqlite"
        number = 2
        while path.exists():
            path = self.data / f"journal-{journal}.{number}.sqlite"
            number += 1
        return path


@dataclass(frozen=True)
class Opened:
    """What the journal starts with. `place`: `disk`, `fallback` or `memory`."""

    store: Store
    place: str
    older: list[Archive]
    restored: Restored
    trouble: str


@dataclass(frozen=True)
class Found:
    """A journal file as it was found: `sound`, `missing`, `broken` or `unreachable` (then maybe readable)."""

    how: str
    store: Store | None = None
    why: str = ""


def describe(error: Exception) -> str:
    """A short English text of a storage error: a code first."""
    if isinstance(error, sqlite3.Error):
        name = str(getattr(error, "sqlite_errorname", "") or "SQLITE")
        code = {"SQLITE_FULL": "full", "SQLITE_READONLY": "read-only"}.get(name, name.removeprefix("SQLITE_").lower())
        return f"{code}: {error}"
    if isinstance(error, OSError):
        code = {errno.ENOSPC: "full", errno.EROFS: "read-only"}.get(error.errno or 0, "io")
        return f"{code}: {error.strerror}"
    return f"{type(error).__name__}: {error}"


def is_broken(error: Exception) -> bool:
    """Whether the file is at fault, not the disk."""
    if not isinstance(error, sqlite3.Error):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    # Without a code it is not SQLite that stumbled over the file, but Python over a value in it.
    return code is None or (code & 0xFF) in _BROKEN


def look(terms: Terms, path: Path, connect: Connect) -> Found:
    """Open and check a file, whatever its condition."""
    try:
        if not path.exists():
            return Found("missing")
        return Found("sound", Store.reopen(terms, file_uri(path, "rw"), connect))
    except Unsound as unsound:
        return Found("broken", why=str(unsound))
    except Problem as error:
        if is_broken(error):
            return Found("broken", why=describe(error))
        try:
            return Found("unreachable", Store.reopen(terms, frozen_uri(path), connect), describe(error))
        except (*Problem, Unsound):
            return Found("unreachable", why=describe(error))


def open_best(terms: Terms, files: Files, clock: Clock) -> Opened:
    """The store to go on with; see the module. Raises `sqlite3.Error` only when not even memory works."""
    opened = _open_best(terms, files, clock)
    close_ends(opened.store, opened.older)
    return opened


def close_ends(store: Store, older: Sequence[Archive]) -> None:
    """Let each older journal end where the one after it says that it ended (its `journal.begun` names the record)."""
    if not older:
        return
    ends = dict(before for before in (predecessor(store.connection), *(a.before for a in older)) if before)
    for archive in older:
        if archive.volume.journal in ends:
            with contextlib.suppress(sqlite3.Error):
                archive.ends_at(ends[archive.volume.journal])


def _open_best(terms: Terms, files: Files, clock: Clock) -> Opened:
    now = Moment(utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())
    for folder in (files.data, files.fallback):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        finish_moves(files.data)
    _finish_return(terms, files)
    older = archives(terms, files)
    main, spare = look(terms, files.main, files.connect), look(terms, files.spare, files.connect)
    if spare.store is not None and _newer(spare.store, main.store):
        if main.store is not None:
            main.store.close()
        return _go_on_from_spare(terms, files, now, spare.store, main, older)
    _retire_spare(terms, files, spare, main.store, older)
    session = max([s.session for s in (main.store, spare.store) if s], default=0) + 1
    if main.how == "sound" and main.store is not None:
        return _go_on(terms, files, now, main.store, session, older)
    if main.how == "missing":
        # The ballast is laid beside the first journal, so a folder with it is not a first start.
        traces = (files.data / ballast.NAME, *files.data.glob("journal-*.sqlite"))
        reason = "missing" if older or any(trace.exists() for trace in traces) else "first"
        return _begin_on_disk(terms, files, now, session, reason, older)
    if main.how == "broken":
        return _begin_after_broken_start(terms, files, now, session, main.why, older)
    return _elsewhere(terms, files, now, session, main.why, main.store, older)


def archives(terms: Terms, files: Files) -> list[Archive]:
    """The older journals in both folders that can be read, oldest first by the file's time."""
    found = []
    for folder in (files.data, files.fallback):
        with contextlib.suppress(OSError):
            paths = [p for p in folder.glob("journal-*.sqlite") if ".corrupt-" not in p.name]
            for path in sorted(paths, key=lambda p: p.stat().st_mtime_ns):
                with contextlib.suppress(*Problem, Unsound, ValueError, TypeError):
                    found.append(Archive(terms, path, files.connect))
    return found


def _newer(spare: Store, main: Store | None) -> bool:
    """Whether the spare file was written after the main one, not left over from long ago."""
    if main is None:
        return True
    if spare.journal == main.journal:
        return spare.tip.seq > main.tip.seq
    # Not by the hash of the main file's end: a commit that failed may stand there nevertheless.
    before = predecessor(spare.connection)
    return before is not None and before[0] == main.journal and spare.session >= main.session


def _finish_return(terms: Terms, files: Files) -> None:
    """Complete or undo a way back to the disk that was cut short."""
    try:
        if not files.coming.exists():
            return
        found = look(terms, files.coming, files.connect)
        if found.store is None:
            remove(files.coming)
            return
        found.store.close()
        if files.main.exists():
            main = look(terms, files.main, files.connect)
            journal = main.store.journal if main.store else str(uuid.uuid4())
            if main.store:
                main.store.close()
            move(files.main, files.archive(journal))
        move(files.coming, files.main)
    except OSError:
        return


def _retire_spare(terms: Terms, files: Files, spare: Found, main: Store | None, older: list[Archive]) -> None:
    """A spare file that is not the newest journal: keep it as an archive of the run folder."""
    if spare.how == "missing":
        return
    with contextlib.suppress(*Problem, Unsound):
        if spare.store is None:
            set_aside(files.spare)
            return
        spare.store.close()
        known = {archive.volume.journal for archive in older} | ({main.journal} if main else set())
        if spare.store.journal in known:
            remove(files.spare)
            return
        target = files.fallback / f"journal-{spare.store.journal}.sqlite"
        move(files.spare, target)
        older.append(Archive(terms, target, files.connect))


def _restored(state: bytes | None, at: tuple[str, int, str], session: int, now: Moment, **more: str) -> Restored:
    boot, monotonic_ms, utc = at
    cause = "first" if not state and not more.get("trouble") else "restart" if boot == now.boot else "power-up"
    return Restored(state or None, boot, monotonic_ms, utc, session, cause, **more)


def _restored_from(store: Store, session: int, now: Moment, trouble: str = "") -> Restored:
    restored = _restored(store.state, store.lived, session, now, trouble=trouble)
    # A journal that began without a state still knows that it is not the first start.
    known = store.state or store.session > 0
    if not known or restored.cause != "first":
        return restored
    return replace(restored, cause="restart" if store.lived[0] == now.boot else "power-up")


def _go_on(terms: Terms, files: Files, now: Moment, store: Store, session: int, older: list[Archive]) -> Opened:
    restored = _restored_from(store, session, now)
    trouble = ""
    try:
        store.start_writing(session)
    except Problem as error:
        trouble = describe(error)
        store.close()
        if not ballast.give_up(files.data):
            return _elsewhere(terms, files, now, session, trouble, _frozen(terms, files), older, restored)
        try:
            store = Store.reopen(terms, file_uri(files.main, "rw"), files.connect)
            store.start_writing(session)
        except (*Problem, Unsound):
            return _elsewhere(terms, files, now, session, trouble, _frozen(terms, files), older, restored)
    return Opened(store, "disk", older, restored, trouble)


def _frozen(terms: Terms, files: Files) -> Store | None:
    try:
        return Store.reopen(terms, frozen_uri(files.main), files.connect)
    except (*Problem, Unsound):
        return None


def _go_on_from_spare(
    terms: Terms, files: Files, now: Moment, spare: Store, main: Found, older: list[Archive]
) -> Opened:
    session = max(spare.session, main.store.session if main.store else 0) + 1
    restored = _restored_from(spare, session, now)
    trouble = main.why or "the disk failed in the last run"
    with contextlib.suppress(*Problem, Unsound):
        if main.how != "broken":
            older = [*older, Archive(terms, files.main, files.connect)]
    try:
        spare.start_writing(session)
    except Problem as error:
        store, place = begin_elsewhere(
            terms,
            files,
            now,
            session,
            describe(error),
            spare.state,
            spare.mark(),
            lambda _: None,
            memory_only=True,
            state_at=spare.lived,
        )
        return Opened(store, place, older, restored, trouble)
    return Opened(spare, "fallback", older, restored, trouble)


def _begin_on_disk(terms: Terms, files: Files, now: Moment, session: int, reason: str, older: list[Archive]) -> Opened:
    trouble = "" if reason == "first" else "missing: the journal file is gone"
    restored = _restored(None, ("", 0, ""), session, now, proof="none", trouble=trouble)
    if reason != "first":
        session = max(session, _epoch(now))
        restored = replace(restored, session=session, cause="power-up")
    try:
        store = begin(terms, files, now, session, begun(terms, reason, trouble))
    except Problem as error:
        return _elsewhere(terms, files, now, session, describe(error), None, older, restored)
    return Opened(store, "disk", older, restored, trouble)


def _begin_after_broken_start(
    terms: Terms, files: Files, now: Moment, session: int, why: str, older: list[Archive]
) -> Opened:
    try:
        store, fresh, found = begin_after_broken(terms, files, now, session, why)
    except Problem as error:
        found = salvage(terms, files.main, files.fallback, files.connect)
        session = _session_after(found, session, now)
        restored = _restored(found.state, found.moment, session, now, proof=found.proof, trouble=f"corrupt: {why}")
        store, place = begin_elsewhere(
            terms,
            files,
            now,
            session,
            describe(error),
            found.state or b"",
            None,
            lambda _: None,
            state_at=found.moment if found.state else None,
        )
        return Opened(store, place, older, restored, describe(error))
    trouble = f"corrupt: {why}; {found.salvaged} records salvaged, {found.unreadable} unreadable"[:200]
    restored = _restored(found.state, found.moment, store.session, now, proof=found.proof, trouble=trouble)
    return Opened(store, "disk", [*older, *fresh], restored, trouble)


def _elsewhere(
    terms: Terms,
    files: Files,
    now: Moment,
    session: int,
    why: str,
    readable: Store | None,
    older: list[Archive],
    restored: Restored | None = None,
) -> Opened:
    """Begin off the disk, with the state and the undelivered records of a disk that can at best be read."""
    state, mark, at = b"", None, None
    if readable is not None:
        state, mark, at = readable.state, readable.mark(), readable.lived
        restored = restored or _restored_from(readable, readable.session + 1, now, why)
        session = max(session, restored.session)
        readable.close()
        with contextlib.suppress(*Problem, Unsound):
            older = [*older, Archive(terms, files.main, files.connect)]
    else:
        # Nobody can say what the last session was: seconds since 1970 are above any count of starts.
        session = max(session, _epoch(now))
    restored = restored or _restored(None, ("", 0, ""), session, now, proof="none", trouble=why)
    store, place = begin_elsewhere(terms, files, now, session, why, state, mark, lambda _: None, state_at=at)
    return Opened(store, place, older, replace(restored, session=session), why)


def begin(
    terms: Terms,
    files: Files,
    now: Moment,
    session: int,
    first: Mapping[str, JsonValue],
    state: bytes = b"",
    state_at: tuple[str, int, str] | None = None,
) -> Store:
    """A new journal at the main place, which must be free. It appears there complete or not at all."""
    remove(files.coming)
    touch(files.coming)
    fresh = Store.begin(terms, file_uri(files.coming, "rw"), files.connect, now, session, first, state, state_at)
    fresh.close()
    move(files.coming, files.main)
    try:
        store = Store.reopen(terms, file_uri(files.main, "rw"), files.connect)
    except Unsound as unsound:
        raise sqlite3.DatabaseError(f"a journal just written reads back wrong: {unsound}") from None
    store.start_writing(session)
    return store


def begin_after_broken(
    terms: Terms,
    files: Files,
    now: Moment,
    session: int,
    why: str,
    state: bytes | None = None,
    mark: Mark | None = None,
) -> tuple[Store, list[Archive], Salvage]:
    """Set the broken main file aside, salvage it, and begin anew. `state` and `mark`: where core knows them better."""
    found, gone = keep_few(salvage_aside(terms, files))
    session = session if state is not None else _session_after(found, session, now)
    last = _last(mark) or (
        {"journal": found.journal, "seq": found.head, "hash": found.head_hash} if found.journal else None
    )
    payload = begun(
        terms,
        "corrupt",
        why,
        last,
        file=found.aside.name,
        salvaged=found.salvaged,
        unreadable=found.unreadable,
        left=found.left,
        deleted=gone,
        state="proven" if state is not None else found.proof,
    )
    kept = found.state or b"" if state is None else state
    at = found.moment if state is None and found.state is not None else None
    store = begin(terms, files, now, session, payload, kept, at)
    fresh = []
    if found.rescued is not None:
        with contextlib.suppress(*Problem, Unsound):
            fresh.append(Archive(terms, found.rescued, files.connect))
    return store, fresh, found


def salvage_aside(terms: Terms, files: Files) -> Salvage:
    """Set the main file aside and salvage it. Raises `OSError` when it can't be moved."""
    return salvage(terms, set_aside(files.main), files.data, files.connect)


def shelve_unknown(terms: Terms, files: Files) -> list[Archive]:
    """Clear the main place of a file nobody knows yet: an archive when sound, else set aside and salvaged."""
    try:
        journal = Archive(terms, files.main, files.connect).volume.journal
    except (sqlite3.Error, Unsound, ValueError, TypeError):
        found = salvage_aside(terms, files)
        return [Archive(terms, found.rescued, files.connect)] if found.rescued else []
    target = files.archive(journal)
    move(files.main, target)
    return [Archive(terms, target, files.connect)]


def begin_elsewhere(
    terms: Terms,
    files: Files,
    now: Moment,
    session: int,
    why: str,
    state: bytes,
    last: Mark | None,
    write: Callable[[Store], None],
    memory_only: bool = False,
    state_at: tuple[str, int, str] | None = None,
) -> tuple[Store, str]:
    """A new journal off the disk, in which `write` succeeded, and its place: the run folder, else memory."""
    first = begun(terms, "storage", why, _last(last))
    if not memory_only:
        try:
            remove(files.spare)
            touch(files.spare)
            uri = file_uri(files.spare, "rw")
            store = Store.begin(terms, uri, files.connect, now, session, first, state, state_at)
            write(store)
        except Problem:
            with contextlib.suppress(OSError):
                remove(files.spare)
        else:
            return store, "fallback"
    uri = f"file:fenghuo-{uuid.uuid4()}?mode=memory&cache=shared"
    store = Store.begin(terms, uri, files.connect, now, session, first, state, state_at)
    write(store)
    return store, "memory"


def begun(
    terms: Terms, reason: str, detail: str, last: Mapping[str, JsonValue] | None = None, **more: JsonValue
) -> dict[str, JsonValue]:
    """The payload of `journal.begun`. `last`: journal, seq and hash of the last known record of the journal before."""
    key = {"kid": terms.signer.kid, "x": b64url(terms.signer.public.public_bytes_raw())}
    return {"reason": reason, "detail": detail[:200], "last": last, "key": key, **more}


def _last(mark: Mark | None) -> dict[str, JsonValue] | None:
    return None if mark is None else {"journal": mark.journal, "seq": mark.seq, "hash": mark.hash}


def _session_after(found: Salvage, session: int, now: Moment) -> int:
    return found.session + 1 if found.session else max(session, _epoch(now))


def _epoch(now: Moment) -> int:
    return max(1, int(datetime.fromisoformat(now.time).timestamp()))
