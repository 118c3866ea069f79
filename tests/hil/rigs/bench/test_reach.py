"""How the bench reaches a real panel and the panel the bench: a real SSH server, the agent over it, the forwarder"""

import getpass
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.broker import HOST, free_port
from hil.rigs.bench.forwarder import Forwarder
from hil.rigs.bench.ssh_hand import SshHand
from hil.rigs.machine.agent import AgentError
from hil.rigs.protocol import RigFault
from tests.hil.rigs.bench.server import SSHD, ssh_server

needs_sshd = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None or os.geteuid() != 0, reason="needs root and openssh-server"
)


@pytest.fixture
def options(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    with ssh_server(tmp_path) as found:
        yield found


@needs_sshd
def test_the_agent_acts_over_ssh_and_is_gone_with_it(options: tuple[str, ...], tmp_path: Path) -> None:
    hand = SshHand(f"{getpass.getuser()}@{HOST}", options)
    try:
        assert hand.agent.must("sh", "-c", "echo $((6 * 7)); cat", given=b"x" * 100_000) == "42\n" + "x" * 100_000
        data = os.urandom(700_000)
        hand.agent.put(str(tmp_path / "file"), data, 0o640)
        assert hand.agent.get(str(tmp_path / "file")) == data
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
        with pytest.raises(AgentError, match="exit code 3"):
            hand.agent.must("sh", "-c", "exit 3")
        pid = int(hand.agent.must("sh", "-c", "echo $PPID"))
    finally:
        hand.close()
    assert _ends(pid)


def _ends(pid: int) -> bool:
    for _ in range(500):
        if not Path(f"/proc/{pid}").exists():
            return True
        threading.Event().wait(0.02)
    return False


@needs_sshd
def test_a_unix_socket_of_the_panel_is_asked(options: tuple[str, ...], tmp_path: Path) -> None:
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(tmp_path / "t.sock"))
    door.listen(1)

    def core() -> None:
        link, _ = door.accept()
        with link, link.makefile("rwb") as file:
            file.write(b'{"heard":' + file.readline().strip() + b"}\n")

    threading.Thread(target=core, daemon=True).start()
    hand = SshHand(f"{getpass.getuser()}@{HOST}", options)
    try:
        assert hand.agent.ask(str(tmp_path / "t.sock"), ['{"type":"status"}']) == ['{"heard":{"type":"status"}}\n']
    finally:
        hand.close()
        door.close()


@needs_sshd
def test_a_panel_that_lets_nobody_in_is_a_rig_fault(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "authorized_keys").write_text("")
    with pytest.raises(RigFault, match="Permission denied"):
        SshHand(f"{getpass.getuser()}@{HOST}", options)


def test_the_forwarder_carries_both_ways_and_a_hang_up(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as center:
        forwarder = Forwarder(HOST, center.getsockname()[1])
        try:
            with socket.create_connection((HOST, forwarder.port), 5) as panel:
                there, _ = center.accept()
                with there:
                    panel.sendall(b"connect")
                    assert there.recv(100) == b"connect"
                    there.sendall(b"accepted")
                    assert panel.recv(100) == b"accepted"
                    there.shutdown(socket.SHUT_WR)
                    assert panel.recv(100) == b""
                    panel.shutdown(socket.SHUT_WR)
                    assert there.recv(100) == b""
        finally:
            forwarder.close()


def test_a_cut_line_behind_the_forwarder_hangs_up_on_the_panel() -> None:
    forwarder = Forwarder(HOST, free_port())
    try:
        with socket.create_connection((HOST, forwarder.port), 5) as panel:
            assert panel.recv(100) == b""
    finally:
        forwarder.close()


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(OSError, match=r"assign|address"):
        Forwarder("192.0.2.1", 1)
