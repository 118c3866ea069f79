"""Warnings about what the rules will do with a panel file: zones that do not protect, schedules that do nothing."""

from collections.abc import Callable, Iterator

from firmware.config.check_zones import cross_groups
from firmware.config.findings import wrong
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row


def _doors(document: Document) -> Iterator[Finding]:
    """A part that omits every way in of an area: whoever comes home alarms."""
    doors: dict[str, set[str]] = {}
    for zone in document.rows("zone"):
        if zone.text("type") == "entry-exit":
            for _, area in zone.texts("areas"):
                doors.setdefault(area, set()).add(zone.text("id"))
    for part in document.rows("part"):
        omits = {name for _, name in part.texts("omits")}
        own = {a for _, a in part.texts("areas")} or set(doors)
        for area in [a for a in doors if a in own and doors[a] <= omits]:
            yield wrong(
                part,
                "omits",
                (
                    f"an entry-exit zone of area {show(area)} that does not rest",
                    f"区域 {show(area)} 至少一个出入口防区不停用",
                ),
                ("no entry-exit zone of this area counts with this part", "此部分布防下该区域所有出入口防区均停用"),
            )


def _schedules(document: Document) -> Iterator[Finding]:
    used = {a.text("schedule") for a in document.rows("area")}
    for schedule in document.rows("schedule"):
        if schedule.text("id") not in used:
            yield Finding(
                schedule.loc,
                "",
                ("an area with this schedule", "某区域使用此时间表"),
                ("no area has this schedule", "没有区域使用此时间表"),
            )
        if not schedule.has("late_after_min") and not schedule.has("auto_arm_after_min"):
            yield Finding(
                schedule.loc,
                "",
                ("late_after_min or auto_arm_after_min", "late_after_min 或 auto_arm_after_min"),
                (
                    "nothing happens when such an area is not armed in time",
                    "使用此时间表的区域未按时布防时不会有任何动作",
                ),
            )


def _days(document: Document) -> Iterator[Finding]:
    if document.rows("day") and not document.rows("schedule"):
        yield Finding(
            document.rows("day")[0].loc,
            "",
            ("a [[schedule]]", "某个 [[schedule]]"),
            ("special days change nothing without a schedule", "没有时间表时特殊日期不起作用"),
        )


def _checkpoints(document: Document) -> Iterator[Finding]:
    visited = {stop.text("zone") for tour in document.rows("tour") for stop in tour.tables("stops")}
    for zone in document.rows("zone"):
        if zone.text("type") == "checkpoint" and zone.text("id") not in visited:
            yield wrong(
                zone,
                "type",
                ("a stop of a [[tour]]", "列入某个 [[tour]] 的 stops"),
                ("this checkpoint is on no tour", "该巡更点不在任何路线中"),
            )


def _trial(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        if zone.on("soak"):
            yield wrong(
                zone,
                "soak",
                ("false after the trial", "试用结束后改为 false"),
                ("NOT PROTECTED: this zone is on trial and never alarms", "未受保护：该防区处于试用状态，永不报警"),
            )


def _crossed(document: Document) -> Iterator[Finding]:
    for zones in cross_groups(document).values():
        for zone in zones:
            others = {a for other in zones if other is not zone for a in _areas(other)}
            if len(zones) > 1 and not others & _areas(zone):
                yield wrong(
                    zone,
                    "cross_group",
                    ("zones of one group in the same area", "同组防区属于同一区域"),
                    (
                        "nobody who trips this zone trips another one of its group",
                        "触发该防区的人不会触发同组的其他防区",
                    ),
                )


def _areas(row: Row) -> set[str]:
    return {a for _, a in row.texts("areas")}


def _final_doors(document: Document) -> Iterator[Finding]:
    undelayed = {a.text("id") for a in document.rows("area") if a.number("exit_delay_s") == 0}
    for zone in document.rows("zone"):
        if zone.on("final_door") and _areas(zone) & undelayed:
            yield wrong(
                zone,
                "final_door",
                ("exit_delay_s > 0 in its area", "其区域 exit_delay_s > 0"),
                ("there is no exit delay that this door could end", "没有可由此门结束的外出延时"),
            )


def _indicator(document: Document) -> Iterator[Finding]:
    if not any(o.text("kind") == "alarm" for o in document.rows("output")):
        yield Finding(
            ("output",),
            "",
            ('an [[output]] with kind = "alarm"', '一个 kind = "alarm" 的 [[output]]'),
            (
                "no lamp shows an alarm until its reset (GB 50394)",
                "没有指示灯保持报警指示直至手动复位（GB 50394）",
            ),
        )


def _supply(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        if zone.inner("loop").text("resistors") == "triple":
            continue
        if zone.on("supply_cut") and zone.has("loop"):
            yield wrong(
                zone,
                "supply_cut",
                ('resistors = "triple" in its loop', '回路使用 resistors = "triple"'),
                ("only a third resistor tells that the supply is cut", "只有三电阻回路能识别断电"),
            )
        elif zone.on("supply_cut") and zone.has("input"):
            wiring = zone.inner("input").text("wiring", "nc")
            yield wrong(
                zone,
                "supply_cut",
                ("a detector that tells a fault from an alarm", "能区分故障与报警的探测器接法"),
                (f"wiring {show(wiring)} can't tell that the supply is cut", f"接法 {show(wiring)} 无法识别断电"),
            )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _doors,
    _schedules,
    _days,
    _checkpoints,
    _trial,
    _crossed,
    _final_doors,
    _indicator,
    _supply,
)
