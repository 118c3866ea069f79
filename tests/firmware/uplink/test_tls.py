"""TLS against a real Mosquitto that requires client certificates, with certificates made for the test."""

import contextlib
import select
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from firmware.clock import SystemClock, utc_text
from firmware.config import MqttPath
from firmware.protocol.messages import Authorities, Welcome
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.floor import Floor
from firmware.uplink.identity import Identity, identity
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.path_link import MqttPathLink
from firmware.uplink.settings import Settings
from firmware.uplink.tls import BadTlsFiles, Files, OutOfDate, check_dates, context
from hil.authority import Life
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


def shown(folder: Path, path: MqttPath, floor: Floor | None = None) -> Identity:
    found = identity(path, folder, floor or Floor(SystemClock()))
    assert found is not None
    return found


def first_event(folder: Path, path: MqttPath, whom: Identity | None = None) -> e.FromPath:
    link = MqttLink("bank-7", path, whom or shown(folder, path), lambda: "now")
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
            whom = shown(folder, its)
            whom.trust(authorities)
            found = first_event(folder, its, whom)
            assert isinstance(found, e.Opened) is opens, (authorities, found)


def test_an_authority_that_core_tells_of_counts_from_the_next_connection_on(folder: Path) -> None:
    added = (folder / "strange" / "ca.pem").read_text()
    with strange_broker(folder) as strange:
        its = path(strange.port)
        whom = shown(folder, its)
        link = MqttLink("bank-7", its, whom, lambda: "now")
        delivery = Delivery(Settings(panel="bank-7", path="primary"), Random(1))
        way = MqttPathLink("primary", delivery, link, TurnedClock(), whom)
        assert isinstance(first_event(folder, its, whom), e.Closed)
        way.hear(Authorities(certificates=[added]))
        assert isinstance(first_event(folder, its, whom), e.Opened)
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


@pytest.mark.clause("GB 55029 2.0.4 boundary")
def test_tls_1_1_is_too_old(folder: Path) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.load_cert_chain(folder / "broker.pem", folder / "broker.key")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        lenient.set_ciphers("DEFAULT:@SECLEVEL=0")
        lenient.minimum_version = ssl.TLSVersion.TLSv1
    lenient.load_verify_locations(folder / "ca.pem")
    with OldServer(old) as port:
        with socket.create_connection((HOST, port), 5) as plain, lenient.wrap_socket(plain, server_hostname=HOST) as s:
            assert s.version() == "TLSv1.1"  # the server is one that somebody could talk to
        closed = first_event(folder, path(port))
    assert isinstance(closed, e.Closed)
    assert closed.refused
    assert "PROTOCOL_VERSION" in closed.reason.upper() or "UNSUPPORTED_PROTOCOL" in closed.reason.upper()


class OldServer:
    """Shakes hands with whoever comes, until it is closed."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as shaken:
                shaken.recv(1)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.mark.clause("GB 55029 2.0.4 boundary", "EN 50136 confidentiality")
def test_a_broker_in_plain_text_is_refused_where_the_file_wants_tls(folder: Path, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as plain:
        assert isinstance(first_event(folder, path(plain.port)), e.Closed)


# --- a board without a right clock ----------------------------------------------------------------------------

YEAR = 365.0


@dataclass(frozen=True)
class Ahead:
    """A broker whose certificates begin in a year: for them, this machine's clock is a year behind."""

    folder: Path
    port: int

    def first(self, floor_days: float | None, state: str = "free-running") -> e.FromPath:
        """What happens to a panel with a floor so far from now (None: the build alone), and a clock as this one."""
        clock = TurnedClock(utc=time.time())
        clock.quality = state
        floor = Floor(clock)
        if floor_days is not None:
            floor.raise_to(utc_text(time.time() + floor_days * 86_400))
        its = path(self.port, ca="ahead/ca.pem")
        return first_event(self.folder, its, shown(self.folder, its, floor))


@pytest.fixture(scope="module")
def ahead(folder: Path) -> Iterator[Ahead]:
    authority = Authority.make(folder / "ahead", "center ca", Life.days(-YEAR, 3 * YEAR))
    authority.issue("broker", [HOST], Life.days(-YEAR, 2 * YEAR))
    lines = (
        f"allow_anonymous true\nrequire_certificate true\ncafile {folder}/ca.pem\n"
        f"certfile {folder}/ahead/broker.pem\nkeyfile {folder}/ahead/broker.key\n"
    )
    with Mosquitto(folder / "ahead", lines) as broker:
        yield Ahead(folder, broker.port)


def test_a_clock_that_is_behind_keeps_a_panel_out_without_a_floor(ahead: Ahead) -> None:
    closed = ahead.first(None)
    assert isinstance(closed, e.Closed)
    assert "not yet valid" in closed.reason


def test_a_board_without_a_right_clock_connects_by_its_floor(ahead: Ahead) -> None:
    assert ahead.first(1.5 * YEAR) == e.Opened("now")


def test_a_floor_before_the_certificates_begin_does_too_for_now_is_later(ahead: Ahead) -> None:
    assert ahead.first(0.5 * YEAR) == e.Opened("now")


def test_a_certificate_that_ended_before_the_floor_is_refused(ahead: Ahead) -> None:
    closed = ahead.first(2.5 * YEAR)
    assert isinstance(closed, e.Closed)
    assert closed.refused
    assert "has expired" in closed.reason


def test_a_synchronised_clock_is_believed_more_than_the_floor(ahead: Ahead) -> None:
    assert isinstance(ahead.first(1.5 * YEAR, "synchronised"), e.Closed)


def test_the_floor_that_core_tells_of_is_the_one(folder: Path, ahead: Ahead) -> None:
    clock = SystemClock(synchronised=folder / "nothing synchronises this clock")
    its = path(ahead.port, ca="ahead/ca.pem")
    whom = shown(folder, its, Floor(clock))
    link = MqttLink("bank-7", its, whom, lambda: utc_text(time.time()))
    settings = Settings(panel="bank-7", path="primary", backoff_base_ms=1)
    way = MqttPathLink("primary", Delivery(settings, Random(1)), link, clock, whom)
    floor = utc_text(time.time() + 1.5 * YEAR * 86_400)
    way.hear(Welcome(panel="bank-7", session=1, peer=1, version="t", floor=floor))
    end = time.monotonic() + 10
    while not way.works and time.monotonic() < end:
        select.select([way.fileno()], [], [], 0.05)
        way.turn()
    assert way.works
    way.close()


def test_with_an_unsure_clock_everything_else_is_checked_as_ever(folder: Path, ahead: Ahead) -> None:
    clock = TurnedClock(utc=time.time())
    clock.quality = "free-running"
    floor = Floor(clock)
    floor.raise_to(utc_text(time.time() + 60))
    with mosquitto(folder / "strange", "broker") as strange, mosquitto(folder, "elsewhere") as elsewhere:
        for port, why in ((strange.port, "CERTIFICATE_VERIFY_FAILED"), (elsewhere.port, "mismatch")):
            its = path(port)
            closed = first_event(folder, its, shown(folder, its, floor))
            assert isinstance(closed, e.Closed)
            assert why in closed.reason
    with mosquitto(folder, "broker") as broker:
        assert first_event(folder, path(broker.port), shown(folder, path(broker.port), floor)) == e.Opened("now")


@pytest.mark.usefixtures("ahead")
def test_no_byte_of_mqtt_goes_to_a_broker_whose_certificate_ended_before_the_floor(folder: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "ahead" / "broker.pem", folder / "ahead" / "broker.key")
    named = Files(folder / "ahead" / "ca.pem", folder / "panel.pem", folder / "panel.key")
    for floor, expected in ((time.time() + 1.5 * YEAR * 86_400, b"hello"), (time.time() + 2.5 * YEAR * 86_400, b"")):
        ours, theirs = socket.socketpair()
        heard: list[bytes] = []

        def serve(end: socket.socket = theirs, heard: list[bytes] = heard) -> None:
            with contextlib.suppress(OSError), server.wrap_socket(end, server_side=True) as shaken:
                heard.append(shaken.recv(100))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with context("primary", named, floor=floor).wrap_socket(ours, server_hostname=HOST) as sock:
                sock.sendall(b"hello")
        except OutOfDate:
            ours.close()
        thread.join(5)
        assert b"".join(heard) == expected


def test_a_chain_whose_parts_never_count_together_is_refused(folder: Path) -> None:
    early = Authority.make(folder / "early", "ca", Life.days(10, -5)).certificate
    late = Authority.make(folder / "late", "ca", Life.days(-5, 10)).certificate
    with pytest.raises(OutOfDate):
        check_dates([early, late], 0)
    check_dates([late], 0)


def test_a_cut_over_tls_ends_cleanly(folder: Path, broker: Mosquitto) -> None:
    its = path(broker.port)
    link = MqttLink("bank-7", its, shown(folder, its), lambda: "now")
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
        shown(folder, path(1, **files))
    assert named in str(bad.value)
    assert "BEGIN" not in str(bad.value)


def test_plain_text_has_no_context(tmp_path: Path) -> None:
    plain = {"id": "p", "host": HOST, "plaintext": "I accept that anyone on the network can read and drop reports"}
    assert identity(MqttPath.model_validate(plain), tmp_path, Floor(SystemClock())) is None


def test_files_that_vanish_later_are_a_fault_by_their_name_and_no_crash(folder: Path, broker: Mosquitto) -> None:
    its = path(broker.port, certificate="going.pem", key="going.key")
    for kind in ("pem", "key"):
        (folder / f"going.{kind}").write_bytes((folder / f"panel.{kind}").read_bytes())
    whom = shown(folder, its)
    (folder / "going.pem").unlink()
    closed = first_event(folder, its, whom)
    assert isinstance(closed, e.Closed)
    assert closed.refused
    assert "going.pem" in closed.reason
