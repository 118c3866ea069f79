"""The paho adapter against real brokers: Mosquitto, and the embedded one of the demo."""

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from firmware.uplink import events as e
from firmware.uplink.connection import MAX_PACKET_BYTES
from firmware.uplink.mqtt import MAX_WAITING, MqttLink
from hil.broker import HOST, EmbeddedBroker
from tests.firmware.uplink.brokers import Mosquitto, Watcher, plain_path, wait_for

PANEL = "bank-7"
ROOT = f"fenghuo/v1/{PANEL}"
WILL = e.Connect(f"{ROOT}/link", b'{"online":false}')
TIME = "2026-03-14T23:09:26.123Z"


class Driven:
    """A link and everything that it ever said."""

    def __init__(self, port: int) -> None:
        self.link = MqttLink(PANEL, plain_path(port), None, lambda: TIME)
        self.seen: list[e.FromPath] = []

    def until(self, what: Callable[[list[e.FromPath]], object], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not what(self.seen):
            left = end - time.monotonic()
            assert left > 0, f"in vain; seen {[type(s).__name__ for s in self.seen][-20:]}"
            select.select([self.link.fileno()], [], [], left)
            self.seen += self.link.events()

    def open(self) -> None:
        self.link.connect(WILL)
        self.until(lambda seen: any(isinstance(s, e.Opened | e.Closed) for s in seen))
        assert e.Opened(TIME) in self.seen
        assert self.closed() == []

    def closed(self) -> list[e.Closed]:
        return [s for s in self.seen if isinstance(s, e.Closed)]


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mosquitto | EmbeddedBroker]:
    with Mosquitto(tmp_path) if request.param == "mosquitto" else EmbeddedBroker() as running:
        yield running


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def drive() -> Iterator[Callable[[int], Driven]]:
    made: list[Driven] = []

    def make(port: int) -> Driven:
        made.append(Driven(port))
        return made[-1]

    yield make
    for driven in made:
        driven.link.close()


def publish(token: int, word: str, payload: bytes, qos: Literal[0, 1] = 1, retain: bool = False) -> e.Publish:
    return e.Publish(token, f"{ROOT}/{word}", payload, qos, retain, "application/json")


def test_publishes_arrive_with_their_content_type_and_are_acknowledged(
    broker: Mosquitto | EmbeddedBroker, drive: Callable[[int], Driven]
) -> None:
    driven = drive(broker.port)
    driven.open()
    with Watcher(broker.port, f"{ROOT}/#") as watcher:
        driven.link.publish(publish(1, "event/alarm", b"x" * 60_000))
        driven.link.publish(publish(2, "heartbeat", b"beat", qos=0))
        driven.link.publish(publish(3, "state", b"{}", retain=True))
        driven.until(lambda seen: {e.Acked(1), e.Acked(2), e.Acked(3)} <= set(seen))
        watcher.wait(lambda m: len(m) == 3, "three messages")
        assert {m.topic.removeprefix(ROOT + "/") for m in watcher.messages} == {"event/alarm", "heartbeat", "state"}
        assert all(getattr(m.properties, "ContentType", "") == "application/json" for m in watcher.messages)


def test_receipts_and_commands_come_in_and_other_topics_do_not(
    broker: Mosquitto | EmbeddedBroker, drive: Callable[[int], Driven]
) -> None:
    driven = drive(broker.port)
    driven.open()
    with Watcher(broker.port, f"{ROOT}/#") as center:
        center.client.publish("fenghuo/v1/bank-8/receipt", b"not ours", 1)
        center.client.publish(f"{ROOT}/receipt", b"\x00\xff", 1)
        center.client.publish(f"{ROOT}/command", b"c", 1)
        driven.until(lambda seen: sum(isinstance(s, e.Received) for s in seen) == 2)
    assert set(driven.seen) >= {e.Received("receipt", b"\x00\xff"), e.Received("command", b"c")}


def test_a_cut_brings_the_will_and_a_goodbye_does_not(
    broker: Mosquitto | EmbeddedBroker, drive: Callable[[int], Driven]
) -> None:
    driven = drive(broker.port)
    with Watcher(broker.port, f"{ROOT}/link") as watcher:
        driven.open()
        driven.link.disconnect(e.Disconnect("cut"))
        watcher.wait(lambda m: len(m) == 1, "the will")
        driven.until(lambda seen: seen[-1] == e.Closed("cut"))
        driven.seen.clear()
        driven.open()
        driven.link.publish(publish(1, "link", b"goodbye", retain=True))
        driven.link.disconnect(e.Disconnect("stopping", graceful=True))
        watcher.wait(lambda m: len(m) == 2, "the goodbye")
        with Watcher(broker.port, f"{ROOT}/link") as later:
            later.wait(lambda m: m, "the retained one")
        assert [bytes(m.payload) for m in watcher.messages] == [b'{"online":false}', b"goodbye"]
        assert bytes(later.messages[0].payload) == b"goodbye"
        assert {getattr(m.properties, "ContentType", None) for m in watcher.messages} == {"application/json"}


def test_a_goodbye_amid_receipts_brings_no_will(mosquitto: Mosquitto, drive: Callable[[int], Driven]) -> None:
    driven = drive(mosquitto.port)
    with Watcher(mosquitto.port, f"{ROOT}/link") as watcher:
        for time_ in range(1, 31):
            driven.open()
            for _ in range(50):
                watcher.client.publish(f"{ROOT}/receipt", bytes(1000), 1)
            driven.link.publish(publish(time_, "link", b"goodbye", retain=True))
            driven.link.disconnect(e.Disconnect("stopping", graceful=True))
            driven.until(lambda seen: seen[-1] == e.Closed("stopping"))
            driven.seen.clear()
            wait_for(lambda sent=time_: len(watcher.of("link")) == sent, "the goodbye")  # type: ignore[misc]
        assert {bytes(m.payload) for m in watcher.messages} == {b"goodbye"}


def test_a_broker_that_dies_is_told_once_and_another_try_works(
    broker: Mosquitto | EmbeddedBroker, drive: Callable[[int], Driven]
) -> None:
    driven = drive(broker.port)
    driven.open()
    broker.stop()
    driven.until(lambda seen: isinstance(seen[-1], e.Closed))
    assert [closed.refused for closed in driven.closed()] == [False]
    driven.link.publish(publish(9, "event/alarm", b"x"))
    driven.link.connect(WILL)
    driven.until(lambda _: len(driven.closed()) == 2)
    assert "refused" in driven.closed()[-1].reason.lower()
    broker.start()
    driven.seen.clear()
    driven.open()
    driven.link.publish(publish(10, "event/alarm", b"x"))
    driven.until(lambda seen: e.Acked(10) in seen)
    assert e.Acked(9) not in driven.seen


def test_a_second_connection_comes_in_the_place_of_the_first_and_is_no_takeover(
    mosquitto: Mosquitto, drive: Callable[[int], Driven]
) -> None:
    driven = drive(mosquitto.port)
    driven.open()
    driven.link.connect(e.Connect(WILL.will_topic, WILL.will, beside=True))
    driven.until(lambda seen: isinstance(seen[-1], e.Switched))
    with Watcher(mosquitto.port, f"{ROOT}/event/#") as watcher:
        driven.link.publish(e.Publish(7, f"{ROOT}/event/alarm", b"{}", 1, False, "application/json"))
        driven.until(lambda seen: e.Acked(7) in seen)
        watcher.wait(lambda got: got, "what the second one published")
    assert driven.closed() == []


def test_a_second_connection_that_fails_leaves_the_first_alone(
    mosquitto: Mosquitto, drive: Callable[[int], Driven]
) -> None:
    driven = drive(mosquitto.port)
    driven.open()
    other = Scripted(b"\x87\x87", b"")
    with other:
        driven.link._path = plain_path(other.port)
        driven.link.connect(e.Connect(WILL.will_topic, WILL.will, beside=True))
        driven.until(lambda seen: isinstance(seen[-1], e.NotSwitched))
    driven.link.publish(e.Publish(8, f"{ROOT}/event/alarm", b"{}", 1, False, "application/json"))
    driven.until(lambda seen: e.Acked(8) in seen)
    assert driven.closed() == []


def test_a_second_connection_that_hangs_is_given_up(mosquitto: Mosquitto, drive: Callable[[int], Driven]) -> None:
    driven = drive(mosquitto.port)
    driven.open()
    with socket.create_server((HOST, 0)) as deaf:
        driven.link._path = plain_path(deaf.getsockname()[1])
        driven.link.connect(e.Connect(WILL.will_topic, WILL.will, beside=True))
        assert driven.link.give_up_second("too slow")
        assert not driven.link.give_up_second("again")
        driven.until(lambda seen: seen[-1] == e.NotSwitched("too slow"))
    driven.link.publish(e.Publish(9, f"{ROOT}/event/alarm", b"{}", 1, False, "application/json"))
    driven.until(lambda seen: e.Acked(9) in seen)


class Scripted:
    """A broker by script: CONNACK, SUBACK with these codes, then these bytes, then it only reads."""

    def __init__(self, subscribed: bytes, then: bytes, accepted: bytes = bytes([0x20, 3, 0, 0, 0])) -> None:
        self.received = bytearray()
        self._server = socket.create_server((HOST, 0))
        self.port = self._server.getsockname()[1]
        self.cut_by_us = threading.Event()
        self._thread = threading.Thread(target=self._play, args=(subscribed, then, accepted))
        self._thread.start()

    def _play(self, subscribed: bytes, then: bytes, accepted: bytes) -> None:
        peer, _ = self._server.accept()
        with peer:
            peer.settimeout(10)
            peer.recv(4096)
            peer.sendall(accepted)
            subscribe = peer.recv(4096)
            peer.sendall(bytes([0x90, 3 + len(subscribed), subscribe[2], subscribe[3], 0]) + subscribed + then)
            with contextlib.suppress(ConnectionResetError):
                while data := peer.recv(4096):
                    self.received += data
            self.cut_by_us.set()

    def __enter__(self) -> "Scripted":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._server.close()


def test_mosquitto_closes_the_first_of_two_with_one_name(mosquitto: Mosquitto, drive: Callable[[int], Driven]) -> None:
    first, second = drive(mosquitto.port), drive(mosquitto.port)
    first.open()
    second.open()
    first.until(lambda seen: isinstance(seen[-1], e.Closed))
    assert len(first.closed()) == 1


@pytest.mark.parametrize(
    ("code", "refused", "words"),
    [(0x8E, True, "taken over"), (0x97, True, "quota exceeded"), (0x8B, False, "shutting down")],
)
def test_the_reason_of_the_brokers_disconnect_is_told(
    code: int, refused: bool, words: str, drive: Callable[[int], Driven]
) -> None:
    with Scripted(b"\x01\x01", bytes([0xE0, 2, code, 0])) as broker:
        driven = drive(broker.port)
        driven.link.connect(WILL)
        driven.until(lambda seen: seen and isinstance(seen[-1], e.Closed))
    (closed,) = driven.closed()
    assert closed.refused is refused
    assert closed.taken_over is (code == 0x8E)
    assert words in closed.reason.lower()


def test_a_denied_subscription_is_a_refusal(drive: Callable[[int], Driven]) -> None:
    with Scripted(b"\x01\x87", b"") as broker:
        driven = drive(broker.port)
        driven.link.connect(WILL)
        driven.until(lambda seen: seen)
    assert len(driven.seen) == 1
    assert driven.closed()[0].refused
    assert "subscription" in driven.closed()[0].reason
    assert broker.cut_by_us.is_set()


def test_a_denied_publish_says_so(tmp_path: Path, drive: Callable[[int], Driven]) -> None:
    (tmp_path / "acl").write_text(f"topic read {ROOT}/#\n")
    with Mosquitto(tmp_path, f"allow_anonymous true\nacl_file {tmp_path}/acl\n") as broker:
        driven = drive(broker.port)
        driven.open()
        driven.link.publish(publish(1, "event/alarm", b"x"))
        driven.until(lambda seen: any(isinstance(s, e.Acked) for s in seen))
        (acked,) = (s for s in driven.seen if isinstance(s, e.Acked))
        assert "not authorized" in acked.failure.lower()


def test_a_denied_connection_is_a_refusal(tmp_path: Path, drive: Callable[[int], Driven]) -> None:
    with Mosquitto(tmp_path, "allow_anonymous false\n") as broker:
        driven = drive(broker.port)
        driven.link.connect(WILL)
        driven.until(lambda seen: seen and isinstance(seen[-1], e.Closed))
        assert [closed.refused for closed in driven.closed()] == [True]


def test_the_brokers_receive_maximum_is_obeyed(drive: Callable[[int], Driven]) -> None:
    only_two = bytes([0x20, 6, 0, 0, 3, 0x21, 0, 2])
    with Scripted(b"\x01\x01", b"", only_two) as broker:
        driven = drive(broker.port)
        driven.open()
        for token in range(5):
            driven.link.publish(publish(token, "event/alarm", b"record-%d" % token))
        driven.link.publish(publish(9, "heartbeat", b"beat", qos=0))
        wait_for(lambda: b"beat" in broker.received, "what needs no acknowledgement")
        driven.link.disconnect(e.Disconnect("enough"))
    assert b"record-1" in broker.received
    assert b"record-2" not in broker.received


def test_spam_fills_a_bounded_queue_and_the_rest_is_counted(
    mosquitto: Mosquitto, drive: Callable[[int], Driven]
) -> None:
    driven = drive(mosquitto.port)
    driven.open()
    with Watcher(mosquitto.port, "none") as center:
        for _ in range(3 * MAX_WAITING):
            center.client.publish(f"{ROOT}/command", b"spam", 1)
        last = center.client.publish("elsewhere", b"", 1)
        last.wait_for_publish(10)
        driven.link.publish(publish(1, "event/alarm", b"x"))
        end = time.monotonic() + 10
        while driven.link.dropped["queue-full"] < 2 * MAX_WAITING and time.monotonic() < end:
            time.sleep(0.01)
    driven.until(lambda seen: e.Acked(1) in seen)
    assert sum(isinstance(s, e.Received) for s in driven.seen) == MAX_WAITING
    assert driven.link.dropped["queue-full"] == 2 * MAX_WAITING


def test_an_oversized_message_never_arrives_and_the_next_does(
    mosquitto: Mosquitto, drive: Callable[[int], Driven]
) -> None:
    driven = drive(mosquitto.port)
    driven.open()
    with Watcher(mosquitto.port, "none") as center:
        center.client.publish(f"{ROOT}/receipt", b"x" * (MAX_PACKET_BYTES + 1), 1).wait_for_publish(5)
        center.client.publish(f"{ROOT}/receipt", b"small", 1)
        driven.until(lambda seen: isinstance(seen[-1], e.Received))
    assert driven.seen[1:] == [e.Received("receipt", b"small")]


def test_a_broker_that_ignores_our_limit_is_cut_off_before_the_packet_is_read(drive: Callable[[int], Driven]) -> None:
    huge = bytes([0x30, 0x80, 0x84, 0xAF, 0x5F])  # a PUBLISH of 200 MB is announced
    with Scripted(b"\x01\x01", huge + b"\x00\x01x" * 100) as broker:
        driven = drive(broker.port)
        driven.link.connect(WILL)
        driven.until(lambda seen: seen and isinstance(seen[-1], e.Closed))
    assert broker.cut_by_us.is_set()


@pytest.mark.parametrize(
    "junk", [b"\x00" * 64, b"\xff" * 64, b"HTTP/1.1 400 Bad Request\r\n" * 8, b"\x30\x05\x00\xffabc"]
)
def test_a_broker_that_talks_nonsense_is_a_lost_connection(junk: bytes, drive: Callable[[int], Driven]) -> None:
    with Scripted(b"\x01\x01", junk) as broker:
        driven = drive(broker.port)
        driven.link.connect(WILL)
        driven.until(lambda seen: seen and isinstance(seen[-1], e.Closed))
    assert len(driven.closed()) == 1


def test_the_will_and_the_online_message_bear_the_same_order(mosquitto: Mosquitto) -> None:
    from random import Random

    from firmware.protocol import messages as m
    from firmware.uplink.delivery import Delivery
    from firmware.uplink.settings import Settings

    delivery = Delivery(Settings(PANEL, "primary"), Random(1))
    link = MqttLink(PANEL, plain_path(mosquitto.port), None, lambda: TIME)
    with Watcher(mosquitto.port, f"{ROOT}/link") as watcher:
        outputs = delivery.feed(m.Welcome(panel=PANEL, session=4, peer=2, version="x"), 0)
        outputs += delivery.feed(e.Tick(), 1_000)
        (connect,) = (o for o in outputs if isinstance(o, e.Connect))
        link.connect(connect)
        driven = Driven.__new__(Driven)
        driven.link, driven.seen = link, []
        driven.until(lambda seen: seen)
        for output in delivery.feed(driven.seen[0], 1_001):
            if isinstance(output, e.Publish):
                link.publish(output)
        watcher.wait(lambda got: len(got) == 1, "online")
        link.disconnect(e.Disconnect("cut"))
        watcher.wait(lambda got: len(got) == 2, "the will")
    link.close()
    online, will = (json.loads(payload) for payload in watcher.of("link"))
    assert (online["online"], will["online"]) == (True, False)
    assert online["order"] == will["order"] == [4, 2, 1]
