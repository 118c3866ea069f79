"""The data partition before it is mounted: a real file system, whole, cut, and beyond repair."""

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.boot import data

pytestmark = pytest.mark.skipif(not shutil.which("mke2fs") and not Path("/sbin/mke2fs").exists(), reason="no e2fsprogs")
BLOCK = 4096


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
    path = tmp_path / "data.ext4"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), str(path), "16M"], check=True, timeout=30)
    return path


def damage(card: Path, command: str) -> None:
    subprocess.run(["debugfs", "-w", "-R", command, str(card)], check=True, capture_output=True, timeout=30)


def test_a_whole_one_is_left_as_it_is(card: Path) -> None:
    before = card.read_bytes()
    assert data.check(card)
    assert card.read_bytes() == before


def test_what_preening_can_not_mend_is_mended_without_asking(card: Path) -> None:
    damage(card, "clri <2>")  # the root folder is gone
    damage(card, "set_super_value state 0")
    assert data.check(card)
    done = subprocess.run(["e2fsck", "-fn", str(card)], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0


def test_what_is_no_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
    card = tmp_path / "noise"
    card.write_bytes(bytes(range(256)) * 4096)
    assert not data.check(card)


def test_a_card_that_can_not_be_grown_is_checked_all_the_same(card: Path, tmp_path: Path) -> None:
    assert data.prepare(tmp_path / "no disk", card) == 0


def test_no_whole_file_system_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
    card = tmp_path / "empty"
    card.write_bytes(b"\0" * 65536)
    assert data.prepare(tmp_path / "no disk", card) == 1
