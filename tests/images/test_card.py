"""A card is not zero where nothing is written: what the block map leaves out of the image must not be needed"""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from images import disk, settings
from images.packages import Package
from provisioning.flash.blockmap import BLOCK, read_block_map

MIB = disk.MIB
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
MKFS, FSCK_FAT, E2FSCK, BMAPTOOL = (shutil.which(t, path=SBIN) for t in ("mkfs.vfat", "fsck.fat", "e2fsck", "bmaptool"))

pytestmark = pytest.mark.skipif(
    not all((MKFS, FSCK_FAT, E2FSCK, BMAPTOOL)), reason="needs dosfstools, e2fsprogs, bmap-tools"
)


def on_a_used_card(folder: Path, part: Path, meant: int) -> Path:
    """The partition as it stands on a card that was full of something else."""
    image, chart, card = folder / "image", folder / "chart", folder / "card"
    with image.open("wb") as stream:
        disk._put(stream, 0, part, meant)
        stream.truncate(part.stat().st_size)
    subprocess.run((str(BMAPTOOL), "-q", "create", "-o", chart, image), check=True)
    data = image.read_bytes()
    with card.open("wb") as file:
        file.write(b"\xa5" * len(data))
        for found in read_block_map(chart.read_bytes()).ranges:
            file.seek(found.first * BLOCK)
            file.write(data[found.first * BLOCK : (found.last + 1) * BLOCK])
    return card


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    """A FAT32 with a file that is zeros in its middle, as programs are."""
    part, program = tmp_path / "boot.fat", tmp_path / "program.bin"
    with part.open("wb") as file:
        file.truncate(64 * MIB)
    subprocess.run((str(MKFS), "-F", "32", "--invariant", part), check=True, capture_output=True)
    program.write_bytes(b"begin" + bytes(300_000) + b"end")
    told = {**os.environ, "MTOOLSRC": "/dev/null"}
    subprocess.run(("mcopy", "-i", part, program, "::"), check=True, env=told)
    return part


def test_the_boot_partition_is_whole_and_its_free_end_is_left_out(boot: Path, tmp_path: Path) -> None:
    used = disk.in_use(boot)
    assert used < 8 * MIB
    card = on_a_used_card(tmp_path, boot, used)
    subprocess.run((str(FSCK_FAT), "-n", card), check=True, capture_output=True)
    told = {**os.environ, "MTOOLSRC": "/dev/null"}
    found = subprocess.run(("mtype", "-i", card, "::program.bin"), check=True, capture_output=True, env=told).stdout
    assert found == (tmp_path / "program.bin").read_bytes()
    assert card.read_bytes()[-BLOCK:] == b"\xa5" * BLOCK


def test_with_holes_for_all_zeros_it_would_not_be(boot: Path, tmp_path: Path) -> None:
    """The control."""
    card = on_a_used_card(tmp_path, boot, 0)
    told = {**os.environ, "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"}
    found = subprocess.run(("mtype", "-i", card, "::program.bin"), capture_output=True, env=told).stdout
    assert found != (tmp_path / "program.bin").read_bytes()


def test_the_data_partition_has_no_errors(tmp_path: Path) -> None:
    part, work = tmp_path / "data.ext4", tmp_path / "work"
    work.mkdir()
    disk._data(part, work, 16, 1_700_000_000)
    card = on_a_used_card(tmp_path, part, part.stat().st_size)
    subprocess.run((str(E2FSCK), "-fn", card), check=True, capture_output=True)


# --- what follows from the kernel


VENDOR_TREES = ("bcm2710-rpi-3-b.dtb", "bcm2711-rpi-4-b.dtb", "bcm2708-rpi-b.dtb")
OVERLAYS = ("imx708.dtbo", "overlay_map.dtb")


def boot_of(kernel: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a boot partition with this kernel, made of a firmware and device trees that are only names."""

    def unpack(_: object, root: Path) -> None:
        for name in (*(f"usr/lib/raspi-firmware/{name}" for name in disk.FIRMWARE), disk.UBOOT):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)

    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    monkeypatch.setenv("MTOOLSRC", "/dev/null")
    monkeypatch.setattr(disk, "unpack", unpack)
    rootfs = folder / "rootfs"
    for name in (*VENDOR_TREES, *(f"overlays/{name}" for name in OVERLAYS)):
        (rootfs / "trees" / name).parent.mkdir(parents=True, exist_ok=True)
        (rootfs / "trees" / name).write_text(name)
    chosen = replace(settings.read(kernel=kernel), boot_mib=64)
    firmware = [Package("raspi-firmware", "1", "arm64", "", folder)]
    disk._boot(folder / "boot.fat", rootfs, firmware, chosen, folder / "work", 1_700_000_000)
    (folder / "out").mkdir()
    subprocess.run(("mcopy", "-s", "-i", folder / "boot.fat", "::", folder / "out"), check=True)
    found = (path for path in (folder / "out").rglob("*") if path.is_file())
    return {str(path.relative_to(folder / "out")): path.read_bytes() for path in found}


needs_mkimage = pytest.mark.skipif(not shutil.which("mkimage"), reason="needs mkimage (u-boot-tools)")


@needs_mkimage
def test_a_vendors_kernel_has_its_overlays_and_the_firmware_looks_for_sensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = boot_of(f"folder:{tmp_path}", tmp_path, monkeypatch)
    assert {name for name in found if name.startswith("overlays/")} == {f"overlays/{name}" for name in OVERLAYS}
    assert found["overlays/imx708.dtbo"] == b"overlays/imx708.dtbo"
    assert {name for name in found if name.endswith("-b.dtb")} == {"bcm2710-rpi-3-b.dtb", "bcm2711-rpi-4-b.dtb"}
    lines = found["kernel.txt"].decode().splitlines()
    assert "camera_auto_detect=1" in lines
    assert not [line for line in lines if line.startswith(("gpu_mem", "upstream_kernel", "["))]


@needs_mkimage
def test_debians_kernel_has_its_own_overlay_and_the_firmware_that_little_memory_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = boot_of("linux-image-arm64/x", tmp_path, monkeypatch)
    assert [name for name in found if name.startswith("overlays/")] == ["overlays/pi4-spidev.dtbo"]
    lines = found["kernel.txt"].decode().splitlines()
    assert {"upstream_kernel=1", "gpu_mem=16"} < set(lines)
    assert {"start_cd.elf", "fixup_cd.dat", "start4cd.elf", "fixup4cd.dat"} < set(found)


def test_what_config_txt_includes_ends_for_all_boards() -> None:
    """A filter ([pi4]) that stays open in an included file would hold for what comes after it."""
    lines = (settings.HERE / "config.txt").read_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("include ")] == ["kernel.txt", "gpio.txt"]
    for name in ("kernel-debian.txt", "kernel-vendor.txt"):
        filters = [line for line in (settings.HERE / name).read_text().splitlines() if line.startswith("[")]
        assert filters[-1:] in ([], ["[all]"])


def test_a_pis_own_device_tree_is_handed_on_with_its_overlays() -> None:
    """`fdt_addr` is where U-Boot has noted the firmware's tree; its own (`fdtcontroladdr`) knows no overlay."""
    script = (settings.HERE / "boot.txt").read_text()
    branch = script[script.index('if test "${board}" = "rpi"') :]
    assert branch.index("setenv fh_fdt ${fdt_addr}") < branch.index("else") < branch.index("${fdtcontroladdr}")
    assert re.search(r"^ *booti \$\{fh_addr\} \S+ \$\{fh_fdt\}$", script, re.MULTILINE)
