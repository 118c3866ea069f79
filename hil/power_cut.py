"""`python -m hil.power_cut`: the power is cut at hundreds of moments of a panel's life, block by block.

A real core, uplink, broker and center work while core's disk logs every write and flush. Then the disk is made anew as
a cut at a random write would leave it (what was not flushed is there in part, torn, in any order), the kernel mounts
it, the panel's own code opens the journal, and it is held against what had been shown outside before that moment. In
the negative control the last flushes are taken as never done, as by a card that lies: it must find losses.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hil.broker import Mosquitto
from hil.crash_check import Found, Truth, look, read_truth
from hil.demo_panel import Watcher
from hil.logged_disk import LoggedDisk, mounted, own_mounts, why_not
from hil.stand import Stand
from hil.timeline import Happening
from hil.traffic import DrawnCamera, Ear, Hands
from hil.write_log import Replay, WriteLog

CLOCK_RATE = 10
PER_S = 20.0
FORGET = 3
STARTS = 12
"""At so many of the cuts core itself is started from the image, as a process."""
MEMORY = Path("/dev/shm")  # noqa: S108
EXIT_CANNOT = 2


@dataclass(frozen=True)
class Plan:
    """`cuts` with flushes believed, `control` without the last `FORGET`. `lives` of core end by SIGTERM or SIGKILL."""

    cuts: int = 600
    control: int = 100
    seed: int = 1
    life_s: float = 12.0
    lives: int = 5
    starts: int = STARTS


@dataclass
class Tally:
    """What the cuts found. `lost`: acknowledged records that are gone, over all cuts; `bad_cuts`: with any finding."""

    cuts: int = 0
    at_stake: int = 0
    """Cuts with writes that were not flushed."""
    acknowledged: int = 0
    """Records that had been shown outside before their cut, over all cuts."""
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    unsound: int = 0
    """Cuts after which there was no disk, no journal, another journal, a finding of `verify`, or another key."""
    bad_cuts: int = 0
    starts: int = 0
    texts: list[str] = field(default_factory=list)

    def add(self, found: Found, at: int) -> None:
        """Count one cut."""
        self.cuts += 1
        self.lost += found.lost
        self.duplicated += found.duplicated
        self.altered += found.altered
        self.unsound += bool(found.unsound)
        if found.bad:
            self.bad_cuts += 1
            if len(self.texts) < 20:
                self.texts.append(f"cut behind write {at}: {found.text()}")


@dataclass
class Report:
    """What came of it."""

    plan: Plan
    records: int = 0
    writes: int = 0
    flushes: int = 0
    believed: Tally = field(default_factory=Tally)
    control: Tally = field(default_factory=Tally)
    took_s: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing acknowledged lost, nothing twice or altered; and the control shows that a loss would be seen."""
        return not self.believed.bad_cuts and (not self.plan.control or self.control.lost > 0)


class Acknowledged:
    """What was shown outside, each with the length of the log when it was heard."""

    def __init__(self, disk: LoggedDisk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._seqs: list[tuple[int, int]] = []
        self._lanes: list[tuple[int, str, int]] = []

    def seen(self, happening: Happening) -> None:
        """From the desk's watcher: the durable mark."""
        if happening.what == "durable":
            with self._lock:
                self._seqs.append((self._disk.position(), int(happening.value)))

    def heard(self, message: dict[str, Any]) -> None:
        """From the uplink's socket: heads."""
        if message["type"] == "head":
            with self._lock:
                at = self._disk.position()
                for lane, last in message["journals"][-1]["last"].items():
                    self._lanes.append((at, lane, last))

    def before(self, end: int) -> tuple[int, dict[str, int]]:
        """The highest seq, and of each lane the highest number, heard before the log was so long."""
        lanes: dict[str, int] = {}
        for at, lane, last in self._lanes:
            if at <= end:
                lanes[lane] = max(lanes.get(lane, 0), last)
        return max((seq for at, seq in self._seqs if at <= end), default=0), lanes


def power_cut(plan: Plan) -> Report:
    """Live, then cut. In a mount namespace of its own: call `own_mounts` before."""
    report = Report(plan)
    begin = time.monotonic()
    with ExitStack() as stack:
        place = str(MEMORY) if MEMORY.is_dir() else None
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fh-cut-", dir=place)))
        disk = LoggedDisk(work)
        acknowledged = Acknowledged(disk)
        broker = stack.enter_context(Mosquitto(work))
        stand = stack.enter_context(Stand([broker.port], [broker.port], CLOCK_RATE, disk.folder / "data"))
        with disk:
            _live(plan, stand, acknowledged)
            truth = read_truth(stand)
        log = WriteLog(disk.log)
        report.records, report.writes = len(truth.hashes), sum(e.length > 0 for e in log.entries)
        report.flushes = sum(entry.flushes for entry in log.entries)
        cutter = _Cutter(plan, stand, truth, acknowledged, log, disk)
        report.believed = cutter.cut(plan.cuts, 0, plan.starts)
        report.control = cutter.cut(plan.control, FORGET, 0)
    report.took_s = round(time.monotonic() - begin, 1)
    return report


def _live(plan: Plan, stand: Stand, acknowledged: Acknowledged) -> None:
    stand.start()
    chance = Random(plan.seed)  # noqa: S311
    visitors = (
        Ear(stand.run, acknowledged.heard),
        DrawnCamera(stand.run, stand.data / "evidence", plan.seed),
        Hands(stand.run, chance, PER_S),
    )
    watcher = Watcher(stand.run / "desk.sock", acknowledged.seen)
    watcher.start()
    for visitor in visitors:
        visitor.start()
    for life in range(plan.lives):
        time.sleep(plan.life_s)
        if life % 2:
            stand.core.kill()
        else:
            stand.core.stop()
        if life < plan.lives - 1:
            stand.core.start().ready()
    for visitor in reversed(visitors):
        visitor.stop()
    watcher.stop()
    for part in (stand.uplink, *stand.center_parts):
        part.stop()


class _Cutter:
    def __init__(
        self, plan: Plan, stand: Stand, truth: Truth, acknowledged: Acknowledged, log: WriteLog, disk: LoggedDisk
    ) -> None:
        self._seed = plan.seed
        self._stand = stand
        self._truth = truth
        self._acknowledged = acknowledged
        self._log = log
        self._disk = disk
        self._image = disk.base.with_name("cut.img")

    def cut(self, count: int, forget: int, starts: int) -> Tally:
        """So many cuts, at different writes, from the first to the last."""
        chance = Random(self._seed * 2 + forget)  # noqa: S311
        replay = Replay(self._log, self._disk.base.read_bytes())
        places = range(1, len(self._log.entries) + 1)
        points = sorted(chance.sample(places, min(count, len(places))))
        begun = set(chance.sample(points, min(starts, len(points))))
        tally = Tally()
        for at in points:
            image, staked = replay.cut(at, chance, forget)
            self._image.write_bytes(image)
            tally.at_stake += staked > 0
            seq, lanes = self._acknowledged.before(self._log.entries[at - 1].end)
            tally.acknowledged += seq
            tally.add(self._look(seq, lanes), at)
            if at in begun:
                tally.starts += 1
                self._image.write_bytes(image)
                tally.unsound += not self._starts(tally, at, seq)
        return tally

    def _look(self, seq: int, lanes: dict[str, int]) -> Found:
        try:
            with mounted(self._image, self._disk.folder):
                return look(self._stand, self._truth, seq, lanes)
        except (subprocess.CalledProcessError, OSError) as error:
            return Found(lost=seq, unsound=f"the disk can't be mounted: {error}")

    def _starts(self, tally: Tally, at: int, seq: int) -> bool:
        """Whether core starts from the image, and goes on with the same journal."""
        core = self._stand.core
        try:
            with mounted(self._image, self._disk.folder), _ended(core.kill):
                core.start().ready()
                head = read_truth(self._stand)
        except (subprocess.CalledProcessError, RuntimeError, OSError) as error:
            tally.texts.append(f"cut behind write {at}: core does not start: {error}")
            return False
        begun_anew = head.journal != self._truth.journal and seq > 0
        if begun_anew or len(head.hashes) < seq:
            tally.texts.append(f"cut behind write {at}: core began {head.journal} with {len(head.hashes)} records")
        return not begun_anew and len(head.hashes) >= seq


@contextmanager
def _ended(end: Any) -> Iterator[None]:
    try:
        yield
    finally:
        end()


def main(argv: Sequence[str]) -> int:
    """Cut as the words say. 0: nothing acknowledged lost, and the control found losses; 2: not on this machine."""
    parser = argparse.ArgumentParser(prog="python -m hil.power_cut", description=__doc__)
    parser.add_argument("--cuts", type=int, default=Plan.cuts)
    parser.add_argument("--control", type=int, default=Plan.control)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--life-s", type=float, default=Plan.life_s)
    parser.add_argument("--lives", type=int, default=Plan.lives)
    parser.add_argument("--starts", type=int, default=Plan.starts)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args(argv)
    if why := why_not():
        print(f"no logged disk here: {why}", file=sys.stderr)
        return EXIT_CANNOT
    own_mounts()
    report = power_cut(Plan(words.cuts, words.control, words.seed, words.life_s, words.lives, words.starts))
    found = {**asdict(report), "good": report.good}
    print(json.dumps(found, indent=1) if words.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
