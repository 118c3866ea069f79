"""Delivery over one path, free of I/O, clock and threads: messages and moments in, messages out, like h11.

1. The journal is the queue: only numbers are held here, and records only for as long as one call takes.
2. One pull at a time, for the highest lane that has something to send; in a lane live, then overdue, then stored.
   Of the alarms that waited the newest go first: what happened a minute ago is not behind those of last month.
3. What was sent stays in its lane's window until core says `Delivered`. Unreceipted it is pulled and sent again, after
   a new connection all of it at once. Duplicates do no harm: identity is (panel, journal, seq).
4. A session starts clean, on purpose: a receipt that was lost is asked for again, and a late command must not count.
5. Nothing is published before `Opened` or after `Disconnect`. Publishes in flight are bounded; the alarm lane has its
   own bound, so it never waits for those of the others.
6. Only the lanes of its duty are pulled (`routing.py`); a path without the status lane proves itself (`proof.py`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from firmware.protocol import topics
from firmware.protocol.envelope import Link
from firmware.protocol.messages import (
    MAX_BATCH_BYTES,
    MAX_BATCH_RECORDS,
    Beat,
    Delivered,
    Error,
    Head,
    Path,
    Pull,
    Renewal,
    ReplyOut,
    State,
    TakenOver,
    Telemetry,
    Welcome,
)
from firmware.protocol.records import Record
from firmware.uplink.backoff import Backoff
from firmware.uplink.events import (
    Acked,
    Closed,
    Connect,
    CoreLost,
    Disconnect,
    Duty,
    Input,
    Opened,
    Output,
    Publish,
    Pulled,
    Received,
    Stop,
    Switch,
    Switched,
)
from firmware.uplink.flying import LANES, Flying
from firmware.uplink.gate import Gate
from firmware.uplink.latencies import Latencies
from firmware.uplink.outbox import JSON_TYPE, Letter, Outbox
from firmware.uplink.packing import encode, pack
from firmware.uplink.proof import LANE as PROOF_LANE
from firmware.uplink.proof import Proof
from firmware.uplink.streams import URGENCY, Origin, Stream, Why
from firmware.uplink.supervision import Supervision
from firmware.uplink.suspicion import Suspicion

ALL_LANES = frozenset({*LANES, "telemetry"})
EVIDENCE_PULL = 4
"""Evidence travels one by one, with thumbnails: so few at a time."""
OPEN_WITHIN_MS = 30_000
FRESH_ALARMS = MAX_BATCH_RECORDS
"""So many of the newest alarms that waited go before older ones: one batch."""
DOUBT_MS = 5_000
"""An alarm that has not left for so long: a line may be cut though nothing has ended. Alarms go by another path too."""

Phase = Literal["idle", "connecting", "open", "closing", "stopped"]


@dataclass(frozen=True)
class Settings:
    """Of one path, from the panel file. `window`: records of a lane that may wait for their receipt.

    `link`: the words of its `link` topic. `boot`: id of this boot, for latencies. `proof_ms`: how often it proves
    itself while it carries nothing.
    """

    panel: str
    path: str
    link: tuple[str, ...] = ("link",)
    boot: str = ""
    proof_ms: int = 3_600_000
    receipt_timeout_ms: int = 10_000
    path_fault_ms: int = 60_000
    window: int = 1024
    backoff_base_ms: int = 1_000
    backoff_cap_ms: int = 60_000


@dataclass
class Asked:
    """The pull that core has not answered yet. `stale`: its answer no longer counts."""

    pull: Pull
    why: Why
    stale: bool = False


class Delivery:
    """The delivery logic of one path. `feed` it everything, in order; do what it returns, in order."""

    def __init__(self, settings: Settings, random: Random) -> None:
        self.phase: Phase = "idle"
        self.gate = Gate(settings.path)
        self.outbox = Outbox(settings.panel)
        self.supervision = Supervision(settings.path, settings.path_fault_ms)
        self.counts: Counter[str] = Counter()
        """Records `published` and sent `again`; publishes `refused` by the broker; `pull-refused`, `answer-unused`."""
        self._settings = settings
        self._duty = ALL_LANES
        self._latencies = Latencies(settings.path)
        self._proof = Proof(settings.proof_ms, settings.receipt_timeout_ms, settings.path_fault_ms)
        self._backoff = Backoff(random, settings.backoff_base_ms, settings.backoff_cap_ms)
        self._suspicion = Suspicion()
        self._welcome: Welcome | None = None
        self._heads: Head | None = None
        self._streams: dict[tuple[str, str], Stream] = {}
        self._asked: Asked | None = None
        self._flying = Flying()
        self._connection = 0
        self._order = [0, 0, 0]
        self._connect_at: int | None = None
        self._open_by: int | None = None
        self._refused_here = self._doubted = False
        self._batch_records = MAX_BATCH_RECORDS
        self._out: list[Output] = []

    def feed(self, event: Input, now_ms: int) -> list[Output]:
        """Take one input at a monotonic moment; returns what to do now, in this order."""
        if self.phase != "stopped":
            self._take(event, now_ms)
            self._time(now_ms)
            self._pump(now_ms)
        out, self._out = self._out, []
        return out

    def next_deadline(self) -> int | None:
        """When to feed a `Tick` if nothing else comes first (monotonic ms)."""
        moments = [self._connect_at if self._welcome else None, self._open_by, self.supervision.next_deadline()]
        moments.append(self._latencies.next_deadline() if self._welcome else None)
        if self.phase == "open":
            moments += [
                None if self._doubted else self._doubt_at(),
                self._ack_deadline(),
                self._proof.next_deadline(self._asked is not None),
            ]
            if self._asked is None:
                open_lanes = self._open_lanes()
                moments.extend(stream.next_due() for (_, lane), stream in self._streams.items() if lane in open_lanes)
        return min((moment for moment in moments if moment is not None), default=None)

    def unreceipted(self) -> int:
        """How many records are sent and wait for their receipt."""
        return sum(len(stream.flights) for stream in self._streams.values())

    @property
    def works(self) -> bool:
        """Whether it is open, and neither failed nor in doubt: it may carry records."""
        return self.phase == "open" and self.supervision.up is not False and not self._doubted

    # --- inputs --------------------------------------------------------------------------------

    def _take(self, event: Input, now_ms: int) -> None:
        match event:
            case Pulled():
                self._pulled(event, now_ms)
            case Acked():
                self._acked(event)
            case Delivered():
                self._delivered(event, now_ms)
            case Received():
                self._received(event, now_ms)
            case Head():
                self._head(event)
            case Telemetry() if "telemetry" not in self._duty:
                pass
            case Renewal() if event.path != self._settings.path:
                pass
            case Beat() | State() | ReplyOut() | Renewal() | Telemetry():
                self.outbox.put(event)
            case Duty():
                self._assigned(event.lanes, now_ms)
            case Opened():
                self._opened(event, now_ms)
            case Closed():
                self._closed(event, now_ms)
            case Switch() if self.phase == "open" and self._welcome:
                self._out.append(self._connect_order(self._welcome, beside=True))
            case Switched():
                self._switched(event, now_ms)
            case Welcome() | CoreLost():
                self._core_changed(event if isinstance(event, Welcome) else None, now_ms)
            case Error():
                self._not_answered()
            case Stop():
                self._stop(event, now_ms)

    def _core_changed(self, welcome: Welcome | None, now_ms: int) -> None:
        self._streams = {}
        self._heads = self._asked = None
        self._welcome = welcome
        self.supervision.outstanding(False, False, now_ms)
        if welcome is None:
            return
        self.supervision.started(now_ms)
        self._tell(self.supervision.message())
        if self.phase == "idle" and self._connect_at is None:
            self._connect_at = now_ms + self._backoff.pause_ms()

    def _not_answered(self) -> None:
        """Core refused the pull: leave that stream alone until its head moves."""
        asked, self._asked = self._asked, None
        if asked and not asked.stale and (stream := self._streams.get((asked.pull.journal, asked.pull.lane))):
            self.counts["pull-refused"] += 1
            if asked.why != "proof":
                stream.stick()

    def _assigned(self, lanes: frozenset[str], now_ms: int) -> None:
        """What it carries anew starts from what waits; what it no longer carries, another path sends."""
        changed, self._duty = lanes ^ self._duty, lanes
        if self._heads is None or self.phase != "open":
            return
        for key, first, last in _lanes_of(self._heads):
            if key[1] in changed:
                self._streams[key] = self._waited(key, first, last)
        if self._asked and self._asked.pull.lane in changed:
            self._asked.stale = True
        self.supervision.outstanding(bool(self.unreceipted()), False, now_ms)

    def _opened(self, event: Opened, now_ms: int) -> None:
        if self.phase != "connecting":
            return
        self.phase = "open"
        self._open_by = None
        self._refused_here = False
        self.supervision.opened()
        self.gate.opened()
        self.outbox.opened()
        self._publish(self._link(True, event.time), now_ms)
        self._restart_streams()

    def _closed(self, event: Closed, now_ms: int) -> None:
        if self.phase == "idle":
            return
        if self.supervision.up_since is not None:
            self._backoff.worked(now_ms - self.supervision.up_since)
        self._tell(self.supervision.lost(event.reason, event.refused, now_ms))
        suspected = self._suspicion.ended(self.phase == "open", event.hung_up, now_ms)
        if (event.taken_over or suspected) and self._welcome:
            self._out.append(TakenOver(path=self._settings.path, sure=event.taken_over))
        self.phase = "idle"
        self._open_by = None
        self._flying.clear()
        self._proof.wanted(False, now_ms)
        self._streams = {}
        if self._asked:
            self._asked.stale = True
        self._connect_at = now_ms + self._backoff.pause_ms()

    def _switched(self, event: Switched, now_ms: int) -> None:
        """Another connection is in the first one's place: the path was never down, but what was under way goes anew."""
        if self.phase != "open":
            return
        self._flying.clear()
        self.gate.opened()
        self.outbox.opened()
        self._publish(self._link(True, event.time), now_ms)
        self._restart_streams()

    def _stop(self, event: Stop, now_ms: int) -> None:
        if self.phase == "open":
            self._publish(self._link(False, event.time), now_ms)
        if self.phase in ("open", "connecting"):
            self._out.append(Disconnect("stopping", graceful=True))
        self.phase = "stopped"
        self._connect_at = self._open_by = None

    def _head(self, head: Head) -> None:
        first_of_core = self._heads is None
        self._heads = head
        if self.phase != "open":
            return
        if first_of_core:
            self._restart_streams()
            return
        known, self._streams = self._streams, {}
        for key, first, last in _lanes_of(head):
            stream = known.get(key) or Stream(first, last, self._settings.window, live=True)
            stream.head(first, last)
            self._streams[key] = stream

    def _restart_streams(self) -> None:
        """All that is not delivered now is stored; what comes after is live."""
        if self._asked:
            self._asked.stale = True
        lanes = _lanes_of(self._heads) if self._heads else []
        self._streams = {key: self._waited(key, first, last) for key, first, last in lanes}

    def _waited(self, key: tuple[str, str], first: int, last: int) -> Stream:
        """A lane that waited for this connection."""
        newest = self._heads.journals[-1].journal if self._heads else ""
        fresh = FRESH_ALARMS if key == (newest, "alarm") else 0
        return Stream(first, last, self._settings.window, live=False, fresh=fresh)

    def _pulled(self, event: Pulled, now_ms: int) -> None:
        asked, self._asked = self._asked, None
        answer = event.records
        stream = self._streams.get((answer.journal, answer.lane))
        if stream is None or asked is None or asked.stale or asked.pull.journal != answer.journal:
            self.counts["answer-unused"] += 1
            return
        if asked.why == "proof":
            self._prove(answer.records, now_ms)
            return
        stream.answered(asked.why, asked.pull.first, answer.next, [r.header.lane_seq for r in answer.records])
        origins = {record.header.lane_seq: self._origin(record) for record in answer.records}
        parcels = pack(answer.records, asked.why != "live", event.thumbnails)
        if parcels and answer.lane != "evidence":
            # Ask for about as many as fill one batch, not for one batch and a bit.
            each = sum(len(parcel.payload) for parcel in parcels) // len(answer.records) + 1
            self._batch_records = max(1, min(MAX_BATCH_RECORDS, MAX_BATCH_BYTES // each))
        for parcel in parcels:
            letter = Letter(answer.lane, (parcel.word, answer.lane), parcel.payload, parcel.content_type)
            self._publish(letter, now_ms)
            stream.sent(parcel.numbers, now_ms, self._settings.receipt_timeout_ms, origins)
            self.counts["again" if asked.why == "again" else "published"] += len(parcel.numbers)
            self.gate.published()
        self.supervision.outstanding(bool(self.unreceipted()), False, now_ms)

    def _prove(self, records: Sequence[Record], now_ms: int) -> None:
        """Send a delivered record of the status lane once more; where there is none, the connection has to do."""
        if not records:
            self._proof.nothing(now_ms)
        for parcel in pack(records, True, {}):
            letter = Letter(PROOF_LANE, (parcel.word, PROOF_LANE), parcel.payload, parcel.content_type)
            self._publish(letter, now_ms)
            self._proof.sent(now_ms)
            self.counts["proofs"] += 1
            self.gate.published()

    def _origin(self, record: Record) -> Origin:
        header = record.header
        return Origin(header.seq, header.monotonic_ms if header.boot == self._settings.boot else None)

    def _acked(self, event: Acked) -> None:
        if self._flying.left(event.token) and event.failure:
            self.counts["refused"] += 1
            self._refused_here = True
            self._tell(self.supervision.failed(f"the broker refused a publish: {event.failure}"))

    def _delivered(self, event: Delivered, now_ms: int) -> None:
        mine = event.path == self._settings.path
        stream = self._streams.get((event.journal, event.lane))
        for first, last in event.ranges if stream else ():
            for flight in stream.delivered(first, last) if stream else ():
                if mine and flight.origin:
                    record = f"{event.journal}-{flight.origin.seq}"
                    self._latencies.delivered(event.lane, record, flight.origin.recorded_ms, flight.first_ms, now_ms)
        if self.phase == "open":
            self.supervision.outstanding(bool(self.unreceipted()), mine, now_ms)
            if mine:
                self._refused_here = False
                self._proof.receipted(now_ms)
                self._tell(self.supervision.worked(now_ms))

    def _received(self, event: Received, now_ms: int) -> None:
        if self.phase != "open" or self._welcome is None:
            return
        message = self.gate.check(event.word, event.payload, now_ms)
        if message:
            self._out.append(message)
        elif self.gate.flooded():
            self._fault("flooded by the broker")

    # --- time ----------------------------------------------------------------------------------

    def _time(self, now_ms: int) -> None:
        self._tell(self.supervision.passed(now_ms))
        if self._welcome:
            self._out += self._latencies.messages(now_ms)
        if self.phase == "open":
            self._proof.wanted(self._heads is not None and PROOF_LANE not in self._duty, now_ms)
            self._check_open(now_ms)
        if self._open_by is not None and now_ms >= self._open_by:
            self._give_up("the broker did not answer")
        if self.phase == "idle" and self._welcome and self._connect_at is not None and now_ms >= self._connect_at:
            self._connect(self._welcome, now_ms)

    def _doubt_at(self) -> int | None:
        oldest = self._flying.oldest_ms("alarm")
        return None if oldest is None else oldest + DOUBT_MS

    def _check_open(self, now_ms: int) -> None:
        doubt_at = self._doubt_at()
        self._doubted = doubt_at is not None and now_ms >= doubt_at
        ack_by = self._ack_deadline()
        if self.supervision.overdue(now_ms) or self._proof.failed(now_ms):
            self._fault("the center does not receipt")
        elif ack_by is not None and now_ms >= ack_by:
            self._fault("the broker does not acknowledge")
        elif self.supervision.up_since is None and self._idle_and_well():
            self._tell(self.supervision.worked(now_ms))

    def _idle_and_well(self) -> bool:
        """Nothing waits for a receipt, so none can be missing."""
        waiting = any(stream.waiting() for (_, lane), stream in self._streams.items() if lane in self._duty)
        return self._heads is not None and not (waiting or self._refused_here or self._proof.outstanding)

    def _ack_deadline(self) -> int | None:
        oldest = self._flying.oldest_ms()
        return None if oldest is None else oldest + self._settings.path_fault_ms

    def _fault(self, reason: str) -> None:
        self._tell(self.supervision.failed(reason))
        self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        self.phase = "closing"
        self._open_by = None
        self._out.append(Disconnect(reason))

    def _connect(self, welcome: Welcome, now_ms: int) -> None:
        self._connect_at = None
        self._open_by = now_ms + OPEN_WITHIN_MS
        self.phase = "connecting"
        self._out.append(self._connect_order(welcome))

    def _connect_order(self, welcome: Welcome, beside: bool = False) -> Connect:
        self._connection += 1
        self._order = [welcome.session, welcome.peer, self._connection]
        will = self._link(False, None)
        return Connect(topics.topic(self._settings.panel, *will.words), will.payload, beside)

    # --- outputs -------------------------------------------------------------------------------

    def _tell(self, message: Path | None) -> None:
        if message and self._welcome:
            self._out.append(message)

    def _link(self, online: bool, time: str | None) -> Letter:
        link = Link(panel=self._settings.panel, online=online, order=self._order, time=time)
        return Letter("link", self._settings.link, encode(link.model_dump()), JSON_TYPE, retain=True)

    def _publish(self, letter: Letter, now_ms: int) -> None:
        token = self._flying.add(letter.kind, len(letter.payload), now_ms)
        topic = topics.topic(self._settings.panel, *letter.words)
        self._out.append(Publish(token, topic, letter.payload, letter.qos, letter.retain, letter.content_type))

    def _pump(self, now_ms: int) -> None:
        if self.phase != "open":
            return
        flying = self._flying.kinds()
        for letter in self.outbox.letters(flying):
            self._publish(letter, now_ms)
        if self._asked is None:
            self._asked = next(self._wishes(now_ms), None) or self._proof_wish(now_ms)
            if self._asked:
                self._out.append(self._asked.pull)
            elif not any(flying[lane] for lane in LANES) and (extra := self.outbox.telemetry(flying, self._order)):
                self._publish(extra, now_ms)

    def _wishes(self, now_ms: int) -> Iterator[Asked]:
        """What to pull next, best first."""
        for lane in self._open_lanes():
            limit = EVIDENCE_PULL if lane == "evidence" else self._batch_records
            found = []
            for (journal, its_lane), stream in self._streams.items():
                if its_lane == lane and (wish := stream.wants(now_ms, limit)):
                    why, first, last = wish
                    room = stream.room(why, limit)
                    found.append(Asked(Pull(journal=journal, lane=lane, first=first, last=last, limit=room), why))
            yield from sorted(found, key=lambda asked: URGENCY.index(asked.why))

    def _open_lanes(self) -> list[str]:
        """The lanes of its duty in which more may be on its way, highest first."""
        return [lane for lane in self._flying.open_lanes() if lane in self._duty]

    def _proof_wish(self, now_ms: int) -> Asked | None:
        if not self._proof.due(now_ms) or self._heads is None:
            return None
        for head in reversed(self._heads.journals):
            # Only what is delivered: what waits is for the path whose duty it is.
            if number := head.first_undelivered.get(PROOF_LANE, 1) - 1:
                pull = Pull(journal=head.journal, lane=PROOF_LANE, first=number, last=number, limit=1, again=True)
                return Asked(pull, "proof")
        self._proof.nothing(now_ms)
        return None


def _lanes_of(head: Head) -> list[tuple[tuple[str, str], int, int]]:
    """Journal and lane, first undelivered and last number, oldest journal first."""
    return [
        ((journal.journal, lane), journal.first_undelivered.get(lane, 1), journal.last.get(lane, 0))
        for journal in head.journals
        for lane in LANES
    ]
