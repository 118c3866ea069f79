"""What ANSI/SIA CP-01 asks against false alarms, rows 1 to 26 of the digest §5, and the confirmation rules of §6."""

from tests.conformance.clause import CN, EN, US, Clause, Gap, Standard

BOTH = (*CN, *US)


def _row(
    row: str, en: str, zh: str, mark: str = "S", profiles: tuple[str, ...] = BOTH, gap: Gap | None = None
) -> Clause:
    return Clause(f"CP-01 {row}", en, zh, "§5", mark, profiles, gap)


CP_01 = Standard(
    "CP-01",
    "ANSI/SIA CP-01: false alarm reduction (rows of the digest §5)",
    "ANSI/SIA CP-01:降低误报(按摘要第5节各行)",
    (
        _row(
            "1",
            "exit time: programmable, 45 to 255 s, 60 s by default",
            "外出延时可编程:45~255秒,默认60秒",
            profiles=US,
        ),
        _row("2", "the exit delay is told, its last 10 s in another way", "外出延时有提示,最后10秒提示不同"),
        _row("2 silent", "a silent exit doubles the exit time", "静音外出时延时加倍", profiles=US, gap=Gap.NOT_BUILT),
        _row(
            "3",
            "the exit door opened again restarts the exit time, once an arming",
            "外出门再次打开时重新计时,每次布防仅一次",
        ),
        _row("4", "nobody left: armed in part; not when armed from afar", "无人外出时自动转为留守布防,远程布防除外"),
        _row("5", "arming from afar has no exit time and tells none", "远程布防无外出延时与提示"),
        _row(
            "6",
            "entry delay: programmable, 30 to 240 s, 30 s by default",
            "进入延时可编程:30~240秒,默认30秒",
            profiles=US,
        ),
        _row(
            "7",
            "an abort window before the report, not for fire; off per zone",
            "上报前有取消窗口,火警除外,可按防区关闭",
        ),
        _row("8", "the abort window: 15 to 45 s, 30 s by default", "取消窗口:15~45秒,默认30秒", profiles=US),
        _row("9", "entry delay and abort window: at most 60 s together", "进入延时与取消窗口合计不超过60秒"),
        _row("10", "an abort is told apart: nothing was sent", "取消成功有专门提示:未上报"),
        _row(
            "11", "a disarm within 5 min or more of the report sends a cancel", "上报后5分钟内撤防即发送取消报告", "M-h"
        ),
        _row("12", "it is told that a cancel was sent", "提示取消报告已发送", "M-h"),
        _row(
            "13",
            "no duress code derived from a code by +1, none twice; per user",
            "胁迫码不得为密码加1,不得重复,按用户设置",
        ),
        _row("14", "cross-zoning with a timer, off by default", "交叉防区(带计时),默认关闭"),
        _row(
            "15",
            "a zone rests after N alarms in one arming (1 to 6, 2 by default)",
            "一次布防内报警N次后停用(1~6次,默认2次)",
        ),
        _row("15 reset", "it counts again after a disarm or 8 h", "撤防或8小时后恢复"),
        _row("16", "the limit can be switched off per zone", "可按防区关闭次数限制", "M-m"),
        _row("17", "a fire alarm is verified by a second look", "火警复核", "M-h", US, Gap.NOT_BUILT),
        _row("18", "call waiting is cancelled before dialling", "拨号前取消呼叫等待", "M-h", US, Gap.NOT_FITTED),
        _row(
            "19",
            "a door open at the end of the exit time: local alarm, entry delay, report unless disarmed",
            "外出延时结束门未关:本地告警并进入延时,未撤防才上报",
        ),
        _row(
            "20",
            "the first alarm within 2 min of the exit time's end reports recent close too",
            "布防后2分钟内首次报警加报近期布防",
        ),
        _row("21", "the entry delay is told", "进入延时有提示", "M-h"),
        _row("22", "a manual panic takes two keys or 2 s", "手动紧急按键须双键或长按2秒", "M-m", gap=Gap.KEYPAD),
        _row("23", "arming from afar is confirmed", "远程布防有确认", "M-m"),
        _row(
            "24",
            "a test mode sends no alarms, ends by itself and reports its end",
            "测试模式不上报警情,自动结束并上报",
            "M-l",
        ),
        _row("25", "a start after a total loss of power alarms for nothing", "完全断电后启动不产生误报", "M-l"),
        _row("26", "the report of lost mains waits", "市电断电延迟上报", "M-l"),
        _row(
            "never held",
            "hold-up, duress and fire: no abort window, no limit, no cross zone",
            "紧急、胁迫、火警不受取消窗口、次数限制、交叉防区影响",
            "D",
        ),
    ),
)


def _confirmed(point: str, en: str, zh: str, mark: str = "S", gap: Gap | None = None) -> Clause:
    return Clause(f"Confirmation {point}", en, zh, "§6", mark, EN, gap)


CONFIRMATION = Standard(
    "Confirmation",
    "Confirmed alarms: BS 8243, DD 243, CLC/TS 50131-9",
    "报警复核:BS 8243、DD 243、CLC/TS 50131-9",
    (
        _confirmed(
            "two detectors",
            "two independent detectors within the time make a confirmed alarm",
            "规定时间内两个独立探测器报警即为复核报警",
        ),
        _confirmed("time", "the confirmation time is 30 to 60 min, set at the panel", "复核时间30~60分钟,在主机上设置"),
        _confirmed(
            "entry",
            "an alarm in an entry delay, or by its end, opens no confirmation",
            "进入延时中或到时的报警不启动复核",
        ),
        _confirmed(
            "reinstatement",
            "without a second signal: set again, what is still active is inhibited, told",
            "到时无第二信号:自动恢复布防,仍触发者旁路,并上报",
        ),
        _confirmed(
            "messages",
            "unverified, verified, reinstated, reinstated with one inhibited: each its message",
            "未复核、已复核、恢复、带旁路恢复分别上报",
        ),
        _confirmed("tamper apart", "tamper is sent as tamper, apart (grades 3 and 4)", "防拆单独上报"),
        _confirmed("not while unset", "no confirmed intruder alarm while unset", "撤防时不产生入侵复核报警"),
        _confirmed("hold-up", "a second hold-up more than 2 min later confirms", "两分钟以后的第二次紧急报警即复核"),
        _confirmed(
            "hold-up tamper", "a hold-up and a tamper of the hold-up device confirm", "紧急报警与该装置防拆共同构成复核"
        ),
        _confirmed("hold-up window", "within 8 h (up to 20 h)", "窗口8小时(至多20小时)", "M-m"),
        _confirmed("hold-up reset", "a confirmed hold-up needs no installer's reset", "紧急复核报警无需安装员复位"),
        _confirmed("second path", "the second signal also arrives: two paths", "第二信号亦须送达:双路径"),
        _confirmed(
            "filtering",
            "the center filters unconfirmed alarms for 120 s at most",
            "中心对未复核报警的过滤不超过120秒",
            gap=Gap.SITE,
        ),
    ),
)

STANDARDS = (CP_01, CONFIRMATION)
