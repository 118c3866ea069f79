"""A journal with very many records that no center has: how core starts on it, and how it is brought home.

Real processes: core and uplink of the demo's bank, a real Mosquitto, a center that checks, stores durably and receipts.
The records are made by the journal's own writer: 95 % status, 5 % alarms, one in a thousand pictures. An alarm is
raised while there is no link, behind all the older alarms, and one amid the drain. The yardstick of the
rate is that of `bench_uplink`: paho publishes the same records one by one, to nobody.

`python -m hil.bench_backlog --records 1000000` takes about six minutes and 2 GB of disk.
"""

import argparse
import contextlib
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firmware.clock import SystemClock, utc_text
from firmware.config import Loaded
from firmware.core.keys import load_or_make
from firmware.journal import Commit, Draft, Journal
from firmware.protocol import messages as m
from firmware.protocol.lines import Client
from firmware.protocol.topics import topic
from hil import bench_start, bench_uplink, demo_site
from hil.broker import HOST, Mosquitto
from hil.demo_panel import ask
from hil.memory_use import cpu_s, rss_mib
from hil.storing_center import StoringCenter
from rules.effects import JsonValue
from rules.vocabulary import KINDS

RECORDS = 100_000
PER_COMMIT = 1_000
BARE = 20_000
"""Records that the yardstick publishes."""
LIMIT_S = 60.0
"""For a step that needs no drain; a drain may take `1 s` for each `SLOWEST` records more."""
SLOWEST = 1_000
BUTTONS = ("holdup-1", "holdup-2")


def measure(folder: Path, records: int = RECORDS, rounds: int = 5) -> dict[str, float]:
    """Start, memory, alarms and drain with `records` waiting; see the keys of what comes back.

    `start_ms`, `start_empty_ms`, `start_ratio`: exec to inputs live. `core_*_mib`, `uplink_*_mib`: resident memory with
    an `empty` journal, `before` the drain, the `most` during it, and `after` it. `alarm_first_ms`: from the link being
    up to the receipt of the alarm that was raised without it; `alarm_amid_ms`: from durable to receipted amid the
    drain; `*_left`: how many records had no receipt when it had. `drained`, `drain_s`, `drain_per_s`, `bare_per_s`,
    `ratio`; `core_us` and so on: processor time for each record; `receipts`: how many it took. `last`: how many records
    the journal holds; `held` the center; `again`: how many came to it once more.
    """
    work = folder / "backlog"
    work.mkdir(parents=True)
    try:
        with Mosquitto(work, "allow_anonymous true\nmax_packet_size 262144\n") as broker:
            center = StoringCenter(broker.port, work / "center.sqlite")
            try:
                return _measure(work, broker, center, records, rounds)
            finally:
                center.stop()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _measure(work: Path, broker: Mosquitto, center: StoringCenter, records: int, rounds: int) -> dict[str, float]:
    address = demo_site.Address(HOST, broker.port)
    empty, full = (demo_site.make(work / name, address, center.x, center.x)[0] for name in ("e", "f"))
    found = _memory_empty(empty)
    with bench_start.core(full.folder):
        pass  # makes keys and journal
    began = time.monotonic()
    payloads = fill(full, records)
    found["fill_per_s"] = records / (time.monotonic() - began)
    found |= _starts(empty, full, rounds)
    before = center.counts()
    bare = [bench_uplink.bare(broker.port, payloads)]
    found |= _Drain(full, broker.port, records, {"broker": broker.pid, "center": center.pid}).run()
    bare.append(bench_uplink.bare(broker.port, payloads))  # on both sides of it, as a machine's load changes
    found["bare_per_s"] = statistics.mean(bare)
    found["ratio"] = found["drain_per_s"] / found["bare_per_s"]
    counts = center.counts()
    found["held"] = counts["held"] - before["held"]
    found["last"] = max(found["last"], counts["seq"])  # what came after the drain counts too
    found["again"] = counts["again"] - before["again"]
    found["receipts"] = counts["receipts"] - before["receipts"]
    return found


def fill(loaded: Loaded, records: int) -> list[bytes]:
    """`fill_journal` of a panel; returns some of the records as they would travel, one by one."""
    with fill_journal(loaded.data, loaded.run, loaded.file.panel.id, records) as journal:
        return bench_uplink.payloads(journal, min(records * 9 // 10, BARE))


@contextlib.contextmanager
def fill_journal(data: Path, run: Path, panel: str, records: int) -> Iterator[Journal]:
    """Write records that nobody has receipted into a panel's journal, by its own writer. Core must not run."""
    clock = SystemClock()
    journal = Journal.open(
        data,
        run,
        panel,
        load_or_make(data / "keys").signer,
        clock,
        lambda state: state if isinstance(state, bytes) else b"",
        lambda kind: KINDS[kind].lane,
        lambda kind: KINDS[kind].checkpoint,
    )
    boot, utc = clock.boot(), clock.utc() - records
    try:
        for start in range(0, records, PER_COMMIT):
            numbers = range(start, min(start + PER_COMMIT, records))
            journal.commit([Commit((_draft(number, utc_text(utc + number), boot),)) for number in numbers])
        yield journal
    finally:
        journal.close()


def _draft(number: int, time_: str, boot: str) -> Draft:
    kind = "evidence.pictures" if number % 1000 == 500 else "alarm.intruder" if number % 20 == 0 else "zone.bypassed"
    payload: dict[str, JsonValue] = {
        "zone": f"zone-{number % 64}",
        "zone_number": number % 64,
        "areas": [f"area-{number % 8}"],
        "incident": number,
        "by": "keypad-1",
    }
    return Draft(kind, payload, time_, "synchronised", boot, number)


def _starts(empty: Loaded, full: Loaded, rounds: int) -> dict[str, float]:
    """Both take turns, now the one first and now the other; the first turn of each warms the caches."""
    times: dict[str, list[float]] = {"empty": [], "full": []}
    sites = [("empty", empty), ("full", full)]
    for turn in range(rounds + 1):
        for name, loaded in sites if turn % 2 else reversed(sites):
            with bench_start.core(loaded.folder) as (_, live, _ready):
                times[name].append(1000 * live)
    bare, many = (statistics.median(times[name][1:]) for name in ("empty", "full"))
    return {"start_ms": many, "start_empty_ms": bare, "start_ratio": many / bare}


# --- memory --------------------------------------------------------------------------------------


@contextlib.contextmanager
def uplink(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The uplink process of a panel."""
    command = [sys.executable, "-m", "firmware.commands", "uplink", "--config", str(folder / "panel.toml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


def _memory_empty(loaded: Loaded) -> dict[str, float]:
    """Both processes with next to nothing in the journal, connected, all receipted."""
    with bench_start.core(loaded.folder) as (core, _, _), Ear(loaded) as ear, uplink(loaded.folder) as process:
        ear.wait(lambda: ear.waiting() == 0, "the few records of an empty journal")
        return {"core_empty_mib": rss_mib(core.pid), "uplink_empty_mib": rss_mib(process.pid)}


class _Scale:
    """The most that processes hold, looked at ten times a second."""

    def __init__(self, **pids: int) -> None:
        self.most = dict.fromkeys(pids, 0.0)
        self._pids = pids
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Scale":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(0.1):
            for name, pid in self._pids.items():
                self.most[name] = max(self.most[name], rss_mib(pid))


# --- the drain -----------------------------------------------------------------------------------


class Ear:
    """A second peer on the uplink's socket: it hears how far core is, and which receipts counted. A context manager."""

    def __init__(self, loaded: Loaded) -> None:
        self.head: m.JournalHead | None = None
        self._alarms: dict[int, tuple[float, int]] = {}
        self._client = Client(loaded.run / "uplink.sock")
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def waiting(self) -> int | None:
        """About how many records have no receipt: up to the last, from the first that has none."""
        head = self.head
        return (
            None if head is None else sum(last + 1 - head.first_undelivered[lane] for lane, last in head.last.items())
        )

    def drained(self, told: list[m.JournalHead]) -> bool:
        """Whether none waits; then the head that says so is put down: another record may follow it at any time."""
        if self.head is None or self.waiting():
            return False
        told.append(self.head)
        return True

    def alarms(self) -> int:
        """`lane_seq` of the newest alarm."""
        return self.head.last["alarm"] if self.head else 0

    def receipted(self, alarm: int) -> tuple[float, int]:
        """When the receipt of this alarm counted (monotonic seconds), and how many records had none then."""
        with self._changed:
            return self._alarms[alarm]

    def wait(self, holds: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
        """Until it holds; looked at when something was heard. Raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(holds, limit_s):
                raise TimeoutError(f"{what}: not within {limit_s:g} s; {self.waiting()} records wait")

    def _run(self) -> None:
        while not self._ending:
            try:
                line = self._client.receive(0.2)
            except (OSError, ValueError):
                return
            if line is not None:
                self._take(line)

    def _take(self, line: dict[str, object]) -> None:
        with self._changed:
            if line["type"] == "head":
                self.head = m.Head.model_validate(line).journals[-1]
            elif line["type"] == "delivered" and line["lane"] == "alarm":
                for first, last in m.Delivered.model_validate(line).ranges:
                    now = time.monotonic(), self.waiting() or 0
                    self._alarms |= {n: now for n in range(first, last + 1) if n not in self._alarms}
            self._changed.notify_all()

    def __enter__(self) -> "Ear":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join()
        self._client.close()


class _Drain:
    """The run with everything waiting."""

    def __init__(self, loaded: Loaded, port: int, records: int, others: Mapping[str, int]) -> None:
        """`others`: further processes whose use of the processor is told, by name."""
        self._loaded = loaded
        self._port = port
        self._others = dict(others)
        self._limit_s = LIMIT_S + records / SLOWEST
        self._up_at: float | None = None
        self._up = threading.Event()

    def run(self) -> dict[str, float]:
        """Raises `TimeoutError` when something does not happen in time."""
        with bench_start.core(self._loaded.folder) as (core, _, _), Ear(self._loaded) as ear, self._link():
            ear.wait(lambda: ear.head is not None, "core's first word")
            first = self._alarm(ear, 0)
            all_of_it = ear.waiting() or 0
            before = rss_mib(core.pid)
            with uplink(self._loaded.folder) as process, _Scale(core=core.pid, uplink=process.pid) as scale:
                if not self._up.wait(LIMIT_S):
                    raise TimeoutError("the uplink did not connect")
                uplink_before = rss_mib(process.pid)
                pids = {"core": core.pid, "uplink": process.pid} | self._others
                busy = {name: cpu_s(pid) for name, pid in pids.items()}
                ear.wait(lambda: (ear.waiting() or 0) < all_of_it * 3 // 4, "a quarter of the drain", self._limit_s)
                amid = self._alarm(ear, 1)
                amid_at = time.monotonic()
                drained: list[m.JournalHead] = []
                ear.wait(lambda: ear.drained(drained), "the drain", self._limit_s)
                span = time.monotonic() - self._since()
                cpu = {name: cpu_s(pid) - busy[name] for name, pid in pids.items()}
                time.sleep(1.0)  # what is given back is given back by now
                after = {"core_after_mib": rss_mib(core.pid), "uplink_after_mib": rss_mib(process.pid)}
            (first_at, first_left), (receipted_at, amid_left) = ear.receipted(first), ear.receipted(amid)
        return after | {
            "core_before_mib": before,
            "core_most_mib": scale.most["core"],
            "uplink_before_mib": uplink_before,
            "uplink_most_mib": scale.most["uplink"],
            "alarm_first_ms": 1000 * (first_at - self._since()),
            "alarm_first_left": float(first_left),
            "alarm_amid_ms": 1000 * (receipted_at - amid_at),
            "alarm_amid_left": float(amid_left),
            "drained": float(all_of_it),
            "drain_s": span,
            "drain_per_s": all_of_it / span,
            **{f"{name}_us": 1e6 * taken / all_of_it for name, taken in cpu.items()},
            "last": float(sum(drained[0].last.values())),
        }

    def _since(self) -> float:
        if self._up_at is None:
            raise RuntimeError("the link was never up")
        return self._up_at

    def _alarm(self, ear: Ear, button: int) -> int:
        """Press a hold-up button; the alarm's `lane_seq`, once it is durable."""
        known = ear.alarms()
        ask(self._loaded.run / "desk.sock", m.Press(zone=BUTTONS[button]))
        ear.wait(lambda: ear.alarms() > known, "an alarm of a hold-up button")
        return known + 1

    @contextlib.contextmanager
    def _link(self) -> Iterator[None]:
        """Look for the `link` that the uplink publishes first of all."""

        def heard(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            if json.loads(message.payload)["online"] and not message.retain and self._up_at is None:
                self._up_at = time.monotonic()
                self._up.set()

        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_message = heard
        client.connect(HOST, self._port)
        client.subscribe(topic(self._loaded.file.panel.id, "link"), 1)
        client.loop_start()
        try:
            yield
        finally:
            client.disconnect()
            client.loop_stop()


def main(argv: Sequence[str]) -> int:
    """Measure and print; the exit code is 0 when nothing is missing and nothing came twice."""
    parser = argparse.ArgumentParser(prog="python -m hil.bench_backlog", description=main.__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--rounds", type=int, default=5, help="starts of core that are compared")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where it writes, and cleans up")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="fh-", dir=words.folder) as folder:
        found = measure(Path(folder), words.records, words.rounds)
    if words.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:18} {value:12.1f}")
    return 0 if found["held"] == found["last"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
