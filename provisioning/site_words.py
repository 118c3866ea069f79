"""The words of a panel file's tables, English and Chinese, and how a table is made."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text as Styled

from firmware.config import Output, Zone
from firmware.language import Text, pick

WORDS: Mapping[str, Text] = {
    "entry-exit": ("entry-exit", "出入口"),
    "follower": ("follower", "跟随"),
    "instant": ("instant", "即时"),
    "day": ("day", "日间"),
    "24-hour": ("24-hour", "24小时"),
    "hold-up": ("hold-up (silent)", "紧急（无声）"),
    "audible-hold-up": ("hold-up (audible)", "紧急（有声）"),
    "duress": ("duress button (silent)", "胁迫按钮（无声）"),
    "tamper": ("tamper", "防拆"),
    "fire": ("fire", "火灾"),
    "gas": ("gas", "燃气"),
    "water": ("water", "漏水"),
    "technical": ("technical", "设备"),
    "medical": ("medical", "医疗求助"),
    "keyswitch": ("keyswitch", "钥匙开关"),
    "maintained-keyswitch": ("maintained keyswitch", "保持式钥匙开关"),
    "checkpoint": ("checkpoint", "巡更点"),
    "monitor": ("monitor only", "仅监视"),
    "contact": ("contact", "触点"),
    "pir": ("PIR", "红外"),
    "button": ("button", "按钮"),
    "loop": ("loop", "回路"),
    "glass-break": ("glass break", "玻璃破碎"),
    "vibration": ("vibration", "震动"),
    "key": ("key", "钥匙"),
    "nc": ("normally closed", "常闭"),
    "no": ("normally open", "常开"),
    "changeover": ("changeover", "转换触点"),
    "single": ("single resistor", "单电阻"),
    "double": ("double resistors", "双电阻"),
    "triple": ("triple resistors", "三电阻"),
    "is-normal": ("normal", "正常"),
    "is-active": ("active", "触发"),
    "is-open": ("cut", "断路"),
    "is-short": ("shorted", "短路"),
    "is-masked": ("masked", "遮挡"),
    "is-fault": ("fault", "故障"),
    "siren": ("siren", "警号"),
    "strobe": ("strobe", "警灯"),
    "armed": ("armed lamp", "布防指示灯"),
    "alarm": ("alarm lamp", "报警指示灯"),
    "buzzer": ("buzzer", "蜂鸣器"),
    "chime": ("chime", "门铃"),
    "relay": ("relay", "继电器"),
    "external": ("outside", "室外"),
    "internal": ("inside", "室内"),
    "high": ("on while high", "高电平动作"),
    "low": ("on while low", "低电平动作"),
}

_HEADS: Mapping[str, Text] = {
    "number": ("No.", "编号"),
    "zone": ("zone", "防区"),
    "type": ("type", "类型"),
    "line": ("line", "接线"),
    "wiring": ("wiring", "接法"),
    "areas": ("areas", "区域"),
    "id": ("GB/T 28181 id", "GB/T 28181 编码"),
    "output": ("output", "输出"),
    "what": ("what", "项目"),
    "where": ("where", "位置"),
    "box": ("box", "机箱"),
    "area": ("area", "区域"),
    "entry": ("entry delay", "进入延时"),
    "exit": ("exit delay", "外出延时"),
    "schedule": ("schedule", "时间表"),
    "part": ("part", "部分布防组"),
    "omits": ("zones that rest", "停用防区"),
    "hours": ("open", "开放时间"),
    "after": ("after closing", "关门之后"),
    "tour": ("tour", "路线"),
    "starts": ("starts", "开始时间"),
    "stops": ("checkpoints", "巡更点"),
}

_FLAGS: Mapping[str, Text] = {
    "soak": ("ON TRIAL: never alarms", "试用：永不报警"),
    "chime": ("chime", "门铃"),
    "forceable": ("forced arming", "可强制布防"),
    "second_entry": ("second entry time", "第二进入时间"),
    "final_door": ("final door", "最终出口门"),
    "supply_cut": ("alarms when its supply is cut", "断电报警"),
}
_NEVER_BYPASSED: Text = ("not bypassable", "不可旁路")
_BYPASSABLE: Text = ("bypassable", "可旁路")
_ENTRY: Text = ("entry delay {seconds} s", "进入延时 {seconds} 秒")
_PULSES: Text = ("{pulses} pulses in {seconds} s", "{seconds} 秒内 {pulses} 次脉冲")
_KNOCK: Text = ("double knock, {seconds} s", "双击计数，{seconds} 秒")
_CROSS: Text = ("cross group {name}", "交叉组 {name}")
_SWINGER: Text = ("rests after {trips} alarms", "{trips} 次报警后停用")
_NO_SWINGER: Text = ("never rests", "永不停用")
_NO_ABORT: Text = ("reported at once", "立即上报")
_NO_RESTORE: Text = ("its end is not reported", "不报恢复")
_DETECTOR: Text = ("detector {name}", "探测器 {name}")
_DELAY: Text = ("after {seconds} s", "延时 {seconds} 秒")
_LIMIT: Text = ("at most {seconds} s", "至多 {seconds} 秒")
_FOLLOWS: Text = ("follows {name}", "跟随 {name}")
_PULSE: Text = ("for {seconds} s", "持续 {seconds} 秒")


def notes(zone: Zone) -> list[str]:
    """What is special about a zone, beyond its type."""
    said = [pick(text) for key, text in _FLAGS.items() if getattr(zone, key)]
    if zone.bypassable is not None:
        said.append(pick(_BYPASSABLE if zone.bypassable else _NEVER_BYPASSED))
    if zone.entry_delay_s is not None:
        said.append(pick(_ENTRY, seconds=zone.entry_delay_s))
    if zone.pulses > 1:
        said.append(pick(_PULSES, pulses=zone.pulses, seconds=zone.pulse_window_s))
    if zone.double_knock:
        said.append(pick(_KNOCK, seconds=zone.pulse_window_s))
    if zone.cross_group:
        said.append(pick(_CROSS, name=zone.cross_group))
    if zone.swinger_trips is not None:
        said.append(pick(_SWINGER, trips=zone.swinger_trips) if zone.swinger_trips else pick(_NO_SWINGER))
    if not zone.abort:
        said.append(pick(_NO_ABORT))
    if not zone.report_restore:
        said.append(pick(_NO_RESTORE))
    if zone.detector:
        said.append(pick(_DETECTOR, name=zone.detector))
    return said


def output_notes(output: Output) -> list[str]:
    """What is special about an output, beyond its kind."""
    said = []
    if output.delay_s:
        said.append(pick(_DELAY, seconds=output.delay_s))
    if output.limit_s:
        said.append(pick(_LIMIT, seconds=output.limit_s))
    if output.follows:
        said.append(pick(_FOLLOWS, name=output.follows))
        if output.follows.startswith("event:"):
            said.append(pick(_PULSE, seconds=output.pulse_s))
    return said


def new_table(title: Text, *heads: str) -> Table:
    """An empty table with these columns."""
    table = Table(title=pick(title), title_justify="left", show_lines=True)
    for head in heads:
        table.add_column(pick(_HEADS[head]), overflow="fold", no_wrap=head == "id")
    return table


def add_row(table: Table, *cells: str) -> None:
    """A row of plain text: a name may hold square brackets, which rich would take for markup."""
    table.add_row(*(Styled(cell) for cell in cells))
