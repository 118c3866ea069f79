"""Which differences of a panel file need care, because something is guarded less after them, or somebody else may act.

The rules are data: a place with `*` for any name, when it counts, and what a technician is told.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from firmware.config import PanelFile
from firmware.language import Text
from provisioning.site_difference import Change

_STRICT = {
    **dict.fromkeys(("hold-up", "duress", "audible-hold-up", "medical", "tamper", "24-hour", "fire", "gas"), 4),
    **dict.fromkeys(("instant", "day"), 3),
    "follower": 2,
    "entry-exit": 1,
}
"""How soon and how often a type of zone alarms; those left out never alarm as an intruder's."""


@dataclass(frozen=True)
class _Rule:
    place: str
    counts: Callable[[Any, Any], bool]
    text: Text
    what: str = "changed"


def _always(_old: Any, _new: Any) -> bool:
    return True


def _more(old: Any, new: Any) -> bool:
    return (new or 0) > (old or 0)


def _less(old: Any, new: Any) -> bool:
    return (new or 0) < (old or 0)


def _set(_old: Any, new: Any) -> bool:
    return bool(new)


def _gone(_old: Any, new: Any) -> bool:
    return not new


def _lost(old: Any, new: Any) -> bool:
    return bool(set(old or ()) - set(new or ()))


def _laxer(old: Any, new: Any) -> bool:
    return _STRICT.get(new, 0) < _STRICT.get(old, 0)


def _siren(old: Any, _new: Any) -> bool:
    return old["kind"] in ("siren", "strobe")


_UNGUARDED: Text = ("it is guarded no longer", "不再受保护")
_LATER: Text = ("an alarm comes later", "报警将推迟")
_RARER: Text = ("it takes more until it alarms", "触发报警的条件更严")
_SHOWN: Text = ("pictures may go elsewhere", "图像可发往别处")
_WHO: Text = ("somebody else may acknowledge or command", "回执或命令的授权方改变")
_FEWER: Text = ("one way less to the center", "到中心的路径减少")
_LISTENING: Text = ("anyone on the network can read and drop reports", "网络上任何人均可读取或丢弃报告")
_EASIER: Text = ("guessing codes becomes easier", "密码更易被猜中")
_UNSEEN: Text = ("a fault of it is told no longer", "其故障将不再上报")

_RULES: Sequence[_Rule] = (
    _Rule("panel.id", _always, ("the center takes it for another panel", "中心将视为另一台主机")),
    _Rule("panel.profile", _always, ("defaults and limits of another standard", "采用另一标准的默认值和限值")),
    _Rule("panel.pins", lambda _old, new: new == "simulated", ("no real input is read", "不再读取真实输入")),
    _Rule("panel.pin_digits", _less, _EASIER),
    _Rule("area.*", _always, _UNGUARDED, "removed"),
    _Rule("area.*.entry_delay_s", _more, _LATER),
    _Rule("area.*.entry_delay_2_s", _more, _LATER),
    _Rule("area.*.schedule", _gone, ("nobody is told when it stays disarmed", "未布防时不再提醒")),
    _Rule("zone.*", _always, _UNGUARDED, "removed"),
    _Rule("zone.*.type", _laxer, ("a less strict type", "类型更宽松")),
    _Rule("zone.*.areas", _lost, ("not guarded with an area it was in", "不再随原区域受保护")),
    _Rule("zone.*.soak", _set, ("on trial it never alarms", "试用期间永不报警")),
    _Rule("zone.*.bypassable", _set, ("it may be bypassed", "可被旁路")),
    _Rule("zone.*.forceable", _set, ("it may stand open when its area is armed", "布防时允许处于打开状态")),
    _Rule("zone.*.entry_delay_s", _more, _LATER),
    _Rule("zone.*.second_entry", _set, _LATER),
    _Rule("zone.*.pulses", _more, _RARER),
    _Rule("zone.*.double_knock", _set, _RARER),
    _Rule("zone.*.cross_group", _set, _RARER),
    _Rule("zone.*.supply_cut", _gone, ("cutting its supply is no alarm", "切断其电源不再报警")),
    _Rule("zone.*.report_restore", _gone, ("its end is not reported", "不再上报恢复")),
    _Rule("box.*", _always, ("opening it is told no longer", "打开机箱不再报警"), "removed"),
    _Rule("output.*", _siren, ("one siren or strobe less", "少一个警号或警灯"), "removed"),
    _Rule("output.*.kind", _always, ("this line does something else", "此线路用途改变")),
    _Rule("output.*.areas", _lost, ("silent in an area it was for", "在原区域不再动作")),
    _Rule("output.*.delay_s", _more, _LATER),
    _Rule("output.*.watch", _gone, _UNSEEN),
    _Rule(
        "part.*.omits", lambda old, new: _lost(new, old), ("more zones rest with this part", "此部分布防停用更多防区")
    ),
    _Rule("camera.*", _always, ("no pictures of it", "不再有其图像"), "removed"),
    _Rule("camera.*.mask", _always, ("what nobody may see has changed", "隐私遮挡区域改变")),
    _Rule("camera.*.region", _always, ("a person counts elsewhere", "人员判定区域改变")),
    _Rule("camera.*.dark", _set, ("a black picture is no tamper", "黑屏不再视为遮挡")),
    _Rule("camera.*.tampers", _always, ("other tampers are watched for", "监视的遮挡类型改变")),
    _Rule("path.*", _always, _FEWER, "removed"),
    _Rule("path.*", lambda _old, new: bool(new.get("plaintext")), _LISTENING, "added"),
    _Rule("path.*.kind", _always, ("this path speaks another protocol", "此路径协议改变")),
    _Rule("path.*.host", _always, ("reports go elsewhere", "报告发往别处")),
    _Rule("path.*.tls", _gone, _LISTENING),
    _Rule("path.*.key_file", _gone, _LISTENING),
    _Rule("path.*.plaintext", _set, _LISTENING),
    _Rule("path.*.numbers", _lost, ("a number gets no more alarms", "有号码不再收到报警")),
    _Rule("center", _always, _WHO),
    *(_Rule(f"center.{key}", _always, _WHO) for key in ("receipt_keys", "command_keys", "root_keys")),
    *(_Rule(f"center.{key}", _more, _LATER) for key in ("escalate_s", "failover_s", "path_fault_s")),
    *(_Rule(f"center.{key}", _always, _SHOWN) for key in ("picture_hosts", "picture_ca")),
    _Rule("center.alarm_paths", lambda _old, new: new == "first", _FEWER),
    _Rule("timings.siren_s", _less, ("the siren sounds shorter", "警号鸣响时间缩短")),
    *(_Rule(f"timings.{key}", _more, _LATER) for key in ("abort_window_s", "entry_hold_s", "mains_report_delay_s")),
    _Rule("timings.code_attempts", _more, _EASIER),
    _Rule("timings.lockout_s", _less, _EASIER),
    _Rule("timings.reset_level", _less, ("more people may reset", "更多人员可复位")),
    *(
        _Rule(f"timings.{key}", _more, ("the installer has access for longer", "安装员权限时间延长"))
        for key in ("grant_min", "installer_min")
    ),
    _Rule("timings.standby_h", _less, ("the battery needs to last shorter", "电池续航要求降低")),
    *(_Rule(f"power.{key}", _gone, _UNSEEN) for key in ("mains_line", "battery_line", "battery")),
    _Rule("clock.from_center", _set, ("the center may set the clock", "中心可设置时钟")),
    _Rule("storage.data", _always, ("a new journal begins there, and users are none", "将开始新的日志，且无用户")),
    _Rule("storage.run", _always, ("the sockets lie elsewhere", "套接字位置改变")),
    _Rule("storage.retention_days", _less, ("records are kept shorter", "记录保存期缩短")),
    _Rule("storage.mirror", _gone, ("no copy of the journal", "日志不再有副本")),
)
_ORDER: Text = ("another path is used first", "首选路径改变")


def care(change: Change) -> Text | None:
    """Why this change needs care; None where it does not."""
    for rule in _RULES:
        if (
            rule.what == change.what
            and _fits(rule.place.split("."), change.place)
            and rule.counts(change.old, change.new)
        ):
            return rule.text
    return None


def order_of_paths(old: PanelFile, new: PanelFile) -> Text | None:
    """The order of paths is their preference; to exchange two of them changes no key."""
    before, after = [path.id for path in old.path], [path.id for path in new.path]
    stay = [id_ for id_ in before if id_ in after]
    return _ORDER if stay != [id_ for id_ in after if id_ in before] else None


def places() -> Iterator[str]:
    """The places that the rules name."""
    return (rule.place for rule in _RULES)


def _fits(pattern: Sequence[str], place: Sequence[str]) -> bool:
    return len(pattern) == len(place) and all(p in ("*", q) for p, q in zip(pattern, place, strict=True))
