"""What each zone type means to the oracle: docs/rules.md, "What a zone means", written down a second time."""

from rules.site import Condition, Zone, ZoneType
from rules.vocabulary import KINDS

INTRUSION = (ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER, ZoneType.INSTANT, ZoneType.DAY)
"""Count only while their areas are set."""
MAY_KEEP_RESTORES = (*INTRUSION, ZoneType.WATER, ZoneType.TECHNICAL)
"""Their restores may be left out of the records (Restores)."""
ALWAYS = {
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
"""Alarm when active, whatever the mode."""
SILENT_TYPES = (ZoneType.HOLD_UP, ZoneType.DURESS)
HOLD_UPS = (ZoneType.HOLD_UP, ZoneType.AUDIBLE_HOLD_UP, ZoneType.DURESS)
NEVER_OUT = (*HOLD_UPS, ZoneType.FIRE, ZoneType.TAMPER)
"""Never bypassed or isolated (GB 50394: non-disarmable)."""
NO_SETTLING = (*HOLD_UPS, ZoneType.TAMPER, ZoneType.KEYSWITCH, ZoneType.MAINTAINED_KEYSWITCH)
NO_SOAK = (*HOLD_UPS, ZoneType.TAMPER, ZoneType.FIRE, ZoneType.GAS, ZoneType.MEDICAL)
IN_WALK_TEST = (*HOLD_UPS, ZoneType.TAMPER, ZoneType.FIRE, ZoneType.GAS, ZoneType.MEDICAL)
"""Alarm in a walk test as ever."""
UNDECIDED = (ZoneType.MONITOR, ZoneType.CHECKPOINT)
"""Decide nothing when active; the words leave open what their mask and fault do."""
KEYS = (ZoneType.KEYSWITCH, ZoneType.MAINTAINED_KEYSWITCH)

INTRUDER_KINDS = ("alarm.intruder", "alarm.entry", "alarm.exit-error", "alarm.day")
"""Alarms of zones that count only while set: these may be held, aborted, cancelled, shut down."""
EXTERNAL_KINDS = (
    *INTRUDER_KINDS,
    "alarm.24-hour",
    "alarm.audible-hold-up",
    "alarm.tamper",
    "alarm.sensor-tamper",
    "alarm.confirmed",
    "trouble.box",
    "zone.alarm-held",
    "area.exit-error",
)
"""After these an external siren may sound for an area that is set (EN 50131-1 Table 7 note 5)."""
NO_SOUND = ("alarm.water", "alarm.technical")
SOUNDING = (
    *(k.name for k in KINDS.values() if k.name.startswith("alarm.") and not k.silent and k.name not in NO_SOUND),
    "zone.alarm-held",
    "area.exit-error",
    "trouble.box",
)
"""Records of what sounds some siren."""
SILENT_KINDS = frozenset(kind.name for kind in KINDS.values() if kind.silent)
ZONE_ALARMS = frozenset(k.name for k in KINDS.values() if k.name.startswith("alarm.")) - {
    "alarm.duress",
    "alarm.confirmed",
    "alarm.hold-up-confirmed",
}
"""Alarms that one zone caused."""
FAULT_KINDS = ("zone.fault", "zone.hold-up-fault", "zone.fire-fault")
TAMPER_KINDS = ("alarm.sensor-tamper", "alarm.tamper")


def alarm_kinds(zone: Zone, condition: str) -> tuple[str, ...]:
    """The kinds of alarm that this condition may cause on this zone, in whatever mode."""
    if condition in ("open", "short", "masked"):
        return TAMPER_KINDS
    if condition == "fault":
        return TAMPER_KINDS if zone.supply_cut else ()
    if zone.type in ALWAYS:
        return (ALWAYS[zone.type],)
    return {
        ZoneType.ENTRY_EXIT: ("alarm.entry", "alarm.intruder", "alarm.exit-error"),
        ZoneType.FOLLOWER: ("alarm.intruder", "alarm.entry", "alarm.exit-error"),
        ZoneType.INSTANT: ("alarm.intruder",),
        ZoneType.DAY: ("alarm.day", "alarm.intruder"),
    }.get(zone.type, ())


def line_kind(zone: Zone) -> str:
    """The kind for a cut or shorted line."""
    return "alarm.tamper" if zone.type is ZoneType.TAMPER else "alarm.sensor-tamper"


def plain(zone: Zone) -> bool:
    """Each activation counts by itself: no pulses, no double knock, no cross group, no trial."""
    return zone.pulses <= 1 and not zone.double_knock and not zone.cross_group and not zone.soak


def settles_ms(zone: Zone) -> int:
    """How long after power-up it is not believed active."""
    return 0 if zone.type in NO_SETTLING else zone.settle_ms


def entry_times(zone: Zone, delays: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Shortest and longest entry delay of a zone whose areas have these first and second times."""
    if zone.entry_delay_ms is not None:
        return zone.entry_delay_ms, zone.entry_delay_ms
    times = [second if zone.second_entry and second else first for first, second in delays]
    return min(times), max(times)


def quiet(condition: Condition | None) -> bool:
    """At rest, or never heard of."""
    return condition is None or condition is Condition.NORMAL
