"""What `fenghuo enroll` says when things go well, in English and Chinese."""

from firmware.language import Text, pick

_TEXTS: dict[str, Text] = {
    "code": ("One-time code of the center: ", "中心的一次性注册码："),
    "asks": ("panel {panel} asks {url} for a certificate", "主机 {panel} 正在向 {url} 申请证书"),
    "again-in": ("{why}; again in {seconds} s", "{why}；{seconds} 秒后重试"),
    "done": ("panel {panel} is enrolled: certificate of {paths} until {until}",
             "主机 {panel} 已注册：{paths} 的证书有效期至 {until}"),
    "was": ("panel {panel} is enrolled already, until {until}; --again enrols it anew",
            "主机 {panel} 已注册，有效期至 {until}；使用 --again 重新注册"),
    "recorded": ("recorded in the journal", "已记入日志"),
    "recorded-later": ("core does not run: it records this when it starts", "core 未运行：将在启动时记入日志"),
    "not-recorded": ("there is no record of it: core neither runs nor is at rest", "未作记录：core 未在运行，也未停止"),
    "uplink": ("The uplink uses it from its next connection on", "上行进程将在下次连接时使用"),
    "dry": ("would ask {url} for panel {panel}; key {key}, certificate {certificate}, CA {ca} would be written",
            "将为主机 {panel} 向 {url} 申请；将写入密钥 {key}、证书 {certificate}、CA {ca}"),
    "would": ("this answer counts: panel {panel} would be enrolled until {until} ({paths})",
              "应答有效：主机 {panel} 将注册至 {until}（{paths}）"),
    "dry-waits": ("a request of {made} waits and would be sent again", "{made} 的请求仍在等待，将再次发送"),
    "address": ("the center's broker: {host}:{port}", "中心代理：{host}:{port}"),
    "differs": ("The center's keys are others than those of the panel file:", "中心密钥与配置文件不同："),
    "take": ("Put the center's keys into the panel file?", "是否将中心密钥写入配置文件？"),
    "taken": ("{file} has the center's keys now; the one before is {file}.old",
              "{file} 已写入中心密钥；原文件为 {file}.old"),
    "not-taken": ("The file was left as it is: without these keys no receipt counts. --take-keys puts them in",
                  "配置文件未改动：没有这些密钥，回执无效。使用 --take-keys 写入"),
    "request-file": ("request written: {file}", "请求已写入：{file}"),
    "carry": ("Take it to the center, and its answer back: fenghuo enroll answer FILE",
              "请送交中心，取回应答后运行：fenghuo enroll answer 文件"),
    "read-out": ("Read this fingerprint out to the center: {fingerprint}", "请向中心读出此指纹：{fingerprint}"),
    "part": ("Part {number} of {count}", "第 {number}/{count} 段"),
    "next": ("Enter for the next one ", "按回车显示下一段 "),
    "paste": ("Scan or paste the parts of the answer, one a line", "请扫描或粘贴应答分段，每行一段"),
    "got": ("part {number} of {count}; missing: {missing}", "第 {number}/{count} 段；尚缺：{missing}"),
    "type": ("Fingerprint of the answer, as the center reads it out: ", "应答指纹（由中心读出）："),
    "enrolled": ("panel {panel}: enrolled, until {until} ({paths})",
                 "主机 {panel}：已注册，有效期至 {until}（{paths}）"),
    "ended": ("panel {panel}: its certificate has ended {until}", "主机 {panel}：证书已于 {until} 到期"),
    "none": ("panel {panel}: not enrolled", "主机 {panel}：未注册"),
    "waits": ("a request of {made} waits for its answer", "{made} 的请求正在等待应答"),
}  # fmt: skip


def say(name: str, **values: object) -> str:
    """A text of this page."""
    return pick(_TEXTS[name], **values)


def text(name: str) -> Text:
    """The pair, for who asks."""
    return _TEXTS[name]
