"""The whole card: partition table, boot partition (FAT), both slots, data partition (ext4), in one file.

0         partition table (MBR, since a Pi 3's boot ROM knows no other)
1 MiB     the slots' counters, twice
4 MiB     1  boot    FAT32  the Pi's firmware, U-Boot, boot.scr, device trees
          2  slot A  raw    both filled at the factory
          3  slot B  raw
          4  data    ext4   grown to the card's end at first boot
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from firmware.boot import slots
from images.packages import Package, unpack
from images.settings import HERE, Settings

MIB, SECTOR, BLOCK = 1024 * 1024, 512, 4096
SIGNATURE = 0xF39F0901
"""Of the partition table; udev's rules and the initramfs know the card by it."""
START = 4 * MIB
FAT, RAW, LINUX = 0x0C, 0xDA, 0x83
DATA_UUID = "5f0f39f0-0900-4d61-8a6c-66656e676875"
TOOL_S = 300
UBOOT = "usr/lib/u-boot/rpi_arm64/u-boot.bin"
FIRMWARE = (
    *("bootcode.bin", "start.elf", "start4.elf", "fixup.dat", "fixup4.dat"),
    *("start_cd.elf", "start4cd.elf", "fixup_cd.dat", "fixup4cd.dat", "overlays/pi4-spidev.dtbo"),
)
"""The cut-down ones too, which a board asks for where `gpu_mem` is 16."""
FOLDERS = ("fenghuo", "log", "network", "rauc", "ssh", "system/timesync", "fenghuo/data", "fenghuo/keys")


def table(sizes: Iterable[tuple[int, int]], start: int = START) -> bytes:
    """The first sector: an MBR with these partitions (kind, bytes), one after the other; the first one boots.

    Raises `ValueError` for more than four, or for what MBR can't tell.
    """
    entries, at = b"", start // SECTOR
    for number, (kind, size) in enumerate(sizes):
        if number == 4 or size % SECTOR or at + size // SECTOR >= 2**32:
            raise ValueError(f"partition {number + 1} of {size} bytes at sector {at} does not fit in an MBR")
        flag = 0x80 if number == 0 else 0
        entries += struct.pack("<B3sB3sII", flag, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", at, size // SECTOR)
        at += size // SECTOR
    return bytes(440) + struct.pack("<IH", SIGNATURE, 0) + entries.ljust(64, b"\0") + b"\x55\xaa"


def make(out: Path, slot: Path, rootfs: Path, firmware: Iterable[Package], chosen: Settings, epoch: int) -> None:
    """Write the card's image. Raises `CalledProcessError`, `OSError`, `ValueError`."""
    work = out.with_suffix(".work")
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)
    slot_size = chosen.slot_mib * MIB
    if slot.stat().st_size > slot_size:
        raise ValueError(f"{slot}: {slot.stat().st_size // MIB} MiB, a slot has {chosen.slot_mib}")
    boot, data = work / "boot.fat", work / "data.ext4"
    _boot(boot, rootfs, firmware, chosen, work, epoch)
    _data(data, work, chosen.data_mib, epoch)
    sizes = [(FAT, chosen.boot_mib * MIB), (RAW, slot_size), (RAW, slot_size), (LINUX, chosen.data_mib * MIB)]
    with out.open("wb") as stream:
        stream.write(table(sizes))
        for place in slots.COPIES:
            stream.seek(place)
            stream.write(slots.pack(slots.FIRST))
        at = START
        meant = (in_use(boot), slot_size, slot_size, chosen.data_mib * MIB)
        for (_, size), part, count in zip(sizes, (boot, slot, slot, data), meant, strict=True):
            _put(stream, at, part, count)
            at += size
        stream.truncate(at)
    shutil.rmtree(work)


def in_use(boot: Path) -> int:
    """So many bytes from the beginning of a FAT32 are meant: all but the free clusters behind the last one in use."""
    with boot.open("rb") as stream:
        head = stream.read(SECTOR)
        per_sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", head, 11)
        (sectors,) = struct.unpack_from("<I", head, 36)
        stream.seek(reserved * per_sector)
        entries = stream.read(sectors * per_sector)
    last = max(i for i, (entry,) in enumerate(struct.iter_unpack("<I", entries)) if entry)
    return int(reserved + fats * sectors + (last - 1) * per_cluster) * int(per_sector)


def _put(stream: BinaryIO, at: int, part: Path, meant: int) -> None:
    """The file's blocks. Of its first `meant` bytes zeros too: a card is not zero where nothing is written.

    Behind them blocks of zeros stay holes, which the block map leaves out.
    """
    with part.open("rb") as source:
        done = 0
        while block := source.read(BLOCK):
            if done < meant or any(block):
                stream.seek(at + done)
                stream.write(block)
            done += len(block)


def _boot(out: Path, rootfs: Path, firmware: Iterable[Package], chosen: Settings, work: Path, epoch: int) -> None:
    tree, unpacked = work / "boot", work / "firmware"
    for package in firmware:
        unpack(package, unpacked)
    (tree / "overlays").mkdir(parents=True)
    for name in FIRMWARE:
        shutil.copyfile(unpacked / "usr/lib/raspi-firmware" / name, tree / name)
    shutil.copyfile(unpacked / UBOOT, tree / "u-boot.bin")
    for dtb in sorted(rootfs.glob("trees/**/*.dtb")):
        if any(fnmatch(dtb.name, f"{pattern}.dtb") for pattern in chosen.boards):
            shutil.copyfile(dtb, tree / dtb.name)
    shutil.copyfile(HERE / "config.txt", tree / "config.txt")
    (tree / "kernel.txt").write_text(_about_kernel(tree, rootfs / "trees", chosen))
    (tree / "gpio.txt").write_text("# Written by fenghuo-site from the outputs of panel.toml.\n")
    script = ["mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "fenghuo"]
    _run([*script, "-d", str(HERE / "boot.txt"), str(tree / "boot.scr")], epoch)
    with out.open("wb") as stream:
        stream.truncate(chosen.boot_mib * MIB)
    _run(["mkfs.vfat", "-F", "32", "--invariant", "-i", f"{SIGNATURE:08x}", "-n", "FENGHUO", str(out)], epoch)
    for path in sorted(tree.rglob("*")):
        os.utime(path, (epoch, epoch))
    for path in sorted(tree.iterdir()):
        _run(["mcopy", "-s", "-m", "-i", str(out), str(path), "::"], epoch)


def _about_kernel(tree: Path, trees: Path, chosen: Settings) -> str:
    """What config.txt says of the kernel. A vendor's overlays, by which a sensor is known, are put into the tree."""
    if chosen.kernel_folder is None:
        return (HERE / "kernel-debian.txt").read_text()
    # With the vendor's names for the same thing, its own overlay is not wanted.
    (tree / "overlays/pi4-spidev.dtbo").unlink()
    for overlay in sorted(trees.glob("**/overlays/*.dtb*")):
        shutil.copyfile(overlay, tree / "overlays" / overlay.name)
    return (HERE / "kernel-vendor.txt").read_text() + "".join(f"{line}\n" for line in chosen.csi.config)


def _data(out: Path, work: Path, mib: int, epoch: int) -> None:
    tree = work / "data"
    for name in FOLDERS:
        (tree / name).mkdir(parents=True, exist_ok=True)
    for path in (tree, *sorted(tree.rglob("*"))):
        path.chmod(0o755)
        os.utime(path, (epoch, epoch))
    words = ["mke2fs", "-q", "-t", "ext4", "-F", "-L", "fenghuo-data", "-U", DATA_UUID, "-m", "1", "-b", "4096"]
    options = f"hash_seed={DATA_UUID},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    _run([*words, "-d", str(tree), "-E", options, str(out), f"{mib}M"], epoch)
    # mke2fs copies when each folder was changed last, which nobody can set on a file system of this machine.
    names = ["/", *(f"/{path.relative_to(tree)}" for path in sorted(tree.rglob("*")))]
    fields = [f"{kind}time{extra}" for kind in "acm" for extra in ("", "_extra")] + ["crtime", "crtime_extra"]
    values = {field: "0" if field.endswith("_extra") else f"@{epoch}" for field in fields}
    commands = [f"set_inode_field {name} {field} {value}" for name in names for field, value in values.items()]
    (work / "times").write_text("".join(f"{command}\n" for command in commands))
    _run(["debugfs", "-w", "-f", str(work / "times"), str(out)], epoch)


def _run(words: list[str], epoch: int) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch), "TZ": "UTC"}
    environment["LC_ALL"] = "C"
    subprocess.run(words, env=environment, check=True, capture_output=True, text=True, timeout=TOOL_S)
