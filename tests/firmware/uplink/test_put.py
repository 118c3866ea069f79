"""Putting a picture to a real TLS server: resume, refusals, what is not allowed, and that it waits for the line."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from firmware.clock import SystemClock
from firmware.protocol import messages as m
from firmware.protocol.messages import PictureOrder
from firmware.protocol.put_url import allowed, split
from firmware.uplink import put as module
from firmware.uplink.delivery import Delivery
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.path_link import MqttPathLink
from firmware.uplink.pictures import Pictures
from firmware.uplink.put import Put, Terms
from firmware.uplink.settings import Settings
from hil.authority import Authority
from hil.broker import HOST
from hil.put_server import PutServer
from tests.firmware.uplink.brokers import Mosquitto, plain_path, wait_for

DATA = bytes(range(256)) * 1200
WAIT_S = 20.0


@dataclass
class Bench:
    """A file, a server, and the terms of a panel file that allows it."""

    folder: Path
    authority: Authority
    server: PutServer
    numbers: list[int] = field(default_factory=list)

    def terms(self, *hosts: str, ca: str = "ca.pem") -> Terms:
        return Terms(hosts or (f"{HOST}:{self.server.port}",), self.folder / ca)

    def put(self, url: str = "", terms: Terms | None = None, free: bool = True) -> Put:
        line = threading.Event()
        if free:
            line.set()
        number = os.open(self.folder / "a.jpg", os.O_RDONLY)
        self.numbers.append(number)
        made = Put(order(url or self.server.url("/up/1?t=x")), number, terms or self.terms(), line)
        made.start()
        return made


def order(url: str, number: int = 1) -> PictureOrder:
    return PictureOrder(
        path="center-1",
        transfer=f"{'k' * 43}.{number}",
        file="a.jpg",
        sha256=sha256(DATA).hexdigest(),
        bytes=len(DATA),
        offset=0,
        put=url,
    )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    authority = Authority.make(tmp_path, "pictures")
    authority.issue("server", [HOST])
    (tmp_path / "a.jpg").write_bytes(DATA)
    with PutServer(tmp_path / "server.pem", tmp_path / "server.key") as server:
        made = Bench(tmp_path, authority, server)
        yield made
        for number in made.numbers:
            os.close(number)


def ended(put: Put) -> str:
    assert put.finished.wait(WAIT_S)
    return put.fault


def test_it_is_put_whole(bench: Bench) -> None:
    put = bench.put()
    assert ended(put) == ""
    assert bench.server.held == {"/up/1?t=x": DATA}
    assert put.sent == len(DATA)


def test_after_a_cut_it_goes_on_where_the_server_stands(bench: Bench) -> None:
    bench.server.cut_after = [100_000, 50_000]
    put = bench.put()
    assert ended(put) == ""
    assert bench.server.held == {"/up/1?t=x": DATA}
    total = len(DATA)
    begun = [asked for asked in bench.server.asked if "*" not in asked]
    assert begun == [f"bytes {start}-{total - 1}/{total}" for start in (0, 100_000, 150_000)]


def test_a_server_that_knows_no_resume_gets_it_from_the_start(bench: Bench) -> None:
    bench.server._resumes = False
    bench.server.cut_after = [100_000]
    assert ended(bench.put()) == ""
    assert bench.server.held == {"/up/1?t=x": DATA}


@pytest.mark.parametrize("status", [302, 401, 403, 404, 413])
def test_a_refusal_is_one_and_a_redirect_is_not_followed(bench: Bench, status: int) -> None:
    bench.server.answers = [status]
    assert ended(bench.put()) == f"the server answered {status}"
    assert bench.server.held == {}
    assert len(bench.server.asked) == 1


def test_a_server_in_trouble_is_tried_again_but_not_for_ever(bench: Bench) -> None:
    bench.server.answers = [503, 500]
    assert ended(bench.put()) == ""
    bench.server.answers = [503] * 20
    assert ended(bench.put()) == "the server took only a part"


def test_another_host_another_port_or_another_authority_gets_nothing(bench: Bench) -> None:
    assert "does not allow" in ended(bench.put(terms=bench.terms(HOST)))
    assert "does not allow" in ended(bench.put(terms=bench.terms("pictures.example.org")))
    Authority.make(bench.folder / "other", "other")
    assert "certificate" in ended(bench.put(terms=bench.terms(ca="other/ca.pem")))
    bench.authority.issue("elsewhere", ["pictures.example.org"])
    with PutServer(bench.folder / "elsewhere.pem", bench.folder / "elsewhere.key") as wrong:
        put = bench.put(wrong.url("/"), bench.terms(f"{HOST}:{wrong.port}"))
        assert "certificate" in ended(put)
        assert wrong.asked == []
    assert bench.server.asked == []


def test_it_waits_while_records_want_the_line(bench: Bench) -> None:
    put = bench.put(free=False)
    assert not put.finished.wait(1.0)
    assert put.sent == 0
    put.free.set()
    assert ended(put) == ""


def test_it_can_be_given_up(bench: Bench) -> None:
    put = bench.put(free=False)
    put.stop()
    assert ended(put) == "given up"


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/x",
        "https://a.example",
        "https://a.example:0/x",
        "https://a.example:65536/x",
        "https://u@a.example/x",
        "https://a.example/x y",
        "https://a.example/\r\nHost: b",
        "https://A.example/",
        "https://[::1]/",
        "https://a.example/" + "x" * 500,
        "https://a.example\\@b.example/",
    ],
)
def test_no_other_form_of_address(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        split(url)
    assert not allowed(url, ("a.example", "b.example", "a.example:65536"))


def test_the_default_port_is_the_default_port() -> None:
    assert split("https://a.example/x?y=1") == ("a.example", 443, "/x?y=1")
    assert allowed("https://a.example/x", ("a.example:443",))
    assert allowed("https://a.example:443/x", ("b.example", "a.example"))
    assert not allowed("https://a.example:8443/x", ("a.example",))
    assert not allowed("https://a.example.b.example/x", ("a.example", "b.example"))


def test_pictures_put_one_after_the_other_and_tell_core(bench: Bench) -> None:
    pictures = Pictures("bank-7", "center-1", bench.folder, bench.terms())
    pictures.ordered(order(bench.server.url("/1")), 0)
    pictures.ordered(order("https://elsewhere.example/2", 2), 0)
    assert pictures.putting
    pictures.line(False)
    assert bench.server.held == {}
    pictures.line(True)
    for put in list(pictures._puts.values()):
        assert put.finished.wait(WAIT_S)
        pictures.passed(1)
    assert [(told.fault, told.bytes) for told in pictures.told] == [("", len(DATA)), ("not-put", 0)]
    assert "does not allow" in pictures.told[1].detail
    assert not pictures.putting
    letter = pictures.next()
    assert letter is not None
    assert b"not-put" in letter.payload


def test_without_hosts_nothing_is_put(bench: Bench) -> None:
    pictures = Pictures("bank-7", "center-1", bench.folder)
    pictures.ordered(order(bench.server.url("/1")), 0)
    assert [told.fault for told in pictures.told] == ["not-put"]
    assert bench.server.asked == []


@pytest.mark.parametrize("way", ["by https", "by the path"])
def test_nothing_of_a_picture_goes_while_a_record_is_asked_for(bench: Bench, tmp_path: Path, way: str) -> None:
    """Over a real broker: core owes an answer to a pull, so an alarm may be about to go."""
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as broker:
        clock = SystemClock()
        link = MqttLink("bank-7", plain_path(broker.port), None, lambda: "2026-03-14T23:09:26.123Z")
        delivery = Delivery(Settings(panel="bank-7", path="center-1", backoff_base_ms=1), Random(1))
        pictures = Pictures("bank-7", "center-1", bench.folder, bench.terms())
        path = MqttPathLink("center-1", delivery, link, clock, pictures=pictures)
        told: list[object] = []

        def turned() -> bool:
            told.extend(path.turn())
            return True

        path.hear(m.Welcome(panel="bank-7", session=1, peer=1, version="t"))
        wait_for(lambda: turned() and path.works, "an open path")
        lanes = {"alarm": 1, "status": 0, "evidence": 0}
        head = m.JournalHead(journal=str(UUID(int=1)), last=lanes, first_undelivered=dict.fromkeys(lanes, 1))
        path.hear(m.Head(journals=[head]))
        wait_for(lambda: turned() and any(isinstance(said, m.Pull) for said in told), "a pull")
        path.hear(order(bench.server.url("/1") if way == "by https" else ""))
        for _ in range(20):
            turned()
            assert not bench.server.held
            assert delivery.outbox.wants_chunk is (way == "by https"), "a chunk waits"
            time.sleep(0.02)
        path.answered(None)
        if way == "by https":
            wait_for(lambda: turned() and bench.server.held.get("/1") == DATA, "the picture")
        else:
            wait_for(lambda: turned() and delivery.outbox.wants_chunk, "all chunks of a range to be gone")
        path.close()
