"""A panel without an identity becomes one that the center knows: core, uplink, Mosquitto over TLS, its service.

What it gets is what it connects with: the broker knows it by the certificate's name, and its first record is receipted.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol import messages as m
from hil.authority import Authority
from hil.broker import HOST, Mosquitto, free_port
from hil.center import Center
from hil.center.enrolment import EnrolmentDesk
from hil.center.enrolment_commands import desk
from hil.center.enrolment_server import EnrolmentServer
from hil.center.running import Panels
from provisioning.enrolment.commands import main
from tests.provisioning.calling import Done, call
from tests.system.rig import CODE, Rig, rig

WAIT_S = 20.0
FITTER = "161803"
TLS = 'tls = { ca = "keys/ca.pem", certificate = "keys/uplink.pem", key = "keys/uplink.key" }'
ACL = Path("docs/examples/mosquitto/fenghuo.acl")


@dataclass
class Place:
    panel: Rig
    center: Center
    desk: EnrolmentDesk
    url: str

    def enroll(self, *words: str, then: str = "") -> Done:
        """`then`: a further line of input."""
        code = self.desk.invite(self.panel.panel)[0]
        config = ("--config", str(self.panel.panel_toml))
        return call(main, "--center", self.url, "--code-file", "-", *config, *words, typed=f"{code}\n{then}\n")

    def held(self, kind: str) -> list[dict[str, Any]]:
        return [r["payload"] for r in self.center.records(self.panel.panel) if r["header"]["kind"] == kind]

    def wait_held(self, kind: str, count: int = 1) -> dict[str, Any]:
        assert self.center.wait(lambda _: len(self.held(kind)) >= count, WAIT_S), f"no {kind} at the center"
        return self.held(kind)[-1]


def over_tls(port: int) -> Callable[[str], str]:
    def edit(text: str) -> str:
        text = re.sub(r"^plaintext = .*$", TLS, text, count=1, flags=re.MULTILINE)
        return re.sub(r"^port = \d+$", f"port = {port}", text, count=1, flags=re.MULTILINE)

    return edit


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder, port = tmp_path / "center", free_port()
    made = desk(folder)
    authority = made.authority
    authority.issue("broker", [HOST])
    ca = authority.folder
    lines = (  # the broker that the center's page describes: a name of a certificate opens its own topics alone
        f"allow_anonymous true\nlistener {port} {HOST}\nrequire_certificate true\nuse_identity_as_username true\n"
        f"acl_file {ACL.absolute()}\ncafile {ca}/ca.pem\ncertfile {ca}/broker.pem\nkeyfile {ca}/broker.key\n"
    )
    lines = "per_listener_settings true\n" + lines
    web = Authority.make(tmp_path / "web", "web ca")
    web.issue("server", [HOST])
    with (
        Mosquitto(tmp_path, lines) as broker,
        Center(HOST, broker.port, folder, panels=Panels(folder=folder / "panels")) as center,
        EnrolmentServer(made, HOST, 0, web.folder / "server.pem", web.folder / "server.key") as server,
        rig(center=(center.receipt_key.x, center.command_key.x), edit=over_tls(port)) as panel,
    ):
        yield Place(panel, center, made, f"https://{HOST}:{server.port}")


def trip(place: Place) -> None:
    place.panel.move("holdup-1", "open")


def test_with_core_running_it_is_signed_recorded_and_receipted(place: Place) -> None:
    place.panel.start("core")
    done = place.enroll("--json")
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert (told["recorded"], told["keys_differ"]) == (True, [])
    place.panel.start("uplink")
    enrolled = place.wait_held("path.enrolled")
    assert (enrolled["path"], enrolled["new"], enrolled["proof"]) == ("center-1", told["certificate"], "code")
    assert place.center.receipt_key.kid in enrolled["keys"]
    trip(place)
    place.wait_held("alarm.hold-up")
    assert place.center.wait(lambda c: c.complete(place.panel.panel) == [], WAIT_S)


def test_before_core_ever_ran_its_key_is_made_as_core_takes_it_and_core_records_it_once(place: Place) -> None:
    done = place.enroll()
    assert (done.returncode, "it records this when it starts" in done.stdout) == (0, True), done.stderr
    x = place.panel.panel_x()
    left = place.panel.data / "enrolled.json"
    again = place.enroll("--again", "--json")
    told, waiting = json.loads(again.stdout), left.read_bytes()
    assert (told["recorded"], told["recorded_later"]) == (False, True)
    assert oct(left.stat().st_mode & 0o777) == "0o600"
    place.panel.start("core", "uplink")
    assert place.panel.panel_x() == x
    enrolled = place.wait_held("path.enrolled", 2)
    assert (enrolled["path"], enrolled["new"], enrolled["proof"]) == ("center-1", told["certificate"], "code")
    assert enrolled["at"] == json.loads(waiting)[1]["time"]
    place.panel.kill("core")
    assert not left.exists()
    left.write_bytes(waiting)  # as if core had ended before it could take it away
    place.panel.start("core")
    trip(place)
    place.wait_held("alarm.hold-up")
    assert place.panel.kinds().count("path.enrolled") == 2
    assert not left.exists()


def test_enrolled_anew_while_it_is_connected_the_line_goes_on(place: Place) -> None:
    place.enroll()
    place.panel.start("core", "uplink")
    trip(place)
    place.wait_held("alarm.hold-up")
    assert place.enroll("--again").returncode == 0
    place.wait_held("path.enrolled")
    place.panel.kill("uplink")
    place.panel.start("uplink")
    place.panel.move("holdup-1", "close")
    place.wait_held("restore.hold-up")


def test_the_center_s_keys_go_into_the_file_of_a_running_panel_with_an_installer_s_code(place: Place) -> None:
    other = place.desk.told.command_keys[0]
    place.panel.rewrite(lambda text: re.sub(r"^receipt_keys = .*$", f'receipt_keys = ["{other}"]', text, flags=re.M))
    place.panel.rewrite(lambda text: text.replace("exit_delay_s = 8", "exit_delay_s = 0"))
    panel = place.panel
    panel.start("core")
    everywhere = ["hall", "vault"]
    panel.technician(m.SetUser(id="fitter", name="F", level=3, areas=everywhere, new_code=FITTER))
    panel.technician(m.SetUser(id="boss", name="B", level=2, areas=everywhere, new_code=CODE, code=FITTER))
    panel.settle()
    refused = place.enroll("--take-keys", then=FITTER)
    assert (refused.returncode, "panel.toml can't be written" in refused.stderr) == (1, True)
    since = panel.mark()
    panel.code(wish="grant")
    panel.wait("tell", "granted", since=since)
    done = place.enroll("--again", "--take-keys", "--json", then=FITTER)
    assert json.loads(done.stdout)["keys_taken"] is True, done.stdout
    assert place.center.receipt_key.x in place.panel.panel_toml.read_text()
    place.panel.start("uplink")
    place.wait_held("config.installed")
    trip(place)
    place.wait_held("alarm.hold-up")


def test_core_signs_so_many_requests_and_then_few(place: Place) -> None:
    place.panel.start("core")
    ask = m.SignEnrolment(csr=_csr(), nonce="A" * 22)
    jws = place.panel.technician(ask)["jws"]
    assert len(jws.split(".")) == 3
    for _ in range(19):
        place.panel.technician(ask)
    with pytest.raises(Exception, match="too many requests"):
        place.panel.technician(ask)
    told = m.Enrolled(
        path="elsewhere",
        certificate="0" * 64,
        authorities=["1" * 64],
        keys=[],
        not_after="2027-03-14T00:00:00.000Z",
        proof="code",
    )
    with pytest.raises(Exception, match="not in the panel file"):
        place.panel.technician(told)
    assert place.panel.kinds().count("path.enrolled") == 0


def _csr() -> str:
    return "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
