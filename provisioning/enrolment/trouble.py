"""What can go wrong with an enrolment, in words: each reason with what to do about it."""

from firmware.language import Text, pick

EXIT_REFUSED, EXIT_WRONG = 1, 2

_TEXTS: dict[str, Text] = {
    # from the center
    "wrong-code": (
        "the center does not take this code for this panel's id. Compare it letter by letter; wrong ones are counted",
        "中心不接受本主机编号的此注册码。请逐字核对；错误次数会被统计",
    ),
    "expired": ("the code has expired: ask the center for a new one", "注册码已过期：请向中心索取新码"),
    "used": (
        "this code was used by another request. If that was not you: tell the center at once, to revoke what it issued",
        "此注册码已被另一请求使用。若非您本人操作，请立即通知中心吊销其签发的证书",
    ),
    "too-many": (
        "the center closed this invitation after too many wrong codes: ask for a new one",
        "错误次数过多，中心已关闭此邀请：请索取新码",
    ),
    "no-code": ("the center asks for a code", "中心要求提供注册码"),
    "malformed": ("the center does not understand our request: {detail}", "中心无法理解请求：{detail}"),
    "unreached": ("the center at {url} is not reached: {detail}", "无法连接中心 {url}：{detail}"),
    "nonsense": ("{url} answered something else than a center does: {detail}", "{url} 的应答不符合预期：{detail}"),
    # the answer
    "not-ours": (
        "this answer does not count: {detail}. Nothing was put in place",
        "此应答无效：{detail}。未作任何更改",
    ),
    "bad-mac": (
        "this answer was not made by somebody who has the code: nothing was put in place. Who sits in between?",
        "此应答并非由持有注册码的一方生成：未作任何更改。请检查中间网络",
    ),
    "nothing-waits": (
        "no request waits here: make one by fenghuo enroll request, or fenghuo enroll --center URL",
        "没有待应答的请求：请先运行 fenghuo enroll request 或 fenghuo enroll --center URL",
    ),
    "fingerprint": (
        "not the fingerprint of this answer: nothing was put in place",
        "指纹与此应答不符：未作任何更改",
    ),
    "no-fingerprint": (
        "an answer without a code needs the fingerprint that the center reads out: --fingerprint",
        "无注册码的应答需要核对中心读出的指纹：--fingerprint",
    ),
    "client-ca": (
        "this center signs panels' certificates by another CA than its brokers': add"
        ' client_ca = "keys/panel-ca.pem" to tls of path {path}, then run this again',
        '该中心为主机和代理使用不同的 CA：请在路径 {path} 的 tls 中加入 client_ca = "keys/panel-ca.pem"，然后重试',
    ),
    # here
    "another": (
        "another fenghuo enroll is at work on this path, or the unattended service: wait, or stop that",
        "另一个 fenghuo enroll（或无人值守服务）正在处理此路径：请等待或先停止它",
    ),
    "no-path": (
        "{file} has no path by MQTT with tls = {{ ca, certificate, key }}: nothing to enrol",
        "{file} 中没有带 tls = {{ ca, certificate, key }} 的 MQTT 路径：无需注册",
    ),
    "unknown-path": (
        "--path {path}: not a path by MQTT with tls of {file}; expected {known}",
        "--path {path}：不是 {file} 中带 tls 的 MQTT 路径；应为 {known}",
    ),
    "cant-write": (
        "{file} can't be written: {detail}. What was in force still is",
        "无法写入 {file}：{detail}。原有身份仍然有效",
    ),
    "core": ("core's key: {detail}", "core 密钥：{detail}"),
    "code-length": ("a code has 20 letters and a check character", "注册码为 20 个字符加 1 个校验字符"),
    "code-letter": ("a character that is in no code", "含有注册码中不会出现的字符"),
    "code-check": ("the check character does not fit: a slip?", "校验字符不符：是否有误？"),
    "no-terminal": (
        "the code is asked for at a terminal; a script gives it with --code-file FILE (or -)",
        "注册码须在终端输入；脚本请使用 --code-file 文件（或 -）",
    ),
    "option": ("{option}: {detail}", "{option}：{detail}"),
}
FROM_CENTER = frozenset({"wrong-code", "expired", "used", "too-many", "no-code", "malformed"})
"""Reasons that a center gives; trying again would not help."""


class Trouble(Exception):
    """The enrolment does not go on. `again`: trying later may help. `code`: the exit code."""

    def __init__(self, reason: str, again: bool = False, code: int = EXIT_REFUSED, **values: object) -> None:
        self.reason = reason
        self.again = again
        self.code = code
        super().__init__(pick(_TEXTS[reason], **values))
