"""Two cores on one data folder: the second is refused, however the first one ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.core.lock import NAME, AlreadyRunning, DataLock

HOLD = """
import sys
from pathlib import Path
from firmware.core.lock import DataLock
lock = DataLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_refused_by_name_in_two_languages(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    with pytest.raises(AlreadyRunning) as refused:
        DataLock(tmp_path)
    english, chinese = refused.value.text
    assert str(tmp_path) in english
    assert f"process {os.getpid()}" in english
    assert f"进程 {os.getpid()}" in chinese
    first.release()


def test_it_is_free_when_released_and_twice_does_no_harm(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    first.release()
    second = DataLock(tmp_path)
    first.release()
    with pytest.raises(AlreadyRunning):
        DataLock(tmp_path)
    second.release()


def test_it_is_free_when_the_other_process_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=f"process {other.pid}"):
            DataLock(tmp_path)
        other.kill()
        other.wait(10)
    DataLock(tmp_path).release()


def test_what_an_earlier_core_left_means_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("99999999 garbage")
    lock = DataLock(tmp_path)
    assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_the_folder_is_made(tmp_path: Path) -> None:
    lock = DataLock(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / NAME).stat().st_mode & 0o777 == 0o600
    lock.release()


def test_a_refusal_keeps_no_file_open(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(AlreadyRunning):
            DataLock(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    first.release()
