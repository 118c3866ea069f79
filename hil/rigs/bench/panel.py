"""What the bench needs of the panel besides its wires: its raw lines, its files, its processes. Two kinds exist:
a real one over SSH, and in tests the desk's processes behind wires in software."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from firmware.protocol import messages as m
from hil.rigs.protocol import Channel, Process
from hil.rigs.site import Delivery, Place


class BenchPanel(Protocol):
    """Raises `NotSeen` for what the panel does not do, `RigFault` where it can't be reached, `Unable` as rigs do."""

    def more_hosts(self) -> tuple[str, ...]:
        """More addresses of this computer, for the broker's certificate."""
        ...

    def place(self) -> Place:
        """Ports and folders on it."""
        ...

    def way(self, port: int) -> tuple[str, int]:
        """How it reaches this port of this computer."""
        ...

    def lines(self, lines: Sequence[int]) -> Mapping[int, bool]:
        """The raw levels, each pulled up; while no core runs."""
        ...

    def drive(self, line: int, high: bool | None) -> None:
        """Drive an output line, None lets go of it; while no core runs."""
        ...

    def start(self, delivery: Delivery) -> None:
        """Install and start; return once core has read every input."""
        ...

    def booted(self) -> None:
        """Power is back: return once core has read every input."""
        ...

    def shut_down(self) -> None:
        """End it in good order, before its power goes."""
        ...

    def went_dark(self) -> None:
        """Its power is gone."""
        ...

    def stop(self, folder: Path) -> None:
        """Stop in good order, and put its journals here."""
        ...

    def take_down(self) -> None:
        """End it, whatever state it is in."""
        ...

    def ask(self, message: BaseModel) -> dict[str, Any]:
        """Core's technician socket. Raises `Refused`, `OSError`."""
        ...

    def panel_x(self) -> str | None:
        """`x` of core's public key."""
        ...

    def type(self, code: m.Code) -> None:
        """At its keypad."""
        ...

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        ...

    def hang(self, process: Process) -> None:
        """SIGSTOP."""
        ...

    def capture(self) -> Channel:
        """Stop the uplink, connect to its socket."""
        ...

    def release(self) -> None:
        """Start the uplink."""
        ...

    def logs(self) -> dict[str, str]:
        """What its processes said."""
        ...
