"""What a zone's condition means: the second table, (zone type × condition × area mode) → reaction.

Rules of this file: every triple has its reaction; nothing else decides what a zone's change leads to. A zone
common to several areas is looked up in one mode, `rules.table.PRECEDENCE`. `normal` is not in the
table: it ends what stands (`rules.detect`) and starts nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from rules.site import Condition, ZoneType
from rules.table import AreaMode


class Reaction(StrEnum):
    """What follows from a zone's change."""

    NOTHING = "nothing"
    ENTRY = "entry"
    ROUTE = "route"
    ALARM = "alarm"
    SILENT = "silent"
    TAMPER = "tamper"
    FAULT = "fault"
    TOGGLE = "toggle"


_NO, _EN, _RT, _AL = Reaction.NOTHING, Reaction.ENTRY, Reaction.ROUTE, Reaction.ALARM
_SI, _TA, _FA, _TO = Reaction.SILENT, Reaction.TAMPER, Reaction.FAULT, Reaction.TOGGLE
_Row = tuple[Reaction, Reaction, Reaction, Reaction, Reaction]

# in:                   disarmed exit-delay armed entry-delay alarm
_QUIET: _Row = (_NO, _NO, _NO, _NO, _NO)
_ENTRY: _Row = (_NO, _NO, _EN, _EN, _AL)
_FOLLOW: _Row = (_NO, _NO, _AL, _RT, _AL)
_INSTANT: _Row = (_NO, _NO, _AL, _AL, _AL)
_ALWAYS: _Row = (_AL, _AL, _AL, _AL, _AL)
_SILENT: _Row = (_SI, _SI, _SI, _SI, _SI)
_KEY: _Row = (_TO, _TO, _TO, _TO, _TO)
# GB 55029 3.5.1(3): open and short alarm, armed or not.
_TAMPER: _Row = (_TA, _TA, _TA, _TA, _TA)
# Digest §1.7: a masked detector is a fault while unset, a tamper alarm while set.
_MASKED: _Row = (_FA, _FA, _TA, _TA, _TA)
_FAULT: _Row = (_FA, _FA, _FA, _FA, _FA)

_ACTIVE: Mapping[ZoneType, _Row] = {
    ZoneType.ENTRY_EXIT: _ENTRY,
    ZoneType.FOLLOWER: _FOLLOW,
    ZoneType.INSTANT: _INSTANT,
    ZoneType.TWENTY_FOUR_HOUR: _ALWAYS,
    ZoneType.HOLD_UP: _SILENT,
    ZoneType.TAMPER: _ALWAYS,
    ZoneType.KEYSWITCH: _KEY,
}

_MASK: Mapping[ZoneType, _Row] = {
    **dict.fromkeys(ZoneType, _MASKED),
    ZoneType.TAMPER: _TAMPER,
    ZoneType.HOLD_UP: _FAULT,
    ZoneType.KEYSWITCH: _FAULT,
}


def _row(zone_type: ZoneType, condition: Condition) -> _Row:
    match condition:
        case Condition.ACTIVE:
            return _ACTIVE[zone_type]
        case Condition.OPEN | Condition.SHORT:
            return _TAMPER
        case Condition.MASKED:
            return _MASK[zone_type]
        case Condition.FAULT:
            return _FAULT
        case Condition.NORMAL:
            return _QUIET


REACTIONS: Mapping[tuple[ZoneType, Condition, AreaMode], Reaction] = MappingProxyType(
    {
        (zone_type, condition, mode): _row(zone_type, condition)[i]
        for zone_type in ZoneType
        for condition in Condition
        for i, mode in enumerate(AreaMode)
    }
)
"""(zone type, condition, mode) → reaction; total."""

ALARM_KINDS: Mapping[ZoneType, str] = MappingProxyType(
    {
        ZoneType.ENTRY_EXIT: "alarm.entry",
        ZoneType.FOLLOWER: "alarm.intruder",
        ZoneType.INSTANT: "alarm.intruder",
        ZoneType.TWENTY_FOUR_HOUR: "alarm.24-hour",
        ZoneType.HOLD_UP: "alarm.hold-up",
        ZoneType.TAMPER: "alarm.tamper",
        ZoneType.KEYSWITCH: "alarm.intruder",
    }
)
"""The event of a zone's ACTIVE when it alarms (a keyswitch never does; its row keeps the table total)."""

RESTORE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "alarm.entry": "restore.intruder",
        "alarm.intruder": "restore.intruder",
        "alarm.24-hour": "restore.24-hour",
        "alarm.hold-up": "restore.hold-up",
        "alarm.tamper": "restore.tamper",
        "alarm.sensor-tamper": "restore.sensor-tamper",
    }
)
"""Which event ends which alarm."""

NEVER_SETTLES: frozenset[ZoneType] = frozenset({ZoneType.HOLD_UP, ZoneType.TAMPER, ZoneType.KEYSWITCH})
"""Their first reading after power-up counts at once, whatever `settle_ms` says."""

EXIT_ROUTE: frozenset[ZoneType] = frozenset({ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER})
"""They may be active while the exit delay runs."""

NEVER_BYPASSED: frozenset[ZoneType] = frozenset({ZoneType.HOLD_UP})
"""GB 50394: a hold-up device can't be taken out of service, whatever `bypassable` says."""


def tamper_kind(zone_type: ZoneType) -> str:
    """The event of a cut, shorted or masked line of such a zone."""
    return "alarm.tamper" if zone_type is ZoneType.TAMPER else "alarm.sensor-tamper"
