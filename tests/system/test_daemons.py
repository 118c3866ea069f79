"""The processes by themselves: ready, watchdog, clean stop, clear words where there is no GPIO, children restarted."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from tests.system.rig import Rig, rig


def test_each_says_ready_feeds_its_watchdog_and_stops_cleanly() -> None:
    with rig() as panel:
        panel.start("core", "uplink", "camera")
        for process in panel.processes.values():
            process.wait_told("WATCHDOG=1")
        assert panel.stop("camera", "uplink", "core") == {"camera": 0, "uplink": 0, "core": 0}
        kinds = panel.kinds()
        assert kinds.index("panel.stopped") >= len(kinds) - 2
        assert kinds[-1] == "journal.checkpoint"
        panel.check_journal()


def test_a_hung_rules_thread_starves_the_watchdog() -> None:
    with rig() as panel:
        panel.start("core")
        core = panel.processes["core"]
        core.wait_told("WATCHDOG=1")
        os.kill(core.popen.pid, signal.SIGSTOP)
        core.silent_for(3.0)
        os.kill(core.popen.pid, signal.SIGCONT)
        core.wait_told("WATCHDOG=1")


@pytest.mark.skipif(find_spec("lgpio") is None, reason="lgpio has no wheel for this Python")
def test_without_gpio_core_says_how_to_use_simulated_pins() -> None:
    with rig() as panel:
        panel.rewrite(lambda text: re.sub(r'pins = "simulated"\nclock_rate = 1', 'pins = "board"\nchip = 7', text))
        done = subprocess.run(
            [sys.executable, "-m", "firmware.cli", "run", "core", "--config", str(panel.panel_toml)],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 3
        assert 'pins = "simulated"' in done.stderr
        assert "gpiochip7" in done.stderr
        assert "Traceback" not in done.stderr


def children(pid: int) -> dict[str, int]:
    """The panel's processes under `run all`, by name."""
    found = {}
    listing = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    for line in listing.splitlines():
        words = line.split()
        name = next((word for word in words if word in ("core", "uplink", "camera")), None)
        if name:
            found[name] = int(words[0])
    return found


def eventually(panel: Rig, pid: int, without: set[int]) -> dict[str, int]:
    """Three living children, none of these."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        now = children(pid)
        if set(now) == {"core", "uplink", "camera"} and not set(now.values()) & without:
            return now
        time.sleep(0.05)
    raise AssertionError(f"{children(pid)}, {panel.processes['all'].log.read_text()[-1500:]}")


def test_run_all_restarts_what_dies_and_stops_all() -> None:
    with rig() as panel:
        panel.start("all")
        boss = panel.processes["all"].popen.pid
        first = eventually(panel, boss, set())
        panel.watch()
        panel.add_user()
        for victim in ("camera", "uplink", "core"):
            os.kill(first[victim], signal.SIGKILL)
        second = eventually(panel, boss, set(first.values()))
        panel.watch()
        panel.settle()
        assert panel.desk(m.AskDesk())["panel"]["users"]["manager"]
        assert panel.stop("all") == {"all": 0}
        for pid in second.values():
            assert not Path(f"/proc/{pid}").exists()
        panel.check_journal()


def fenghuo(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a technician runs it."""
    return subprocess.run(
        [sys.executable, "-m", "firmware.cli", *words],
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | {"FENGHUO_LANG": "en"},
    )


def test_the_journal_of_a_running_panel_is_verified_and_shown() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        sound = fenghuo("journal", "verify", str(panel.folder))
        assert sound.returncode == 0, sound.stdout + sound.stderr
        shown = fenghuo("journal", "tail", "--config", str(panel.panel_toml))
        assert "user added or changed" in shown.stdout
        # The panel was not harmed by being looked at: it still records.
        since = panel.mark()
        panel.move("vault-door", "open")
        panel.wait("tell", "alarm", since=since)
        panel.stop()
        panel.check_journal()


def test_a_second_core_on_the_same_folder_is_refused() -> None:
    with rig() as panel:
        panel.start("core")
        second = fenghuo("run", "core", "--config", str(panel.panel_toml))
        assert second.returncode == 3
        assert "another core" in second.stderr
        assert str(panel.processes["core"].popen.pid) in second.stderr
        since = panel.mark()
        panel.move("vault-door", "open")
        panel.wait("tell", "alarm", since=since)


def test_a_trouble_of_a_former_life_does_not_keep_the_panel_from_arming() -> None:
    with rig(
        clock_rate=20, edit=lambda text: text.replace("[timings]", "[timings]\nmains_report_delay_s = 0")
    ) as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        since = panel.mark()
        panel.desk(m.Mains(on=False))
        panel.wait("record", "trouble.mains", since=since)
        panel.wait("durable", panel.status()["journal"], since=since)
        panel.stop()
        # The supply's input is taken out of the panel file: nobody will ever say that the mains are back.
        panel.rewrite(lambda text: text.replace("mains_line = ", "# mains_line = "))
        panel.start("core")
        panel.settle()
        panel.arm()
