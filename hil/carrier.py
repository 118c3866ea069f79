"""Two ways to carry records from a panel to a center over a bad link, behind one face, for a bench that compares them.

`hil.bridge`: a local Mosquitto with persistence that bridges to the center's; a producer publishes to it.
`hil.own_carrier`: our journal and uplink, fed by `hil.bench_core`. Both count a record as kept when their producer was
told so.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

Kept = Callable[[int], None]


def boot_ms() -> int:
    """The boot clock, as all processes of the machine have it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class Carrier(ABC):
    """One way. Records have numbers from 1, in the order in which they were kept."""

    name: str
    panel = ""
    """The panel's id, where it has one."""

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}
        """When each was said to be kept, boot clock in ms."""
        self.alarms: list[int] = []
        self.on_kept: Kept = lambda _number: None

    @abstractmethod
    def start(self) -> None:
        """Start, or start again after `kill`."""

    @abstractmethod
    def kill(self) -> None:
        """SIGKILL to everything on the panel's side."""

    @abstractmethod
    def make(self, count: int, per_s: float, lane: str = "status") -> None:
        """Make so many records, `per_s` a second, 0: as fast as they are taken. Returns at once."""

    @abstractmethod
    def arrived(self) -> dict[int, int]:
        """When each arrived at the center for the first time, stored there: boot clock in ms."""

    @abstractmethod
    def again(self) -> int:
        """Arrivals of what the center had already."""

    @abstractmethod
    def close(self) -> None:
        """End it all."""

    def wait_kept(self, count: int, timeout_s: float) -> bool:
        """Until so many are kept."""
        return _until(lambda: len(self.kept) >= count, timeout_s)

    def wait_arrived(self, count: int, timeout_s: float) -> bool:
        """Until so many have arrived."""
        return _until(lambda: len(self.arrived()) >= count, timeout_s)

    def wait_quiet(self, timeout_s: float, quiet_s: float = 5.0) -> None:
        """Until all that was kept has arrived, or nothing has for so long."""
        end, seen, since = time.monotonic() + timeout_s, -1, time.monotonic()
        while time.monotonic() < end:
            arrived = self.arrived()
            if self.kept.keys() <= arrived.keys():
                return
            if len(arrived) != seen:
                seen, since = len(arrived), time.monotonic()
            if time.monotonic() - since > quiet_s:
                return
            time.sleep(0.1)


def _until(holds: Callable[[], bool], timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
