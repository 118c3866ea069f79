"""The uplink process as it runs: core's socket on one side, a real Mosquitto and a receipting center on the other."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.core.delivery import Deliveries
from firmware.protocol import messages as m
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.jws import KeyRing, b64url
from firmware.protocol.lines import Splitter, encode
from firmware.protocol.records import Strict
from hil.memory_journal import MemoryJournal
from tests.firmware.uplink.brokers import PLAIN, Mosquitto, Watcher, wait_for
from tests.firmware.uplink.world import CENTER, ModelCenter

PANEL = "bank-7"
PANEL_FILE = f"""
[panel]
id = "{PANEL}"
name = "Branch 7"
pins = "simulated"

[[area]]
id = "hall"
number = 1
name = "Hall"

[[zone]]
id = "door"
number = 1
name = "Door"
type = "entry-exit"
areas = ["hall"]
input = {{ line = 4 }}

[[path]]
id = "primary"
host = "127.0.0.1"
port = %d
plaintext = "{PLAIN}"

[center]
receipt_keys = ["%s"]
receipt_timeout_s = 1
path_fault_s = 5
"""


class Core:
    """Core's end of the socket, over a journal in memory; each start is a new session."""

    def __init__(self, socket_file: Path) -> None:
        self.journal = MemoryJournal(PANEL)
        self.paths: list[m.Path] = []
        self.sms: list[m.Sms] = []
        self.commands: list[str] = []
        self.refused: list[str] = []
        self.greeted = 0
        self._file = socket_file
        self._deliveries = Deliveries(
            self.journal,
            PANEL,
            KeyRing([CENTER.public]),
            self.journal.mark,
            lambda why, _: self.refused.append(why),
            frozenset({"receiver"}),
        )
        self._lock = threading.Lock()
        self._wake, self._waker = socket.socketpair()
        self._server: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._session = 0

    def start(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self._file))
        self._server.listen(1)
        self._session += 1
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._waker.send(b"q")
            self._thread.join(5)
            self._thread = None

    def record(self, lane: str, payload: dict[str, Any] | None = None) -> None:
        with self._lock:
            self.journal.append(lane, "alarm.intrusion", payload or {"zone": "door"})
        self._waker.send(b"h")

    def say(self, message: Strict) -> None:
        self._said.append(encode(message))
        self._waker.send(b"s")

    def _serve(self) -> None:
        assert self._server is not None
        self._said: list[bytes] = []
        peer: socket.socket | None = None
        splitter = Splitter()
        while True:
            ready = select.select([self._server, self._wake, *([peer] if peer else [])], [], [], 20)[0]
            if self._server in ready:
                peer = self._server.accept()[0]
                self.greeted += 1
                splitter = Splitter()
                peer.sendall(encode(m.Welcome(panel=PANEL, session=self._session, peer=self.greeted, version="t")))
                peer.sendall(self._head())
            if self._wake in ready:
                for order in self._wake.recv(100).decode():
                    if order == "q":
                        if peer:
                            peer.close()
                        self._server.close()
                        return
            try:
                if self._wake in ready and peer:
                    peer.sendall(self._head() + b"".join(self._said))
                    self._said.clear()
                if peer in ready and peer:
                    data = peer.recv(65536)
                    for line in splitter.feed(data):
                        peer.sendall(self._answer(line))
                    peer = peer if data else None
            except OSError:  # the uplink was killed while something was under way: core lives on, and so must this
                peer = None

    def _head(self) -> bytes:
        with self._lock:
            return encode(self._deliveries.head())

    def _answer(self, line: bytes) -> bytes:
        message = m.from_uplink.validate_json(line)
        with self._lock:
            match message:
                case m.Pull():
                    return self._deliveries.pull_line(message)
                case m.ReceiptIn():
                    delivered = self._deliveries.receipt(message)
                    return (encode(delivered) + encode(self._deliveries.head())) if delivered else b""
                case m.Acknowledged():
                    counted = self._deliveries.acknowledged(message)
                    return (encode(counted) + encode(self._deliveries.head())) if counted else b""
                case m.CommandIn():
                    self.commands.append(message.jws)
                case m.Path():
                    self.paths.append(message)
                case m.Sms():
                    self.sms.append(message)
        return b""

    def undelivered(self) -> int:
        with self._lock:
            return self.journal.undelivered()


class Site:
    """A folder with a panel file, core, broker, center and the uplink process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Mosquitto(folder)
        self.broker.start()
        x = b64url(CENTER.public.public_bytes_raw())
        (folder / "panel.toml").write_text(PANEL_FILE % (self.broker.port, x))
        self.core = Core(folder / "run" / "uplink.sock")
        self.center = ModelCenter()
        self.watcher = Watcher(self.broker.port, f"fenghuo/v1/{PANEL}/#", self.center.take)
        self.process: subprocess.Popen[bytes] | None = None

    def start_uplink(self, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firmware.commands", "uplink", "--config", str(self.folder / "panel.toml")],
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )

    def end_uplink(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=10)
        code, self.process = self.process.returncode, None
        return code, errors.decode()

    def all_delivered(self) -> None:
        wait_for(lambda: self.core.undelivered() == 0, "everything receipted", 15)
        mine = {(journal, record.seq): record.hash for journal, record in self.core.journal.records()}
        assert {key: record.hash for key, record in self.center.held.items()} == mine

    def close(self) -> None:
        if self.process is not None:
            self.end_uplink(signal.SIGKILL)
        self.watcher.close()
        self.core.stop()
        self.broker.kill()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def retained(site: Site, word: str) -> Callable[[], object]:
    return lambda: [json.loads(payload) for payload in site.watcher.of(word)][-1:]


def test_records_go_out_are_receipted_and_it_stops_with_a_goodbye(site: Site) -> None:
    notified = site.folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as guard:
        guard.bind(str(notified))
        guard.settimeout(10)
        for number in range(200):
            site.core.record("status", {"n": number})
        jpeg = b"\xff\xd8 somebody at the door"
        (site.folder / "data" / "evidence").mkdir(parents=True)
        (site.folder / "data" / "evidence" / "a.jpg").write_bytes(jpeg)
        site.core.record("evidence", {"thumbnail": {"file": "a.jpg", "sha256": sha256_hex(jpeg)}})
        site.core.start()
        site.start_uplink(NOTIFY_SOCKET=str(notified), WATCHDOG_USEC="400000")
        assert guard.recv(100) == b"READY=1"
        assert guard.recv(100) == b"WATCHDOG=1"
        site.all_delivered()
        site.core.record("alarm")
        site.all_delivered()
        assert site.center.arrivals[-1][0] == "alarm"
        assert site.center.arrivals[-1][3] is False
        (evidence,) = site.watcher.of("event/evidence")
        assert len(json.loads(evidence)["data"]["thumbnail"]) > 10
        site.core.say(m.Beat(jws="a.beat.c"))
        site.core.say(m.State(body={"areas": {}}))
        site.watcher.wait(lambda _: site.watcher.of("heartbeat") and site.watcher.of("state"), "heartbeat and state")
        code, errors = site.end_uplink()
    assert code == 0
    assert "Traceback" not in errors
    site.watcher.wait(lambda _: len(site.watcher.of("link")) == 2, "offline")
    online, offline = (json.loads(payload) for payload in site.watcher.of("link"))
    assert (online["online"], offline["online"]) == (True, False)
    assert online["order"] == offline["order"]
    assert offline["time"] is not None
    assert [path.up for path in site.core.paths] == [True]


def test_broker_core_and_uplink_die_one_by_one_and_nothing_is_lost(site: Site) -> None:
    for _ in range(100):
        site.core.record("status")
    site.core.start()
    site.start_uplink()
    wait_for(lambda: site.watcher.of("link"), "online")
    site.broker.kill()
    site.core.record("alarm")
    site.broker.start()
    site.all_delivered()
    site.core.stop()
    site.core.record("alarm")
    site.core.start()
    site.all_delivered()
    site.end_uplink(signal.SIGKILL)
    site.core.record("alarm")
    site.watcher.wait(lambda _: b'"online":false' in site.watcher.of("link")[-1], "the last will")
    site.start_uplink()
    site.all_delivered()
    orders = [json.loads(payload)["order"] for payload in site.watcher.of("link")]
    assert orders == sorted(orders)
    code, errors = site.end_uplink()
    assert code == 0
    assert "Traceback" not in errors


@pytest.mark.clause("EN 50136 acknowledged")
def test_hostile_messages_change_nothing_and_a_silent_center_is_a_fault(site: Site) -> None:
    site.core.start()
    site.start_uplink()
    wait_for(lambda: site.core.paths, "the path is up")
    root = f"fenghuo/v1/{PANEL}"
    send = site.watcher.client.publish
    site.center.silent = True
    site.core.record("alarm")
    site.watcher.wait(lambda _: site.watcher.of("event/alarm"), "the alarm arrives")
    for payload in (b"", b"\x00" * 500, b"a" * 200_000, b"a.b.c", b"{}", b"." * 1000):
        send(f"{root}/receipt", payload, 1)
        send(f"{root}/command", payload, 1)
    wait_for(lambda: "a.b.c" in site.core.commands, "what could be a command reaches core, which checks it")
    wait_for(lambda: len(site.core.paths) == 2, "no receipt is a path fault")
    assert [(path.path, path.up) for path in site.core.paths] == [("primary", True), ("primary", False)]
    assert "receipt" in site.core.paths[1].detail
    assert site.core.undelivered() == 1
    assert set(site.core.refused) <= {"malformed"}
    site.center.silent = False
    wait_for(lambda: len(site.core.paths) == 3, "the restore", 15)
    assert site.core.paths[2].up
    site.all_delivered()
    code, errors = site.end_uplink()
    assert (code, "Traceback" in errors) == (0, False)


def test_core_that_talks_nonsense_is_left_and_tried_again(site: Site) -> None:
    site.core.start()
    site.start_uplink()
    wait_for(lambda: site.core.greeted == 1, "the first greeting")
    site.core._said.append(b'{"type":"head","journals":[]}\nnot json\n')
    site.core._waker.send(b"s")
    wait_for(lambda: site.core.greeted == 2, "another connection")
    site.core.record("alarm")
    site.all_delivered()


def test_files_that_cannot_be_used_end_it_with_2(site: Site) -> None:
    file = site.folder / "panel.toml"
    tls = 'tls = { ca = "no.pem", certificate = "no.pem", key = "no.key" }'
    file.write_text(file.read_text().replace(f'plaintext = "{PLAIN}"', tls))
    site.start_uplink()
    assert site.process is not None
    _, errors = site.process.communicate(timeout=10)
    assert site.process.returncode == 2
    assert b"no.pem" in errors
    site.process = None
