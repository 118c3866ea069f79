"""`python -m hil.kills`: SIGKILL to core, uplink, broker and center at random, one or all, in the midst of traffic.

After each death of core its file is read before it starts again: what was shown as durable on the desk is there, and
nothing that was there has changed. In the end the backlog drains and the files are compared: what the center receipted,
and what core counted, is held. Exit code 0: nothing acknowledged was lost. A kill never tests fsync: `hil.power_cut` is
for that.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from hil.broker import Mosquitto
from hil.demo_panel import Watcher
from hil.latency import Latencies
from hil.stand import Part, Stand
from hil.timeline import Happening
from hil.traffic import DrawnCamera, Ear, Hands
from hil.verdict import Verdict, judge

WEIGHTS = {"core": 8, "uplink": 5, "broker": 3, "center-1": 3, "all": 2}
LONGEST_S = 1.6
"""Between two kills; a core is ready after about a second of work, so many die while they start."""
CLOCK_RATE = 10
PER_S = 12.0
DRAIN_S = 240.0
NOTICED_S = 5.0


@dataclass
class Report:
    """What came of it. `kills`: SIGKILLs by process; `starting`: those that hit core before it was ready."""

    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    starting: int = 0
    shown: int = 0
    """Records that were shown as durable."""
    shown_lost: int = 0
    receipted_before_drain: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    acts: dict[str, int] = field(default_factory=dict)
    drain_s: float = 0.0
    took_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing acknowledged was lost, and nothing else went wrong."""
        return self.verdict.good and not self.shown_lost and not self.problems


class _Broker:
    """A Mosquitto with the manners of a `Part`."""

    name = "broker"

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self.running = True

    def start(self) -> None:
        self._broker.start()
        self.running = True

    def kill(self) -> None:
        self._broker.kill()
        self.running = False


class _Proof:
    """What was shown as durable, held against the file of a dead core."""

    def __init__(self, journal: Path, report: Report) -> None:
        self._journal = journal
        self._report = report
        self._lock = threading.Lock()
        self._shown: dict[str, int] = {}
        self._known: tuple[int, str] = (0, "")

    def seen(self, happening: Happening) -> None:
        """What the desk shows, in the watcher's thread."""
        if happening.what == "durable":
            with self._lock:
                self._shown[happening.name] = max(self._shown.get(happening.name, 0), int(happening.value))

    def check(self) -> None:
        """The file of the dead core holds all that was shown, and all that it held at the last check."""
        with self._lock:
            shown = max(self._shown.values(), default=0)
            journals = len(self._shown)
        self._report.shown = shown
        if journals > 1:
            self._problem(f"{journals} journals were begun")
        if not self._journal.exists():
            if shown:
                self._problem("the journal is gone")
            return
        seq, before = self._known
        with closing(sqlite3.connect(f"file:{self._journal}?mode=ro", uri=True)) as db:
            try:
                head = db.execute("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
                same = db.execute("SELECT hash FROM record WHERE seq = ?", (seq,)).fetchone() if seq else ("",)
            except sqlite3.OperationalError:  # it died before it had laid its tables
                head, same = (0, ""), ("",) if not seq else None
        if head[0] < shown:
            self._report.shown_lost += shown - head[0]
            self._problem(f"record {shown} was shown as durable, the file ends at {head[0]}")
        if same is None or same[0] != before:
            self._report.shown_lost += 1
            self._problem(f"record {seq} is gone or altered")
        self._known = (int(head[0]), str(head[1]))

    def _problem(self, text: str) -> None:
        if len(self._report.problems) < 20:
            self._report.problems.append(text)


def kills(count: int, seed: int) -> Report:
    """Kill so often, about one and a half a second on an idle machine; then drain and judge."""
    report = Report(seed)
    begin = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fh-kills-")))
        broker = stack.enter_context(Mosquitto(folder))
        stand = stack.enter_context(Stand([broker.port], [broker.port], CLOCK_RATE))
        stand.start()
        _Kills(count, seed, stand, broker, report).run()
    report.took_s = round(time.monotonic() - begin, 1)
    return report


class _Kills:
    def __init__(self, count: int, seed: int, stand: Stand, broker: Mosquitto, report: Report) -> None:
        self._count = count
        self._chance = Random(seed)  # noqa: S311
        self._stand = stand
        self._report = report
        self._parts: dict[str, Part | _Broker] = {
            "core": stand.core,
            "uplink": stand.uplink,
            "broker": _Broker(broker),
            "center-1": stand.center_parts[0],
        }
        self._kills: Counter[str] = Counter()
        self._first = self._chance.sample(tuple(WEIGHTS), len(WEIGHTS))
        """Everyone once, so that a short run has each; then by weight."""
        self._proof = _Proof(stand.journal, report)
        self._watcher = Watcher(stand.run / "desk.sock", self._proof.seen)
        self._hands = Hands(stand.run, Random(seed + 1), PER_S)  # noqa: S311
        self._camera = DrawnCamera(stand.run, stand.data / "evidence", seed)

    def run(self) -> None:
        """Kill, drain, judge."""
        for visitor in (self._watcher, self._camera, self._hands):
            visitor.start()
        while sum(self._kills.values()) < self._count:
            time.sleep(self._chance.uniform(0, LONGEST_S))
            self._strike()
        self._hands.stop()
        self._camera.stop()
        self._watcher.stop()
        self._drain()
        self._judge()

    def _strike(self) -> None:
        by_weight = self._chance.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
        chosen = self._first.pop() if self._first else by_weight
        victims = [*self._parts] if chosen == "all" else [chosen]
        for name in victims:
            if name == "core" and not self._watcher.watching.is_set():
                self._report.starting += 1
            self._parts[name].kill()
            self._kills[name] += 1
        if "core" in victims:
            self._wait_noticed()
            self._proof.check()
        time.sleep(self._chance.choice((0.0, 0.0, self._chance.uniform(0, 0.5))))
        for name in victims:
            self._parts[name].start()

    def _wait_noticed(self) -> None:
        """Until the watcher has read all that the dead core said."""
        end = time.monotonic() + NOTICED_S
        while self._watcher.watching.is_set() and time.monotonic() < end:
            time.sleep(0.005)

    def _drain(self) -> None:
        for part in (self._stand.core, self._stand.uplink, *self._stand.center_parts):
            if not part.running:
                self._report.problems.append(f"{part.name} ended by itself")
                part.start()
        heard = Latencies()
        ear = Ear(self._stand.run, heard.heard)
        ear.start()
        begin = time.monotonic()
        self._report.receipted_before_drain = self._receipted()
        while heard.waiting() and time.monotonic() < begin + DRAIN_S:
            time.sleep(0.1)
        self._report.drain_s = round(time.monotonic() - begin, 1)
        if waiting := heard.waiting():
            self._report.problems.append(f"{waiting} records wait {DRAIN_S:g} s after the last kill")
        ear.stop()

    def _receipted(self) -> int:
        with closing(sqlite3.connect(f"file:{self._stand.centers[0] / 'center.sqlite'}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT COUNT(*) FROM records").fetchone()[0])

    def _judge(self) -> None:
        stand, report = self._stand, self._report
        for part in (stand.core, stand.uplink, *stand.center_parts):
            if code := part.stop():
                report.problems.append(f"{part.name} stopped with {code}: {part.said()}")
        report.kills = {**self._kills, "in all": sum(self._kills.values())}
        report.acts = {**self._hands.counts, **self._camera.counts}
        report.verdict = judge(stand.data, stand.public_x(), stand.receipt_x(), stand.centers)


def main(argv: Sequence[str]) -> int:
    """Kill as the words say; 0: nothing acknowledged was lost."""
    parser = argparse.ArgumentParser(prog="python -m hil.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args(argv)
    report = kills(words.kills, words.seed)
    found = {**asdict(report), "good": report.good}
    print(json.dumps(found, indent=1) if words.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
