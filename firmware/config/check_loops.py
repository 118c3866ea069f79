"""Whether each zone and box has one wire, and each loop a channel of its own and resistors that can be told apart."""

from collections.abc import Callable, Iterator

from drivers.loop_plan import LoopPlan, Resistors
from drivers.wiring import Wiring
from firmware.config.findings import TABLES, twice, unknown, wrong
from firmware.config.mistakes import Finding, Loc
from firmware.config.rows import Document, Row
from firmware.language import Text

GPIO = "gpio"
"""The driver of all plain lines; no chip may bear its name, which tells whose fault a fault is."""
_OF_TRIPLE = ("fault_ohm", "fault_means", "both_means")
_OHM = {"eol_ohm": 1_000, "alarm_ohm": 2_200, "fault_ohm": 3_900}


def _wires(document: Document) -> Iterator[Finding]:
    for row in document.each("zone", "box"):
        if row.has("tag"):
            continue  # firmware.config.check_readers
        wires = [key for key in ("input", "loop", "point") if row.has(key)]
        if len(wires) > 1:
            yield wrong(
                row,
                wires[-1],
                (" or ".join(wires) + ", not both", " 与 ".join(wires) + " 只能选一"),
                (f"a {row.loc[0]} has one wire", f"{TABLES[str(row.loc[0])]}只有一种接线"),
            )
        elif not wires:
            yield Finding(
                row.at("input"),
                "",
                ("input = { line = … }, loop = { adc = … }, or point = { module = … }",) * 2,
                ("this key is missing", "缺少此键"),
            )


def measured(document: Document) -> list[Row]:
    """Each table that names a channel of a converter; empty ones where a zone, box or output has none."""
    loops = [row.inner("loop") for row in document.each("zone", "box")]
    battery = document.table("power").inner("battery")
    probes = [battery.inner("volts"), battery.inner("thermistor")]
    return [*loops, *(output.inner("watch") for output in document.rows("output")), *probes]


def _channels(document: Document) -> Iterator[Finding]:
    loops = measured(document)
    known = document.ids("adc")
    yield from unknown([(loop.at("adc"), loop.text("adc")) for loop in loops if loop.has("adc")], "adc", known)
    used = [
        (loop.at("channel"), f"{loop.text('adc')}/{n}") for loop in loops if (n := loop.number("channel")) is not None
    ]
    expected: Text = ("a channel of its own, 0 to 7", "独占的通道，0 至 7")
    yield from twice(used, expected, ("this channel is used twice", "通道重复使用"))
    selects: list[tuple[Loc, str | int | None]] = [
        (adc.at("select") if adc.has("select") else adc.loc, adc.number("select", 0)) for adc in document.rows("adc")
    ]
    yield from twice(selects, ("a select of its own, 0 or 1", "独占的 select，0 或 1"), ("used twice", "重复使用"))


def _idle_chips(document: Document) -> Iterator[Finding]:
    used = {loop.text("adc") for loop in measured(document)}
    for adc in document.rows("adc"):
        if adc.text("id") == GPIO:
            yield wrong(adc, "id", ("another id", "其他 id"), ("the name of the plain lines", "此名称用于普通 GPIO"))
        if adc.text("id") not in used:
            yield Finding(
                adc.loc,
                "",
                ("a loop or a measurement on it", "使用它的回路或测量"),
                ("nothing is wired to it", "没有接任何回路"),
            )


def _unused_keys(document: Document) -> Iterator[Finding]:
    for loop in (row.inner("loop") for row in document.each("zone", "box")):
        resistors = loop.text("resistors", "double")
        fitting = {"single": "double", "double": "triple"}.get(resistors)
        unused = (*_OF_TRIPLE, "alarm_ohm") if resistors == "single" else _OF_TRIPLE if fitting else ()
        for key in unused:
            if loop.has(key):
                yield wrong(
                    loop,
                    key,
                    ('no such key, or resistors = "triple"', '删除此键，或 resistors = "triple"')
                    if key in _OF_TRIPLE
                    else ('no such key, or resistors = "double"', '删除此键，或 resistors = "double"'),
                    (f"{key} means nothing for a {resistors} resistor plan", f"{key} 不适用于 {resistors} 电阻方案"),
                )


def _told_apart(document: Document) -> Iterator[Finding]:
    chips = {adc.text("id"): adc for adc in document.rows("adc")}
    plans = [(loop := row.inner("loop"), _plan(loop)) for row in document.each("zone", "box")]
    watches = [output.inner("watch") for output in document.rows("output")]
    plans += [(watch, _line_plan(watch)) for watch in watches]
    for point in (row.inner("point") for row in document.rows("zone")):
        # As a converter of 12 bits: what a step of the module is stands in its profile, and is finer.
        if point.has("analogue") and (plan := _plan(point)) and (point.number("pull_ohm", 2_200) or 0) >= 1:
            plans.append((point, plan))
    for loop, plan in plans:
        chip = chips.get(loop.text("adc"))
        scale = _converter(chip) if chip else (4_095, loop.number("pull_ohm", 2_200) or 1)
        near = plan.too_near(*scale) if plan and (chip or loop.has("analogue")) else None
        if near:
            low, high = (f"{state.condition} ({state.ohm:.0f} ohm)" for state in near)
            at = next((key for key in reversed(_OHM) if loop.has(key)), "eol_ohm")
            yield wrong(
                loop,
                at,
                ("resistances that differ by 25 % and 12 steps or more", "相邻状态至少相差 25% 且 12 个量化级"),
                (f"{low} and {high} can't be told apart safely", f"无法可靠区分 {low} 与 {high}"),
            )


def _watched(document: Document) -> Iterator[Finding]:
    for output in document.rows("output"):
        if output.has("watch") and output.text("kind") not in ("siren", "strobe", ""):
            yield wrong(
                output,
                "watch",
                ('no such key, or kind = "siren" or "strobe"', '删除此键，或 kind = "siren" 或 "strobe"'),
                ("only lines of warning devices are watched", "仅监视报警装置的线路"),
            )


def _converter(chip: Row) -> tuple[int, int]:
    """Its highest reading and its pull-up."""
    full = 1023 if chip.text("chip") == "mcp3008" else 4095
    return full, max(1, chip.number("pull_ohm", 2_200) or 2_200)


def _plan(loop: Row) -> LoopPlan | None:
    """The plan of a loop, as far as its resistances are usable at all."""
    resistors, wiring = loop.text("resistors", "double"), loop.text("wiring", "nc")
    ohm = {key: loop.number(key, default) or default for key, default in _OHM.items()}
    if not loop.values or resistors not in ("single", "double", "triple") or wiring not in ("nc", "no"):
        return None
    if any(value < 1 or value > 10**6 for value in ohm.values()):
        return None
    return LoopPlan(Resistors(resistors), Wiring(wiring), ohm["eol_ohm"], ohm["alarm_ohm"], ohm["fault_ohm"])


def _line_plan(watch: Row) -> LoopPlan | None:
    ohm = watch.number("eol_ohm", 1_000) or 0
    return LoopPlan(Resistors.LINE, eol_ohm=ohm) if watch.values and 1 <= ohm <= 10**6 else None


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _wires,
    _channels,
    _idle_chips,
    _watched,
    _unused_keys,
    _told_apart,
)
