"""Promise 1: uplink, camera, broker are killed during an alarm, one by one and together; the center ends complete."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from hil.broker import Mosquitto
from hil.center import Center
from tests.system.rig import Rig, rig


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as made:
        yield made


class Site:
    """A rig, a broker and a center that trust each other."""

    def __init__(self, panel: Rig, broker: Mosquitto, center: Center) -> None:
        self.panel, self.broker, self.center = panel, broker, center

    def complete(self) -> bool:
        """Whether the center holds every record that the journal holds now, in its place, chain verified."""
        records = self.panel.records()
        header = records[-1]
        held = self.center.records(self.panel.panel)
        return len(held) == header["seq"] and not self.center.complete(self.panel.panel)

    def wait_complete(self, timeout_s: float = 40.0) -> None:
        """The center ends complete."""
        assert self.center.wait(lambda _c: self.complete(), timeout_s), self.center.complete(self.panel.panel)


def quick(text: str) -> str:
    """The demo's bank with an exit delay of a second."""
    return text.replace("exit_delay_s = 8", "exit_delay_s = 1")


@pytest.fixture
def site(broker: Mosquitto, tmp_path: Path) -> Iterator[Site]:
    keys: dict[str, str] = {}
    with Center("127.0.0.1", broker.port, tmp_path / "center", panels=keys.get) as center:
        known = (center.receipt_key.x, center.command_key.x)
        with rig(port=broker.port, center=known, edit=quick) as panel:
            panel.start("core", "uplink", "camera")
            keys[panel.panel] = str(panel.panel_x())
            panel.add_user()
            panel.settle()
            panel.arm()
            yield Site(panel, broker, center)


def alarm(site: Site, zone: str = "back-door") -> None:
    """An intruder; the siren must sound."""
    since = site.panel.mark()
    site.panel.move(zone, "open")
    site.panel.wait("output", "siren-outside", True, since=since)


def sounds(site: Site) -> bool:
    """The siren's pin, now."""
    return bool(site.panel.desk(m.AskDesk())["outputs"]["siren-outside"]["on"])


@pytest.mark.clause("GB 50394 alone", "GB 50394 no missed alarm")
@pytest.mark.parametrize("victims", [("uplink",), ("camera",), ("broker",), ("uplink", "camera", "broker")])
def test_killed_during_an_alarm(site: Site, victims: tuple[str, ...]) -> None:
    alarm(site)
    for victim in victims:
        site.broker.kill() if victim == "broker" else site.panel.kill(victim)
    assert sounds(site)
    # More happens while they are down.
    since = site.panel.mark()
    site.panel.move("office-pir", "open")
    site.panel.wait("tell", "alarm", since=since)
    site.panel.desk(m.Press(zone="holdup-1"))
    site.panel.wait("record", "alarm.hold-up", since=since)
    assert sounds(site)
    for victim in victims:
        site.broker.start() if victim == "broker" else site.panel.start(victim)
    site.wait_complete()
    kinds = [record["header"]["kind"] for record in site.center.records(site.panel.panel)]
    assert kinds.count("alarm.intruder") == 2
    assert kinds.count("alarm.hold-up") == 1
    assert sounds(site)


@pytest.mark.clause("GB 50394 alone")
def test_killed_before_the_alarm_and_never_back(site: Site) -> None:
    for victim in ("uplink", "camera"):
        site.panel.kill(victim)
    site.broker.kill()
    alarm(site)
    assert sounds(site)
    assert site.panel.status()["areas"]["hall"]["mode"] == "alarm"
    site.broker.start()


def test_center_silent_then_back(site: Site) -> None:
    site.center.silent = True
    alarm(site)
    assert sounds(site)
    site.center.silent = False
    site.wait_complete()
