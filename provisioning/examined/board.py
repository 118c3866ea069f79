"""The board as the kernel's files tell of it, below any root: of this machine, of a mounted card, of a tree in a test.

Only files are read, and none of them is trusted: what is not there, too long or nonsense tells nothing (None).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.board_health import BoardHealth, number_of, text_of
from firmware import kernel_clock

_SECTOR = 512
_MAX_MOUNTS = 1024 * 1024
_LIFE_STEP = 10


@dataclass(frozen=True)
class Disk:
    """The medium below the data folder. `worn_percent`: of its life, as an eMMC tells (steps of 10; 110: beyond it).

    `pre_end`: eMMC's 1 normal, 2 warning, 3 urgent. `written_a_day`: bytes, at the pace since the start.
    """

    name: str
    kind: str
    model: str = ""
    made: str = ""
    bytes: int | None = None
    worn_percent: int | None = None
    pre_end: int | None = None
    written_a_day: int | None = None


@dataclass(frozen=True)
class Mount:
    """Where a path lies, and how that is mounted."""

    point: str
    device: str
    fs: str
    options: frozenset[str]

    @property
    def read_only(self) -> bool:
        return "ro" in self.options


@dataclass(frozen=True)
class Room:
    """What is free where the data lies, in bytes and inodes; `inodes` 0: the file system counts none."""

    bytes: int
    free: int
    inodes: int
    inodes_free: int


@dataclass(frozen=True)
class Board:
    """All of it. `*_since_start`: it was so at least once since power-up. `slot`, `root_hash`: of an image of ours."""

    celsius: float | None = None
    under_voltage: bool | None = None
    under_voltage_since_start: bool | None = None
    slowed: bool | None = None
    slowed_since_start: bool | None = None
    uptime_s: int | None = None
    synchronised: bool | None = None
    rtc: str | None = None
    root: Mount | None = None
    data: Mount | None = None
    room: Room | None = None
    disk: Disk | None = None
    slot: str = ""
    root_hash: str = ""
    model: str = ""


def read(root: Path, sys: Path, data: Path, room: Callable[[Path], Room | None] | None = None) -> Board:
    """What can be told. `sys`: the panel file's; below `root` where that is another one. Raises nothing."""
    here = root == Path("/")
    tree = sys if here else root / "sys"
    health = BoardHealth(tree)
    now, before = health.look(), health.since_start()
    uptime = _uptime(root)
    mounts = _mounts(root)
    on, top = _mount_of(data, mounts), _mount_of(Path("/"), mounts)
    return Board(
        celsius=now.celsius,
        under_voltage=now.under_voltage,
        under_voltage_since_start=before.under_voltage,
        slowed=now.slowed,
        slowed_since_start=before.slowed,
        uptime_s=uptime,
        synchronised=_synchronised(here, root),
        rtc=_rtc(tree),
        root=None if top is None else top[0],
        data=None if on is None else on[0],
        room=(room or room_of)(data),
        disk=None if on is None else _disk(tree, on[1], uptime),
        slot=text_of(root / "run/fenghuo-boot/slot") or "",
        root_hash=text_of(root / "run/fenghuo-boot/root-hash") or "",
        model=(text_of(root / "proc/device-tree/model") or "").rstrip("\0"),
    )


def room_of(path: Path) -> Room | None:
    """As `df` has it for who is not root."""
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return Room(
        found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, found.f_files, found.f_favail or found.f_ffree
    )


def _uptime(root: Path) -> int | None:
    try:
        return int(float((text_of(root / "proc/uptime") or "").split()[0]))
    except (ValueError, IndexError, OverflowError):
        return None


def _synchronised(here: bool, root: Path) -> bool | None:
    """As the kernel knows it; of another tree, as systemd-timesyncd notes it there."""
    if here:
        try:
            return kernel_clock.synchronised()
        except OSError:
            return None
    return True if (root / "run/systemd/timesync/synchronized").exists() else None


def _rtc(sys: Path) -> str | None:
    """The name of the clock module; empty: there is none. None: nothing is told of such."""
    folder = sys / "class/rtc"
    if not folder.is_dir():
        return None
    found = sorted(path for path in folder.iterdir() if path.name.startswith("rtc"))
    return (text_of(found[0] / "name") or found[0].name) if found else ""


def _mounts(root: Path) -> list[tuple[Mount, str]]:
    """Each mount with the number of its device, `major:minor`; of proc(5)'s mountinfo."""
    try:
        with (root / "proc/self/mountinfo").open("rb") as file:
            lines = file.read(_MAX_MOUNTS).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return mounts_in(lines)


def mounts_in(lines: list[str]) -> list[tuple[Mount, str]]:
    """The lines of a mountinfo that are sound."""
    found = []
    for line in lines:
        words = line.split(" ")
        if "-" not in words[6:] or len(words) < 10:
            continue
        tail = words[words.index("-", 6) + 1 :]
        if len(tail) >= 3:
            options = frozenset(words[5].split(",")) | frozenset(o for o in tail[2].split(",") if "=" in o or o == "ro")
            found.append((Mount(_unescaped(words[4]), _unescaped(tail[1]), tail[0], options), words[2]))
    return found


def _unescaped(word: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        word = word.replace(code, sign)
    return word


def _mount_of(path: Path, mounts: list[tuple[Mount, str]]) -> tuple[Mount, str] | None:
    """The mount that holds this path; of several on one point the last, which is on top."""
    best: tuple[Mount, str] | None = None
    for mount, device in mounts:
        if path.is_relative_to(mount.point) and (best is None or len(mount.point) >= len(best[0].point)):
            best = (mount, device)
    return best


def _disk(sys: Path, device: str, uptime_s: int | None) -> Disk | None:
    """The whole disk below a device number; of a partition its parent."""
    link = sys / "dev/block" / device
    if not link.exists():
        return None
    block = link.resolve()
    block = block.parent if (block / "partition").exists() else block
    card = block / "device"
    size = number_of(block / "size", 10)
    kind = {"MMC": "emmc", "SD": "sd"}.get(text_of(card / "type") or "", "nvme" if "nvme" in block.name else "other")
    return Disk(
        name=block.name,
        kind=kind,
        model=text_of(card / "name") or text_of(card / "model") or "",
        made=text_of(card / "date") or "",
        bytes=None if size is None or size < 0 else size * _SECTOR,
        worn_percent=_worn(text_of(card / "life_time")),
        pre_end=number_of(card / "pre_eol_info", 16) or None,
        written_a_day=_written_a_day(text_of(block / "stat"), uptime_s),
    )


def _worn(life_time: str | None) -> int | None:
    """JESD84-B51 DEVICE_LIFE_TIME_EST_TYP_A and _B: 1 is up to 10 %, … 0x0A up to 100 %, 0x0B beyond; 0 not defined."""
    try:
        steps = [int(word, 16) for word in (life_time or "").split()]
    except ValueError:
        return None
    known = [step for step in steps if 1 <= step <= 11]
    return max(known) * _LIFE_STEP if known else None


def _written_a_day(stat: str | None, uptime_s: int | None) -> int | None:
    """By the sectors written since the start; None in the first hour, which tells nothing of a day."""
    words = (stat or "").split()
    if uptime_s is None or uptime_s < 3600 or len(words) < 7 or not words[6].isdecimal():
        return None
    return int(words[6]) * _SECTOR * 86_400 // uptime_s
