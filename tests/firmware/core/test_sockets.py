"""Core's sockets with real unix sockets and real peers, good and bad."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.core import sockets
from firmware.core.sockets import Peer, Role, Server
from firmware.protocol import messages as m
from firmware.protocol.lines import Client


class Echo:
    """A role that answers each status question and remembers who came and went."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self.went: list[int] = []
        self.messages: list[Any] = []
        self.changed = threading.Condition()

    def connected(self, peer: Peer) -> None:
        with self.changed:
            self.came.append(peer.number)
            self.changed.notify_all()

    def closed(self, peer: Peer) -> None:
        with self.changed:
            self.went.append(peer.number)
            self.changed.notify_all()

    def received(self, peer: Peer, message: Any) -> None:
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()
        if isinstance(message, m.AskRecords) and message.after == 999:
            raise RuntimeError("a handler that fails")
        peer.send(m.Answer(ok=True, detail={"n": len(self.messages)}))

    def wait(self, ready: Callable[["Echo"], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: ready(self), 5.0)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(tmp_path: Path, echo: Echo) -> Iterator[Server]:
    server = Server()
    server.add(Role("technician", tmp_path / "t.sock", m.from_technician, echo.received, echo.connected, echo.closed))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    return tmp_path / "t.sock"


def test_a_question_gets_its_answer(path: Path) -> None:
    client = Client(path)
    client.send(m.AskStatus())
    assert client.receive(5.0) == {"type": "answer", "ok": True, "reason": "", "detail": {"n": 1}}


def test_the_socket_has_the_rights_of_its_role(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (b"garbage\n", "Invalid JSON"),
        (b"[]\n", "message"),
        (b'{"type":"command","jws":"x"}\n', "does not match any of the expected tags"),
        (b'{"type":"records","after":-1}\n', "records.after"),
        (b'{"type":"status","more":1}\n', "status.more"),
        (b"\xff\xfe\n", "Invalid JSON"),
    ],
)
def test_nonsense_gets_an_error_and_the_connection_lives(path: Path, server: Server, line: bytes, place: str) -> None:
    client = Client(path)
    client._socket.sendall(line)
    answer = client.receive(5.0)
    assert answer is not None
    assert answer["type"] == "error"
    assert place in answer["reason"]
    client.send(m.AskStatus())
    assert (client.receive(5.0) or {})["ok"]
    assert server.refused == 1


def test_a_line_of_a_mebibyte_ends_the_connection_and_nothing_else(path: Path, server: Server, echo: Echo) -> None:
    other = Client(path)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.settimeout(5.0)
        try:
            raw.sendall(b"x" * 1024 * 1024)
            answer = raw.recv(4096)
        except (BrokenPipeError, ConnectionResetError):
            answer = b"error"
        assert b"error" in answer
    assert echo.wait(lambda e: len(e.went) == 1)
    other.send(m.AskStatus())
    assert (other.receive(5.0) or {})["ok"]
    assert server.refused == 1


def test_a_handler_that_fails_ends_nothing(path: Path) -> None:
    client = Client(path)
    client.send(m.AskRecords(after=999))
    assert "internal error" in (client.receive(5.0) or {})["reason"]
    client.send(m.AskStatus())
    assert (client.receive(5.0) or {})["ok"]


def test_a_peer_that_does_not_read_is_dropped(path: Path, server: Server, echo: Echo) -> None:
    idle = Client(path)
    assert echo.wait(lambda e: len(e.came) == 1)
    big = m.Answer(ok=True, detail={"text": "x" * 200_000})
    for _ in range(10 + sockets.MAX_OUT // 200_000):
        server.call(lambda: server.broadcast("technician", big))
    assert echo.wait(lambda e: len(e.went) == 1)
    assert server.dropped == 1
    idle.close()


def test_a_flood_is_read_slowly_and_others_are_served(path: Path, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MAX_LINES", 20)
    monkeypatch.setattr(sockets, "SLOT_S", 1.0)
    flood, calm = Client(path), Client(path)
    flood._socket.sendall(b'{"type":"status"}\n' * 1000)
    assert echo.wait(lambda e: len(e.messages) >= 20)
    calm.send(m.AskStatus())
    assert (calm.receive(5.0) or {})["ok"]
    # The flooding peer had one or two slots' worth by then, never all it sent.
    assert len(echo.messages) <= 1 + 20 * 3


def test_one_connection_too_many_pushes_the_oldest_out(path: Path, echo: Echo) -> None:
    clients = [Client(path) for _ in range(4)]
    assert echo.wait(lambda e: len(e.came) == 4)
    newest = Client(path)
    assert echo.wait(lambda e: e.went == [e.came[0]])
    newest.send(m.AskStatus())
    assert (newest.receive(5.0) or {})["ok"]
    with pytest.raises(OSError, match="closed"):
        clients[0].receive(5.0)


def test_work_handed_in_once_runs_once_while_it_waits(server: Server) -> None:
    ran: list[int] = []
    gate, done = threading.Event(), threading.Event()

    def hold() -> None:
        gate.wait(5.0)

    def work() -> None:
        ran.append(1)

    server.call(hold)
    for _ in range(10):
        server.call(work, once=True)
    server.call(done.set)
    gate.set()
    assert done.wait(5.0)
    assert ran == [1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_random_bytes_never_end_the_server(path: Path, chunks: list[bytes]) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        for chunk in chunks:
            raw.sendall(chunk)
    client = Client(path)
    client.send(m.AskStatus())
    answer = client.receive(5.0)
    client.close()
    assert answer is not None
    assert json.dumps(answer)


def test_a_socket_that_cant_be_opened_keeps_no_other_from_working(tmp_path: Path, echo: Echo) -> None:
    (tmp_path / "bad.sock").mkdir()
    server = Server()
    server.add(Role("camera", tmp_path / "bad.sock", m.from_camera, echo.received))
    server.add(Role("technician", tmp_path / "t.sock", m.from_technician, echo.received))
    server.start()
    try:
        client = Client(tmp_path / "t.sock")
        client.send(m.AskStatus())
        assert (client.receive(5.0) or {})["ok"]
    finally:
        server.stop()


def test_a_socket_whose_file_was_removed_comes_back(
    tmp_path: Path, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run folder that is cleaned under a panel that lives for years."""
    monkeypatch.setattr(sockets, "LOOK_AGAIN_S", 0.05)
    server = Server()
    server.add(Role("technician", tmp_path / "t.sock", m.from_technician, echo.received))
    server.start()
    try:
        before = Client(tmp_path / "t.sock")
        (tmp_path / "t.sock").unlink()
        end = time.monotonic() + 5.0
        while not (tmp_path / "t.sock").exists() and time.monotonic() < end:
            threading.Event().wait(0.01)
        for client in (Client(tmp_path / "t.sock"), before):
            client.send(m.AskStatus())
            assert (client.receive(5.0) or {})["ok"]
    finally:
        server.stop()


def test_work_that_waits_is_bounded_but_never_what_counts_once(server: Server) -> None:
    gate, done = threading.Event(), threading.Event()
    held = threading.Event()

    def hold() -> None:
        held.set()
        gate.wait(5.0)

    server.call(hold)
    assert held.wait(5.0)
    for _ in range(sockets.MAX_CALLS + 9):
        server.call(lambda: None)
    server.call(done.set, once=True)
    assert server.calls_dropped == 9
    gate.set()
    assert done.wait(5.0)


def test_a_call_after_the_end_writes_into_no_other_file(tmp_path: Path) -> None:
    """Another thread may still hand in work when the pipe's number stands for another file of the process."""
    server = Server()
    server.start()
    server.stop()
    files = [(tmp_path / f"journal-{n}").open("w+b", buffering=0) for n in range(64)]
    for _ in range(3):
        server.call(lambda: None)
    assert [(tmp_path / f"journal-{n}").read_bytes() for n in range(64)] == [b""] * 64
    for file in files:
        file.close()


def test_an_error_of_the_thread_itself_does_not_end_it(path: Path, server: Server, echo: Echo) -> None:
    client = Client(path)
    assert echo.wait(lambda e: len(e.came) == 1)
    server._peers[0].lines = None  # type: ignore[assignment]  # what must never happen
    end = time.monotonic() + 5.0
    while not server.errors and time.monotonic() < end:
        client.send(m.AskStatus())
        threading.Event().wait(0.05)
    assert server.errors > 0
    assert server.alive()
    server._peers[0].lines = deque()
    client.send(m.AskStatus())
    assert (client.receive(5.0) or {})["ok"]
