"""The service manager's side is a real datagram socket, once with a path and once with an abstract name."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.sd_notify import ALONE_MS, Readiness, notify, watchdog_interval_s


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        if request.param == "path":
            name = str(tmp_path / "notify")
            receiver.bind(name)
        else:
            receiver.bind("")
            name = "@" + receiver.getsockname()[1:].decode()
        receiver.settimeout(5)
        yield receiver, {"NOTIFY_SOCKET": name}


def test_a_state_arrives(manager: tuple[socket.socket, dict[str, str]]) -> None:
    receiver, environment = manager
    assert notify("READY=1\nSTATUS=布防", environment)
    assert receiver.recv(100).decode() == "READY=1\nSTATUS=布防"


def test_who_is_welcomed_by_core_is_ready_and_says_so_once(
    manager: tuple[socket.socket, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, environment = manager
    monkeypatch.setenv("NOTIFY_SOCKET", environment["NOTIFY_SOCKET"])
    receiver.setblocking(False)
    ready = Readiness(5)
    assert ready.turn(False, 5 + ALONE_MS - 1) is False
    with pytest.raises(BlockingIOError):
        receiver.recv(100)
    assert [ready.turn(True, 5 + ALONE_MS - 1), ready.turn(True, 5 + ALONE_MS)] == [True, True]
    assert receiver.recv(100) == b"READY=1"
    with pytest.raises(BlockingIOError):
        receiver.recv(100)


def test_the_absence_of_core_holds_nobody_up(
    manager: tuple[socket.socket, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, environment = manager
    monkeypatch.setenv("NOTIFY_SOCKET", environment["NOTIFY_SOCKET"])
    assert Readiness(5).turn(False, 5 + ALONE_MS)
    assert receiver.recv(100) == b"READY=1"


def test_a_guard_that_does_not_read_does_not_block(manager: tuple[socket.socket, dict[str, str]]) -> None:
    _, environment = manager
    sent = [notify("WATCHDOG=1", environment) for _ in range(5000)]
    assert sent[0]
    assert not sent[-1]


@pytest.mark.parametrize("name", ["", "relative", "/no/such/socket", "@no-such-fenghuo", "@\0", "/" + "x" * 300])
def test_without_a_guard_nothing_happens(name: str) -> None:
    assert notify("READY=1", {"NOTIFY_SOCKET": name}) is False


def test_nothing_set() -> None:
    assert notify("READY=1", {}) is False
    assert watchdog_interval_s({}) is None


def test_half_of_the_watchdog() -> None:
    assert watchdog_interval_s({"WATCHDOG_USEC": "20000000"}) == 10.0
    assert watchdog_interval_s({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}) == 1.5


@pytest.mark.parametrize(
    "environment",
    [
        {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "x"},
    ],
)
def test_a_watchdog_that_is_not_ours(environment: dict[str, str]) -> None:
    assert watchdog_interval_s(environment) is None
