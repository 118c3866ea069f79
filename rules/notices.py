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
        "isolated": ("Zone isolated", "防区已隔离"),
        "unisolated": ("Zone isolation removed", "防区隔离已解除"),
        "reset": ("Indications reset", "报警指示已复位"),
        "postponed": ("Automatic arming postponed", "自动布防已推迟"),
        "granted": ("The installer may enter", "已允许安装员操作"),
        "installer-entered": ("Installer session begun", "安装员操作开始"),
        "installer-left": ("Installer session ended", "安装员操作结束"),
        "walk-test": ("Walk test: trip every zone", "步测开始:请触发各防区"),
        "walk-test-ended": ("Walk test ended", "步测结束"),
        "siren-test": ("Siren test", "警号测试"),
        "battery-test": ("Battery test", "蓄电池测试"),
        "battery-test-passed": ("Battery test passed", "蓄电池测试通过"),
        "battery-test-failed": ("Battery test failed", "蓄电池测试未通过"),
        "status": ("Status", "状态"),
        "picture": ("Picture asked for", "已请求图像"),
        # what goes on
        "exit-started": ("Exit delay runs", "外出延时进行中"),
        "entry-started": ("Entry delay runs: enter your code", "进入延时进行中,请输入密码"),
        "exit-ending": ("Exit delay ends: leave now", "外出延时即将结束"),
        "exit-error": ("Exit error: close the door, or disarm", "外出错误:请关门或撤防"),
        "auto-arm-soon": ("Automatic arming soon", "即将自动布防"),
        "alarm": ("Alarm", "报警"),
        "alarm-aborted": ("Alarm aborted: nothing was reported", "报警已取消,未上报"),
        "alarm-cancelled": ("Alarm cancelled: the center is told", "报警已撤销,已通知中心"),
        "chime": ("Chime", "门铃提示"),
        "day-trouble": ("Day zone open", "日间防区异常"),
        "siren.stopped": ("Siren stopped at its time limit", "警号到时停止"),
        "area.alarm-ended": ("Silenced alarm ended", "已静音警情结束"),
        # what was refused
        "arming-refused": ("Not armed: see the reasons", "布防被拒绝,请查看原因"),
        "wrong-code": ("Wrong code", "密码错误"),
        "locked-out": ("Too many wrong codes: wait", "密码错误次数过多,请稍候"),
        "not-valid-now": ("This code does not count now", "密码当前无效"),
        "no-grant": ("A user must let the installer in first", "须先由用户允许安装员操作"),
        "not-allowed": ("You may not do this here", "您无权在此操作"),
        "unknown-area": ("There is no such area", "没有该分区"),
        "unknown-part": ("There is no such part set for these areas", "这些分区没有该部分布防方式"),
        "unknown-zone": ("There is no such zone", "没有该防区"),
        "not-bypassable": ("This zone can not be bypassed", "该防区不可旁路"),
        "area-armed": ("Disarm the area of this zone first", "请先撤防该防区所在分区"),
        "nothing-to-rearm": ("Nothing was disarmed just now", "没有刚撤防的分区"),
        "nothing-to-postpone": ("No automatic arming can be postponed", "没有可推迟的自动布防"),
        "test-running": ("A test runs already", "测试正在进行"),
        "no-test": ("No test runs", "没有正在进行的测试"),
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
        "hold-up": ("hold-up button is pressed", "紧急按钮未复位"),
        "masked": ("detector is masked", "探测器被遮挡"),
        "fault": ("zone has a fault", "防区故障"),
        "no-user": ("no user is set up who could disarm", "尚未设置可撤防的用户"),
        "notification": ("neither siren nor path to the center works", "警号与传输路径全部故障"),
        "trouble": ("trouble of the panel", "主机故障"),
        "more": ("and more", "以及更多"),
        # why a user was refused
        "bad-name": ("the id or the name can not be used", "编号或姓名不可用"),
        "bad-level": ("the level must be 2, 3 or 4", "级别须为2、3或4"),
        "once-is-for-users": ("a one-time code is for level 2 only", "一次性密码仅限2级用户"),
        "bad-days": ("the first day must not be after the last one", "起始日期不得晚于截止日期"),
        "unknown-area": ("an area is missing, unknown or named twice", "分区缺失、未知或重复"),
        "bad-code": ("this code can not be used", "密码不可用"),
        "code-in-use": ("this code can not be used", "密码不可用"),
        "code-too-close": ("this code can not be used", "密码不可用"),
        "too-many-users": ("there are too many users", "用户数量已达上限"),
        "unknown-user": ("there is no such user", "没有该用户"),
    }
)
