"""The model of the disk held against the real journal on a real SQLite file, in a process that is really killed."""

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.journal import Commit
from firmware.journal.check import link_faults, row_faults
from firmware.protocol.stored import GENESIS, StoredRecord
from hil.life.clock import Calendar, PanelClock
from hil.life.disk import LifeDisk
from hil.life.ground import Ground
from hil.life.sites import ground
from tests.firmware.journal.rig import PANEL, SIGNER, Rig, everything, state_bytes

KILLS = 12
BEGIN_MS = 2_000_000
STEP_MS = 40
"""Between commits: longer than a sync takes in the model, so that each is a transaction of its own in both."""
KINDS_USED = ("alarm.intruder", "zone.bypassed", "area.armed", "area.disarmed", "trouble.mains")
OF_THE_JOURNAL = {"journal", "prev"}
"""A journal's own id is drawn by each, and `prev` follows from it."""


def commit_at(rig: Rig, n: int) -> Commit:
    """The n-th commit: the same in the child and in the model."""
    dice = random.Random(n)
    rig.clock.now_ms = BEGIN_MS + n * STEP_MS
    drafts = tuple(rig.draft(dice.choice(KINDS_USED), n=n, part=i) for i in range(dice.randint(0, 4)))
    return Commit(drafts, f"state {n}" if not drafts or dice.random() < 0.8 else None)


def write_for_ever(folder: Path, n: int, out: int) -> None:
    """In the child: commit, mark as delivered, say how far it is durable."""
    rig = Rig(folder)
    rig.clock.now_ms = BEGIN_MS + n * STEP_MS
    journal = rig.open()
    while True:
        n += 1
        journal.commit([commit_at(rig, n)])
        journal.mark_delivered(journal.mark().journal, "alarm", [(1, n // 4 + 1)])
        os.write(out, b"%d\n" % n)


def acknowledged_before_the_kill(folder: Path, start: int, lines: int) -> int:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_for_ever(folder, start, theirs)
        finally:
            os._exit(1)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as pipe:
        said = b""
        while said.count(b"\n") < lines and (part := pipe.read(4096)):
            said += part
        os.kill(child, signal.SIGKILL)
        while part := pipe.read(4096):
            said += part
    os.waitpid(child, 0)
    return max([start, *(int(line) for line in said.split(b"\n")[:-1])])


class Coin(random.Random):
    """Dice of which the test chooses what becomes of the transaction in flight."""

    lands = False

    def random(self) -> float:
        return 0.0 if self.lands else 0.9


class Model:
    """The modelled disk, fed with the same commits."""

    def __init__(self) -> None:
        place = ground("bank")
        self.ground = Ground(PANEL, place.site, place.config_hash)
        self.clock = PanelClock(Calendar(739_000))
        self.clock.reboot(0)
        self.coin = Coin(7)
        self.disk = LifeDisk(self.ground, self.clock, self.coin, state_bytes, SIGNER)
        self.rig = Rig(Path("nowhere"))
        self.n = 0

    def live(self, acknowledged: int, lands: bool) -> None:
        """Open, write up to `acknowledged`, one more is in flight, die."""
        disk, clock = self.disk, self.clock
        disk.open(clock, clock.now)
        while self.n < acknowledged:
            ticket = self.submit()
            while disk.work(clock.now).ticket < ticket:
                clock.now = disk.next_work() or 0
            disk.mark_delivered(disk.volumes[-1].journal, "alarm", [(1, self.n // 4 + 1)], "")
        self.submit()
        self.coin.lands = lands
        disk.crash(clock.now, power=False)
        self.n = acknowledged + lands

    def submit(self) -> int:
        self.n += 1
        self.clock.now = self.rig.clock.now_ms = BEGIN_MS + self.n * STEP_MS
        return self.disk.submit(commit_at(self.rig, self.n), self.clock.now)

    def records(self) -> list[StoredRecord]:
        return sorted((r for lane in self.disk.volumes[-1].lanes.values() for r in lane), key=lambda r: r.seq)


def members(record: StoredRecord) -> dict[str, Any]:
    """What must be the same; a first record and a checkpoint tell the journal's own id and time."""
    header: dict[str, Any] = json.loads(record.header)
    without = set(OF_THE_JOURNAL)
    if header["kind"] in ("journal.begun", "journal.checkpoint"):
        without |= {"payload_hash"}
        if record.seq <= 2:
            without |= {"time", "monotonic_ms"}
    return {name: value for name, value in header.items() if name not in without}


def faults(records: list[StoredRecord], journal: str) -> Iterator[Any]:
    seq, head = 0, GENESIS
    for r in records:
        row = (r.seq, r.lane, r.lane_seq, r.header, r.payload, r.hash)
        yield from row_faults(row, PANEL, journal, strict=True)
        yield from link_faults(row, seq, head)
        seq, head = r.seq, r.hash


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_the_model_forgets_and_keeps_what_the_real_journal_forgets_and_keeps(rig: Rig, tmp_path: Path) -> None:
    dice = random.Random(20261127)
    model = Model()
    last = 0
    for _ in range(KILLS):
        acknowledged = acknowledged_before_the_kill(tmp_path, last, dice.randint(1, 25))
        rig.clock.now_ms = 9_000_000
        journal = rig.open()
        real = everything(journal)
        said = journal.restored.state or b""
        journal_heads = journal.reader().heads()
        journal._store.close()
        last = max(int(str(said, "ascii").split()[1]), *(json.loads(r.payload or b"{}").get("n", 0) for r in real))
        assert last in (acknowledged, acknowledged + 1), "the model knows no such outcome"
        model.live(acknowledged, lands=last > acknowledged)
        restored = model.disk.volumes[-1]
        ours = model.records()
        assert [members(r) for r in ours] == [members(r) for r in real], f"after {acknowledged}"
        assert restored.state == said
        assert restored.lived[:2] == (journal.restored.boot, journal.restored.monotonic_ms)
        assert restored.head().last == journal_heads[-1].last
        assert restored.head().first_undelivered == journal_heads[-1].first_undelivered
        assert list(faults(ours, restored.journal)) == []
    assert last > KILLS
    assert rig.verify().findings == []
