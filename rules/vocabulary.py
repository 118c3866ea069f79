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

    `cause`: under which cause it stands in the way of arming (`rules.site.CAUSES`, digest §1.3). `fault`: its memory
    is reset at the level that resets faults and tampers (digest §1.6), else at level 2. `lane`: of its begin.
    """

    name: str
    cid: int
    sia: str
    sia_restore: str
    en: str
    zh: str
    cause: str = "other"
    fault: bool = True
    lane: Lane = Lane.STATUS
    priority: int = 3


TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {
        t.name: t
        for t in (
            Trouble("mains", 301, "AT", "AR", "mains lost", "市电断电", "mains", fault=False),
            Trouble("battery", 302, "YT", "YR", "battery low", "蓄电池电压低", "battery"),
            Trouble("battery-missing", 311, "YM", "YR", "battery missing", "蓄电池缺失", "battery"),
            Trouble("battery-test", 309, "YT", "YR", "battery test failed", "蓄电池测试未通过", "battery"),
            Trouble("charger", 314, "YP", "YQ", "power supply failed", "电源故障", "battery"),
            Trouble("overcurrent", 312, "YI", "YJ", "supply overloaded", "电源过载", "battery"),
            Trouble("siren", 321, "YA", "YH", "siren line failed", "警号线路故障", "siren"),
            Trouble("box", 145, "ES", "EJ", "cabinet opened", "机箱被打开", "tamper", lane=Lane.ALARM, priority=2),
            Trouble("bus", 333, "EM", "EN", "bus or module failed", "总线或模块故障", "link"),
            Trouble("driver", 330, "ET", "ER", "driver failed", "驱动故障", "link"),
            Trouble("jamming", 344, "XQ", "XH", "radio jammed", "无线干扰", "link", fault=False, priority=2),
            Trouble("camera", 330, "ET", "ER", "camera failed", "摄像机故障"),
            Trouble(
                "camera-tamper", 137, "TA", "TR", "camera tampered with", "摄像机遭破坏", lane=Lane.ALARM, priority=2
            ),
            Trouble("storage", 300, "YX", "YZ", "storage trouble", "存储故障", "storage"),
            Trouble("evidence", 300, "YX", "YZ", "card of pictures full soon", "图像存储即将写满", fault=False),
            Trouble("mirror", 300, "YX", "YZ", "mirror of the journal failed", "日志镜像故障", fault=False),
            Trouble("clock", 626, "JT", "JT", "clock not synchronised", "时钟未同步"),
            Trouble("path", 351, "LT", "LR", "transmission path failed", "传输路径故障", "path", fault=False),
            Trouble("paths", 350, "YS", "YK", "all paths failed", "全部传输路径故障", "paths", fault=False),
            Trouble("certificate", 393, "YX", "YZ", "certificate ends soon", "证书即将到期", fault=False, priority=4),
            Trouble("board", 300, "YX", "YZ", "board too hot or supplied too low", "主板过热或欠压"),
            Trouble("maintenance", 393, "YX", "YZ", "maintenance needed", "需要维护", fault=False, priority=4),
            Trouble("program", 304, "YF", "YZ", "program altered", "程序校验失败", priority=2),
            Trouble("rules", 303, "YF", "YZ", "internal error", "内部错误"),
        )
    }
)

_A, _S, _E, _T = Lane.ALARM, Lane.STATUS, Lane.EVIDENCE, Lane.TELEMETRY

_ROWS: tuple[Kind, ...] = (
    # alarms
    Kind("alarm.intruder", _A, 1130, "BA", 2, "intruder alarm", "入侵报警"),
    Kind("alarm.entry", _A, 1134, "BA", 2, "entry/exit zone alarm", "出入口防区报警"),
    Kind("alarm.exit-error", _A, 1374, "EA", 3, "exit error alarm", "外出错误报警"),
    Kind("alarm.day", _A, 1135, "BA", 2, "day zone alarm", "日间防区报警"),
    Kind("alarm.24-hour", _A, 1133, "BA", 1, "24-hour zone alarm", "24小时防区报警"),
    Kind("alarm.confirmed", _A, 1139, "BV", 1, "intruder alarm confirmed by a second detector", "入侵报警已复核"),
    Kind("alarm.hold-up", _A, 1122, "HA", 1, "hold-up alarm", "紧急报警", silent=True),
    Kind("alarm.audible-hold-up", _A, 1123, "PA", 1, "audible hold-up alarm", "有声紧急报警"),
    Kind("alarm.hold-up-confirmed", _A, 1129, "HV", 1, "hold-up alarm confirmed", "紧急报警已复核", silent=True),
    Kind("alarm.duress", _A, 1121, "HA", 1, "duress code used", "胁迫报警", silent=True),
    Kind("alarm.duress-button", _A, 1122, "HA", 1, "duress button pressed", "胁迫按钮报警", silent=True),
    Kind("alarm.tamper", _A, 1137, "TA", 2, "tamper alarm", "防拆报警"),
    Kind("alarm.sensor-tamper", _A, 1144, "TA", 2, "detector cut, shorted or unsupplied", "探测器断路、短路或断电"),
    Kind("alarm.fire", _A, 1110, "FA", 1, "fire alarm", "火灾报警"),
    Kind("alarm.gas", _A, 1151, "GA", 1, "gas alarm", "燃气报警"),
    Kind("alarm.water", _A, 1154, "WA", 3, "water leak", "漏水报警"),
    Kind("alarm.technical", _A, 1150, "UA", 3, "technical alarm", "设备报警"),
    Kind("alarm.medical", _A, 1100, "MA", 1, "medical emergency", "医疗求助"),
    # restores of alarms
    Kind("restore.intruder", _S, 3130, "BH", 2, "intruder zone restored", "入侵防区恢复"),
    Kind("restore.entry", _S, 3134, "BH", 2, "entry/exit zone restored", "出入口防区恢复"),
    Kind("restore.day", _S, 3135, "BH", 2, "day zone restored", "日间防区恢复"),
    Kind("restore.24-hour", _S, 3133, "BH", 1, "24-hour zone restored", "24小时防区恢复"),
    Kind("restore.hold-up", _S, 3122, "HH", 1, "hold-up device restored", "紧急按钮复位", silent=True),
    Kind("restore.audible-hold-up", _S, 3123, "PH", 1, "audible hold-up device restored", "有声紧急按钮复位"),
    Kind("restore.tamper", _S, 3137, "TR", 2, "tamper restored", "防拆恢复"),
    Kind("restore.sensor-tamper", _S, 3144, "TR", 2, "detector line restored", "探测器线路恢复"),
    Kind("restore.fire", _S, 3110, "FH", 1, "fire zone restored", "火灾防区恢复"),
    Kind("restore.gas", _S, 3151, "GH", 1, "gas zone restored", "燃气防区恢复"),
    Kind("restore.water", _S, 3154, "WH", 3, "water zone restored", "漏水防区恢复"),
    Kind("restore.technical", _S, 3150, "UH", 3, "technical zone restored", "设备防区恢复"),
    Kind("restore.medical", _S, 3100, "MH", 1, "medical device restored", "医疗求助复位"),
    # the life of an area
    Kind("area.exit-started", _S, 0, "", 4, "exit delay started", "外出延时开始"),
    Kind("area.exit-restarted", _S, 0, "", 4, "exit delay restarted", "外出延时重新开始"),
    Kind("area.exit-error", _S, 1457, "EE", 3, "exit error: not closed at the end of the exit delay", "外出错误"),
    Kind("area.armed", _S, 3401, "CL", 4, "armed", "布防", checkpoint=True),
    Kind("area.part-armed", _S, 3441, "NL", 4, "armed in part", "部分布防", checkpoint=True),
    Kind("area.armed-remotely", _S, 3407, "CQ", 4, "armed remotely", "远程布防", checkpoint=True),
    Kind("area.armed-by-key", _S, 3409, "CS", 4, "armed by keyswitch", "钥匙布防", checkpoint=True),
    Kind("area.armed-automatically", _S, 3403, "CA", 4, "armed by schedule", "自动布防", checkpoint=True),
    Kind("area.arming-refused", _S, 0, "", 4, "arming refused", "布防被拒绝"),
    Kind("area.arming-overridden", _S, 1574, "CW", 4, "armed in spite of what stood in the way", "强制布防"),
    Kind("area.recent-close", _S, 1459, "CR", 3, "alarm soon after arming", "布防后短时间内报警"),
    Kind("area.auto-arm-postponed", _S, 1464, "CE", 4, "automatic arming postponed", "自动布防推迟"),
    Kind("area.auto-arm-failed", _S, 1455, "CC", 3, "automatic arming failed", "自动布防失败"),
    Kind("area.late-to-close", _S, 1454, "CI", 3, "not armed after closing time", "未按时布防"),
    Kind("area.opened-outside-hours", _S, 1451, "OK", 3, "disarmed outside opening hours", "非营业时间撤防"),
    Kind("area.entry-started", _S, 0, "", 4, "entry delay started", "进入延时开始"),
    Kind("area.entry-route", _S, 0, "", 4, "entry route walked", "进入路线触发"),
    Kind("area.entry-cancelled", _S, 0, "", 4, "entry delay cancelled", "进入延时取消"),
    Kind("area.alarm-aborted", _S, 0, "AB", 4, "alarm aborted before it was reported", "报警在上报前取消"),
    Kind("area.alarm-cancelled", _S, 1406, "BC", 4, "alarm cancelled by user", "用户取消报警"),
    Kind("area.alarm-ended", _S, 0, "", 4, "silenced alarm ended", "已静音警情结束"),
    Kind("area.alarm-reset", _S, 0, "", 4, "alarm in a disarmed area put out", "撤防分区警情解除"),
    Kind("area.reinstated", _S, 3463, "CL", 4, "detection reinstated after an unconfirmed alarm", "报警后自动恢复布防"),
    Kind("area.disarmed", _S, 1401, "OP", 4, "disarmed", "撤防", checkpoint=True),
    Kind("area.disarmed-remotely", _S, 1407, "OQ", 4, "disarmed remotely", "远程撤防", checkpoint=True),
    Kind("area.disarmed-by-key", _S, 1409, "OS", 4, "disarmed by keyswitch", "钥匙撤防", checkpoint=True),
    Kind("siren.silenced", _S, 0, "", 4, "siren silenced", "警号已静音"),
    Kind("siren.stopped", _S, 0, "", 4, "siren stopped at its time limit", "警号到时停止"),
    # zones
    Kind("zone.alarm-held", _S, 0, "", 3, "alarm sounds, its report waits", "报警延迟上报"),
    Kind("zone.bypassed", _S, 1570, "BB", 4, "zone bypassed", "防区旁路"),
    Kind("zone.unbypassed", _S, 3570, "BU", 4, "zone bypass removed", "防区旁路解除"),
    Kind("zone.isolated", _S, 1572, "UB", 3, "zone isolated", "防区隔离"),
    Kind("zone.unisolated", _S, 3572, "UU", 3, "zone isolation removed", "防区隔离解除"),
    Kind("zone.fault", _S, 1380, "BT", 3, "zone fault", "防区故障"),
    Kind("zone.fault-ended", _S, 3380, "BJ", 3, "zone fault ended", "防区故障恢复"),
    Kind("zone.hold-up-fault", _S, 1376, "HT", 2, "hold-up device fault", "紧急按钮故障"),
    Kind("zone.hold-up-fault-ended", _S, 3376, "HJ", 2, "hold-up device fault ended", "紧急按钮故障恢复"),
    Kind("zone.fire-fault", _S, 1373, "FT", 2, "fire zone fault", "火灾防区故障"),
    Kind("zone.fire-fault-ended", _S, 3373, "FJ", 2, "fire zone fault ended", "火灾防区故障恢复"),
    Kind("zone.day-trouble", _S, 1156, "BT", 4, "day zone trouble", "日间防区异常"),
    Kind("zone.day-trouble-ended", _S, 3156, "BJ", 4, "day zone trouble ended", "日间防区异常恢复"),
    Kind("zone.unconfirmed", _S, 1378, "BG", 3, "single trip of a cross zone", "交叉防区单次触发"),
    Kind("zone.swinger-shutdown", _S, 1377, "BD", 4, "zone shut down after too many alarms", "防区报警次数超限停用"),
    Kind("zone.swinger-ended", _S, 3377, "BE", 4, "zone counts again after its shutdown", "防区停用解除"),
    Kind("zone.soak-tripped", _S, 0, "", 4, "zone on trial tripped", "试用防区触发"),
    # people and the panel
    Kind("code.locked-out", _S, 1461, "JA", 3, "too many wrong codes", "密码错误次数超限"),
    Kind("code.lock-out-ended", _S, 0, "", 4, "lock-out ended", "密码锁定解除"),
    Kind("code.refused", _S, 1421, "DD", 4, "code refused: not now, or not here", "密码当前无效"),
    Kind("user.set", _S, 1306, "JV", 4, "user added or changed", "用户增加或变更", checkpoint=True),
    Kind("user.removed", _S, 1306, "JX", 4, "user removed", "用户删除", checkpoint=True),
    Kind("user.spent", _S, 1306, "JX", 4, "one-time code used up", "一次性密码已使用", checkpoint=True),
    Kind("installer.granted", _S, 0, "", 4, "installer access granted", "允许安装员操作"),
    Kind("installer.entered", _S, 1627, "LB", 4, "installer session begun", "安装员进入编程"),
    Kind("installer.left", _S, 1628, "LX", 4, "installer session ended", "安装员退出编程"),
    Kind("config.installed", _S, 1306, "YG", 4, "panel file changed", "配置文件变更", checkpoint=True),
    Kind("config.keys", _S, 1306, "YG", 4, "keys of the alarm center changed", "报警中心密钥变更", checkpoint=True),
    Kind("panel.software-changed", _S, 1306, "YG", 4, "software changed", "软件变更", checkpoint=True),
    Kind("panel.started", _S, 1305, "YW", 4, "panel started", "主机启动", checkpoint=True),
    Kind("panel.stopped", _S, 1308, "YX", 2, "panel stopped", "主机停止", checkpoint=True),
    Kind("panel.reset", _S, 0, "", 4, "alarm indications and memory reset", "报警指示与记忆复位"),
    Kind("power.mains-dip", _S, 0, "", 4, "mains lost for a short time", "市电短时中断"),
    Kind("clock.set", _S, 1625, "JT", 4, "clock set", "时钟校准", noted=True),
    Kind(
        "path.taken-over",
        _S,
        1341,
        "ES",
        2,
        "session opened by another: substitution?",
        "会话被他人接管(疑似替换)",
        noted=True,
    ),
    Kind("path.enrolled", _S, 0, "", 4, "enrolled at the alarm center", "已在报警中心注册", noted=True),
    Kind("path.certificate-renewed", _S, 0, "", 4, "client certificate renewed", "客户端证书已更新", noted=True),
    Kind("command.done", _S, 1412, "RS", 4, "remote command carried out", "远程命令已执行"),
    Kind("command.refused", _S, 1413, "RU", 3, "remote command refused", "远程命令被拒绝", noted=True),
    # updates of the software: told step by step by the process that makes them
    Kind("update.offered", _S, 0, "", 4, "update offered, consents awaited", "更新已提出，等待同意", noted=True),
    Kind(
        "update.consented",
        _S,
        0,
        "",
        4,
        "update consented to by user and installer",
        "用户与安装员已同意更新",
        noted=True,
    ),
    Kind("update.checked", _S, 0, "", 4, "update checked", "更新已校验", noted=True),
    Kind("update.installing", _S, 0, "", 4, "update being installed", "更新正在安装", noted=True),
    Kind("update.installed", _S, 0, "", 4, "update installed, restart awaited", "更新已安装，等待重启", noted=True),
    Kind("update.restarting", _S, 0, "", 4, "restarting into the update", "正在重启至新系统", noted=True),
    Kind("update.trying", _S, 0, "", 4, "update on trial", "更新试运行中", noted=True),
    Kind("update.good", _S, 1306, "YG", 4, "update proven, in force", "更新已确认生效", checkpoint=True, noted=True),
    Kind("update.going-back", _S, 0, "", 3, "update not proven, going back", "更新未通过，正在回退", noted=True),
    Kind("update.gone-back", _S, 1307, "YX", 3, "gone back to the software before", "已回退到之前的软件", noted=True),
    Kind("update.refused", _S, 0, "", 4, "update refused", "更新被拒绝", noted=True),
    # tests
    Kind("test.report", _S, 1602, "RP", 4, "daily report", "每日定期报告"),
    Kind("test.report-trouble", _S, 1608, "RY", 4, "daily report, trouble present", "每日定期报告(存在故障)"),
    Kind("test.walk-started", _S, 1607, "TS", 4, "walk test begun", "步测开始"),
    Kind("test.walk-ended", _S, 3607, "TE", 4, "walk test ended", "步测结束"),
    Kind("test.zone-seen", _S, 1611, "TP", 4, "zone seen in the walk test", "步测触发防区"),
    Kind("test.hold-up-seen", _S, 1615, "TP", 4, "hold-up button seen in the walk test", "步测触发紧急按钮"),
    Kind("test.manual", _S, 1601, "RX", 4, "manual test report", "手动测试报告", noted=True),
    Kind("test.camera", _S, 0, "", 4, "camera test", "摄像机测试", noted=True),
    Kind("test.siren", _S, 1601, "RX", 4, "siren test", "警号测试"),
    Kind("test.siren-ended", _S, 0, "", 4, "siren test ended", "警号测试结束"),
    Kind("test.battery", _S, 0, "", 4, "battery test begun", "蓄电池测试开始"),
    Kind("test.battery-ended", _S, 0, "", 4, "battery test ended", "蓄电池测试结束"),
    # acceptance (GB 55029-2022 ch. 5)
    Kind("acceptance.begun", _S, 0, "", 4, "acceptance run begun", "验收测试开始", noted=True),
    Kind("acceptance.ended", _S, 0, "", 4, "acceptance run ended", "验收测试结束", checkpoint=True, noted=True),
    Kind(
        "acceptance.alarm-marked",
        _S,
        0,
        "",
        4,
        "alarm marked true or false by a person",
        "人工判定报警真伪",
        checkpoint=True,
        noted=True,
    ),
    Kind("acceptance.signed", _S, 0, "", 4, "report signed", "验收报告已签名", checkpoint=True, noted=True),
    # guard tours
    Kind("tour.started", _S, 0, "", 4, "guard tour due", "巡更开始"),
    Kind("tour.reached", _S, 0, "", 4, "checkpoint reached", "到达巡更点"),
    Kind("tour.missed", _S, 1391, "NA", 3, "checkpoint missed", "巡更点漏巡"),
    Kind("tour.late", _S, 3391, "NS", 3, "checkpoint reached late", "巡更点迟到"),
    Kind("tour.out-of-order", _S, 0, "", 4, "checkpoint reached out of order or too early", "巡更顺序错误"),
    Kind("tour.ended", _S, 0, "", 4, "guard tour ended", "巡更结束"),
    # the journal itself
    Kind("journal.begun", _S, 0, "", 4, "journal begun", "日志开始", noted=True),
    Kind("journal.checkpoint", _S, 0, "", 4, "signed checkpoint", "签名检查点", noted=True),
    Kind("journal.base", _S, 0, "", 4, "old records removed", "旧记录已清理", noted=True),
    Kind("journal.half-full", _S, 1622, "JL", 4, "storage half full", "存储已用50%", noted=True),
    Kind("journal.nearly-full", _S, 1623, "JL", 3, "storage nearly full", "存储已用90%", noted=True),
    Kind(
        "journal.thinned",
        _S,
        0,
        "",
        4,
        "no room: telemetry gives way to records",
        "存储不足:遥测让位于记录",
        noted=True,
    ),
    Kind(
        "journal.thinned-ended",
        _S,
        0,
        "",
        4,
        "room again: telemetry is kept in full",
        "存储恢复:遥测完整保存",
        noted=True,
    ),
    Kind("journal.removed", _S, 0, "", 4, "older journal removed", "旧日志文件已清理", noted=True),
    Kind("journal.lost", _S, 1624, "JO", 2, "records lost", "记录丢失", noted=True),
    # evidence
    # An annotation, so without a code: no model is the second detector that 139 (BV) stands for (digest §6). In the
    # status lane it overtakes all pictures.
    Kind("camera.person", _S, 0, "", 2, "a person on a picture", "图像中识别出人员", noted=True),
    Kind("camera.relearned", _S, 0, "", 4, "camera's picture learned anew", "摄像机画面重新学习", noted=True),
    Kind("evidence.viewed", _S, 0, "", 4, "pictures viewed", "图像已查看", noted=True),
    Kind("evidence.exported", _S, 0, "", 4, "evidence exported", "证据已导出", checkpoint=True, noted=True),
    Kind("evidence.held", _S, 0, "", 4, "legal hold set", "证据已保全", noted=True),
    Kind("evidence.released", _S, 0, "", 4, "legal hold lifted", "证据保全已解除", noted=True),
    Kind("evidence.deleted", _S, 0, "", 4, "pictures deleted after their retention", "图像到期已删除", noted=True),
    Kind("evidence.pictures", _E, 0, "", 3, "pictures taken", "图像已抓拍", noted=True),
    Kind("evidence.sent", _S, 0, "", 4, "picture sent to the alarm center", "图像已发送至报警中心", noted=True),
    # telemetry: never chained
    Kind("telemetry.health", _T, 0, "", 4, "health figures", "运行数据", noted=True),
    Kind("telemetry.zone", _T, 0, "", 4, "zone changed", "防区状态变化", noted=True),
    Kind("telemetry.sms", _T, 0, "", 4, "short message sent, delivered or failed", "短信发送情况", noted=True),
    Kind("telemetry.modem", _T, 0, "", 4, "modem figures", "无线模块状态", noted=True),
    Kind("telemetry.delivery", _T, 0, "", 4, "how long delivery took", "上报时延", noted=True),
    Kind("telemetry.dropped", _T, 0, "", 4, "telemetry dropped", "遥测数据丢弃", noted=True),
)


def _trouble_kinds() -> tuple[Kind, ...]:
    return tuple(
        kind
        for t in TROUBLES.values()
        for kind in (
            Kind(f"trouble.{t.name}", t.lane, 1000 + t.cid, t.sia, t.priority, t.en, t.zh),
            Kind(
                f"trouble.{t.name}-ended",
                _S,
                3000 + t.cid,
                t.sia_restore,
                t.priority,
                f"{t.en}: ended",
                f"{t.zh}:恢复",
            ),
        )
    )


KINDS: Mapping[str, Kind] = MappingProxyType({k.name: k for k in _ROWS + _trouble_kinds()})
CONFIRMATIONS = frozenset({"alarm.confirmed", "alarm.hold-up-confirmed"})


def begins_alarm(kind: str) -> bool:
    """Whether it is an alarm of its own, not what confirms one."""
    return kind.startswith("alarm.") and kind not in CONFIRMATIONS
