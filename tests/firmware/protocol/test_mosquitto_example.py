"""docs/examples/mosquitto as it stands, in a real Mosquitto over TLS: a certificate opens one panel's topics."""

import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hil.authority import Authority
from hil.broker import HOST, free_port
from tests.firmware.protocol.test_acl import PAGE, SUCCESS, broker_program

EXAMPLE = PAGE.parent / "examples" / "mosquitto"
NOT_AUTHORISED, REFUSED = 0x87, -2
PANELS = ("bank-0001", "bank-0002")
WRITTEN = (
    *("event/alarm", "event/status", "event/evidence", "event/telemetry", "batch/alarm", "batch/status"),
    *("heartbeat", "state", "link", "reply", "renewal"),
)
READ = ("receipt", "command", "certificate", "time", "keys")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    ours = Authority.make(folder, "panel ca")
    ours.issue("broker", [HOST])
    for name in (*PANELS, "center"):
        ours.issue(name, [])
    Authority.make(folder / "strange", "panel ca").issue("bank-0001", [])
    (folder / "panel-ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    return folder


@pytest.fixture(scope="module")
def port(certificates: Path) -> Iterator[int]:
    """The example with its paths put in place; a root's Mosquitto must be told to stay what it is."""
    free = free_port()
    text = (EXAMPLE / "mosquitto.conf").read_text()
    for here, there in (
        ("listener 8883", f"listener {free} {HOST}"),
        ("/etc/mosquitto/certs/", f"{certificates}/"),
        ("/etc/mosquitto/fenghuo.acl", str(EXAMPLE / "fenghuo.acl")),
        ("/var/lib/mosquitto/", f"{certificates}/"),
    ):
        assert here in text
        text = text.replace(here, there)
    config = certificates / "mosquitto.conf"
    config.write_text(f"{text}\nuser root\n")
    command = [broker_program("mosquitto"), "-c", str(config), "-v"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "running" in line:
                    break
            else:
                raise AssertionError("".join(said))
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield free
        finally:
            process.terminate()


class Person:
    """A client with somebody's certificate; `reason` is how the broker answered its CONNECT, -2 when TLS failed."""

    def __init__(self, port: int, certificate: Path | None, client_id: str, folder: Path) -> None:
        self._said = threading.Event()
        self._subscribed = threading.Event()
        self.ended = threading.Event()
        self.got: list[tuple[str, bytes]] = []
        self._came = threading.Condition()
        self.reason = -1
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
        self._client.tls_set(
            str(folder / "ca.pem"),
            str(certificate.with_suffix(".pem")) if certificate else None,
            str(certificate.with_suffix(".key")) if certificate else None,
        )
        self._client.on_connect = lambda _c, _d, _f, reason, _p: self._say(reason.value)
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda _c, _d, _m, reason, _p: self._say(reason.value)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        try:
            self._client.connect(HOST, port)
        except OSError:
            self.reason = REFUSED
            return
        self._client.loop_start()
        assert self._said.wait(5.0)
        if self.ended.is_set():
            self.reason = REFUSED
        self._said.clear()

    def _say(self, reason: int) -> None:
        self.reason = reason
        self._said.set()

    def _on_disconnect(self, *_: object) -> None:
        self.ended.set()
        self._said.set()

    def _on_message(self, _c: object, _d: object, message: paho.MQTTMessage) -> None:
        with self._came:
            self.got.append((message.topic, bytes(message.payload)))
            self._came.notify_all()

    def publish(self, topic: str, payload: bytes = b"{}") -> int:
        self._client.publish(topic, payload, qos=1)
        assert self._said.wait(5.0)
        self._said.clear()
        return self.reason

    def subscribe(self, *topics: str) -> None:
        self._subscribed.clear()
        self._client.subscribe([(topic, 1) for topic in topics])
        assert self._subscribed.wait(5.0)

    def heard(self, last: bytes) -> set[str]:
        """The topics of all that came up to the message with this payload."""
        with self._came:
            assert self._came.wait_for(lambda: any(payload == last for _, payload in self.got), 5.0)
            return {topic for topic, _ in self.got}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def people(port: int, certificates: Path) -> Iterator[dict[str, Person]]:
    found = {name: Person(port, certificates / name, name, certificates) for name in (*PANELS, "center")}
    assert [person.reason for person in found.values()] == [0, 0, 0]
    yield found
    for person in found.values():
        person.close()


def topic(panel: str, word: str) -> str:
    return f"fenghuo/v1/{panel}/{word}"


def test_the_page_shows_this_very_list() -> None:
    shown = next(t for t in re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL) if "pattern write" in t)
    assert shown == (EXAMPLE / "fenghuo.acl").read_text()


def test_a_panel_writes_its_own_topics_and_none_of_its_neighbours(people: dict[str, Person]) -> None:
    panel, other = PANELS
    assert {word: people[panel].publish(topic(panel, word)) in SUCCESS for word in WRITTEN} == dict.fromkeys(
        WRITTEN, True
    )
    words = (*WRITTEN, *READ)
    assert {word: people[panel].publish(topic(other, word)) for word in words} == dict.fromkeys(words, NOT_AUTHORISED)
    assert {word: people[panel].publish(topic(panel, word)) for word in READ} == dict.fromkeys(READ, NOT_AUTHORISED)


@pytest.mark.clause("EN 50136 confidentiality")
def test_a_panel_hears_what_is_for_it_and_nothing_of_its_neighbours(people: dict[str, Person]) -> None:
    panel, other = PANELS
    people[panel].subscribe("#", "fenghuo/v1/#", topic(other, "#"), *(topic(panel, word) for word in READ))
    for word in WRITTEN:
        assert people[other].publish(topic(other, word)) in SUCCESS
    for whose in (other, panel):
        for word in READ:
            assert people["center"].publish(topic(whose, word), b"last" if word == READ[-1] else b"") in SUCCESS
    mine = people[panel].heard(b"last")
    assert mine == {topic(panel, word) for word in READ}


def test_the_center_hears_all_panels_and_writes_only_what_is_the_centers(people: dict[str, Person]) -> None:
    center = people["center"]
    center.subscribe("fenghuo/v1/+/#")
    for panel in PANELS:
        for word in WRITTEN:
            people[panel].publish(topic(panel, word), b"last" if panel == PANELS[-1] else b"")
    heard = center.heard(b"last")
    assert {topic(panel, WRITTEN[0]) for panel in PANELS} <= heard
    assert {word: center.publish(topic(PANELS[0], word)) for word in WRITTEN} == dict.fromkeys(WRITTEN, NOT_AUTHORISED)


@pytest.mark.clause("EN 50136 substitution")
def test_the_client_id_of_another_panel_throws_nobody_out(
    people: dict[str, Person], port: int, certificates: Path
) -> None:
    panel, other = PANELS
    thief = Person(port, certificates / panel, other, certificates)
    assert thief.reason == 0
    assert people[panel].ended.wait(5.0)  # the certificate is the panel's own, so its own session goes
    assert people[other].publish(topic(other, "heartbeat")) in SUCCESS
    assert not people[other].ended.is_set()
    assert thief.publish(topic(other, "heartbeat")) == NOT_AUTHORISED
    thief.close()


@pytest.mark.parametrize("certificate", [None, "strange/bank-0001"])
def test_without_a_certificate_of_this_ca_nobody_comes_in(
    port: int, certificates: Path, certificate: str | None
) -> None:
    stranger = Person(port, certificates / certificate if certificate else None, "bank-0001", certificates)
    assert stranger.reason == REFUSED
    stranger.close()
