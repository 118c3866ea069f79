"""The uplink process with a DC-09 receiver: when alarms go to it, and that none goes twice."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.clock import utc_text
from hil.dc09 import Receiver
from rules.effects import JsonValue
from tests.firmware.uplink.brokers import PLAIN, wait_for
from tests.firmware.uplink.test_process import Site

SENTENCE = "I accept that an acknowledgement of DC-09 is not signed"
QUICK = "retry_s = 5\ntries = 1\nsupervision_s = 10"


class Dc09Site(Site):
    """The site of the process tests with a receiver behind its broker; `alone` without the broker's path."""

    def __init__(self, folder: Path, more: str = f'plaintext = "{PLAIN}"', alone: bool = False) -> None:
        super().__init__(folder)
        self.receiver = Receiver()
        file = folder / "panel.toml"
        path = (
            f'[[path]]\nid = "receiver"\nkind = "dc09"\nhost = "127.0.0.1"\nport = {self.receiver.port}\n'
            f'account = "1234"\n{QUICK}\n{more}\n\n'
        )
        text = file.read_text()
        begin, center = text.index("[[path]]"), text.index("[center]")
        terms = "\nfailover_s = 1\nescalate_s = 5\n"
        text = text[:begin] + path if alone else text[:center] + path + text[center:] + terms
        file.write_text(text)

    def event(self, lane: str, kind: str, **payload: JsonValue) -> None:
        with self.core._lock:
            self.core.journal.append(lane, kind, payload, time=utc_text(time.time()))
        self.core._waker.send(b"h")

    def alarm(self, kind: str = "alarm.intruder") -> None:
        self.event("alarm", kind, zone="door", zone_number=1, areas=["hall"])

    def up(self, path: str) -> None:
        wait_for(lambda: [p.up for p in self.core.paths if p.path == path][-1:] == [True], f"{path} is up", 20)

    def close(self) -> None:
        super().close()
        self.receiver.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Dc09Site]:
    made = Dc09Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Dc09Site]:
    made = Dc09Site(tmp_path, f'plaintext = "{PLAIN}"\nacknowledgement = "{SENTENCE}"', alone=True)
    yield made
    made.close()


def test_with_the_broker_gone_alarms_go_to_the_receiver_and_once(site: Dc09Site) -> None:
    site.core.start()
    site.start_uplink()
    site.up("primary")
    site.up("receiver")
    site.alarm()
    site.all_delivered()
    assert site.receiver.codes() == [], "the broker's path works, and nothing else is asked"
    site.broker.kill()
    site.alarm("alarm.hold-up")
    site.event("status", "area.disarmed", areas=["hall"], area_numbers=[1], by="keypad:k", user="7")
    site.receiver.wait(lambda: len(site.receiver.events) == 2, "alarm and status by DC-09")
    assert site.receiver.codes() == ["1122 01 001", "1401 01 007"]
    alarm = site.receiver.events[0]
    assert alarm.record == f"{site.core.journal.heads()[-1].journal}-2"
    assert (alarm.account, alarm.receiver, alarm.line, alarm.sequence) == ("1234", "1", "0", 1)
    # An acknowledgement is no receipt: both go on waiting. And what was acknowledged never goes again.
    assert site.core.undelivered() == 2
    site.end_uplink(signal.SIGKILL)
    site.start_uplink()
    site.alarm("alarm.fire")
    site.receiver.wait(lambda: len(site.receiver.events) == 3, "the new alarm")
    assert site.receiver.codes()[2] == "1110 01 001"
    assert site.receiver.events[2].sequence == 3, "a restart goes on with the numbers"
    site.broker.start()
    site.all_delivered()
    assert site.end_uplink()[0] == 0
    assert len(site.receiver.events) == 3


def test_killed_between_sending_and_acknowledgement_the_same_number_goes_out_again(site: Dc09Site) -> None:
    site.broker.kill()
    site.core.start()
    site.start_uplink()
    site.up("receiver")
    site.receiver.standing = "nothing"
    site.alarm()
    site.receiver.wait(lambda: [h for h in site.receiver.heard if h.ident != "NULL"], "it is under way")
    site.end_uplink(signal.SIGKILL)
    site.receiver.standing = "ack"
    site.start_uplink()
    site.receiver.wait(lambda: site.receiver.events, "it came")
    sent = [h for h in site.receiver.heard if h.ident != "NULL"]
    assert [(h.sequence, h.content) for h in sent] == [(1, "1130 01 001")] * 2


def test_a_path_that_does_not_answer_is_told_and_told_again_when_it_does(site: Dc09Site) -> None:
    site.core.start()
    site.start_uplink()
    site.up("receiver")
    site.receiver.standing = "nothing"
    wait_for(lambda: [p for p in site.core.paths if p.path == "receiver" and not p.up], "the fault", 30)
    assert "does not answer" in [p for p in site.core.paths if p.path == "receiver"][-1].detail
    site.receiver.standing = "ack"
    site.up("receiver")


def test_a_key_that_can_not_be_used_costs_the_other_path_nothing(tmp_path: Path) -> None:
    site = Dc09Site(tmp_path, 'key_file = "keys/gone.key"')
    try:
        site.core.start()
        site.start_uplink()
        wait_for(lambda: [p for p in site.core.paths if p.path == "receiver"], "the fault")
        (told,) = [p for p in site.core.paths if p.path == "receiver"]
        assert not told.up
        assert "gone.key: No such file" in told.detail
        site.alarm()
        site.all_delivered()
        assert site.end_uplink()[0] == 0
        assert site.receiver.heard == [], "and nothing goes out in plain text instead"
    finally:
        site.close()


def test_alone_without_its_key_it_does_not_start(tmp_path: Path) -> None:
    site = Dc09Site(tmp_path, f'key_file = "keys/gone.key"\nacknowledgement = "{SENTENCE}"', alone=True)
    try:
        site.start_uplink()
        assert site.process is not None
        _, errors = site.process.communicate(timeout=20)
        assert site.process.returncode == 2
        assert "gone.key: No such file" in errors.decode()
        site.process = None
    finally:
        site.close()


def test_alone_an_acknowledgement_delivers(alone: Dc09Site) -> None:
    alone.core.start()
    alone.start_uplink()
    alone.up("receiver")
    alone.alarm()
    alone.event("status", "area.entry-cancelled", areas=["hall"])
    alone.event("status", "area.armed", areas=["hall"], area_numbers=[1], user="")
    alone.event("evidence", "evidence.pictures", zone="door")
    wait_for(lambda: alone.core.undelivered() == 0, "all of it delivered", 15)
    assert alone.receiver.codes() == ["1130 01 001", "3401 01 000"]
    # DUH: not delivered, not sent again, and told.
    alone.receiver.orders.append("duh")
    alone.alarm("alarm.fire")
    wait_for(lambda: [p for p in alone.core.paths if "can't use 1110 01 001 (DUH)" in p.detail], "the fault")
    alone.alarm("alarm.gas")
    alone.receiver.wait(lambda: "1151 01 001" in alone.receiver.codes(), "the next one goes")
    alone.up("receiver")
    assert alone.core.undelivered() == 1
    assert sum(h.content == "1110 01 001" for h in alone.receiver.heard) == 1
    assert alone.end_uplink()[0] == 0


def test_a_clock_that_the_receiver_does_not_like_is_set_by_its_nak(site: Dc09Site) -> None:
    site.receiver.clock_ahead_s = 7200.0
    site.core.start()
    site.start_uplink()
    site.up("receiver")
    site.broker.kill()
    site.alarm()
    site.receiver.wait(lambda: site.receiver.events, "it came")
    (event,) = site.receiver.events
    assert event.moment is not None
    assert abs(event.moment - time.time() - 7200) < 10
