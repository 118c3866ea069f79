"""The life of an update, as a table. Free of I/O.

1. Every state is on the data partition before what follows from it is done: after a power cut the panel goes on from
   what it says, and from the slot that it runs from.
2. The running slot is never written. The other one is started for trial, and becomes the accepted one (*home*) when
   it is proven; until then each way out leads back to home.
3. A way out of the table is a mistake of ours: it changes nothing, and is logged.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from firmware.language import Text


class Stage(StrEnum):
    """Where an update is. `none`: there was none yet."""

    NONE = "none"
    OFFERED = "offered"
    """A bundle was looked at; the consents are awaited."""
    CONSENTED = "consented"
    CHECKED = "checked"
    """It is still the very bundle that the consents are for, and fits this panel."""
    INSTALLING = "installing"
    INSTALLED = "installed"
    """In the other slot, which does not start yet; a restart that may happen is awaited."""
    SWITCHING = "switching"
    """The other slot is being made the one that starts."""
    RESTARTING = "restarting"
    TRYING = "trying"
    """The new slot runs, and is on trial."""
    GOING_BACK = "going-back"
    """The trial failed: home is being made the one that starts."""
    GOOD = "good"
    GONE_BACK = "gone-back"
    REFUSED = "refused"
    """It ended before the other slot was started."""


class Event(StrEnum):
    """What moves an update on."""

    OFFER = "offer"
    AGREED = "agreed"
    WITHDRAWN = "withdrawn"
    SOUND = "sound"
    UNSOUND = "unsound"
    BEGUN = "begun"
    WRITTEN = "written"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """This process or the machine began anew."""
    LEAVE = "leave"
    """The restart may happen now."""
    SWITCHED = "switched"
    RUNS_NEW = "runs-new"
    """The machine came up from the new slot."""
    RUNS_HOME = "runs-home"
    """The machine came up from home."""
    LOST = "lost"
    """The machine came up from the other slot, and no trial is on: home does not start any more."""
    PROVEN = "proven"
    UNPROVEN = "unproven"


S, E = Stage, Event

_LEFT_HOME = frozenset({S.SWITCHING, S.RESTARTING, S.TRYING, S.GOING_BACK})

LIFE: Mapping[tuple[Stage, Event], Stage] = MappingProxyType(
    {
        **{(stage, E.OFFER): S.OFFERED for stage in (S.NONE, S.OFFERED, S.GOOD, S.GONE_BACK, S.REFUSED)},
        (S.OFFERED, E.AGREED): S.CONSENTED,
        (S.OFFERED, E.UNSOUND): S.REFUSED,
        (S.OFFERED, E.WITHDRAWN): S.REFUSED,
        (S.CONSENTED, E.SOUND): S.CHECKED,
        (S.CONSENTED, E.UNSOUND): S.REFUSED,
        (S.CONSENTED, E.WITHDRAWN): S.REFUSED,
        (S.CHECKED, E.BEGUN): S.INSTALLING,
        (S.CHECKED, E.INTERRUPTED): S.CONSENTED,
        # A half-written slot does not start: it is looked at and written anew from the beginning.
        (S.INSTALLING, E.INTERRUPTED): S.CONSENTED,
        (S.INSTALLING, E.WRITTEN): S.INSTALLED,
        (S.INSTALLING, E.FAILED): S.REFUSED,
        (S.INSTALLED, E.LEAVE): S.SWITCHING,
        (S.INSTALLED, E.WITHDRAWN): S.REFUSED,
        (S.SWITCHING, E.SWITCHED): S.RESTARTING,
        (S.SWITCHING, E.FAILED): S.REFUSED,
        # Cut off while the boot counters were written: home still starts, so it was not done.
        (S.SWITCHING, E.RUNS_HOME): S.INSTALLED,
        (S.SWITCHING, E.RUNS_NEW): S.TRYING,
        (S.RESTARTING, E.RUNS_NEW): S.TRYING,
        (S.RESTARTING, E.RUNS_HOME): S.GONE_BACK,
        (S.TRYING, E.RUNS_NEW): S.TRYING,
        (S.TRYING, E.RUNS_HOME): S.GONE_BACK,
        (S.TRYING, E.PROVEN): S.GOOD,
        (S.TRYING, E.UNPROVEN): S.GOING_BACK,
        (S.GOING_BACK, E.RUNS_NEW): S.GOING_BACK,
        (S.GOING_BACK, E.RUNS_HOME): S.GONE_BACK,
        **{(stage, E.LOST): S.GONE_BACK for stage in S if stage not in _LEFT_HOME},
    }
)
"""The state after an event; what is not here does not happen."""

ABOUT: Mapping[Stage, Text] = MappingProxyType(
    {
        S.NONE: ("no update", "无更新"),
        S.OFFERED: ("offered, waits for the consents of a user and an installer", "已提出，等待用户与安装员同意"),
        S.CONSENTED: ("consented to", "已获同意"),
        S.CHECKED: ("checked", "已校验"),
        S.INSTALLING: ("being installed", "正在安装"),
        S.INSTALLED: ("installed, waits for the restart", "已安装，等待重启"),
        S.SWITCHING: ("about to restart", "即将重启"),
        S.RESTARTING: ("restarting", "正在重启"),
        S.TRYING: ("on trial", "试运行中"),
        S.GOING_BACK: ("going back", "正在回退"),
        S.GOOD: ("proven, in force", "已确认，投入使用"),
        S.GONE_BACK: ("gone back to the software before", "已回退到之前的软件"),
        S.REFUSED: ("refused", "已拒绝"),
    }
)

RECORDED: Mapping[Stage, str] = MappingProxyType(
    {
        S.OFFERED: "update.offered",
        S.CONSENTED: "update.consented",
        S.CHECKED: "update.checked",
        S.INSTALLING: "update.installing",
        S.INSTALLED: "update.installed",
        S.RESTARTING: "update.restarting",
        S.TRYING: "update.trying",
        S.GOING_BACK: "update.going-back",
        S.GOOD: "update.good",
        S.GONE_BACK: "update.gone-back",
        S.REFUSED: "update.refused",
    }
)
"""The kind of the record that tells of the arrival in a state; of the others no record tells."""

RUNNING_NEW = frozenset({S.TRYING, S.GOING_BACK})
"""The states in which the slot that runs is not home."""
OPEN = frozenset(Stage) - {S.NONE, S.GOOD, S.GONE_BACK, S.REFUSED}
"""The states of an update that goes on; another one can't be offered but while its consents are awaited."""


def after(stage: Stage, event: Event) -> Stage | None:
    """The state after an event; None where it does not happen there."""
    return LIFE.get((stage, event))


def came_up(stage: Stage, new: bool) -> Event | None:
    """What a start of this process means. `new`: the running slot is not home; None where it means nothing."""
    if stage in _LEFT_HOME:
        return E.RUNS_NEW if new else E.RUNS_HOME
    if new:
        return E.LOST
    return E.INTERRUPTED if stage in (S.CHECKED, S.INSTALLING) else None
