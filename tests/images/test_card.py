"""A card is not zero where nothing is written: what the block map leaves out of the image must not be needed"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from images import disk
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
