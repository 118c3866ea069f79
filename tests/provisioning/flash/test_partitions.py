"""Partition tables: what real tools wrote is read, and no bytes whatever break the parser"""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.fuzz.disks import gpt, row
from hil.small_release import BOOT_AT, BOOT_BYTES, SmallRelease
from provisioning.flash.partitions import BadTable, Partition, Read, boot_partition, is_fat, read_table

SIZE = 64 * 2**20


def reader(data: bytes) -> Read:
    return lambda offset, length: data[offset : offset + length]


def by_sfdisk(path: Path, script: str) -> bytes:
    with path.open("wb") as file:
        file.truncate(SIZE)
    sfdisk = ("/usr/sbin/sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", str(path))
    subprocess.run(sfdisk, input=script, text=True, check=True)
    return path.read_bytes()


def test_an_mbr_of_sfdisk_is_read(tmp_path: Path) -> None:
    script = "label: dos\nstart=2048, size=8192, type=c\nstart=10240, size=4096, type=83\n"
    found = read_table(reader(by_sfdisk(tmp_path / "disk", script)), SIZE)
    assert found == (
        Partition(1, 2048 * 512, 8192 * 512, "mbr:0x0c"),
        Partition(2, 10240 * 512, 4096 * 512, "mbr:0x83"),
    )
    assert [part.said for part in found] == ["FAT32", "Linux"]


def test_a_gpt_of_sfdisk_is_read_with_its_names(tmp_path: Path) -> None:
    script = "label: gpt\nstart=2048, size=8192, type=U, name=boot\nstart=10240, size=4096, name=数据\n"
    found = read_table(reader(by_sfdisk(tmp_path / "disk", script)), SIZE)
    assert [(part.number, part.start, part.size, part.name, part.said) for part in found] == [
        (1, 2048 * 512, 8192 * 512, "boot", "EFI"),
        (2, 10240 * 512, 4096 * 512, "数据", "Linux"),
    ]


@pytest.mark.parametrize("at", [512 + 40, 512 + 16, 1024 + 33, 1024 + 130])
def test_a_flipped_bit_in_a_gpt_is_found(tmp_path: Path, at: int) -> None:
    data = bytearray(by_sfdisk(tmp_path / "disk", "label: gpt\nsize=8192\nsize=4096\n"))
    data[at] ^= 1
    with pytest.raises(BadTable, match=r"checksum|entries"):
        read_table(reader(bytes(data)), SIZE)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gpt(count=2**31), "entries"),
        (gpt(width=0), "entries"),
        (gpt(at=2**60), "outside"),
        (gpt(rows=row(100, 99)), "before it begins"),
        (gpt(rows=row(100, 2**63)), "outside"),
        (gpt(rows=row(0, 99)), "outside"),
    ],
)
def test_members_that_can_not_be_true_are_refused_though_the_checksums_are_right(data: bytes, why: str) -> None:
    with pytest.raises(BadTable, match=why):
        read_table(reader(data), SIZE)


def test_the_boot_partition_is_the_one_with_a_fat(release: SmallRelease) -> None:
    read = reader(release.image.read_bytes())
    table = read_table(read, release.image.stat().st_size)
    assert boot_partition(table, read) == Partition(1, BOOT_AT, BOOT_BYTES, "mbr:0x0c")
    assert boot_partition(table[1:], read) is None


def test_a_disk_that_is_one_fat_file_system_has_no_table(release: SmallRelease) -> None:
    data = release.image.read_bytes()[BOOT_AT : BOOT_AT + BOOT_BYTES]
    assert is_fat(data[:512])
    assert read_table(reader(data), len(data)) == ()


@given(st.binary(max_size=2048), st.integers(0, 2**40))
def test_no_bytes_break_it(data: bytes, size: int) -> None:
    framed = data[:510].ljust(510, b"\0") + b"\x55\xaa" + data[510:]
    for each in (data, framed):
        try:
            table = read_table(reader(each), size)
        except BadTable:
            continue
        assert all(512 <= part.start <= part.start + part.size <= size for part in table)
        assert len(table) <= 128
