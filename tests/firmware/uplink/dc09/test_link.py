"""A DC-09 link over real TCP, with core's side played from a journal in memory and short tries."""

import select
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from firmware.clock import SystemClock, utc_text
from firmware.core.delivery import Deliveries
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing
from firmware.uplink.dc09.codes import Names, Style, messages
from firmware.uplink.dc09.dialogue import Terms
from firmware.uplink.dc09.frame import Station
from firmware.uplink.dc09.ledger import Ledger
from firmware.uplink.dc09.link import Dc09Link, Policy
from firmware.uplink.dc09.tcp import TcpClient
from firmware.uplink.events import CoreLost, Pulled
from firmware.uplink.floor import Floor
from firmware.uplink.identity import Identity
from firmware.uplink.tls import Files
from hil.authority import Authority, pem
from hil.broker import HOST
from hil.dc09 import Receiver
from hil.memory_journal import MemoryJournal
from rules.effects import JsonValue

KEY = bytes(range(32))
BOTH = frozenset({"alarm", "status"})
TERMS = Terms(Station("1234"), retry_ms=400, tries=1, supervision_ms=60_000)
NAMES = Names(areas={"hall": 1, "vault": 2}, paths=("receiver",))


class Bench:
    """The link, a journal, and the receivers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = MemoryJournal("bank-7")
        self.deliveries = Deliveries(
            self.journal, "bank-7", KeyRing([]), self.journal.mark, acknowledging=frozenset({"receiver"})
        )
        self.receivers: list[Receiver] = []
        self.paths: list[m.Path] = []
        self.deaf = False
        """Core dies before it has kept what it is told."""
        self.link: Dc09Link | None = None
        self._clock = SystemClock()

    def receiver(self, key: bytes | None = None, tls: ssl.SSLContext | None = None) -> Receiver:
        self.receivers.append(Receiver(key, tls))
        return self.receivers[-1]

    def start(self, terms: Terms = TERMS, policy: Policy = Policy(), shown: Identity | None = None) -> Dc09Link:  # noqa: B008
        ports = [(HOST, receiver.port) for receiver in self.receivers]
        self.link = Dc09Link(
            "receiver",
            ports,
            replace(terms, receivers=len(ports)),
            lambda record, now_s: messages(record, NAMES, Style(), now_s),
            Ledger(self.folder / "receiver-dc09.json"),
            TcpClient("receiver"),
            self._clock,
            Random(1),
            policy,
            shown,
        )
        self.link.hear(m.Welcome(panel="bank-7", session=1, peer=1, version="t"))
        self.link.hear(self.deliveries.head())
        self.link.duty(BOTH)
        return self.link

    def event(self, kind: str, lane: str = "alarm", **payload: JsonValue) -> None:
        self.journal.append(lane, kind, payload, time=utc_text(time.time()))
        if self.link is not None:
            self.link.hear(self.deliveries.head())

    def until(self, what: Callable[[], object], why: str, seconds: float = 15.0) -> None:
        """Drive the loop until this is true."""
        link, end = self.link, time.monotonic() + seconds
        assert link is not None
        while not what():
            assert time.monotonic() < end, f"{why}; heard {[r.heard[-3:] for r in self.receivers]}"
            due = link.next_deadline()
            wait_ms = 50 if due is None else min(50, max(0, due - self._clock.monotonic_ms()))
            select.select([link.fileno()], [], [], wait_ms / 1000)
            for said in link.turn():
                self._hear(link, said)

    def _hear(self, link: Dc09Link, said: object) -> None:
        match said:
            case m.Pull():
                link.answered(Pulled(self.deliveries.pull(said)))
            case m.Path():
                self.paths.append(said)
            case m.Acknowledged() if not self.deaf:
                assert self.deliveries.acknowledged(said) is not None
                link.hear(self.deliveries.head())

    def close(self) -> None:
        if self.link is not None:
            self.link.close()
        for receiver in self.receivers:
            receiver.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_encrypted_inside_tls_with_certificates_on_both_sides(bench: Bench, tmp_path: Path) -> None:
    ours = Authority.make(tmp_path / "tls", "center ca")
    ours.issue("receiver", [HOST])
    ours.issue("panel", [])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "tls/receiver.pem", tmp_path / "tls/receiver.key")
    tls.load_verify_locations(tmp_path / "tls/ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    receiver = bench.receiver(KEY, tls)
    files = Files(tmp_path / "tls/ca.pem", tmp_path / "tls/panel.pem", tmp_path / "tls/panel.key")
    shown = Identity("receiver", files, files.ca, Floor(SystemClock()))
    link = bench.start(replace(TERMS, key=KEY), shown=shown)
    bench.event("alarm.fire", zone="z", zone_number=9, areas=["vault"])
    bench.until(lambda: receiver.events and link.works, "the alarm")
    (event,) = receiver.events
    assert (event.encrypted, event.content) == (True, "1110 02 009")
    assert receiver.bad == []


def test_a_receiver_of_another_authority_is_not_believed(bench: Bench, tmp_path: Path) -> None:
    ours, other = Authority.make(tmp_path / "a", "a"), Authority.make(tmp_path / "b", "b")
    ours.issue("panel", [])
    other.issue("receiver", [HOST])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "b/receiver.pem", tmp_path / "b/receiver.key")
    receiver = bench.receiver(None, tls)
    files = Files(tmp_path / "a/ca.pem", tmp_path / "a/panel.pem", tmp_path / "a/panel.key")
    bench.start(shown=Identity("receiver", files, files.ca, Floor(SystemClock())))
    bench.until(lambda: bench.paths, "the fault")
    assert (bench.paths[0].up, "certificate does not count" in bench.paths[0].detail) == (False, True)
    assert receiver.heard == []


def test_a_plain_acknowledgement_of_an_encrypted_message_delivers_nothing(bench: Bench) -> None:
    receiver = bench.receiver(KEY)
    receiver.standing = "plain"
    link = bench.start(replace(TERMS, key=KEY), Policy(counts=True, alone=True))
    bench.event("alarm.fire")
    bench.until(lambda: bench.paths, "the fault")
    assert (bench.paths[0].up, link.works) == (False, False)
    assert "plain text" in bench.paths[0].detail
    assert bench.journal.undelivered() == 1


@pytest.mark.parametrize("trouble", ["nothing", "garbage", "hang-up"])
def test_the_second_receiver_takes_over(bench: Bench, trouble: str) -> None:
    first, second = bench.receiver(), bench.receiver()
    first.standing = trouble  # type: ignore[assignment]
    link = bench.start()
    bench.event("alarm.fire")
    bench.until(lambda: second.events, "the second has it")
    assert [event.sequence for event in second.events] == [1]
    assert {h.sequence for h in first.heard if h.ident != "NULL"} <= {1}
    bench.until(lambda: link.works and link.counts["acknowledged"], "it works")
    assert bench.journal.undelivered() == 1, "an acknowledgement delivers nothing by itself"


def test_a_message_that_is_never_taken_holds_up_no_other(bench: Bench) -> None:
    receiver = bench.receiver()
    link = bench.start()
    bench.until(lambda: link.works, "NULL")
    # Three NAKs, NULL is taken, three NAKs again: the message is the reason.
    receiver.orders.extend(["nak", "nak", "nak", "ack", "nak", "nak", "nak"])
    bench.event("alarm.fire")
    bench.until(lambda: not receiver.orders and link.counts["refused"], "given up")
    bench.event("alarm.gas")
    bench.until(lambda: receiver.codes() == ["1151 00 000"], "the next one")
    assert sum(h.content == "1110 00 000" for h in receiver.heard) == 6
    bench.until(lambda: bench.paths[-1].up, "well again")
    assert any("(NAK)" in path.detail and not path.up for path in bench.paths)


def test_a_record_of_several_areas_goes_on_after_a_restart_where_it_was(bench: Bench, tmp_path: Path) -> None:
    receiver = bench.receiver()
    link = bench.start(policy=Policy(counts=True, alone=True))
    bench.until(lambda: link.works, "NULL")
    receiver.orders.extend(["ack", "nothing"])
    bench.event("area.armed", "status", areas=["hall", "vault"], area_numbers=[1, 2])
    bench.until(lambda: len(receiver.heard) >= 3, "the second message is under way")
    assert bench.journal.undelivered() == 1
    noted = Ledger(tmp_path / "receiver-dc09.json")
    assert noted.parts_done((bench.journal.heads()[0].journal, "status"), 1) == 1, "noted before it left"
    link.close()
    bench.start(policy=Policy(counts=True, alone=True))
    bench.until(lambda: bench.journal.undelivered() == 0, "delivered")
    assert [(e.sequence, e.content) for e in receiver.events] == [(1, "3401 01 000"), (2, "3401 02 000")]


def test_what_core_did_not_hear_before_it_died_it_hears_when_it_is_back(bench: Bench) -> None:
    receiver = bench.receiver()
    link = bench.start(replace(TERMS, tries=2), Policy(counts=True, alone=True))
    bench.until(lambda: link.works, "NULL")
    receiver.orders.append("nothing")
    bench.event("alarm.fire")
    bench.until(lambda: len(receiver.heard) == 2, "it is under way")
    link.hear(CoreLost())
    end = time.monotonic() + 5
    while not link.counts["acknowledged"] and time.monotonic() < end:
        select.select([link.fileno()], [], [], 0.05)
        assert link.turn() == []
    assert (link.counts["acknowledged"], bench.journal.undelivered()) == (1, 1)
    link.hear(m.Welcome(panel="bank-7", session=3, peer=1, version="t"))
    link.hear(bench.deliveries.head())
    bench.until(lambda: bench.journal.undelivered() == 0, "told")
    assert len(receiver.events) == 1


def test_what_core_was_told_and_lost_it_is_told_again(bench: Bench) -> None:
    bench.receiver()
    link = bench.start(policy=Policy(counts=True, alone=True))
    bench.deaf = True
    bench.event("alarm.fire")
    bench.until(lambda: link.counts["acknowledged"], "acknowledged")
    assert bench.journal.undelivered() == 1
    bench.deaf = False
    link.hear(CoreLost())
    link.hear(m.Welcome(panel="bank-7", session=2, peer=1, version="t"))
    link.hear(bench.deliveries.head())
    bench.until(lambda: bench.journal.undelivered() == 0, "told again")


def test_what_failed_goes_before_what_came_later(bench: Bench) -> None:
    receiver = bench.receiver()
    link = bench.start()
    bench.until(lambda: link.works, "NULL")
    link.duty(frozenset())
    for kind in ("alarm.fire", "alarm.gas"):
        bench.event(kind)
    receiver.orders.append("nothing")
    link.duty(BOTH)
    bench.until(lambda: len(receiver.events) == 2, "both")
    assert receiver.codes() == ["1110 00 000", "1151 00 000"]


def test_an_authority_that_the_center_added_counts_from_the_next_connection_on(bench: Bench, tmp_path: Path) -> None:
    ours, other = Authority.make(tmp_path / "a", "a"), Authority.make(tmp_path / "b", "b")
    ours.issue("panel", [])
    other.issue("receiver", [HOST])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "b/receiver.pem", tmp_path / "b/receiver.key")
    bench.receiver(None, tls)
    files = Files(tmp_path / "a/ca.pem", tmp_path / "a/panel.pem", tmp_path / "a/panel.key")
    link = bench.start(shown=Identity("receiver", files, files.ca, Floor(SystemClock())))
    link.hear(m.Authorities(certificates=[pem(other.certificate)]))
    bench.until(lambda: link.works, "it is believed")


def test_with_all_alarms_one_that_is_delivered_already_goes_out_too(bench: Bench) -> None:
    receiver = bench.receiver()
    link = bench.start(policy=Policy(all_alarms=True))
    bench.until(lambda: link.works, "NULL")
    bench.event("alarm.fire")
    name = bench.journal.heads()[0].journal
    bench.journal.mark(name, "alarm", [(1, 1)], "")
    link.hear(m.Delivered(journal=name, lane="alarm", ranges=[(1, 1)]))
    link.hear(bench.deliveries.head())
    bench.until(lambda: receiver.codes() == ["1110 00 000"], "by this path too")


def test_without_duty_it_only_says_that_it_is_there(bench: Bench) -> None:
    receiver = bench.receiver()
    link = bench.start(replace(TERMS, supervision_ms=100))
    link.duty(frozenset())
    bench.event("alarm.fire")
    bench.until(lambda: len(receiver.heard) >= 3, "supervision")
    assert {heard.ident for heard in receiver.heard} == {"NULL"}
