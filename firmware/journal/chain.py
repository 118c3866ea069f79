"""Turns drafts into the rows of a chain: numbers, header bytes, hashes, checkpoints. Pure: no database, no clock.

Header bytes are written from a template, because all members but a few stay the same from record to record;
a test holds them against `canonical`. The same commits on the same tip always give the same bytes, so a failed
transaction can be told from one that was committed after all.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from firmware.journal.entries import Commit, Draft, Moment, Tip
from firmware.protocol.canonical import canonical
from firmware.protocol.jws import Signer
from firmware.protocol.signed import CHECKPOINT

CHECKPOINT_KIND = "journal.checkpoint"
BEGUN_KIND = "journal.begun"
BASE_KIND = "journal.base"
LOST_KIND = "journal.lost"

Row: TypeAlias = tuple[int, str, int, bytes, bytes, str]
"""seq, lane, lane_seq, header, payload, hash."""


@dataclass(frozen=True)
class Prepared:
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
        self._clocks: dict[tuple[str, str], str] = {}
        self._last_state: tuple[object, bytes, str] | None = None

    def prepare(self, tip: Tip, commits: Sequence[Commit]) -> Prepared:
        """The rows of these commits after `tip`. Raises `ValueError` or `TypeError` for an impossible draft."""
        rows: list[Row] = []
        lanes = dict(tip.lanes)
        seq, prev, state_hash = tip.seq, tip.hash, tip.state_hash
        state: bytes | None = None
        draft: Draft | None = None
        for commit in commits:
            if commit.state is not None:
                state, state_hash = self._state(commit.state)
            due = False
            for draft in commit.drafts:
                lane, due_kind = self._write(rows, draft, seq, lanes, state_hash, prev)
                seq, prev, due = seq + 1, rows[-1][5], due or due_kind
                lanes[lane] += 1
            if due and draft is not None:
                sealed = self.checkpoint(Tip(seq, prev, state_hash, lanes), _moment(draft))
                lane, _ = self._write(rows, sealed, seq, lanes, state_hash, prev)
                seq, prev = seq + 1, rows[-1][5]
                lanes[lane] += 1
        return Prepared(tuple(rows), Tip(seq, prev, state_hash, lanes), state, _moment(draft) if draft else None)

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
            self._last_state = (state, data, hashlib.sha256(data).hexdigest())
        return self._last_state[1], self._last_state[2]

    def _kind(self, kind: str) -> tuple[str, str, bool]:
        found = self._kinds.get(kind)
        if found is None:
            lane = self._lane_of(kind)
            member = canonical(kind).decode()
            text = f'","kind":{member},"lane":"{lane}","lane_seq":'
            found = self._kinds[kind] = (lane, text, self._is_checkpoint(kind))
        return found

    def _start(self, boot: str, clock: str) -> str:
        found = self._clocks.get((boot, clock))
        if found is None:
            if len(self._clocks) > 64:
                self._clocks.clear()
            found = f'{{"boot":{canonical(boot).decode()},"clock":"{clock}","journal":"{self.journal}'
            self._clocks[boot, clock] = found
        return found

    def _write(
        self, rows: list[Row], draft: Draft, seq: int, lanes: Mapping[str, int], state_hash: str, prev: str
    ) -> tuple[str, bool]:
        lane, kind, due = self._kind(draft.kind)
        lane_seq = lanes[lane] + 1
        payload = canonical(draft.payload)
        header = (
            f"{self._start(draft.boot, draft.clock)}{kind}{lane_seq}"
            f',"monotonic_ms":{draft.monotonic_ms},"panel":"{self.panel}",'
            f'"payload_hash":"{hashlib.sha256(payload).hexdigest()}","prev":"{prev}","seq":{seq + 1},'
            f'"state_hash":"{state_hash}","time":"{draft.time}"}}'
        ).encode()
        rows.append((seq + 1, lane, lane_seq, header, payload, hashlib.sha256(header).hexdigest()))
        return lane, due


def _moment(draft: Draft) -> Moment:
    return Moment(draft.time, draft.clock, draft.boot, draft.monotonic_ms)
