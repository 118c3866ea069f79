"""One QEMU process: a board emulated by TCG, with the rig's devices. It ends with whoever started it.

The devices stand in one fixed order, since a snapshot loads only into the very machine that it was taken of. All of
its ends are unix sockets in one folder; the network leads to the named ports of this machine's loopback and nowhere
else.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.rigs.machine.agent import GuestAgent
from hil.rigs.machine.boards import ARM64, Board
from hil.rigs.machine.qmp import Qmp, QmpError

MEMORY_MIB = 768
CPUS = 2
HOST_SEEN_FROM_GUEST = "10.0.2.100"
BUSES = 2
"""Serial ports beside the console; the board says which /dev/ttyS they are in the guest."""
AGENT = Path(__file__).with_name("guest_agent.py")
# The agent comes as a system credential: systemd starts it, and the image knows nothing of it. QEMU takes names of at
# most 55 characters, so the unit's is one letter long; and udev starts it, as soon as the agent's port is there.
CREDENTIALS = {
    "systemd.extra-unit.r.service": """\
[Unit]
Description=Hand of the test rig
DefaultDependencies=no
[Service]
ImportCredential=rig.*
ExecStart=/usr/bin/python3 -I ${CREDENTIALS_DIRECTORY}/rig.agent
Restart=always
RestartSec=1
OOMScoreAdjust=-1000
""",
    "udev.rules.rig": """\
SUBSYSTEM=="virtio-ports", ATTR{name}=="fenghuo.rig", TAG+="systemd", ENV{SYSTEMD_WANTS}+="r.service"
""",
}


@dataclass(frozen=True)
class Disk:
    """A disk: qcow2 where it is written and snapshot, raw else. `serial` names it in /dev/disk/by-id/virtio-…"""

    path: Path
    serial: str
    raw: bool = False
    read_only: bool = False


@dataclass(frozen=True)
class Boot:
    """What runs first: a kernel with its initramfs and words, or a firmware (U-Boot) that finds them on a disk."""

    tree: Path | None
    kernel: Path | None = None
    initrd: Path | None = None
    words: str = ""
    firmware: Path | None = None
    board: Board = ARM64


@dataclass(frozen=True)
class Forward:
    """The guest reaches this port of 10.0.2.100, which is that port of the host's loopback."""

    guest_port: int
    host_port: int


def command(board: Board, memory_mib: int = MEMORY_MIB) -> list[str]:
    """The command line of the bare board, which the device tree is made of."""
    words = f"{board.machine} -smp {CPUS} -m {memory_mib} -nodefaults -display none"
    return [board.program, *words.split()]


class Qemu:
    """A running machine. `kill` is a power cut; `close` ends it and its connections."""

    def __init__(
        self,
        folder: Path,
        boot: Boot,
        disks: Sequence[Disk],
        forwards: Sequence[Forward] = (),
        snapshot: str = "",
        on_watchdog: str = "reset",
        memory_mib: int = MEMORY_MIB,
        agent: bool = True,
        levels: Mapping[int, int] | None = None,
        clock: str = "",
    ) -> None:
        """Start it; `snapshot`: go on from there. `folder` takes its sockets and the console's log, which grows.

        `levels`: how input lines stand at boot, before anything of the panel runs. `clock`: what the board's
        clock says at boot, as 2026-01-01T00:00:00, in place of the host's.

        Raises `QmpError` with what QEMU said where it does not start.
        """
        self.folder = folder
        self.console_log = folder / "console.log"
        folder.mkdir(parents=True, exist_ok=True)
        argv = [
            *command(boot.board, memory_mib),
            *_boot(boot),
            *_disks(disks),
            *_devices(folder, forwards, on_watchdog),
        ]
        argv += _agent(folder, levels or {}) if agent else []
        argv += ["-loadvm", snapshot] if snapshot else []
        argv += ["-rtc", f"base={clock},clock=vm"] if clock else []
        self._said = folder / "qemu.log"
        for stale in folder.glob("*.sock"):
            stale.unlink()
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *argv],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self.started = time.monotonic()
        try:
            self.qmp = Qmp(folder / "qmp.sock", timeout_s=30)
            self.agent = GuestAgent(folder / "agent.sock")
        except (QmpError, OSError) as error:
            self._end()
            raise QmpError(f"{error}\n{self._said.read_text(errors='replace')[-1500:]}") from error

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def ended(self, within_s: float) -> bool:
        """Whether it ends by itself in that time: its guest switched the power off."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def link(self, up: bool) -> None:
        """Plug or pull the network cable."""
        self.qmp("set_link", name="net0", up=up)

    def plug_usb_serial(self, name: str) -> Path:
        """Plug in a USB adapter (FTDI) with a serial bus behind it; the bus's other end."""
        path = self.folder / f"{name}.sock"
        path.unlink(missing_ok=True)
        backend = {
            "type": "socket",
            "data": {
                "addr": {"type": "unix", "data": {"path": str(path)}},
                "server": True,
                "wait": False,
            },
        }
        self.qmp("chardev-add", id=name, backend=backend)
        # The model reports itself as plugged in only while its chardev is connected: whoever plays the bus connects.
        # By its serial number udev names the port; QEMU's own holds the place of the controller.
        words: dict[str, Any] = {"id": f"usb-{name}", "serial": "1", "bus": "usb.0", "chardev": name}
        self.qmp("device_add", driver="usb-serial", always_plugged=True, **words)
        return path

    def pull_usb_serial(self, name: str) -> None:
        """Pull the adapter out."""
        self.qmp("device_del", id=f"usb-{name}")
        self.qmp.wait("DEVICE_DELETED", 10, device=f"usb-{name}")
        self.qmp("chardev-remove", id=name)

    def bus(self, number: int) -> Path:
        """The other end of the guest's serial port `Board.port(number)`."""
        return self.folder / f"bus{number}.sock"

    def save(self, name: str) -> None:
        """Keep the whole machine under this name in its qcow2 disks."""
        self.qmp.monitor(f"savevm {name}")

    def reset(self) -> None:
        """Press reset."""
        self.qmp("system_reset")

    def kill(self) -> None:
        """Power off, as a cut does: nothing is flushed or said."""
        self._end()

    close = kill

    def console(self, characters: int = 4000) -> str:
        """The end of what came over the console."""
        with self.console_log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - characters))
            return file.read().decode(errors="replace")

    def type(self, text: str) -> None:
        """Type at the console."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "console.sock"))
            link.sendall(text.encode())

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)
        for part in ("qmp", "agent"):
            if hasattr(self, part):
                getattr(self, part).close()

    def __enter__(self) -> "Qemu":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _boot(boot: Boot) -> list[str]:
    words = ["-accel", "tcg,thread=multi,tb-size=256"]
    if boot.tree:
        words += ["-dtb", str(boot.tree)]
    if boot.firmware:
        words += ["-bios", str(boot.firmware)]
    if boot.kernel:
        words += ["-kernel", str(boot.kernel), "-append", boot.words]
    if boot.initrd:
        words += ["-initrd", str(boot.initrd)]
    return words


def _disks(disks: Sequence[Disk]) -> list[str]:
    words: list[str] = []
    for number, disk in enumerate(disks):
        kind = "raw" if disk.raw else "qcow2"
        read_only = "on" if disk.read_only else "off"
        # cache=writeback: only what the guest flushed is promised, as with a card.
        drive = f"file={disk.path},format={kind},if=none,id=disk{number},cache=writeback,readonly={read_only}"
        words += ["-drive", drive, "-device", f"virtio-blk-pci,drive=disk{number},serial={disk.serial}"]
    return words


def _devices(folder: Path, forwards: Sequence[Forward], on_watchdog: str) -> list[str]:
    def server(name: str, more: str = "") -> list[str]:
        return ["-chardev", f"socket,id={name},path={folder}/{name}.sock,server=on,wait=off{more}"]

    words = ["-qmp", f"unix:{folder}/qmp.sock,server=on,wait=off"]
    words += [*server("console", f",logfile={folder}/console.log,logappend=on"), "-serial", "chardev:console"]
    words += [*server("agent"), "-device", "virtio-serial-pci"]
    words += ["-device", "virtserialport,chardev=agent,name=fenghuo.rig"]
    words += ["-netdev", _netdev(forwards), "-device", "virtio-net-pci,id=net0,netdev=net,romfile="]
    for number in range(BUSES):
        words += [*server(f"bus{number}"), "-device", f"pci-serial,chardev=bus{number}"]
    words += ["-device", "i6300esb", "-action", f"watchdog={on_watchdog}"]
    words += ["-device", "qemu-xhci,id=usb", "-device", "virtio-rng-pci"]
    return words


def _netdev(forwards: Sequence[Forward]) -> str:
    words = "user,id=net,restrict=on"
    for forward in forwards:
        # By a command: QEMU would connect to a port once, at its start, and refuse to start without a broker.
        relay = f"cmd:{shutil.which('socat') or 'socat'} STDIO TCP:127.0.0.1:{forward.host_port}"
        words += f",guestfwd=tcp:{HOST_SEEN_FROM_GUEST}:{forward.guest_port}-{relay}"
    return words


def _agent(folder: Path, levels: Mapping[int, int]) -> list[str]:
    words: list[str] = []
    at_rest = json.dumps({str(line): int(level) for line, level in levels.items()})
    for name, text in {**CREDENTIALS, "rig.levels": at_rest}.items():
        file = folder / name
        file.write_text(text)
        words += ["-fw_cfg", f"name=opt/io.systemd.credentials/{name},file={file}"]
    return [*words, "-fw_cfg", f"name=opt/io.systemd.credentials/rig.agent,file={AGENT}"]
