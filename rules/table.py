"""The life of an area, as a table: every mode, every event, and what follows.

Rules of this file
------------------
1. Everything that decides an area's *mode* is in `FOLLOWING`, and nothing else sets a mode. Who may cause an event,
   what is recorded and what sounds is decided elsewhere; which mode follows is decided here.
2. Every pair of mode and event has its row, also the pairs that should never meet. An event that changes nothing is
   written down as changing nothing, so that a pair which nobody thought of can't exist.

Theory of operation
-------------------
An area is *disarmed*, or on its way to being armed (*exit-delay*), or *set*: armed, entry-delay, alarm.
The only way out of the set modes to disarmed is DISARM, and the only sources of DISARM are a known code, a
valid remote command and a keyswitch. No timer, fault, trouble or restart disarms.

ARM starts the exit delay, ARM_NOW skips it (remote arming, or an area whose exit delay is 0). ENTRY is an entry-exit
zone that opens; its delay ends in ENTRY_ENDED, which is an alarm. ENTRY_CANCELLED happens when the only zones that
started the entry delay are common ones, and another area of theirs is disarmed: they are no longer armed, so the
area goes back to armed instead of alarming later.

ALARM, an intruder's, in a set mode leads to `alarm`; in the other two an alarm sounds locally without changing the
mode. OTHER_ALARM (tamper, 24-hour, hold-up) does not end an entry delay: it still ends in its own alarm. LIFE_ALARM
(fire, gas, medical) changes no mode: whoever comes to help may come in by the door as ever. ALARM_ENDED is the time
limit of the sirens: the area is armed again, with its memory, and the next alarm sounds again.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class AreaMode(StrEnum):
    """Where in its life an area is."""

    DISARMED = "disarmed"
    EXIT_DELAY = "exit-delay"
    ARMED = "armed"
    ENTRY_DELAY = "entry-delay"
    ALARM = "alarm"


class AreaEvent(StrEnum):
    """What can happen to an area."""

    ARM = "arm"
    ARM_NOW = "arm-now"
    EXIT_ENDED = "exit-ended"
    ENTRY = "entry"
    ENTRY_CANCELLED = "entry-cancelled"
    ENTRY_ENDED = "entry-ended"
    ALARM = "alarm"
    OTHER_ALARM = "other-alarm"
    LIFE_ALARM = "life-alarm"
    ALARM_ENDED = "alarm-ended"
    DISARM = "disarm"


_D, _X, _A, _E, _L = AreaMode

SET_MODES: frozenset[AreaMode] = frozenset({_A, _E, _L})
"""The modes in which the area is set: external sirens may sound, detection counts."""

# One row an event, one column a mode: the mode that follows.
_ROWS: Mapping[AreaEvent, tuple[AreaMode, AreaMode, AreaMode, AreaMode, AreaMode]] = {
    # in:                      disarmed exit-delay armed entry-delay alarm
    AreaEvent.ARM: (_X, _X, _A, _E, _L),
    AreaEvent.ARM_NOW: (_A, _X, _A, _E, _L),
    AreaEvent.EXIT_ENDED: (_D, _A, _A, _E, _L),
    AreaEvent.ENTRY: (_D, _X, _E, _E, _L),
    AreaEvent.ENTRY_CANCELLED: (_D, _X, _A, _A, _L),
    AreaEvent.ENTRY_ENDED: (_D, _X, _A, _L, _L),
    AreaEvent.ALARM: (_D, _X, _L, _L, _L),
    AreaEvent.OTHER_ALARM: (_D, _X, _L, _E, _L),
    AreaEvent.LIFE_ALARM: (_D, _X, _A, _E, _L),
    AreaEvent.ALARM_ENDED: (_D, _X, _A, _E, _A),
    AreaEvent.DISARM: (_D, _D, _D, _D, _D),
}

FOLLOWING: Mapping[tuple[AreaMode, AreaEvent], AreaMode] = MappingProxyType(
    {(mode, event): row[i] for event, row in _ROWS.items() for i, mode in enumerate(AreaMode)}
)
"""(mode, event) → the mode that follows; total."""

PRECEDENCE: tuple[AreaMode, ...] = (_D, _X, _E, _A, _L)
"""A zone common to several areas behaves as in the first of these modes that one of them is in: it is armed only
when all its areas are, and one area's entry delay counts for it."""
