"""Zones and outputs on a module: readings settle to conditions, orders are compared with what the module reads back."""

from dataclasses import dataclass, field

from drivers.debounce import Debouncer
from drivers.loop_plan import LoopPlan
from drivers.loop_zone import Loop, WatchedLoop
from drivers.modbus.profiles import Analogues, Inputs
from drivers.wiring import Wiring, condition
from rules.site import Condition

RESTLESS_MS = 5_000
"""An input that does not come to rest for so long reads fault: nobody knows any more what the contact does."""
STUCK_READS = 3
"""So many times in a row an output may read back the other way before it is told."""


@dataclass(frozen=True)
class Scale:
    """What a loop on an analogue input is fed with: `full` steps without any load, through `pull_ohm`."""

    full: int
    pull_ohm: int


class InputZone:
    """A contact on a digital input."""

    def __init__(self, zone: str, wiring: Wiring, debounce_ms: int, inputs: Inputs) -> None:
        self.zone = zone
        self._wiring = wiring
        self._inverted = inputs.inverted
        self._debounce_ms = debounce_ms
        self.restart()

    def restart(self) -> None:
        """What was read before counts no more."""
        self._debounce: Debouncer[Condition] = Debouncer(self._debounce_ms)
        self.condition: Condition | None = None

    @property
    def short_pulses(self) -> int:
        """Pulses shorter than the debounce, since the last restart."""
        return self._debounce.short_pulses

    def feed(self, value: int, now_ms: int) -> Condition | None:
        """Take a reading in; what the zone is, None while nothing is known."""
        closed = bool(value) is not self._inverted
        # A module reads a closed contact as on; the tables of plain lines read it as low.
        self._debounce.feed(condition(self._wiring, (not closed,)), now_ms)
        if self._debounce.restless_ms(now_ms) >= RESTLESS_MS:
            self._debounce.distrust()
            self.condition = Condition.FAULT
        else:
            self.condition = self._debounce.settled
        return self.condition


class AnalogueZone:
    """End-of-line resistors on an analogue input, read as a voltage."""

    def __init__(self, zone: str, plan: LoopPlan, scale: Scale, debounce_ms: int, analogues: Analogues) -> None:
        self.zone = zone
        self._signed = analogues.signed
        self._loop = WatchedLoop(Loop(zone, 0, plan, debounce_ms), scale, None)
        self.condition: Condition | None = None

    def restart(self) -> None:
        """What was read before counts no more; what was learned stays."""
        self._loop.restart()
        self.condition = self._loop.reported = None

    @property
    def short_pulses(self) -> int:
        """Departures shorter than the debounce."""
        return self._loop.short_pulses

    def feed(self, value: int, now_ms: int) -> Condition | None:
        """Take a reading in; what the zone is, None while nothing is known."""
        count = value - 0x10000 if self._signed and value & 0x8000 else value
        found = self._loop.look(lambda: max(0, count), now_ms)
        self.condition = found or self.condition
        return self.condition


@dataclass
class BusOutput:
    """An output: what it has to be, what it reads back, and whether it stays different."""

    output: str
    address: int
    active_high: bool
    wanted: bool = False
    read_back: bool | None = None
    wrong_reads: int = 0
    due: bool = field(default=True)

    @property
    def stuck(self) -> bool:
        """Whether it stays different from what was ordered."""
        return self.wrong_reads >= STUCK_READS

    @property
    def level(self) -> bool:
        """What the module's output has to be."""
        return self.wanted is self.active_high

    def order(self, on: bool) -> None:
        """It has to be this from now on."""
        self.wanted, self.due, self.wrong_reads = on, True, 0

    def read(self, level: bool) -> bool:
        """What the module reads back; whether that is news. A difference has it written again."""
        on = level is self.active_high
        news = on is not self.read_back
        self.read_back = on
        if on is self.wanted:
            self.wrong_reads = 0
        elif not self.due:
            self.wrong_reads += 1
            self.due = True
        return news
