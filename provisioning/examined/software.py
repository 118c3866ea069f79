"""The software in the slots: an update that waits for somebody, and one from which the panel has gone back."""

from collections.abc import Iterator
from typing import Any

from firmware.config import Loaded
from firmware.language import Text
from firmware.protocol.updates import AskUpdate
from firmware.updater.trial import REASONS
from provisioning.diagnosis import Finding
from provisioning.technician import NoAnswer, connected

_GONE_BACK: Text = ("the panel has gone back from version {version}: {why}", "已从版本 {version} 回退：{why}")
_LOST: Text = ("the slot that was in force does not start any more", "原使用分区无法再启动")
_WAITS: Text = ("an update to {version} waits for consents", "更新 {version} 等待同意")
_ARMED: Text = ("an update to {version} waits until all is disarmed", "更新 {version} 等待全部撤防")
_TRIAL: Text = ("version {version} is on trial", "版本 {version} 试运行中")
_INSTALL: Text = ("install a bundle anew: fenghuo update install", "重新安装更新包：fenghuo update install")
_CONSENT: Text = ("fenghuo update consent, or withdraw", "fenghuo update consent 或 withdraw")
_DISARM: Text = ("disarm, and it restarts; or fenghuo update withdraw", "撤防后将重启；或 fenghuo update withdraw")
_WAIT: Text = ("wait up to ten minutes: fenghuo update status", "等待至多十分钟：fenghuo update status")
_TELL: Text = ("tell whoever made the bundle", "告知更新包的提供者")


def findings(loaded: Loaded) -> list[Finding]:
    """Nothing where no updater runs: on a desk there is none."""
    try:
        with connected(loaded) as technician:
            return list(_of(technician.ask(AskUpdate()).detail))
    except NoAnswer:
        return []


def _of(told: dict[str, Any]) -> Iterator[Finding]:
    version = str(told.get("version") or "?")
    match told.get("stage"), told.get("waiting"), told.get("why"):
        case "gone-back", _, "slot-lost":
            yield Finding("update", "fault", _LOST, _INSTALL)
        case "gone-back", _, why:
            en, zh = REASONS.get(str(why), (str(why), str(why)))
            what = (_GONE_BACK[0].format(version=version, why=en), _GONE_BACK[1].format(version=version, why=zh))
            yield Finding("update", "warning", what, _TELL)
        case "offered", _, _:
            yield Finding("update", "warning", _with(_WAITS, version), _CONSENT)
        case "installed", "disarmed", _:
            yield Finding("update", "warning", _with(_ARMED, version), _DISARM)
        case "trying", _, _:
            yield Finding("update", "warning", _with(_TRIAL, version), _WAIT)


def _with(text: Text, version: str) -> Text:
    return text[0].format(version=version), text[1].format(version=version)
