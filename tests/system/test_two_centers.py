"""Two centers and a real panel: a broker hangs as behind a cut line, and the other center learns all that matters."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hil.broker import Mosquitto
from hil.center import Center
from provisioning.trying import main as trying
from tests.provisioning.calling import call
from tests.system.rig import CODE, Rig, rig

PLAIN = "I accept that anyone on the network can read and drop reports"


@dataclass
class Pair:
    """The panel, both brokers and the centers behind them."""

    panel: Rig
    brokers: tuple[Mosquitto, Mosquitto]
    centers: tuple[Center, Center]

    def records(self, index: int) -> list[tuple[str, str]]:
        """Kind and subject of what a center holds."""
        held = self.centers[index].records(self.panel.panel)
        return [(row["header"]["kind"], str((row["payload"] or {}).get("subject", ""))) for row in held]

    def told(self, index: int, kind: str, subject: str = "", timeout_s: float = 40.0) -> None:
        """Wait until this center holds a record of this kind about this."""
        found = self.centers[index].wait(lambda _: (kind, subject) in self.records(index), timeout_s)
        assert found, (kind, subject, self.records(index))


def paths(port: int) -> str:
    """The second path, and how soon it takes over."""
    second = f'[[path]]\nid = "center-2"\nhost = "127.0.0.1"\nport = {port}\nplaintext = "{PLAIN}"\nkeepalive_s = 5\n\n'
    return f"{second}[center]\nfailover_s = 3\n"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    keys: dict[str, str] = {}
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        Mosquitto(folders[0]) as first,
        Mosquitto(folders[1]) as second,
        Center("127.0.0.1", first.port, folders[0] / "center", panels=keys.get) as center,
        Center("127.0.0.1", second.port, folders[1] / "center", panels=keys.get) as other,
    ):
        mine, others = center.receipt_key.x, other.receipt_key.x

        def edit(text: str) -> str:
            for old, new in (
                ("exit_delay_s = 8", "exit_delay_s = 1"),
                ("keepalive_s = 30", "keepalive_s = 5"),
                ("path_fault_s = 60", "path_fault_s = 5"),
                ("[center]\n", paths(second.port)),
                (f'receipt_keys = ["{mine}"]', f'receipt_keys = ["{mine}", "{others}"]'),
            ):
                assert old in text
                text = text.replace(old, new, 1)
            return text

        with rig(port=first.port, center=(mine, center.command_key.x), edit=edit) as panel:
            panel.start("core", "uplink")
            keys[panel.panel] = str(panel.panel_x())
            panel.add_user()
            panel.settle()
            panel.arm()
            try:
                yield Pair(panel, (first, second), (center, other))
            finally:
                first.go_on()
                second.go_on()


@pytest.mark.clause("EN 50136 path fault", "EN 50136 path restore", "EN 50136 failover", "EN 50136 identity")
def test_a_cut_line_of_the_first_center_is_told_to_the_second_and_alarms_go_there(pair: Pair) -> None:
    pair.told(0, "area.armed")
    pair.brokers[0].hang()
    pair.panel.move("back-door", "open")
    pair.told(1, "alarm.intruder")
    pair.told(1, "trouble.path", "center-1")
    assert ("alarm.intruder", "") not in pair.records(0)
    pair.brokers[0].go_on()
    pair.told(1, "trouble.path-ended", "center-1")
    assert not [name for name in pair.panel.status()["troubles"] if name.startswith("path")]
    pair.panel.check_journal()


@pytest.mark.clause("EN 50136 all paths", "EN 50136 stored")
def test_with_both_lines_cut_alarms_wait_and_the_first_line_that_heals_brings_them(pair: Pair) -> None:
    pair.told(0, "area.armed")
    for broker in pair.brokers:
        broker.hang()
    pair.panel.move("back-door", "open")
    pair.panel.wait("tell", "alarm")
    pair.panel.wait("record", "trouble.paths", timeout_s=120)
    pair.brokers[1].go_on()
    pair.told(1, "alarm.intruder")
    pair.told(1, "trouble.paths-ended")
    assert ("trouble.path", "center-1") in pair.records(1)
    assert ("trouble.path-ended", "center-1") not in pair.records(1)


def tried(pair: Pair, *words: str) -> tuple[int, dict[str, Any]]:
    config = ("--config", str(pair.panel.panel_toml), "--code-stdin", "--json")
    done = call(trying, "path", *words, *config, typed=f"{CODE}\n")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)["paths"]


def test_a_technician_tries_each_path_and_each_center_gets_its_own_report(pair: Pair) -> None:
    first = "center-1" if "center-1" in pair.panel.panel_toml.read_text() else "center"
    pair.told(0, "area.armed")
    code, paths = tried(pair, "--path", "center-2", "--path", first)
    assert code == 0, paths
    assert {id_: told["carried"] for id_, told in paths.items()} == {"center-2": "center-2", first: first}
    assert all(0 <= told["receipt_ms"] < 60_000 for told in paths.values())
    held = [[kind for kind, _ in pair.records(index)].count("test.manual") for index in (0, 1)]
    assert held == [1, 1]
    pair.brokers[1].hang()
    code, paths = tried(pair, "--path", "center-2", "--for", "60")
    assert (code, paths["center-2"]["ok"]) == (1, False)
