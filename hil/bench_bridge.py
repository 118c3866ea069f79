"""`python -m hil.bench_bridge`: our journal and uplink beside Mosquitto's bridge with persistence, on the same work.

Three works for each: a backlog that drains when the link returns, with an alarm made in that moment; kills of all that
runs on the panel, amid traffic and a broken link; power cuts, block by block, while records wait. A record counts as
lost when its producer was told that it is kept, and the center never gets it. Power cuts need root; else they are left
out.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from hil.bridge import Bridge, Collector, bridging
from hil.broker import Mosquitto
from hil.carrier import Carrier, boot_ms
from hil.fault_proxy import FaultProxy
from hil.faults import CLEAR, Weather
from hil.logged_disk import LoggedDisk, mounted, own_mounts, why_not
from hil.own_carrier import Own, reopened
from hil.write_log import Replay, WriteLog

DOWN = Weather(welcome="refuse")
LIMIT_S = 300.0
WARM = 20
KILL_PER_S = 100.0
CUT_PER_S = 200.0
QUIET_S = 0.7


@dataclass(frozen=True)
class Plan:
    """How much work. Records of the backlog, kills, records made amid them, power cuts, records made before them."""

    backlog: int = 5000
    kills: int = 15
    killed_records: int = 3000
    cuts: int = 40
    cut_records: int = 1500
    seed: int = 1


@dataclass
class Row:
    """What one carrier did. None: not measured."""

    name: str
    kept_per_s: float | None = None
    """How fast it takes a backlog while the link is down."""
    drain_per_s: float | None = None
    """From the new connection until the center had stored the last."""
    alarm_ms: float | None = None
    """From the new connection, or the alarm's making where that came later, until the center had stored the alarm."""
    reconnect_s: float | None = None
    kill_kept: int | None = None
    kill_lost: int | None = None
    kill_again: int | None = None
    """Arrivals of what the center had: ours bear an identity by which it knows them."""
    cut_cuts: int | None = None
    cut_bad: int | None = None
    """Cuts after which something that was kept is gone."""
    cut_lost: int | None = None
    cut_lost_most: int | None = None


class Kind:
    """How to make one carrier; `on_changes` None: ours."""

    def __init__(self, on_changes: bool | None) -> None:
        self.on_changes = on_changes

    @contextmanager
    def carrier(self, work: Path, link: int, remote: int, data: Path | None = None) -> Iterator[Carrier]:
        """One that runs."""
        if self.on_changes is None:
            made: Carrier = Own(data, link, remote)
        else:
            made = Bridge(work, data or work / "data", link, remote, self.on_changes)
        try:
            made.start()
            yield made
        finally:
            made.close()


KINDS = (Kind(None), Kind(False), Kind(True))


@contextmanager
def _link(work: Path) -> Iterator[tuple[Mosquitto, FaultProxy]]:
    with Mosquitto(work) as remote, FaultProxy(remote.port) as proxy:
        yield remote, proxy


def drain(kind: Kind, work: Path, plan: Plan) -> Row:
    """A backlog made while the link is down, and how it goes when it is back."""
    with _link(work) as (remote, proxy), kind.carrier(work, proxy.port, remote.port) as carrier:
        row = Row(carrier.name)
        carrier.make(WARM, 0)
        carrier.wait_kept(WARM, LIMIT_S)
        carrier.wait_arrived(WARM, LIMIT_S)
        proxy.set(DOWN)
        proxy.break_all("reset")
        begin = time.monotonic()
        carrier.make(plan.backlog, 0)
        if not carrier.wait_kept(WARM + plan.backlog, LIMIT_S):
            return row
        row.kept_per_s = plan.backlog / (time.monotonic() - begin)
        accepted = proxy.counts["accepted"]
        proxy.heal()
        healed = boot_ms()
        carrier.make(1, 0, "alarm")
        while proxy.counts["accepted"] == accepted and boot_ms() < healed + LIMIT_S * 1000:
            time.sleep(0.001)
        connected = boot_ms()
        row.reconnect_s = (connected - healed) / 1000
        carrier.wait_arrived(WARM + plan.backlog + 1, LIMIT_S)
        arrived = carrier.arrived()
        if carrier.kept.keys() <= arrived.keys():
            row.drain_per_s = plan.backlog * 1000 / max(1, max(arrived.values()) - connected)
            alarm = carrier.alarms[-1]
            row.alarm_ms = arrived[alarm] - max(connected, carrier.kept[alarm])
    return row


def killed(kind: Kind, work: Path, plan: Plan, row: Row, quiet_s: float = 40.0) -> None:
    """SIGKILL to the panel's side at random, the link down in the midst. `quiet_s`: after it nothing more will come."""
    chance = Random(plan.seed)  # noqa: S311
    with _link(work) as (remote, proxy), kind.carrier(work, proxy.port, remote.port) as carrier:
        carrier.make(plan.killed_records, KILL_PER_S)
        for number in range(plan.kills):
            time.sleep(chance.uniform(0.3, 2.0))
            if number in (plan.kills // 3, 2 * plan.kills // 3):
                down = number == plan.kills // 3
                proxy.set(DOWN if down else CLEAR)
                if down:
                    proxy.break_all("reset")
            carrier.kill()
            carrier.start()
            if kind.on_changes is None:
                carrier.make(plan.killed_records - len(carrier.kept), KILL_PER_S)
        proxy.heal()
        carrier.wait_kept(plan.killed_records, LIMIT_S)
        carrier.wait_quiet(LIMIT_S, quiet_s)
        row.kill_kept = len(carrier.kept)
        row.kill_lost = len(carrier.kept.keys() - carrier.arrived().keys())
        row.kill_again = carrier.again()


def cut(kind: Kind, work: Path, plan: Plan, row: Row) -> None:
    """The power goes while records wait for the link: what is there afterwards of what was kept?"""
    disk = LoggedDisk(work)
    kept: list[tuple[int, int]] = []
    with disk, _link(work) as (remote, proxy):
        proxy.set(DOWN)
        with kind.carrier(work / "live", proxy.port, remote.port, disk.folder / "data") as carrier:
            carrier.on_kept = lambda number: kept.append((disk.position(), number))
            carrier.make(plan.cut_records, CUT_PER_S)
            carrier.wait_kept(plan.cut_records, LIMIT_S)
            panel = carrier.panel
    log = WriteLog(disk.log)
    chance = Random(plan.seed)  # noqa: S311
    replay = Replay(log, disk.base.read_bytes())
    image = work / "cut.img"
    losses = []
    # At moments of the traffic, not at writes: what writes seldom loses most between its writes.
    for moment in sorted(chance.sample(range(len(kept)), plan.cuts)):
        end = kept[moment][0]
        image.write_bytes(replay.cut(log.until(end), chance)[0])
        promised = {number for at, number in kept[: moment + 1] if at <= end}
        with mounted(image, disk.folder):
            losses.append(len(promised - _present(kind, work, disk.folder / "data", panel)))
    row.cut_cuts, row.cut_bad = len(losses), sum(loss > 0 for loss in losses)
    row.cut_lost, row.cut_lost_most = sum(losses), max(losses, default=0)


def _present(kind: Kind, work: Path, data: Path, panel: str) -> set[int]:
    """What comes out of what a cut left."""
    if kind.on_changes is None:
        return reopened(data, panel)
    if not data.exists():
        return set()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        remote = stack.enter_context(Mosquitto(folder))
        collector = Collector(remote.port, folder / "collector.sqlite")
        stack.callback(collector.close)
        local = bridging(folder, data, remote.port, bool(kind.on_changes))
        try:
            local.start()
        except RuntimeError:
            return set()  # it does not start from what is there
        stack.callback(local.kill)
        quiet, seen = time.monotonic() + 2 * QUIET_S, 0
        while time.monotonic() < quiet:
            time.sleep(0.05)
            if len(collector.first) != seen:
                quiet, seen = time.monotonic() + QUIET_S, len(collector.first)
        return set(collector.first)


def compare(plan: Plan, say: Callable[[str], None] = lambda _text: None) -> list[Row]:
    """All of them; a few minutes. In a mount namespace of its own where power cuts are wanted."""
    rows = []
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="fh-bridge-", dir=place) as name:
            works = [Path(name) / part for part in ("drain", "kill", "cut")]
            for work in works:
                work.mkdir()
            row = drain(kind, works[0], plan)
            say(f"{row.name}: drained")
            if plan.kills:
                killed(kind, works[1], plan, row)
                say(f"{row.name}: killed")
            if plan.cuts and not why_not():
                cut(kind, works[2], plan, row)
                say(f"{row.name}: cut")
            rows.append(row)
    return rows


COLUMNS = {
    "name": "",
    "kept_per_s": "kept/s",
    "drain_per_s": "drained/s",
    "alarm_ms": "first alarm, ms",
    "reconnect_s": "reconnect, s",
    "kill_kept": "kept amid kills",
    "kill_lost": "lost",
    "kill_again": "twice",
    "cut_cuts": "power cuts",
    "cut_bad": "with losses",
    "cut_lost": "lost",
    "cut_lost_most": "most at once",
}


def table(rows: Sequence[Row]) -> str:
    """As Markdown."""
    lines = ["| " + " | ".join(COLUMNS.values()) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        cells = [getattr(row, name) for name in COLUMNS]
        texts = ["–" if cell is None else f"{cell:,.0f}" if isinstance(cell, float) else f"{cell}" for cell in cells]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="python -m hil.bench_bridge", description=__doc__)
    parser.add_argument("--json", action="store_true")
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    words = vars(parser.parse_args(argv))
    as_json = words.pop("json")
    if not why_not():
        own_mounts()
    rows = compare(Plan(**words), lambda text: print(text, file=sys.stderr))
    print(json.dumps([asdict(row) for row in rows], indent=1) if as_json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
