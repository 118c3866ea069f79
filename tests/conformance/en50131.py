"""What EN 50131-1, -3 and -6 ask: sirens, timers, restoring, matrix, tamper (digest §1.5 to §1.9), power (§1.11)."""

from tests.conformance import en50131_log
from tests.conformance.clause import CN, EN, G3, Gap, Standard, clauses
from tests.conformance.en50131_setting import CLAUSES, EU

_OUTPUT = clauses(
    "§1.5",
    "EN 50131-1",
    ("siren 90 s to 15 min", "a siren sounds for 90 s to 15 min", "警号鸣响90秒至15分钟", "S", EN, None),
    ("siren delay", "an external siren waits 10 min at most", "外部警号延时不超过10分钟", "S", EN, None),
    ("siren delay dropped", "not while every path is down", "全部路径故障时取消延时", "M-m", EN, None),
    ("siren unset", "the panel starts no external siren while unset", "撤防时不启动外部警号", "S", EN, None),
    (
        "mains report delay",
        "the report of lost mains waits 60 min at most",
        "市电断电上报延时不超过60分钟",
        "S",
        EN,
        None,
    ),
    ("signals 400 ms", "a signal of more than 400 ms is processed", "超过400毫秒的信号须处理", "M-h", EN, None),
    ("faults 10 s", "a fault of more than 10 s is processed", "超过10秒的故障须处理", "M-m", EN, None),
    (
        "messages 10 s",
        "a message reaches its destination in 10 s over a healthy link",
        "链路正常时消息10秒内送达",
        "S",
        EN,
        None,
    ),
    ("power loss", "after a total loss of power it comes back as it was", "完全断电后恢复原状态", "S", EN, None),
)

_RESTORE = clauses(
    "§1.6",
    "EN 50131-1",
    (
        "restore alarms",
        "intruder, hold-up, mains, transmission, masking: restored at level 2 or 3",
        "入侵、紧急、市电、传输、遮挡:2级或3级复位",
        "S",
        EN,
        None,
    ),
    (
        "restore tamper",
        "tamper: restored at level 3 from grade 3 on",
        "防拆:3级产品须3级人员复位",
        "S",
        ("eu-g3",),
        None,
    ),
    (
        "restore faults",
        "other faults: restored at level 3 from grade 3 on",
        "其他故障:3级产品须3级人员复位",
        "S",
        ("eu-g3",),
        None,
    ),
)

_PROCESSING = clauses(
    "§1.7",
    "EN 50131-1",
    ("hold-up set", "hold-up while set: sent with its zone", "布防时紧急报警:带防区上报", "S", EN, None),
    (
        "hold-up unset",
        "hold-up while unset: sent with its zone, no external siren",
        "撤防时紧急报警:带防区上报,不启动外部警号",
        "S",
        EN,
        None,
    ),
    (
        "intruder set",
        "intruder while set: external and internal sirens, sent",
        "布防时入侵:内外警号,上报",
        "M-h",
        EN,
        None,
    ),
    ("intruder unset", "intruder while unset: nothing", "撤防时入侵信号:不处理", "M-h", EN, None),
    (
        "tamper set",
        "tamper while set: external and internal sirens, sent as tamper",
        "布防时防拆:内外警号,按防拆上报",
        "S",
        EN,
        None,
    ),
    ("tamper unset", "tamper while unset: internal siren only, sent", "撤防时防拆:仅内部警号,上报", "S", EN, None),
    ("fault set", "fault while set: sent, no external siren", "布防时故障:上报,不启动外部警号", "M-m", EN, None),
    ("fault unset", "fault while unset: sent, no external siren", "撤防时故障:上报,不启动外部警号", "M-m", EN, None),
    ("masking set", "masking while set: as configured, sent", "布防时遮挡:按设置,上报", "S", G3, None),
    ("masking unset", "masking while unset: sent, no external siren", "撤防时遮挡:上报,不启动外部警号", "S", G3, None),
    (
        "details hidden",
        "zones, alarms and memory are hidden until a code is entered",
        "输入密码前不显示防区、报警与记忆",
        "S",
        EN,
        Gap.KEYPAD,
    ),
    (
        "more pending",
        "when not all fits the display it says that more is pending",
        "显示不下时须提示还有更多",
        "S",
        EN,
        Gap.KEYPAD,
    ),
)

_NOTIFICATION = clauses(
    "§1.8",
    "EN 50131-1",
    (
        "notification options",
        "sirens and paths by one of the options A to D",
        "警号与路径按A~D之一配置",
        "M-m",
        EU,
        Gap.SITE,
    ),
)

_TAMPER = clauses(
    "§1.9",
    "EN 50131-1",
    ("tamper opening", "opening a cabinet by normal means is detected", "正常手段开启机箱可探测", "M-h", EN, None),
    ("tamper probe", "no wire of 1 mm gets in undetected", "1毫米探针不得未被探测地进入", "S", G3, Gap.HARDWARE),
    (
        "tamper removal",
        "removal from its mounting is detected within 5 mm",
        "移离安装面5毫米内可探测",
        "S",
        G3,
        Gap.HARDWARE,
    ),
    (
        "tamper gap",
        "an opened housing is detected before the gap is 4 mm",
        "开启缝隙达4毫米前可探测",
        "S",
        EN,
        Gap.HARDWARE,
    ),
    (
        "substitution",
        "a substituted component is detected within 100 s, if fitted",
        "部件替换100秒内可探测(如有)",
        "S",
        G3,
        Gap.WIRING,
    ),
    (
        "interconnection 100 s",
        "an interconnection that fails is known within 100 s",
        "连接中断100秒内可知",
        "M-m",
        G3,
        Gap.WIRING,
    ),
    (
        "periodic communication",
        "components talk at least every 100 s (radio)",
        "部件至少每100秒通信一次(无线)",
        "M-h",
        G3,
        Gap.NOT_FITTED,
    ),
    (
        "age when setting",
        "the last word of a component is no older than 100 s when setting",
        "布防时部件最近通信不超过100秒",
        "M-h",
        G3,
        Gap.WIRING,
    ),
    (
        "tamper own zones",
        "tamper inputs are zones of their own, round the clock (JGJ)",
        "防拆输入为独立24小时防区(JGJ)",
        "S",
        CN,
        None,
    ),
)

EN_50131_1 = Standard(
    "EN 50131-1",
    "EN 50131-1 and -3, grade 3 (IEC 62642; the parent of GB 12663-2019)",
    "EN 50131-1、-3,3级(IEC 62642,GB 12663-2019之母本)",
    (
        *CLAUSES,
        *(*_OUTPUT, *_RESTORE, *_PROCESSING, *_NOTIFICATION, *_TAMPER),
    ),
)

EN_50131_6 = Standard(
    "EN 50131-6",
    "EN 50131-6: power supplies",
    "EN 50131-6:电源",
    clauses(
        "§1.11",
        "EN 50131-6",
        (
            "standby",
            "60 h of standby at grade 3; 30 h when lost mains is reported; 12 h at grade 2",
            "备用时间:3级60小时,上报市电故障时30小时;2级12小时",
            "S",
            EU,
            Gap.HARDWARE,
        ),
        ("recharge", "recharged to 80 % in 24 h (grade 3)", "24小时充至80%", "M-h", EU, Gap.HARDWARE),
        (
            "low battery",
            "a low battery is a fault, deep discharge is prevented",
            "欠压报故障,防过放",
            "M-m",
            EU,
            None,
        ),
        ("mains fault", "a loss of mains is signalled", "市电故障有信号", "S", EN, None),
        ("load test", "the battery is tested under load, daily at grade 3", "蓄电池每日负载测试(3级)", "M-l", EU, None),
        ("8 h", "China: 8 h at the real load", "国内:满载8小时", "S", CN, Gap.HARDWARE),
    ),
)

STANDARDS = (EN_50131_1, en50131_log.STANDARD, EN_50131_6)
