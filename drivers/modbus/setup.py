"""From what core tells a Modbus bus of its wiring to modules with zones and outputs on them."""

from collections.abc import Mapping
from typing import Any

from drivers.bus.words import Setup
from drivers.loop_plan import LoopPlan, Resistors
from drivers.modbus.module import Module
from drivers.modbus.points import AnalogueZone, BusOutput, InputZone, Scale
from drivers.modbus.profiles import PROFILES
from drivers.wiring import Wiring
from rules.site import Condition


def modules_of(setup: Setup, now_ms: int) -> list[Module]:
    """The modules in the panel file's order, outputs as they have to be. Raises `KeyError`, `ValueError`."""
    wiring = setup.wiring
    found = {m["id"]: Module(m["id"], m["address"], PROFILES[m["profile"]], now_ms) for m in wiring["modules"]}
    for zone in wiring["zones"]:
        _zone(found[zone["module"]], zone)
    for output in wiring["outputs"]:
        _output(found[output["module"]], output, setup.outputs)
    for module in found.values():
        module.plan()
    return list(found.values())


def _zone(module: Module, zone: Mapping[str, Any]) -> None:
    if "input" in zone:
        inputs = module.profile.inputs
        if inputs is None or not 1 <= zone["input"] <= inputs.count:
            raise ValueError(f"{module.id} has no input {zone['input']}")
        point = InputZone(zone["zone"], Wiring(zone["wiring"]), zone["debounce_ms"], inputs)
        module.wire(inputs.function, inputs.first + zone["input"] - 1, point)
        return
    analogues = module.profile.analogues
    if analogues is None or not 1 <= zone["analogue"] <= analogues.count:
        raise ValueError(f"{module.id} has no analogue input {zone['analogue']}")
    scale = Scale(zone["supply_mv"] * analogues.steps // analogues.steps_mv, zone["pull_ohm"])
    loop = AnalogueZone(zone["zone"], plan_of(zone["plan"]), scale, zone["debounce_ms"], analogues)
    module.wire(analogues.function, analogues.first + zone["analogue"] - 1, loop)


def plan_of(plan: Mapping[str, Any]) -> LoopPlan:
    """The resistors of a loop; raises `KeyError`, `ValueError`."""
    return LoopPlan(
        Resistors(plan["resistors"]),
        Wiring(plan["wiring"]),
        plan["eol_ohm"],
        plan["alarm_ohm"],
        plan["fault_ohm"],
        Condition(plan["fault_means"]),
        Condition(plan["both_means"]),
    )


def _output(module: Module, output: Mapping[str, Any], wanted: Mapping[str, bool]) -> None:
    outputs = module.profile.outputs
    if outputs is None or not 1 <= output["number"] <= outputs.count:
        raise ValueError(f"{module.id} has no output {output['number']}")
    address = outputs.first + output["number"] - 1
    name = output["output"]
    point = BusOutput(name, address, output["active_high"], wanted.get(name, False))
    module.wire(outputs.read, address, point)
