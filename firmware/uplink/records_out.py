"""What of core's records a path carries: what to ask core for next, what was sent, what was receipted.

Numbers only, and of those no more than a window for each lane. Part of the delivery logic, and as free of I/O: the
connection, and whether the path works, are `delivery.py`'s.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firmware.protocol.messages import (
    MAX_BATCH_BYTES,
    MAX_BATCH_RECORDS,
    Delivered,
    Head,
    Latency,
    Pull,
)
from firmware.protocol.records import Record
from firmware.uplink.events import Pulled
from firmware.uplink.flying import LANES
from firmware.uplink.latencies import Latencies
from firmware.uplink.outbox import Letter
from firmware.uplink.packing import Parcel, pack
from firmware.uplink.proof import LANE as PROOF_LANE
from firmware.uplink.proof import Proof
from firmware.uplink.settings import Settings
from firmware.uplink.streams import URGENCY, Origin, Stream, Why

ALL_LANES = frozenset({*LANES, "telemetry"})
EVIDENCE_PULL = 4
"""Evidence travels one by one, with thumbnails: so few at a time."""
FRESH_ALARMS = MAX_BATCH_RECORDS
"""So many of the newest alarms that waited go before older ones: one batch."""


@dataclass
class Asked:
    """The pull that core has not answered yet. `stale`: its answer no longer counts."""

    pull: Pull
    why: Why
    stale: bool = False


class RecordsOut:
    """Of one path. `open` in the names below: from the moment at which the connection is."""

    def __init__(self, settings: Settings, counts: Counter[str]) -> None:
        """`counts` takes records `published` and sent `again`, `proofs`, `pull-refused`, `answer-unused`."""
        self.duty = ALL_LANES
        self.heads: Head | None = None
        self.proof = Proof(settings.proof_ms, settings.receipt_timeout_ms, settings.path_fault_ms)
        self._settings = settings
        self._counts = counts
        self._latencies = Latencies(settings.path)
        self._streams: dict[tuple[str, str], Stream] = {}
        self._asked: Asked | None = None
        self._batch_records = MAX_BATCH_RECORDS

    @property
    def asking(self) -> bool:
        """Whether core still owes an answer."""
        return self._asked is not None

    def unreceipted(self) -> int:
        """How many records are sent and wait for their receipt."""
        return sum(len(stream.flights) for stream in self._streams.values())

    def waiting(self) -> bool:
        """Whether anything of its duty is not delivered."""
        return any(stream.waiting() for (_, lane), stream in self._streams.items() if lane in self.duty)

    def lanes(self, open_lanes: Sequence[str]) -> list[str]:
        """Those of its duty."""
        return [lane for lane in open_lanes if lane in self.duty]

    def next_deadline(self, open_lanes: Sequence[str]) -> int | None:
        """When to look again while the path is open, given the lanes in which more may be on its way."""
        moments = [self.proof.next_deadline(self.asking)]
        if not self.asking:
            lanes = self.lanes(open_lanes)
            moments += [stream.next_due() for (_, lane), stream in self._streams.items() if lane in lanes]
        return min((moment for moment in moments if moment is not None), default=None)

    # --- what happens ----------------------------------------------------------------------------

    def forget_core(self) -> None:
        """Core is gone or new: what was asked will not be answered."""
        self._streams = {}
        self.heads = self._asked = None

    def restart(self) -> None:
        """The connection is open: all that is not delivered now is stored; what comes after is live."""
        self._stale()
        lanes = _lanes_of(self.heads) if self.heads else []
        self._streams = {key: self._waited(key, first, last) for key, first, last in lanes}

    def closed(self) -> None:
        """The connection ended."""
        self.proof.wanted(False, 0)
        self._stale()
        self._streams = {}

    def assigned(self, lanes: frozenset[str], is_open: bool) -> None:
        """What it carries anew starts from what waits; what it no longer carries, another path sends."""
        changed, self.duty = lanes ^ self.duty, lanes
        if self.heads is None or not is_open:
            return
        for key, first, last in _lanes_of(self.heads):
            if key[1] in changed:
                self._streams[key] = self._waited(key, first, last)
        if self._asked and self._asked.pull.lane in changed:
            self._stale()

    def head(self, head: Head, is_open: bool) -> bool:
        """The durable mark or a delivery cursor moved; whether an alarm of its duty is new."""
        before, self.heads = self.heads, head
        if before is None:
            if is_open:
                self.restart()
            return False
        if is_open:
            self._go_on(head)
        return "alarm" in self.duty and _alarms(head) > _alarms(before)

    def _go_on(self, head: Head) -> None:
        known, self._streams = self._streams, {}
        for key, first, last in _lanes_of(head):
            stream = known.get(key) or Stream(first, last, self._settings.window, live=True)
            stream.head(first, last)
            self._streams[key] = stream

    def not_answered(self) -> None:
        """Core refused the pull: leave that stream alone until its head moves."""
        asked, self._asked = self._asked, None
        if asked and not asked.stale and (stream := self._streams.get((asked.pull.journal, asked.pull.lane))):
            self._counts["pull-refused"] += 1
            if asked.why != "proof":
                stream.stick()

    def answered(self, event: Pulled, now_ms: int) -> list[Letter]:
        """Core's answer: what to publish now, counted as sent."""
        asked, self._asked = self._asked, None
        answer = event.records
        stream = self._streams.get((answer.journal, answer.lane))
        if stream is None or asked is None or asked.stale or asked.pull.journal != answer.journal:
            self._counts["answer-unused"] += 1
            return []
        if asked.why == "proof":
            return self._prove(answer.records, now_ms)
        stream.answered(asked.why, asked.pull.first, answer.next, [r.header.lane_seq for r in answer.records])
        origins = {record.header.lane_seq: self._origin(record) for record in answer.records}
        parcels = pack(answer.records, asked.why != "live", event.thumbnails)
        if parcels and answer.lane != "evidence":
            # Ask for about as many as fill one batch, not for one batch and a bit.
            each = sum(len(parcel.payload) for parcel in parcels) // len(answer.records) + 1
            self._batch_records = max(1, min(MAX_BATCH_RECORDS, MAX_BATCH_BYTES // each))
        for parcel in parcels:
            stream.sent(parcel.numbers, now_ms, self._settings.receipt_timeout_ms, origins)
            self._counts["again" if asked.why == "again" else "published"] += len(parcel.numbers)
        return [_letter(answer.lane, parcel) for parcel in parcels]

    def delivered(self, event: Delivered, now_ms: int) -> bool:
        """A receipt counted; whether it came by this path."""
        mine = event.path == self._settings.path
        stream = self._streams.get((event.journal, event.lane))
        for first, last in event.ranges if stream else ():
            for flight in stream.delivered(first, last) if stream else ():
                if mine and flight.origin:
                    record = f"{event.journal}-{flight.origin.seq}"
                    self._latencies.delivered(event.lane, record, flight.origin.recorded_ms, flight.first_ms, now_ms)
        if mine:
            self.proof.receipted(now_ms)
        return mine

    def latencies(self, now_ms: int) -> list[Latency]:
        """What to tell core of how long delivery took."""
        return self._latencies.messages(now_ms)

    def latencies_due(self) -> int | None:
        """When there is something to tell."""
        return self._latencies.next_deadline()

    # --- what to ask for -------------------------------------------------------------------------

    def wish(self, open_lanes: Sequence[str], now_ms: int) -> Pull | None:
        """What to ask core for now, best first; None while it owes an answer."""
        if self._asked is None:
            self._asked = next(self._wishes(open_lanes, now_ms), None) or self._proof_wish(now_ms)
            return self._asked.pull if self._asked else None
        return None

    def _wishes(self, open_lanes: Sequence[str], now_ms: int) -> Iterator[Asked]:
        for lane in self.lanes(open_lanes):
            limit = EVIDENCE_PULL if lane == "evidence" else self._batch_records
            found = []
            for (journal, its_lane), stream in self._streams.items():
                if its_lane == lane and (wish := stream.wants(now_ms, limit)):
                    why, first, last = wish
                    room = stream.room(why, limit)
                    found.append(Asked(Pull(journal=journal, lane=lane, first=first, last=last, limit=room), why))
            yield from sorted(found, key=lambda asked: URGENCY.index(asked.why))

    def _proof_wish(self, now_ms: int) -> Asked | None:
        if not self.proof.due(now_ms) or self.heads is None:
            return None
        for head in reversed(self.heads.journals):
            # Only what is delivered: what waits is for the path whose duty it is.
            if number := head.first_undelivered.get(PROOF_LANE, 1) - 1:
                pull = Pull(journal=head.journal, lane=PROOF_LANE, first=number, last=number, limit=1, again=True)
                return Asked(pull, "proof")
        self.proof.nothing(now_ms)
        return None

    def _prove(self, records: Sequence[Record], now_ms: int) -> list[Letter]:
        """Send a delivered record of the status lane once more; where there is none, the connection has to do."""
        if not records:
            self.proof.nothing(now_ms)
            return []
        self.proof.sent(now_ms)
        self._counts["proofs"] += 1
        return [_letter(PROOF_LANE, parcel) for parcel in pack(records, True, {})]

    def _stale(self) -> None:
        if self._asked:
            self._asked.stale = True

    def _waited(self, key: tuple[str, str], first: int, last: int) -> Stream:
        """A lane that waited for this connection."""
        newest = self.heads.journals[-1].journal if self.heads else ""
        fresh = FRESH_ALARMS if key == (newest, "alarm") else 0
        return Stream(first, last, self._settings.window, live=False, fresh=fresh)

    def _origin(self, record: Record) -> Origin:
        header = record.header
        return Origin(header.seq, header.monotonic_ms if header.boot == self._settings.boot else None)


def _alarms(head: Head) -> int:
    return sum(journal.last.get("alarm", 0) for journal in head.journals)


def _letter(lane: str, parcel: Parcel) -> Letter:
    return Letter(lane, (parcel.word, lane), parcel.payload, parcel.content_type)


def _lanes_of(head: Head) -> list[tuple[tuple[str, str], int, int]]:
    """Journal and lane, first undelivered and last number, oldest journal first."""
    return [
        ((journal.journal, lane), journal.first_undelivered.get(lane, 1), journal.last.get(lane, 0))
        for journal in head.journals
        for lane in LANES
    ]
