"""`fenghuo doctor` with a real core: a panel that is well, one with a line that is taken twice, and none at all."""

import json
import os
import time
from typing import Any

from firmware.protocol import messages as m
from provisioning.doctor import main
from tests.provisioning.calling import call
from tests.provisioning.examined.tree import Tree
from tests.system.rig import Rig, rig
from tests.system.test_loops import looped


def examined(panel: Rig) -> dict[str, Any]:
    done = call(main, "--config", str(panel.panel_toml), "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    weights = {finding["weight"] for finding in found["findings"]}
    assert done.returncode == (1 if "fault" in weights else 3 if weights else 0)
    return found


def about(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["about"]: finding for finding in found["findings"]}


def test_each_driver_has_its_row_and_a_silent_button_is_not_shown() -> None:
    with rig(edit=looped) as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        found = examined(panel)
        assert [(row["name"], row["state"]) for row in found["drivers"]] == [("gpio", "works"), ("adc-1", "works")]
        assert all(row["silent_ms"] < 5_000 for row in found["drivers"])
        since = panel.mark()
        panel.move("holdup-1", "open")
        panel.wait("record", "alarm.hold-up", since=since)
        drivers = panel.technician(m.AskDrivers())["drivers"]
        assert drivers["gpio"]["zones"]["holdup-1"] == {"error": None}
        assert drivers["gpio"]["zones"]["front-door"]["condition"] == "normal"
        assert "holdup-1" not in call(main, "--config", str(panel.panel_toml)).stdout


def mains(panel: Rig) -> dict[str, Any]:
    """The finding, once its debounce is over."""
    deadline = time.monotonic() + 15
    while "mains" not in (found := about(examined(panel))):
        assert time.monotonic() < deadline
    return found["mains"]


def test_what_is_wrong_is_named_with_what_to_do_in_the_technicians_language() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        panel.desk(m.Mains(on=False))
        finding = mains(panel)
        assert finding["what"]["en"].startswith("mains lost")
        assert "保险丝" in finding["do"]["zh"]
        assert "保险丝" in call(main, "--config", str(panel.panel_toml), lang="zh").stdout


def test_a_panel_that_does_not_run_is_a_finding_and_says_how_to_start_it() -> None:
    with rig() as panel:
        found = examined(panel)
        assert found["drivers"] == []
        assert "fenghuo run all" in found["findings"][0]["what"]["en"]
        assert "systemctl status fenghuo-core" in found["findings"][0]["do"]["en"]
        assert "无主机应答" in found["findings"][0]["what"]["zh"]
        assert "无主机应答" in call(main, "--config", str(panel.panel_toml), lang="zh").stdout


def test_the_board_is_read_from_another_root_and_the_journal_is_verified_on_request() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        tree = Tree(panel.folder / "root", panel.folder)
        tree.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
        words = ("--config", str(panel.panel_toml), "--root", str(tree.root))
        done = call(main, *words, "--json", "--verify")
        found = json.loads(done.stdout)
        assert about(found)["board/under-voltage"]["weight"] == "fault"
        assert not [name for name in about(found) if name.startswith("journal")]
        assert (found["board"]["slot"], found["board"]["disk"]["name"]) == ("A", "mmcblk0")
        assert found["board"]["data"]["options"] == ["noatime", "nodev", "noexec", "nosuid", "rw"]
        said = call(main, *words)
        assert said.returncode == 1
        assert "→ Fit a supply of 5.1 V" in said.stdout
        panel.stop()
        altered = panel.journal.read_bytes().replace(b"user.set", b"user.sat", 1)
        panel.journal.write_bytes(altered)
        assert [
            name for name in about(json.loads(call(main, *words, "--json", "--verify").stdout)) if "journal/" in name
        ]


def test_a_file_with_mistakes_ends_with_2() -> None:
    done = call(main, "--config", os.devnull)
    assert done.returncode == 2
    assert "expected: a TOML file" in done.stderr
