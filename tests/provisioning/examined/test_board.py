"""The board as its kernel tells: from files to findings, each ill once; and from any files at all, without a crash."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.examined.board import Board, Room, mounts_in, read, room_of
from provisioning.examined.board_findings import findings
from provisioning.examined.remedies import OF_BOARD
from tests.provisioning.examined.tree import Tree

GIB = 2**30
ROOM = Room(bytes=20 * GIB, free=15 * GIB, inodes=1_000_000, inodes_free=900_000)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "root", tmp_path / "da ta")


def seen(tree: Tree, tmp: Path, room: Room | None = ROOM) -> Board:
    return read(tree.root, Path("/sys"), tmp / "da ta/fenghuo/data", lambda _path: room)


def test_a_well_board_is_told_whole_and_has_nothing_to_do(tree: Tree, tmp_path: Path) -> None:
    board = seen(tree, tmp_path)
    assert findings(board, 80, real=True) == []
    assert board.disk is not None
    assert board.data is not None
    assert (board.disk.name, board.disk.kind, board.disk.model) == ("mmcblk0", "emmc", "DG4032")
    assert (board.disk.bytes, board.disk.worn_percent, board.disk.made) == (60_000_000 * 512, 20, "03/2026")
    assert board.disk.written_a_day == 2_000_000 * 512 * 86_400 // 86_400
    assert (board.data.point, board.data.fs) == (str(tmp_path / "da ta"), "ext4")
    assert (board.celsius, board.rtc, board.slot) == (45.23, "rtc-ds1307 1-0068", "A")
    assert board.model == "Raspberry Pi 4 Model B Rev 1.4"


ILL: list[tuple[str, str, str, str]] = [
    ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1", "board/under-voltage", "fault"),
    ("sys/devices/platform/soc/soc:firmware/get_throttled", "10000", "board/under-voltage", "warning"),
    ("sys/devices/platform/soc/soc:firmware/get_throttled", "40000", "board/slowed", "warning"),
    ("sys/devices/platform/soc/soc:firmware/get_throttled", "4", "board/slowed", "fault"),
    ("sys/class/thermal/thermal_zone0/temp", "80000", "board/hot", "fault"),
    ("BLOCK/device/life_time", "0x09 0x01", "disk/worn", "warning"),
    ("BLOCK/device/life_time", "0x01 0x0b", "disk/worn", "fault"),
    ("BLOCK/device/pre_eol_info", "0x02", "disk/worn", "warning"),
    ("BLOCK/device/pre_eol_info", "0x03", "disk/worn", "fault"),
    ("BLOCK/stat", " 1 0 8 0 2 0 20000000 0 0 0 0", "disk/writes", "warning"),
]


@pytest.mark.parametrize(("file", "text", "about", "weight"), ILL)
def test_each_illness_is_found_once(file: str, text: str, about: str, weight: str, tree: Tree, tmp_path: Path) -> None:
    tree.write(file.replace("BLOCK", tree.block), text)
    assert [(f.about, f.weight) for f in findings(seen(tree, tmp_path), 80, real=True)] == [(about, weight)]


@pytest.mark.parametrize(
    ("mounted", "about"),
    [
        ({"root": "rw,relatime"}, ["disk/root"]),
        ({"options": "rw,nosuid,nodev,relatime"}, ["disk/options"]),
        ({"options": "ro,nosuid,nodev,noexec,noatime"}, ["disk/data"]),
        ({"above": "ro,errors=remount-ro"}, ["disk/data"]),
    ],
)
def test_how_it_is_mounted(mounted: dict[str, str], about: list[str], tree: Tree, tmp_path: Path) -> None:
    tree.mounted(**mounted)
    found = findings(seen(tree, tmp_path), 80, real=True)
    assert [f.about for f in found] == about
    if about == ["disk/options"]:
        assert "without noatime,noexec" in found[0].what[0]


def test_no_clock_module_no_time_server_and_what_a_desk_needs_not(tree: Tree, tmp_path: Path) -> None:
    tree.remove("sys/class/rtc/rtc0/name")
    (tree.root / "sys/class/rtc/rtc0").rmdir()
    tree.mounted(root="rw")
    board = replace(seen(tree, tmp_path), synchronised=False)
    assert [f.about for f in findings(board, 80, real=True)] == ["disk/root", "clock/rtc", "clock/server"]
    assert findings(board, 80, real=False) == []


@pytest.mark.parametrize(
    ("room", "about", "weight"),
    [
        (replace(ROOM, free=GIB), "disk/full", "warning"),
        (replace(ROOM, free=GIB // 4), "disk/full", "fault"),
        (replace(ROOM, inodes_free=40_000), "disk/inodes", "warning"),
        (replace(ROOM, inodes_free=0), "disk/inodes", "fault"),
    ],
)
def test_room(room: Room, about: str, weight: str, tree: Tree, tmp_path: Path) -> None:
    found = findings(seen(tree, tmp_path, room), 80, real=True)
    assert [(f.about, f.weight) for f in found] == [(about, weight)]


def test_a_file_system_without_inodes_and_a_folder_that_is_not_there(tree: Tree, tmp_path: Path) -> None:
    assert findings(seen(tree, tmp_path, replace(ROOM, inodes=0, inodes_free=0)), 80, real=True) == []
    assert room_of(tmp_path / "nothing") is None
    assert (room_of(tmp_path) or ROOM).bytes > 0


def test_a_tree_without_anything_tells_nothing(tmp_path: Path) -> None:
    board = read(tmp_path, Path("/sys"), tmp_path, lambda _path: None)
    assert board == Board()
    assert findings(board, 80, real=True) == []


def test_this_very_machine_can_be_looked_at() -> None:
    board = read(Path("/"), Path("/sys"), Path("/tmp"))
    assert board.root is not None
    assert board.room is not None
    assert board.uptime_s is not None


def test_in_the_first_hour_nothing_is_told_of_a_day(tree: Tree, tmp_path: Path) -> None:
    tree.write("proc/uptime", "3599.0 1.0")
    board = seen(tree, tmp_path)
    assert board.disk is not None
    assert board.disk.written_a_day is None


WORDS = ["size", "stat", "device/type", "device/life_time", "device/pre_eol_info"]


@given(texts=st.lists(st.binary(max_size=60), min_size=8, max_size=8))
def test_whatever_stands_in_the_files_nothing_is_raised(
    texts: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    tree = Tree(tmp_path / "root", tmp_path / "da ta")
    files = [*(f"{tree.block}/{word}" for word in WORDS), "proc/uptime", "run/fenghuo-boot/slot"]
    for file, text in zip([*files, "sys/class/thermal/thermal_zone0/temp"], texts, strict=True):
        (tree.root / file).write_bytes(text)
    for finding in findings(seen(tree, tmp_path), 80, real=True):
        assert finding.do in OF_BOARD.values()


@given(st.text(max_size=300))
def test_any_mountinfo(text: str) -> None:
    assert len(mounts_in(text.splitlines())) <= len(text.splitlines())
