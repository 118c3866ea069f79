"""`fenghuo walk-test` at a real terminal and a real panel: what is seen, what is not, and that it ends on the panel."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from firmware.protocol.lines import Client
from provisioning.walk_test import main
from tests.provisioning.calling import call
from tests.provisioning.person import at_terminal, ended, interrupted
from tests.system.rig import CODE, Rig, rig


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig() as made:
        made.start("core")
        made.add_user()
        made.settle()
        yield made


def walked(panel: Rig) -> list[str]:
    """The zones that a walk test of everything waits for."""
    done = call(main, "--config", str(panel.panel_toml), "--code-stdin", "--json", "--for", "1", typed=f"{CODE}\n")
    return [row["id"] for row in json.loads(done.stdout)["zones"]]


def trip(panel: Rig, zone: str) -> None:
    since = panel.mark()
    panel.move(zone, "open")
    panel.wait("record", "test.zone-seen", since=since)
    panel.move(zone, "close")


def test_a_walk_at_a_terminal_beeps_shows_each_zone_and_ends_with_0_when_all_is_seen(panel: Rig) -> None:
    zones = walked(panel)
    person = at_terminal("walk-test", "--config", "panel.toml", cwd=panel.folder, term="xterm")
    person.expect("Your own code: ")
    since = panel.mark()
    person.sendline(CODE)
    panel.wait("record", "test.walk-started", since=since)
    person.expect("not yet")
    for zone in zones:
        trip(panel, zone)
        person.expect("\a")
    code, rest = ended(person)
    assert code == 0
    assert f"all {len(zones)} zones were seen" in rest
    assert CODE not in rest
    panel.wait("record", "test.walk-ended", since=since)
    assert panel.status()["walk_test"] is False


def test_ctrl_c_ends_it_on_the_panel_and_names_what_is_missing(panel: Rig) -> None:
    zones = walked(panel)
    person = at_terminal("walk-test", "--area", "hall", "--config", "panel.toml", cwd=panel.folder, lang="zh")
    person.expect("您的密码：")
    since = panel.mark()
    person.sendline(CODE)
    panel.wait("record", "test.walk-started", since=since)
    trip(panel, "front-door")
    person.expect("front-door（")
    code, rest = interrupted(person)
    assert code == 1
    assert "未触发：" in rest
    assert "vault" not in rest
    assert panel.wait("record", "test.walk-ended", since=since)
    assert len(zones) > 2


def test_a_killed_terminal_leaves_no_walk_test_behind(panel: Rig) -> None:
    person = at_terminal("walk-test", "--config", "panel.toml", cwd=panel.folder)
    person.expect("Your own code: ")
    since = panel.mark()
    person.sendline(CODE)
    panel.wait("record", "test.walk-started", since=since)
    person.kill(signal.SIGKILL)
    panel.wait("record", "test.walk-ended", since=since)
    person.close()


def test_a_wrong_code_and_an_area_that_is_not_there_begin_nothing(panel: Rig) -> None:
    words = ("--config", str(panel.panel_toml), "--code-stdin")
    wrong = call(main, *words, typed="999999\n")
    assert (wrong.returncode, "Wrong code" in wrong.stderr) == (1, True)
    assert call(main, *words, "--area", "cellar", typed=f"{CODE}\n").returncode == 2
    held = call(main, *words, "--hold-up", typed=f"{CODE}\n")
    assert (held.returncode, "may not" in held.stderr) == (1, True)
    assert "test.walk-started" not in panel.kinds()


def test_a_second_one_is_refused_while_the_first_goes_on(panel: Rig) -> None:
    first = Client(panel.run / "technician.sock")
    first.send(m.RunTest(test="walk-test", code=CODE))
    assert (first.receive(15) or {})["ok"]
    second = call(main, "--config", str(panel.panel_toml), "--code-stdin", typed=f"{CODE}\n")
    assert (second.returncode, "runs already" in second.stderr) == (1, True)
    assert panel.status()["walk_test"] is True
    first.close()


def test_in_a_pipe_each_zone_is_a_line_and_sigterm_ends_it(panel: Rig) -> None:
    since = panel.mark()
    words = [sys.executable, "-m", "provisioning.walk_test", "--config", str(panel.panel_toml), "--code-stdin"]
    environment = os.environ | {"FENGHUO_LANG": "en", "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{CODE}\n")
        child.stdin.close()
        panel.wait("record", "test.walk-started", since=since)
        trip(panel, "front-door")
        assert "front-door" in child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        assert "not seen" in child.stdout.read()
    assert child.returncode == 1
    panel.wait("record", "test.walk-ended", since=since)
