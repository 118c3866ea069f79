"""The bench's keypad: the machine rig's, on an RS-485 adapter of this computer at the panel's keypad bus."""

from drivers.bus.ports import NoPort, open_port
from hil.rigs.machine.keypad import Keypad
from hil.rigs.protocol import RigFault

BAUD = 9600
"""What a bus of the panel file has by default (OSDP v2.2.2 §5.1)."""


class SerialKeypad(Keypad):
    """Plugged in from its making to `close`."""

    def __init__(self, port: str) -> None:
        """`port`: by-id, of this computer. Raises `RigFault`."""
        try:
            bus = open_port(port, BAUD)
        except NoPort as error:
            raise RigFault(f"keypad: {error}") from None
        self._play(bus, bus.fileno())
