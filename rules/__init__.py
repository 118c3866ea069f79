"""What an alarm panel decides.

Pure: no I/O, no clock, no threads, no import of the other rooms. A stimulus and the present moment
go in, the new state and a list of effects come out (`step`). The parts are loaded when they are asked for: who only
wants the site's names, or the vocabulary, does not wait for the rest. No module bears the name of one of these.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rules.deadlines import next_deadline
    from rules.effects import Answer, Capture, Effect, JsonValue, Record, Request, Switch, Tell
    from rules.site import (
        Area,
        Condition,
        Hours,
        Level,
        Output,
        OutputKind,
        Part,
        Place,
        Prevention,
        Schedule,
        Site,
        Stop,
        Timings,
        Tour,
        Zone,
        ZoneType,
    )
    from rules.snapshot import adapt, decode, encode, rebase
    from rules.state import Alarm, AreaState, PanelState, ZoneState, initial
    from rules.stepping import step
    from rules.stimuli import (
        ClockTold,
        CodeEntered,
        DeadlinePassed,
        KeysTold,
        Noted,
        PanelStarted,
        PanelStopping,
        RemoteCommand,
        Right,
        Stimulus,
        TestDone,
        TestDue,
        TroubleChanged,
        User,
        UserRemoved,
        UserSet,
        WalkLeft,
        Wish,
        ZoneChanged,
    )
    from rules.switching import outputs
    from rules.table import AreaMode
    from rules.view import private_view, public_view

__all__ = [
    "Alarm",
    "Answer",
    "Area",
    "AreaMode",
    "AreaState",
    "Capture",
    "ClockTold",
    "CodeEntered",
    "Condition",
    "DeadlinePassed",
    "Effect",
    "Hours",
    "JsonValue",
    "KeysTold",
    "Level",
    "Noted",
    "Output",
    "OutputKind",
    "PanelStarted",
    "PanelState",
    "PanelStopping",
    "Part",
    "Place",
    "Prevention",
    "Record",
    "RemoteCommand",
    "Request",
    "Right",
    "Schedule",
    "Site",
    "Stimulus",
    "Stop",
    "Switch",
    "Tell",
    "TestDone",
    "TestDue",
    "Timings",
    "Tour",
    "TroubleChanged",
    "User",
    "UserRemoved",
    "UserSet",
    "WalkLeft",
    "Wish",
    "Zone",
    "ZoneChanged",
    "ZoneState",
    "ZoneType",
    "adapt",
    "decode",
    "encode",
    "initial",
    "next_deadline",
    "outputs",
    "private_view",
    "public_view",
    "rebase",
    "step",
]

_HOMES = {
    "deadlines": ("next_deadline",),
    "effects": ("Answer", "Capture", "Effect", "JsonValue", "Record", "Request", "Switch", "Tell"),
    "switching": ("outputs",),
    "site": (
        "Area",
        "Condition",
        "Hours",
        "Level",
        "Output",
        "OutputKind",
        "Part",
        "Place",
        "Prevention",
        "Schedule",
        "Site",
        "Stop",
        "Timings",
        "Tour",
        "Zone",
        "ZoneType",
    ),
    "snapshot": ("adapt", "decode", "encode", "rebase"),
    "state": ("Alarm", "AreaState", "PanelState", "ZoneState", "initial"),
    "stepping": ("step",),
    "stimuli": (
        "ClockTold",
        "CodeEntered",
        "DeadlinePassed",
        "KeysTold",
        "Noted",
        "PanelStarted",
        "PanelStopping",
        "RemoteCommand",
        "Right",
        "Stimulus",
        "TestDone",
        "TestDue",
        "TroubleChanged",
        "User",
        "UserRemoved",
        "UserSet",
        "WalkLeft",
        "Wish",
        "ZoneChanged",
    ),
    "table": ("AreaMode",),
    "view": ("private_view", "public_view"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    return value
