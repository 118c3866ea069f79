"""The machine rig's own parts: its device tree, initramfs, wires and QEMU's protocol, without a guest."""

import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from hil.rigs.machine import boards, guest_agent, initramfs, qemu, tree
from hil.rigs.machine.agent import AgentError, GuestAgent
from hil.rigs.machine.bus_bridge import BusBridge
from hil.rigs.machine.qmp import Qmp, QmpError
from hil.rigs.protocol import RigFault

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in boards.ARM64.tools), reason="QEMU and its tools are not installed"
)


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose sockets' names fit the kernel's 107 bytes."""
    return tmp_path_factory.mktemp("m")


def test_the_tree_has_a_pi_chip_with_58_lines(tmp_path: Path) -> None:
    """The panel asks for gpiochip0 with the label of a Pi 4, and gpiozero for a revision."""
    tree.write(tmp_path / "board.dtb", qemu.command(boards.ARM64))

    def told(node: str, name: str, kind: str = "s") -> str:
        words = ["fdtget", "-t", kind, str(tmp_path / "board.dtb"), node, name]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    assert told("/gpio-sim", "compatible") == "gpio-simulator"
    assert told("/gpio-sim/bank0", "gpio-sim,label") == "pinctrl-bcm2711"
    assert told("/gpio-sim/bank0", "ngpios", "u") == "58"
    assert told("/system", "linux,revision", "x") == "c03111"
    assert told("/pl061@9030000", "status") == "disabled"


def test_the_initramfs_is_an_archive_with_modules_in_the_order_of_their_needs(tmp_path: Path) -> None:
    """What needs another module comes behind it, whatever the order of the list."""
    modules = tmp_path / "modules"
    (modules / "kernel").mkdir(parents=True)
    names = {"virtio_blk": [], "ext4": ["jbd2", "crc16"], "jbd2": [], "crc16": [], "squashfs": []}
    lines = []
    for name, needs in names.items():
        (modules / f"kernel/{name}.ko").write_bytes(name.encode())
        lines.append(f"kernel/{name}.ko: " + " ".join(f"kernel/{need}.ko" for need in needs))
    (modules / "modules.dep").write_text("\n".join(lines))
    (modules / "modules.builtin").write_text("")
    (tmp_path / "busybox").write_bytes(b"busybox")
    initramfs.build(tmp_path / "initrd", tmp_path / "busybox", modules, "/dev/vda", "ro")
    out = tmp_path / "out"
    out.mkdir()
    words = ["cpio", "-id", "--quiet", "--no-absolute-filenames"]
    subprocess.run(words, input=(tmp_path / "initrd").read_bytes(), cwd=out, check=True)
    assert (out / "modules/ext4.ko").read_bytes() == b"ext4"
    order = (out / "init").read_text().split("for module in ")[1].split(";")[0].split()
    assert order.index("ext4") > max(order.index("jbd2"), order.index("crc16"))
    assert os.access(out / "init", os.X_OK)


def test_without_a_device_tree_the_initramfs_makes_the_chip_before_systemd(tmp_path: Path) -> None:
    """The lines of an amd64 board: the chip is live before the root's first program, nothing stays mounted."""
    board, modules = boards.AMD64, tmp_path / "modules"
    modules.mkdir()
    names = (*initramfs.MODULES, *board.modules)
    (modules / "modules.dep").write_text("".join(f"{name}.ko:\n" for name in names))
    (modules / "modules.builtin").write_text("")
    for file in (*(f"{name}.ko" for name in names), "../busybox"):
        (modules / file).write_bytes(b"")
    after = board.script + "true\n"
    initramfs.build(tmp_path / "initrd", tmp_path / "busybox", modules, "/dev/vda", "ro", after, board.modules)
    init = (tmp_path / "initrd").read_bytes().split(b"#!/bin/busybox sh\n")[1].split(b"\0")[0].decode()
    assert "configfs gpio_sim" in init
    steps = ("mount -t sysfs", "mount -t configfs", f"echo {boards.LINES} >", "/live", "umount /root/sys/kernel/config")
    found = [init.index(step) for step in (*steps, "umount /root/sys\n", "true\n", "switch_root")]
    assert found == sorted(found)


def test_each_board_has_a_way_to_its_lines_and_its_own_places() -> None:
    """A device tree or a script, never both; what is made for one is not taken for the other."""
    for board in boards.KNOWN.values():
        assert board.tree == (not board.script) == (not board.modules)
        assert qemu.command(board)[0] == board.program
        assert board.program in board.tools
    assert boards.ARM64.port(0) == "/dev/ttyS0"
    assert boards.AMD64.port(0) == "/dev/ttyS1", "the console is the first"
    assert (boards.ARM64.suffix, boards.AMD64.suffix) == ("", "-amd64")


def test_the_board_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arm64 where nobody asks; another word is a fault of the rig, told with the words that there are."""
    monkeypatch.delenv(boards.ASKED, raising=False)
    assert boards.asked() is boards.ARM64
    monkeypatch.setenv(boards.ASKED, "amd64")
    assert boards.asked() is boards.AMD64
    monkeypatch.setenv(boards.ASKED, "riscv64")
    with pytest.raises(RigFault, match="FENGHUO_MACHINE=riscv64: no such machine, expected arm64 or amd64"):
        boards.asked()


def test_qmp_tells_refusals_and_events(short: Path) -> None:
    """A command that QEMU refuses names itself; an event is waited for by its data, and taken once."""
    path = short / "qmp.sock"
    words = ["setpriv", "--pdeathsig", "KILL", "qemu-system-aarch64", "-machine", "none", "-display", "none"]
    process = subprocess.Popen([*words, "-qmp", f"unix:{path},server=on,wait=off", "-S"])
    try:
        qmp = Qmp(path)
        with pytest.raises(QmpError, match="set_link: Device 'net0' not found"):
            qmp("set_link", name="net0", up=False)
        qmp("cont")
        assert qmp.wait("RESUME", 10) is not None
        assert qmp.wait("RESUME", 0.05) is None
        qmp("quit")
        process.wait(10)
        with pytest.raises(QmpError, match="query-status"):
            qmp("query-status", timeout_s=2)
    finally:
        process.kill()
        process.wait(10)


def test_a_bus_carries_both_ways_and_ends_with_the_guest(short: Path) -> None:
    """Bytes of the pty reach the guest's socket, and back."""
    ours, theirs = os.openpty()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(short / "bus.sock"))
    listener.listen()
    bridge = BusBridge(Path(os.ttyname(theirs)), short / "bus.sock")
    guest, _ = listener.accept()
    guest.settimeout(5)
    os.write(ours, b"\x01\x02\xff")
    assert guest.recv(16) == b"\x01\x02\xff"
    guest.sendall(b"\x10\x03")
    assert os.read(ours, 16) == b"\x10\x03"
    guest.close()
    bridge.close()
    listener.close()
    os.close(ours)
    os.close(theirs)


class Guest:
    """The true agent, on one end of a socket pair instead of a virtio port, over a folder instead of a chip."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines = folder / "lines"
        for line in range(4):
            (self.lines / f"sim_gpio{line}").mkdir(parents=True)
            self.write(line, "pull", "pull-down")
            self.write(line, "value", "0")
        monkeypatch.setattr(guest_agent, "LINES", self.lines)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "agent.sock"))
        listener.listen()
        self.agent = GuestAgent(folder / "agent.sock")
        self.port, _ = listener.accept()
        listener.close()
        self.tty = self._as_tty()
        served = guest_agent.Agent(f"/proc/self/fd/{self.tty}")
        threading.Thread(target=served.serve, daemon=True).start()

    def _as_tty(self) -> int:
        """A socket can't be opened by its name: a pty carries it."""
        ours, theirs = os.openpty()
        import tty

        tty.setraw(theirs)
        threading.Thread(target=_carry, args=(self.port.fileno(), ours), daemon=True).start()
        threading.Thread(target=_carry, args=(ours, self.port.fileno()), daemon=True).start()
        return theirs

    def write(self, line: int, name: str, text: str) -> None:
        """As the kernel would."""
        (self.lines / f"sim_gpio{line}" / name).write_text(text)

    def read(self, line: int, name: str) -> str:
        """What the agent wrote."""
        return (self.lines / f"sim_gpio{line}" / name).read_text().strip()


def _carry(source: int, target: int) -> None:
    try:
        while data := os.read(source, 65536):
            os.write(target, data)
    except OSError:
        pass


def test_the_agent_answers_and_says_what_it_can_not_do(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs, files and a refusal, over one line each."""
    guest = Guest(short, monkeypatch)
    agent = guest.agent
    agent.meet(10)
    done = agent.run("sh", "-c", "cat; exit 3", given=b"in")
    assert (done.code, done.out) == (3, "in")
    agent.put(str(short / "file"), b"\x00" * 600_000, 0o640)
    assert agent.get(str(short / "file")) == b"\x00" * 600_000
    with pytest.raises(AgentError, match="get: FileNotFoundError"):
        agent.get(str(short / "none"))
    with pytest.raises(AgentError, match="exit code 3"):
        agent.must("sh", "-c", "exit 3")
    assert agent.run("sleep", "30", timeout_s=0.2).code is None


def test_a_guest_that_restarts_lets_nobody_wait_for_what_it_forgot(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = Guest(short, monkeypatch)
    guest.agent.meet(10)
    began = short / "began"
    why: list[str] = []

    def ask() -> None:
        with pytest.raises(AgentError) as told:
            guest.agent.run("sh", "-c", f"touch {began}; exec sleep 20", timeout_s=120)
        why.append(str(told.value))

    asking = threading.Thread(target=ask)
    asking.start()
    while not began.exists():
        threading.Event().wait(0.02)
    os.write(guest.tty, b'{"hello": true}\n')
    asking.join(20)
    assert why == ["run: the guest has restarted"]
    guest.agent.meet(10)


def test_a_line_that_is_driven_low_is_held_low(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel that claims its input with a pull-up moves gpio-sim's line: a real contact would hold it."""
    guest = Guest(short, monkeypatch)
    guest.agent.meet(10)
    guest.agent.drive({0: 0, 1: 1})
    assert (guest.read(0, "pull"), guest.read(1, "pull")) == ("pull-down", "pull-up")
    guest.write(0, "pull", "pull-up  ")
    for _ in range(200):
        if guest.read(0, "pull").startswith("pull-down"):
            break
        threading.Event().wait(0.02)
    assert guest.read(0, "pull").startswith("pull-down")


def test_changes_of_outputs_have_moments_of_the_hosts_clock(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each level once, and only when it changes."""
    guest = Guest(short, monkeypatch)
    guest.agent.meet(10)
    guest.agent.watch([2], 1)
    found: list[tuple[int, int, int]] = []
    for level in ("1", "0"):
        guest.write(2, "value", level)
        for _ in range(200):
            found += guest.agent.changes()
            if found and found[-1][2] == int(level):
                break
            threading.Event().wait(0.01)
    assert [level for _, _, level in found][-2:] == [1, 0]
    assert found == sorted(found)


def test_what_the_agent_does_not_understand_changes_nothing(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a line that a snapshot cut, and noise: no answer, and it goes on."""
    guest = Guest(short, monkeypatch)
    guest.agent.meet(10)
    os.write(guest.agent.fileno(), b'uns"}\n[]\n{"id":1}\n' + json.dumps({"id": 2, "do": "nothing"}).encode() + b"\n")
    assert guest.agent.run("true").code == 0
