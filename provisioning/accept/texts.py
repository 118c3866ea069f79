"""The words of an acceptance run: what to do, what was seen, why not; for the terminal and for the report."""

from collections.abc import Mapping

from firmware.language import Text

DO: Mapping[str, Text] = {
    "trip": ("Trip zone {number} {subject} ({name})", "请触发防区 {number} {subject}（{name}）"),
    "seen": ("Trip zone {number} {subject} ({name})", "请触发防区 {number} {subject}（{name}）"),
    "key": (
        "Turn the key {number} {subject} ({name})",
        "请转动钥匙 {number} {subject}（{name}）",
    ),
    "cut": (
        "Open the line of zone {number} {subject} ({name}): take a wire off",
        "请断开防区 {number} {subject}（{name}）的线路",
    ),
    "short": ("Short the line of zone {number} {subject} ({name})", "请短接防区 {number} {subject}（{name}）的线路"),
    "unpowered": (
        "Cut the supply of the detector {number} {subject} ({name})",
        "请切断探测器 {number} {subject}（{name}）的电源",
    ),
    "mask": ("Cover the detector {number} {subject} ({name})", "请遮挡探测器 {number} {subject}（{name}）"),
    "box": ("Open the cabinet {subject} ({name})", "请打开机箱 {subject}（{name}）"),
    "mains": ("Switch the mains off", "请断开市电"),
    "battery": ("The battery's load test runs, up to {seconds} s", "正在进行蓄电池负载测试，最长 {seconds} 秒"),
    "siren": ("The sirens sound now", "警号即将鸣响"),
    "camera": ("Camera {subject} ({name}) takes pictures", "摄像机 {subject}（{name}）正在抓拍"),
    "path": ("Cut the path {subject} to the center", "请断开通往中心的路径 {subject}"),
    "response": (
        "Trip zone {number} {subject} ({name}): {done} of {wanted}",
        "请触发防区 {number} {subject}（{name}）：{done}/{wanted}",
    ),
    "receipts": ("Every record of this run is looked for at the center", "正在核对本次全部记录的中心回执"),
}
UNDO: Mapping[str, Text] = {
    "trip": ("Bring it to rest", "请恢复"),
    "seen": ("Bring it to rest", "请恢复"),
    "key": ("Turn it back: all has to be disarmed", "请转回钥匙，使全部撤防"),
    "line": ("Bring the line in order", "请恢复线路"),
    "box": ("Close it", "请关闭"),
    "mains": ("Switch the mains on", "请接通市电"),
    "path": ("Connect the path {subject} again", "请恢复路径 {subject}"),
    "response": ("Bring it to rest", "请恢复"),
}
CONFIRM: Text = ("then press Enter", "然后按回车键")
HEARD: Text = (
    "Did each of these sound: {outputs}? y, or n and what was wrong",
    "以下警号是否均鸣响：{outputs}？y，或 n 加说明",
)
HOURS: Text = (
    "Hours that the standby supply lasted under the real load, measured (w REASON to waive)",
    "备用电源在实际负载下实测小时数（w 加理由可豁免）",
)
HOURS_OR: Text = (
    "The standby supply lasts {hours:g} h, worked out of {capacity_mah} mAh and {load_ma} mA: Enter takes it. "
    "Or the hours that it lasted under the real load, measured (w REASON to waive)",
    "按 {capacity_mah} mAh 与 {load_ma} mA 计算，备用电源可维持 {hours:g} 小时：回车采用。"
    "或输入实际负载下实测小时数（w 加理由可豁免）",
)
KEYS: Text = (
    "At any time: w REASON waives the step, f REASON fails it, q stops (the run can go on later)",
    "随时：w 理由 豁免本步，f 理由 判定不合格，q 停止（可稍后继续）",
)
AGAIN: Text = (
    "Not passed: {why}. Enter tries it again, w REASON waives it, f leaves it failed",
    "未通过：{why}。回车重试，w 理由 豁免，f 保留不合格",
)
NOT_A_NUMBER: Text = ("expected hours, as 9.5", "应为小时数，如 9.5")
ANY_CODE: Text = ("Your code (installer, or a user who may let one in): ", "您的密码（安装员或可授权安装员的用户）：")
CAUSE_NEEDED: Text = ("a cause is needed: f CAUSE", "须说明原因：f 原因")
REASON_NEEDED: Text = ("a reason is needed: w REASON", "须说明理由：w 理由")
OUTCOMES: Mapping[str, Text] = {
    "passed": ("passed", "合格"),
    "failed": ("FAILED", "不合格"),
    "waived": ("waived", "豁免"),
    "open": ("not done", "未做"),
}
WHY: Mapping[str, Text] = {
    "not-seen": ("the panel did not record it within {seconds:g} s", "主机在 {seconds:g} 秒内未记录"),
    "not-restored": ("it did not come to rest within {seconds:g} s", "{seconds:g} 秒内未恢复"),
    "no-receipt": ("no receipt of the center within {seconds:g} s", "{seconds:g} 秒内无中心回执"),
    "late": ("{found} ms, at most {most} ms", "{found} 毫秒，限值 {most} 毫秒"),
    "few": ("{found} samples, at least {least}", "样本 {found} 个，至少 {least} 个"),
    "short": ("{found:g} h, at least {least:g} h", "{found:g} 小时，至少 {least:g} 小时"),
    "said-no": ("the tester said no: {what}", "测试人员否定：{what}"),
    "outputs": ("not switched: {what}", "未能启动：{what}"),
    "battery": ("the battery failed: {what}", "蓄电池未通过：{what}"),
    "picture": ("no usable picture: {what}", "无可用图像：{what}"),
    "wrong-path": ("carried by {found}, expected {expected}", "经由 {found}，应为 {expected}"),
    "missing": ("{found} of {made} records have no receipt", "{made} 条记录中 {found} 条无回执"),
    "refused": ("{what}", "{what}"),
}
NAMES: Mapping[str, Text] = {
    "trip": ("zone {number} {subject}: tripped", "防区 {number} {subject}：触发"),
    "seen": ("zone {number} {subject}: seen active", "防区 {number} {subject}：动作可见"),
    "key": ("key {number} {subject}", "钥匙 {number} {subject}"),
    "cut": ("zone {number} {subject}: line open", "防区 {number} {subject}：断路"),
    "short": ("zone {number} {subject}: line shorted", "防区 {number} {subject}：短路"),
    "unpowered": ("zone {number} {subject}: no supply", "防区 {number} {subject}：断电"),
    "mask": ("zone {number} {subject}: covered", "防区 {number} {subject}：遮挡"),
    "box": ("cabinet {subject}: opened", "机箱 {subject}：打开"),
    "mains": ("mains lost and back", "市电断开与恢复"),
    "battery": ("battery load test", "蓄电池负载测试"),
    "standby": ("standby time", "备用电源时间"),
    "siren": ("sirens", "警号"),
    "camera": ("camera {subject}", "摄像机 {subject}"),
    "path": ("path {subject} lost and back", "路径 {subject} 中断与恢复"),
    "response": ("response time", "响应时间"),
    "receipts": ("every record receipted", "全部记录均有回执"),
}
