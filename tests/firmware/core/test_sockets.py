"""Core's sockets with real unix sockets and real peers, good and bad."""

import json
import socket
import threading
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
    monkeypatch.setattr(sockets, "MAX_LINES_PER_SECOND", 20)
    flood, calm = Client(path), Client(path)
    flood._socket.sendall(b'{"type":"status"}\n' * 1000)
    assert echo.wait(lambda e: len(e.messages) >= 20)
    calm.send(m.AskStatus())
    assert (calm.receive(5.0) or {})["ok"]
    # The flooding peer had one or two seconds' worth by then, never all it sent.
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
