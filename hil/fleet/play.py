"""The run of a fleet: all panels power up at once, live a while, are all cut at once, and come back.

Everything is measured from outside of the delivery logic: tries to connect, connections, receipts, and what the three
processes (all panels in this one, the broker, the center) take of the processor and of memory.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from random import Random

from firmware.clock import SystemClock
from firmware.protocol.jws import KeyRing, load_public
from hil.broker import HOST
from hil.fleet.broker import FleetBroker
from hil.fleet.center import CenterProcess
from hil.fleet.panel import FleetPanel
from hil.fleet.report import BIN_MS, Cost, Report, Rush, Terms, most_in, spread
from hil.fleet.tally import Receipted, Tally, per_bin
from hil.fleet.wire import Way
from hil.memory_use import cpu_s, rss_mib

UP_WITHIN_S = 120.0
LOOK_S = 0.05
NOWHERE = Way(HOST, 1)
"""Nobody listens there."""


class Fleet:
    """One run. `center` and `broker` are running."""

    def __init__(self, terms: Terms, broker: FleetBroker, folder: Path) -> None:
        self._terms = terms
        self._broker = broker
        self._folder = folder
        self._random = Random(terms.seed)  # noqa: S311
        self._clock = SystemClock()
        self._tally = Tally()
        self._panels: list[FleetPanel] = []
        self._number = 0

    async def play(self) -> Report:
        """All of it. Raises `RuntimeError` or `TimeoutError` when the fleet does not come up or back."""
        own_before = rss_mib("self")
        ring = _LateRing()
        self._panels = [self._panel(f"fleet-{number:05d}", ring) for number in range(self._terms.panels)]
        center = CenterProcess(self._broker.center_port, self._folder / "center", {p.id: p.x for p in self._panels})
        try:
            ring.fill(center.receipt_x)
            report = Report(asdict(self._terms), await self._rush(self._power_up))
            await self._live(report, center, own_before)
            if self._terms.cut != "none":
                await self._cut(report)
            await self._close(report, center)
        finally:
            for panel in self._panels:
                panel.stop()
            await asyncio.sleep(0)
            center.stop()
        return report

    def _panel(self, id_: str, ring: KeyRing) -> FleetPanel:
        random = Random(f"{self._terms.seed}-{id_}")  # noqa: S311
        return FleetPanel(id_, self._broker.way(id_), ring, random, self._clock, self._tally)

    async def _power_up(self) -> None:
        for panel in self._panels:
            panel.start()

    async def _live(self, report: Report, center: CenterProcess, own_before: float) -> None:
        """Ordinary life, and what it costs."""
        pids = {"panels": "self", "broker": str(self._broker.pid), "center": str(center.pid)}
        empty = {"panels": own_before, "broker": 0.0, "center": 0.0}
        begin, before = time.monotonic(), {name: cpu_s(pid) for name, pid in pids.items()}
        start_ms = self._clock.monotonic_ms()
        await self._happen(self._terms.seconds)
        span, count = time.monotonic() - begin, self._terms.panels
        for name, pid in pids.items():
            busy, held = (cpu_s(pid) - before[name]) / span, rss_mib(pid)
            each = (held - empty[name]) * 1024 / count
            report.costs[name] = Cost(100 * busy, held, 1000 * busy / count, each)
        report.alarm_ms = spread([r.counted_ms - r.recorded_ms for r in self._alarms(start_ms)])

    async def _cut(self, report: Report) -> None:
        start_ms = self._clock.monotonic_ms()
        happenings = asyncio.create_task(self._happen(self._terms.dark_s + 5))
        report.return_ = await self._rush(self._darken)
        await happenings
        await self._settled()
        report.alarm_after_link_ms = spread([r.since_link_ms() for r in self._alarms(start_ms)])

    async def _darken(self) -> None:
        if self._terms.cut == "broker":
            self._broker.kill()
            await asyncio.sleep(self._terms.dark_s)
            await asyncio.to_thread(self._broker.start)
            return
        ways = [panel.way for panel in self._panels]
        for panel in self._panels:
            panel.way = NOWHERE if self._terms.dark_s else panel.way
            panel.cut()
        await asyncio.sleep(self._terms.dark_s)
        for panel, way in zip(self._panels, ways, strict=True):
            panel.way = way

    async def _rush(self, begin: Callable[[], Awaitable[None]]) -> Rush:
        """All panels connect at once; until all are back and every record is receipted."""
        tally, start_ms = self._tally, self._clock.monotonic_ms()
        tally.late_ms = 0
        at, opened, known = len(tally.attempts), len(tally.opens), tally.reasons.copy()
        await begin()
        await self._until(lambda: len(tally.opens) - opened >= len(self._panels) and self._all_open())
        back_ms = self._clock.monotonic_ms()
        await self._settled()
        end_ms = self._clock.monotonic_ms()
        attempts, opens = sorted(tally.attempts[at:]), tally.opens[opened:]
        return Rush(
            attempts=len(attempts),
            most_attempts_in_1_s=most_in(attempts, 1000),
            all_back_s=(back_ms - start_ms) / 1000,
            all_receipted_s=(end_ms - start_ms) / 1000,
            attempts_per_bin=per_bin(attempts, start_ms, back_ms + 1, BIN_MS),
            opens_per_bin=per_bin(opens, start_ms, back_ms + 1, BIN_MS),
            reasons=dict(tally.reasons - known),
            refused=sum(tally.refusals.values()),
            late_ms=tally.late_ms,
        )

    async def _happen(self, seconds: float) -> None:
        """Records all over the fleet, at random, at the rates of the terms."""
        terms, end = self._terms, time.monotonic() + seconds
        rate = terms.alarms_per_s + terms.statuses_per_s
        while (left := end - time.monotonic()) > 0:
            pause = self._random.expovariate(rate) if rate else left
            await asyncio.sleep(min(pause, left))
            if pause < left:
                lane = "alarm" if self._random.random() * rate < terms.alarms_per_s else "status"
                self._number += 1
                self._random.choice(self._panels).record(lane, self._number)

    async def _close(self, report: Report, center: CenterProcess) -> None:
        await self._settled()
        tally = self._tally
        report.records = sum(panel.head[1] for panel in self._panels)
        report.heartbeats = tally.heartbeats
        report.publishes = dict(tally.publishes)
        report.receipts_refused = dict(tally.refusals)
        heads = {panel.id: panel.head for panel in self._panels if panel.head[1]}
        report.problems = await asyncio.to_thread(center.problems, heads)
        report.center = await asyncio.to_thread(center.counts)

    async def _settled(self) -> None:
        await self._until(lambda: not any(panel.waiting() for panel in self._panels))

    def _all_open(self) -> bool:
        return all(panel.open for panel in self._panels)

    async def _until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + UP_WITHIN_S + self._terms.dark_s
        while not holds():
            if time.monotonic() > end:
                waiting = sum(panel.waiting() for panel in self._panels)
                closed = sum(not panel.open for panel in self._panels)
                why = f"{closed} panels not connected, {waiting} records not receipted"
                raise TimeoutError(f"{why}; {dict(self._tally.reasons.most_common(5))}")
            await asyncio.sleep(LOOK_S)

    def _alarms(self, since_ms: int) -> list[Receipted]:
        return [r for r in self._tally.receipts if r.lane == "alarm" and r.recorded_ms >= since_ms]


class _LateRing(KeyRing):
    """The keys of a center that is started after the panels are made."""

    def __init__(self) -> None:
        super().__init__([])

    def fill(self, x: str) -> None:
        super().__init__([load_public(x)])


def play(terms: Terms, folder: Path) -> Report:
    """Play a fleet in `folder`."""
    with FleetBroker(folder, terms.tls) as broker:
        return asyncio.run(Fleet(terms, broker, folder).play())
