"""The journal thread on real files: order, durability, overflow, and a device that stalls."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.core import recorder as module
from firmware.core.recorder import LIMIT, RESERVE, QueueFull, Recorder
from firmware.journal import Commit, Mark
from tests.firmware.journal.rig import Rig, everything, undelivered

ROOT = Path(__file__).parents[3]


class Ears:
    """Hears what the recorder says, and lets a test wait for it."""

    def __init__(self) -> None:
        self.tickets: list[int] = []
        self.troubles: list[str] = []
        self._heard = threading.Condition()

    def durable(self, ticket: int, _mark: Mark) -> None:
        with self._heard:
            self.tickets.append(ticket)
            self._heard.notify_all()

    def trouble(self, text: str) -> None:
        with self._heard:
            self.troubles.append(text)
            self._heard.notify_all()

    def wait(self, condition: Callable[[], object]) -> None:
        with self._heard:
            assert self._heard.wait_for(condition, timeout=10)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def made(rig: Rig, ears: Ears) -> Recorder:
    return Recorder(rig.open(), rig.clock, ears.durable, ears.trouble)


def payloads(rig: Rig) -> list[dict[str, Any]]:
    journal = rig.open()
    found = [(json.loads(r.header)["kind"], json.loads(r.payload or b"null")) for r in everything(journal)]
    journal._store.close()
    return [{**payload, "kind": kind} for kind, payload in found]


def test_commits_become_durable_in_order_and_the_end_is_sealed(rig: Rig, ears: Ears) -> None:
    recorder = made(rig, ears)
    assert recorder.settled()
    recorder.start()
    tickets = [recorder.submit(rig.commit("alarm.intruder", f"state {n}", n=n)) for n in range(300)]
    ears.wait(lambda: ears.tickets and ears.tickets[-1] == tickets[-1])
    assert recorder.settled()
    assert ears.tickets == sorted(ears.tickets)
    assert recorder.mark().lanes["alarm"] == 300
    assert recorder.close()
    found = payloads(rig)
    assert [p["n"] for p in found if "n" in p] == list(range(300))
    assert found[-1]["kind"] == "journal.checkpoint"
    assert rig.verify().sound


def test_what_does_not_fit_is_counted_and_alarms_have_a_reserve(rig: Rig, ears: Ears) -> None:
    recorder = made(rig, ears)
    for n in range(LIMIT + 100):
        recorder.submit(rig.commit("zone.bypassed", f"state {n}", n=n))
    for n in range(RESERVE + 10):
        last = recorder.submit(rig.commit("alarm.intruder", f"alarm {n}", n=-n))
    assert recorder.lost == 110
    assert not recorder.settled()
    recorder.start()
    ears.wait(lambda: ears.tickets and ears.tickets[-1] == last)
    recorder.close()
    found = payloads(rig)
    lost = [p for p in found if p["kind"] == "journal.lost"]
    assert [p["lanes"] for p in lost] == [{"alarm": 10, "status": 100}]
    assert sum(p["kind"] == "alarm.intruder" for p in found) == RESERVE
    assert rig.open().restored.state == f"alarm {RESERVE + 9}".encode(), "the newest state counts, dropped or not"


def test_a_record_that_cannot_be_written_costs_only_itself(rig: Rig, ears: Ears) -> None:
    recorder = made(rig, ears)
    recorder.submit(rig.commit("zone.bypassed", n=1))
    recorder.submit(rig.commit("zone.bypassed", "kept", bad=object()))
    recorder.submit(rig.commit("no.such-kind"))
    last = recorder.submit(rig.commit("zone.bypassed", n=2))
    recorder.start()
    ears.wait(lambda: ears.tickets and ears.tickets[-1] == last)
    recorder.close()
    found = payloads(rig)
    assert [p["n"] for p in found if "n" in p] == [1, 2]
    assert [p["reason"] for p in found if p["kind"] == "journal.lost"] == ["unwritable", "unwritable"]
    assert recorder.lost == 2
    assert rig.open().restored.state == b"kept"


def test_listeners_that_fail_do_not_end_the_thread(rig: Rig, ears: Ears) -> None:
    def failing(ticket: int, mark: Mark) -> None:
        ears.durable(ticket, mark)
        raise RuntimeError("a listener failed")

    recorder = Recorder(rig.open(), rig.clock, failing, ears.trouble)
    recorder.start()
    recorder.submit(rig.commit())
    ears.wait(lambda: 1 in ears.tickets)
    recorder.submit(rig.commit())
    ears.wait(lambda: 2 in ears.tickets)
    assert recorder.close()


def test_deliveries_receipts_and_snapshots(rig: Rig, ears: Ears, tmp_path: Path) -> None:
    recorder = made(rig, ears)
    recorder.start()
    recorder.submit(rig.commit("alarm.intruder"))
    ears.wait(lambda: 1 in ears.tickets)
    name = recorder.mark().journal
    count = len(ears.tickets)
    recorder.mark_delivered(name, "alarm", [(1, 1)], "the receipt")
    ears.wait(lambda: len(ears.tickets) > count)
    copy = recorder.snapshot(tmp_path / "copy.sqlite").result(timeout=10)
    assert rig.verify(copy).records == 3
    with pytest.raises(OSError, match="No such file"):
        recorder.snapshot(Path("/proc/nowhere/copy.sqlite")).result(timeout=10)
    assert recorder.close()
    again = rig.open()
    assert "alarm" not in {lane for _, lane, _, _ in undelivered(again)}
    assert dict(again._store.receipts) == {"alarm": "the receipt"}


def test_while_a_deadline_runs_the_moment_is_kept(rig: Rig, ears: Ears) -> None:
    recorder = made(rig, ears)
    recorder.start()
    recorder.submit(rig.commit("area.entry-started", "entry"))
    ears.wait(lambda: 1 in ears.tickets)
    recorder.deadline_running = True
    rig.clock.turn(module.TICK_MS)
    at = rig.clock.now_ms
    # A request goes round the loop of the thread, and the tick comes behind it.
    recorder.prune("2000-01-01T00:00:00.000Z").result(timeout=10)
    recorder.prune("2000-01-01T00:00:00.000Z").result(timeout=10)
    restored = rig.open().restored
    assert (restored.state, restored.monotonic_ms) == (b"entry", at)
    recorder.close()


def test_storage_trouble_is_told_when_it_begins(rig: Rig, ears: Ears) -> None:
    rig.data.parent.mkdir(parents=True, exist_ok=True)
    rig.data.write_text("a file where the folder should be")
    recorder = made(rig, ears)
    recorder.start()
    ears.wait(lambda: ears.troubles)
    assert ears.troubles[0]
    recorder.submit(rig.commit("alarm.intruder"))
    ears.wait(lambda: 1 in ears.tickets)
    assert recorder.close()


STALLED = """
import sys, threading, time
from pathlib import Path
from firmware.core.recorder import Recorder
from tests.firmware.journal.rig import Rig

rig = Rig(Path(sys.argv[1]))
done = threading.Event()
last = 0

def durable(ticket, mark):
    if ticket == last:
        done.set()

recorder = Recorder(rig.open(), rig.clock, durable, print)
recorder.start()
worst = 0.0
for n in range(200):
    began = time.perf_counter()
    last = recorder.submit(rig.commit("alarm.intruder", f"state {n}", n=n))
    worst = max(worst, time.perf_counter() - began)
began = time.perf_counter()
if recorder.settled():
    sys.exit("nothing stalled")
done.wait(25)
print(worst, time.perf_counter() - began, recorder.mark().lanes["alarm"], recorder.lost, flush=True)
import os
os._exit(0)
"""


def test_a_disk_that_stalls_for_two_seconds_delays_nobody_but_the_journal_thread(tmp_path: Path) -> None:
    """The third fsync of each thread takes 2 s (strace injects the delay)."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    slow = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync"]
    inject = ["-e", "inject=fsync,fdatasync:delay_enter=2000000:when=3"]
    began = time.perf_counter()
    ran = subprocess.run(
        [*slow, *inject, sys.executable, "-c", STALLED, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=28,
    )
    if "ptrace" in ran.stderr or "PTRACE" in ran.stderr:
        pytest.skip(f"strace may not trace here: {ran.stderr.strip()[:200]}")
    assert ran.returncode == 0, ran.stderr
    worst, stalled, alarms, lost = (float(word) for word in ran.stdout.split())
    assert stalled > 1.5, "the disk did not stall: the test shows nothing"
    assert worst < 0.2
    assert (alarms, lost) == (200, 0)
    assert time.perf_counter() - began < 28


def test_a_commit_without_anything_still_has_a_ticket(rig: Rig, ears: Ears) -> None:
    recorder = made(rig, ears)
    recorder.start()
    assert recorder.submit(Commit(())) == 1
    ears.wait(lambda: 1 in ears.tickets)
    assert recorder.close()


def test_a_trouble_that_is_over_at_once_is_told_all_the_same(rig: Rig, ears: Ears) -> None:
    rig.open().close()
    rig.main.write_bytes(b"garbage" * 100)
    recorder = made(rig, ears)
    recorder.start()
    ears.wait(lambda: "" in ears.troubles)
    assert ears.troubles[0].startswith("corrupt")
    assert recorder.close()


def test_a_snapshot_of_a_long_journal_holds_up_no_commit(rig: Rig, ears: Ears, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, **more: Any) -> None:
            begun.set()
            assert go_on.wait(10)
            super().backup(target, **more)

    def slow(uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=Slow)

    recorder = Recorder(rig.open(connect=slow), rig.clock, ears.durable, ears.trouble)
    recorder.start()
    recorder.submit(rig.commit("alarm.intruder", "one", n=1))
    ears.wait(lambda: ears.tickets)
    copy = recorder.snapshot(tmp_path / "copy.sqlite")
    assert begun.wait(10)
    with pytest.raises(QueueFull):
        recorder.snapshot(tmp_path / "another.sqlite").result(10)
    ticket = recorder.submit(rig.commit("alarm.intruder", "two", n=2))
    ears.wait(lambda: ears.tickets[-1] == ticket)
    go_on.set()
    report = rig.verify(copy.result(10))
    assert (report.findings, report.last) == ([], recorder.mark().seq - 1), "as it was when it was asked for"
    assert recorder.snapshot(tmp_path / "another.sqlite").result(10)
    recorder.close()
