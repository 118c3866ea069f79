"""The evidence store on a real file system: whole files, once, with their hashes, and room left for the journal."""

import errno
import hashlib
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.camera.store import Store
from firmware.protocol.messages import Picture


def test_a_picture_lands_whole_with_its_hash_and_rights(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        folder = Store(tmp_path / "evidence").begin("2026-03-14", 7, "lobby")
        saved = folder.save("0000.jpg", b"picture")
        folder.settle()
    finally:
        os.umask(old)
    path = tmp_path / "evidence" / "2026-03-14" / "000007-lobby" / "0000.jpg"
    assert saved.file == "2026-03-14/000007-lobby/0000.jpg"
    assert path.read_bytes() == b"picture"
    assert (saved.sha256, saved.bytes) == (hashlib.sha256(b"picture").hexdigest(), 7)
    assert path.stat().st_mode & 0o777 == 0o640
    for parent in (path.parent, path.parent.parent, tmp_path / "evidence"):
        assert parent.stat().st_mode & 0o777 == 0o750
    assert [p.name for p in path.parent.iterdir()] == ["0000.jpg"]


def test_nothing_is_ever_replaced(tmp_path: Path) -> None:
    folder = Store(tmp_path).begin("2026-03-14", 7, "lobby")
    folder.save("0000.jpg", b"first")
    with pytest.raises(FileExistsError):
        folder.save("0000.jpg", b"second")
    assert (tmp_path / "2026-03-14/000007-lobby/0000.jpg").read_bytes() == b"first"
    assert len(list((tmp_path / "2026-03-14/000007-lobby").iterdir())) == 1


def test_each_capture_has_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [Store(tmp_path).begin("2026-03-14", 7, "lobby").save("0.jpg", b"x").file for _ in range(3)]
    assert names == [f"2026-03-14/000007-lobby{end}/0.jpg" for end in ("", "_2", "_3")]


def test_the_journal_keeps_its_part_of_the_medium(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    folder = Store(tmp_path, reserve=free + 2**30).begin("2026-03-14", 1, "lobby")
    with pytest.raises(OSError, match="are the journal's") as caught:
        folder.save("0000.jpg", b"x")
    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "2026-03-14/000001-lobby").iterdir()) == []


def test_a_manifest_may_take_half_of_what_is_the_journals(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    folder = Store(tmp_path, reserve=free * 3 // 2).begin("2026-03-14", 1, "lobby")
    with pytest.raises(OSError, match="are the journal's"):
        folder.save("0000.jpg", b"x")
    assert folder.save("manifest.json", b"{}", last=True).bytes == 2


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = Store(tmp_path).begin("2026-03-14", 1, "lobby")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            folder.save("0000.jpg", bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "2026-03-14/000001-lobby").iterdir()) == []
    assert folder.save("0000.jpg", b"x").bytes == 1


@pytest.mark.parametrize("day", ["", "2026-3-14", "../etc", "2026-03-14/..", "2026-03-14\n"])
def test_a_day_that_is_none_makes_no_folder(tmp_path: Path, day: str) -> None:
    with pytest.raises(OSError, match="expected YYYY-MM-DD"):
        Store(tmp_path / "evidence").begin(day, 1, "lobby")
    assert not (tmp_path / "evidence").exists()


@settings(max_examples=40, deadline=None)
@given(
    incident=st.integers(1, 2**53 - 1),
    camera=st.from_regex(r"[a-z0-9][a-z0-9-]{0,47}", fullmatch=True),
    data=st.binary(min_size=1, max_size=100),
)
def test_every_name_is_one_that_core_takes(
    tmp_path_factory: pytest.TempPathFactory, incident: int, camera: str, data: bytes
) -> None:
    saved = Store(tmp_path_factory.mktemp("store")).begin("2026-03-14", incident, camera).save("thumbnail-1.jpg", data)
    picture = Picture(file=saved.file, sha256=saved.sha256, bytes=saved.bytes, offset_ms=0, width=1, height=1, boxes=[])
    assert f"{incident:06d}-{camera}" in picture.file
