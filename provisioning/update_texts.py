"""What `fenghuo update` and `fenghuo doctor` say of an update, in words."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import ValidationError

from firmware.language import Text, pick
from firmware.protocol.updates import UpdateStatus
from firmware.updater.bundle import REASONS as NOT_TAKEN
from firmware.updater.life import ABOUT, Stage
from firmware.updater.trial import REASONS as GONE_BACK

ONE_SOURCE: Text = ("expected a file or a URL, or --usb", "需要一个文件或 URL，或使用 --usb")
WHY_ARMED: Text = ("--even-armed needs --reason: it is recorded", "--even-armed 须同时给出 --reason（将被记录）")
LOOKING: Text = ("the panel looks at the bundle …", "主机正在检查更新包 …")
SLOW: Text = ("the panel did not come to an end in {seconds:.0f} s", "主机在 {seconds:.0f} 秒内未完成")
NO_UPDATER: Text = (
    "no updater runs on this panel: systemctl status fenghuo-updater",
    "主机上没有运行更新进程：systemctl status fenghuo-updater",
)
NOTHING_OFFERED: Text = ("no update waits for consents", "没有等待同意的更新")
SURE: Text = ("Consent to version {version}?", "同意版本 {version}？")
NO: Text = ("Nothing has changed", "未作任何更改")

_RUNS: Text = ("version {running} runs, from slot {slot}", "当前版本 {running}，分区 {slot}")
_KEPT: Text = ("in the other slot: version {kept}", "备用分区：版本 {kept}")
_FLOOR: Text = ("nothing older than {floor} is taken", "不接受低于 {floor} 的版本")
_UPDATE: Text = ("update to {version}: {about}", "更新至 {version}：{about}")
_PLAIN: Text = ("update: {about}", "更新：{about}")
_MISSING: Mapping[str, Text] = MappingProxyType(
    {
        "user": ("the consent of a user is awaited: fenghuo update consent", "等待用户同意：fenghuo update consent"),
        "installer": (
            "the consent of an installer is awaited: fenghuo update consent",
            "等待安装员同意：fenghuo update consent",
        ),
    }
)
_WAITING: Mapping[str, Text] = MappingProxyType(
    {
        "core": ("waits for core", "等待 core"),
        "disarmed": ("the restart waits until all is disarmed and silent", "等待全部撤防且静音后重启"),
        "restart": ("the machine restarts", "主机正在重启"),
    }
)
_WRITTEN: Text = ("written: {progress} %", "已写入：{progress} %")
_EVEN_ARMED: Text = ("it restarts even while armed", "布防时也会重启")
_ON_TRIAL: Text = ("still missing: {why}", "尚缺：{why}")
_WHY: Text = ("why: {why}{detail}", "原因：{why}{detail}")


def lines(found: UpdateStatus) -> list[str]:
    """The status for a person."""
    about = pick(ABOUT[Stage(found.stage)]) if found.stage in set(Stage) else found.stage
    told = [pick(_RUNS, running=found.running, slot=found.slot or "?")]
    if found.kept:
        told.append(pick(_KEPT, kept=found.kept))
    told.append(pick(_FLOOR, floor=found.floor))
    told.append(pick(_UPDATE, version=found.version, about=about) if found.version else pick(_PLAIN, about=about))
    note = pick((found.note_en, found.note_zh or found.note_en))
    told += [note] if note else []
    told += [pick(_MISSING[part]) for part in found.missing]
    told += (
        [pick(_EVEN_ARMED)] if found.even_armed and found.stage not in ("none", "good", "gone-back", "refused") else []
    )
    told += [pick(_WRITTEN, progress=found.progress)] if found.stage == "installing" else []
    if found.waiting in _WAITING:
        told.append(pick(_WAITING[found.waiting]))
    elif found.waiting and found.stage == "trying":
        told.append(pick(_ON_TRIAL, why=_reason(found.waiting)))
    if found.why:
        told.append(why(found))
    return told


def why(found: UpdateStatus) -> str:
    """Why it was refused, or why the panel went back."""
    return pick(_WHY, why=_reason(found.why), detail=f" ({found.detail})" if found.detail else "")


def _reason(name: str) -> str:
    known = NOT_TAKEN.get(name) or GONE_BACK.get(name)
    return pick(known) if known else name


def said(error: Exception) -> str:
    """What went wrong; of a wish that is none, its first fault."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
