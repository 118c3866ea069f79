"""How far the center holds one journal: which records, and between which of them the chain is verified.

Records arrive in any order. Each new one is linked with its neighbours by `prev`; what is linked becomes one
run. Two runs that touch without linking are a break: somebody altered a record, or a panel forked its journal.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True)
class Run:
    """Records `first` to `last`, all held and linked. `prev` is that of `first`, `hash` that of `last`."""

    first: int
    last: int
    prev: str
    hash: str


class Chain:
    """The runs of one journal, lowest first. Memory grows with the gaps, not with the records."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._runs: list[Run] = []
        self._base = (0, GENESIS)
        self.held = 0
        """How many records are held."""

    @property
    def runs(self) -> Sequence[Run]:
        """All runs, lowest first, none overlapping."""
        return tuple(self._runs)

    @property
    def base(self) -> int:
        """Records up to here are gone from the panel, as it signed; 0 for none."""
        return self._base[0]

    def rebase(self, seq: int, own_hash: str) -> None:
        """The panel signed that its journal now begins behind this record. A lower one than known changes nothing."""
        if seq > self.base:
            self._base = (seq, own_hash)

    def add(self, seq: int, prev: str, own_hash: str) -> list[int]:
        """Take in a record that was not held before; return the places (`seq` of the later record) where no link fits.

        A record that is held already changes nothing.
        """
        if self._run_at(seq) is not None:
            return []
        self.held += 1
        place = bisect_right(self._firsts, seq)
        left = self._runs[place - 1] if place else None
        right = self._runs[place] if place < len(self._runs) else None
        merged, low, high = Run(seq, seq, prev, own_hash), place, place
        broken: list[int] = []
        if left and left.last == seq - 1 and left.hash == prev:
            merged, low = Run(left.first, seq, left.prev, own_hash), place - 1
        elif (left and left.last == seq - 1) or (seq == 1 and prev != GENESIS):
            broken.append(seq)
        if right and right.first == seq + 1 and right.prev == own_hash:
            merged, high = Run(merged.first, right.last, merged.prev, right.hash), place + 1
        elif right and right.first == seq + 1:
            broken.append(seq + 1)
        self._runs[low:high] = [merged]
        self._firsts[low:high] = [merged.first]
        return broken

    def joined(self, first: int, last: int) -> bool:
        """Whether every record from `first` to `last` is held and linked, so that the last hash vouches for all."""
        run = self._run_at(first)
        return run is not None and first <= last <= run.last

    def breaks(self) -> list[int]:
        """The `seq` of each held record whose `prev` does not fit the record before it (or the start)."""
        found = [
            later.first
            for earlier, later in zip(self._runs, self._runs[1:], strict=False)
            if earlier.last + 1 == later.first
        ]
        if self._runs and self._runs[0].first == 1 and self._runs[0].prev != GENESIS:
            found.insert(0, 1)
        return found

    def gaps(self, head: int) -> list[tuple[int, int]]:
        """The ranges of `seq` behind the base, up to `head`, that are not held, ends included."""
        found, after = [], self.base + 1
        for run in self._runs:
            if run.first > head:
                break
            if run.first > after:
                found.append((after, run.first - 1))
            after = max(after, run.last + 1)
        return [*found, (after, head)] if after <= head else found

    def verified(self) -> int:
        """Up to which record the chain is verified, from the first one or the base on; 0 when there is none."""
        seq, own_hash = self._base
        run = self._run_at(seq + 1)
        if run is None:
            return seq
        begins = run.prev == own_hash if run.first == seq + 1 else run.first <= seq
        return run.last if begins else seq

    def run_of(self, seq: int) -> Run | None:
        """The run that this record is in, None when it is not held."""
        return self._run_at(seq)

    def _run_at(self, seq: int) -> Run | None:
        place = bisect_right(self._firsts, seq) - 1
        if place < 0 or self._runs[place].last < seq:
            return None
        return self._runs[place]


def receipt_ranges(chain: Chain, arrived: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The ranges that a receipt for these records of one lane may hold: (first, last, hash of the last).

    `arrived` are (lane_seq, seq, hash). Two neighbours of the lane share a range only where the chain between them
    is held and verified: then the last hash vouches for all. Else an uplink that alters a record in the middle would
    get it receipted by the hash of an honest one.
    """
    ranges: list[tuple[int, int, str]] = []
    start = before = (0, 0)
    for lane_seq, seq, own_hash in sorted(arrived):
        if ranges and lane_seq == before[0] + 1 and seq > before[1] and chain.joined(start[1], seq):
            ranges[-1] = (ranges[-1][0], lane_seq, own_hash)
        else:
            ranges.append((lane_seq, lane_seq, own_hash))
            start = (lane_seq, seq)
        before = (lane_seq, seq)
    return ranges


def compress(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers as ranges, ends included, lowest first."""
    ordered = sorted(set(numbers))
    starts = [i for i, n in enumerate(ordered) if i == 0 or ordered[i - 1] != n - 1]
    ends = [*starts[1:], len(ordered)][: len(starts)]
    return [(ordered[a], ordered[b - 1]) for a, b in zip(starts, ends, strict=True)]
