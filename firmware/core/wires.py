"""From the panel file's lines to the driver's inputs and outputs."""

from typing import TYPE_CHECKING

from drivers.wiring import Input, OutputLine, Wiring

if TYPE_CHECKING:
    from firmware.config import PanelFile

MAINS, BATTERY = "power:mains", "power:battery"
SUPPLY = {MAINS: "mains", BATTERY: "battery"}
"""Inputs of the supply, by the trouble they stand for. The colon keeps them apart from the zones' ids."""

# A fault must count when it lasts 10 s (EN 50131, digest §1.5, [M-m]); a brief dip of the mains need not.
SUPPLY_DEBOUNCE_MS = 2_000


def zone_inputs(file: "PanelFile") -> list[Input]:
    """The lines of the zones."""
    return [
        Input(zone.id, zone.input.line, Wiring(zone.input.wiring), zone.input.line_no, zone.input.debounce_ms)
        for zone in file.zone
    ]


def supply_inputs(file: "PanelFile") -> list[Input]:
    """The lines of the supervised supply; their contact is closed while all is well."""
    lines = ((MAINS, file.power.mains_line), (BATTERY, file.power.battery_line))
    return [Input(name, line, Wiring.NC, None, SUPPLY_DEBOUNCE_MS) for name, line in lines if line is not None]


def output_lines(file: "PanelFile") -> list[OutputLine]:
    """The lines of the outputs."""
    return [OutputLine(output.id, output.line, output.active == "high") for output in file.output]
