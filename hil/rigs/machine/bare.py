"""A machine of the panel's root alone, without U-Boot and slots: the very tree of the image, on a disk of its own.

Quick to make, and boots by the rig's own kernel words; the disk beside it has the data partition where the image has
it. For what U-Boot, slots and dm-verity do, boot the image itself (`hil.rigs.machine.image`).
"""

import hashlib
import subprocess
from pathlib import Path

from hil.rigs.machine import boards, initramfs
from hil.rigs.machine.boards import ARM64, Board
from hil.rigs.machine.prepared import Base

DISK_SIGNATURE = "0xf39f0901"
"""Of the image's partition table, by which the panel knows its partitions."""
BOOT_MIB, DATA_MIB = 16, 96
MIB, SECTOR = 1024 * 1024, 512
FIRST = 2048
# As the image's own initramfs leaves it, but for slots.
AFTER = """\
/bin/busybox mount -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=32M var /root/var
/bin/busybox mkdir -p /root/var/log/journal /root/var/lib/systemd/timesync /root/var/cache /root/var/spool
/bin/busybox mkdir -m 1777 /root/var/tmp
/bin/busybox ln -s /run /root/var/run
/bin/busybox ln -s /run/lock /root/var/lock
/bin/busybox mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=32M tmp /root/tmp
/bin/busybox mount -t tmpfs -o mode=0755,nosuid,nodev run /root/run
/bin/busybox mkdir -p /root/run/fenghuo-boot
echo 6d616368696e6520726967206f662066 >/root/run/fenghuo-boot/machine-id
/bin/busybox mount --bind /root/run/fenghuo-boot/machine-id /root/etc/machine-id
"""
PATIENT = ("fenghuo-core", "fenghuo-uplink", "fenghuo-camera", "fenghuo-site", "fenghuo-data", "systemd-networkd")
WARM = "/opt/fenghuo/bin/python -c 'import firmware.core.main, firmware.uplink.main, drivers.board'"


def base(rootfs: Path, out: Path, board: Board = ARM64) -> Base:
    """The machine of a tree that `images.rootfs` made; what it needs is made in `out` where it is not there."""
    out.mkdir(parents=True, exist_ok=True)
    key = (rootfs / ".made-of").read_text().strip()
    stamp = out / "made-of"
    root, card, initrd = out / "root.squashfs", out / "card.img", out / "initrd"
    own = b"".join(Path(file).read_bytes() for file in (__file__, boards.__file__, initramfs.__file__))
    mark = f"{key} {hashlib.sha256(own).hexdigest()}"
    if not stamp.exists() or stamp.read_text() != mark:
        stamp.unlink(missing_ok=True)
        _squash(rootfs / "root", root)
        _card(card)
        modules = next((rootfs / "root/usr/lib/modules").iterdir())
        busybox, after = rootfs / "root/usr/bin/busybox", board.script + AFTER
        initramfs.build(initrd, busybox, modules, "/dev/vda", "ro -t squashfs", after, board.modules)
        stamp.write_text(mark)
    return Base(mark, {"root": root, "card": card}, rootfs / "vmlinuz", initrd, board.words, (WARM,), board)


def _squash(tree: Path, out: Path) -> None:
    """The tree as it is, but with more patience: an emulated processor on a busy host is a tenth of a Pi's."""
    out.unlink(missing_ok=True)
    fstab = out.with_name("fstab")
    fstab.write_text((tree / "etc/fstab").read_text().replace("device-timeout=300s", "device-timeout=900s"))
    patient = out.with_name("patient.conf")
    patient.write_text("[Service]\nTimeoutStartSec=600s\n")
    pseudo = [f"/etc/fstab f 644 0 0 cat {fstab.absolute()}"]
    for unit in PATIENT:
        folder = f"/etc/systemd/system/{unit}.service.d"
        pseudo += [f"{folder} d 755 0 0", f"{folder}/rig.conf f 644 0 0 cat {patient.absolute()}"]
    # Fast to make and to read: it lives as long as this tree.
    words = ["mksquashfs", str(tree), str(out), "-all-root", "-comp", "lz4", "-no-progress", "-quiet", "-no-xattrs"]
    for line in pseudo:
        words += ["-p", line]
    subprocess.run([*words, "-e", "etc/fstab"], check=True, capture_output=True)


def _card(out: Path) -> None:
    """A disk with the image's signature: an empty boot partition, the data partition as the fourth."""
    first, data = FIRST + BOOT_MIB * MIB // SECTOR, DATA_MIB * MIB // SECTOR
    out.unlink(missing_ok=True)
    with out.open("wb") as file:
        file.truncate((first + data) * SECTOR)
    table = f"label: dos\nlabel-id: {DISK_SIGNATURE}\n1: start={FIRST}, size={first - FIRST}, type=c\n"
    table += f"4: start={first}, size={data}, type=83\n"
    subprocess.run(["sfdisk", "-q", str(out)], input=table.encode(), check=True, capture_output=True)
    _format("mkfs.vfat", "-F", "16", "-n", "FENGHUO", "--offset", str(FIRST), str(out), str(BOOT_MIB * 1024))
    offset = f"offset={first * SECTOR}"
    _format("mke2fs", "-q", "-t", "ext4", "-L", "fenghuo-data", "-E", offset, str(out), f"{DATA_MIB}M")


def _format(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
