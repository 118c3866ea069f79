"""The log of a disk, and what a power cut makes of it: what was flushed is there, of the rest any part may be."""

import struct
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.write_log import FLUSH, MAGIC, MARK, SECTOR, BadLog, Replay, WriteLog, Writer

SIZE = 16 * SECTOR


def sector(number: int) -> bytes:
    return bytes([number]) * SECTOR


def written(path: Path, *steps: int | None) -> WriteLog:
    """Each number is written into the sector of that number, None is a flush."""
    writer = Writer(path)
    for step in steps:
        if step is None:
            writer.flush()
        else:
            writer.write(step * SECTOR, sector(step))
    writer.close()
    return WriteLog(path)


def held(image: bytes | bytearray) -> set[int]:
    return {n for n in range(1, 16) if image[n * SECTOR : (n + 1) * SECTOR] == sector(n)}


def test_what_was_flushed_is_there_and_of_the_rest_any_part(tmp_path: Path) -> None:
    log = written(tmp_path / "log", 1, 2, None, 3, 4, 5, None, 6)
    seen: set[frozenset[int]] = set()
    for seed in range(200):
        image, staked = Replay(log, bytes(SIZE)).cut(6, Random(seed))
        assert staked == 3
        assert {1, 2} <= held(image) <= {1, 2, 3, 4, 5}
        seen.add(frozenset(held(image)))
    assert frozenset({1, 2, 4}) in seen, "a later write without an earlier one"
    assert frozenset({1, 2}) in seen
    assert frozenset({1, 2, 3, 4, 5}) in seen
    image, staked = Replay(log, bytes(SIZE)).cut(7, Random(1))
    assert (held(image), staked) == ({1, 2, 3, 4, 5}, 0)


def test_a_torn_write_is_there_in_part(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write(0, b"x" * 8 * SECTOR)
    writer.close()
    log = WriteLog(tmp_path / "log")
    parts = {bytes(Replay(log, bytes(SIZE)).cut(1, Random(seed))[0][: 8 * SECTOR]).count(b"x") for seed in range(200)}
    assert {0, 8 * SECTOR} < parts
    assert all(part % SECTOR == 0 for part in parts)


def test_forgotten_flushes_put_more_at_stake(tmp_path: Path) -> None:
    log = written(tmp_path / "log", 1, None, 2, None, 3, None, 4, None)
    assert [Replay(log, bytes(SIZE)).cut(8, Random(1), forget)[1] for forget in range(5)] == [0, 1, 2, 3, 4]


def test_cuts_go_forward_only(tmp_path: Path) -> None:
    log = written(tmp_path / "log", 1, None, 2, None)
    replay = Replay(log, bytes(SIZE))
    replay.cut(4, Random(1))
    with pytest.raises(ValueError, match="cut behind"):
        replay.cut(1, Random(1))


def test_a_log_that_was_cut_off_ends_with_its_last_whole_entry(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written(path, 1, None, 2)
    path.write_bytes(path.read_bytes()[:-1])
    log = WriteLog(path)
    assert [entry.flags for entry in log.entries] == [0, FLUSH]
    assert log.until(log.entries[0].end) == 1


def test_marks_of_other_writers_of_this_format_have_no_data(tmp_path: Path) -> None:
    path = tmp_path / "log"
    head = struct.pack("<QQQI", MAGIC, 1, 2, SECTOR).ljust(SECTOR, b"\0")
    mark = struct.pack("<QQQQ", 0, 5, MARK, 0).ljust(SECTOR, b"\0")
    write = struct.pack("<QQQQ", 2, 1, 0, 0).ljust(SECTOR, b"\0") + sector(2)
    path.write_bytes(head + mark + write)
    assert [entry.length for entry in WriteLog(path).entries] == [0, SECTOR]


@given(st.binary(max_size=2000))
def test_other_files_are_refused_and_nothing_else_happens(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    path.write_bytes(data)
    with pytest.raises(BadLog):
        WriteLog(path)


def test_only_whole_sectors_are_logged(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    with pytest.raises(ValueError, match="whole sectors"):
        writer.write(1, sector(1))
    writer.close()
