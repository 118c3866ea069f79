"""The journal of a simulated panel over a model of storage: true records and hashes, and a card that loses what it had
not synced.

Real are the chain (`firmware.journal.chain`: numbers, headers, hashes, checkpoints), the delivery ranges and the limits
of the recorder. A model is what lies under them: a transaction takes time, is durable at the end of its sync, and at a
crash before that it is there as a whole or not at all. Signatures are a stand-in: no life ever checks one, and they
would cost more than all the rest. A full or hanging card makes nothing durable until it is well again; the spare
journal in the run folder, which the real one begins then, is left out (tests/firmware/journal shows it).
"""

import uuid
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, cast

import rules
from firmware.clock import Clock, utc_text
from firmware.core.recorder import BATCH, LIMIT, RESERVE
from firmware.journal.chain import BEGUN_KIND, LOST_KIND, Chain, Prepared
from firmware.journal.entries import LANES, Commit, Draft, Moment, Restored, Tip
from firmware.journal.journal import CHECKPOINT_MS, FLUSH_MS
from firmware.protocol.jws import Signer
from hil.life.clock import PanelClock
from hil.life.disk_reader import Shelf
from hil.life.ground import Ground
from hil.life.happenings import Recorded
from hil.life.ports import Synced
from rules.effects import JsonValue, Record
from rules.vocabulary import KINDS

SYNC_MS = (1, 12)
KEPT = 0.5
"""How often a transaction that was under way at a crash is there afterwards."""


class _StandIn:
    """Signs nothing."""

    def sign(self, typ: str, payload: Mapping[str, Any]) -> str:
        return f"{typ}:{payload.get('seq', 0)}"


class LifeDisk:
    """One panel's storage (`hil.life.ports.Disk`)."""

    def __init__(self, ground: Ground, clock: PanelClock, random: Random) -> None:
        self.storage_trouble = ""
        self.lost = 0
        """Records that found no room in the queue, and are recorded as lost."""
        self._random = random
        self._panel = ground.name
        self._journal = str(uuid.UUID(int=random.getrandbits(128), version=4))
        self.reader = Shelf(self._journal)
        self._chain = Chain(
            self._panel,
            self._journal,
            cast(Signer, _StandIn()),
            lambda state: rules.encode(cast("rules.PanelState", state)),
            lambda kind: KINDS[kind].lane.value,
            lambda kind: KINDS[kind].checkpoint,
        )
        self._tip = Tip()
        self._state: bytes | None = None
        self._lived = Moment("", "", "", 0)
        self._session = 0
        self._clock: Clock = clock
        self._waiting: deque[tuple[int, Commit]] = deque()
        self._writing: tuple[int, int, Prepared] | None = None
        self._ticket = self._done = 0
        self._dropped: Counter[str] = Counter()
        self._full = False
        self._stalled = 0
        self._late: list[Recorded] = []
        self._flush_at: int | None = None
        self._checkpoint_at: int | None = None

    # --- life

    def open(self, clock: Clock, at: int) -> Restored:
        """The panel starts; see `hil.life.ports.Disk`."""
        self._clock = clock
        self._session += 1
        self._checkpoint_at = at + CHECKPOINT_MS
        if self._state is None:
            begun: dict[str, JsonValue] = {"reason": "first"}
            if not self._tip.seq:
                self._queue(Commit((self._draft(BEGUN_KIND, begun),)), at)
            return Restored(None, clock.boot(), clock.monotonic_ms(), "", self._session, "first")
        lived = self._lived
        cause = "restart" if lived.boot == clock.boot() else "power-up"
        return Restored(self._state, lived.boot, lived.monotonic_ms, lived.time, self._session, cause)

    def _draft(self, kind: str, payload: Mapping[str, JsonValue]) -> Draft:
        clock = self._clock
        return Draft(kind, payload, utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())

    def crash(self, at: int, power: bool) -> None:
        """Killed in mid-sentence: what waits is gone; what was being written is there as a whole, or not at all."""
        del power  # a transaction under way may be lost by a kill too: it was never asked for again
        writing, self._writing = self._writing, None
        if writing is not None and not self._full and at >= self._stalled and self._random.random() < KEPT:
            self._late += self._adopt(writing[2], at)
        self._waiting.clear()
        self._dropped.clear()
        self._flush_at = self._checkpoint_at = None
        self.reader.forget()
        self._ticket = self._done = 0
        self.storage_trouble = "full" if self._full else ""

    def tick(self, moment: Moment, at: int) -> None:
        """This moment was lived through."""
        if self._state is not None and not self._full and at >= self._stalled and moment.boot == self._lived.boot:
            self._lived = moment

    # --- writing

    def commit(self, records: Sequence[Record], state: "rules.PanelState | None", moment: Moment, at: int) -> int:
        """Hand in the records of one step; its ticket."""
        drafts = tuple(Draft(record.kind, record.payload, *moment) for record in records)
        self._queue(Commit(drafts, state), at)
        return self._ticket

    def _queue(self, commit: Commit, at: int) -> None:
        """The recorder's queue: alarms have a reserve, and what finds no room is counted and recorded as lost."""
        self._ticket += 1
        lanes = [KINDS[draft.kind].lane.value for draft in commit.drafts]
        if len(self._waiting) >= LIMIT + (RESERVE if "alarm" in lanes else 0):
            self._dropped.update(lanes)
            self.lost += len(lanes)
            return
        self._waiting.append((self._ticket, commit))
        self._begin(at)

    def _begin(self, at: int) -> None:
        """Write what waits, many in one transaction, if the card is free."""
        if self._writing is not None or self._full or not (self._waiting or self._dropped):
            return
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        commits = [commit for _, commit in batch]
        if not self._waiting and self._dropped:
            payload: dict[str, JsonValue] = {"reason": "queue", "lanes": dict(sorted(self._dropped.items()))}
            commits.append(Commit((self._draft(LOST_KIND, payload),)))
            self._dropped.clear()
        ticket = max((ticket for ticket, _ in batch), default=self._ticket)
        ends = max(at, self._stalled) + self._random.randint(*SYNC_MS)
        self._writing = (ends, ticket, self._chain.prepare(self._tip, commits))

    def next_work(self) -> int | None:
        """When a sync ends, delivery ranges are written, or the hourly checkpoint is due."""
        moments = [self._writing[0] if self._writing else None, None if self._full else self._flush_at]
        moments.append(None if self._full else self._checkpoint_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def work(self, at: int) -> Synced:
        """Do what is due by now."""
        records, self._late = self._late, []
        if self._checkpoint_at is not None and self._checkpoint_at <= at and not self._full:
            self._checkpoint_at = at + CHECKPOINT_MS
            draft = self._chain.checkpoint(self._tip, self._moment())
            if self._writing is None:
                self._waiting.appendleft((self._ticket, Commit((draft,))))
                self._begin(at)
        while self._writing is not None and self._writing[0] <= at:
            ends, ticket, prepared = self._writing
            self._writing = None
            records += self._adopt(prepared, ends)
            self._done = max(self._done, ticket)
            self._begin(ends)
        if self._flush_at is not None and self._flush_at <= at and not self._full:
            self.reader.flush()
            self._flush_at = None
        return Synced(self._done, tuple(records))

    def _moment(self) -> Moment:
        draft = self._draft(BEGUN_KIND, {})
        return Moment(draft.time, draft.clock, draft.boot, draft.monotonic_ms)

    def _adopt(self, prepared: Prepared, at: int) -> list[Recorded]:
        """A transaction is durable, and the delivery ranges that went with it."""
        self._tip = prepared.tip
        if prepared.state is not None and prepared.moment is not None:
            self._state = prepared.state
            moment = prepared.moment
            self._lived = Moment(moment.time, moment.clock, moment.boot, moment.monotonic_ms)
        self.reader.add(prepared.rows)
        self.reader.flush()
        self._flush_at = None
        return [Recorded(at, self._journal, *self.reader.told(row)) for row in prepared.rows]

    # --- delivery and faults

    def mark_delivered(self, journal: str, lane: str, ranges: list[tuple[int, int]], receipt: str) -> None:
        """The center holds these; written with the next transaction, or within a second."""
        del receipt
        if journal == self._journal and lane in LANES:
            self.reader.deliver(lane, ranges)
            if self._flush_at is None:
                now = cast(PanelClock, self._clock).now
                self._flush_at = now + FLUSH_MS

    def fill(self, full: bool, at: int) -> None:
        """The card takes nothing more, or has room again. What was being written then is written again."""
        self._full = full
        self.storage_trouble = "full" if full else ""
        if self._writing is not None:
            _, ticket, prepared = self._writing
            ends = at + self._random.randint(*SYNC_MS)
            self._writing = (2**62 if full else ends, ticket, prepared)
        self._begin(at)

    def stall(self, until: int, at: int) -> None:
        """The card hangs: no sync ends before `until`."""
        del at
        self._stalled = max(self._stalled, until)
        if self._writing is not None and self._writing[0] < until:
            self._writing = (until, *self._writing[1:])
