"""What the center's side of an enrolment says to its operator, in English and Chinese."""

from firmware.language import Text, pick

_TEXTS: dict[str, Text] = {
    "invited": ("{code}\nThe code of panel {panel}, shown this once. It counts until {expires}, for one enrolment.",
                "{code}\n主机 {panel} 的注册码,仅显示一次;有效期至 {expires},仅可使用一次。"),
    "listening": ("enrolment: {url}", "注册服务:{url}"),
    "answered": ("panel {panel} is admitted; its answer is in {file}", "主机 {panel} 已准入;应答在 {file}"),
    "read-out": ("Read this out to the technician at the panel: {fingerprint}", "请向现场技术员读出指纹:{fingerprint}"),
    "type": ("Fingerprint of panel {panel}'s request, as the technician reads it out",
             "主机 {panel} 请求的指纹(由技术员读出)"),
    "panel": ("panel", "主机"), "standing": ("standing", "状态"), "made": ("made", "生成"),
    "expires": ("expires", "到期"), "wrong": ("wrong codes", "错误次数"),
}  # fmt: skip
_STANDINGS: dict[str, Text] = {
    "open": ("open", "待注册"), "used": ("enrolled", "已注册"),
    "expired": ("expired", "已过期"), "closed": ("closed: too many wrong codes", "错误次数过多,已关闭"),
}  # fmt: skip
_DECLINED: dict[str, Text] = {
    "malformed": ("this is no request of a panel, or it is damaged", "不是有效的注册请求,或已损坏"),
    "wrong-code": ("the panel's code is not that of an open invitation", "注册码与有效邀请不符"),
    "used": ("the code was used by another request; if that was not this panel, revoke what was issued",
             "注册码已被另一请求使用;若非本主机所为,请吊销已签发证书"),
    "expired": ("the code has expired: invite anew", "注册码已过期,请重新邀请"),
    "too-many": ("closed after too many wrong codes: invite anew", "错误次数过多,已关闭,请重新邀请"),
    "no-code": ("the request carries no code", "请求未带注册码"),
    "fingerprint": ("not the fingerprint of this request: nothing was issued", "指纹不符:未签发任何证书"),
    "busy": ("the store is busy or full: nothing was issued", "数据库忙或已满:未签发任何证书"),
}  # fmt: skip


def say(name: str, **values: object) -> str:
    """A text of this page."""
    return pick(_TEXTS[name], **values)


def declined(reason: str) -> str:
    """Why a request is not answered."""
    return pick(_DECLINED[reason])


def standing(name: str) -> str:
    """What became of an invitation."""
    return pick(_STANDINGS[name])
