"""What every rig can be asked to do: the hands at a site, its faults, and the eyes on panel and alarm center.

Scenarios know this file alone, so that one file of them runs on a desk, in a virtual machine and on a bench of boards.
What a rig can't do it says with `Unable`: the scenario is skipped with that reason, and counted. What a rig fails to do
it says with `RigFault`: a verdict of its own, which never counts against the panel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel

from firmware.protocol.messages import WishName

RigName: TypeAlias = Literal["desk", "machine", "bench"]
Process: TypeAlias = Literal["core", "uplink", "camera"]
Track: TypeAlias = Literal[
    "step", "input", "code", "power", "network", "process", "output", "area", "record", "receipt", "trouble"
]
"""Whose line of the timeline: the first six are what the rig did, the others what it saw."""
CameraFault: TypeAlias = Literal["cover", "uncover", "unplug", "plug"]
Verdict: TypeAlias = Literal["pass", "fail", "rig-fault", "skipped"]


class Unable(Exception):
    """This rig can't do that; `str` is the reason, one English line."""


class RigFault(Exception):
    """The rig is not as it must be: a wire that fails its self-check, a broker that does not start. `str` names it."""


class NotSeen(AssertionError):
    """What a panel had to do did not happen in time. It counts against the panel."""


@dataclass(frozen=True)
class Mark:
    """One moment of a run. `ms`: the boot clock of the host (CLOCK_BOOTTIME), the one clock of a run, whatever the rig.

    `name`: a zone, output, area, record kind …; `value`: a position, a level, a mode, a record's payload ….
    """

    ms: int
    track: Track
    name: str
    value: Any = None


class Hands(Protocol):
    """At the detectors and keypads. A zone the panel file does not name raises `KeyError`."""

    def open(self, zone: str) -> None:
        """Trip the detector and leave it so: a door opens, a person is in view."""
        ...

    def close(self, zone: str) -> None:
        """Put it, and its line, back to rest."""
        ...

    def cut(self, zone: str) -> None:
        """Cut its line."""
        ...

    def short(self, zone: str) -> None:
        """Short its line."""
        ...

    def mask(self, zone: str) -> None:
        """Cover its eye. `Unable` where the wiring can't show it."""
        ...

    def press(self, zone: str, hold_ms: int = 1000) -> None:
        """Trip it for so long: a button, a key switch. Returns at once."""
        ...

    def code(self, digits: str, wish: WishName = "toggle", zone: str = "", areas: tuple[str, ...] = ()) -> None:
        """Type a code at the keypad, with a wish of docs/keypads.md; `zone` for a bypass. Returns when it is typed."""
        ...


class Supply(Protocol):
    """Mains, battery, and the power of the whole panel."""

    def mains(self, on: bool) -> None:
        """Switch the mains."""
        ...

    def battery(self, volts: float) -> None:
        """What the battery shows from now on; below 11 V its own contact opens."""
        ...

    def power_cut(self) -> None:
        """All power goes at this instant: nothing is told, nothing is flushed."""
        ...

    def switch_off(self) -> None:
        """It is shut down in good order, as a technician does, and its power goes; returns when it is off."""
        ...

    def power_on(self) -> None:
        """It comes back; returns when the panel's core is ready."""
        ...


class Line(Protocol):
    """Between panel and alarm center."""

    def network(self, up: bool) -> None:
        """Cut the line (nothing passes, no connection is told), or mend it."""
        ...

    def broker_replaced(self) -> None:
        """Another broker at the same address, which knows no session and holds nothing."""
        ...

    def command(self, command: str, args: Mapping[str, Any], operator: str = "Wang Fang") -> Mapping[str, Any]:
        """A signed command from the center; the panel's signed reply."""
        ...


class Channel(Protocol):
    """One connection to a socket of core, for a peer that says what it likes."""

    def send(self, message: BaseModel) -> None:
        """Send one message; raises `OSError` when core has hung up."""
        ...

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message, None when none came in time; raises `ConnectionError` when core has hung up."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Faults(Protocol):
    """What breaks in the panel and around it."""

    def kill(self, process: Process) -> None:
        """SIGKILL. Whoever guards the panel starts it again."""
        ...

    def hang(self, process: Process) -> None:
        """SIGSTOP: it lives, and does nothing any more. Whoever guards the panel has to notice."""
        ...

    def hang_board(self) -> None:
        """The whole computer stops at this instant: only a watchdog beside it can help."""
        ...

    def capture(self) -> Channel:
        """The uplink is stopped, and somebody else speaks on its socket; `release` gives it back."""
        ...

    def release(self) -> None:
        """The true uplink runs again."""
        ...

    def unplug(self, bus: str) -> None:
        """Pull out the adapter of a bus (its id in the panel file)."""
        ...

    def plug(self, bus: str) -> None:
        """Plug it in again."""
        ...

    def camera(self, fault: CameraFault) -> None:
        """Cover its lens, or unplug it; and back."""
        ...

    def disk_full(self, full: bool) -> None:
        """Take all room of the medium with the journal, or give it back."""
        ...

    def clock(self, utc: datetime | None) -> None:
        """What the panel's clock says when it boots next (an aware datetime), None: the truth."""
        ...


class Eyes(Protocol):
    """What a rig sees. Moments are `Mark.ms`; `since` looks only at what came after it (`now()`), by default all.

    A wait that ends without what it waits for raises `NotSeen` with what was seen instead.
    """

    def now(self) -> int:
        """The boot clock of the host, ms."""
        ...

    def reads(self, output: str) -> bool:
        """Whether this output is on now, read back from its line."""
        ...

    def waits_for(self, output: str, on: bool = True, since: int = 0, within_s: float = 15.0) -> Mark:
        """Until the output is so, or was so since then."""
        ...

    def stays(self, output: str, on: bool, for_s: float) -> None:
        """It is so and stays so for so long; `NotSeen` at its first change."""
        ...

    def mode(self, area: str) -> str:
        """How core says that an area stands: disarmed, exit-delay, armed, entry-delay, alarm."""
        ...

    def sees(self, area: str, mode: str, within_s: float = 15.0) -> Mark:
        """Until the area stands so."""
        ...

    def status(self) -> dict[str, Any]:
        """Core's own view, as `fenghuo doctor` gets it."""
        ...

    def without(self, trouble: str, within_s: float = 20.0) -> int:
        """Until core has no trouble of this name, whatever began before; the number of its newest record then."""
        ...

    def center_sees(
        self, kind: str, zone: str = "", since: int = 0, within_s: float = 20.0, after: int = 0, **payload: Any
    ) -> dict[str, Any]:
        """Until the center holds a record of this kind (header, payload, hash) with these members in its payload.

        `after`: only one whose number is higher, whenever it arrived.
        """
        ...

    def center_holds(self, kind: str) -> list[dict[str, Any]]:
        """The records of this kind that it holds now, in the journal's order."""
        ...

    def marks(self) -> list[Mark]:
        """All of this run so far, in order of time."""
        ...


class Rig(Hands, Supply, Line, Faults, Eyes, Protocol):
    """A panel on a rig, at rest and disarmed, with a user and an alarm center, when a scenario gets it.

    `hil.rigs.base.BaseRig` is most of it; a rig of a new kind fills in its hooks.
    """

    @property
    def patience(self) -> float:
        """How much longer than on a desk all may take: a scenario multiplies its own times by it."""
        ...

    @property
    def name(self) -> RigName:
        """Which kind it is."""
        ...

    def step(self, text: str) -> None:
        """What the scenario does next, for the timeline."""
        ...

    def arm(self) -> None:
        """Arm all areas with the user's code, and wait until they are."""
        ...

    def disarm(self) -> None:
        """Disarm all areas with the user's code, and wait until they are."""
        ...
