"""JSON lines: any chunking gives the same lines, limits hold on both sides, and a client is told when core is gone."""

import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.protocol import messages as m
from firmware.protocol.lines import Client, LineTooLong, Splitter, encode

LIMIT = 8


def split(chunks: list[bytes], limit: int = LIMIT) -> tuple[list[bytes], int]:
    """All lines of the chunks, and how many were reported as too long."""
    splitter, lines, reported = Splitter(limit), [], 0
    for chunk in chunks:
        try:
            lines += splitter.feed(chunk)
        except LineTooLong as error:
            lines += error.lines
            reported += 1
    return lines, reported


stream = st.lists(st.sampled_from([b"\n", b"{}", b"abc", b"12345678", b"123456789"]), max_size=20).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(stream, st.lists(st.integers(0, 100), max_size=12))
def test_any_chunking_gives_the_same_lines(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut <= len(data))})
    chunks = [data[a:b] for a, b in pairwise(edges)]
    whole = data.split(b"\n")[:-1]
    lines, reported = split(chunks)
    assert lines == [line for line in whole if len(line) <= LIMIT]
    too_long = [line for line in data.split(b"\n") if len(line) > LIMIT]
    assert (reported > 0) == bool(too_long)
    assert reported <= len(too_long)


def test_the_limit_is_exact_and_the_tail_of_a_long_line_is_no_line() -> None:
    assert split([b"12345678\n"]) == ([b"12345678"], 0)
    assert split([b"123456789", b'{"a":1}', b"tail\n", b"next\n"]) == ([b"next"], 1)


def test_a_stream_without_newlines_takes_no_memory() -> None:
    splitter = Splitter(1000)
    for _ in range(10):
        assert splitter.feed(b"x" * 100) == []
    with pytest.raises(LineTooLong):
        splitter.feed(b"x")
    for _ in range(2000):
        assert splitter.feed(b"x" * 100) == []
    assert splitter.feed(b"\nok\n") == [b"ok"]


def test_a_sender_meets_the_limit_before_the_other_side_does() -> None:
    fits = m.CommandIn(jws="x" * (128 * 1024))
    assert encode(fits).endswith(b"\n")
    with pytest.raises(LineTooLong):
        encode(m.CommandIn(jws="\x01" * (128 * 1024)))


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[tuple[Client, socket.socket]]:
    path = tmp_path / "s"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    client = Client(path)
    server, _ = listener.accept()
    yield client, server
    for thing in (client, server, listener):
        thing.close()


def test_a_client_sends_and_receives(peer: tuple[Client, socket.socket]) -> None:
    client, server = peer
    client.send(m.AskStatus())
    assert server.recv(100) == b'{"type":"status"}\n'
    server.sendall(b'{"type":"answer","ok":true}\n{"a":')
    assert client.receive(5.0) == {"type": "answer", "ok": True}
    assert not client.pending()
    assert client.receive(0.0) is None
    server.sendall(b"1}\n{}\n")
    assert client.receive(5.0) == {"a": 1}
    assert client.pending()
    assert client.receive(0.0) == {}


@pytest.mark.parametrize(
    "data", [b"[]\n", b"nonsense\n", b"\xff\n", b"[" * 100_000 + b"\n", b"x" * 300_000 + b"\n", b""]
)
def test_nonsense_and_the_end_are_connection_errors(peer: tuple[Client, socket.socket], data: bytes) -> None:
    client, server = peer

    def send() -> None:
        server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(ConnectionError):
        client.receive(5.0)
    client.close()
    sender.join(5.0)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Client(tmp_path / "none")
