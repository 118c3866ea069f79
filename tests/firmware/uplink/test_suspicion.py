"""Somebody else under our client id at a real Mosquitto, which says nothing of it; and what is no suspicion."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from firmware.clock import SystemClock, utc_text
from firmware.protocol import messages as m
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.path_link import MqttPathLink
from firmware.uplink.settings import Settings
from firmware.uplink.suspicion import TIMES, WITHIN_MS, Suspicion
from tests.firmware.uplink.brokers import Mosquitto, plain_path, wait_for

PANEL = "bank-7"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


class Panel:
    """A path as the uplink drives it, and what it told core."""

    def __init__(self, port: int) -> None:
        clock = SystemClock()
        link = MqttLink(PANEL, plain_path(port), None, lambda: utc_text(clock.utc()))
        settings = Settings(panel=PANEL, path="primary", backoff_base_ms=1, backoff_cap_ms=20)
        self.delivery = Delivery(settings, Random(1))
        self.way = MqttPathLink("primary", self.delivery, link, clock)
        self.told: list[object] = []
        self.way.hear(m.Welcome(panel=PANEL, session=1, peer=1, version="t"))

    def turn(self) -> bool:
        self.told += self.way.turn()
        return self.way.works

    def all_has_left(self) -> bool:
        """Whether the broker has read all: it resets a line with bytes unread, and that is no hang-up."""
        return self.delivery._flying.oldest_ms() is None

    def tried(self) -> int:
        """How many connections were begun."""
        return self.delivery._connection

    def tries_in_vain(self) -> None:
        """Wait until one try has failed."""
        begun = self.tried()
        wait_for(lambda: self.turn() or self.tried() > begun + 1, "a try in vain")

    def suspects(self) -> list[m.TakenOver]:
        return [message for message in self.told if isinstance(message, m.TakenOver)]


@pytest.mark.clause("EN 50136 substitution")
def test_a_stranger_with_our_client_id_is_suspected(mosquitto: Mosquitto) -> None:
    panel = Panel(mosquitto.port)
    for time in range(TIMES):
        wait_for(lambda: panel.turn() and panel.all_has_left(), "an open path")
        assert len(panel.suspects()) == 0, time
        stranger = MqttLink(PANEL, plain_path(mosquitto.port), None, lambda: "now")
        stranger.connect(e.Connect(f"fenghuo/v1/{PANEL}/link", json.dumps({}).encode()))
        wait_for(lambda: not panel.turn(), "to be thrown out")
        stranger.close()
    assert panel.suspects() == [m.TakenOver(path="primary", sure=False)]
    panel.way.close()


def test_a_broker_that_dies_and_comes_back_is_none(mosquitto: Mosquitto) -> None:
    panel = Panel(mosquitto.port)
    for _ in range(TIMES + 1):
        wait_for(panel.turn, "an open path")
        mosquitto.kill()
        wait_for(lambda: not panel.turn(), "a lost path")
        panel.tries_in_vain()
        mosquitto.start()
    assert panel.suspects() == []
    panel.way.close()


def test_only_hang_ups_in_a_row_and_soon_count() -> None:
    suspicion = Suspicion()
    assert [suspicion.ended(True, True, at) for at in (0, 1, 2, 3, 4, 5)] == [False, False, True] * 2
    assert not any(suspicion.ended(True, True, at) for at in (0, WITHIN_MS // 2 + 1, WITHIN_MS + 1))
    for between in ((True, False), (False, True), (False, False)):
        suspicion = Suspicion()
        ends = [(True, True), (True, True), between, (True, True), (True, True)]
        assert not any(suspicion.ended(*end, 0) for end in ends)
