"""From the panel file's lines and loops to what the drivers take."""

from typing import TYPE_CHECKING

from drivers.wiring import Input, OutputLine, Wiring

if TYPE_CHECKING:
    from drivers.loop_zone import Loop
    from drivers.mcp3xxx import Chip
    from drivers.probe import Probe
    from firmware.config import Loop as LoopTable
    from firmware.config import PanelFile, Watch

MAINS, BATTERY = "power:mains", "power:battery"
VOLTS, THERMISTOR = "power:volts", "power:temperature"
LOAD, CHARGER, CUT = "power:load", "power:charger", "power:cut"
SUPPLY = {MAINS: "mains", BATTERY: "battery"}
"""Inputs of the supply, by the trouble they stand for. The colon keeps them apart from the zones' ids."""

# A fault must count when it lasts 10 s (EN 50131, digest §1.5, [M-m]); a brief dip of the mains need not.
SUPPLY_DEBOUNCE_MS = 2_000


def zone_inputs(file: "PanelFile") -> list[Input]:
    """The lines of the zones and boxes that have some."""
    wires = [*((zone.id, zone.input) for zone in file.zone), *((box.id, box.input) for box in file.box)]
    return [Input(name, wire.line, Wiring(wire.wiring), wire.line_no, wire.debounce_ms) for name, wire in wires if wire]


def supply_inputs(file: "PanelFile") -> list[Input]:
    """The lines of the supervised supply; their contact is closed while all is well."""
    lines = ((MAINS, file.power.mains_line), (BATTERY, file.power.battery_line))
    return [Input(name, line, Wiring.NC, None, SUPPLY_DEBOUNCE_MS) for name, line in lines if line is not None]


def output_lines(file: "PanelFile") -> list[OutputLine]:
    """The lines of the outputs, and of the battery's load test."""
    found = [OutputLine(o.id, o.line, o.active == "high") for o in file.output if o.line is not None]
    battery = file.power.battery
    if battery is not None:
        lines = ((LOAD, battery.load_line), (CHARGER, battery.charger_line), (CUT, battery.cut_line))
        found += [OutputLine(name, line, battery.active == "high") for name, line in lines if line is not None]
    return found


def probes_on(file: "PanelFile", adc: str) -> "list[Probe]":
    """What is measured at the battery over this converter."""
    from drivers.probe import Probe

    battery = file.power.battery
    if battery is None:
        return []
    wires = ((VOLTS, battery.volts), (THERMISTOR, battery.thermistor))
    return [Probe(name, wire.channel) for name, wire in wires if wire is not None and wire.adc == adc]


def loops_by_chip(file: "PanelFile") -> "dict[Chip, list[Loop]]":
    """The converters and the loops on each: zones, boxes, watched outputs, each by its id.

    Nothing of theirs is imported where there are none.
    """
    if not file.adc:
        return {}
    from drivers.mcp3xxx import Chip

    chips = {a.id: Chip(a.id, 12 if a.chip == "mcp3208" else 10, a.select, a.pull_ohm, a.vref_mv) for a in file.adc}
    found: dict[Chip, list[Loop]] = {chip: [] for chip in chips.values()}
    for zone in file.zone:
        if zone.loop:
            found[chips[zone.loop.adc]].append(_loop(zone.id, zone.loop, zone.supply_cut))
    for box in file.box:
        if box.loop:
            found[chips[box.loop.adc]].append(_loop(box.id, box.loop, False))
    for output in file.output:
        if output.watch:
            found[chips[output.watch.adc]].append(_line(output.id, output.watch))
    return found


def loaded_lines(file: "PanelFile") -> frozenset[str]:
    """The outputs whose watched line can't be judged while they are on."""
    return frozenset(o.id for o in file.output if o.watch and not o.watch.watched_while_on)


def _line(output: str, watch: "Watch") -> "Loop":
    from drivers.loop_plan import LoopPlan, Resistors
    from drivers.loop_zone import Loop

    return Loop(output, watch.channel, LoopPlan(Resistors.LINE, eol_ohm=watch.eol_ohm), watch.debounce_ms)


def _loop(zone: str, loop: "LoopTable", supply_cut: bool) -> "Loop":
    from drivers.loop_plan import LoopPlan, Resistors
    from drivers.loop_zone import Loop
    from rules.site import Condition

    plan = LoopPlan(
        resistors=Resistors(loop.resistors),
        wiring=Wiring(loop.wiring),
        eol_ohm=loop.eol_ohm,
        alarm_ohm=loop.alarm_ohm,
        fault_ohm=loop.fault_ohm,
        fault_means=Condition(loop.fault_means),
        # A detector without supply lets go of both its relays.
        both_means=Condition(loop.both_means or ("fault" if supply_cut else "active")),
    )
    return Loop(zone, loop.channel, plan, loop.debounce_ms)
