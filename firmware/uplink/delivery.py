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
from random import Random
from typing import Literal

from firmware.protocol import topics
from firmware.protocol.envelope import Link
from firmware.protocol.messages import (
    Beat,
    Delivered,
    Error,
    Head,
    Path,
    Renewal,
    ReplyOut,
    State,
    TakenOver,
    Telemetry,
    Welcome,
)
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
from firmware.uplink.outbox import JSON_TYPE, Letter, Outbox
from firmware.uplink.packing import encode
from firmware.uplink.proof import LANE as PROOF_LANE
from firmware.uplink.records_out import RecordsOut
from firmware.uplink.settings import Settings
from firmware.uplink.supervision import Supervision
from firmware.uplink.suspicion import Suspicion

OPEN_WITHIN_MS = 30_000
DOUBT_MS = 5_000
"""An alarm that has not left for so long: a line may be cut though nothing has ended. Alarms go by another path too."""

HURRY_EVERY_MS = 10_000
"""So often a new alarm may cut the pause before the next try to connect short."""

Phase = Literal["idle", "connecting", "open", "closing", "stopped"]


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
        self._records = RecordsOut(settings, self.counts)
        self._backoff = Backoff(random, settings.backoff_base_ms, settings.backoff_cap_ms)
        self._suspicion = Suspicion()
        self._welcome: Welcome | None = None
        self._flying = Flying()
        self._connection = 0
        self._order = [0, 0, 0]
        self._connect_at: int | None = None
        self._hurried_until = 0
        self._open_by: int | None = None
        self._refused_here = self._doubted = False
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
        moments.append(self._records.latencies_due() if self._welcome else None)
        if self.phase == "open":
            moments += [None if self._doubted else self._doubt_at(), self._ack_deadline()]
            moments.append(self._records.next_deadline(self._flying.open_lanes()))
        return min((moment for moment in moments if moment is not None), default=None)

    def unreceipted(self) -> int:
        """How many records are sent and wait for their receipt."""
        return self._records.unreceipted()

    @property
    def free(self) -> bool:
        """Whether no record wants the line now."""
        flying = self._flying.kinds()
        return self.phase == "open" and not self._records.asking and not any(flying[lane] for lane in LANES)

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
                new_alarm = self._records.head(event, self.phase == "open")
                self._hurry(new_alarm, now_ms)
            case Telemetry() if "telemetry" not in self._records.duty:
                pass
            case Renewal() if event.path != self._settings.path:
                pass
            case Beat() | State() | ReplyOut() | Renewal() | Telemetry():
                self.outbox.put(event)
            case Duty():
                self._records.assigned(event.lanes, self.phase == "open")
                self._outstanding(now_ms)
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
                self._records.not_answered()
            case Stop():
                self._stop(event, now_ms)

    def _core_changed(self, welcome: Welcome | None, now_ms: int) -> None:
        self._records.forget_core()
        self._welcome = welcome
        self._outstanding(now_ms)
        if welcome is None:
            return
        self.supervision.started(now_ms)
        self._tell(self.supervision.message())
        if self.phase == "idle" and self._connect_at is None:
            self._connect_at = now_ms + self._backoff.pause_ms()

    def _hurry(self, new_alarm: bool, now_ms: int) -> None:
        """A new alarm does not wait for the end of a long pause; one try for it, so that no flood of alarms is one."""
        if new_alarm and self.phase == "idle" and self._connect_at is not None and now_ms >= self._hurried_until:
            self._hurried_until = now_ms + HURRY_EVERY_MS
            self._connect_at = min(self._connect_at, now_ms + self._backoff.short_ms())

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
        self._records.restart()

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
        self._records.closed()
        self._connect_at = now_ms + self._backoff.pause_ms()

    def _switched(self, event: Switched, now_ms: int) -> None:
        """Another connection is in the first one's place: the path was never down, but what was under way goes anew."""
        if self.phase != "open":
            return
        self._flying.clear()
        self.gate.opened()
        self.outbox.opened()
        self._publish(self._link(True, event.time), now_ms)
        self._records.restart()

    def _stop(self, event: Stop, now_ms: int) -> None:
        if self.phase == "open":
            self._publish(self._link(False, event.time), now_ms)
        if self.phase in ("open", "connecting"):
            self._out.append(Disconnect("stopping", graceful=True))
        self.phase = "stopped"
        self._connect_at = self._open_by = None

    def _pulled(self, event: Pulled, now_ms: int) -> None:
        for letter in self._records.answered(event, now_ms):
            self._publish(letter, now_ms)
            self.gate.published()
        self._outstanding(now_ms)

    def _outstanding(self, now_ms: int, receipted: bool = False) -> None:
        self.supervision.outstanding(bool(self.unreceipted()), receipted, now_ms)

    def _acked(self, event: Acked) -> None:
        if self._flying.left(event.token) and event.failure:
            self.counts["refused"] += 1
            self._refused_here = True
            self._tell(self.supervision.failed(f"the broker refused a publish: {event.failure}"))

    def _delivered(self, event: Delivered, now_ms: int) -> None:
        mine = self._records.delivered(event, now_ms)
        if self.phase != "open":
            return
        self._outstanding(now_ms, mine)
        if mine:
            self._refused_here = False
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
            self._out += self._records.latencies(now_ms)
        if self.phase == "open":
            proof, records = self._records.proof, self._records
            proof.wanted(records.heads is not None and PROOF_LANE not in records.duty, now_ms)
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
        if self.supervision.overdue(now_ms) or self._records.proof.failed(now_ms):
            self._fault("the center does not receipt")
        elif ack_by is not None and now_ms >= ack_by:
            self._fault("the broker does not acknowledge")
        elif self.supervision.up_since is None and self._idle_and_well():
            self._tell(self.supervision.worked(now_ms))

    def _idle_and_well(self) -> bool:
        """Nothing waits for a receipt, so none can be missing."""
        records = self._records
        return records.heads is not None and not (records.waiting() or self._refused_here or records.proof.outstanding)

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
        if self._records.asking:
            return
        pull = self._records.wish(self._flying.open_lanes(), now_ms)
        if pull:
            self._out.append(pull)
        elif not any(flying[lane] for lane in LANES):
            extra = self.outbox.telemetry(flying, self._order) or self.outbox.chunk(flying)
            if extra is not None:
                self._publish(extra, now_ms)
