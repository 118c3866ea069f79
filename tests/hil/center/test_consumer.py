"""A group of consumers on a shared subscription: killed in the middle, and nothing is lost or twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.center import Center
from hil.center.audit import audit
from hil.center.keys import Key
from hil.center.store import Store
from hil.center.watch import held
from tests.hil.tiny_panel import TinyPanel

ROOT = Path(__file__).parents[3]
RECORDS = 120
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def panels(mosquitto: int, tmp_path: Path) -> Iterator[list[TinyPanel]]:
    receipt = Key.at(tmp_path / "center" / "keys" / "receipt.jwk")
    (tmp_path / "panels").mkdir()
    made = [TinyPanel("127.0.0.1", mosquitto, f"scale-{os.getpid()}-{n}") for n in range(4)]
    for panel in made:
        panel.trust(receipt.x, receipt.x)
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": panel.x}
        (tmp_path / "panels" / f"{panel.panel}.jwk").write_text(json.dumps(jwk))
    yield made
    for panel in made:
        panel.close()


@pytest.fixture
def start(mosquitto: int, tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def one() -> "subprocess.Popen[str]":
        words = ["consume", "--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path / "center"),
                 "--panels", str(tmp_path / "panels"), "--group", f"g{os.getpid()}"]  # fmt: skip
        code = "import sys; from hil.center import main; sys.exit(main(sys.argv[1:]))"
        process = subprocess.Popen([sys.executable, "-c", code, *words], text=True, cwd=ROOT, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield one
    for process in started:
        process.kill()
        process.wait(10)


def send_what_is_not_receipted(panel: TinyPanel) -> int:
    """As a panel does: everything without a receipt, again."""
    receipted = panel.receipted()
    missing = [r for r in panel.journal.records if r.header.lane_seq not in receipted[r.header.lane]]
    for record in missing:
        panel.send(record, stored=True)
    return len(missing)


def test_consumers_are_killed_in_the_middle_and_nothing_is_lost_or_twice(
    tmp_path: Path, panels: list[TinyPanel], start: Start
) -> None:
    group = [start() for _ in range(3)]
    store = Store(tmp_path / "center" / "center.sqlite")

    def stored() -> int:
        return int(store.rows("SELECT COUNT(*) FROM records")[0][0])

    for panel in panels:
        panel.journal.fill(RECORDS)
    half = RECORDS // 2
    for number in range(RECORDS):
        for panel in panels:
            panel.send(panel.journal.records[number])
        if number == half // 2:
            group[0].send_signal(signal.SIGKILL)
        elif number == half:
            group[1].send_signal(signal.SIGKILL)
            group.append(start())
    rounds = 0
    while not all(panel.wait(lambda panel=panel: panel.delivered(RECORDS), 1) for panel in panels):  # type: ignore[misc]
        rounds += 1
        assert rounds < 15, [len(panel.receipts) for panel in panels]
        for panel in panels:
            send_what_is_not_receipted(panel)
    assert stored() == RECORDS * len(panels)
    for panel in panels:
        assert audit(store, panel.panel, {panel.journal.id: panel.journal.head}) == []
        assert held(store, panel.panel).verified == RECORDS
        assert panel.refused == []
    store.close()
    taken = []
    for process in group[2:]:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        taken.append(int(out.split()[-1]))
        assert process.returncode == 0
    assert all(taken), "every member had its share"


def test_what_must_be_keyed_by_panel_stays_with_one_process(
    mosquitto: int, tmp_path: Path, panels: list[TinyPanel], start: Start
) -> None:
    start()
    panel = panels[0]
    records = panel.journal.fill(6)
    words = ("heartbeat", "link/#", "link", "state", "reply")
    keys = {each.panel: each.x for each in panels}
    with Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get, words=words) as warden:
        panel.trust(warden.receipt_key.x, warden.command_key.x)
        for record in (*records[:3], *records[4:]):
            panel.send(record)
        assert panel.wait(lambda: panel.delivered(5))
        panel.beat()
        assert warden.wait(lambda c: c.heads(panel.panel), 10)
        assert warden.gaps(panel.panel) == {panel.journal.id: [(4, 4)]}
        panel.send(records[3])
        assert panel.wait(lambda: panel.delivered(6))
        assert warden.gaps(panel.panel) == {}, "what others stored since is seen"
        counter = warden.command(panel.panel, "status", {}, "wang")
        assert panel.wait(lambda: panel.commands)
        panel.reply(counter)
        assert warden.wait(lambda c: c.reply(panel.panel, counter), 10)
        assert warden.counts().get("duplicate") is None, "the records are the consumers' alone"


def test_a_hostile_message_ends_no_consumer(panels: list[TinyPanel], start: Start) -> None:
    process = start()
    panel = panels[0]
    for word, data in (("event/alarm", b"\xff"), ("event/other", b"{}"), ("batch/status", b"[" * 90_000),
                       ("event/telemetry", b"{}"), ("event/alarm", b"x" * 250_000)):  # fmt: skip
        panel.publish(word, data)
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    assert panel.wait(lambda: panel.delivered(1))
    assert process.poll() is None
