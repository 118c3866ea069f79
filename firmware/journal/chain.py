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
REMOVED_KIND = "journal.removed"
KEYS_KIND = "config.keys"

Row: TypeAlias = tuple[int, str, int, bytes, bytes, str]
"""seq, lane, lane_seq, header, payload, hash."""


class Prepared(NamedTuple):
    """Rows ready to be written, the tip after them, and the state bytes in force then (None: unchanged)."""

    rows: tuple[Row, ...]
    tip: Tip
    state: bytes | None
    moment: Moment | Draft | None
    """When the last record of it happened, as that record's draft says; None without records."""


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
        self._last_state: tuple[object, bytes, str] = (None, b"", "")

    def prepare(self, tip: Tip, commits: Sequence[Commit]) -> Prepared:
        """The rows of these commits after `tip`. Raises `ValueError` or `TypeError` for an impossible draft."""
        # One loop almost without calls of our own: it runs once for every record, right after a wait for the disk has
        # left the caches cold, and is held to a ninth of what SQLite takes for it.
        seq, head, state_hash, known = tip
        lanes = dict(known)
        rows: list[Row] = []
        state: bytes | None = None
        draft: Draft | None = None
        kinds, starts, (at, panel) = self._kinds, self._starts, self._panel
        boot: str | None = None
        clock: str | None = None
        start = ""
        for commit in commits:
            if commit.state is not None:
                state, state_hash = self._state(commit.state)
            drafts = commit.drafts
            while drafts:
                due = False
                for draft in drafts:
                    lane, kind, kind_due = kinds.get(draft.kind) or self._kind(draft.kind)
                    if draft.boot is not boot or draft.clock is not clock:
                        boot, clock = draft.boot, draft.clock
                        start = starts.get((boot, clock)) or self._start(boot, clock)
                    lane_seq = lanes[lane] = lanes[lane] + 1
                    seq += 1
                    payload = canonical(draft.payload)
                    header = (
                        f"{start}{kind}{lane_seq}{at}{draft.monotonic_ms}{panel}"
                        f'{sha256(payload).hexdigest()}","prev":"{head}","seq":{seq},'
                        f'"state_hash":"{state_hash}","time":"{draft.time}"}}'
                    ).encode()
                    head = sha256(header).hexdigest()
                    rows.append((seq, lane, lane_seq, header, payload, head))
                    if kind_due:
                        due = True
                drafts = (self.checkpoint(Tip(seq, head, state_hash), _moment(draft)),) if due and draft else ()
        return Prepared(tuple(rows), Tip(seq, head, state_hash, lanes), state, draft)

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
        known, data, hash_ = self._last_state
        if known is not state:
            data = self._encode(state)
            hash_ = sha256(data).hexdigest()
            self._last_state = (state, data, hash_)
        return data, hash_

    def _kind(self, kind: str) -> tuple[str, str, bool]:
        lane = self._lane_of(kind)
        text = f'","kind":{canonical(kind).decode()},"lane":"{lane}","lane_seq":'
        due = kind != CHECKPOINT_KIND and self._is_checkpoint(kind)
        found = self._kinds[kind] = (lane, text, due)
        return found

    def _start(self, boot: str, clock: str) -> str:
        if len(self._starts) > 64:
            self._starts.clear()
        found = f'{{"boot":{canonical(boot).decode()},"clock":"{clock}","journal":"{self.journal}'
        self._starts[boot, clock] = found
        return found


def _moment(draft: Draft) -> Moment:
    return Moment(draft.time, draft.clock, draft.boot, draft.monotonic_ms)
