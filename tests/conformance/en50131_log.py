"""The mandatory log of EN 50131-1 and -3, and how the log is kept (digest §1.10)."""

from tests.conformance.clause import EN, Gap, Standard, clauses
from tests.conformance.en50131_setting import EU

_LOG = clauses(
    "§1.10",
    "EN 50131-1 log",
    ("set", "set and part set: who and how", "布防、部分布防:何人、何种方式", "M-m", EN, None),
    ("unset", "unset: who and how", "撤防:何人、何种方式", "M-m", EN, None),
    ("hold-up", "hold-up alarm, with the device", "紧急报警及装置", "M-m", EN, None),
    ("intruder", "intruder alarm, with the zone", "入侵报警及防区", "M-m", EN, None),
    ("verified", "verified alarm", "复核报警", "M-m", EN, None),
    (
        "reinstatement",
        "end of the verification time, reinstatement, with what was inhibited",
        "复核到时、自动恢复及旁路",
        "S",
        EN,
        None,
    ),
    ("tamper", "tamper, with the component", "防拆及部件", "M-m", EN, None),
    ("detector fault", "detector fault", "探测器故障", "M-m", EN, None),
    ("hold-up fault", "hold-up device fault", "紧急装置故障", "M-m", EN, None),
    ("masked", "detector masked", "探测器被遮挡", "M-m", EN, None),
    ("range", "range reduced", "探测范围缩小", "M-m", EU, Gap.GRADE_4),
    ("interconnection", "interconnection fault: bus, radio, jamming", "连接故障:总线、无线、干扰", "M-m", EN, None),
    ("mains", "mains lost and back", "市电断电与恢复", "M-m", EN, None),
    (
        "battery",
        "battery low, missing, test failed; charger; over-current",
        "蓄电池欠压、缺失、测试失败;充电;过流",
        "M-m",
        EN,
        None,
    ),
    ("transmission", "transmission fault, with the path", "传输故障及路径", "M-m", EN, None),
    ("siren", "siren fault", "警号故障", "M-m", EN, None),
    ("other", "other faults: storage, clock, temperature, program", "其他故障:存储、时钟、温度、程序", "M-m", EN, None),
    ("inhibit", "inhibited and no longer: who", "旁路与解除:何人", "M-m", EN, None),
    ("isolate", "isolated and no longer: who", "隔离与解除:何人", "M-m", EN, None),
    ("override", "override of a prevention, with its causes", "强制布防及原因", "M-m", EN, None),
    ("restore", "restore of each condition", "各状态的恢复", "M-m", EN, None),
    (
        "session",
        "begin and end of a session of level 3 or 4, here or from afar",
        "3、4级会话开始与结束",
        "M-m",
        EN,
        None,
    ),
    ("wrong codes", "the limit of wrong codes", "错误密码达到上限", "M-m", EN, None),
    ("users", "user or code added, changed, deleted", "用户、密码增改删", "M-m", EN, None),
    ("site data", "site data changed, with the old and the new hash", "工程数据变更(新旧摘要)", "M-m", EN, None),
    ("software", "software changed", "软件变更", "M-m", EN, None),
    ("clock", "clock set, clock wrong", "时钟校准、时钟异常", "M-m", EN, None),
    ("start", "power-up, restart, watchdog", "上电、重启、看门狗", "M-m", EN, None),
    ("filling", "log half full, nearly full, overwritten", "日志50%、90%、溢出", "D", EN, None),
)
LOG_ROWS = tuple(clause.id for clause in _LOG)
"""The rows of the mandatory log, in the digest's order."""

_KEEPING = clauses(
    "§1.10",
    "EN 50131-1 log",
    ("500 events", "at least 500 events (grade 3)", "至少500条(3级)", "M-h", EN, None),
    ("30 days dark", "kept for 30 days with all power lost", "完全断电后保存30天", "S", EN, Gap.HARDWARE),
    ("clock error", "the clock errs by 10 min a year at most", "时钟误差每年不超过10分钟", "S", EN, Gap.HARDWARE),
    ("protected", "protected against accident, deletion and alteration", "防误删、防篡改", "S", EN, None),
    ("oldest first", "the oldest are overwritten first", "先覆盖最旧记录", "S", EN, None),
    ("flood", "no single source floods the log", "单一来源不得淹没日志", "M-h", EN, None),
    ("fields", "date, time, event, source, user", "日期、时间、事件、来源、用户", "S", EN, None),
)

STANDARD = Standard(
    "EN 50131-1 log",
    "EN 50131-1 and -3: the mandatory log (digest §1.10)",
    "EN 50131-1、-3:必须记录的事件(摘要1.10节)",
    _LOG + _KEEPING,
)
