"""The event vocabulary: every kind of record, in one table.

Contact ID and SIA codes and GB/T 28181 priorities come from the digest §4.4 (`contact-id-sia.csv`);
the first digit of `cid` is the qualifier (1 new or opening, 3 restore or closing), 0 means that the
kind has no code and travels by MQTT only. A *silent* kind shows on no keypad, page, lamp, retained topic or
local broker. A *checkpoint* kind is followed by a signed checkpoint of the journal. A *noted* kind is
not decided by the rules, but handed in by another part of the panel and recorded as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Lane(StrEnum):
    """The delivery lanes, highest first."""

    ALARM = "alarm"
    STATUS = "status"
    EVIDENCE = "evidence"
    TELEMETRY = "telemetry"


CHAINED_LANES: tuple[Lane, ...] = (Lane.ALARM, Lane.STATUS, Lane.EVIDENCE)


@dataclass(frozen=True)
class Kind:
    """One row of the vocabulary. `priority` is AlarmPriority of GB/T 28181 A.2.5.3, 1 highest to 4."""

    name: str
    lane: Lane
    cid: int
    sia: str
    priority: int
    en: str
    zh: str
    silent: bool = False
    checkpoint: bool = False
    noted: bool = False


@dataclass(frozen=True)
class Trouble:
    """One trouble of the panel itself; begins as `trouble.NAME`, ends as `trouble.NAME-ended`.

    `blocks_arming`: digest §1.3, the rows that must block at grade 3.
    """

    name: str
    cid: int
    sia: str
    sia_restore: str
    en: str
    zh: str
    blocks_arming: bool = True


TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {
        t.name: t
        for t in (
            Trouble("mains", 301, "AT", "AR", "mains lost", "市电断电"),
            Trouble("battery", 302, "YT", "YR", "battery low", "蓄电池电压低"),
            Trouble("storage", 300, "YX", "YZ", "storage trouble", "存储故障"),
            Trouble("clock", 626, "JT", "JT", "clock not synchronised", "时钟未同步", blocks_arming=False),
            Trouble("driver", 330, "ET", "ER", "driver failed", "驱动故障"),
            Trouble("camera", 330, "ET", "ER", "camera failed", "摄像机故障", blocks_arming=False),
            Trouble("path", 351, "LT", "LR", "transmission path failed", "传输路径故障", blocks_arming=False),
            Trouble("rules", 303, "YF", "YZ", "internal error", "内部错误", blocks_arming=False),
        )
    }
)

_A, _S, _E, _T = Lane.ALARM, Lane.STATUS, Lane.EVIDENCE, Lane.TELEMETRY

_ROWS: tuple[Kind, ...] = (
    # alarms
    Kind("alarm.intruder", _A, 1130, "BA", 2, "intruder alarm", "入侵报警"),
    Kind("alarm.entry", _A, 1134, "BA", 2, "entry/exit zone alarm", "出入口防区报警"),
    Kind("alarm.24-hour", _A, 1133, "BA", 1, "24-hour zone alarm", "24小时防区报警"),
    Kind("alarm.hold-up", _A, 1122, "HA", 1, "hold-up alarm", "紧急报警", silent=True),
    Kind("alarm.duress", _A, 1121, "HA", 1, "duress code used", "胁迫报警", silent=True),
    Kind("alarm.tamper", _A, 1137, "TA", 2, "tamper alarm", "防拆报警"),
    Kind("alarm.sensor-tamper", _A, 1144, "TA", 2, "detector line cut or shorted", "探测器线路断路或短路"),
    # restores of alarms
    Kind("restore.intruder", _S, 3130, "BH", 2, "intruder zone restored", "入侵防区恢复"),
    Kind("restore.24-hour", _S, 3133, "BH", 2, "24-hour zone restored", "24小时防区恢复"),
    Kind("restore.hold-up", _S, 3122, "HH", 1, "hold-up device restored", "紧急按钮复位", silent=True),
    Kind("restore.tamper", _S, 3137, "TR", 2, "tamper restored", "防拆恢复"),
    Kind("restore.sensor-tamper", _S, 3144, "TR", 2, "detector line restored", "探测器线路恢复"),
    # the life of an area
    Kind("area.exit-started", _S, 0, "", 4, "exit delay started", "外出延时开始"),
    Kind("area.armed", _S, 3401, "CL", 4, "armed", "布防", checkpoint=True),
    Kind("area.armed-remotely", _S, 3407, "CQ", 4, "armed remotely", "远程布防", checkpoint=True),
    Kind("area.armed-by-key", _S, 3409, "CS", 4, "armed by keyswitch", "钥匙布防", checkpoint=True),
    Kind("area.arming-refused", _S, 0, "", 4, "arming refused", "布防被拒绝"),
    Kind("area.entry-started", _S, 0, "", 4, "entry delay started", "进入延时开始"),
    Kind("area.entry-route", _S, 0, "", 4, "entry route walked", "进入路线触发"),
    Kind("area.entry-cancelled", _S, 0, "", 4, "entry delay cancelled", "进入延时取消"),
    Kind("area.alarm-ended", _S, 0, "", 4, "silenced alarm ended", "已静音警情结束"),
    Kind("area.alarm-reset", _S, 0, "", 4, "alarm indication reset", "报警指示复位"),
    Kind("area.disarmed", _S, 1401, "OP", 4, "disarmed", "撤防", checkpoint=True),
    Kind("area.disarmed-remotely", _S, 1407, "OQ", 4, "disarmed remotely", "远程撤防", checkpoint=True),
    Kind("area.disarmed-by-key", _S, 1409, "OS", 4, "disarmed by keyswitch", "钥匙撤防", checkpoint=True),
    Kind("siren.silenced", _S, 0, "", 4, "siren silenced", "警号已静音"),
    Kind("siren.stopped", _S, 0, "", 4, "siren stopped at its time limit", "警号到时停止"),
    # zones
    Kind("zone.bypassed", _S, 1570, "BB", 4, "zone bypassed", "防区旁路"),
    Kind("zone.unbypassed", _S, 3570, "BU", 4, "zone bypass removed", "防区旁路解除"),
    Kind("zone.fault", _S, 1380, "BT", 3, "zone fault", "防区故障"),
    Kind("zone.fault-ended", _S, 3380, "BJ", 3, "zone fault ended", "防区故障恢复"),
    # people and the panel
    Kind("code.locked-out", _S, 1461, "JA", 3, "too many wrong codes", "密码错误次数超限"),
    Kind("code.lock-out-ended", _S, 0, "", 4, "lock-out ended", "密码锁定解除"),
    Kind("user.set", _S, 1306, "JV", 4, "user added or changed", "用户增加或变更", checkpoint=True),
    Kind("user.removed", _S, 1306, "JX", 4, "user removed", "用户删除", checkpoint=True),
    Kind("config.installed", _S, 1306, "YG", 4, "panel file changed", "配置文件变更", checkpoint=True),
    Kind("panel.started", _S, 1305, "YW", 4, "panel started", "主机启动", checkpoint=True),
    Kind("panel.stopped", _S, 1308, "YX", 2, "panel stopped", "主机停止", checkpoint=True),
    Kind("command.done", _S, 1412, "RS", 4, "remote command carried out", "远程命令已执行"),
    Kind("command.refused", _S, 1413, "RU", 3, "remote command refused", "远程命令被拒绝", noted=True),
    # the journal itself
    Kind("journal.begun", _S, 0, "", 4, "journal begun", "日志开始", noted=True),
    Kind("journal.checkpoint", _S, 0, "", 4, "signed checkpoint", "签名检查点", noted=True),
    Kind("journal.base", _S, 0, "", 4, "old records removed", "旧记录已清理", noted=True),
    Kind("journal.lost", _S, 1624, "JO", 2, "records lost", "记录丢失", noted=True),
    # evidence
    Kind("evidence.pictures", _E, 0, "", 3, "pictures taken", "图像已抓拍", noted=True),
    # telemetry: never chained
    Kind("telemetry.health", _T, 0, "", 4, "health figures", "运行数据", noted=True),
    Kind("telemetry.zone", _T, 0, "", 4, "zone changed", "防区状态变化", noted=True),
    Kind("telemetry.dropped", _T, 0, "", 4, "telemetry dropped", "遥测数据丢弃", noted=True),
)


def _trouble_kinds() -> tuple[Kind, ...]:
    return tuple(
        kind
        for t in TROUBLES.values()
        for kind in (
            Kind(f"trouble.{t.name}", _S, 1000 + t.cid, t.sia, 3, t.en, t.zh),
            Kind(
                f"trouble.{t.name}-ended",
                _S,
                3000 + t.cid,
                t.sia_restore,
                3,
                f"{t.en}: ended",
                f"{t.zh}:恢复",
            ),
        )
    )


KINDS: Mapping[str, Kind] = MappingProxyType({k.name: k for k in _ROWS + _trouble_kinds()})
