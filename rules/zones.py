"""What a zone's condition means: the second table, (zone type × condition × area mode) → reaction.

Rules of this file: every triple has its reaction; nothing else decides what a zone's change leads to. A zone
common to several areas is looked up in one mode, `rules.table.PRECEDENCE`; one that rests by a part set is looked up as
disarmed. `normal` is not in the table: it ends what stands (`rules.detect`) and starts nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from rules.site import Condition, ZoneType
from rules.table import AreaEvent, AreaMode


class Reaction(StrEnum):
    """What follows from a zone's change.

    `alarm` sounds, `silent` only records, `notify` records and shows without a sound, `day` is a trouble of a disarmed
    day zone, `stop` belongs to a guard tour, `toggle` to a keyswitch.
    """

    NOTHING = "nothing"
    ENTRY = "entry"
    ROUTE = "route"
    ALARM = "alarm"
    SILENT = "silent"
    NOTIFY = "notify"
    DAY = "day"
    TAMPER = "tamper"
    FAULT = "fault"
    TOGGLE = "toggle"
    STOP = "stop"


_NO, _EN, _RT, _AL = Reaction.NOTHING, Reaction.ENTRY, Reaction.ROUTE, Reaction.ALARM
_TA, _FA, _DA = Reaction.TAMPER, Reaction.FAULT, Reaction.DAY
_Row = tuple[Reaction, Reaction, Reaction, Reaction, Reaction]


def _always(reaction: Reaction) -> _Row:
    return (reaction,) * 5


# in:                   disarmed exit-delay armed entry-delay alarm
_QUIET: _Row = _always(_NO)
_ENTRY: _Row = (_NO, _NO, _EN, _EN, _AL)
_FOLLOW: _Row = (_NO, _NO, _AL, _RT, _AL)
_INSTANT: _Row = (_NO, _NO, _AL, _AL, _AL)
_DAY: _Row = (_DA, _NO, _AL, _AL, _AL)
# GB 55029 3.5.1(3): open and short alarm, armed or not.
_TAMPER: _Row = _always(_TA)
# Digest §1.7: a masked detector is a fault while unset, a tamper alarm while set.
_MASKED: _Row = (_FA, _FA, _TA, _TA, _TA)
_FAULT: _Row = _always(_FA)

_ACTIVE: Mapping[ZoneType, _Row] = {
    ZoneType.ENTRY_EXIT: _ENTRY,
    ZoneType.FOLLOWER: _FOLLOW,
    ZoneType.INSTANT: _INSTANT,
    ZoneType.DAY: _DAY,
    ZoneType.TWENTY_FOUR_HOUR: _always(_AL),
    ZoneType.HOLD_UP: _always(Reaction.SILENT),
    ZoneType.AUDIBLE_HOLD_UP: _always(_AL),
    ZoneType.DURESS: _always(Reaction.SILENT),
    ZoneType.TAMPER: _always(_AL),
    ZoneType.FIRE: _always(_AL),
    ZoneType.GAS: _always(_AL),
    ZoneType.WATER: _always(Reaction.NOTIFY),
    ZoneType.TECHNICAL: _always(Reaction.NOTIFY),
    ZoneType.MEDICAL: _always(_AL),
    ZoneType.KEYSWITCH: _always(Reaction.TOGGLE),
    ZoneType.MAINTAINED_KEYSWITCH: _always(Reaction.TOGGLE),
    ZoneType.CHECKPOINT: _always(Reaction.STOP),
    ZoneType.MONITOR: _QUIET,
}

INTRUDER: frozenset[ZoneType] = frozenset({ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER, ZoneType.INSTANT, ZoneType.DAY})
"""Detection that counts while armed; what reduces false alarms, and part sets, are for these alone."""

WALKED: frozenset[ZoneType] = INTRUDER | {ZoneType.TWENTY_FOUR_HOUR, ZoneType.WATER, ZoneType.TECHNICAL}
"""What a walk test keeps from alarming; life and tampers alarm as ever."""

HOLD_UPS: frozenset[ZoneType] = frozenset({ZoneType.HOLD_UP, ZoneType.AUDIBLE_HOLD_UP, ZoneType.DURESS})
SILENT: frozenset[ZoneType] = frozenset({ZoneType.HOLD_UP, ZoneType.DURESS})
KEYSWITCHES: frozenset[ZoneType] = frozenset({ZoneType.KEYSWITCH, ZoneType.MAINTAINED_KEYSWITCH})

_MASK: Mapping[ZoneType, _Row] = {
    **dict.fromkeys(ZoneType, _FAULT),
    **dict.fromkeys((*INTRUDER, ZoneType.TWENTY_FOUR_HOUR), _MASKED),
    ZoneType.TAMPER: _TAMPER,
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
        **dict.fromkeys(ZoneType, "alarm.intruder"),
        ZoneType.ENTRY_EXIT: "alarm.entry",
        ZoneType.DAY: "alarm.day",
        ZoneType.TWENTY_FOUR_HOUR: "alarm.24-hour",
        ZoneType.HOLD_UP: "alarm.hold-up",
        ZoneType.AUDIBLE_HOLD_UP: "alarm.audible-hold-up",
        ZoneType.DURESS: "alarm.duress-button",
        ZoneType.TAMPER: "alarm.tamper",
        ZoneType.FIRE: "alarm.fire",
        ZoneType.GAS: "alarm.gas",
        ZoneType.WATER: "alarm.water",
        ZoneType.TECHNICAL: "alarm.technical",
        ZoneType.MEDICAL: "alarm.medical",
    }
)
"""The event of a zone's ACTIVE when it alarms (keyswitches, checkpoints and monitors never do; total all the same)."""

RESTORE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "alarm.entry": "restore.entry",
        "alarm.intruder": "restore.intruder",
        "alarm.day": "restore.day",
        "alarm.24-hour": "restore.24-hour",
        "alarm.hold-up": "restore.hold-up",
        "alarm.audible-hold-up": "restore.audible-hold-up",
        "alarm.duress-button": "restore.hold-up",
        "alarm.tamper": "restore.tamper",
        "alarm.sensor-tamper": "restore.sensor-tamper",
        "alarm.fire": "restore.fire",
        "alarm.gas": "restore.gas",
        "alarm.water": "restore.water",
        "alarm.technical": "restore.technical",
        "alarm.medical": "restore.medical",
    }
)
"""Which event ends which alarm."""

INTRUDER_KINDS: frozenset[str] = frozenset({"alarm.entry", "alarm.intruder", "alarm.day"})
EXTERNAL_KINDS: frozenset[str] = INTRUDER_KINDS | {
    "alarm.exit-error",
    "alarm.24-hour",
    "alarm.audible-hold-up",
    "alarm.tamper",
    "alarm.sensor-tamper",
    "trouble.box",
}
"""Alarms for which external sirens sound, where the area is set (digest §1.7); all others sound inside only."""

AREA_EVENTS: Mapping[str, AreaEvent] = MappingProxyType(
    {
        **dict.fromkeys((*INTRUDER_KINDS, "alarm.exit-error"), AreaEvent.ALARM),
        **dict.fromkeys(EXTERNAL_KINDS - INTRUDER_KINDS - {"alarm.exit-error"}, AreaEvent.OTHER_ALARM),
    }
)
"""What an alarm of this kind means for its areas; all others are `LIFE_ALARM`."""

NEVER_SETTLES: frozenset[ZoneType] = (
    HOLD_UPS
    | KEYSWITCHES
    | {
        ZoneType.TAMPER,
        ZoneType.FIRE,
        ZoneType.GAS,
        ZoneType.MEDICAL,
        ZoneType.CHECKPOINT,
    }
)
"""Never held back after power-up."""

NEVER_BYPASSED: frozenset[ZoneType] = HOLD_UPS | {ZoneType.TAMPER, ZoneType.FIRE}
"""Hold-up devices can't be disarmed in any way (GB 50394, digest §3.2)."""

ISOLABLE: frozenset[ZoneType] = frozenset(ZoneType) - NEVER_BYPASSED

EXIT_ROUTE: frozenset[ZoneType] = frozenset({ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER})
"""May be active when arming begins, and are walked during the exit delay."""

NEVER_ON_TRIAL: frozenset[ZoneType] = NEVER_BYPASSED | {ZoneType.GAS, ZoneType.MEDICAL}
"""No soak test: they guard lives."""


def tamper_kind(zone_type: ZoneType) -> str:
    """The alarm of a cut, shorted, masked or unsupplied line."""
    return "alarm.tamper" if zone_type is ZoneType.TAMPER else "alarm.sensor-tamper"


def fault_kind(zone_type: ZoneType) -> str:
    """The event of a fault; its end has `-ended` after it."""
    if zone_type in HOLD_UPS:
        return "zone.hold-up-fault"
    return "zone.fire-fault" if zone_type is ZoneType.FIRE else "zone.fault"
