"""`python -m hil.soak`: a real panel's uplink lives through bad networks for as long as asked, and is judged.

Core, uplink, two Mosquittos and two centers are processes; between the uplink and each broker stands a proxy that harms
the link in storms with calms between, and now and then a broker is killed. In the end everything heals, the backlog
drains, core stops, and the files are compared. Exit code 0: nothing lost, doubled, altered, unreceipted; memory flat.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hil.broker import Mosquitto
from hil.fault_proxy import FaultProxy
from hil.faults import Programme, clear_of, storms
from hil.latency import Latencies
from hil.memory_use import rss_mib
from hil.stand import Stand
from hil.traffic import DrawnCamera, Ear, Hands
from hil.verdict import Verdict, judge

SETTLED_S = 60.0
"""So long after the last fault a link may still wait for its next try (the cap of the backoff)."""
SAMPLE_S = 2.0
DRAIN_S = 240.0
GROWTH_MIB = 6.0
"""Memory is flat when the last fifth of the run is less than this above the second fifth."""


@dataclass(frozen=True)
class Plan:
    """How to soak. `storm_s` and `calm_s` alternate; `broker_kill_s`: on average so long between kills in storms."""

    minutes: float = 30.0
    seed: int = 1
    per_s: float = 4.0
    storm_s: float = 180.0
    calm_s: float = 120.0
    broker_kill_s: float = 60.0
    all_paths: bool = False
    """Each alarm by both links at once (`alarm_paths = "all"`)."""

    def edit(self, panel_toml: str) -> str:
        """The panel file as this plan wants it."""
        return panel_toml.replace(
            "[center]\n", '[center]\nalarm_paths = "all"\n' if self.all_paths else "[center]\n", 1
        )

    def programmes(self) -> tuple[Programme, Programme]:
        """What happens on each link. Every other storm is the site's: both links have the same faults."""
        length, period = self.minutes * 60, self.storm_s + self.calm_s
        first, own = (storms(self.seed * 2 + n, length, self.storm_s, self.calm_s) for n in (0, 1))
        common = [fault for fault in first if fault.at_s // period % 2 == 0]
        second = [*common, *(fault for fault in own if fault.at_s // period % 2 == 1)]
        return first, tuple(sorted(second, key=lambda fault: fault.at_s))

    def stormy(self, at_s: float) -> bool:
        """Whether faults may happen at this moment."""
        return at_s % (self.storm_s + self.calm_s) < self.storm_s


@dataclass
class Report:
    """What came of it. Latencies in ms, from a record's own moment to its counted receipt; memory in MiB."""

    plan: Plan
    verdict: Verdict = field(default_factory=Verdict)
    faults: dict[str, int] = field(default_factory=dict)
    broker_kills: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    drain_s: float = 0.0
    waiting_most: int = 0
    alarm_ms: dict[str, float] = field(default_factory=dict)
    alarm_calm_ms: dict[str, float] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all that was promised was kept."""
        return self.verdict.good and not self.problems


def soak(plan: Plan) -> Report:
    """Run it; takes the plan's minutes and what the drain needs."""
    report = Report(plan)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fh-soak-")))
        brokers = [stack.enter_context(Mosquitto(folder)) for _ in range(2)]
        proxies = [stack.enter_context(FaultProxy(broker.port, plan.seed)) for broker in brokers]
        stand = stack.enter_context(Stand([p.port for p in proxies], [b.port for b in brokers], edit=plan.edit))
        stand.start()
        stand.settle()
        _Soak(plan, stand, brokers, proxies, report).run()
    return report


class _Soak:
    def __init__(
        self, plan: Plan, stand: Stand, brokers: list[Mosquitto], proxies: list[FaultProxy], report: Report
    ) -> None:
        self._plan = plan
        self._stand = stand
        self._brokers = brokers
        self._proxies = proxies
        self._report = report
        self._latencies = Latencies()
        self._chance = Random(plan.seed)  # noqa: S311
        self._memory: dict[str, list[float]] = {"core": [], "uplink": []}
        self._ear = Ear(stand.run, self._latencies.heard)
        self._hands = Hands(stand.run, Random(plan.seed + 1), plan.per_s)  # noqa: S311
        self._camera = DrawnCamera(stand.run, stand.data / "evidence", plan.seed)

    def run(self) -> None:
        """Storms, drain, verdict."""
        ended = threading.Event()
        begin = time.monotonic()
        programmes = self._plan.programmes()
        players = [
            threading.Thread(target=proxy.play, args=(programme, ended, begin), daemon=True)
            for proxy, programme in zip(self._proxies, programmes, strict=True)
        ]
        for visitor in (self._ear, self._camera, self._hands):
            visitor.start()
        for player in players:
            player.start()
        try:
            self._live(begin)
        finally:
            ended.set()
            for player in players:
                player.join()
        self._hands.stop()
        self._camera.stop()
        self._drain()
        self._ear.stop()
        self._judge(begin, programmes)

    def _live(self, begin: float) -> None:
        end = begin + self._plan.minutes * 60
        kill_at = begin + self._chance.expovariate(1 / self._plan.broker_kill_s)
        while (now := time.monotonic()) < end:
            time.sleep(min(SAMPLE_S, max(0.0, end - now)))
            self._sample()
            if time.monotonic() >= kill_at:
                kill_at += 1 + self._chance.expovariate(1 / self._plan.broker_kill_s)
                if self._plan.stormy(time.monotonic() - begin):
                    self._kill_a_broker()

    def _kill_a_broker(self) -> None:
        broker = self._chance.choice(self._brokers)
        broker.kill()
        self._report.broker_kills += 1
        time.sleep(self._chance.uniform(0, 3))
        broker.start()

    def _sample(self) -> None:
        for part in (self._stand.core, self._stand.uplink, *self._stand.center_parts):
            if not part.running:
                raise RuntimeError(f"{part.name} ended by itself")
            if part.name in self._memory:
                self._memory[part.name].append(rss_mib(part.pid))
        self._report.waiting_most = max(self._report.waiting_most, self._latencies.waiting())

    def _drain(self) -> None:
        begin = time.monotonic()
        while self._latencies.waiting() and time.monotonic() < begin + DRAIN_S:
            time.sleep(0.1)
        self._report.drain_s = round(time.monotonic() - begin, 1)
        if waiting := self._latencies.waiting():
            self._report.problems.append(f"{waiting} records wait {DRAIN_S:g} s after everything healed")

    def _judge(self, begin: float, programmes: tuple[Programme, Programme]) -> None:
        stand, report = self._stand, self._report
        for part in (stand.core, stand.uplink, *stand.center_parts):
            if code := part.stop():
                report.problems.append(f"{part.name} stopped with {code}: {part.said()}")
        report.verdict = judge(stand.data, stand.public_x(), stand.receipt_x(), stand.centers)
        offset = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()

        def calm(at_ms: int) -> bool:
            at_s = at_ms / 1000 - offset - begin
            quiet = all(clear_of(programme, at_s - SETTLED_S, at_s + 1) for programme in programmes)
            return quiet and not self._plan.stormy(at_s) and at_s < self._plan.minutes * 60

        recorded = self._latencies.recorded(stand.journal, "alarm")
        report.alarm_ms = self._latencies.percentiles(recorded)
        report.alarm_calm_ms = self._latencies.percentiles({n: at for n, at in recorded.items() if calm(at)})
        report.faults = {
            name: sum(proxy.counts[name] for proxy in self._proxies)
            for name in sorted({name for proxy in self._proxies for name in proxy.counts if "fault." in name})
        }
        report.acts = {**self._hands.counts, **self._camera.counts}
        for name, samples in self._memory.items():
            self._flat(name, samples)

    def _flat(self, name: str, samples: list[float]) -> None:
        fifth = max(1, len(samples) // 5)
        early, late = samples[fifth : 2 * fifth] or samples, samples[-fifth:]
        # The least of each: what a code's check holds for a moment (scrypt, 16 MiB) is no growth.
        held = {"early": min(early), "late": min(late), "most": max(samples)}
        self._report.memory[name] = {key: round(value, 1) for key, value in held.items()}
        if held["late"] - held["early"] > GROWTH_MIB:
            self._report.problems.append(f"{name} grew from {held['early']:.1f} to {held['late']:.1f} MiB")


def text(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {**asdict(report), "good": report.good}


def main(argv: Sequence[str]) -> int:
    """Soak as the words say; 0: all was kept."""
    parser = argparse.ArgumentParser(prog="python -m hil.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--per-s", type=float, default=Plan.per_s, help="acts of the simulated hands a second")
    parser.add_argument("--all-paths", action="store_true", help="each alarm by both links at once")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args(argv)
    report = soak(Plan(words.minutes, words.seed, words.per_s, all_paths=words.all_paths))
    if words.json:
        print(json.dumps(text(report), indent=1))
    else:
        for name, value in text(report).items():
            print(f"{name}: {value}")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
