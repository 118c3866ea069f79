"""The access list of docs/alarm-center.md in a real Mosquitto: a panel has its own topics, the center its two."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hil.broker import free_port

PAGE = Path(__file__).parents[3] / "docs" / "alarm-center.md"
USERS = ("bank-0001", "bank-0002", "center")
SUCCESS = (0x00, 0x10)
"""Success, and success without a subscriber."""
NOT_AUTHORISED = 0x87
PATIENCE_S = 30.0


def broker_program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
    assert found, f"{name} is not installed: apt-get install mosquitto"
    return found


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("broker")
    acl = next(
        text for text in re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL) if "pattern write" in text
    )
    (folder / "acl").write_text(acl)
    (folder / "passwords").write_text("".join(f"{user}:{user}\n" for user in USERS))
    subprocess.run([broker_program("mosquitto_passwd"), "-U", str(folder / "passwords")], check=True)
    free = free_port()
    (folder / "conf").write_text(
        f"listener {free} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {folder}/passwords\n"
        f"acl_file {folder}/acl\nmax_packet_size 262144\nretain_available true\n"
    )
    command = [broker_program("mosquitto"), "-c", str(folder / "conf"), "-v"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            assert any("running" in line for line in process.stdout), "mosquitto ended before it was running"
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield free
        finally:
            process.terminate()


class Person:
    """One connected MQTT client that waits for what it asks."""

    def __init__(self, user: str, port: int) -> None:
        self._said = threading.Event()
        self.reason = -1
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=paho.MQTTv5)
        self._client.username_pw_set(user, user)
        self._client.on_connect = lambda _c, _d, _f, reason, _p: self._say(reason.value)
        self._client.on_publish = lambda _c, _d, _m, reason, _p: self._say(reason.value)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._wait() == 0

    def _say(self, reason: int) -> None:
        self.reason = reason
        self._said.set()

    def _wait(self) -> int:
        assert self._said.wait(PATIENCE_S)
        self._said.clear()
        return self.reason

    def publish(self, topic: str) -> int:
        self._client.publish(topic, b"{}", qos=1)
        return self._wait()

    def receives(self, topic: str, sender: "Person", mark: str, marker: "Person") -> bool:
        """Whether this one gets what the sender publishes there. The marker's message on `mark`, which this one may
        hear, is published after it and ends the wait: the broker hands a client its messages in order.
        """
        got: list[str] = []
        done, subscribed = threading.Event(), threading.Event()

        def on_message(_c: object, _d: object, message: paho.MQTTMessage) -> None:
            got.append(message.topic)
            if message.topic == mark:
                done.set()

        self._client.on_message = on_message
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.subscribe([(topic, 1), (mark, 1)])
        assert subscribed.wait(PATIENCE_S)
        assert sender.publish(topic) in SUCCESS
        assert marker.publish(mark) in SUCCESS
        assert done.wait(PATIENCE_S)
        return topic in got

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def people(port: int) -> Iterator[dict[str, Person]]:
    found = {user: Person(user, port) for user in USERS}
    yield found
    for person in found.values():
        person.close()


OWN = ["event/alarm", "event/telemetry", "batch/status", "heartbeat", "state", "link", "reply"]


def test_a_panel_publishes_on_its_own_topics_only(people: dict[str, Person]) -> None:
    panel = people["bank-0001"]
    assert [word for word in OWN if panel.publish(f"fenghuo/v1/bank-0001/{word}") not in SUCCESS] == []
    assert [word for word in OWN if panel.publish(f"fenghuo/v1/bank-0002/{word}") != NOT_AUTHORISED] == []
    for word in ("receipt", "command", "other"):
        assert panel.publish(f"fenghuo/v1/bank-0001/{word}") == NOT_AUTHORISED


def test_the_center_publishes_receipts_and_commands_only(people: dict[str, Person]) -> None:
    center = people["center"]
    for word in ("receipt", "command"):
        assert center.publish(f"fenghuo/v1/bank-0001/{word}") in SUCCESS
    assert [word for word in OWN if center.publish(f"fenghuo/v1/bank-0001/{word}") != NOT_AUTHORISED] == []


def test_who_hears_what(people: dict[str, Person]) -> None:
    panel, other, center = people["bank-0001"], people["bank-0002"], people["center"]
    beat, receipt, other_receipt = (
        f"fenghuo/v1/{word}" for word in ("bank-0001/heartbeat", "bank-0001/receipt", "bank-0002/receipt")
    )
    assert center.receives("fenghuo/v1/bank-0001/event/alarm", panel, beat, panel)
    assert panel.receives("fenghuo/v1/bank-0001/command", center, receipt, center)
    assert not other.receives("fenghuo/v1/bank-0001/command", center, other_receipt, center)
    assert not other.receives("fenghuo/v1/bank-0001/event/alarm", panel, other_receipt, center)
