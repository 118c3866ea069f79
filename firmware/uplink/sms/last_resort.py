"""Which alarms go out by SMS, to whom and when: only what no better path got receipted, and nothing twice.

Core keeps the cursors and is asked when the time has come: it answers with what still has no receipt. A message sent is
no receipt, so the record goes on waiting for the center's. While every better path is known to be down nobody waits;
else an alarm has `after_ms` to be receipted first. Hold-up, duress and other alarms of priority 1 go before all others
and keep a share of the day's limit for themselves; silent ones go to the center's numbers only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from firmware.language import Language
from firmware.protocol import messages as m
from firmware.protocol.records import Record
from firmware.uplink.sms import pdu
from firmware.uplink.sms.ledger import Entry, Ledger
from firmware.uplink.sms.modem import Accepted, Job, Rejected
from firmware.uplink.sms.texts import Names, alarm_text, limit_text, moment_of, trial_text
from rules.vocabulary import KINDS

LANE = "alarm"
MAX_QUEUE = 256
MAX_SPANS = 64
PULL = 64
MAX_AGE_S = 24 * 3600.0
"""An older alarm is no news."""
MAX_TRIES = 10
RETRY_FIRST_MS, RETRY_MAX_MS = 10_000, 900_000
TOLD_AFTER_TRIES = 3
"""So many failures of one message are a fault of the path."""
REPORT_WITHIN_S = pdu.VALID_MIN * 60 + 600.0
FAULT_MS = 24 * 3_600_000
"""A failed message is a fault of the path until one succeeds, or for so long."""
LEAST_RESERVE = 8
LOOK_EVERY_MS = 10_000
URGENT = 1


TRIAL = "trial-"
"""How the ledger names a technician's test."""


@dataclass(frozen=True)
class Receiver:
    """A number of the panel file. `silent`: it is the center's, and may read of hold-ups and duress."""

    name: str
    number: str
    silent: bool


@dataclass(frozen=True)
class Terms:
    """Of one SMS path, from the panel file. `better`: ids of the paths that come first."""

    path: str
    receivers: tuple[Receiver, ...]
    better: frozenset[str]
    after_ms: int
    daily_limit: int
    lang: Language
    names: Names
    reports: bool = True

    @property
    def reserve(self) -> int:
        """The last short messages of a day are for alarms of priority 1, and for saying that the limit is reached."""
        return max(LEAST_RESERVE, self.daily_limit // 4)


@dataclass
class _Span:
    """Alarms of a journal that core has and nobody was asked about."""

    journal: str
    first: int
    last: int
    since_ms: int


@dataclass
class _Notice:
    """An alarm that waits for the modem. `until_s`: UTC. `due`: when to try a receiver again."""

    journal: str
    lane_seq: int
    record: str
    priority: int
    text: str
    receivers: tuple[Receiver, ...]
    until_s: float
    due: dict[str, int] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, str, int]:
        return (self.priority, self.journal, self.lane_seq)


class LastResort:
    """The logic of one SMS path. No I/O but the ledger's file. Moments: monotonic ms, and UTC seconds."""

    def __init__(self, terms: Terms, ledger: Ledger, reference: int = 0) -> None:
        """`reference`: where the numbers of texts in several parts begin."""
        self.said: list[m.Sms] = []
        """For core; take and clear."""
        self.faults: dict[str, str] = {}
        """`sending`, `reports`, `limit`, `memory`: why, where there is one."""
        self.unmatched = 0
        """Reports that fit no message of ours."""
        self._terms = terms
        self._ledger = ledger
        self._reference = reference
        self._core = False
        self._up: dict[str, bool] = {}
        self._seen: dict[str, int] = {}
        self._spans: list[_Span] = []
        self._asked: _Span | None = None
        self._queue: dict[tuple[str, int], _Notice] = {}
        self._running: dict[str, tuple[str, Receiver, int]] = {}
        self._limit_for: list[Receiver] = []
        self._trial_for: list[Receiver] = []
        self._look_at = 0
        self._fault_until: dict[str, int] = {}

    # --- what the other paths and core say -----------------------------------------------------

    def path(self, path: str, up: bool) -> None:
        """A better path came up or went down."""
        if path in self._terms.better:
            self._up[path] = up

    def head(self, head: m.Head, now_ms: int) -> None:
        """The durable mark or a cursor moved."""
        for journal in head.journals:
            first, last = journal.first_undelivered.get(LANE, 1), journal.last.get(LANE, 0)
            known = max(self._seen.get(journal.journal, 0), first - 1)
            self._seen[journal.journal] = max(known, last)
            if last > known:
                self._note(_Span(journal.journal, known + 1, last, now_ms))
            self._receipted(journal.journal, 1, first - 1)

    def delivered(self, message: m.Delivered) -> None:
        """The center receipted these."""
        if message.lane == LANE:
            for first, last in message.ranges:
                self._receipted(message.journal, first, last)

    def core(self) -> None:
        """Core is there, and may be asked."""
        self._core = True

    def core_lost(self) -> None:
        """What was asked will not be answered: it is asked again when core is back."""
        self._core = False
        if self._asked is not None:
            self._spans.insert(0, self._asked)
            self._asked = None

    def answered(self, answer: m.Records, now_ms: int, now_s: float) -> None:
        """Core's answer to our pull: what of it still has no receipt."""
        asked, self._asked = self._asked, None
        if asked is None or (asked.journal, LANE) != (answer.journal, answer.lane):
            return
        for record in answer.records:
            self._take(record, now_s)
        if answer.next <= asked.first:
            # One that core can't read holds up the rest: look again later.
            self._spans.append(_Span(asked.journal, asked.first, asked.last, now_ms))
        elif answer.next <= asked.last:
            self._spans.insert(0, _Span(asked.journal, answer.next, asked.last, asked.since_ms))

    def refused(self, now_ms: int) -> None:
        """Core did not take our pull."""
        if self._asked is not None:
            self._asked.since_ms = now_ms
            self._spans.append(self._asked)
            self._asked = None

    def wants(self, now_ms: int) -> m.Pull | None:
        """What to ask core for now."""
        due = next((span for span in self._spans if self._is_due(span, now_ms)), None)
        if self._asked is not None or due is None or not self._core:
            return None
        self._spans.remove(due)
        self._asked = due
        return m.Pull(journal=due.journal, lane=LANE, first=due.first, last=due.last, limit=PULL)

    def next_deadline(self, now_ms: int) -> int | None:
        """When something becomes due by itself."""
        moments = [span.since_ms + self._terms.after_ms for span in self._spans if self._core and not self._asked]
        moments += [at for notice in self._queue.values() for at in notice.due.values() if at > now_ms]
        return min([*moments, *self._fault_until.values()], default=None)

    def _is_due(self, span: _Span, now_ms: int) -> bool:
        down = bool(self._terms.better) and all(self._up.get(path) is False for path in self._terms.better)
        return down or now_ms >= span.since_ms + self._terms.after_ms

    def _note(self, span: _Span) -> None:
        latest = next((s for s in reversed(self._spans) if s.journal == span.journal), None)
        joined = latest is not None and latest.last + 1 == span.first
        if latest is not None and joined and (latest.since_ms == span.since_ms or len(self._spans) >= MAX_SPANS):
            latest.last = span.last
        else:
            self._spans.append(span)

    def _receipted(self, journal: str, first: int, last: int) -> None:
        for key in [key for key in self._queue if key[0] == journal and first <= key[1] <= last]:
            del self._queue[key]

    def _take(self, record: Record, now_s: float) -> None:
        header = record.header
        moment = moment_of(record)
        until_s = (moment.timestamp() if moment else now_s) + MAX_AGE_S
        if now_s > until_s:
            return
        kind = KINDS.get(header.kind)
        silent = kind is None or kind.silent
        notice = _Notice(
            header.journal,
            header.lane_seq,
            f"{header.journal}-{header.seq}",
            kind.priority if kind else URGENT,
            alarm_text(record, self._terms.names, self._terms.lang),
            tuple(r for r in self._terms.receivers if r.silent or not silent),
            until_s,
        )
        self._queue.setdefault((header.journal, header.lane_seq), notice)
        if len(self._queue) > MAX_QUEUE:
            worst = max(self._queue.values(), key=lambda n: n.rank)
            del self._queue[worst.journal, worst.lane_seq]
            for receiver in worst.receivers:
                self._say(worst.record, receiver, "dropped", detail="too many alarms wait for the modem")

    def tried(self) -> None:
        """A technician wants to see a short message at the center's first number; alarms go first."""
        self._trial_for = [receiver for receiver in self._terms.receivers if receiver.silent][:1]

    # --- what the modem is given, and what becomes of it ------------------------------------------

    def next_job(self, now_ms: int, now_s: float, day: str) -> Job | None:
        """What to send now, best first; it is noted as begun. `day`: of the panel's calendar."""
        self._ledger.today(day)
        if not self._ledger.told:
            self.faults.pop("limit", None)
        found = None
        for notice, receiver in self._candidates(now_ms, now_s):
            if notice.priority > URGENT and self._limit_for:
                break
            found = self._job(notice, receiver, now_s)
            if found:
                break
        self._sweep()
        return found or self._limit_job(now_s) or self._trial_job(now_s)

    def _candidates(self, now_ms: int, now_s: float) -> Iterator[tuple[_Notice, Receiver]]:
        for notice in sorted(self._queue.values(), key=lambda n: n.rank):
            if now_s > notice.until_s:
                del self._queue[notice.journal, notice.lane_seq]
                continue
            for receiver in notice.receivers:
                waits = notice.due.get(receiver.name, now_ms) > now_ms
                if not waits and self._ledger.may_send(notice.record, receiver.number):
                    yield notice, receiver

    def _job(self, notice: _Notice, receiver: Receiver, now_s: float) -> Job | None:
        parts = self._parts(receiver, notice.text)
        urgent = notice.priority <= URGENT
        room = self._terms.daily_limit - self._ledger.used - (0 if urgent else self._terms.reserve)
        if len(parts) > room:
            self._reached()
            if not urgent:
                self._ledger.hold(notice.record, receiver.number, now_s)
                self._say(notice.record, receiver, "dropped", detail="the day's limit is reached")
            return None
        return self._begin(notice.record, receiver, parts, now_s)

    def _limit_job(self, now_s: float) -> Job | None:
        if not self._limit_for:
            return None
        receiver = self._limit_for.pop(0)
        text = limit_text(self._terms.names.panel, self._terms.daily_limit, self._terms.lang)
        parts = self._parts(receiver, text)
        if len(parts) > self._terms.daily_limit - self._ledger.used:
            return None
        return self._begin(f"limit-{self._ledger.day}", receiver, parts, now_s)

    def _trial_job(self, now_s: float) -> Job | None:
        if not self._trial_for:
            return None
        receiver = self._trial_for.pop(0)
        parts = self._parts(receiver, trial_text(self._terms.names.panel, self._terms.lang))
        record = f"{TRIAL}{self._reference}-{int(now_s)}"
        if len(parts) > self._terms.daily_limit - self._ledger.used - self._terms.reserve:
            self._say(record, receiver, "dropped", detail="the day's limit is reached")
            return None
        return self._begin(record, receiver, parts, now_s)

    def _parts(self, receiver: Receiver, text: str) -> tuple[pdu.Part, ...]:
        self._reference += 1
        return tuple(pdu.submit(receiver.number, text, self._reference & 0xFF, self._terms.reports))

    def _reached(self) -> None:
        self.faults["limit"] = f"the day's limit of {self._terms.daily_limit} short messages is reached"
        if not self._ledger.told:
            self._ledger.tell()
            self._limit_for = [receiver for receiver in self._terms.receivers if receiver.silent]

    def _begin(self, record: str, receiver: Receiver, parts: tuple[pdu.Part, ...], now_s: float) -> Job:
        self._ledger.begin(record, receiver.number, len(parts), now_s)
        self._note_memory()
        key = f"{record}|{receiver.name}"
        self._running[key] = (record, receiver, len(parts))
        return Job(key, parts)

    def accepted(self, event: Accepted) -> None:
        """The network took it."""
        record, receiver, parts = self._running.pop(event.key)
        references = event.references if self._terms.reports else ()
        self._ledger.settle(record, receiver.number, "sent", references)
        self._well("sending")
        self._say(record, receiver, "sent", parts)
        self._sweep()

    def rejected(self, event: Rejected, now_ms: int) -> None:
        """It could not be sent; again later, unless that would not help."""
        record, receiver, parts = self._running.pop(event.key)
        entry = self._ledger.entry(record, receiver.number)
        tries = entry.tries if entry else 1
        # A test that is sent again and again tells nobody anything.
        over = event.final or tries >= MAX_TRIES or record.startswith(TRIAL)
        self._ledger.settle(record, receiver.number, "failed" if over else "open", unused=parts - event.accepted)
        if over or tries >= TOLD_AFTER_TRIES:
            self._fault("sending", f"SMS to {receiver.name}: {event.reason}", now_ms)
        if over:
            self._say(record, receiver, "failed", detail=event.reason)
        pause_ms = min(RETRY_MAX_MS, RETRY_FIRST_MS << min(tries - 1, 10))
        for notice in self._queue.values():
            if notice.record == record:
                notice.due[receiver.name] = now_ms + pause_ms
        self._sweep()

    def reported(self, report: pdu.Report, now_ms: int) -> None:
        """A status report came."""
        entry = self._ledger.reported(report.reference, report.number)
        if entry is None:
            self.unmatched += 1
            return
        if report.outcome == "trying":
            return
        left = [reference for reference in entry.references if reference != report.reference]
        if report.outcome == "failed":
            self._ledger.settle(entry.record, entry.number, "failed")
            self._ended(entry, "failed", f"status {report.status:#04x}", now_ms)
        elif left:
            self._ledger.settle(entry.record, entry.number, "sent", tuple(left))
        else:
            self._ledger.settle(entry.record, entry.number, "delivered")
            self._well("reports")
            self._ended(entry, "delivered", "", now_ms)

    def passed(self, now_ms: int, now_s: float) -> None:
        """Time has passed: reports that never came, faults that are long ago. Looks every ten seconds."""
        if now_ms < self._look_at:
            return
        self._look_at = now_ms + LOOK_EVERY_MS
        for entry in self._ledger.unconfirmed(now_s - REPORT_WITHIN_S):
            self._ledger.settle(entry.record, entry.number, "unconfirmed")
            self._ended(entry, "unconfirmed", "no delivery report", now_ms)
        for what in [what for what, until in self._fault_until.items() if now_ms >= until]:
            self._well(what)
        self._note_memory()

    def _ended(self, entry: Entry, state: m.SmsState, detail: str, now_ms: int) -> None:
        receiver = next((r for r in self._terms.receivers if r.number == entry.number), None)
        if receiver is None:
            return  # no number of this panel file any more
        if detail:
            self._fault("reports", f"SMS to {receiver.name} was not delivered: {detail}", now_ms)
        self._say(entry.record, receiver, state, detail=detail)

    def _say(self, record: str, receiver: Receiver, state: m.SmsState, parts: int = 0, detail: str = "") -> None:
        named = "" if record.startswith(("limit-", TRIAL)) else record
        self.said.append(
            m.Sms(
                path=self._terms.path,
                record=named,
                receiver=receiver.name,
                state=state,
                parts=parts,
                detail=detail[:200],
                trial=record.startswith(TRIAL),
            )
        )

    def _fault(self, what: str, detail: str, now_ms: int) -> None:
        self.faults[what] = detail
        self._fault_until[what] = now_ms + FAULT_MS

    def _well(self, what: str) -> None:
        self.faults.pop(what, None)
        self._fault_until.pop(what, None)

    def _note_memory(self) -> None:
        if self._ledger.trouble:
            self.faults["memory"] = self._ledger.trouble
        else:
            self.faults.pop("memory", None)

    def _sweep(self) -> None:
        """What is settled for every receiver leaves the queue."""
        running = {record for record, _, _ in self._running.values()}
        for key, notice in list(self._queue.items()):
            open_ = _any_open(self._ledger, notice.record, notice.receivers)
            if notice.record not in running and not open_:
                del self._queue[key]


def _any_open(ledger: Ledger, record: str, receivers: Iterable[Receiver]) -> bool:
    return any(ledger.may_send(record, receiver.number) for receiver in receivers)
