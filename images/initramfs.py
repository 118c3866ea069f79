"""The initramfs of a slot: finds the slot, opens its verified root, tells who booted, and hands over to systemd.

Busybox, dmsetup with its libraries, and the modules of disks. It checks nothing by itself: the kernel compares each
block with the root hash of the boot entry as it is read, and a block that differs ends in a reboot, which the boot
counter turns into the other slot.
"""

import gzip
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from images import cpio, kernel
from images.architecture import Architecture
from images.settings import HERE

TOOL_S = 60
MODULES = (
    *("virtio_blk", "virtio_pci", "virtio_mmio", "nvme", "usb_storage", "xhci_pci", "xhci_plat_hcd"),
    *("mmc_block", "dm_mod", "dm_verity", "squashfs", "sha256"),
)
_OPTIONAL = frozenset({"sha256", "bcm2835", "xhci_plat_hcd", "virtio_mmio", "sdhci_brcmstb"})
"""Built in by one kernel, a module in another, or not there."""
_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")
_FOLDERS = ("dev", "proc", "sys", "run", "root", "bin", "modules", "usr", "usr/lib")


def build(root: Path, modules: Path, whose: Architecture) -> bytes:
    """The archive (newc, gzip), from a tree with busybox, dmsetup and the kernel's modules. Same tree, same bytes."""
    libraries = f"usr/lib/{whose.multiarch}"
    folders = (*_FOLDERS, libraries, str(Path(whose.loader).parent))
    entries: list[tuple[str, int, bytes]] = [(name, stat.S_IFDIR | 0o755, b"") for name in folders]
    entries.append(("init", stat.S_IFREG | 0o755, (HERE / "init.sh").read_bytes()))
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, (root / "usr/bin/busybox").read_bytes()))
    entries.append(("bin/dmsetup", stat.S_IFREG | 0o755, (root / "usr/sbin/dmsetup").read_bytes()))
    for library in sorted(_libraries(root / libraries, root / "usr/sbin/dmsetup")):
        entries.append((f"{libraries}/{library.name}", stat.S_IFREG | 0o755, library.read_bytes()))
    entries.append((whose.loader, stat.S_IFREG | 0o755, (root / "usr" / whose.loader).read_bytes()))
    order = []
    for file in kernel.with_dependencies(modules, _there(modules, whose)):
        order.append(file.name)
        entries.append((f"modules/{file.name}", stat.S_IFREG | 0o644, file.read_bytes()))
    entries.append(("modules/order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in order).encode()))
    return gzip.compress(cpio.archive(entries), 6, mtime=0)


def _there(modules: Path, whose: Architecture) -> Iterator[str]:
    for name in (*MODULES, *whose.controllers):
        try:
            kernel.with_dependencies(modules, [name])
        except kernel.BadKernel:
            if name not in _OPTIONAL:
                raise
        else:
            yield name


def _libraries(folder: Path, program: Path) -> set[Path]:
    """The libraries that a program of the target loads, from its own tree's folder of them."""
    found: dict[str, Path] = {}
    waiting = [program]
    while waiting:
        for name in _needs(waiting.pop()):
            if name not in found and not name.startswith("ld-linux"):
                path = folder / name
                real = Path(os.path.realpath(path))
                found[name] = path
                waiting.append(real)
    return set(found.values())


def _needs(file: Path) -> Iterable[str]:
    done = subprocess.run(["readelf", "-d", str(file)], check=True, capture_output=True, text=True, timeout=TOOL_S)
    return _NEEDED.findall(done.stdout)
