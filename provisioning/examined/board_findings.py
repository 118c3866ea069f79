"""From what the board tells to findings: what is wrong, and what to do. Pure.

What only an image of ours has (a read-only root, mount options, a clock module) is asked of boards alone: on a desk
with simulated pins nobody needs it.
"""

from collections.abc import Iterator

from provisioning.diagnosis import Finding
from provisioning.examined.board import Board, Disk, Mount, Room
from provisioning.examined.remedies import OF_BOARD

WANTED_OPTIONS = ("noatime", "nosuid", "nodev", "noexec")
"""Of the data's mount, as the image's /etc/fstab has them."""
FULL_PERCENT, NEARLY_FULL_PERCENT = 98, 90
INODES_PERCENT = 95
WORN_PERCENT, GONE_PERCENT = 80, 100
PRE_END_WARNING, PRE_END_URGENT = 2, 3
"""JESD84-B51 PRE_EOL_INFO: 80 % and 90 % of the reserved blocks are used."""
REWRITES = 300
"""So often a plain SD card or eMMC of TLC cells is written whole before it wears out; [D], ours, on the safe side."""
YEARS = 5


def findings(board: Board, hot_c: int, real: bool) -> list[Finding]:
    """All there is to do. `hot_c`: the panel file's; `real`: it has real pins, and should be an image of ours."""
    found = [*_power(board, hot_c)]
    if board.disk is not None:
        found += _disk(board.disk)
    if board.data is not None and board.data.read_only:
        what = (f"{board.data.point} is mounted read-only", f"{board.data.point} 为只读挂载")
        found.append(Finding("disk/data", "fault", what, OF_BOARD["read-only"]))
    if board.room is not None:
        found += _room(board.room)
    return found + ([*_image(board)] if real else [])


def _power(board: Board, hot_c: int) -> Iterator[Finding]:
    if board.under_voltage:
        what = ("the board's 5 V are below 4.63 V now", "主板 5 V 电压现低于 4.63 V")
        yield Finding("board/under-voltage", "fault", what, OF_BOARD["under-voltage"])
    elif board.under_voltage_since_start:
        what = ("the board's 5 V were below 4.63 V since the start", "启动以来主板 5 V 电压曾低于 4.63 V")
        yield Finding("board/under-voltage", "warning", what, OF_BOARD["under-voltage"])
    if board.celsius is not None and board.celsius >= hot_c:
        what = (f"{board.celsius:.0f} °C, limit {hot_c} °C", f"{board.celsius:.0f} °C，上限 {hot_c} °C")
        yield Finding("board/hot", "fault", what, OF_BOARD["hot"])
    if board.slowed or board.slowed_since_start:
        now = bool(board.slowed)
        what = (
            ("the processor is slowed down", "处理器已降频")
            if now
            else ("the processor was slowed down since the start", "启动以来处理器曾降频")
        )
        yield Finding("board/slowed", "fault" if now else "warning", what, OF_BOARD["slowed"])


def _disk(disk: Disk) -> Iterator[Finding]:
    worn, pre_end = disk.worn_percent or 0, disk.pre_end or 0
    if worn >= WORN_PERCENT or pre_end >= PRE_END_WARNING:
        gone = worn > GONE_PERCENT or pre_end >= PRE_END_URGENT
        used = f"{worn} %" if worn else f"PRE_EOL {pre_end}"
        what = (f"{disk.name}: {used} of its life is used", f"{disk.name}：寿命已用 {used}")
        yield Finding("disk/worn", "fault" if gone else "warning", what, OF_BOARD["worn"])
    if disk.written_a_day is not None and disk.bytes and disk.kind in ("sd", "emmc"):
        budget = disk.bytes * REWRITES // (YEARS * 365)
        if disk.written_a_day > budget:
            per_day, most = _mib(disk.written_a_day), _mib(budget)
            what = (
                f"{disk.name}: {per_day} MiB written a day, {most} would let it last {YEARS} years",
                f"{disk.name}：每天写入 {per_day} MiB，要用满 {YEARS} 年应不超过 {most}",
            )
            yield Finding("disk/writes", "warning", what, OF_BOARD["writes"])


def _room(room: Room) -> Iterator[Finding]:
    used = 100 - 100 * room.free // room.bytes if room.bytes else 0
    if used >= NEARLY_FULL_PERCENT:
        what = (f"{used} % full, {_mib(room.free)} MiB free", f"已用 {used} %，剩余 {_mib(room.free)} MiB")
        yield Finding("disk/full", "fault" if used >= FULL_PERCENT else "warning", what, OF_BOARD["full"])
    inodes = 100 - 100 * room.inodes_free // room.inodes if room.inodes else 0
    if inodes >= INODES_PERCENT:
        what = (f"{inodes} % of the inodes are used", f"inode 已用 {inodes} %")
        yield Finding("disk/inodes", "fault" if inodes >= FULL_PERCENT else "warning", what, OF_BOARD["inodes"])


def _image(board: Board) -> Iterator[Finding]:
    if board.root is not None and not board.root.read_only:
        what = ("the root file system can be written", "根文件系统可写")
        yield Finding("disk/root", "warning", what, OF_BOARD["root"])
    if board.data is not None and (less := _missing(board.data)):
        what = (f"{board.data.point} is mounted without {less}", f"{board.data.point} 挂载缺少 {less}")
        yield Finding("disk/options", "warning", what, OF_BOARD["options"])
    if board.rtc == "":
        what = ("there is no clock module", "没有时钟模块")
        yield Finding("clock/rtc", "warning", what, OF_BOARD["rtc"])
    if board.synchronised is False:
        what = ("no time server keeps the clock", "没有时间服务器校时")
        yield Finding("clock/server", "warning", what, OF_BOARD["clock"])


def _missing(mount: Mount) -> str:
    return ",".join(option for option in WANTED_OPTIONS if option not in mount.options)


def _mib(size: int) -> int:
    return size // 2**20
