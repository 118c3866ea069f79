"""From the panel file's Modbus tables to what the drivers of their buses are told."""

from typing import TYPE_CHECKING, Any

from drivers.bus.driver import BusWiring

if TYPE_CHECKING:
    from firmware.config import PanelFile
    from firmware.config.modbus import Modbus
    from firmware.config.models import Output, Zone

_LOOP = ("resistors", "wiring", "eol_ohm", "alarm_ohm", "fault_ohm", "fault_means")


def modbus_wirings(file: "PanelFile") -> list[BusWiring]:
    """One for each `[[modbus]]`; its outputs are parts too, which fail when they read back the other way."""
    return [_bus(file, bus) for bus in file.modbus]


def _bus(file: "PanelFile", bus: "Modbus") -> BusWiring:
    modules = {module.id for module in bus.module}
    zones = [zone for zone in file.zone if zone.point and zone.point.module in modules]
    outputs = [output for output in file.output if output.point and output.point.module in modules]
    line = bus.model_dump(include={"port", "baud", "parity", "stop_bits", "timeout_ms", "cycle_ms"})
    wiring = {
        **line,
        "modules": [module.model_dump() for module in bus.module],
        "zones": [_zone(zone) for zone in zones],
        "outputs": [_output(output) for output in outputs],
    }
    names = tuple(output.id for output in outputs)
    return BusWiring(bus.id, "modbus", wiring, tuple(z.id for z in zones), names, frozenset({*modules, *names}))


def _zone(zone: "Zone") -> dict[str, Any]:
    point = zone.point
    assert point is not None  # noqa: S101  # chosen for its point
    found: dict[str, Any] = {"zone": zone.id, "module": point.module, "debounce_ms": point.debounce_ms}
    if point.input is not None:
        return {**found, "input": point.input, "wiring": point.wiring}
    plan = {key: getattr(point, key) for key in _LOOP}
    # A detector without supply lets go of both its relays.
    plan["both_means"] = point.both_means or ("fault" if zone.supply_cut else "active")
    feed = {"supply_mv": point.supply_mv, "pull_ohm": point.pull_ohm}
    return {**found, "analogue": point.analogue, "plan": plan, **feed}


def _output(output: "Output") -> dict[str, Any]:
    point = output.point
    assert point is not None  # noqa: S101  # chosen for its point
    level = {"active_high": output.active == "high"}
    return {"output": output.id, "module": point.module, "number": point.output, **level}
