"""A file that is written whole: on a full card, over what a cut left, with its rights, synced in the right order."""

import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.durable import write_whole

LIMIT = 1000


def test_on_a_full_card_the_old_one_is_still_there(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    write_whole(file, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(file, bytes(2 * LIMIT))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.read_bytes() == b"old"
    write_whole(file, b"new")
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"new", [file])


def test_what_a_cut_left_beside_it_is_overcome_and_no_link_is_followed(tmp_path: Path) -> None:
    mine, file = tmp_path / "mine", tmp_path / "kept"
    mine.write_bytes(b"mine")
    (tmp_path / "kept.part").symlink_to(mine)
    write_whole(file, b"new", 0o640)
    assert (file.read_bytes(), mine.read_bytes()) == (b"new", b"mine")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_bytes_are_synced_before_the_name_and_the_name_after(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from firmware import durable; durable.write_whole(pathlib.Path(sys.argv[1], 'f'), b'x')"
    )
    log = tmp_path / "calls"
    words = ["strace", "-y", "-o", str(log), "-e", "trace=fsync,rename,renameat,renameat2", sys.executable]
    subprocess.run([*words, "-c", code, str(tmp_path)], check=True, timeout=60)
    calls = [line.partition("(") for line in log.read_text().splitlines() if str(tmp_path) in line]
    assert [name for name, _, _ in calls] == ["fsync", "rename", "fsync"]
    assert f"{tmp_path}/f.part>" in calls[0][2]
    assert f"{tmp_path}>" in calls[2][2]
