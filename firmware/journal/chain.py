"""Turns drafts into the rows of a chain: numbers, header bytes, hashes, checkpoints. Pure: no database, no clock.

Header bytes are written from a template, because all members but a few stay the same from record to record;
a test holds them against `canonical`. The same commits on the same tip always give the same bytes, so a failed
transaction can be told from one that was committed after all.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from firmware.journal.entries import Commit, Draft, Moment, Tip
from firmware.protocol.canonical import canonical
from firmware.protocol.jws import Signer
from firmware.protocol.typ import CHECKPOINT

CHECKPOINT_KIND = "journal.checkpoint"
BEGUN_KIND = "journal.begun"
BASE_KIND = "journal.base"
LOST_KIND = "journal.lost"

Row: TypeAlias = tuple[int, str, int, bytes, bytes, str]
"""seq, lane, lane_seq, header, payload, hash."""


class Prepared(NamedTuple):
    """Rows ready to be written, the tip after them, and the state bytes in force then (None: unchanged)."""

    rows: tuple[Row, ...]
    tip: Tip
    state: bytes | None
    moment: Moment | None
    """When the last record of it happened; None without records."""


class Chain:
    """Builds the records of one journal."""

    def __init__(
        self,
        panel: str,
        journal: str,
        signer: Signer,
        encode: Callable[[object], bytes],
        lane_of: Callable[[str], str],
        is_checkpoint: Callable[[str], bool],
    ) -> None:
        self.panel = panel
        self.journal = journal
        self._signer = signer
        self._encode = encode
        self._lane_of = lane_of
        self._is_checkpoint = is_checkpoint
        self._kinds: dict[str, tuple[str, str, bool]] = {}
        self._panel = (',"monotonic_ms":', f',"panel":"{panel}","payload_hash":"')
        self._starts: dict[tuple[str, str], str] = {}
        self._last_state: tuple[object, bytes, str] | None = None

    def prepare(self, tip: Tip, commits: Sequence[Commit]) -> Prepared:
        """The rows of these commits after `tip`. Raises `ValueError` or `TypeError` for an impossible draft."""
        at = _Place(tip)
        rows: list[Row] = []
        state: bytes | None = None
        draft: Draft | None = None
        for commit in commits:
            if commit.state is not None:
                state, at.state_hash = self._state(commit.state)
            if commit.drafts:
                draft = commit.drafts[-1]
                if self._write(rows, at, commit.drafts):
                    self._write(rows, at, (self.checkpoint(at.tip(), _moment(draft)),))
        return Prepared(tuple(rows), at.tip(), state, _moment(draft) if draft else None)

    def checkpoint(self, tip: Tip, moment: Moment) -> Draft:
        """The draft of a signed checkpoint that vouches for the record `tip`."""
        token = self._signer.sign(CHECKPOINT, self.vouch(tip.seq, tip.hash, tip.state_hash, moment.time))
        return Draft(CHECKPOINT_KIND, {"jws": token}, moment.time, moment.clock, moment.boot, moment.monotonic_ms)

    def vouch(self, seq: int, hash_: str, state_hash: str, time: str) -> Mapping[str, str | int]:
        """The members of a `Checkpoint` (docs/protocol.md) for that record."""
        return {
            "panel": self.panel,
            "journal": self.journal,
            "seq": seq,
            "hash": hash_,
            "state_hash": state_hash,
            "time": time,
        }

    def _state(self, state: object) -> tuple[bytes, str]:
        # By identity: the rules hand in the same object until something changed, and encoding is the dear part.
        if self._last_state is None or self._last_state[0] is not state:
            data = self._encode(state)
            self._last_state = (state, data, sha256(data).hexdigest())
        return self._last_state[1], self._last_state[2]

    def _kind(self, kind: str) -> tuple[str, str, bool]:
        lane = self._lane_of(kind)
        text = f'","kind":{canonical(kind).decode()},"lane":"{lane}","lane_seq":'
        found = self._kinds[kind] = (lane, text, self._is_checkpoint(kind))
        return found

    def _start(self, boot: str, clock: str) -> str:
        if len(self._starts) > 64:
            self._starts.clear()
        found = f'{{"boot":{canonical(boot).decode()},"clock":"{clock}","journal":"{self.journal}'
        self._starts[boot, clock] = found
        return found

    def _write(self, rows: list[Row], at: "_Place", drafts: tuple[Draft, ...]) -> bool:
        """Add the rows of these drafts; whether one of them asks for a checkpoint."""
        # One loop without calls of our own: it runs once for every record, and is held to twice the time of raw SQLite.
        due = False
        for draft in drafts:
            lane, kind, kind_due = self._kinds.get(draft.kind) or self._kind(draft.kind)
            start = self._starts.get((draft.boot, draft.clock)) or self._start(draft.boot, draft.clock)
            lane_seq = at.lanes[lane] = at.lanes[lane] + 1
            at.seq += 1
            payload = canonical(draft.payload)
            header = (
                f"{start}{kind}{lane_seq}{self._panel[0]}{draft.monotonic_ms}{self._panel[1]}"
                f'{sha256(payload).hexdigest()}","prev":"{at.hash}","seq":{at.seq},'
                f'"state_hash":"{at.state_hash}","time":"{draft.time}"}}'
            ).encode()
            at.hash = sha256(header).hexdigest()
            rows.append((at.seq, lane, lane_seq, header, payload, at.hash))
            due = due or kind_due
        return due


class _Place:
    """Where the chain stands while rows are being made."""

    __slots__ = ("hash", "lanes", "seq", "state_hash")

    def __init__(self, tip: Tip) -> None:
        self.seq, self.hash, self.state_hash = tip.seq, tip.hash, tip.state_hash
        self.lanes = dict(tip.lanes)

    def tip(self) -> Tip:
        return Tip(self.seq, self.hash, self.state_hash, dict(self.lanes))


def _moment(draft: Draft) -> Moment:
    return Moment(draft.time, draft.clock, draft.boot, draft.monotonic_ms)
