"""The panel's disk in a simulated life: the real chain of records over a model of storage that loses what was not
synced.

Commits wait in a queue as bounded as `firmware.core.recorder`'s, and are written in transactions that take virtual
time. A crash leaves the transaction in flight whole or not at all, by the dice. A full disk first costs the reserve
file; when that is used up a journal in the run folder takes over, which a power cut takes away.
"""

import json
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import rules
from firmware.clock import Clock, utc_text
from firmware.core.delivery import JournalReader
from firmware.core.recorder import BATCH, LIMIT, RESERVE
from firmware.journal import ballast
from firmware.journal.chain import LOST_KIND
from firmware.journal.entries import Commit, Draft, Moment, Restored
from firmware.journal.journal import CHECKPOINT_MS, FLUSH_MS, RETURN_FIRST_MS
from firmware.journal.opening import begun
from firmware.protocol.jws import Signer
from firmware.protocol.stored import StoredRecord
from hil.life.clock import PanelClock
from hil.life.disk_volume import LifeReader, StandInSigner, Volume, terms_for
from hil.life.ground import Ground
from hil.life.happenings import Recorded
from hil.life.ports import Synced
from rules.effects import JsonValue, Record
from rules.state import PanelState
from rules.vocabulary import KINDS, Lane

SYNC_MS = (1, 12)
"""How long a transaction takes on a card that is well."""
ROW_BYTES = 300
"""About what SQLite takes for a row beside its header and payload."""
FULL = "full: database or disk is full; reserve given up"
SPENT = "full: database or disk is full"
NO_RESERVE = "full: no room for the reserve file"


@dataclass
class _Flight:
    """A transaction on its way to the disk: `seal` is the hourly checkpoint."""

    began: int
    ends: int
    ticket: int
    commits: tuple[Commit, ...]
    seal: bool = False


@dataclass(frozen=True)
class _Delivery:
    at: int
    journal: str
    lane: str
    ranges: tuple[tuple[int, int], ...]


class LifeDisk:
    """See the module; `hil.life.ports.Disk`."""

    def __init__(
        self,
        ground: Ground,
        clock: PanelClock,
        random: Random,
        encode: Callable[[object], bytes] | None = None,
        signer: Signer | None = None,
    ) -> None:
        """`encode` and `signer`: for tests that hold the model against a real journal."""
        self.storage_trouble = ""
        self.lost = 0
        self.reserve = ballast.BYTES
        self._clock = clock
        self._random = random
        self._terms = terms_for(ground.name, encode or _encode, signer or StandInSigner())
        self._volumes: list[Volume] = []
        self._reader = LifeReader(self._volumes)
        self._running = False
        self._waiting: deque[tuple[int, Commit]] = deque()
        self._flight: _Flight | None = None
        self._ticket = self._done = 0
        self._untold: list[StoredRecord] = []
        self._told_of: list[str] = []
        self._dropped: Counter[str] = Counter()
        self._dropped_ticket = 0
        self._dropped_state: object | None = None
        self._dropped_since = ""
        self._marks: list[_Delivery] = []
        self._full = False
        self._stalled = (0, 0)
        self._checkpoint_at = 0
        self._mend_at: int | None = None

    @property
    def reader(self) -> JournalReader:
        """Durable records only."""
        return self._reader

    @property
    def volumes(self) -> Sequence[Volume]:
        """The journals, oldest first, the one in use last: for tests."""
        return self._volumes

    # --- the start and the end

    def open(self, clock: Clock, at: int) -> Restored:
        """Chain on, or begin; the last durable state."""
        now = self._moment(at)
        trouble = ""
        if not self._volumes:
            volume = Volume(self._terms, self._new_id(), now)
            state, lived, cause = None, ("", 0, ""), "first"
            self._volumes.append(volume)
            self._tell(volume, volume.begin(begun(self._terms, "first", ""), now))
        else:
            volume = self._volumes[-1]
            state, lived = volume.state or None, volume.lived
            cause = "restart" if lived[0] == clock.boot() else "power-up"
            if volume.spare:
                trouble = "the disk failed in the last run"
        volume.session += 1
        self._running = True
        self._done = self._ticket
        self._checkpoint_at = at + CHECKPOINT_MS
        self.storage_trouble = trouble
        self._mend_at = None
        if volume.spare or self.reserve < ballast.BYTES:
            self.storage_trouble = trouble or NO_RESERVE
            if not self._full:
                self._mend_at = at
                self._mend(at)
        return Restored(state, *lived, volume.session, cause, trouble=trouble)

    def crash(self, at: int, power: bool) -> None:
        """What is in flight is whole or not there, by the dice; the rest of the queue is gone."""
        flight, self._flight = self._flight, None
        if flight is not None and self._random.random() < 0.5:
            self._land(flight)
        self._flush(at - FLUSH_MS)
        self._marks.clear()
        self._waiting.clear()
        self._forget_dropped()
        self._running = False
        self._done = self._ticket
        for volume in self._volumes:
            volume.forget()
        if power and any(v.spare for v in self._volumes):
            gone = {v.journal for v in self._volumes if v.spare}
            self._volumes[:] = [v for v in self._volumes if not v.spare]
            kept = [(r, j) for r, j in zip(self._untold, self._told_of, strict=True) if j not in gone]
            self._untold, self._told_of = [r for r, _ in kept], [j for _, j in kept]

    # --- writing

    def commit(self, records: Sequence[Record], state: PanelState | None, moment: Moment, at: int) -> int:
        """Into the queue; dropped, counted and recorded so when too many wait."""
        return self.submit(Commit(tuple(Draft(r.kind, r.payload, *moment) for r in records), state), at)

    def submit(self, commit: Commit, at: int) -> int:
        """`commit`, with the drafts as they are."""
        self._ticket += 1
        alarm = any(_lane(draft.kind) == Lane.ALARM for draft in commit.drafts)
        if len(self._waiting) >= LIMIT + (RESERVE if alarm else 0):
            for draft in commit.drafts:
                self._dropped[_lane(draft.kind)] += 1
                self._dropped_since = self._dropped_since or draft.time
            self.lost += len(commit.drafts)
            self._dropped_ticket = self._ticket
            if commit.state is not None:
                self._dropped_state = commit.state
        else:
            self._waiting.append((self._ticket, commit))
            if commit.state is not None:
                self._dropped_state = None
        if self._flight is None:
            self._take_off(at)
        return self._ticket

    def next_work(self) -> int | None:
        """The end of the sync, the hourly checkpoint, or the way back to the disk."""
        if not self._running:
            return None
        due = self._checkpoint_at if self._flight is None else self._flight.ends
        if self._untold:
            due = min(due, self._clock.now)
        return due if self._mend_at is None else min(due, self._mend_at)

    def work(self, at: int) -> Synced:
        """Syncs that have ended; what was not told yet."""
        if self._running:
            while (flight := self._flight) is not None and flight.ends <= at:
                self._flight = None
                self._land(flight)
                self._done = max(self._done, flight.ticket)
                self._take_off(flight.ends)
            if self._flight is None:
                self._take_off(at)
            self._mend(at)
        told = tuple(
            Recorded(at, journal, r.seq, r.lane, _kind(r.header), json.loads(r.payload or b"null"))
            for r, journal in zip(self._untold, self._told_of, strict=True)
        )
        self._untold.clear()
        self._told_of.clear()
        return Synced(self._done, told)

    def tick(self, moment: Moment, at: int) -> None:
        """The state was still in force at this moment, unless the disk hung then."""
        volume = self._volumes[-1] if self._volumes else None
        if volume is None or self._hung(at) or (self._full and self.reserve <= 0 and not volume.spare):
            return
        if self._flight is not None and self._flight.began <= at:
            return
        if moment.boot == volume.lived[0] and moment.monotonic_ms > volume.lived[1]:
            volume.write([Commit(())], moment)

    def _take_off(self, at: int) -> None:
        """Begin the next transaction, when there is one."""
        waiting = self._waiting
        batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
        if not waiting and self._dropped_ticket:
            batch.append(self._loss(at))
        seal = not batch and at >= self._checkpoint_at
        if batch or seal:
            ends = max(at, self._stalled[1]) + self._random.randint(*SYNC_MS)
            ticket = max((ticket for ticket, _ in batch), default=self._done)
            self._flight = _Flight(at, ends, ticket, tuple(commit for _, commit in batch), seal)
        if seal:
            self._checkpoint_at = at + CHECKPOINT_MS

    def _land(self, flight: _Flight) -> None:
        """The transaction is on the disk, or in the next best place."""
        volume = self._volumes[-1]
        moment = self._moment(flight.began)
        if self._full and not volume.spare:
            if self.reserve <= 0:
                volume = self._fall_back(volume, moment)
            elif self.reserve == ballast.BYTES:
                self.storage_trouble = FULL
        records = volume.seal(moment) if flight.seal else self._write(volume, flight.commits, moment)
        if self._full and not volume.spare:
            self.reserve -= sum(r.size() + ROW_BYTES for r in records) + 1
        self._tell(volume, records)
        self._flush(flight.began)

    def _write(self, volume: Volume, commits: Sequence[Commit], moment: Moment) -> list[StoredRecord]:
        """Together, else one by one as the recorder does it; one that can't be written at all is recorded as lost."""
        try:
            return volume.write(commits, moment)
        except (ValueError, TypeError):
            records: list[StoredRecord] = []
            for commit in commits:
                try:
                    records += volume.write([commit], moment)
                except (ValueError, TypeError):
                    self.lost += len(commit.drafts)
                    lanes = Counter(_lane(draft.kind) for draft in commit.drafts)
                    kinds = ", ".join(draft.kind for draft in commit.drafts)
                    payload: dict[str, JsonValue] = {
                        "reason": "unwritable",
                        "lanes": dict(sorted(lanes.items())),
                        "kinds": kinds[:200],
                    }
                    lost = Draft(LOST_KIND, payload, *moment)
                    records += volume.write([replace(commit, drafts=(lost,))], moment)
            return records

    def _loss(self, at: int) -> tuple[int, Commit]:
        drafts: tuple[Draft, ...] = ()
        now = self._moment(at)
        if self._dropped:
            lanes: dict[str, JsonValue] = dict(sorted(self._dropped.items()))
            payload: dict[str, JsonValue] = {"reason": "queue", "lanes": lanes, "since": self._dropped_since}
            drafts = (Draft(LOST_KIND, payload, *now),)
        found = (self._dropped_ticket, Commit(drafts, self._dropped_state))
        self._forget_dropped()
        return found

    def _forget_dropped(self) -> None:
        self._dropped.clear()
        self._dropped_ticket, self._dropped_state, self._dropped_since = 0, None, ""

    def _tell(self, volume: Volume, records: Sequence[StoredRecord]) -> None:
        self._untold += records
        self._told_of += [volume.journal] * len(records)

    # --- delivery marks

    def mark_delivered(self, journal: str, lane: str, ranges: list[tuple[int, int]], receipt: str) -> None:
        """Counts at once, is on disk with the next transaction or a second later."""
        del receipt
        now = self._clock.now
        self._flush(now - FLUSH_MS)
        for volume in self._volumes:
            if volume.journal == journal:
                volume.deliver(lane, ranges)
                self._marks.append(_Delivery(now, journal, lane, tuple(ranges)))

    def _flush(self, before: int) -> None:
        """Delivery marks up to that moment are on disk, but those that hang."""
        by_id = {volume.journal: volume for volume in self._volumes}
        late = []
        for mark in self._marks:
            if mark.at > before or (self._hung(mark.at + FLUSH_MS) and self._stalled[1] > before + FLUSH_MS):
                late.append(mark)
            elif mark.journal in by_id:
                by_id[mark.journal].flush(mark.lane, mark.ranges)
        self._marks = late

    # --- trouble

    def fill(self, full: bool, at: int) -> None:
        """No room from now on: the next write finds out. Room again: found within ten seconds."""
        self._full = full
        if not full and (self.storage_trouble or self.reserve < ballast.BYTES):
            self._mend_at = at + self._random.randint(0, RETURN_FIRST_MS)
        elif full:
            self._mend_at = None

    def stall(self, until: int, at: int) -> None:
        """No sync ends before then."""
        began = min(at, self._stalled[0]) if self._stalled[1] > at else at
        self._stalled = (began, max(until, self._stalled[1]))
        if self._flight is not None:
            self._flight.ends = max(self._flight.ends, until)

    def _hung(self, at: int) -> bool:
        return self._stalled[0] <= at < self._stalled[1]

    def _fall_back(self, failed: Volume, moment: Moment) -> Volume:
        last: dict[str, JsonValue] = {"journal": failed.journal, "seq": failed.tip.seq, "hash": failed.tip.hash}
        spare = Volume(self._terms, self._new_id(), moment, failed.state, spare=True)
        spare.session = failed.session
        self._volumes.append(spare)
        self._tell(spare, spare.begin(begun(self._terms, "storage", SPENT, last), moment))
        self.storage_trouble = SPENT
        return spare

    def _mend(self, at: int) -> None:
        """Back to the disk: the spare journal is copied there, the one before stays as an archive."""
        if self._mend_at is None or at < self._mend_at or self._flight is not None:
            return
        self._mend_at = None
        for volume in self._volumes:
            volume.spare = False
        self.reserve = ballast.BYTES
        self.storage_trouble = ""

    def _moment(self, at: int) -> Moment:
        clock = self._clock
        past = clock.now - at
        return Moment(utc_text(clock.utc() - past / 1000), clock.state(), clock.boot(), clock.monotonic_ms() - past)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def _encode(state: object) -> bytes:
    if not isinstance(state, PanelState):
        raise TypeError(f"a state is {type(state).__name__}, expected PanelState")
    return rules.encode(state)


def _lane(kind: str) -> str:
    found = KINDS.get(kind)
    return "status" if found is None else str(found.lane)


def _kind(header: bytes) -> str:
    """Cut out, not parsed: this runs once for each record of a life. Kinds are plain words (`rules.vocabulary`)."""
    return header.split(b'","kind":"', 1)[1].split(b'"', 1)[0].decode()
