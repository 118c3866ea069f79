"""What is written over: a whole removable disk, or by force a fixed one or a plain file; and what would be lost."""

import json
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.flash import texts as t
from provisioning.flash.disks import Disk, Kernel
from provisioning.flash.partitions import BadTable, read_table
from provisioning.flash.refusal import refuse, said
from provisioning.flash.writing import gib

_LSBLK = ("lsblk", "--json", "--bytes", "--output", "NAME,SIZE,FSTYPE,LABEL,PARTLABEL")
_PATIENCE_S = 20
_MAX_ANSWER = 1024 * 1024


@dataclass(frozen=True)
class Lost:
    """One thing on the card. `size` in bytes; `what` is its file system or the partition's kind."""

    name: str
    size: int
    what: str
    label: str


@dataclass(frozen=True)
class Target:
    """Where to write. `disk` is None for a plain file, `name` is what a person types to agree."""

    path: Path
    name: str
    disk: Disk | None

    @staticmethod
    def of(disk: Disk) -> "Target":
        """This disk, as it is called."""
        return Target(disk.path, disk.name, disk)

    @property
    def described(self) -> str:
        """Model, size and bus, as far as the kernel knows them."""
        if self.disk is None:
            return ""
        parts = (self.disk.model, gib(self.disk.size), self.disk.bus, self.disk.serial)
        return ", ".join(part for part in parts if part)

    def lost(self) -> list[Lost]:
        """The partitions and file systems that are there now; from its partition table where `lsblk` says nothing."""
        return (self.disk and _by_lsblk(self.path)) or _by_table(self.path)


def find_target(device: Path, image: Path, forced: bool, kernel: Kernel) -> Target:
    """The target that is meant, if it may be written. Raises `CantFlash`; a disk in use is refused by force too."""
    try:
        path = device.resolve(strict=device.is_relative_to("/dev"))
        mode = path.stat().st_mode if path.exists() else stat.S_IFREG
    except OSError as error:
        raise refuse(t.NO_DEVICE, device=device, why=said(error)) from None
    if stat.S_ISBLK(mode):
        return Target(path, path.name, _disk(path, forced, kernel))
    if not stat.S_ISREG(mode):
        raise refuse(t.NOT_A_DISK, device=device)
    if not forced:
        raise refuse(t.NEEDS_FORCE_FILE, device=device)
    if path.exists() and path.samefile(image):
        raise refuse(t.ITSELF, device=device)
    if loops := kernel.loops_of(path) if path.exists() else []:
        raise refuse(t.HELD, device=device, uses=", ".join(loops))
    return Target(path, path.name, None)


def _disk(path: Path, forced: bool, kernel: Kernel) -> Disk:
    try:
        whole, itself = kernel.disk_of(path.stat().st_rdev)
    except OSError as error:
        raise refuse(t.NO_DEVICE, device=path, why=said(error)) from None
    if whole != itself:
        raise refuse(t.A_PARTITION, device=path, whole=f"/dev/{whole}")
    disk = next((disk for disk in kernel.disks() if disk.name == whole), None)
    if disk is None:
        raise refuse(t.NOT_A_DISK, device=path)
    if disk.use is not None:
        uses = ", ".join(where for kind, where in disk.uses if kind == disk.use)
        raise refuse({"system": t.SYSTEM, "mounted": t.MOUNTED, "held": t.HELD}[disk.use], device=path, uses=uses)
    if disk.read_only:
        raise refuse(t.READ_ONLY, device=path)
    if not disk.removable and not forced:
        raise refuse(t.NOT_REMOVABLE, device=path)
    return disk


def _by_lsblk(path: Path) -> list[Lost]:
    try:
        done = subprocess.run((*_LSBLK, str(path)), capture_output=True, timeout=_PATIENCE_S, check=True)
        answer = json.loads(done.stdout[:_MAX_ANSWER])
        return list(_lost(answer["blockdevices"]))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _lost(rows: list[dict[str, Any]]) -> Iterator[Lost]:
    """The rows that hold something: partitions, and a disk with a file system of its own."""
    for row in rows:
        for found in row.get("children") or ([row] if row.get("fstype") else []):
            label = found.get("label") or found.get("partlabel") or ""
            yield Lost(str(found["name"]), int(found["size"]), str(found.get("fstype") or ""), str(label))


def _by_table(path: Path) -> list[Lost]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)

            def read(offset: int, length: int) -> bytes:
                file.seek(offset)
                return file.read(length)

            return [Lost(f"{path.name}:{p.number}", p.size, p.said, p.name) for p in read_table(read, size)]
    except (OSError, BadTable):
        return []
