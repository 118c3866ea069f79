"""A machine that has booted once and waits in a snapshot: made when something it is made of has changed, else kept.

Under `build/hil/` lies one folder for each set of inputs, named by their hash: the device tree, and the disks with the
snapshot. A scenario works on copies of them. Two runs at once make one; the oldest go when there are too many.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hil.rigs.machine import qemu, tree
from hil.rigs.machine.boards import ARM64, Board
from hil.rigs.machine.qemu import Boot, Disk, Forward, Qemu
from hil.rigs.protocol import RigFault

FOLDER = Path("build/hil")
READY = "ready"
TREE = "board.dtb"
MADE_BY = ("qemu.py", "boards.py", "tree.py", "guest_agent.py", "prepared.py")
"""Our own files that a snapshot depends on."""
KEPT = 4
BOOT_S = 240.0


@dataclass(frozen=True)
class Base:
    """What a machine is made of: how it boots, and its disks as raw files by serial, in order.

    `key` names its content; `warm` are shell lines for the guest before the snapshot is taken.
    """

    key: str
    disks: Mapping[str, Path]
    kernel: Path | None = None
    initrd: Path | None = None
    words: str = ""
    warm: Sequence[str] = ()
    board: Board = ARM64

    def boot(self, folder: Path) -> Boot:
        """How it boots, with the device tree of this folder where the board has one."""
        tree_file = folder / TREE if self.board.tree else None
        return Boot(tree_file, self.kernel, self.initrd, self.words, board=self.board)


@dataclass(frozen=True)
class Prepared:
    """A folder with a machine that waits."""

    base: Base
    folder: Path
    first_boot_s: float = 0.0

    def copy(self, folder: Path) -> list[Disk]:
        """Disks of its own for one run."""
        folder.mkdir(parents=True, exist_ok=True)
        disks = []
        for serial in self.base.disks:
            name = f"{serial}.qcow2"
            subprocess.run(["cp", "--reflink=auto", self.folder / name, folder / name], check=True)
            disks.append(Disk(folder / name, serial))
        return disks

    def start(
        self,
        folder: Path,
        disks: Sequence[Disk],
        forwards: Sequence[Forward] = (),
        boot: bool = False,
        levels: Mapping[int, int] | None = None,
        clock: str = "",
    ) -> Qemu:
        """From the snapshot, or by a boot from what the disks hold; returns before the guest answers."""
        name = "" if boot else READY
        return Qemu(folder, self.base.boot(self.folder), disks, forwards, name, levels=levels, clock=clock)


def prepared(base: Base, root: Path = FOLDER) -> Prepared:
    """The machine of these inputs, made now where it is not there. Raises `RigFault`."""
    missing = [tool for tool in base.board.tools if shutil.which(tool) is None]
    if missing:
        raise RigFault(f"{', '.join(missing)} not installed: .ci/packages {base.board.packages}")
    root.mkdir(parents=True, exist_ok=True)
    folder = root / _hash(base)
    with locked(root):
        if not (folder / "done.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _make(base, folder)
            _forget(root)
        figures = json.loads((folder / "done.json").read_text())
    (folder / "done.json").touch()
    return Prepared(base, folder.absolute(), **figures)


def overlay(disk: Path, base: Path) -> None:
    """A qcow2 disk that holds what differs from a raw one."""
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base.absolute()), "-F", "raw", str(disk)]
    subprocess.run(words, check=True, capture_output=True)


def _make(base: Base, folder: Path) -> None:
    if base.board.tree:
        tree.write(folder / TREE, qemu.command(base.board))
    disks = []
    for serial, raw in base.disks.items():
        overlay(folder / f"{serial}.qcow2", raw)
        disks.append(Disk(folder / f"{serial}.qcow2", serial))
    with Qemu(folder, base.boot(folder), disks) as machine:
        took = machine.agent.meet(BOOT_S)
        # "degraded" is for the scenarios to find; here only that the boot is over.
        machine.agent.run("systemctl", "is-system-running", "--wait", timeout_s=BOOT_S)
        for line in base.warm:
            machine.agent.run("sh", "-c", line, timeout_s=120)
        machine.agent.call("sync")
        time.sleep(1)
        machine.save(READY)
    (folder / "done.json").write_text(json.dumps({"first_boot_s": round(took, 1)}))


def _hash(base: Base) -> str:
    version = subprocess.run([base.board.program, "--version"], capture_output=True, check=True).stdout
    own = [Path(__file__).with_name(name).read_bytes() for name in MADE_BY]
    digest = hashlib.sha256(json.dumps(asdict(base), default=str, sort_keys=True).encode() + version)
    for data in own:
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()[:16]


def _forget(root: Path) -> None:
    done = sorted(root.glob("*/done.json"), key=lambda file: file.stat().st_mtime)
    for file in done[:-KEPT]:
        shutil.rmtree(file.parent, ignore_errors=True)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """One maker at a time."""
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
