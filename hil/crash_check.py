"""What a power cut left of a panel's data: the panel's own code opens it, and it is held against what was promised.

The journal must open on the disk as itself, hold every record that had been shown, unaltered and once, verify from end
to end with its state, and take a new record.
"""

import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import rules
from firmware.clock import SystemClock, utc_text
from firmware.core.keys import load_or_make
from firmware.journal.entries import Commit, Draft
from firmware.journal.journal import Journal
from firmware.journal.verify import verify
from firmware.protocol.jws import load_public
from hil.stand import Stand
from rules.vocabulary import KINDS


@dataclass(frozen=True)
class Truth:
    """What the uncut panel's journal holds in the end: its id, and the hash and place in its lane of each record."""

    journal: str
    public_x: str
    hashes: dict[int, tuple[str, int, str]]


@dataclass
class Found:
    """What is wrong after one cut."""

    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    unsound: str = ""

    @property
    def bad(self) -> bool:
        """Whether anything is."""
        return bool(self.lost or self.duplicated or self.altered or self.unsound)

    def text(self) -> str:
        """In words."""
        return f"lost {self.lost}, duplicated {self.duplicated}, altered {self.altered} {self.unsound}"[:500]


def read_truth(stand: Stand) -> Truth:
    """From the files of a stand whose core has stopped, or runs. Raises `OSError` where there is no journal."""
    x = stand.public_x()
    report = verify(stand.journal, load_public(x))
    if not report.journal:
        raise OSError(f"no journal: {report.findings}")
    return Truth(report.journal, x, {seq: (lane, n, own) for seq, lane, n, own in _rows(stand.journal)})


def _rows(journal: Path) -> list[tuple[int, str, int, str]]:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
        return db.execute("SELECT seq, lane, lane_seq, hash FROM record ORDER BY seq").fetchall()


def look(stand: Stand, truth: Truth, shown: int, lanes: dict[str, int]) -> Found:
    """Open and check. `shown`: the highest seq that had been shown outside; `lanes`: each lane's highest number."""
    found = Found()
    if not stand.journal.exists():
        found.lost = shown
        return found
    head = 0
    try:
        head = _open_and_go_on(stand, found, shown)
    except (sqlite3.Error, OSError, ValueError) as error:
        found.unsound = f"can't be opened: {type(error).__name__}: {error}"
    report = verify(stand.journal, load_public(truth.public_x))
    if shown and (report.journal != truth.journal or report.findings):
        found.unsound += f" journal {report.journal}, {report.findings[:2]}"
    rows = []
    with suppress(sqlite3.Error):
        rows = [row for row in _rows(stand.journal) if row[0] <= head]
    _compare(truth, rows, shown, lanes, found)
    return found


def _open_and_go_on(stand: Stand, found: Found, shown: int) -> int:
    """Open as core does, write a record, close; the last `seq` that was there before."""
    keys = load_or_make(stand.data / "keys")
    with tempfile.TemporaryDirectory(prefix="fh-run-") as run:
        journal = Journal.open(
            data=stand.data,
            fallback=Path(run),
            panel=stand.panel,
            signer=keys.signer,
            clock=SystemClock(),
            encode=lambda state: rules.encode(cast(rules.PanelState, state)) if state is not None else b"",
            lane_of=lambda kind: KINDS[kind].lane,
            is_checkpoint=lambda kind: KINDS[kind].checkpoint,
        )
        restored, head = journal.restored, journal.mark().seq
        if journal.place != "disk" or journal.storage_trouble or (shown and restored.trouble):
            found.unsound = f"{journal.place} {journal.storage_trouble} {restored.trouble}"
        if restored.state is not None:
            rules.decode(restored.state)  # raises ValueError for a state that can't be read
        elif shown > 1:
            found.unsound += " no state"
        journal.commit([Commit((_draft(),))])
        journal.close()
        return head


def _draft() -> Draft:
    clock = SystemClock()
    return Draft(
        "area.disarmed", {"areas": []}, utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms()
    )


def _compare(
    truth: Truth, rows: list[tuple[int, str, int, str]], shown: int, lanes: dict[str, int], found: Found
) -> None:
    held = {seq: (lane, n, own) for seq, lane, n, own in rows}
    found.duplicated = 2 * len(rows) - len(held) - len({(lane, n) for _, lane, n, _ in rows})
    # The same numbers may name other records above what was shown: the panel went on from there in another life.
    found.altered = sum(seq in held and held[seq] != truth.hashes.get(seq) for seq in range(1, shown + 1))
    places = {(lane, n) for _, lane, n, _ in rows}
    # Shown on the desk by seq, to the uplink by the lanes' numbers: often the same record.
    by_seq = sum(seq not in held for seq in range(1, shown + 1))
    by_lane = sum((lane, n) not in places for lane, last in lanes.items() for n in range(1, last + 1))
    found.lost = max(by_seq, by_lane)
