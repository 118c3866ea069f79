"""TLS against a real Mosquitto that requires client certificates, with certificates made for the test."""

import select
import ssl
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from firmware.config import MqttPath
from firmware.protocol.messages import Authorities
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery, Settings
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.path_link import MqttPathLink
from firmware.uplink.tls import BadTlsFiles, context
from hil.broker import HOST
from tests.clock import TurnedClock
from tests.firmware.uplink.brokers import Authority, Mosquitto, wait_for

WILL = e.Connect("fenghuo/v1/bank-7/link", b"{}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ours = Authority.make(folder, "center ca")
    ours.issue("broker", [HOST])
    ours.issue("elsewhere", ["elsewhere.example"])
    ours.issue("panel", [])
    strange = Authority.make(folder / "strange", "strange ca")
    strange.issue("panel", [])
    strange.issue("broker", [HOST])
    return folder


def mosquitto(folder: Path, certificate: str, extra: str = "") -> Mosquitto:
    return Mosquitto(
        folder,
        "allow_anonymous true\nrequire_certificate true\n"
        f"cafile {folder}/ca.pem\ncertfile {folder}/{certificate}.pem\nkeyfile {folder}/{certificate}.key\n{extra}",
    )


@pytest.fixture
def broker(folder: Path) -> Iterator[Mosquitto]:
    with mosquitto(folder, "broker") as running:
        yield running


def path(port: int, **files: str) -> MqttPath:
    tls = {"ca": "ca.pem", "certificate": "panel.pem", "key": "panel.key", **files}
    return MqttPath.model_validate({"id": "primary", "host": HOST, "port": port, "tls": tls})


def strange_broker(folder: Path) -> Mosquitto:
    """A broker with another CA's certificate, that takes our panel's."""
    return Mosquitto(
        folder / "strange",
        "allow_anonymous true\nrequire_certificate true\n"
        f"cafile {folder}/ca.pem\ncertfile {folder}/strange/broker.pem\nkeyfile {folder}/strange/broker.key\n",
    )


def first_event(folder: Path, path: MqttPath, tls: ssl.SSLContext | None = None) -> e.FromPath:
    link = MqttLink("bank-7", path, tls or context(path, folder), lambda: "now")
    try:
        link.connect(WILL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            select.select([link.fileno()], [], [], 1)
            if events := link.events():
                return events[0]
        raise AssertionError("the link said nothing")
    finally:
        link.close()


@pytest.mark.clause("GB 55029 2.0.4 boundary")
@pytest.mark.clause("EN 50136 confidentiality")
def test_both_sides_prove_themselves_and_the_path_opens(folder: Path, broker: Mosquitto) -> None:
    assert first_event(folder, path(broker.port)) == e.Opened("now")


@pytest.mark.clause("GB 55029 2.0.4 boundary")
def test_a_broker_of_another_ca_is_refused(folder: Path) -> None:
    strange = folder / "strange"
    with mosquitto(strange, "broker") as broker:
        closed = first_event(folder, path(broker.port))
    assert isinstance(closed, e.Closed)
    assert closed.refused
    assert "CERTIFICATE_VERIFY_FAILED" in closed.reason


@pytest.mark.clause("GB 55029 2.0.4 boundary")
def test_a_broker_of_an_authority_that_the_center_added_is_believed_and_of_no_other(folder: Path) -> None:
    added = (folder / "strange" / "ca.pem").read_text()
    with mosquitto(folder, "broker") as ours, strange_broker(folder) as strange:
        for port, authorities, opens in [
            (strange.port, [added], True),
            (strange.port, ["no certificate"], False),
            (strange.port, [], False),
            (ours.port, [added], True),
        ]:
            its = path(port)
            found = first_event(folder, its, context(its, folder, authorities))
            assert isinstance(found, e.Opened) is opens, (authorities, found)


def test_an_authority_that_core_tells_of_counts_from_the_next_connection_on(folder: Path) -> None:
    trusted: list[Sequence[str]] = []
    link = MqttLink("bank-7", path(1), None, lambda: "now")
    delivery = Delivery(Settings(panel="bank-7", path="primary"), Random(1))
    way = MqttPathLink("primary", delivery, link, TurnedClock(), trusted.append)
    way.hear(Authorities(certificates=["pem"]))
    assert (trusted, list(way.turn())) == ([["pem"]], [])
    link.close()


@pytest.mark.clause("GB 55029 2.0.4 boundary")
def test_a_broker_with_another_name_is_refused(folder: Path) -> None:
    with mosquitto(folder, "elsewhere") as broker:
        closed = first_event(folder, path(broker.port))
    assert isinstance(closed, e.Closed)
    assert closed.refused
    assert "mismatch" in closed.reason


@pytest.mark.clause("GB 55029 2.0.4 boundary")
@pytest.mark.clause("EN 50136 substitution")
def test_a_client_certificate_of_another_ca_gets_nowhere(folder: Path, broker: Mosquitto) -> None:
    other = path(broker.port, certificate="strange/panel.pem", key="strange/panel.key")
    assert isinstance(first_event(folder, other), e.Closed)


def test_tls_1_1_is_too_old(folder: Path, broker: Mosquitto) -> None:
    made = context(path(broker.port), folder)
    assert made is not None
    assert made.minimum_version.name == "TLSv1_2"
    assert made.check_hostname


def test_a_cut_over_tls_ends_cleanly(folder: Path, broker: Mosquitto) -> None:
    its = path(broker.port)
    link = MqttLink("bank-7", its, context(its, folder), lambda: "now")
    link.connect(WILL)
    seen: list[e.FromPath] = []

    def count() -> int:
        seen.extend(link.events())
        return len(seen)

    wait_for(lambda: count() > 0, "opened")
    broker.kill()
    wait_for(lambda: count() > 1, "closed")
    assert [type(event) for event in seen] == [e.Opened, e.Closed]
    link.close()


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"ca": "gone.pem"}, "gone.pem"),
        ({"ca": "panel.key"}, "panel.key"),
        ({"certificate": "gone.pem"}, "gone.pem"),
        ({"key": "broker.key"}, "broker.key"),
        ({"key": "ca.pem"}, "ca.pem"),
    ],
)
def test_bad_files_are_named_and_their_content_is_not(folder: Path, files: dict[str, str], named: str) -> None:
    with pytest.raises(BadTlsFiles) as bad:
        context(path(1, **files), folder)
    assert named in str(bad.value)
    assert "BEGIN" not in str(bad.value)


def test_plain_text_has_no_context(tmp_path: Path) -> None:
    plain = {"id": "p", "host": HOST, "plaintext": "I accept that anyone on the network can read and drop reports"}
    assert context(MqttPath.model_validate(plain), tmp_path) is None
