"""The image of a slot: boot entry, kernel, initramfs, verified root, one after the other. An update is just this.

    block 0       the boot entry: a U-Boot environment (CRC) with places, sizes and the root hash
    from 8        kernel (a raw arm64 Image), then initramfs, each from a whole block on
    from a MiB    the root: squashfs, then its dm-verity tree

U-Boot reads blocks, so no file system stands between it and a slot, and what the entry names is what boots.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from firmware.boot import slots
from firmware.version import VERSION
from images import verity

SECTOR, BLOCK, MIB = 512, 4096, 1024 * 1024
FIRST = 8 * BLOCK
SQUASH_S = 1800


@dataclass(frozen=True)
class Slot:
    """A slot's image, and what its boot entry says."""

    file: Path
    root_hash: str
    entry: dict[str, str]


def salt_of(version: str) -> bytes:
    """The same for the same version, so that the same root gives the same hash."""
    return hashlib.sha256(f"fenghuo {version}".encode()).digest()


def make(rootfs: Path, out: Path, epoch: int, version: str = VERSION) -> Slot:
    """Make the slot's image of what `images.rootfs` made. Raises `CalledProcessError`, `OSError`, `ValueError`."""
    root = out.with_suffix(".squashfs")
    _squash(rootfs / "root", root, epoch)
    salt = salt_of(version)
    root_hash, blocks = verity.append_tree(root, salt)
    kernel, initrd = rootfs / "vmlinuz", rootfs / "initrd"
    kernel_at = FIRST
    initrd_at = _up(kernel_at + kernel.stat().st_size, BLOCK)
    root_at = _up(initrd_at + initrd.stat().st_size, MIB)
    words = [
        f"fenghuo.root_hash={root_hash}",
        f"fenghuo.salt={salt.hex()}",
        f"fenghuo.start={root_at // SECTOR}",
        f"fenghuo.blocks={blocks}",
    ]
    entry = {
        "fh_version": version,
        "fh_kernel": f"{kernel_at // SECTOR:x}",
        "fh_kernel_count": f"{_sectors(kernel):x}",
        "fh_initrd": f"{initrd_at // SECTOR:x}",
        "fh_initrd_count": f"{_sectors(initrd):x}",
        "fh_initrd_bytes": f"{initrd.stat().st_size:x}",
        "fh_words": " ".join(words),
    }
    with out.open("wb") as stream:
        stream.write(slots.pack(entry))
        for place, part in ((kernel_at, kernel), (initrd_at, initrd), (root_at, root)):
            # Zeros, not holes: a card is not zero where nothing was written.
            stream.write(b"\0" * (place - stream.tell()))
            with part.open("rb") as source:
                shutil.copyfileobj(source, stream, MIB)
        stream.write(b"\0" * (-stream.tell() % MIB))
    root.unlink()
    return Slot(out, root_hash, entry)


def _squash(tree: Path, out: Path, epoch: int) -> None:
    """All belongs to root, all dates are the release's; padded to whole blocks of the hash tree."""
    out.unlink(missing_ok=True)
    words = ["mksquashfs", str(tree), str(out), "-comp", "zstd", "-Xcompression-level", "9", "-b", "256K"]
    words += ["-all-root", "-no-xattrs", "-noappend", "-no-progress", "-quiet"]
    special = [f"{path} m {mode} 0 {group}" for path, mode, group in _RIGHTS]
    for line in special:
        words += ["-p", line]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    subprocess.run(words, env=environment, check=True, capture_output=True, text=True, timeout=SQUASH_S)
    with out.open("ab") as stream:
        stream.write(b"\0" * (-stream.tell() % BLOCK))


_RIGHTS = (("etc/shadow", "0600", 0), ("etc/gshadow", "0600", 0), ("root", "0700", 0), ("tmp", "1777", 0))


def _sectors(path: Path) -> int:
    return -(-path.stat().st_size // SECTOR)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
