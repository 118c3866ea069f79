"""What an alarm panel decides.

Pure: no I/O, no clock, no threads, no import of the other rooms. A stimulus and the present moment
go in, the new state and a list of effects come out (`step`).
"""

from rules.deadlines import next_deadline
from rules.effects import Answer, Capture, Effect, JsonValue, Record, Request, Switch, Tell
from rules.outputs import outputs
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
from rules.step import step
from rules.stimuli import (
    ClockTold,
    CodeEntered,
    DeadlinePassed,
    Noted,
    PanelStarted,
    PanelStopping,
    RemoteCommand,
    Right,
    Stimulus,
    TestDone,
    TroubleChanged,
    User,
    UserRemoved,
    UserSet,
    Wish,
    ZoneChanged,
)
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
    "Timings",
    "Tour",
    "TroubleChanged",
    "User",
    "UserRemoved",
    "UserSet",
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
