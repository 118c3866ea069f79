"""Whether the attributes of each zone fit its type, and one another.

What a type allows is the rules' own (`rules.zones`): an attribute that they would not heed is a mistake, not a wish.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from firmware.config.findings import wrong
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row
from firmware.config.site import NOT_BYPASSABLE
from rules.site import ZoneType
from rules.zones import INTRUDER, NEVER_BYPASSED, WALKED

_ENTRY = frozenset({ZoneType.ENTRY_EXIT})
_DETECTION = INTRUDER | {ZoneType.TWENTY_FOUR_HOUR}
_SUPPLIED = WALKED | {ZoneType.FIRE, ZoneType.GAS}
_RESTORES = INTRUDER | {ZoneType.WATER, ZoneType.TECHNICAL}

_FITTING: Mapping[str, tuple[object, frozenset[ZoneType]]] = {
    "forceable": (False, WALKED),
    "chime": (False, _DETECTION),
    "entry_delay_s": (None, _ENTRY),
    "second_entry": (False, _ENTRY),
    "final_door": (False, _ENTRY),
    "pulses": (1, INTRUDER),
    "double_knock": (False, INTRUDER),
    "cross_group": (None, INTRUDER),
    "swinger_trips": (None, INTRUDER),
    "soak": (False, WALKED),
    "report_restore": (True, _RESTORES),
    "detector": (None, _DETECTION),
    "supply_cut": (False, _SUPPLIED),
}
"""Attribute → the value that says nothing, and the zone types that heed it."""


def zone_type(zone: Row) -> ZoneType | None:
    """The zone's type; None for what is none."""
    name = zone.text("type")
    return ZoneType(name) if name in set(ZoneType) else None


def _attributes(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        kind = zone_type(zone)
        for key, (neutral, types) in _FITTING.items():
            if kind is None or kind in types or not zone.has(key) or zone.values[key] == neutral:
                continue
            names = ", ".join(t for t in ZoneType if t in types)
            yield wrong(
                zone,
                key,
                (f"no such key, or a type of {names}", f"删除此键，或类型为 {names}"),
                (f'{key} means nothing for a zone of type "{kind}"', f"{key} 不适用于 {kind} 类型防区"),
            )


def _bypass(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        if zone_type(zone) in NEVER_BYPASSED and zone.on("bypassable"):
            yield wrong(
                zone,
                "bypassable",
                ("false, or no such key", "false，或删除此键"),
                ("hold-up, duress, tamper and fire zones can't be bypassed", "紧急、胁迫、防拆与火灾防区不可旁路"),
            )
        elif zone_type(zone) in WALKED and zone.on("forceable") and not _bypassable(zone):
            yield wrong(
                zone,
                "forceable",
                ("bypassable = true besides", "同时设置 bypassable = true"),
                (
                    "forced arming bypasses a zone, and this one can't be bypassed",
                    "强制布防会旁路防区，但此防区不可旁路",
                ),
            )


def _bypassable(zone: Row) -> bool:
    return zone.values.get("bypassable", zone_type(zone) not in NOT_BYPASSABLE) is True


def _pulses(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        counts, knocks = (zone.number("pulses") or 1) > 1, zone.on("double_knock")
        window = zone.number("pulse_window_s") or 0
        if counts and knocks:
            yield wrong(
                zone,
                "double_knock",
                ("pulses or double_knock, not both", "pulses 与 double_knock 二选一"),
                ("a zone counts its pulses in one way", "一个防区只能用一种脉冲计数方式"),
            )
        elif (counts or knocks) and not window:
            yield wrong(
                zone,
                "pulse_window_s",
                ("within how many seconds they count: 1 to 600", "计数的时间窗口：1 至 600 秒"),
                ("pulses need a window", "脉冲计数需要时间窗口"),
            )
        elif window and not (counts or knocks):
            yield wrong(
                zone,
                "pulse_window_s",
                ("pulses ≥ 2 or double_knock = true besides", "同时设置 pulses ≥ 2 或 double_knock = true"),
                ("a window without pulses to count", "有时间窗口但没有脉冲计数"),
            )


def _second_entry(document: Document) -> Iterator[Finding]:
    lacking = {a.text("id") for a in document.rows("area") if not a.number("entry_delay_2_s")}
    for zone in document.rows("zone"):
        areas = [a for _, a in zone.texts("areas") if a in lacking]
        own = zone.number("entry_delay_s") is not None or zone_type(zone) not in _ENTRY
        if zone.on("second_entry") and not own and areas:
            yield wrong(
                zone,
                "second_entry",
                (f"entry_delay_2_s > 0 in area {show(areas[0])}", f"区域 {show(areas[0])} 设置 entry_delay_2_s > 0"),
                ("its area has no second entry time", "其区域没有第二进入时间"),
            )


def _cross(document: Document) -> Iterator[Finding]:
    for name, zones in cross_groups(document).items():
        areas = Counter(area for zone in zones for area in {a for _, a in zone.texts("areas")})
        if max(areas.values(), default=0) < 2:
            yield wrong(
                zones[0],
                "cross_group",
                (
                    f"another zone with cross_group = {show(name)} in one of its areas",
                    f"同一区域内另有 cross_group = {show(name)} 的防区",
                ),
                (
                    "a cross group needs two zones of one area: this one would never alarm",
                    "交叉组需要同一区域的两个防区，否则永不报警",
                ),
            )


def cross_groups(document: Document) -> Mapping[str, list[Row]]:
    """Cross group → its zones, in the file's order."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for zone in document.rows("zone"):
        if group := zone.text("cross_group"):
            groups[group].append(zone)
    return groups


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _attributes,
    _bypass,
    _pulses,
    _second_entry,
    _cross,
)
