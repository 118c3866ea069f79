"""Block maps: bmaptool's own are read, ours are read by bmaptool, and what can't be true is named"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.protocol.canonical import sha256_hex
from hil.small_release import SmallRelease, mapped
from provisioning.flash.blockmap import BLOCK, BadBlockMap, BlockMap, Range, read_block_map, written

BMAPTOOL = shutil.which("bmaptool")
H = "0" * 64
SOUND = BlockMap(8 * BLOCK, (Range(0, 1, "1" * 64), Range(3, 3, "2" * 64), Range(5, 7, "3" * 64)))


def summed(text: str) -> bytes:
    """With the file's own checksum made right."""
    zeroed = re.sub(r"(<BmapFileChecksum>\s*)[0-9a-f]{64}", rf"\g<1>{H}", text)
    return zeroed.replace(H, sha256_hex(zeroed.encode()), 1).encode()


def test_what_is_written_is_read() -> None:
    assert read_block_map(written(SOUND)) == SOUND
    assert SOUND.mapped == 6 * BLOCK


@pytest.mark.skipif(BMAPTOOL is None, reason="needs Debian's bmap-tools")
def test_bmaptool_writes_what_we_read_and_copies_by_what_we_write(release: SmallRelease, tmp_path: Path) -> None:
    assert BMAPTOOL
    theirs = tmp_path / "theirs.bmap"
    subprocess.run((BMAPTOOL, "-q", "create", "-o", theirs, release.image), check=True)
    found = read_block_map(theirs.read_bytes())
    assert found.image_size == release.image.stat().st_size
    data = release.image.read_bytes()
    for part in found.ranges:
        assert sha256_hex(data[part.first * BLOCK : (part.last + 1) * BLOCK]) == part.sha256
    copy = tmp_path / "copy"
    subprocess.run((BMAPTOOL, "-q", "copy", "--bmap", release.block_map, release.image, copy), check=True)
    assert copy.read_bytes() == data


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('version="2.0"', 'version="1.3"', "version"),
        ("> sha256 <", "> sha1 <", "ChecksumType"),
        ("<BlockSize> 4096", "<BlockSize> 512", "BlockSize"),
        ("<ImageSize> 32768", "<ImageSize> 32767", "ImageSize"),
        ("<ImageSize> 32768", "<ImageSize> -1", "whole number"),
        ("<BlocksCount> 8", "<BlocksCount> 9", "BlocksCount"),
        ("<MappedBlocksCount> 6", "<MappedBlocksCount> 5", "MappedBlocksCount"),
        (" 5-7 ", " 5-8 ", "between"),
        (" 5-7 ", " 3-7 ", "between"),
        (" 5-7 ", " 7-5 ", "between"),
        (" 5-7 ", " x ", "FIRST-LAST"),
        ("3" * 64, "3" * 63, "SHA-256"),
        ("    <BlockSize> 4096 </BlockSize>\n", "", "no BlockSize"),
        ("    <BlockMap>", "    <BlockSize> 4096 </BlockSize>\n    <BlockMap>", "twice"),
        ("</bmap>", "", "not XML"),
        ('<?xml version="1.0" ?>', '<?xml version="1.0" ?><!DOCTYPE b [<!ENTITY a "aa">]>', "document type"),
        ("> 3-3 <", "><a><b/></a> 3-3 <", "deeper"),
    ],
)
def test_what_can_not_be_true_is_named(old: str, new: str, why: str) -> None:
    text = written(SOUND).decode()
    assert old in text
    with pytest.raises(BadBlockMap, match=why):
        read_block_map(summed(text.replace(old, new, 1)))


def test_a_changed_byte_does_not_fit_the_files_own_checksum() -> None:
    with pytest.raises(BadBlockMap, match="does not fit"):
        read_block_map(written(SOUND).replace(b"1" * 64, b"1" * 63 + b"2"))


def test_too_much_is_not_parsed() -> None:
    with pytest.raises(BadBlockMap, match="at most"):
        read_block_map(b" " * (4 * 2**20 + 1))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=9), st.integers(0, 9))
def test_any_map_comes_back(steps: list[tuple[int, int]], tail: int) -> None:
    at, ranges = 0, []
    for skip, count in steps:
        ranges.append(Range(at + skip, at + skip + count - 1, f"{at:064x}"))
        at += skip + count
    found = BlockMap((at + tail + 1) * BLOCK, tuple(ranges))
    assert read_block_map(written(found)) == found


def test_the_map_of_the_small_release_leaves_holes_out(release: SmallRelease) -> None:
    found = mapped(release.image)
    assert len(found.ranges) > 2
    assert found.mapped < found.image_size * 2 / 3
