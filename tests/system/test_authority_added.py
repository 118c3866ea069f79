"""The broker gets a certificate of another authority: panels were told of it before, and go on by themselves."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.authority import Authority, Life
from hil.broker import HOST, Mosquitto, free_port
from hil.center import Center
from hil.center.exchange import Exchange
from hil.center.keys import Key
from tests.system.rig import Rig, rig

WAIT_S = 20.0
TLS = 'tls = { ca = "ca.pem", certificate = "panel.pem", key = "panel.key" }'


def over_tls(port: int, root: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        text = re.sub(r"^plaintext = .*$", TLS, text, count=1, flags=re.MULTILINE)
        text = re.sub(r"^port = \d+$", f"port = {port}", text, count=1, flags=re.MULTILINE)
        return text.replace("[center]", f'[center]\nroot_keys = ["{root}"]', 1)

    return edit


def issue(panel: Rig, authority: Authority) -> None:
    """The panel's own files: the pinned CA, and a client certificate."""
    own = Authority(panel.folder, authority.key, authority.certificate)
    (panel.folder / "ca.pem").write_bytes((authority.folder / "ca.pem").read_bytes())
    own.issue(panel.panel, [], Life.days(1, 90))
    for kind in ("pem", "key"):
        (panel.folder / f"{panel.panel}.{kind}").rename(panel.folder / f"panel.{kind}")


@pytest.mark.parametrize("told", [True, False])
def test_a_broker_of_the_added_authority_is_believed_and_of_no_other(tmp_path: Path, told: bool) -> None:
    first = Authority.make(tmp_path / "first", "first ca", Life.days(1, 1000))
    second = Authority.make(tmp_path / "second", "second ca", Life.days(1, 1000))
    first.issue("broker", [HOST])
    second.issue("broker", [HOST])
    port, root, keys = free_port(), Key.at(tmp_path / "root"), dict[str, str]()
    lines = (
        f"allow_anonymous true\nlistener {port} {HOST}\nrequire_certificate true\ncafile {first.folder}/ca.pem\n"
        f"certfile {first.folder}/broker.pem\nkeyfile {first.folder}/broker.key\n"
    )
    with (
        Mosquitto(tmp_path, lines) as broker,
        Center(HOST, broker.port, tmp_path / "center", panels=keys.get) as center,
        rig(center=(center.receipt_key.x, center.command_key.x), edit=over_tls(port, root.x)) as panel,
    ):
        issue(panel, first)
        panel.start("core")
        keys[panel.panel] = str(panel.panel_x())
        panel.start("uplink")
        assert center.wait(lambda c: c.heads(panel.panel), WAIT_S)
        if told:
            added = [(second.folder / "ca.pem").read_text()]
            exchange = Exchange(root, 1, [center.receipt_key.x], [center.command_key.x], added)
            center.send(panel.panel, "keys", exchange.token())
            assert center.wait(lambda c: "config.keys" in kinds(c, panel), WAIT_S)
            # It outlives the uplink and core.
            panel.kill("uplink")
            panel.kill("core")
            panel.start("core", "uplink")
        broker.kill()
        for kind in ("pem", "key"):
            (first.folder / f"broker.{kind}").write_bytes((second.folder / f"broker.{kind}").read_bytes())
        broker.start()
        beats = center.counts()["heartbeat"]
        assert center.wait(lambda c: c.counts()["heartbeat"] > beats, WAIT_S if told else 5.0) is told
        if not told:
            assert "CERTIFICATE_VERIFY_FAILED" in panel.processes["uplink"].log.read_text()


def kinds(center: Center, panel: Rig) -> list[str]:
    return [str(r["header"]["kind"]) for r in center.records(panel.panel)]
