"""The proxy harms as it was told, and carries everything else whole and in order."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.fault_proxy import FaultProxy
from hil.faults import Fault, Weather, clear_of, drawn

BLINK_S = 0.3
"""So long silence is listened to where nothing must come."""


class Echo:
    """A server behind the proxy that gives back what it gets, and remembers how its connections ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    def _echo(self, peer: socket.socket) -> None:
        how = "closed"
        try:
            while data := peer.recv(65536):
                peer.sendall(data)
        except OSError:
            how = "reset"
        peer.close()
        with self.changed:
            self.ends.append(how)
            self.changed.notify_all()

    def wait_ended(self) -> str:
        with self.changed:
            assert self.changed.wait_for(lambda: self.ends, 5), "the server's connection did not end"
            return self.ends[-1]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread: else the port would stay open
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(echo.port, seed=1) as running:
        yield running


def connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), 5)


def receive(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := peer.recv(count - len(data))):
        data += more
    return data


def say_and_hear(proxy: FaultProxy) -> bytes:
    """One byte there and back over a connection of its own; the reset may come as early as in `connect`."""
    with connect(proxy) as peer:
        peer.sendall(b"1")
        return peer.recv(1)


def fill(peer: socket.socket) -> int:
    """Send until nothing more is taken; how much was."""
    sent = 0
    while sent < 64 * 1024 * 1024:
        try:
            sent += peer.send(b"x" * 65536)
        except TimeoutError:
            break
    return sent


def silent(peer: socket.socket) -> bool:
    peer.settimeout(BLINK_S)
    try:
        peer.recv(1)
    except TimeoutError:
        return True
    finally:
        peer.settimeout(5)
    return False


def test_fair_weather_carries_everything_in_order_and_the_end(proxy: FaultProxy, echo: Echo) -> None:
    data = bytes(range(256)) * 8192
    with connect(proxy) as peer:
        threading.Thread(target=peer.sendall, args=(data,)).start()
        assert receive(peer, len(data)) == data
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""
    assert echo.wait_ended() == "closed"
    assert (proxy.counts["up"], proxy.counts["down"]) == (len(data), len(data))


@pytest.mark.parametrize("weather", [Weather(up=False), Weather(down=False), Weather(up=False, down=False)])
def test_a_partition_holds_back_and_loses_nothing_when_it_heals(proxy: FaultProxy, weather: Weather) -> None:
    with connect(proxy) as peer:
        peer.sendall(b"before")
        assert receive(peer, 6) == b"before"
        proxy.set(weather)
        peer.sendall(b"within")
        assert silent(peer)
        proxy.heal()
        assert receive(peer, 6) == b"within"


def test_a_one_way_partition_lets_the_other_way_through(proxy: FaultProxy) -> None:
    with connect(proxy) as peer:
        peer.sendall(b"1")
        receive(peer, 1)
        proxy.set(Weather(down=False))
        peer.sendall(b"2")
        assert silent(peer)
        assert proxy.counts["up"] == 2
        assert proxy.counts["down"] == 1


def test_latency_and_jitter_delay_and_keep_the_order(proxy: FaultProxy) -> None:
    proxy.set(Weather(latency_ms=60, jitter_ms=60))
    with connect(proxy) as peer:
        begin = time.monotonic()
        for number in range(20):
            peer.sendall(b"%02d" % number)
            time.sleep(0.002)  # so that they are chunks of their own
        assert receive(peer, 40) == b"".join(b"%02d" % number for number in range(20))
        assert time.monotonic() - begin >= 0.12


def test_a_narrow_line_takes_its_time(proxy: FaultProxy) -> None:
    proxy.set(Weather(bytes_per_s=200_000))
    with connect(proxy) as peer:
        data = b"x" * 100_000
        begin = time.monotonic()
        threading.Thread(target=peer.sendall, args=(data,)).start()
        assert receive(peer, len(data)) == data
        assert time.monotonic() - begin >= 0.4


def test_what_it_holds_is_bounded(proxy: FaultProxy) -> None:
    proxy.set(Weather(up=False))
    with connect(proxy) as peer:
        peer.settimeout(BLINK_S)
        assert 0 < fill(peer) < 32 * 1024 * 1024


def test_a_reset_is_felt_at_both_ends(proxy: FaultProxy, echo: Echo) -> None:
    with connect(proxy) as peer:
        peer.sendall(b"1")
        receive(peer, 1)
        proxy.break_all("reset")
        with pytest.raises(ConnectionResetError):
            peer.recv(1)
    assert echo.wait_ended() == "reset"


def test_half_open_the_client_is_not_told_until_it_heals(proxy: FaultProxy, echo: Echo) -> None:
    with connect(proxy) as peer:
        peer.sendall(b"1")
        receive(peer, 1)
        proxy.break_all("half-open")
        assert echo.wait_ended() == "reset"
        peer.sendall(b"into nothing")
        assert silent(peer)
        with connect(proxy) as other:
            other.sendall(b"2")
            assert receive(other, 1) == b"2", "a new connection goes through"
        proxy.heal()
        with pytest.raises(ConnectionResetError):
            peer.recv(1)


def test_refused_and_hanging_connections(proxy: FaultProxy) -> None:
    proxy.set(Weather(welcome="refuse"))
    with pytest.raises(ConnectionResetError):
        say_and_hear(proxy)
    proxy.set(Weather(welcome="hang"))
    with connect(proxy) as peer:
        peer.sendall(b"hello")
        assert silent(peer)
        proxy.heal()
        with pytest.raises(ConnectionResetError):
            peer.recv(1)
    with connect(proxy) as peer:
        peer.sendall(b"hello")
        assert receive(peer, 5) == b"hello"


def test_a_slow_close_holds_the_end_back(proxy: FaultProxy) -> None:
    with connect(proxy) as peer:
        proxy.set(Weather(close_s=2 * BLINK_S))
        peer.shutdown(socket.SHUT_WR)
        assert silent(peer)
        assert peer.recv(1) == b""


def test_nobody_behind_it_is_a_reset(echo: Echo) -> None:
    with FaultProxy(echo.port) as proxy:
        echo.close()
        with pytest.raises(ConnectionResetError):
            say_and_hear(proxy)
        assert proxy.counts["unreachable"] == 1


def test_a_programme_is_played_and_ends_in_fair_weather(proxy: FaultProxy) -> None:
    programme = (Fault(0.0, 0.1, "reset"), Fault(0.2, BLINK_S, "partition"))
    with connect(proxy) as peer:
        peer.sendall(b"1")
        receive(peer, 1)
        proxy.play(programme, threading.Event())
        with pytest.raises(ConnectionResetError):
            peer.recv(1)
    with connect(proxy) as peer:
        peer.sendall(b"1")
        assert receive(peer, 1) == b"1"
    assert (proxy.counts["fault.reset"], proxy.counts["fault.partition"]) == (1, 1)


def test_a_stop_ends_it_amid_a_fault(echo: Echo) -> None:
    proxy = FaultProxy(echo.port).start()
    peers: list[Callable[[], None]] = []
    for weather in (Weather(), Weather(up=False), Weather(welcome="hang")):
        proxy.set(weather)
        peer = connect(proxy)
        peer.sendall(b"x" * 100)
        peers.append(peer.close)
    proxy.break_all("half-open")
    proxy.stop()
    for close in peers:
        close()
    with pytest.raises(OSError, match="refused"):
        connect(proxy)


@given(st.integers(), st.floats(1, 500))
def test_drawn_programmes_are_in_order_within_their_length_and_always_the_same(seed: int, length_s: float) -> None:
    programme = drawn(seed, length_s)
    assert programme == drawn(seed, length_s)
    ends = 0.0
    for fault in programme:
        assert ends <= fault.at_s <= fault.end_s <= length_s + 1e-6
        fault.weather()
        ends = fault.end_s
    assert clear_of(programme, ends + 1, ends + 2)
    assert not programme or not clear_of(programme, programme[0].at_s, programme[0].end_s)
