"""What is allowed in a panel file but seldom meant: `fenghuo site check` says it, and no panel refuses it."""

import re
from collections.abc import Callable, Iterator

from firmware.config import check_cameras, check_modbus, warn_rules
from firmware.config.check_paths import is_sms
from firmware.config.check_supply import unjudged
from firmware.config.check_zones import zone_type
from firmware.config.checks import gb28181_ids, lines_used
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document
from rules.site import ZoneType
from rules.zones import KEYSWITCHES, SILENT

_SOUNDLESS = frozenset(
    {
        *SILENT,
        *KEYSWITCHES,
        ZoneType.WATER,
        ZoneType.TECHNICAL,
        ZoneType.CHECKPOINT,
        ZoneType.MONITOR,
    }
)
# Lines 0 and 1 of the 40-pin header read the ID of add-on boards; above 27 a header has none (compute modules do).
_HEADER = range(2, 28)
KEEPALIVE_S, PATH_FAULT_S = 12, 60
"""The defaults of the models."""
REPORTED_WITHIN_S = 90


def warnings(document: Document) -> Iterator[Finding]:
    """Every warning, for a file that has no mistakes."""
    for check in _CHECKS:
        yield from check(document)


def _sirens(document: Document) -> Iterator[Finding]:
    served = {a for o in document.rows("output") if o.text("kind") == "siren" for _, a in o.texts("areas")}
    for area in document.rows("area"):
        name = area.text("id")
        sounding = [
            z
            for z in document.rows("zone")
            if zone_type(z) not in _SOUNDLESS and name in [a for _, a in z.texts("areas")]
        ]
        if sounding and name not in served:
            yield Finding(
                area.loc,
                "",
                (f'an [[output]] with kind = "siren" and "{name}" in its areas', f"为区域 {name} 配置警号输出"),
                ("alarms of this area sound nowhere", "该区域报警时无警号鸣响"),
            )


def _areas(document: Document) -> Iterator[Finding]:
    used = {a for zone in document.rows("zone") for _, a in zone.texts("areas")}
    for area in document.rows("area"):
        if area.text("id") not in used:
            yield Finding(
                area.loc,
                "",
                ("at least one zone in it", "至少一个防区"),
                ("this area has no zones", "该区域没有防区"),
            )


def _entry(document: Document) -> Iterator[Finding]:
    undelayed = {a.text("id") for a in document.rows("area") if a.number("entry_delay_s") == 0}
    doors = [z for z in document.rows("zone") if z.text("type") == "entry-exit"]
    for zone in doors:
        own = zone.has("entry_delay_s") or zone.on("second_entry")
        if not own and any(a in undelayed for _, a in zone.texts("areas")):
            yield Finding(
                zone.at("type"),
                '"entry-exit", entry_delay_s = 0',
                ('entry_delay_s > 0 in its area, or type = "instant"', '其区域 entry_delay_s > 0，或 type = "instant"'),
                ("an entry-exit zone without entry delay alarms at once", "出入口防区无进入延时，将立即报警"),
            )
    entered = {a for zone in doors for _, a in zone.texts("areas")}
    for zone in document.rows("zone"):
        areas = [a for _, a in zone.texts("areas")]
        if zone.text("type") == "follower" and not entered.intersection(areas):
            yield Finding(
                zone.at("type"),
                '"follower"',
                ("an entry-exit zone in the same area", "同一区域内有出入口防区"),
                ("a follower without an entry-exit zone always alarms at once", "跟随防区无出入口防区，总是立即报警"),
            )


def _reporting(document: Document) -> Iterator[Finding]:
    if not document.rows("path"):
        yield Finding(
            ("path",),
            "",
            ("a [[path]] to the center", "通往接警中心的 [[path]]"),
            ("nothing is reported", "不上报任何事件"),
        )
    elif not document.table("center").texts("command_keys"):
        yield Finding(
            ("center", "command_keys"),
            "",
            ("the center's command keys", "接警中心的命令公钥"),
            ("the center can't send commands", "接警中心无法下发命令"),
        )


def _reporting_time(document: Document) -> Iterator[Finding]:
    """A lost path is noticed after two keep-alives and told after `path_fault_s` (EN 50136 DP4, digest §2: 90 s)."""
    patience = document.table("center").number("path_fault_s", PATH_FAULT_S) or 0
    paths = [path for path in document.rows("path") if path.text("kind", "mqtt") == "mqtt"]
    for path in paths if len(document.rows("path")) > 1 else ():
        after = 2 * (path.number("keepalive_s", KEEPALIVE_S) or 0) + patience
        if after > REPORTED_WITHIN_S:
            yield Finding(
                path.at("keepalive_s"),
                show(after),
                (
                    f"2 × keepalive_s + path_fault_s at most {REPORTED_WITHIN_S} s",
                    f"2 × keepalive_s + path_fault_s 不超过 {REPORTED_WITHIN_S} 秒",
                ),
                ("the loss of this path is reported later than EN 50136 DP4", "此路径中断的上报时间超过 EN 50136 DP4"),
            )


def _modem(document: Document) -> Iterator[Finding]:
    for path in document.rows("path"):
        port = path.text("port")
        if is_sms(path) and re.match("/dev/tty(USB|ACM)", port):
            yield Finding(
                path.at("port"),
                show(port),
                ("a name under /dev/serial/by-id", "/dev/serial/by-id 下的名称"),
                ("after the next start another device may have this name", "重启后此名称可能指向其他设备"),
            )


def _header(document: Document) -> Iterator[Finding]:
    if document.table("panel").text("pins", "board") != "board":
        return
    for loc, line in lines_used(document):
        if line not in _HEADER:
            yield Finding(
                loc,
                show(line),
                ("GPIO 2 to 27", "GPIO 2 至 27"),
                ("not free on the 40-pin header of a Raspberry Pi", "树莓派 40 针接口上不可用"),
            )


def _cameras(document: Document) -> Iterator[Finding]:
    used = {c for row in document.each("area", "zone") for _, c in row.texts("cameras")}
    for camera in document.rows("camera"):
        if camera.text("id") not in used:
            yield Finding(
                camera.loc,
                "",
                ("a zone or an area that names it in its cameras", "某防区或区域的 cameras 中列出它"),
                ("nothing asks this camera for pictures", "没有防区或区域使用该摄像机"),
            )


def _place(document: Document) -> Iterator[Finding]:
    home = document.table("panel").text("gb28181_id")[:10]
    for loc, value, _ in gb28181_ids(document):
        if home and not value.startswith(home):
            yield Finding(
                loc,
                show(value),
                (f"{home}…, as the panel's", f"{home}……,与主机一致"),
                ("center and industry differ from the panel's id", "中心与行业编码和主机不同"),
            )


_CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _sirens,
    _areas,
    _entry,
    _reporting,
    _reporting_time,
    _modem,
    _header,
    _cameras,
    check_cameras.seldom_meant,
    _place,
    unjudged,
    check_modbus.slow,
    *warn_rules.CHECKS,
)
