"""Input to output over a real Linux GPIO line: the panel's core in the machine rig, against a bare gpiozero callback.

Both run in one guest, taken in turns; the same watcher times both. The panel's relay follows a zone, so a switching
makes no alarm; its debounce is taken off. Beside both the panel brings home a backlog that was written into its
journal. Minutes: it boots a panel. `python -m hil.bench --only machine`.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hil.bench_backlog import fill_journal
from hil.rigs.machine.agent import GuestAgent
from hil.rigs.machine.made import machine
from hil.rigs.machine.rig import DATA, USER, MachineRig
from hil.rigs.site import Delivery, Wanted

COUNT = 60
BACKLOG = 80_000
"""Records that no center has; more than an emulated board drains while it is timed."""
DRAINS_S = 120.0
TURNS = 4
DEBOUNCE_MS = 10
ZONE_IN, RELAY_OUT = 15, 3
BARE_IN, BARE_OUT = 14, 2
PYTHON = "/opt/fenghuo/bin/python"
SCRIPT = Path(__file__).parent / "rigs" / "machine" / "guest_bench.py"
PLACE = "/run/guest_bench.py"
_UNTIL_READY = "for i in $(seq 120); do journalctl -u {unit} | grep -q ready && exit; sleep 1; done; exit 1"
_ZONE = f"""
[[zone]]
id = "bench"
number = 80
name = "Bench"
type = "instant"
areas = ["hall"]
input = {{ line = {ZONE_IN}, wiring = "no", debounce_ms = {DEBOUNCE_MS} }}

[[output]]
id = "bench-relay"
kind = "relay"
follows = "zone:bench"
line = {RELAY_OUT}
areas = ["hall"]

[[area]]
id = "hall"
"""


class _BenchRig(MachineRig):
    """The site with a zone whose relay follows it."""

    def delivery(self) -> Delivery:
        found = super().delivery()
        return replace(found, toml=found.toml.replace('\n[[area]]\nid = "hall"\n', _ZONE, 1))


def measure(count: int = COUNT) -> dict[str, float]:
    """Milliseconds, medians and 99th percentiles: `core_`, its debounce taken off, and `bare_`.

    `waited`, `left`: records that waited for the center when the timing began, and when it was over.
    """
    found: dict[str, list[float]] = {"core": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        rig = _BenchRig(Path(folder), Wanted(), machine())
        try:
            rig.begin()
            rig.agent.put(PLACE, SCRIPT.read_bytes(), 0o644)
            _backlog(rig, Path(folder) / "filled")
            waited = _waiting(rig)
            for turn in range(TURNS):
                with _draining(rig):
                    found["core"] += [ms - DEBOUNCE_MS for ms in _timed(rig.agent, ZONE_IN, RELAY_OUT, count // TURNS)]
                with _bare(rig.agent, f"bench-bare-{turn}"), _draining(rig):
                    found["bare"] += _timed(rig.agent, BARE_IN, BARE_OUT, count // TURNS)
            left = _waiting(rig)
        finally:
            rig.end()
    figures: dict[str, float] = {"waited": waited, "left": left}
    for name, times in found.items():
        figures[f"{name}_median_ms"] = statistics.median(times)
        figures[f"{name}_p99_ms"] = sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]
    return figures


def _backlog(rig: MachineRig, work: Path) -> None:
    """Stop core, write the backlog into its journal on the host, and start it again."""
    agent, owner = rig.agent, USER.format("core")
    agent.must("systemctl", "stop", owner, timeout_s=60)
    (work / "keys").mkdir(parents=True, mode=0o700)
    journals = agent.must("sh", "-c", f"ls {DATA}/journal*.sqlite*").split()
    # With another key it would not be this panel's journal.
    for path in [*journals, *agent.must("sh", "-c", f"ls {DATA}/keys/*").split()]:
        here = work / Path(path).relative_to(DATA)
        here.touch(mode=0o600)
        here.write_bytes(agent.get(path))
    (work / "run").mkdir()
    with fill_journal(work, work / "run", rig.panel, BACKLOG):
        pass
    agent.must("rm", *journals)
    for file in work.glob("journal*.sqlite*"):
        agent.put(f"{DATA}/{file.name}", file.read_bytes(), owner=owner)
    rig.network(False)
    agent.must("systemctl", "start", "--no-block", owner)
    rig.ready()


@contextmanager
def _draining(rig: MachineRig) -> Iterator[None]:
    """While the backlog is brought home. Raises `TimeoutError` where that does not begin."""
    before, end = _waiting(rig), time.monotonic() + DRAINS_S
    rig.network(True)
    while _waiting(rig) >= before:
        if time.monotonic() > end:
            raise TimeoutError(f"no record of the backlog arrives within {DRAINS_S:g} s")
        time.sleep(0.2)
    try:
        yield
    finally:
        rig.network(False)


def _waiting(rig: MachineRig) -> int:
    status = rig.status()
    return int(status["seq"]) - rig.far.count(status["journal"])


def _timed(agent: GuestAgent, line_in: int, line_out: int, count: int) -> list[float]:
    said = agent.must(PYTHON, PLACE, "time", str(line_in), str(line_out), str(count), timeout_s=300)
    return [ns / 1e6 for ns in json.loads(said)]


@contextmanager
def _bare(agent: GuestAgent, unit: str) -> Iterator[None]:
    """The yardstick as a unit of its own, each time another: its log begins empty."""
    words = ["systemd-run", f"--unit={unit}", "-p", "WorkingDirectory=/run", "-p", "Nice=-5", PYTHON, PLACE, "bare"]
    agent.must(*words, str(BARE_IN), str(BARE_OUT))
    try:
        agent.must("sh", "-c", _UNTIL_READY.format(unit=unit), timeout_s=150)
        yield
    finally:
        agent.run("systemctl", "stop", unit)
        agent.run("systemctl", "reset-failed", unit)
