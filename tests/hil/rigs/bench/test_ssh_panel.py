"""A panel over a real SSH server: what the bench does there, with the board's own programs played by small scripts"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from hil.broker import HOST
from hil.rigs.bench.fake import bench_file
from hil.rigs.bench.file import parse_bench
from hil.rigs.bench.ssh_panel import SshPanel
from hil.rigs.protocol import NotSeen, RigFault, Unable
from tests.hil.rigs.bench.server import SSHD, ssh_server

pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None or os.geteuid() != 0, reason="needs root and openssh-server"
)
_SCRIPT = '#!/bin/sh\necho "$(basename $0) $*" >> {log}\n{more}\n'
_LGPIO = """SET_PULL_UP = 32
def gpiochip_open(chip): return chip
def gpio_claim_input(handle, line, flags): assert flags == SET_PULL_UP
def gpio_read(handle, line): return int(line != 17)
"""


class OverSsh(SshPanel):
    """With this machine's Python, and its home in a folder."""

    python = sys.executable


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[OverSsh]:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, more in (
        ("systemctl", 'case "$*" in *show*) cat $(dirname $0)/results;; esac'),
        ("systemd-run", ""),
        ("journalctl", "echo core started"),
    ):
        (programs / name).write_text(_SCRIPT.format(log=tmp_path / "log", more=more))
        (programs / name).chmod(0o755)
    (programs / "results").write_text("success\nsuccess\n")
    (tmp_path / "lgpio.py").write_text(_LGPIO)
    with ssh_server(tmp_path, {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONPATH": str(tmp_path)}) as options:
        words = ", ".join(json.dumps(word) for word in options)
        text = bench_file(Path("/dev/none"), "http://x").replace(
            'panel = "root@localhost"', f'panel = "root@{HOST}"\nssh_options = [{words}]'
        )
        made = OverSsh(parse_bench(text.encode()))
        made.home = str(tmp_path / "home")
        yield made
        made.went_dark()


def said(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_raw_lines_are_read_pulled_up_while_core_is_stopped(panel: OverSsh, tmp_path: Path) -> None:
    assert panel.lines([4, 17, 22]) == {4: True, 17: False, 22: True}
    assert said(tmp_path) == ["systemctl stop fenghuo-uplink fenghuo-core"]


def test_an_output_line_is_held_by_a_process_of_its_own_until_it_is_let_go(panel: OverSsh, tmp_path: Path) -> None:
    panel.drive(20, True)
    panel.drive(20, None)
    stop, hold, *_, end, again = said(tmp_path)
    assert stop == again == "systemctl stop fenghuo-bench-line-20"
    assert hold.startswith("systemd-run --collect --unit=fenghuo-bench-line-20")
    assert end.endswith("0 20 1")


def test_processes_are_killed_and_hung_by_the_service_manager(panel: OverSsh, tmp_path: Path) -> None:
    panel.kill("core")
    panel.hang("uplink")
    assert said(tmp_path) == [
        "systemctl kill --kill-whom=main -s KILL fenghuo-core",
        "systemctl kill --kill-whom=main -s STOP fenghuo-uplink",
    ]
    assert panel.logs()["fenghuo-core"] == "core started\n"


def test_its_journals_come_once_it_has_stopped_in_good_order(panel: OverSsh, tmp_path: Path) -> None:
    data, there = tmp_path / "home/data", tmp_path / "there"
    data.mkdir(parents=True)
    there.mkdir()
    (data / "journal.sqlite").write_bytes(b"x" * 300_000)
    panel.stop(there)
    assert (there / "journal.sqlite").read_bytes() == b"x" * 300_000
    (tmp_path / "bin/results").write_text("success\nwatchdog\n")
    with pytest.raises(NotSeen, match="watchdog"):
        panel.stop(there)


def test_what_is_not_there_is_said(panel: OverSsh, tmp_path: Path) -> None:
    with pytest.raises(Unable, match="no keypad"):
        panel.type(m.Code(digits="1234", source="k"))
    assert panel.panel_x() is None
    (tmp_path / "bin/systemctl").write_text("#!/bin/sh\necho no such unit >&2; exit 5\n")
    with pytest.raises(RigFault, match="no such unit"):
        panel.kill("core")


def test_the_panel_reaches_the_center_by_this_computers_address(panel: OverSsh) -> None:
    assert panel.more_hosts() == (HOST,)
    host, port = panel.way(1)
    assert (host, panel.way(1)) == (HOST, (HOST, port))
    panel.take_down()
