"""A client certificate renews itself: real core and uplink, a real Mosquitto over TLS, a center with an authority."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from firmware.uplink.pair import Pair
from hil.authority import Authority, Life
from hil.broker import HOST, Mosquitto, free_port
from hil.center import Center
from hil.center.renewal import RenewalDesk
from provisioning.doctor import main as doctor
from tests.firmware.uplink.brokers import wait_for
from tests.provisioning.calling import call
from tests.system.rig import Rig, rig

WAIT_S = 20.0
TLS = 'tls = { ca = "ca.pem", certificate = "panel.pem", key = "panel.key" }'


@dataclass
class Place:
    """A panel whose certificate is over 2/3 of its life, and a center that can give it another one."""

    panel: Rig
    center: Center
    desk: RenewalDesk
    old: x509.Certificate

    @property
    def pair(self) -> Pair:
        return Pair(self.panel.folder / "panel.pem", self.panel.folder / "panel.key")

    def held(self, kind: str) -> list[dict[str, Any]]:
        return [r["payload"] for r in self.center.records(self.panel.panel) if r["header"]["kind"] == kind]

    def wait_held(self, kind: str) -> dict[str, Any]:
        assert self.center.wait(lambda _: self.held(kind), WAIT_S), f"no {kind} at the center"
        return self.held(kind)[-1]


def over_tls(port: int) -> Callable[[str], str]:
    def edit(text: str) -> str:
        text = re.sub(r"^plaintext = .*$", TLS, text, count=1, flags=re.MULTILINE)
        return re.sub(r"^port = \d+$", f"port = {port}", text, count=1, flags=re.MULTILINE)

    return edit


@pytest.fixture
def clients(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "ca", "panel ca", Life.days(100, 1000))


@pytest.fixture
def place(tmp_path: Path, clients: Authority) -> Iterator[Place]:
    clients.issue("broker", [HOST])
    tls_port = free_port()
    lines = (
        f"allow_anonymous true\nlistener {tls_port} {HOST}\nrequire_certificate true\ncafile {clients.folder}/ca.pem\n"
        f"certfile {clients.folder}/broker.pem\nkeyfile {clients.folder}/broker.key\n"
    )
    keys: dict[str, str] = {}
    with (
        Mosquitto(tmp_path, lines) as broker,
        Center(HOST, broker.port, tmp_path / "center", panels=keys.get) as center,
        rig(center=(center.receipt_key.x, center.command_key.x), edit=over_tls(tls_port)) as panel,
    ):
        own = Authority(panel.folder, clients.key, clients.certificate)
        (panel.folder / "ca.pem").write_bytes((clients.folder / "ca.pem").read_bytes())
        old = own.issue(panel.panel, [], Life.days(20, 5))
        for kind in ("pem", "key"):
            (panel.folder / f"{panel.panel}.{kind}").rename(panel.folder / f"panel.{kind}")
        desk = RenewalDesk(clients, keys.get, lambda: Life.days(1, 90))
        desk.enrol(panel.panel, old)
        desk.attach(center)
        panel.start("core")
        keys[panel.panel] = str(panel.panel_x())
        yield Place(panel, center, desk, old)


def trip(place: Place) -> None:
    """An alarm: the silent button, pressed now."""
    place.panel.move("holdup-1", "open")


def test_a_certificate_renews_itself_over_the_link_without_a_gap(place: Place) -> None:
    old_key = place.pair.key.read_bytes()
    place.panel.start("uplink")
    renewed = place.wait_held("path.certificate-renewed")
    trip(place)
    place.wait_held("alarm.hold-up")
    place.wait_held("trouble.certificate-ended")
    began = place.held("trouble.certificate")[0]
    assert (began["subject"], "client certificate: ends" in began["detail"]) == ("center-1", True)
    assert place.held("trouble.path") == place.held("path.taken-over") == []
    assert place.pair.current() != place.old
    assert renewed["new"] == place.pair.current().fingerprint(hashes.SHA256()).hex()
    assert place.desk.asked == [place.panel.panel]
    assert place.desk.refused == []
    assert place.pair.key.read_bytes() != old_key
    assert [file.name for file in place.panel.folder.glob("panel.*.next*")] == []
    # And the new pair is what a start connects with.
    place.panel.kill("uplink")
    place.panel.start("uplink")
    place.panel.move("holdup-1", "close")
    place.wait_held("restore.hold-up")


def test_killed_at_every_stage_it_goes_on_and_ends_with_one_new_certificate(place: Place) -> None:
    panel, pair = place.panel, place.pair
    place.desk.silent = True
    panel.start("uplink")
    wait_for(lambda: pair.next_key.exists(), "a key that waits", WAIT_S)
    panel.kill("uplink")  # before or while it asks
    waits = pair.next_public()
    panel.start("uplink")
    wait_for(lambda: place.desk.asked, "a request", WAIT_S)
    panel.kill("uplink")  # between the request and its answer
    assert pair.current() == place.old
    place.desk.silent = False
    panel.start("uplink")
    wait_for(lambda: pair.next_certificate.exists() or pair.current() != place.old, "an answer", WAIT_S)
    panel.kill("uplink")  # while the renewed pair is tried
    panel.start("uplink")
    wait_for(lambda: pair.current() != place.old and not pair.next_key.exists(), "the new pair in force", WAIT_S)
    trip(place)
    place.wait_held("alarm.hold-up")
    assert waits is not None
    key = pair.current().public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert spki == waits  # the key of the first try, through all of it
    assert place.desk.refused == []
    assert place.held("trouble.path") == []


def test_a_broker_that_refuses_the_new_one_costs_nothing(place: Place, tmp_path: Path) -> None:
    """The center's authority has changed, the panel was told, and somebody forgot the broker."""
    other = Authority.make(tmp_path / "other", "other ca", Life.days(1, 1000))
    place.desk.authority = other
    mine = place.panel.folder / "ca.pem"
    mine.write_bytes(mine.read_bytes() + (other.folder / "ca.pem").read_bytes())
    place.panel.start("uplink")
    log = place.panel.processes["uplink"].log
    wait_for(lambda: "did not connect" in log.read_text(), "a refused try", WAIT_S)
    trip(place)
    place.wait_held("alarm.hold-up")
    assert place.pair.current() == place.old
    assert place.held("trouble.path") == []
    assert place.held("path.certificate-renewed") == []
    done = call(doctor, "--config", str(place.panel.panel_toml), "--json")
    finding = {f["about"]: f for f in json.loads(done.stdout)["findings"]}["certificate:center-1"]
    assert "client certificate: ends" in finding["what"]["en"]
    assert "证书" in finding["do"]["zh"]
