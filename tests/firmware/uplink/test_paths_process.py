"""The uplink process with two brokers, each with a center behind it: failover, escalation, proof of the idle path."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from tests.firmware.uplink.brokers import PLAIN, Mosquitto, Watcher, wait_for
from tests.firmware.uplink.test_process import PANEL, Site
from tests.firmware.uplink.world import ModelCenter

FAILOVER_S, ESCALATE_S = 2, 5


class TwoCenters(Site):
    """The site of the process tests with a second broker and its center."""

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder)
        (folder / "second").mkdir()
        self.broker_2 = Mosquitto(folder / "second")
        self.broker_2.start()
        file = folder / "panel.toml"
        second = f'[[path]]\nid = "backup"\nhost = "127.0.0.1"\nport = {self.broker_2.port}\nplaintext = "{PLAIN}"\n\n'
        terms = f"failover_s = {FAILOVER_S}\nescalate_s = {ESCALATE_S}\n{more}"
        file.write_text(file.read_text().replace("[center]", f"{second}[center]") + terms)
        self.center_2 = ModelCenter()
        self.watcher_2 = Watcher(self.broker_2.port, f"fenghuo/v1/{PANEL}/#", self.center_2.take)

    def up(self, *paths: str) -> None:
        """Wait until these are told to be up."""
        wait_for(lambda: {p for p, up in self.states().items() if up} >= set(paths), f"{paths} up", 20)

    def states(self) -> dict[str, bool]:
        """What core was told last of each path."""
        return {message.path: message.up for message in list(self.core.paths)}

    def arrived(self, center: ModelCenter, lane: str) -> int:
        return sum(arrival[0] == lane for arrival in center.arrivals)

    def close(self) -> None:
        super().close()
        self.watcher_2.close()
        self.broker_2.kill()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TwoCenters]:
    made = TwoCenters(tmp_path)
    yield made
    made.close()


def test_the_second_center_takes_over_and_gives_back(site: TwoCenters) -> None:
    site.core.start()
    site.core.record("status")
    site.start_uplink()
    site.up("primary", "backup")
    assert site.arrived(site.center, "status") >= 1
    wait_for(lambda: site.center_2.arrivals, "the second is proven", 15)
    assert {arrival[:3] for arrival in site.center_2.arrivals} == {
        ("status", site.core.journal.heads()[-1].journal, 1)
    }, "the proof"
    site.broker.kill()
    site.core.record("alarm")
    site.core.record("status")
    wait_for(lambda: site.core.undelivered() == 0, "the second center has both", 15)
    assert {lane for lane, _, number, _ in site.center_2.arrivals if (lane, number) != ("status", 1)} == {
        "alarm",
        "status",
    }
    wait_for(lambda: site.states()["primary"] is False, "the fault of the first is told", 15)
    site.broker.start()
    site.up("primary", "backup")
    site.core.record("alarm")
    wait_for(lambda: site.core.undelivered() == 0, "the alarm is receipted", 15)
    wait_for(
        lambda: ("alarm", 2) in {(lane, number) for lane, _, number, _ in site.center.arrivals}, "by the first again"
    )
    assert site.end_uplink()[0] == 0


def test_an_alarm_that_the_first_center_does_not_receipt_goes_to_the_second(site: TwoCenters) -> None:
    site.core.start()
    site.start_uplink()
    site.up("primary", "backup")
    site.center.silent = True
    site.core.record("alarm")
    site.watcher.wait(lambda _: site.arrived(site.center, "alarm"), "the first center got it", 10)
    assert site.arrived(site.center_2, "alarm") == 0
    wait_for(lambda: site.core.undelivered() == 0, "the second receipted it", 20)
    (record,) = site.center_2.held.values()
    assert list(site.center.held.values()) == [record], "one record, one identity"


@pytest.mark.clause("Confirmation second path")
def test_alarms_on_all_paths_and_nothing_else(tmp_path: Path) -> None:
    site = TwoCenters(tmp_path, 'alarm_paths = "all"\n')
    try:
        site.core.start()
        site.start_uplink()
        site.up("primary", "backup")
        site.core.record("alarm")
        wait_for(lambda: site.arrived(site.center, "alarm") and site.arrived(site.center_2, "alarm"), "both have it")
        wait_for(lambda: site.core.undelivered() == 0, "receipted")
        assert site.center.held == site.center_2.held
        site.core.record("evidence")
        wait_for(lambda: site.core.undelivered() == 0, "receipted")
        assert site.arrived(site.center_2, "evidence") == 0
    finally:
        site.close()


def test_an_idle_path_whose_center_is_deaf_is_a_fault(site: TwoCenters) -> None:
    site.center_2.silent = True
    site.core.start()
    site.core.record("status")
    site.start_uplink()
    wait_for(lambda: site.states().get("backup") is False, "the second path failed its proof", 20)
    fault = next(path for path in site.core.paths if path.path == "backup" and not path.up)
    assert fault == m.Path(path="backup", up=False, detail="the center does not receipt")
    assert site.states()["primary"] is True
    site.center_2.silent = False
    site.up("backup")


def test_two_ways_to_one_broker_are_two_clients(tmp_path: Path) -> None:
    """A second line to the same center: neither takes the other's session over."""
    site = TwoCenters(tmp_path)
    try:
        file = tmp_path / "panel.toml"
        file.write_text(file.read_text().replace(f"port = {site.broker_2.port}", f"port = {site.broker.port}"))
        site.core.start()
        site.start_uplink()
        site.up("primary", "backup")
        site.core.record("alarm")
        wait_for(lambda: site.core.undelivered() == 0, "receipted")
        assert all(path.up for path in site.core.paths), "no fight for one client id"
        for word in ("/link", "/link/second"):
            site.watcher.wait(lambda _, word=word: site.watcher.of(word), word)  # type: ignore[misc]
            assert json.loads(site.watcher.of(word)[-1])["online"] is True
    finally:
        site.close()
