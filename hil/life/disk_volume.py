"""One journal of the modelled disk: what of it is durable, which of it the center holds, and how core reads it.

Records are built by the real `firmware.journal.chain`; how the state's moment follows commits and ticks is written
after `firmware.journal.store`.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.journal.chain import BEGUN_KIND
from firmware.journal.entries import LANES, NO_STATE, Commit, Draft, Moment, Tip
from firmware.journal.ranges import Ranges
from firmware.journal.store import Terms
from firmware.protocol.canonical import canonical
from firmware.protocol.jws import Signer
from firmware.protocol.messages import JournalHead
from firmware.protocol.stored import StoredRecord
from rules.effects import JsonValue
from rules.vocabulary import KINDS

MAX_VOLUMES = 16
Lived = tuple[str, int, str]
"""Boot id, boot clock and UTC."""


class StandInSigner(Signer):
    """Stands where the panel's key would: a checkpoint's bytes only have to differ when what it vouches for differs.

    Nobody in a life checks this signature (the center checks hashes), and Ed25519 would cost as much as all the rest.
    """

    def __init__(self) -> None:
        super().__init__(Ed25519PrivateKey.from_private_bytes(b"p" * 32))

    def sign(self, typ: str, payload: Mapping[str, Any]) -> str:
        """A token of the same shape: type and hash of the payload."""
        return f"{typ}.{sha256(canonical(payload)).hexdigest()}"


def terms_for(panel: str, encode: Callable[[object], bytes], signer: Signer) -> Terms:
    """What the journals of a modelled panel have in common: the vocabulary's lanes and checkpoint kinds."""
    return Terms(panel, signer, encode, lambda kind: str(KINDS[kind].lane), lambda kind: KINDS[kind].checkpoint)


class Volume:
    """One journal. All that it holds is durable, but `delivered`, of which `flushed` is."""

    def __init__(self, terms: Terms, journal: str, moment: Moment, state: bytes = b"", *, spare: bool = False) -> None:
        """`spare`: it lies in the run folder, so a power cut takes it. `state`: carried over from the one before."""
        self.journal = journal
        self.spare = spare
        self.session = 0
        self.state = state
        self.chain = terms.chain(journal)
        self.tip = Tip(state_hash=sha256(state).hexdigest() if state else NO_STATE)
        self.lanes: dict[str, list[StoredRecord]] = {lane: [] for lane in LANES}
        self.delivered: dict[str, Ranges] = dict.fromkeys(LANES, Ranges())
        self.flushed = dict(self.delivered)
        self._row: Lived = (moment.boot, moment.monotonic_ms, moment.time)
        self.lived = self._row
        self._head: JournalHead | None = None

    def begin(self, begun: Mapping[str, JsonValue], moment: Moment) -> list[StoredRecord]:
        """The first record, `journal.begun`, sealed by a checkpoint."""
        first = Draft(BEGUN_KIND, begun, moment.time, moment.clock, moment.boot, moment.monotonic_ms)
        return self.write([Commit((first,))], moment) + self.seal(moment)

    def seal(self, moment: Moment) -> list[StoredRecord]:
        """A signed checkpoint of the tip."""
        return self.write([Commit((self.chain.checkpoint(self.tip, moment),))], moment)

    def write(self, commits: Sequence[Commit], now: Moment) -> list[StoredRecord]:
        """All of it or nothing; raises `ValueError` or `TypeError` (and wrote nothing) for an impossible draft."""
        prepared = self.chain.prepare(self.tip, commits)
        records = [StoredRecord(*row) for row in prepared.rows]
        for record in records:
            self.lanes[record.lane].append(record)
        self.tip = prepared.tip
        at = prepared.moment or now
        moment = (at.boot, at.monotonic_ms, at.time)
        # Deadlines in a state count in its own boot: the moment changes only together with the state.
        if prepared.state is not None or (not records and at.boot == self._row[0]):
            self._row = moment
        if prepared.state is not None:
            self.state = prepared.state
        self.lived = moment if records and at.boot == self._row[0] else self._row
        self._head = None
        return records

    # --- delivery

    def deliver(self, lane: str, ranges: Sequence[tuple[int, int]]) -> None:
        """The center holds these."""
        self.delivered[lane] = self.delivered[lane].add(self._there(lane, ranges))
        self._head = None

    def flush(self, lane: str, ranges: Sequence[tuple[int, int]]) -> None:
        """These delivery marks are on disk."""
        self.flushed[lane] = self.flushed[lane].add(self._there(lane, ranges))

    def _there(self, lane: str, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        last = len(self.lanes[lane])
        return [(first, min(high, last)) for first, high in ranges if first <= last]

    def forget(self) -> None:
        """What was not flushed is gone."""
        self.delivered = dict(self.flushed)
        self._head = None

    def undelivered(self) -> bool:
        """Whether something waits for the center."""
        return any(self.delivered[lane].first_missing() <= len(records) for lane, records in self.lanes.items())

    def head(self) -> JournalHead:
        """How far it reaches."""
        if self._head is None:
            self._head = JournalHead(
                journal=self.journal,
                last={lane: len(records) for lane, records in self.lanes.items()},
                first_undelivered={lane: ranges.first_missing() for lane, ranges in self.delivered.items()},
            )
        return self._head

    def pull(self, lane: str, first: int, last: int, limit: int, max_bytes: int) -> tuple[list[StoredRecord], int]:
        """Undelivered records of a range, and where to go on."""
        found: list[StoredRecord] = []
        size = 0
        records = self.lanes[lane]
        for low, high in self.delivered[lane].gaps(max(1, first), min(last, len(records))):
            for record in records[low - 1 : min(high, low + limit)]:
                size += record.size()
                if len(found) == limit or (found and size > max_bytes):
                    return found, record.lane_seq
                found.append(record)
        return found, last + 1


class LifeReader:
    """`firmware.core.delivery.JournalReader` over the volumes, oldest first, the one in use last."""

    def __init__(self, volumes: list[Volume]) -> None:
        """`volumes` stays the disk's own list."""
        self._volumes = volumes

    def _of(self, journal: str) -> Volume | None:
        return next((v for v in self._volumes if v.journal == journal), None)

    def heads(self) -> Sequence[JournalHead]:
        """The journals that hold something for the center, and the one in use."""
        if len(self._volumes) == 1:
            return [self._volumes[0].head()]
        older = [v.head() for v in self._volumes[:-1] if v.undelivered()]
        return [*older[: MAX_VOLUMES - 1], self._volumes[-1].head()]

    def pull(
        self, journal: str, lane: str, first: int, last: int, limit: int, max_bytes: int
    ) -> tuple[list[StoredRecord], int]:
        """Undelivered records of a range, and where to go on."""
        volume = self._of(journal)
        return ([], last + 1) if volume is None else volume.pull(lane, first, last, limit, max_bytes)

    def hash_of(self, journal: str, lane: str, lane_seq: int) -> str | None:
        """The hash of one record."""
        volume = self._of(journal)
        if volume is None or not 1 <= lane_seq <= len(volume.lanes[lane]):
            return None
        return volume.lanes[lane][lane_seq - 1].hash
