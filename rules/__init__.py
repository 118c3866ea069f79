"""What an alarm panel decides.

Pure: no I/O, no clock, no threads, no import of the other rooms. A stimulus and the present moment
go in, the new state and a list of effects come out (`step`).
"""

from rules.effects import Answer, Capture, Effect, JsonValue, Record, Switch, Tell
from rules.outputs import outputs
from rules.site import Area, Condition, Output, OutputKind, Place, Site, Timings, Zone, ZoneType
from rules.snapshot import adapt, decode, encode, rebase
from rules.state import Alarm, AreaState, PanelState, ZoneState, initial, next_deadline
from rules.step import step
from rules.stimuli import (
    CodeEntered,
    DeadlinePassed,
    Noted,
    PanelStarted,
    PanelStopping,
    RemoteCommand,
    Stimulus,
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
    "CodeEntered",
    "Condition",
    "DeadlinePassed",
    "Effect",
    "JsonValue",
    "Noted",
    "Output",
    "OutputKind",
    "PanelStarted",
    "PanelState",
    "PanelStopping",
    "Place",
    "Record",
    "RemoteCommand",
    "Site",
    "Stimulus",
    "Switch",
    "Tell",
    "Timings",
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
