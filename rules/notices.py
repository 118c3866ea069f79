"""What the panel tells people, in English and Chinese: a row for each notice of `Tell` and reason of `Answer`."""

from collections.abc import Mapping
from types import MappingProxyType

Notice = tuple[str, str]
"""English, Chinese."""

NOTICES: Mapping[str, Notice] = MappingProxyType(
    {
        # what was done
        "arming": ("Arming: leave now", "正在布防,请离开"),
        "armed": ("Armed", "已布防"),
        "disarmed": ("Disarmed", "已撤防"),
        "silenced": ("Siren silenced", "警号已静音"),
        "bypassed": ("Zone bypassed", "防区已旁路"),
        "unbypassed": ("Zone bypass removed", "防区旁路已解除"),
        "status": ("Status", "状态"),
        # what goes on
        "exit-started": ("Exit delay runs", "外出延时进行中"),
        "entry-started": ("Entry delay runs: enter your code", "进入延时进行中,请输入密码"),
        "alarm": ("Alarm", "报警"),
        "siren.stopped": ("Siren stopped at its time limit", "警号到时停止"),
        "area.alarm-ended": ("Silenced alarm ended", "已静音警情结束"),
        # what was refused
        "arming-refused": ("Not armed: see the reasons", "布防被拒绝,请查看原因"),
        "wrong-code": ("Wrong code", "密码错误"),
        "locked-out": ("Too many wrong codes: wait", "密码错误次数过多,请稍候"),
        "not-allowed": ("You may not do this here", "您无权在此操作"),
        "unknown-area": ("There is no such area", "没有该分区"),
        "unknown-zone": ("There is no such zone", "没有该防区"),
        "not-bypassable": ("This zone can not be bypassed", "该防区不可旁路"),
        "area-armed": ("Disarm the area of this zone first", "请先撤防该防区所在分区"),
        "unknown-wish": ("This can not be asked for here", "此处不支持该操作"),
        "replayed": ("Refused: this command was given before", "拒绝:命令重复"),
        "bad-counter": ("Refused: the command counter is too large", "拒绝:命令计数超出范围"),
        "user-refused": ("The user was not changed", "用户未变更"),
    }
)

REASONS: Mapping[str, Notice] = MappingProxyType(
    {
        # in the way of arming, before the colon
        "active": ("zone is open", "防区未关闭"),
        "tamper": ("zone is tampered with", "防区防拆报警"),
        "fault": ("zone has a fault", "防区故障"),
        "trouble": ("trouble of the panel", "主机故障"),
        "more": ("and more", "以及更多"),
        # why a user was refused
        "bad-name": ("the id or the name can not be used", "编号或姓名不可用"),
        "bad-level": ("the level must be 2 or 3", "级别须为2或3"),
        "unknown-area": ("an area is missing, unknown or named twice", "分区缺失、未知或重复"),
        "bad-code": ("this code can not be used", "密码不可用"),
        "code-in-use": ("this code can not be used", "密码不可用"),
        "too-many-users": ("there are too many users", "用户数量已达上限"),
        "unknown-user": ("there is no such user", "没有该用户"),
    }
)
