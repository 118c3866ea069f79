"""What the Chinese standards ask: GB 55029, GB 50394, GB 12663, and how long records are kept (digest §3.1 to §3.4)."""

from tests.conformance.clause import CN, Clause, Gap, Standard


def _55029(point: str, en: str, zh: str, gap: Gap | None = None) -> Clause:
    return Clause(f"GB 55029 {point}", en, zh, "§3.1", "S", CN, gap)


GB_55029 = Standard(
    "GB 55029",
    "GB 55029-2022 General code for security engineering (every clause mandatory)",
    "GB 55029-2022《安全防范工程通用规范》(全文强制)",
    (
        _55029("2.0.3", "inspected or certified equipment only", "产品须经检验或认证", Gap.SITE),
        _55029("2.0.4 boundary", "the network boundary is secured and managed", "网络边界有受管理的安全防护"),
        _55029("2.0.4 passwords", "no weak codes", "不得使用弱口令"),
        _55029("2.0.4 updates", "software is kept up to date, by signed updates", "软件及时更新,更新须签名", Gap.IMAGE),
        _55029("3.1.9(3)", "the center can send an alarm on to the outside", "监控中心能向外报警", Gap.SITE),
        _55029(
            "3.2.4", "high-risk objects: a transmission network of their own", "高风险对象采用专用传输网络", Gap.SITE
        ),
        _55029("3.5.1(1)(6) intrusion", "an intrusion is indicated as such, with its zone", "入侵报警准确指示"),
        _55029("3.5.1(1)(6) emergency", "a hold-up is indicated as such, with its zone", "紧急报警准确指示"),
        _55029("3.5.1(1)(6) tamper", "tampering is indicated as such, with its zone", "防拆报警准确指示"),
        _55029("3.5.1(1)(6) fault", "a fault is indicated as such, with its zone", "故障报警准确指示"),
        _55029("3.5.1(2) detector", "detectors have a tamper alarm, set or unset", "探测器具有防拆报警功能"),
        _55029("3.5.1(2) panel", "the control equipment has a tamper alarm, set or unset", "控制设备具有防拆报警功能"),
        _55029("3.5.1(3) open", "a line that is cut alarms, set or unset", "线路断路时报警,不论布防与否"),
        _55029("3.5.1(3) short", "a line that is shorted alarms, set or unset", "线路短路时报警,不论布防与否"),
        _55029(
            "3.5.1(3) supply", "a detector whose supply is cut alarms, set or unset", "探测器断电时报警,不论布防与否"
        ),
        _55029("3.5.1(4)(5) rights", "who may do what is set for each user", "用户权限可设置"),
        _55029("3.5.1(4)(5) parameters", "parameters are set by those with the right to", "参数设置受权限控制"),
        _55029("3.5.1(4)(5) arm", "arming", "布防"),
        _55029("3.5.1(4)(5) disarm", "disarming", "撤防"),
        _55029("3.5.1(4)(5) bypass", "bypassing", "旁路"),
        _55029("3.5.1(4)(5) duress", "a code entered under duress calls for help", "胁迫操作报警"),
        _55029("3.5.1(7) operation", "operations are recorded", "操作有记录"),
        _55029("3.5.1(7) alarm", "alarms are recorded", "报警有记录"),
        _55029("3.5.1(7) handling", "how an alarm was handled is recorded", "警情处置有记录"),
        _55029("3.5.1(7) unaltered", "records can't be altered", "记录不可更改"),
        _55029("3.5.1(8)", "the control equipment responds within 2 s", "控制设备响应时间不大于2秒"),
        _55029("3.5.1(9)", "at least 8 h of standby under real load", "备用电源满载不少于8小时", Gap.HARDWARE),
        _55029("3.5.2(5)", "video is kept for at least 30 days", "视频保存不少于30天"),
        _55029("4.0.7", "a trial run of at least 30 days, with its records", "试运行不少于30天并有记录"),
        _55029("5.0.1-5.0.5", "inspection and acceptance before hand-over", "检验、验收合格后方可移交"),
        _55029(
            "6.0.1-6.0.5", "a plan and records of maintenance, protection during faults", "维护计划与记录", Gap.SITE
        ),
        _55029("6.0.4", "it can be verified that the center has received an alarm", "可核实接警方已收到报警"),
    ),
)


def _50394(point: str, en: str, zh: str, gap: Gap | None = None, mark: str = "S") -> Clause:
    return Clause(f"GB 50394 {point}", en, zh, "§3.2", mark, CN, gap)


GB_50394 = Standard(
    "GB 50394",
    "GB 50394-2007 5.2.2 to 5.2.4 and commentary: how an intruder alarm system behaves",
    "GB 50394-2007《入侵报警系统工程设计规范》5.2.2~5.2.4及条文说明",
    (
        _50394("no missed alarm", "no alarm is missed", "不得漏报警"),
        _50394("hold-up non-disarmable", "a hold-up device can't be disarmed or bypassed", "紧急报警为不可撤防"),
        _50394(
            "hold-up accident",
            "a hold-up button is guarded against accidental presses",
            "紧急按钮防误触发",
            Gap.HARDWARE,
        ),
        _50394("hold-up latching", "a hold-up button latches by itself", "紧急按钮触发后自锁", Gap.HARDWARE),
        _50394("sound and light", "an alarm sounds and lights", "报警时发出声、光信号"),
        _50394("zone shown", "an alarm shows its zone and address", "报警时显示防区与地址"),
        _50394("held until reset", "the indication stays until somebody resets it", "报警信号保持至手动复位"),
        _50394("nothing lost", "no alarm indication is lost", "报警信息不丢失"),
        _50394("one after another", "simultaneous alarms are shown one after another", "多路同时报警时依次显示"),
        _50394("no automatic reset", "nothing resets an indication by itself", "不得自动复位"),
        _50394(
            "disarmed detection ignored", "while disarmed, what detectors sense is no alarm", "撤防时探测信号不报警"
        ),
        _50394("tamper always", "tamper alarms count set or unset", "防拆报警不受布防、撤防影响"),
        _50394("fault always", "fault signals count set or unset", "故障报警不受布防、撤防影响"),
        _50394(
            "response 2 s",
            "wired, bus, radio, LAN: a response within 2 s",
            "分线、总线、无线、局域网响应≤2秒",
            mark="M-h",
        ),
        _50394("response 20 s", "telephone network: a response within 20 s", "市话网响应≤20秒", Gap.NOT_FITTED, "M-h"),
        _50394("comes back set", "after a loss of power: set if it was set", "断电恢复后保持原布防状态"),
        _50394("power off", "switching off the power never disarms", "不得以断电方式撤防"),
        _50394(
            "alone", "other subsystems whose failure would kill it share no controller", "不与其他子系统共用控制设备"
        ),
    ),
)


def _12663(point: str, en: str, zh: str, gap: Gap | None = None) -> Clause:
    return Clause(f"GB 12663 {point}", en, zh, "§3.3", "S", CN, gap)


GB_12663 = Standard(
    "GB 12663",
    "GB 12663: control and indicating equipment (2001 class C where the body of 2019 was not found)",
    "GB 12663《入侵和紧急报警系统 控制指示设备》(2019版未查到正文处,按2001版C级)",
    (
        _12663(
            "2019",
            "the requirements of the edition of 2019 (EN 50131-3 grade 3 meanwhile)",
            "2019版各项要求",
            Gap.NO_TEXT,
        ),
        _12663("twelve kinds", "twelve kinds of events are recorded", "记录十二类事件"),
        _12663("250 events", "at least the 250 latest events are kept", "至少保存最近250条"),
        _12663("30 days dark", "records outlive 30 days without any power", "断电后记录保存不少于30天", Gap.HARDWARE),
        _12663("clock", "the clock errs by 15 min a year at most", "时钟误差每年不超过15分钟", Gap.HARDWARE),
        _12663("unaltered", "records can't be altered by normal or abnormal means", "记录不能以任何手段更改"),
        _12663("printable", "records can be printed", "记录可打印输出"),
        _12663(
            "attributes", "events are reported to a remote station with their attributes", "向远程中心报告事件及属性"
        ),
    ),
)


def _kept(point: str, en: str, zh: str, mark: str, gap: Gap | None = None) -> Clause:
    return Clause(f"Retention {point}", en, zh, "§3.4", mark, CN, gap)


RETENTION = Standard(
    "Retention",
    "How long records are kept (Order 799, Cybersecurity Law, DB11/T 2552, bank practice)",
    "记录保存期限(国务院令第799号、网络安全法、DB11/T 2552等)",
    (
        _kept("alarm log 90 d", "arm, disarm, fault and alarm records: 90 days", "布撤防、故障、报警记录:90天", "S"),
        _kept("security log 6 months", "security logs: at least 6 months", "网络安全日志:不少于6个月", "S"),
        _kept("panel 400 d", "the panel: 400 days, nothing younger makes room", "本机:400天,不删更新的记录", "D"),
        _kept("video 30 d", "pictures: at least 30 days", "图像:不少于30天", "S"),
        _kept("video 90 d", "pictures at key targets: 90 days", "重点目标图像:90天", "S"),
        _kept("access 180 d", "records of access control: 180 days", "出入口控制记录:180天", "S", Gap.NOT_FITTED),
        _kept("maintenance", "records of maintenance: 3 years", "维护记录:3年", "S", Gap.SITE),
        _kept("shortening", "nobody shortens a retention below its profile", "任何人不得缩短保存期限", "D"),
    ),
)

STANDARDS = (GB_55029, GB_50394, GB_12663, RETENTION)
