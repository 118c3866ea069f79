"""The journal of a simulated panel: the real journal and the real recorder over a model of storage.

Real is all of `firmware.journal` (chain, checks at the opening, checkpoints, delivery ranges, the reserve file, the
spare journal in the run folder and the way back, retention) and of `firmware.core.recorder` (queue, limits, batches,
what is lost). A model is what lies under them, `hil.life.storage`: a transaction takes time, and is durable at the end
of its sync. The panel's key is a stand-in (`hil.life.quick_key`). What a card does to its bits is left out: nothing
ever reads back wrong here (tests/firmware/journal/test_corrupt.py).
"""

import json
import shutil
import tempfile
import uuid
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from random import Random
from typing import cast

import rules
from firmware.clock import Clock, utc_text
from firmware.core.delivery import JournalReader
from firmware.journal import Commit, Draft, Journal, Mark
from firmware.journal.archive import Volume
from firmware.journal.entries import Moment, Restored
from firmware.journal.journal import CHECKPOINT_MS, FLUSH_MS
from firmware.journal.reader import Reader
from firmware.protocol.stored import StoredRecord
from hil.life.clock import PanelClock
from hil.life.ground import Ground
from hil.life.happenings import Recorded
from hil.life.ports import Synced
from hil.life.quick_key import quick_signer
from hil.life.statements import connect_to
from hil.life.storage import Gone, Storage
from hil.life.turned_recorder import Batch, TurnedRecorder
from rules.effects import Record
from rules.vocabulary import KINDS

SIGNER = quick_signer(b"panel")
SYNC_MS = (1, 12)
SLOW_SYNC_MS = (20, 900)
SLOW = 0.01
PRUNE_MS = 3_600_000
RETENTION_S = 400 * 86_400
"""What the panel file says where it says nothing."""
TROUBLED_MS = 5_000
"""How often the recorder's turn is simulated while storage is in trouble; the real one has two a second."""
_SHM = Path("/dev/shm")  # noqa: S108 - names only; hundreds of lives should not wear the machine's disk


@dataclass(frozen=True)
class Writing:
    """A transaction under way."""

    began: int
    ends: int
    batch: Batch


class PastClock:
    """The panel's clock, or a moment `ago` milliseconds before (`firmware.clock.Clock`)."""

    def __init__(self, clock: Clock) -> None:
        self.ago = 0
        self._clock = clock
        self.state, self.boot, self.wait_s = clock.state, clock.boot, clock.wait_s
        self.served, self.vouch, self.suspect = clock.served, clock.vouch, clock.suspect

    def monotonic_ms(self) -> int:
        return self._clock.monotonic_ms() - self.ago

    def utc(self) -> float:
        return self._clock.utc() - self.ago / 1000


class RealDisk:
    """One panel's storage (`hil.life.ports.Disk`)."""

    def __init__(self, ground: Ground, clock: PanelClock, random: Random) -> None:
        self.storage_trouble = ""
        self.lost = 0
        """Records that found no room in the queue, and are recorded as lost."""
        self._panel = ground.name
        self._world = clock
        self._clock = PastClock(clock)
        self._random = random
        folder = tempfile.mkdtemp(prefix="fenghuo-life-", dir=_SHM if _SHM.is_dir() else None)
        Finalize(self, shutil.rmtree, (folder, True), exitpriority=0)  # also in a child of multiprocessing
        self.storage = Storage(Path(folder), random)
        self._journal: Journal | None = None
        self._recorder: TurnedRecorder | None = None
        self._reader: Reader | None = None
        self._writing: Writing | None = None
        self._known: dict[str, int] = {}
        """Journal → its last record that was told."""
        self._troubles: deque[str] = deque()
        self._durable: list[Recorded] = []
        self._in_use = ""
        self._ticket = 0
        self._written_at = 0
        self._stalled = 0
        self._now_due = False
        self._flush_at: int | None = None
        self._tend_at = self._prune_at = self._checkpoint_at = 0

    # --- life

    def open(self, clock: Clock, at: int) -> Restored:
        """The panel starts; see `hil.life.ports.Disk`."""
        self._clock = PastClock(clock)
        journal = Journal.open(
            self.storage.data,
            self.storage.run,
            self._panel,
            SIGNER,
            self._clock,
            lambda state: rules.encode(cast("rules.PanelState", state)),
            lambda kind: KINDS[kind].lane.value,
            lambda kind: KINDS[kind].checkpoint,
            connect_to(self.storage),
            self.storage.free,
            lambda: str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
        )
        self._journal = journal
        self._recorder = TurnedRecorder(journal, self._clock, self._on_durable, self._troubles.append)
        self._reader = journal.reader()
        self.storage_trouble = journal.storage_trouble
        self._ticket = 0
        self._prune_at = at + PRUNE_MS
        self._checkpoint_at = at + CHECKPOINT_MS
        self._flush_at = None
        self._look_after(at)
        self._in_use = ""
        self._collect(at)
        self._now_due = True
        return journal.restored

    @property
    def reader(self) -> JournalReader:
        """The real reader of the journals, until the next crash."""
        assert self._reader is not None, "the panel is dark"  # noqa: S101
        return self._reader

    def crash(self, at: int, power: bool) -> None:
        """Killed in mid-sentence; see `hil.life.ports.Disk`."""
        writing, self._writing = self._writing, None
        if self._recorder is not None:
            self.lost += self._recorder.lost
            # In its first moment a commit may be written already or not; after that it waits for the sync only.
            if writing is not None and (at > writing.began or self._random.random() < 0.5):
                self.storage.dying = True
                with suppress(Gone):
                    self._recorder.write(writing.batch)
        self.storage.crash(power)
        self._journal = self._recorder = self._reader = None
        self._durable.clear()
        self._troubles.clear()
        self._now_due = False

    def tick(self, moment: Moment, at: int) -> None:
        """This moment was lived through; see `hil.life.ports.Disk`. It may lie before what is being written."""
        free = self._writing is None or at <= self._writing.began
        if self._journal is not None and free and at >= self._stalled:
            self._clock.ago = self._clock.monotonic_ms() - moment.monotonic_ms
            self._journal.tick(None)
            self._clock.ago = 0

    # --- writing

    def commit(self, records: Sequence[Record], state: "rules.PanelState | None", moment: Moment, at: int) -> int:
        """Hand in the records of one step; its ticket."""
        assert self._recorder is not None, "the panel is dark"  # noqa: S101 - who writes then is the life's mistake
        drafts = tuple(Draft(record.kind, record.payload, *moment) for record in records)
        ticket = self._recorder.submit(Commit(drafts, state))
        self._begin(at)
        return ticket

    def _begin(self, at: int) -> None:
        """Write what waits, many in one transaction, if the card is free."""
        if self._writing is None and self._recorder is not None and self._recorder.waits():
            ends = max(at, self._stalled) + self._sync_ms()
            self._writing = Writing(at, ends, self._recorder.take())

    def _sync_ms(self) -> int:
        return self._random.randint(*(SLOW_SYNC_MS if self._random.random() < SLOW else SYNC_MS))

    def next_work(self) -> int | None:
        """When a sync ends, or the journal wants to be tended."""
        if self._recorder is None:
            return None
        if self._now_due:
            return self._world.now
        return self._writing.ends if self._writing is not None else self._tend_at

    def work(self, at: int) -> Synced:
        """Do what is due by now."""
        while (writing := self._writing) is not None and writing.ends <= at:
            self._writing = None
            self._write(writing.batch, writing.ends)
        if self._writing is None and self._tend_at <= at and self._recorder is not None:
            self._write([], at)
        if self._troubles:
            self.storage_trouble = self._troubles.popleft()
        self._now_due = bool(self._troubles)  # each is told, also one that ended at once
        records, self._durable = self._durable, []
        return Synced(self._ticket, tuple(records))

    def _write(self, batch: Batch, at: int) -> None:
        """The card has taken it all, or says why not."""
        assert self._recorder is not None and self._journal is not None  # noqa: S101, PT018
        if at >= self._prune_at:
            self._prune_at = at + PRUNE_MS
            if self._clock.state() != "unset":
                self._journal.prune(utc_text(self._clock.utc() - RETENTION_S))
        self._written_at = at
        self._recorder.write(batch)
        self._collect(at)
        self._look_after(at)
        self._begin(at)

    def _look_after(self, at: int) -> None:
        """When the journal wants its next turn, if nothing is written before."""
        assert self._journal is not None  # noqa: S101
        if at >= self._checkpoint_at:
            # The journal counts on the boot clock: it may be due a moment later than here.
            done = not self._journal.checkpoint_due(self._clock.monotonic_ms())
            self._checkpoint_at = at + (CHECKPOINT_MS if done else FLUSH_MS)
        moments = [self._checkpoint_at, self._prune_at]
        if self._flush_at is not None:
            self._flush_at = self._flush_at if at < self._flush_at else None
            moments += [self._flush_at] if self._flush_at is not None else []
        if self._journal.storage_trouble:
            moments.append(at + TROUBLED_MS)
        self._tend_at = max(min(moments), self._stalled)

    # --- what is durable

    def _on_durable(self, ticket: int, _mark: Mark) -> None:
        self._ticket = ticket
        self._collect(self._written_at)  # before the same turn may fall back to another journal

    def _collect(self, at: int) -> None:
        """Note what became durable in the journal in use."""
        assert self._journal is not None and self._reader is not None  # noqa: S101, PT018
        mark = self._journal.mark()
        if mark.journal != self._in_use:
            # At a start, and after a fall-back: what stands in the ones before, though their writer was told it failed.
            self._in_use = mark.journal
            for volume in self._journal.shelf[:-1]:
                self._collect_older(volume, at)
        while (known := self._known.get(mark.journal, 0)) < mark.seq:
            records = self._reader.after(known)
            assert records, f"delivery does not see {mark.journal} beyond {known}"  # noqa: S101
            self._note(mark.journal, records, at)

    def _collect_older(self, volume: Volume, at: int) -> None:
        """What became durable in a journal that is no longer written, and was not told."""
        rows = self.storage.rows_after(volume.uri, self._known.get(volume.journal, 0))
        self._note(volume.journal, [StoredRecord(*row) for row in rows], at)

    def _note(self, journal: str, records: Sequence[StoredRecord], at: int) -> None:
        for record in records:
            header = record.header
            kind = header[header.index(b'"kind":"') + 8 :].split(b'"', 1)[0].decode()
            payload = json.loads(record.payload or b"null")
            self._durable.append(Recorded(at, journal, record.seq, record.lane, kind, payload))
            self._known[journal] = record.seq

    # --- delivery and faults

    def mark_delivered(self, journal: str, lane: str, ranges: list[tuple[int, int]], receipt: str) -> None:
        """The center holds these; written with the next transaction, or within a second."""
        if self._recorder is not None:
            self._recorder.mark_delivered(journal, lane, ranges, receipt)
            if self._flush_at is None:
                self._flush_at = self._world.now + FLUSH_MS
                self._tend_at = max(self._stalled, min(self._tend_at, self._flush_at))
            if self._writing is None:
                self._recorder.keep_delivered()

    def fill(self, full: bool, at: int) -> None:
        """The card takes nothing more from now on but what the reserve file holds, or has room again."""
        del at
        self.storage.fill(full)

    def stall(self, until: int, at: int) -> None:
        """The card hangs: no sync ends before `until`."""
        del at
        self._stalled = max(self._stalled, until)
        self._tend_at = max(self._tend_at, self._stalled)
        if self._writing is not None and self._writing.ends < until:
            self._writing = Writing(self._writing.began, until + self._sync_ms(), self._writing.batch)
