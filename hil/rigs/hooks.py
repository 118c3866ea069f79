"""The hooks of a rig: what each kind does in its own way. `hil.rigs.base.BaseRig` calls them, and does all the rest.

A hook does one thing to its panel and returns; it raises `Unable` where its rig has no such thing, `RigFault` where the
rig (not the panel) fails, and `NotSeen` where the panel does.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from drivers.wiring import Position
from firmware.protocol import messages as m
from hil.rigs.protocol import CameraFault, Channel, Process, Unable
from hil.rigs.site import Delivery, Place

LOG_BYTES = 64 * 1024
"""Of a log, so much is kept for the report."""


class Hooks(ABC):
    """Fill in all of them."""

    def self_check(self) -> None:  # noqa: B027  # a rig without wires has nothing to prove
        """Prove each wire of the rig. Raises `RigFault` that names the one that fails."""

    @abstractmethod
    def _place(self) -> Place:
        """Where this rig's pins, ports and folders are."""

    @abstractmethod
    def _way(self) -> tuple[str, int]:
        """Host and port, as the panel sees them, of `far.port`."""

    @abstractmethod
    def _bring_up(self, delivery: Delivery) -> None:
        """Install and start the panel; return once core has read every input. From now on outputs are noted."""

    @abstractmethod
    def _take_down(self) -> None:
        """End the panel, whatever state it is in."""

    @abstractmethod
    def _ask(self, message: BaseModel) -> dict[str, Any]:
        """Ask core's technician socket; the detail of its answer. Raises `Refused`, `OSError`."""

    @abstractmethod
    def _panel_x(self) -> str | None:
        """`x` of core's public key (`keys/core.jwk` of its data folder); None while there is none."""

    @abstractmethod
    def _move(self, zone: str, position: Position) -> None:
        """Bring a detector's wires into this position."""

    @abstractmethod
    def _press(self, zone: str, hold_ms: int) -> None:
        """Trip a detector for so long; return at once."""

    @abstractmethod
    def _type(self, code: m.Code) -> None:
        """Type at the keypad (`hil.rigs.keypad.keys` has the keys)."""

    @abstractmethod
    def _read(self, output: str) -> bool:
        """Whether an output's load is on, from its line."""

    @abstractmethod
    def _mains(self, on: bool) -> None:
        """The mains contact."""

    @abstractmethod
    def _battery(self, volts: float) -> None:
        """The battery; below `site.CONTACT_V` the contact on its line opens."""

    @abstractmethod
    def _power_cut(self) -> None:
        """Everything ends at this instant."""

    @abstractmethod
    def _switch_off(self) -> None:
        """It ends in good order; return when nothing of it runs. Raises `NotSeen` where it does not."""

    @abstractmethod
    def _power_on(self) -> None:
        """It boots; return once core has read every input."""

    @abstractmethod
    def _kill(self, process: Process) -> None:
        """SIGKILL to it."""

    @abstractmethod
    def _hang(self, process: Process) -> None:
        """SIGSTOP to it."""

    def _hang_board(self) -> None:
        """Make the kernel stop."""
        raise Unable("the computer of this rig can't be made to hang")

    @abstractmethod
    def _capture(self) -> Channel:
        """Stop the uplink, connect to its socket."""

    @abstractmethod
    def _release(self) -> None:
        """Start the uplink."""

    @abstractmethod
    def _unplug(self, bus: str) -> None:
        """Pull out its adapter."""

    @abstractmethod
    def _plug(self, bus: str) -> None:
        """Plug it in."""

    @abstractmethod
    def _camera(self, fault: CameraFault) -> None:
        """What the camera sees, or whether it is there."""

    @abstractmethod
    def _disk_full(self, full: bool) -> None:
        """Of the medium with the journal."""

    @abstractmethod
    def _clock(self, utc: datetime | None) -> None:
        """Of the next boot."""

    @abstractmethod
    def _stop(self, folder: Path) -> None:
        """Stop the panel in good order (`NotSeen` where it does not), then put its `journal*.sqlite` here."""

    @abstractmethod
    def logs(self) -> dict[str, str]:
        """What the panel's processes and its console said, by name; each at most `LOG_BYTES`, the end of it."""
