"""Full pictures on request: real core, uplink and camera, a real broker behind a line that is cut, a center."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol import messages as m
from hil.authority import Authority
from hil.broker import HOST, Mosquitto
from hil.center import Center
from hil.center.commands import main as center_cli
from hil.center.pictures import Gallery
from hil.fault_proxy import FaultProxy
from hil.faults import CLEAR, Weather
from hil.put_server import PutServer
from tests.system.rig import Rig, rig

WAIT_S = 30.0


@dataclass
class Site:
    """A panel with a camera behind a line, and a center that holds the record of its pictures."""

    panel: Rig
    center: Center
    gallery: Gallery
    line: FaultProxy
    broker: Mosquitto
    folder: Path

    def held(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.center.records(self.panel.panel) if record["header"]["kind"] == kind]

    def wait_held(self, kind: str) -> dict[str, Any]:
        assert self.center.wait(lambda _: self.held(kind), WAIT_S), f"no {kind} at the center"
        return self.held(kind)[-1]

    def event(self) -> str:
        """The first record that names pictures."""
        assert self.center.wait(lambda _: self._pictures(), WAIT_S)
        return self._pictures()[0][0]

    def newest_but(self, event: str, number: int) -> tuple[str, int, str]:
        """The newest picture that is named, besides this one: its record, its number there, its file."""
        assert self.center.wait(lambda _: self._pictures()[-1][:2] != (event, number), WAIT_S)
        return self._pictures()[-1]

    def results(self) -> set[str]:
        return {record["payload"]["result"] for record in self.held("evidence.sent")}

    def _pictures(self) -> list[tuple[str, int, str]]:
        return [
            (f"{record['header']['journal']}-{record['header']['seq']}", number, picture["file"])
            for record in self.held("evidence.pictures")
            for number, picture in enumerate(record["payload"]["pictures"], 1)
        ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    keys: dict[str, str] = {}
    with (
        Mosquitto(tmp_path) as broker,
        FaultProxy(broker.port) as line,
        Center(HOST, broker.port, tmp_path / "center", panels=keys.get) as center,
        rig(port=line.port, center=(center.receipt_key.x, center.command_key.x)) as panel,
    ):
        gallery = Gallery(tmp_path / "center")
        gallery.attach(center)
        panel.start("core", "uplink", "camera")
        keys[panel.panel] = str(panel.panel_x())
        panel.add_user()
        panel.settle()
        panel.desk(m.Press(zone="holdup-1"))
        # A signed request needs the nonce of a heartbeat; one that came before the key was known counts for nothing.
        assert center.wait(lambda c: c.heads(panel.panel), WAIT_S), "no heartbeat"
        yield Site(panel, center, gallery, line, broker, tmp_path / "center")


def test_a_picture_comes_through_a_cut_and_each_request_and_delivery_is_a_record(site: Site) -> None:
    event = site.event()
    site.line.set(Weather(bytes_per_s=100_000))
    wanted = site.gallery.ask(site.center, site.panel.panel, event, 1, "王芳")
    assert site.center.wait(lambda _: wanted.held > 0, WAIT_S), wanted.fault
    assert not wanted.done
    site.line.break_all("reset")
    site.line.set(CLEAR)
    assert site.center.wait(lambda _: wanted.done, WAIT_S), (wanted.held, wanted.fault)
    assert sha256(wanted.file.read_bytes()).hexdigest() == wanted.picture.sha256
    assert site.wait_held("command.done")["payload"]["about"] == f"{event}/1"
    sent = site.wait_held("evidence.sent")["payload"]
    assert (sent["about"], sent["by"], sent["result"]) == (f"{event}/1", "remote:王芳", "confirmed")
    assert sent["bytes"] >= wanted.picture.bytes


def test_an_alarm_overtakes_a_picture(site: Site) -> None:
    event = site.event()
    site.line.set(Weather(bytes_per_s=12_000))
    wanted = site.gallery.ask(site.center, site.panel.panel, event, 1, "Li Wei")
    assert site.center.wait(lambda _: wanted.held > 0, WAIT_S), wanted.fault
    before = len(site.held("alarm.hold-up"))
    site.panel.desk(m.Press(zone="holdup-2"))
    assert site.center.wait(lambda _: len(site.held("alarm.hold-up")) > before, WAIT_S)
    assert not wanted.done, "the picture was to take longer than this"
    site.line.set(CLEAR)
    assert site.center.wait(lambda _: wanted.done, WAIT_S), (wanted.held, wanted.fault)


def test_after_a_restart_of_the_uplink_a_new_request_goes_on(site: Site) -> None:
    event = site.event()
    site.line.set(Weather(bytes_per_s=40_000))
    wanted = site.gallery.ask(site.center, site.panel.panel, event, 1, "Li Wei")
    assert site.center.wait(lambda _: wanted.held > 0, WAIT_S), wanted.fault
    site.panel.kill("uplink")
    site.line.set(CLEAR)
    site.panel.start("uplink")
    # The uplink that is new knows nothing of it, and says so.
    assert site.center.wait(lambda _: wanted.fault == "unknown-transfer", WAIT_S)
    held = wanted.held
    assert 0 < held < wanted.picture.bytes
    again = site.gallery.ask(site.center, site.panel.panel, event, 1, "Li Wei")
    assert site.center.wait(lambda _: again.done, WAIT_S), (again.held, again.fault)
    chosen = json.loads(site.center.store.rows("SELECT args FROM commands ORDER BY counter DESC LIMIT 1")[0]["args"])
    assert chosen["offset"] == held


def test_the_command_line_fetches_a_picture_and_says_what_is_wrong(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    event = site.event()
    broker = f"mqtt://{HOST}:{site.broker.port}"
    words = ["picture", site.panel.panel, event, "1", "--dir", str(site.folder), "--broker", broker]
    assert center_cli(words) == 0
    file = Path(capsys.readouterr().out.strip())
    assert file.read_bytes()[:3] == b"\xff\xd8\xff"
    assert file.stem == sha256(file.read_bytes()).hexdigest()
    assert center_cli([*words[:3], "60", *words[4:]]) == 1
    assert "pictures" in capsys.readouterr().err
    seq = site.wait_held("journal.begun")["header"]["seq"]
    assert center_cli([*words[:2], str(seq), *words[3:]]) == 1
    # What is gone from the panel is told.
    site.panel.desk(m.Press(zone="holdup-2"))
    other, number, kept = site.newest_but(event, 1)
    (site.panel.data / "evidence" / kept).unlink()
    assert center_cli([*words[:2], other, str(number), *words[4:]]) == 1
    assert "gone" in capsys.readouterr().err
    assert site.center.wait(lambda _: site.results() >= {"confirmed", "gone"}, WAIT_S)
    assert site.center.counts().get("garbage.topic", 0) == 0


def test_a_picture_is_put_to_a_server_that_the_panel_file_allows(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca", "pictures")
    authority.issue("server", [HOST])
    keys: dict[str, str] = {}
    with (
        PutServer(tmp_path / "ca" / "server.pem", tmp_path / "ca" / "server.key") as server,
        Mosquitto(tmp_path) as broker,
        Center(HOST, broker.port, tmp_path / "center", panels=keys.get) as center,
        rig(
            port=broker.port,
            center=(center.receipt_key.x, center.command_key.x),
            edit=lambda text: text.replace(
                "[center]\n",
                f'[center]\npicture_hosts = ["{HOST}:{server.port}"]\npicture_ca = "{tmp_path}/ca/ca.pem"\n',
                1,
            ),
        ) as panel,
        FaultProxy(broker.port) as line,
    ):
        gallery = Gallery(tmp_path / "center")
        gallery.attach(center)
        panel.start("core", "uplink", "camera")
        keys[panel.panel] = str(panel.panel_x())
        panel.settle()
        panel.desk(m.Press(zone="holdup-1"))
        site = Site(panel, center, gallery, line, broker, tmp_path / "center")
        event = site.event()
        server.cut_after = [10_000]
        gallery.put(center, panel.panel, event, 1, "Li Wei", server.url("/1"))
        sent = site.wait_held("evidence.sent")["payload"]
        assert (sent["result"], sent["to"]) == ("put", HOST)
        assert sha256(server.held["/1"]).hexdigest() == sent["sha256"]
        counter = gallery.put(center, panel.panel, event, 1, "Li Wei", "https://elsewhere.example/1")
        assert center.wait(lambda _: center.reply(panel.panel, counter), WAIT_S)
        assert (center.reply(panel.panel, counter) or {})["reason"] == "unknown-host"
