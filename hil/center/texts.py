"""What `fenghuo center` says to an operator, in English and Chinese."""

from firmware.language import Text, pick

TEXTS: dict[str, Text] = {
    "running": ("center on {broker}, store in {folder}; Ctrl-C ends it",
                "报警中心已连接 {broker},数据在 {folder};按 Ctrl-C 结束"),
    "keys": ("its keys for [center] of a panel file: receipt_keys {receipt}, command_keys {command}",
             "写入主机配置 [center] 的公钥:receipt_keys {receipt},command_keys {command}"),
    "root": ("root_keys of panel files: {x}", "写入主机配置 root_keys:{x}"),
    "ended": ("ended: {records} records are held of {panels} panels", "已结束:共 {panels} 台主机、{records} 条记录"),
    "no-reply": ("no reply within {seconds} s; command.done or command.refused {counter} will tell",
                 "{seconds} 秒内没有回复;结果将由 command.done 或 command.refused({counter})给出"),
    "bad-panel": ("--panel {found!r}: expected ID=core.jwk, {detail}", "--panel {found!r}:应为 编号=core.jwk,{detail}"),
    "bad-folder": ("--panels {found}: no such folder", "--panels {found}:目录不存在"),
    "no-store": ("no center's store in {folder}", "{folder} 中没有报警中心数据"),
    "no-panel": ("no panel {panel} in this store", "数据中没有主机 {panel}"),
    "no-alarms": ("no alarm waits", "没有待处理警情"),
    "no-gaps": ("nothing is missing", "没有缺口"),
    "acknowledged": ("{n} alarms acknowledged", "已确认 {n} 条警情"),
    "no-picture": ("no such picture: {detail}", "没有该图像:{detail}"),
    "not-whole": ("the picture did not arrive whole: {detail}", "图像未完整到达:{detail}"),
    "fetched": ("{held} of {total} bytes", "{held}/{total} 字节"),
    "done": ("done: {command}", "已执行:{command}"),
    "refused": ("refused: {why}", "被拒绝:{why}"),
    "in-the-way": ("in the way: {reasons}", "障碍:{reasons}"),
    "panel": ("panel", "主机"), "standing": ("standing", "状态"), "beat": ("heartbeat", "心跳"),
    "journal": ("journal", "日志"), "head": ("head", "最新"), "held": ("held", "已存"),
    "verified": ("verified to", "已验证至"), "vouched": ("signed to", "已签名至"), "missing": ("missing", "缺失"),
    "alarms": ("alarms", "警情"), "findings": ("findings", "发现的问题"), "troubles": ("troubles", "故障"),
    "counts": ("counts", "计数"), "time": ("time", "时间"), "kind": ("kind", "类型"), "zone": ("zone", "防区"),
    "areas": ("areas", "分区"), "incident": ("incident", "事件号"), "note": ("note", "备注"),
    "seen": ("seen", "确认"), "gap": ("seq", "序号"), "what": ("what", "内容"), "detail": ("detail", "详情"),
    "silent": ("silent", "静默"),
    "online": ("online", "在线"), "offline": ("offline", "离线"), "missed": ("no heartbeat", "心跳丢失"),
    "waiting": ("waiting", "等待"), "ago": ("{s} s ago", "{s} 秒前"), "never": ("not yet", "尚无"),
    "cancelled": ("cancelled by user", "用户已取消"), "person": ("person in view", "画面有人"),
    "more": ("{n} more panels", "另有 {n} 台主机"),
}  # fmt: skip

REASONS: dict[str, Text] = {
    "malformed": ("the panel could not read the command", "主机无法解析命令"),
    "unsigned": ("the command carries no signature that counts", "命令没有有效签名"),
    "unknown-key": ("the panel does not know this center's command key (command_keys of its file)",
                    "主机不认识本中心的命令密钥(见主机配置 command_keys)"),
    "bad-signature": ("the signature does not fit", "签名不符"),
    "wrong-type": ("signed as something else than a command", "签名类型不是命令"),
    "wrong-panel": ("the command names another panel", "命令指向另一台主机"),
    "stale": ("the heartbeat that it rests on is too old: is the link down?", "命令所依据的心跳已过期:链路是否中断?"),
    "replayed": ("its counter was used before", "命令计数器已使用过"),
    "bad-counter": ("its counter is out of range", "命令计数器超出范围"),
    "busy": ("the panel is busy: send it again", "主机忙:请重新发送"),
    "arming-refused": ("arming refused", "布防被拒绝"),
    "unknown-area": ("the panel has no such area", "主机没有该分区"),
    "unknown-part": ("the panel has no such part set", "主机没有该部分布防方式"),
    "unknown-zone": ("the panel has no such zone", "主机没有该防区"),
    "not-allowed": ("not allowed to an operator", "值班员无权执行"),
    "not-bypassable": ("this zone may not be bypassed", "该防区不可旁路"),
    "area-armed": ("its area is armed", "所在分区已布防"),
    "nothing-to-postpone": ("no automatic arming is near", "没有即将进行的自动布防"),
    "unknown-picture": ("the panel's journal names no such picture", "主机日志中没有该图像"),
    "unknown-host": ("the panel may not put pictures there (picture_hosts of its file)",
                     "主机不得向该地址上传图像(见 picture_hosts)"),
    "unknown-path": ("pictures can't go by that path", "图像不能经该路径传输"),
    "unknown-wish": ("the panel does not know this command", "主机不认识该命令"),
}  # fmt: skip

IN_THE_WAY: dict[str, Text] = {
    "active": ("{subject} is active", "{subject} 触发中"),
    "hold-up": ("hold-up button {subject} is pressed", "紧急按钮 {subject} 被按下"),
    "tamper": ("{subject} is tampered with", "{subject} 防拆触发"),
    "masked": ("{subject} is masked", "{subject} 被遮挡"),
    "fault": ("{subject} has a fault", "{subject} 故障"),
    "trouble": ("trouble: {subject}", "故障:{subject}"),
    "no-user": ("the panel has no user yet", "主机尚无用户"),
    "notification": ("a notification path is down", "通知路径故障"),
    "more": ("and more", "等"),
}  # fmt: skip


def say(name: str, **values: object) -> str:
    """A text of this page in the terminal's language."""
    return pick(TEXTS[name], **values)


def why(reason: str) -> str:
    """A reply's reason in words, its code behind it; a code that is not known stands alone."""
    known = REASONS.get(reason)
    return f"{pick(known)} ({reason})" if known else reason[:64]


def in_the_way(reasons: list[str]) -> str:
    """What stood in the way of arming, in words."""
    return ", ".join(_one(str(reason)[:120]) for reason in reasons[:64])


def _one(reason: str) -> str:
    name, _, subject = reason.partition(":")
    known = IN_THE_WAY.get(name)
    return pick(known, subject=subject) if known else reason
