"""The battery and the board of the simulated site: what they show with and without mains, under load, and when told to.

What was set by hand is kept in the world's file; all else follows from the mains and the loads that are on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.board_health import BoardReading

LIMITS: Mapping[str, tuple[int, int]] = {
    "battery_mv": (0, 100_000),
    "loaded_mv": (0, 100_000),
    "ma": (-100_000, 100_000),
    "celsius": (-60, 120),
    "under_voltage": (0, 1),
    "board_c": (-60, 150),
}
"""What may be set, and within which limits."""
CONTACT_MV = 11_000
"""Set below this, the battery opens the supply's own contact too (12 V lead, under load)."""


@dataclass(frozen=True)
class SimulatedBattery:
    """What a well battery shows, in mV: on its charger, at rest, and under the load test."""

    charged_mv: int
    resting_mv: int
    loaded_mv: int
    load_ma: int = 400


class SimulatedSupply:
    """Values by hand over those of a well battery. `battery` None: nothing measures one."""

    def __init__(self, battery: SimulatedBattery | None, values: Mapping[str, int]) -> None:
        self.values = dict(values)
        self._battery = battery
        self.loads: set[str] = set()
        """Outputs of the load test that are on."""

    def mv(self, mains: bool) -> int:
        """The battery's voltage now."""
        battery = self._battery
        if battery is None:
            return self.values.get("battery_mv", 0)
        if self.loads:
            return self.values.get("loaded_mv", min(battery.loaded_mv, self.values.get("battery_mv", 100_000)))
        return self.values.get("battery_mv", battery.charged_mv if mains else battery.resting_mv)

    def low(self) -> bool:
        """Whether the contact of the supply's own battery supervision is open."""
        return self.values.get("battery_mv", CONTACT_MV) < CONTACT_MV

    def ma(self, mains: bool) -> int:
        """Its current, positive while it discharges."""
        default = self._battery.load_ma if self._battery and (self.loads or not mains) else 0
        return self.values.get("ma", default)

    def celsius(self) -> int:
        """Its temperature."""
        return self.values.get("celsius", 25)

    def board(self) -> BoardReading:
        """What the kernel would tell of the board."""
        return BoardReading(bool(self.values.get("under_voltage", 0)), False, float(self.values.get("board_c", 45)))
