"""What `fenghuo desk` says, English and Chinese."""

from collections.abc import Mapping

from firmware.language import Text

ABOUT = "Play the installer's fingers on a simulated panel. 在模拟主机上充当安装人员的双手。"

HELP: Mapping[str, str] = {
    "dir": "Folder of panel.toml. panel.toml 所在目录。",
    "json": "Print JSON. 以 JSON 输出。",
    "open": "Trip a zone: door open, person in view. 触发防区:开门、有人。",
    "close": "Bring a zone to rest. 防区复位。",
    "cut": "Cut a zone's cable. 剪断防区线路。",
    "short": "Short-circuit a zone's cable. 短接防区线路。",
    "mask": "Cover a detector's eye. 遮挡探测器。",
    "unpowered": "Cut a detector's supply. 切断探测器供电。",
    "press": "Press a button and let it go. 按下并松开按钮。",
    "code": "Type a code at the keypad, as 1234#. 在键盘上输入密码,如 1234#。",
    "mains": "Switch the mains. 接通或断开市电。",
    "battery": "Set what the battery shows, in volts; auto: as a well one. 设置蓄电池电压(伏);auto:正常电池。",
    "board": "Let the board be well, supplied too low, or too hot. 主板正常、欠压或过热。",
    "volts": "Volts, as 11.4, or auto. 伏特,如 11.4,或 auto。",
    "loaded": "Volts under the load test. 负载测试时的电压。",
    "ma": "Milliamperes, positive while it discharges. 毫安,放电为正。",
    "celsius": "Its temperature. 温度。",
    "status": "Show zones, lines and outputs. 显示防区、线路和输出。",
    "watch": "Show what happens until Ctrl-C. 显示发生的事件,按 Ctrl-C 结束。",
    "zone": "Zone id of the panel file. 配置文件中的防区 id。",
    "hold-ms": "How long, 1 to 60000 ms. 按住时长,1 至 60000 毫秒。",
    "wish": "What the code is for. 密码用途。",
    "area": "An area; may be repeated. 分区,可重复。",
    "keypad": "At which keypad it is typed. 在哪个键盘上输入。",
    "part": "With --wish arm: the part set. 与 --wish arm 同用:部分布防方式。",
    "instant": "With --wish arm: no entry delay. 与 --wish arm 同用:无进入延时。",
    "override": "With --wish arm: whatever stands in the way, if the user may. 与 --wish arm 同用:强制布防。",
    "quiet": "With --wish walk-test: without chime. 与 --wish walk-test 同用:静音步测。",
    "hold-up": "With --wish walk-test: hold-up buttons too (installers). 与 --wish walk-test 同用:含紧急按钮(安装员)。",
}

NO_FILE: Text = (
    "There is no {path}. Name the folder of a panel with --dir, or start one with `fenghuo demo --stay`.",
    "没有 {path}。请用 --dir 指定主机目录,或用 `fenghuo demo --stay` 启动一台。",
)
BAD_FILE: Text = ("{path} can't be used: {why}", "无法使用 {path}:{why}")
NOT_SIMULATED: Text = (
    '{path} says pins = "{pins}": the desk moves simulated pins only (pins = "simulated").',
    '{path} 中 pins = "{pins}":desk 只能操作模拟引脚(pins = "simulated")。',
)
NOT_RUNNING: Text = (
    "The panel in {folder} is not running; start it with `fenghuo demo --stay --dir {folder}`.",
    "{folder} 中的主机未运行;请用 `fenghuo demo --stay --dir {folder}` 启动。",
)
KEPT: Text = (
    "The panel is not running: the simulated site was changed, and the panel will find it so when it starts.",
    "主机未运行:模拟现场已更改,主机启动时会发现这一变化。",
)
LOST: Text = ("The panel closed the connection: {why}", "主机关闭了连接:{why}")
SILENT: Text = ("The panel did not answer within {seconds} s.", "主机在 {seconds} 秒内没有应答。")
MOVED: Text = ("{zone}: {position}", "{zone}:{position}")
PRESSED: Text = ("{zone}: pressed for {hold_ms} ms", "{zone}:按下 {hold_ms} 毫秒")
MAINS: Text = ("Mains: {state}", "市电:{state}")
SUPPLY: Text = ("Supply: {values}", "供电:{values}")
TYPED: Text = ("Code typed.", "密码已输入。")
NO_REPLY: Text = ("The keypad showed nothing within {seconds} s.", "键盘在 {seconds} 秒内没有显示。")
KEYPAD: Text = ("Keypad: {notice}", "键盘:{notice}")
BLIND: Text = (
    "Wiring {wiring} can't tell: a {position} line reads {seen} there. Changeover wiring would show it.",
    "{wiring} 接法无法分辨:{position} 的线路读作 {seen}。改用 changeover 接法即可识别。",
)
WATCHING: Text = ("Watching; Ctrl-C ends.", "正在监看;按 Ctrl-C 结束。")
USAGE: Text = ("{why} (see `fenghuo desk --help`)", "{why}(参见 `fenghuo desk --help`)")

REFUSED: Mapping[str, Text] = {
    "unknown-zone": ("There is no zone {zone}. Zones: {known}", "没有防区 {zone}。现有防区:{known}"),
    "already-pressed": ("{zone} is pressed already.", "{zone} 已被按下。"),
    "too-many-presses": ("{limit} buttons are pressed already; let one go.", "已按下 {limit} 个按钮,请先松开。"),
    "not-written": ("The simulated site can't be written: {error}", "无法写入模拟现场:{error}"),
}
OTHERWISE: Text = ("The panel refused: {reason}", "主机拒绝:{reason}")

COLUMNS: Mapping[str, Text] = {
    "zone": ("Zone", "防区"),
    "wiring": ("Wiring", "接法"),
    "position": ("Position", "位置"),
    "levels": ("Levels", "电平"),
    "condition": ("Condition", "状态"),
    "short": ("Short pulses", "短脉冲"),
    "output": ("Output", "输出"),
    "on": ("At the pin", "引脚实况"),
    "wanted": ("Wanted", "应为"),
    "error": ("Error", "错误"),
    "area": ("Area", "分区"),
    "state": ("State", "状态"),
    "alarm": ("Alarm", "报警"),
    "memory": ("Alarm memory", "报警记忆"),
    "part": ("Part", "部分布防"),
    "marks": ("Out", "停用"),
}
FULL: Text = ("in full", "全部")
INSTANT: Text = ("instant", "无延时")
MARKS: Mapping[str, Text] = {
    "bypassed": ("bypassed", "旁路"),
    "isolated": ("isolated", "隔离"),
    "shut_down": ("shut down", "停用"),
}
INDICATION: Text = ("{number}. {kind}: {place}", "{number}. {kind}:{place}")
INDICATIONS: Text = ("Indications, until somebody resets them:", "报警指示(待复位):")
ZONE: Text = ("zone {number} {name} ({areas})", "防区 {number} {name}({areas})")
WALK_TEST: Text = ("A walk test runs.", "步测进行中。")
INSTALLER: Text = ("An installer is at work.", "安装员正在操作。")
MEMORY: Text = ("Troubles that were, until somebody resets them: {troubles}", "故障记忆(待复位):{troubles}")
ALARM: Text = ("ALARM", "报警")
ON: Text = ("on", "开")
OFF: Text = ("off", "关")
TROUBLES: Text = ("Troubles: {troubles}", "故障:{troubles}")
