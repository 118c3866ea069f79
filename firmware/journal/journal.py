"""The journal of a panel: one file in use, what happens when it fails, and the older files with undelivered records.

Every write either is durable on return or ends in the next best store: the disk, the disk without the ballast, a file
in the run folder, memory. After a failure the file is closed, opened again and checked before it is believed. Used by
one thread, the recorder's; what other threads may read is published as immutable `shelf`.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.clock import Clock, utc_text
from firmware.journal import ballast, opening, retention
from firmware.journal.archive import Archive, Volume
from firmware.journal.chain import REMOVED_KIND, Prepared
from firmware.journal.check import Unsound
from firmware.journal.entries import Commit, Draft, Mark, Moment, Restored
from firmware.journal.opening import Files, Opened, describe
from firmware.journal.schema import Connect, connect, file_uri, move, remove, touch
from firmware.journal.store import Store, Terms, new_id
from firmware.protocol.jws import Signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from firmware.journal.reader import Reader

CHECKPOINT_MS = 3_600_000
FLUSH_MS = 1_000
RETURN_FIRST_MS = 10_000
RETURN_MAX_MS = 300_000
MAX_MEMORY_RECORDS = 20_000
MAX_VOLUMES = 16


class Journal:
    """See the module. Open one with `Journal.open`."""

    def __init__(self, terms: Terms, files: Files, clock: Clock, opened: Opened) -> None:
        """For `open`."""
        self._terms = terms
        self._files = files
        self._clock = clock
        self._store = opened.store
        self._older = opened.older
        self._failed_return_ms = RETURN_FIRST_MS
        now = clock.monotonic_ms()
        self._next_return = now
        self._last_flush = now
        self._last_checkpoint = now
        self._doubted = ""
        self._make_room: Callable[[], bool] = lambda: False
        self.lane_of = terms.lane_of
        self.place = opened.place
        self.restored: Restored = opened.restored
        self.session: int = opened.store.session
        self.storage_trouble = opened.trouble
        if not ballast.take_up(files.data, files.free) and not self.storage_trouble:
            self.storage_trouble = "full: no room for the reserve file"
        self._publish()

    @classmethod
    def open(
        cls,
        data: Path,
        fallback: Path,
        panel: str,
        signer: Signer,
        clock: Clock,
        encode: Callable[[object], bytes],
        lane_of: Callable[[str], str],
        is_checkpoint: Callable[[str], bool],
        connect: Connect = connect,
        free: ballast.Free = ballast.free_bytes,
        new_id: Callable[[], str] = new_id,
        former: "tuple[Ed25519PublicKey, ...]" = (),
        make_room: Callable[[], bool] = lambda: False,
    ) -> "Journal":
        """Open the panel's journal, or begin one. Costs the same for any number of records.

        `data` is on the disk, `fallback` should be in memory (the run folder). Whatever is broken or full: this gives a
        journal that takes records; `restored` and `storage_trouble` say what happened.

        `connect`, `free` and `new_id` are what lies under it: SQLite, the bytes free in a folder, ids for journals.
        `former`: public keys that older journals may be signed with. `make_room`: asked when the disk is full, before
        the ballast is given up, whether something that is worth less than a record could be let go of.
        """
        terms = Terms(panel, signer, encode, lane_of, is_checkpoint, new_id, former)
        files = Files(data, fallback, connect, free)
        journal = cls(terms, files, clock, opening.open_best(terms, files, clock))
        journal._make_room = make_room
        return journal

    # --- writing -----------------------------------------------------------------------------------

    def commit(self, commits: Sequence[Commit]) -> None:
        """Write these, all in one transaction; durable on return (as durable as `place` can be).

        Raises `ValueError` or `TypeError` when a draft can't be encoded (nothing is written then), and `sqlite3.Error`
        only when even memory takes nothing more.
        """
        prepared = self._store.prepare(commits)
        try:
            self._store.write(prepared, self.moment)
        except (sqlite3.Error, OSError) as error:
            self._rescue(commits, prepared, error)
            self._publish()
        if self.place == "memory":
            self._trim_memory()

    def tick(self, state: object | None) -> None:
        """Note beside the state that this moment was lived through; no record. `state` None: the one in force."""
        self.commit([Commit((), state)])

    def checkpoint(self) -> None:
        """Write a signed checkpoint."""
        self._last_checkpoint = self._clock.monotonic_ms()
        prepared = self._store.seal(self.moment())
        try:
            self._store.write(prepared, self.moment)
        except (sqlite3.Error, OSError) as error:
            self._rescue([], prepared, error)
        self._publish()

    def checkpoint_due(self, now_ms: int) -> bool:
        """Whether an hour has passed since the last one that was not tied to a record."""
        return now_ms - self._last_checkpoint >= CHECKPOINT_MS

    def mark_delivered(self, journal: str, lane: str, ranges: Iterable[tuple[int, int]]) -> None:
        """The center holds these `lane_seq`. Written with the next commit or within a second."""
        target = self._target(journal)
        if target is not None:
            target.deliver(lane, ranges)
            self._publish()

    def keep_receipt(self, journal: str, lane: str, jws: str) -> None:
        """Keep the newest receipt of the lane word for word: it proves a cut tail."""
        target = self._target(journal)
        if target is not None:
            target.receipt(lane, jws)

    def tend(self) -> None:
        """What has to be done now and then: delivery ranges, the hourly checkpoint, the way back to the disk."""
        now = self._clock.monotonic_ms()
        if now - self._last_flush >= FLUSH_MS:
            self._last_flush = now
            self._flush()
        if self._doubted:
            self._act_on_doubt()
        if self.checkpoint_due(now):
            self.checkpoint()
        if self.storage_trouble and now >= self._next_return:
            self._mend(now)

    def prune(self, before_utc: str, limit: int = retention.STEP) -> int:
        """Remove delivered records older than `before_utc` from the front, behind a signed base; how many.

        An older journal goes as a whole, when its last record is so old: `journal.removed` names it.
        """
        try:
            self._remove_expired(before_utc)
            return retention.prune(self._store, before_utc, self.moment(), limit)
        except (sqlite3.Error, OSError) as error:
            self._rescue([], self._store.prepare([]), error)
            return 0
        finally:
            self._publish()

    def _remove_expired(self, before_utc: str) -> None:
        for archive in list(self._older):
            with contextlib.suppress(sqlite3.Error, OSError, ValueError):
                end = archive.end_before(before_utc)
                if end is None:
                    continue
                now = self.moment()
                self.commit([Commit((Draft(REMOVED_KIND, end, now.time, now.clock, now.boot, now.monotonic_ms),))])
                self._older.remove(archive)
                remove(archive.path)

    def snapshot(self, path: Path) -> None:
        """A consistent copy of the journal in use; from any thread, unless `place` is `memory`: the writer goes on.

        Raises `sqlite3.Error` or `OSError`.
        """
        remove(path)
        touch(path)
        connect, uri = self._files.connect, self._store.uri
        with contextlib.closing(connect(uri)) as source, contextlib.closing(connect(file_uri(path, "rw"))) as target:
            source.execute("BEGIN")  # else each commit of the writer would begin the copy anew
            source.execute("SELECT count(*) FROM journal").fetchone()
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")

    def close(self) -> None:
        """Close in good order: ending with a checkpoint, delivery ranges, and back to the disk when it works again."""
        if self.place != "disk":
            self._mend(self._clock.monotonic_ms())
        if not self._store.sealed():
            self.checkpoint()
        self._flush()
        self._store.close()

    # --- reading -----------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """The durable mark."""
        return self._store.mark()

    @property
    def shelf(self) -> tuple[Volume, ...]:
        """The journals that hold something for the center, the one in use last. For any thread.

        Made when it is asked for, which is far rarer than a commit; the tip and the ranges of a store are immutable.
        """
        older, store = self._published
        tip = store.tip
        return (*older, Volume(store.journal, store.uri, tip.lanes, store.delivered, tip.seq))

    def reader(self) -> "Reader":
        """A reader with connections of its own, for any one thread."""
        from firmware.journal.reader import Reader  # a starting panel does not wait for the models that it speaks in

        return Reader(lambda: self.shelf, self._files.connect, self._doubt)

    def _doubt(self, journal: str) -> None:
        """A reader, in its own thread, missed a record; `tend` acts on it."""
        self._doubted = journal

    def moment(self) -> Moment:
        """Now, as the clock tells it."""
        clock = self._clock
        return Moment(utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())

    # --- when something breaks ---------------------------------------------------------------------

    def _rescue(self, commits: Sequence[Commit], prepared: Prepared, error: Exception) -> None:
        """Bring the failed transaction home: each record exactly once, in exactly one journal."""
        trouble = describe(error)
        if self.place == "disk":
            if (
                trouble.startswith("full")
                and self._make_room()
                and self._again_on_disk(commits, prepared, f"{trouble}; telemetry gave way")
            ):
                return
            gave_up = ballast.give_up(self._files.data)
            if self._again_on_disk(commits, prepared, f"{trouble}; reserve given up" if gave_up else trouble):
                return
        self._fall_back(commits, trouble)

    def _again_on_disk(self, commits: Sequence[Commit], prepared: Prepared, trouble: str) -> bool:
        failed = self._store
        try:
            with self._log_kept(trouble.startswith("full")):
                failed.close()
                again = Store.reopen(self._terms, file_uri(self._files.main, "rw"), self._files.connect)
        except Unsound as unsound:
            return self._replace_broken(commits, f"{unsound}")
        except (sqlite3.Error, OSError) as second:
            if opening.is_broken(second):
                return self._replace_broken(commits, describe(second))
            return False
        if again.tip not in (failed.tip, prepared.tip):
            again.close()
            return self._replace_broken(commits, f"cut: it ends at {again.tip.seq}, expected {failed.tip.seq}")
        try:
            again.start_writing(self.session)
            _hand_over(failed, again)
            if prepared.rows and again.tip.hash == prepared.tip.hash:
                again.settle()  # it is there after all, but nobody has said that it is on the disk
            else:
                again.write(prepared, self.moment)
        except (sqlite3.Error, OSError):
            again.close()
            return False
        self._store = again
        self._trouble(trouble)
        return True

    @contextlib.contextmanager
    def _log_kept(self, full: bool) -> Iterator[None]:
        """Keep the log where it is while the store is closed and opened again on a full disk: the last connection to
        close moves it into the database, and would use up the room that was just made for a record."""
        other = None
        if full:
            with contextlib.suppress(sqlite3.Error):
                other = self._files.connect(file_uri(self._files.main, "rw"))
                other.execute("SELECT jws FROM journal WHERE id = 1").fetchone()
        try:
            yield
        finally:
            if other is not None:
                other.close()

    def _act_on_doubt(self) -> None:
        """Set a file aside in the middle of which records can't be read, while what is readable still is."""
        doubted, self._doubted = self._doubted, ""
        if self.place != "disk" or doubted != self._store.journal:
            return
        why = "records in the middle can't be read"
        self._flush()
        self._store.close()
        if not self._replace_broken([], why):
            self._fall_back([], why)
        self._publish()

    def _replace_broken(self, commits: Sequence[Commit], why: str) -> bool:
        state, mark = self._store.state, self._store.mark()
        try:
            store, older, found = opening.begin_after_broken(
                self._terms, self._files, self.moment(), self.session, why, state, mark
            )
            store.write(store.prepare(commits), self.moment)
        except (sqlite3.Error, OSError):
            return False
        self._store = store
        self._shelve(older)
        self._trouble(f"corrupt: {why}; {found.salvaged} records salvaged, {found.unreadable} unreadable")
        return True

    def _fall_back(self, commits: Sequence[Commit], trouble: str) -> None:
        failed, place = self._store, self.place
        store, self.place = opening.begin_elsewhere(
            self._terms,
            self._files,
            self.moment(),
            self.session,
            trouble,
            failed.state,
            failed.mark(),
            lambda fresh: fresh.write(fresh.prepare(commits), self.moment),
            memory_only=place != "disk",
        )
        failed.close()
        self._store = store
        self._trouble(trouble)
        self._next_return = self._clock.monotonic_ms() + self._failed_return_ms
        path = self._files.main if place == "disk" else self._files.spare
        with contextlib.suppress(sqlite3.Error, OSError, Unsound):
            archive = Archive(self._terms, path, self._files.connect)
            _hand_over(failed, archive)
            self._shelve([archive])

    def _mend(self, now: int) -> None:
        """Try the disk again: back from the spare store, or take up the ballast again."""
        if not ballast.roomy(self._files.data, self._files.free):
            # Asking costs nothing: only attempts that failed are made at growing pauses.
            self._next_return = now + RETURN_FIRST_MS
            return
        mended = ballast.take_up(self._files.data, self._files.free) if self.place == "disk" else self._return_to_disk()
        if mended:
            self._failed_return_ms = RETURN_FIRST_MS
            self._trouble("")
        else:
            self._failed_return_ms = min(2 * self._failed_return_ms, RETURN_MAX_MS)
        self._next_return = now + self._failed_return_ms
        self._publish()

    def _return_to_disk(self) -> bool:
        """Copy the spare journal to the disk under its own id and go on there; the old one becomes an archive."""
        files, old = self._files, self._store
        try:
            old.flush()
            remove(files.coming)
            touch(files.coming)
            with contextlib.closing(files.connect(file_uri(files.coming, "rw"))) as target:
                old.connection.backup(target)
            with contextlib.closing(Store.reopen(self._terms, file_uri(files.coming, "rw"), files.connect)) as copy:
                if copy.tip != old.tip:
                    return False
            self._shelve_main()
            move(files.coming, files.main)
            store = Store.reopen(self._terms, file_uri(files.main, "rw"), files.connect)
            store.start_writing(self.session)
        except (sqlite3.Error, OSError, Unsound):
            with contextlib.suppress(OSError):
                remove(files.coming)
            return False
        self._store, self.place = store, "disk"
        old.close()
        with contextlib.suppress(OSError):
            remove(files.spare)
        return ballast.take_up(files.data, files.free)

    def _shelve_main(self) -> None:
        """Give the file at the main place its archive name. Raises `OSError`."""
        files = self._files
        if not files.main.exists():
            return
        for archive in self._older:
            if archive.path == files.main:
                target = files.archive(archive.volume.journal)
                move(files.main, target)
                archive.moved(target)
                archive.flush()
                return
        self._shelve(opening.shelve_unknown(self._terms, files))

    def _shelve(self, archives: Iterable[Archive]) -> None:
        """Keep these older files, whose end the journal after them tells."""
        self._older += archives
        opening.close_ends(self._store, self._older)

    def _trim_memory(self) -> None:
        retention.trim(self._store, MAX_MEMORY_RECORDS, self.moment())

    def _trouble(self, text: str) -> None:
        self.storage_trouble = text[:200]

    def _flush(self) -> None:
        try:
            self._store.flush()
        except (sqlite3.Error, OSError) as error:
            self._rescue([], self._store.prepare([]), error)
            self._publish()
        for archive in self._older:
            archive.flush()

    def _target(self, journal: str) -> Store | Archive | None:
        if journal == self._store.journal:
            return self._store
        return next((a for a in self._older if a.volume.journal == journal), None)

    def _publish(self) -> None:
        older = [archive.volume for archive in self._older if archive.volume.undelivered()]
        self._published = (*older[: MAX_VOLUMES - 1],), self._store


def _hand_over(failed: Store, to: Store | Archive) -> None:
    """What was delivered since the last write that succeeded."""
    for lane, ranges in failed.delivered.items():
        if ranges.items:
            to.deliver(lane, ranges.items)
    for lane, jws in failed.receipts.items():
        to.receipt(lane, jws)
