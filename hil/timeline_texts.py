"""The words of the demo's timeline, English and Chinese."""

from firmware.language import Text

WHO: dict[str, Text] = {
    "demo": ("demo", "演示"),
    "hand": ("site", "现场"),
    "keypad": ("keypad", "键盘"),
    "core": ("core", "核心"),
    "siren": ("siren", "警号"),
    "strobe": ("strobe", "频闪灯"),
    "armed": ("lamp", "布防灯"),
    "alarm": ("alarm lamp", "报警灯"),
    "buzzer": ("buzzer", "蜂鸣器"),
    "chime": ("chime", "门铃"),
    "relay": ("relay", "继电器"),
    "camera": ("camera", "摄像机"),
    "uplink": ("uplink", "上传"),
    "center": ("center", "报警中心"),
}

CONDITIONS: dict[str, Text] = {
    "normal": ("at rest", "正常"),
    "active": ("tripped", "触发"),
    "open": ("line cut", "线路断路"),
    "short": ("line shorted", "线路短路"),
    "masked": ("masked", "被遮挡"),
    "fault": ("not readable", "无法读取"),
}

POSITIONS: dict[str, Text] = {
    "open": ("{zone}: opened, or somebody comes into view", "{zone}:被打开或有人进入视野"),
    "close": ("{zone}: back at rest", "{zone}:恢复原位"),
    "cut": ("{zone}: its line is cut", "{zone}:线路被剪断"),
    "short": ("{zone}: its line is shorted", "{zone}:线路被短接"),
}

TELLS: dict[str, Text] = {
    "exit-started": ("beeps: leave within {seconds} s", "提示音:请在 {seconds} 秒内离开"),
    "entry-started": ("beeps: enter the code within {seconds} s", "提示音:请在 {seconds} 秒内输入密码"),
}
"""Where the timeline says more than `rules.notices`."""

LINES: dict[str, Text] = {
    "press": ("{zone}: somebody presses the button", "{zone}:有人按下按钮"),
    "code": ("a code is typed ({wish})", "输入密码({wish})"),
    "condition": ("{zone}: {condition}", "{zone}:{condition}"),
    "on": ("{name} ON", "{name} 启动"),
    "off": ("{name} off, after {seconds} s", "{name} 停止,持续 {seconds} 秒"),
    "record": ("records: {kind}{about}", "记录:{kind}{about}"),
    "capture": ("is asked for pictures of incident {incident}", "收到抓拍请求,事件 {incident}"),
    "pictures-person": ("{count} pictures saved, a person is in view ({percent} %)",
                        "已保存 {count} 张图像,画面中有人({percent}%)"),
    "pictures": ("{count} pictures saved, nobody recognised ({percent} %)",
                 "已保存 {count} 张图像,未识别到人({percent}%)"),
    "tell": ("shows: {notice}", "显示:{notice}"),
    "trouble": ("trouble: {name}", "故障:{name}"),
    "stored": ("holds: {kind} ({lane} {lane_seq}, seq {seq})", "已入库:{kind}({lane} {lane_seq},序号 {seq})"),
    "receipt": ("signed receipt for {ranges}", "签名回执:{ranges}"),
    "online": ("the panel is online", "主机上线"),
    "offline": ("the panel is offline", "主机离线"),
    "command": ("signed command to the panel: {command} (no. {counter})",
                "向主机发出签名命令:{command}(第 {counter} 号)"),
    "reply-done": ("the panel's signed reply: done", "主机签名答复:已执行"),
    "reply-refused": ("the panel's signed reply: refused, {reason}", "主机签名答复:拒绝,{reason}"),
    "garbage": ("refused something that does not fit: {reason}", "拒绝不合规内容:{reason}"),
    "rival": ("received a record that contradicts another", "收到相互矛盾的记录"),
    "step": ("{text}", "{text}"),
}  # fmt: skip

AFTER: dict[str, Text] = {
    "hand": ("{ms} ms after the hand, debounce included", "动作后 {ms} 毫秒(含去抖)"),
    "trip": ("{ms} ms after the detector tripped", "探测器触发后 {ms} 毫秒"),
    "entry": ("{ms} ms after the entry delay ended", "进入延时结束后 {ms} 毫秒"),
    "code": ("{ms} ms after the code", "输入密码后 {ms} 毫秒"),
    "command": ("{ms} ms after the command", "命令发出后 {ms} 毫秒"),
    "record": ("{ms} ms after it happened", "事件发生后 {ms} 毫秒"),
    "alarm": ("{ms} ms after the alarm", "报警后 {ms} 毫秒"),
}

LATENCIES: dict[str, Text] = {
    "hand-condition": ("hand → zone tripped (debounce 300 ms by the panel file)", "动作 → 防区触发(含 300 毫秒去抖)"),
    "trip-siren": ("zone tripped → siren pin on", "防区触发 → 警号引脚动作"),
    "entry-siren": ("end of entry delay → siren pin on", "进入延时结束 → 警号引脚动作"),
    "alarm-stored": ("alarm → held by the center", "报警 → 中心入库"),
    "alarm-receipt": ("alarm → signed receipt sent", "报警 → 中心发出签名回执"),
    "status-receipt": ("other record → signed receipt sent", "其他记录 → 中心发出签名回执"),
    "picture-stored": ("pictures recorded → held by the center", "图像记录 → 中心入库"),
    "command-off": ("silence command → siren pin off", "静音命令 → 警号引脚关闭"),
    "command-reply": ("command → signed reply", "命令 → 签名答复"),
    "code-off": ("disarming code → output off", "撤防密码 → 输出关闭"),
}
