"""What the panel's life asks of its disk, of the far end, and of those who watch it: thin protocols, so that each part
can be written and tested alone.

`at` is always the world's own time in milliseconds since the life began. Nothing here calls back: who drives asks for
`next_work`, calls `work` when that moment has come, and reads what came of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from firmware.clock import Clock
from firmware.core.delivery import JournalReader
from firmware.journal.entries import Moment, Restored
from hil.life.happenings import Happening, Held, Recorded
from rules.effects import Record
from rules.state import PanelState
from rules.stimuli import Stimulus, TroubleChanged, Wish


@dataclass(frozen=True)
class Synced:
    """What became durable: every commit up to `ticket`, and these records, in order."""

    ticket: int
    records: tuple[Recorded, ...] = ()


class Disk(Protocol):
    """The panel's storage and its journal. Made empty; `open` comes before anything else, and after each `crash`."""

    storage_trouble: str
    """Why it does not take records as it should (full, fallen back to memory), empty when all is well."""

    @property
    def reader(self) -> JournalReader:
        """What `firmware.core.delivery.Deliveries` asks; durable records only."""
        ...

    def open(self, clock: Clock, at: int) -> Restored:
        """The panel starts: check and chain on, give back the last durable state. Records that turn out to be durable,
        though no `work` has told so before the crash, are told by the next `work`."""
        ...

    def commit(self, records: Sequence[Record], state: PanelState | None, moment: Moment, at: int) -> int:
        """Hand in the records of one step with the state after it (None: unchanged); a ticket that grows. Never blocks,
        never raises: nothing of it is durable until `work` says so."""
        ...

    def next_work(self) -> int | None:
        """When the disk has something to do next (a sync that ends, an hourly checkpoint), None for never."""
        ...

    def work(self, at: int) -> Synced:
        """Do what is due by now; what became durable by it."""
        ...

    def tick(self, moment: Moment, at: int) -> None:
        """Note beside the state that this moment was lived through (`firmware.core.recorder.TICK_MS`). Told just before
        a crash, with the last moment that the recorder would have noted; counts unless the disk hung then."""
        ...

    def mark_delivered(self, journal: str, lane: str, ranges: list[tuple[int, int]], receipt: str) -> None:
        """The center holds these (`firmware.core.delivery.Mark`). May be lost by a crash: then they are sent again."""
        ...

    def crash(self, at: int, power: bool) -> None:
        """The process is killed in mid-sentence; with `power`, what was written but not synced may be gone too."""
        ...

    def fill(self, full: bool, at: int) -> None:
        """The disk takes nothing more from now on, or has room again."""
        ...

    def stall(self, until: int, at: int) -> None:
        """The card hangs: no sync ends before `until`."""
        ...


@dataclass(frozen=True)
class Arrived:
    """What the far end came up with: records that the center stored anew, and what core is told of the paths."""

    held: tuple[Held, ...] = ()
    troubles: tuple[TroubleChanged, ...] = ()


class FarEnd(Protocol):
    """The uplink, the network, the broker and the center. It reads the disk's `reader` and marks it as delivered."""

    def core_up(self, session: int, at: int) -> None:
        """Core has opened its sockets."""
        ...

    def core_down(self, at: int, power: bool) -> None:
        """Core is gone; with `power` the uplink too."""
        ...

    def head_moved(self, at: int) -> None:
        """The durable mark moved."""
        ...

    def next_work(self) -> int | None:
        """When something happens there next, None for nothing."""
        ...

    def work(self, at: int) -> Arrived:
        """Do what is due by now."""
        ...

    def link(self, up: bool, at: int) -> None:
        """The network between the panel and the broker: gone from now on, or there again."""
        ...

    def restart_uplink(self, at: int) -> None:
        """The uplink process is killed and started again."""
        ...

    def restart_broker(self, at: int) -> None:
        """Sessions are gone; what it had not passed on too."""
        ...

    def restart_center(self, at: int) -> None:
        """The center forgets what it had not stored; what it stored it keeps."""
        ...


class Watcher(Protocol):
    """Who watches a life: the oracle, the coverage, the list of the last stimuli."""

    def watch(self, happening: Happening) -> None:
        """Something happened; in order of `at`."""
        ...


class Hands(Protocol):
    """What the world can do to the panel, and see of it. A dark panel takes nothing and shows nothing."""

    @property
    def awake(self) -> bool:
        """Whether somebody reads the inputs."""
        ...

    @property
    def powered(self) -> bool:
        """Whether the board has power."""
        ...

    def emit(self, happening: Happening) -> None:
        """This truly happened."""
        ...

    def feed(self, stimulus: Stimulus) -> None:
        """A driver, a keypad or another part of the panel says this now. Lost when the panel is dark."""
        ...

    def mode(self, area: str) -> str:
        """What the keypad shows of the area: a name of `rules.table.AreaMode`, empty when all is dark."""
        ...

    def alarmed(self, area: str) -> bool:
        """Whether siren or strobe of the area are on, as one sees from the street."""
        ...

    def crash(self, power: bool, fuse: int | None) -> None:
        """Kill the process, or cut its power: now, or when it has done so many further things (`fuse`)."""
        ...

    def stop(self, reason: str) -> None:
        """End the process in good order."""
        ...

    def start(self, version: str = "", config: str = "") -> None:
        """Start the process, on a new boot where the power was gone; with another version or panel file."""
        ...

    def set_clock(self, offset_ms: int, doubt: str) -> None:
        """The panel's wall clock is off by so much from now on; `doubt` is a name of `firmware.clock.CLOCK_STATES`."""
        ...

    def order(self, wish: Wish, deed: str, areas: tuple[str, ...] = (), zone: str = "") -> None:
        """The center's operator sends a command: `deed` is `genuine`, `replayed`, `stale` or `forged`."""
        ...

    def network(self, what: str, up: bool = True) -> None:
        """`link` goes or comes back; `uplink`, `broker`, `center` is restarted."""
        ...

    def card(self, what: str, until: int = 0) -> None:
        """The disk is `full`, has `room` again, or hangs (`stall`) until then."""
        ...
