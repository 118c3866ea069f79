"""Which disks may be flashed: the kernel's tables of several computers, and a real loop device of this one"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.logged_disk import why_not
from provisioning.flash.disks import Disk, Kernel


class Computer:
    """A /sys and /proc in a folder."""

    def __init__(self, folder: Path) -> None:
        self.kernel = Kernel(folder / "sys", folder / "proc", folder / "dev")
        self._folder = folder
        self._mounts: list[str] = []
        (folder / "sys/block").mkdir(parents=True)
        (folder / "sys/dev/block").mkdir(parents=True)
        (folder / "proc/self").mkdir(parents=True)

    def disk(self, name: str, number: str, bus: str = "usb1/1-1", **files: str) -> Path:
        place = self._folder / "sys/devices" / bus / "block" / name
        self._device(place, number)
        for file, text in {"size": "62333952", "removable": "0", "ro": "0", **files}.items():
            path = place / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        (self._folder / "sys/block" / name).symlink_to(place)
        return place

    def part(self, disk: Path, name: str, number: str) -> Path:
        self._device(disk / name, number)
        (disk / name / "partition").write_text("1\n")
        return disk / name

    def stands_on(self, upper: Path, lower: Path) -> None:
        for folder, other in ((upper / "slaves", lower), (lower / "holders", upper)):
            folder.mkdir(exist_ok=True)
            (folder / other.name).symlink_to(other)

    def mounted(self, number: str, place: str, source: str = "x") -> None:
        self._mounts.append(f"27 1 {number} / {place} rw - ext4 {source} rw")
        (self._folder / "proc/self/mountinfo").write_text("\n".join(self._mounts) + "\n")

    def _device(self, place: Path, number: str) -> None:
        place.mkdir(parents=True)
        (place / "dev").write_text(number + "\n")
        (self._folder / "sys/dev/block" / number).symlink_to(place)

    def one(self, name: str) -> Disk:
        return next(disk for disk in self.kernel.disks() if disk.name == name)


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_a_usb_reader_and_a_card_in_a_slot_are_removable_and_a_fixed_disk_is_not(computer: Computer) -> None:
    computer.disk("sdb", "8:16", device__vendor="SanDisk", device__model="Ultra")
    computer.disk("mmcblk0", "179:0", "mmc0", device__type="SD", device__name="SC32G", device__serial="0x1")
    computer.disk("mmcblk1", "179:8", "mmc1", device__type="MMC")
    computer.disk("sda", "8:0", "pci0/ata1", device__vendor="ATA")
    computer.disk("sr0", "11:0", "pci0/ata2", removable="1")
    computer.disk("sdc", "8:32", size="0")
    found = {disk.name: (disk.removable, disk.bus, disk.model) for disk in computer.kernel.disks()}
    assert found == {
        "sdb": (True, "usb", "SanDisk Ultra"),
        "mmcblk0": (True, "sd", "SC32G"),
        "mmcblk1": (False, "mmc", ""),
        "sda": (False, "ata", "ATA"),
    }
    assert computer.one("sdb").size == 62333952 * 512


def test_the_disk_below_root_is_the_systems_through_crypt_and_lvm(computer: Computer) -> None:
    sda = computer.disk("sda", "8:0")
    part = computer.part(sda, "sda2", "8:2")
    crypt, lvm = computer.disk("dm-0", "253:0", "virtual"), computer.disk("dm-1", "253:1", "virtual")
    computer.stands_on(crypt, part)
    computer.stands_on(lvm, crypt)
    computer.mounted("253:1", "/")
    assert computer.one("sda").use == "system"
    assert ("system", "/") in computer.one("sda").uses


def test_a_raid_of_two_disks_makes_both_the_systems(computer: Computer) -> None:
    md = computer.disk("md0", "9:0", "virtual")
    for name, number in (("sda", "8:0"), ("sdb", "8:16")):
        computer.stands_on(md, computer.part(computer.disk(name, number), f"{name}1", number + "1"))
    computer.mounted("9:0", "/boot/efi")
    assert {disk.name: disk.use for disk in computer.kernel.disks()} == {"sda": "system", "sdb": "system"}


def test_a_mounted_stick_is_mounted_and_an_idle_volume_group_holds_its_disk(computer: Computer) -> None:
    stick, spare = computer.disk("sdb", "8:16"), computer.disk("sdc", "8:32")
    computer.part(stick, "sdb1", "8:17")
    computer.mounted("8:17", "/media/li/MY\\040STICK")
    computer.stands_on(computer.disk("dm-3", "253:3", "virtual"), computer.part(spare, "sdc1", "8:33"))
    assert computer.one("sdb").uses == (("mounted", "/media/li/MY STICK"),)
    assert computer.one("sdc").uses == (("held", "dm-3"),)


def test_a_loop_device_makes_the_disk_of_its_file_part_of_the_chain(computer: Computer, tmp_path: Path) -> None:
    backing = tmp_path / "live.squashfs"
    backing.touch()
    number = backing.stat().st_dev
    computer.disk("sdb", f"{os.major(number)}:{os.minor(number)}")
    computer.disk("loop0", "7:0", "virtual", loop__backing_file=str(backing))
    computer.mounted("7:0", "/")
    assert computer.one("sdb").use == "system"


def test_swap_is_the_systems(computer: Computer, tmp_path: Path) -> None:
    swap = tmp_path / "swapfile"
    swap.touch()
    number = swap.stat().st_dev
    computer.disk("sdb", f"{os.major(number)}:{os.minor(number)}")
    (tmp_path / "proc/swaps").write_text(f"Filename Type Size Used Priority\n{swap} file 1 0 -2\n")
    assert computer.one("sdb").uses == (("system", "swap"),)


def test_a_chain_that_leads_back_to_itself_ends(computer: Computer) -> None:
    disk = computer.disk("sdb", "8:16")
    other = computer.disk("dm-0", "253:0", "virtual")
    computer.stands_on(disk, other)
    computer.stands_on(other, disk)
    computer.mounted("253:0", "/")
    assert computer.one("sdb").use == "system"


def test_a_computer_that_tells_nothing_has_no_disks(tmp_path: Path) -> None:
    assert Kernel(tmp_path, tmp_path, tmp_path).disks() == []


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    """A loop device with an ext4 on it."""
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(16 * 2**20)
    subprocess.run(("/sbin/mke2fs", "-q", "-F", image), check=True)
    made = subprocess.run(("losetup", "--find", "--show", image), check=True, capture_output=True, text=True)
    yield made.stdout.strip()
    subprocess.run(("losetup", "--detach", made.stdout.strip()), check=True)


@pytest.mark.skipif(bool(why_not()), reason=f"a mounted disk {why_not()}")
def test_a_real_loop_device_is_mounted_once_it_is(loop: str, tmp_path: Path) -> None:
    def use() -> str | None:
        return next(disk for disk in Kernel().disks() if str(disk.path) == loop).use

    assert use() is None
    place = tmp_path / "place"
    place.mkdir()
    subprocess.run(("mount", loop, place), check=True)
    try:
        assert use() == "mounted"
    finally:
        subprocess.run(("umount", place), check=True)
    assert Kernel().loops_of(tmp_path / "disk") == [Path(loop).name]
