"""Which record goes next: of this path's lanes alarms first, in a lane what happens now before what waited.

Only numbers are held, and one small answer of core's. Core is asked again for everything else: the journal is the
queue, and what is done with stands in the ledger. Where a better way will deliver the records all the same, those older
than a day are no news and are passed over.
"""

from collections import Counter, deque
from dataclasses import dataclass

from firmware.protocol import messages as m
from firmware.protocol.records import Record
from firmware.uplink.dc09.ledger import Key, Ledger
from firmware.uplink.sms.texts import moment_of

LANES = ("alarm", "status")
OLD_S = 24 * 3600.0


@dataclass(frozen=True)
class Wish:
    """What to pull, and how much it matters: the least `rank` first."""

    key: Key
    first: int
    last: int
    rank: int
    again: bool


class Feed:
    """Of one path. `all_alarms`: live alarms go out whether or not another way has delivered them already.

    `patient`: another way delivers everything in the end.
    """

    def __init__(self, ledger: Ledger, all_alarms: bool = False, patient: bool = True) -> None:
        self.counts: Counter[str] = Counter()
        """Records `too-old` to send, `delivered` by another way before they were sent."""
        self._ledger = ledger
        self._all_alarms = all_alarms
        self._patient = patient
        self._duty: frozenset[str] = frozenset()
        self._heads: dict[Key, tuple[int, int]] = {}
        self._live_from: dict[Key, int] = {}
        self._stuck: set[Key] = set()
        self._asked: Wish | None = None
        self._stale = False
        self._ready: deque[Record] = deque()
        self._ready_rank = 0

    def duty(self, lanes: frozenset[str]) -> None:
        """The lanes to carry from now on; what is there of a new one has waited."""
        gained = lanes - self._duty
        self._duty = lanes
        for key, (_, last) in self._heads.items():
            if key[1] in gained:
                self._live_from[key] = last + 1
        self._drop()

    def head(self, head: m.Head) -> None:
        """The durable mark or a cursor moved."""
        known, self._heads = self._heads, {}
        for journal in head.journals:
            for lane in LANES:
                key = (journal.journal, lane)
                first, last = journal.first_undelivered.get(lane, 1), journal.last.get(lane, 0)
                # The first head tells what waited; a journal that appears later is new.
                self._live_from.setdefault(key, 1 if known else last + 1)
                self._heads[key] = (first, last)
        self._live_from = {key: at for key, at in self._live_from.items() if key in self._heads}
        self._ledger.keep_only({key: self._floor(key) for key in self._heads})
        self._stuck.clear()

    def delivered(self, message: m.Delivered) -> None:
        """Another way delivered these: they need not go out by this one too."""
        key = (message.journal, message.lane)
        if self._goes_anyway(key):
            return
        kept = [r for r in self._ready if _key(r) != key or not _within(r.header.lane_seq, message.ranges)]
        self.counts["delivered"] += len(self._ready) - len(kept)
        self._ready = deque(kept)

    def core_lost(self) -> None:
        """What was asked will not be answered, and what waits is asked for anew."""
        self._asked = None
        self._heads = {}
        self._live_from = {}
        self._ready.clear()

    def wants(self) -> m.Pull | None:
        """What to ask core for now."""
        if self._asked is not None or self._ready or (wish := self._wish()) is None:
            return None
        self._asked, self._stale = wish, False
        journal, lane = wish.key
        return m.Pull(journal=journal, lane=lane, first=wish.first, last=wish.last, again=wish.again)

    def answered(self, answer: m.Records, now_s: float) -> None:
        """Core's answer: what it left out has been delivered, or can't be read."""
        asked, self._asked = self._asked, None
        key = (answer.journal, answer.lane)
        if asked is None or self._stale or asked.key != key:
            return
        if answer.next <= asked.first:
            self._stuck.add(key)
            return
        there = [record.header.lane_seq for record in answer.records]
        left_out = _without(asked.first, answer.next - 1, there)
        old = [r.header.lane_seq for r in answer.records if self._patient and _age_s(r, now_s) > OLD_S]
        self.counts["too-old"] += len(old)
        self._ledger.pass_over(key, [*left_out, *((n, n) for n in old)])
        self._ready.extend(r for r in answer.records if r.header.lane_seq not in old)
        self._ready_rank = asked.rank

    def refused(self) -> None:
        """Core did not take the pull: leave that lane alone until its head moves."""
        if self._asked is not None:
            self._stuck.add(self._asked.key)
            self._asked = None

    def next(self) -> Record | None:
        """The record to send now; None while there is none at hand."""
        wish = self._wish()
        if self._ready and (wish is None or wish.rank < self._ready_rank):
            self._drop()
        return self._ready.popleft() if self._ready else None

    def put_back(self, record: Record) -> None:
        """It could not be sent."""
        if record.header.lane in self._duty:
            self._ready.appendleft(record)

    def _wish(self) -> Wish | None:
        rank = 0
        for lane in LANES:
            for live in (True, False):
                rank += 1
                if lane not in self._duty:
                    continue
                for key in reversed(self._heads):
                    if key[1] == lane and key not in self._stuck and (span := self._span(key, live)):
                        return Wish(key, *span, rank, live and self._goes_anyway(key))
        return None

    def _span(self, key: Key, live: bool) -> tuple[int, int] | None:
        first, last = self._heads[key]
        live_from = self._live_from[key]
        if live:
            first = live_from if self._goes_anyway(key) else max(first, live_from)
        else:
            last = min(last, live_from - 1)
        return next(iter(self._ledger.settled(key).gaps(first, last)), None) if first <= last else None

    def _floor(self, key: Key) -> int:
        """Below this nothing of it has to go out any more."""
        first, _ = self._heads[key]
        return min(first, self._live_from[key]) if self._goes_anyway(key) else first

    def _goes_anyway(self, key: Key) -> bool:
        return self._all_alarms and key[1] == "alarm"

    def _drop(self) -> None:
        self._ready.clear()
        self._stale = True


def _key(record: Record) -> Key:
    return record.header.journal, record.header.lane


def _within(number: int, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _without(first: int, last: int, numbers: list[int]) -> list[tuple[int, int]]:
    """The ranges from first to last without these numbers, which are sorted."""
    found = []
    for number in [*numbers, last + 1]:
        if first < number:
            found.append((first, number - 1))
        first = number + 1
    return found


def _age_s(record: Record, now_s: float) -> float:
    """How long ago it was recorded; 0 where nobody knows."""
    moment = moment_of(record)
    return 0.0 if moment is None else now_s - moment.timestamp()
