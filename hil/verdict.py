"""What became of a panel's records, told from the files alone: the panel's journals and the centers' stores.

Shares nothing with the delivery that it judges but the hash of a record. *Lost*: in the journal, at no center.
*Receipted and lost*: a center said that it holds it, or core counted that, and no center does; or a center holds it
and the journal no longer does. *Doubled*: an identity that one center holds twice. *Altered*: another hash, or one that
does not fit. *Out of order*: sorted by `seq`, a lane's numbers have a gap or go back. (Arrival order is not record
order: what is live goes before what is stored.)
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware.journal.check import read_delivered
from firmware.journal.verify import verify
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import KeyRing, load_public
from hil.stand_center import RECEIPTS

MAX_TEXTS = 20


@dataclass
class Verdict:
    """Counts, and the first few findings in words."""

    records: int = 0
    journals: int = 0
    lost: int = 0
    receipted_lost: int = 0
    doubled: int = 0
    altered: int = 0
    out_of_order: int = 0
    unreceipted: int = 0
    """Delivered to a center, and core does not know it."""
    unsound: int = 0
    """Findings of `fenghuo journal verify`."""
    came_again: int = 0
    """Arrivals of a record that the center held already: no harm, identity is (panel, journal, seq)."""
    texts: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, doubled, altered or out of order, all receipted, every journal sound."""
        bad = self.lost, self.receipted_lost, self.doubled, self.altered, self.out_of_order, self.unreceipted
        return not any((*bad, self.unsound)) and self.records > 0

    def add(self, text: str) -> None:
        """Keep a finding in words; beyond `MAX_TEXTS` only counts grow."""
        if len(self.texts) < MAX_TEXTS:
            self.texts.append(text)


@dataclass(frozen=True)
class _Held:
    """One record somewhere."""

    lane: str
    lane_seq: int
    hash: str


_Records = dict[tuple[str, int], _Held]
"""By journal and seq."""


def judge(data: Path, public_x: str, receipt_x: Sequence[str], centers: Sequence[Path]) -> Verdict:
    """Judge a panel whose core has stopped. `centers`: their folders."""
    verdict = Verdict()
    panel: _Records = {}
    delivered: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for file in sorted(data.glob("journal*.sqlite")):
        _journal(verdict, file, public_x, receipt_x, panel, delivered)
    verdict.records = len(panel)
    verdict.journals = len({journal for journal, _ in panel})
    stores = [_store(verdict, folder / "center.sqlite") for folder in centers]
    held: _Records = {}
    for store in stores:
        for place, record in store.items():
            if place in panel and panel[place] != record:
                verdict.altered += 1
                verdict.add(f"{place}: a center holds {record}, the journal {panel[place]}")
        held |= store
    _lost(verdict, panel, held)
    _order(verdict, held)
    _receipted(verdict, held, delivered)
    _delivered(verdict, panel, delivered)
    for folder, store in zip(centers, stores, strict=True):
        _receipted(verdict, store, _noted(folder / RECEIPTS))
    return verdict


def _journal(
    verdict: Verdict,
    file: Path,
    public_x: str,
    receipt_x: Sequence[str],
    panel: _Records,
    delivered: dict[tuple[str, str], list[tuple[int, int]]],
) -> None:
    report = verify(file, load_public(public_x), KeyRing([load_public(x) for x in receipt_x]))
    verdict.unsound += len(report.findings)
    for finding in report.findings:
        verdict.add(f"{file.name}: {finding}")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        for seq, lane, lane_seq, own in db.execute("SELECT seq, lane, lane_seq, hash FROM record"):
            panel[report.journal, seq] = _Held(lane, lane_seq, own)
        good, _ = read_delivered(db, report.panel, report.journal, KeyRing([load_public(public_x)]))
    for lane, ranges in good.items():
        delivered[report.journal, lane] = list(ranges.items)


def _store(verdict: Verdict, file: Path) -> _Records:
    held: _Records = {}
    places: Counter[tuple[str, str, int]] = Counter()
    identities: Counter[tuple[str, int]] = Counter()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        for journal, seq, lane, lane_seq, own, text in db.execute(
            "SELECT journal, seq, lane, lane_seq, hash, header FROM records"
        ):
            header: dict[str, Any] = json.loads(text)
            told = (header["journal"], header["seq"], header["lane"], header["lane_seq"])
            if sha256_hex(canonical(header)) != own or told != (journal, seq, lane, lane_seq):
                verdict.altered += 1
                verdict.add(f"{journal} {seq}: the center's record does not fit its hash")
            held[journal, seq] = _Held(lane, lane_seq, own)
            identities[journal, seq] += 1
            places[journal, lane, lane_seq] += 1
        counts = dict(db.execute("SELECT name, SUM(n) FROM counts GROUP BY name").fetchall())
    verdict.doubled += sum(n - 1 for n in (*identities.values(), *places.values()))
    verdict.came_again += counts.get("duplicate", 0)
    for name, count in counts.items():
        if name == "rival" or name.startswith("finding."):
            verdict.altered += count
            verdict.add(f"{file.parent.name}: {name} {count}")
    return held


def _lost(verdict: Verdict, panel: _Records, held: _Records) -> None:
    for place, record in panel.items():
        if place not in held:
            verdict.lost += 1
            verdict.add(f"{place}: {record.lane} {record.lane_seq} is at no center")
    for place, record in held.items():
        if place not in panel:
            verdict.receipted_lost += 1
            verdict.add(f"{place}: {record.lane} {record.lane_seq} is at a center, and gone from the journal")


def _order(verdict: Verdict, held: _Records) -> None:
    numbers: dict[tuple[str, str], int] = {}
    for (journal, seq), record in sorted(held.items()):
        before = numbers.get((journal, record.lane), 0)
        if record.lane_seq != before + 1:
            verdict.out_of_order += 1
            verdict.add(f"{journal} {seq}: {record.lane} {record.lane_seq} follows {before}")
        numbers[journal, record.lane] = record.lane_seq


def _receipted(verdict: Verdict, held: _Records, receipts: dict[tuple[str, str], list[tuple[int, int]]]) -> None:
    places = {(journal, record.lane, record.lane_seq) for (journal, _), record in held.items()}
    for (journal, lane), ranges in receipts.items():
        for number in _numbers(ranges):
            if (journal, lane, number) not in places:
                verdict.receipted_lost += 1
                verdict.add(f"{journal} {lane} {number} was receipted, and is not held")


def _delivered(verdict: Verdict, panel: _Records, delivered: dict[tuple[str, str], list[tuple[int, int]]]) -> None:
    known = {place: set(_numbers(ranges)) for place, ranges in delivered.items()}
    for (journal, _), record in panel.items():
        if record.lane_seq not in known.get((journal, record.lane), ()):
            verdict.unreceipted += 1
            verdict.add(f"{journal} {record.lane} {record.lane_seq} has no receipt")


def _numbers(ranges: Iterable[tuple[int, int]]) -> Iterable[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def _noted(file: Path) -> dict[tuple[str, str], list[tuple[int, int]]]:
    noted: dict[tuple[str, str], list[tuple[int, int]]] = {}
    # The end of the file of a killed center may be half a line.
    for line in file.read_text().splitlines(keepends=True) if file.exists() else ():
        words = line.split()
        if line.endswith("\n") and len(words) == 5:
            noted.setdefault((words[0], words[1]), []).append((int(words[2]), int(words[3])))
    return noted
