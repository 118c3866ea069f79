"""The one zone of the rigs' site that hangs on a bus: input 3 of a Modbus module, whose other end is a fake."""

from drivers.wiring import Position
from hil.modbus import ModbusLine
from hil.rigs.protocol import Unable
from hil.rigs.site import MODULE

ROOF = "roof"
INPUT = 2


def move_roof(bus: ModbusLine, position: Position) -> None:
    """Open or close its contact. Raises `Unable` for what a module's input can't show."""
    if position not in (Position.OPEN, Position.CLOSE):
        raise Unable(f"the module's input can't be brought into {position}")
    bus.units[MODULE].discretes[INPUT] = position is Position.CLOSE
