"""The parts that watch the supply, made as the panel file says: the battery's gauge and judge, and the board's watch.

Nothing of theirs is imported where the file has no battery.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.clock import Clock

if TYPE_CHECKING:
    from drivers.simulated import SimulatedWorld
    from firmware.config import Battery, PanelFile
    from firmware.core.board_watch import BoardWatch
    from firmware.core.gauge import Gauge
    from firmware.core.supply import Supply, SupplyTold

Trouble = Callable[[str, bool, str, str], None]


def measured(file: "PanelFile") -> set[str]:
    """The troubles of the supply that its measurement tells of."""
    battery = file.power.battery
    if battery is None:
        return set()
    found = {"battery", "battery-missing", "charger"}
    return found | ({"overcurrent"} if battery.max_ma else set())


def maintained(file: "PanelFile") -> set[str]:
    """The subjects of `maintenance` that a measured battery has."""
    return set() if file.power.battery is None else {"standby", "battery-age"}


def open_supply(
    file: "PanelFile", clock: Clock, told: "Callable[[], SupplyTold]", world: "SimulatedWorld | None"
) -> "Supply | None":
    """The watch over the battery, not started; None where the file has none."""
    battery = file.power.battery
    if battery is None:
        return None
    from firmware.core.supply import Supply

    words = told()
    return Supply(file, battery, open_gauge(file, battery, clock, words.trouble, world), words, clock)


def open_gauge(
    file: "PanelFile", battery: "Battery", clock: Clock, trouble: Trouble, world: "SimulatedWorld | None"
) -> "Gauge":
    """What measures the battery, not started; an INA219 with a thread and a trouble of its own."""
    from firmware.core.gauge import Gauge

    if battery.ina219 is None:
        return Gauge(file, battery, None, clock)
    from drivers.ina219 import Bus, Ina219Driver, Shunt, open_i2c

    shunt = Shunt(battery.ina219.bus, battery.ina219.address, battery.ina219.shunt_mohm)

    def open_bus(number: int) -> Bus:
        if world is None:
            return open_i2c(number)
        from drivers.simulated_i2c import SimulatedI2c

        return SimulatedI2c(shunt.mohm, lambda: (world.millivolts(), world.milliamperes()))

    driver = Ina219Driver(
        shunt,
        open_bus,
        clock.monotonic_ms,
        lambda present, detail: trouble("driver", present, "ina219", detail),
        file.panel.clock_rate,
    )
    return Gauge(file, battery, driver, clock)


def open_board_watch(file: "PanelFile", clock: Clock, trouble: Trouble, world: "SimulatedWorld | None") -> "BoardWatch":
    """The watch over the board, not started."""
    from drivers.board_health import BoardHealth
    from firmware.core.board_watch import BoardWatch

    look = BoardHealth(Path(file.board.sys)).look if world is None else world.supply.board
    return BoardWatch(look, file.board.hot_c, trouble, clock, file.panel.clock_rate)
