"""The panel: an inside that senses, decides, sounds and records, and an outside that talks, in that order."""

from typing import TYPE_CHECKING

from firmware.clock import Clock
from firmware.config import Loaded
from firmware.core.inside import Inside

if TYPE_CHECKING:
    from firmware.core.outside import Outside


class Panel:
    """One panel. `start` and `open` bring it up, `stop` takes it down; `alive` is what the watchdog asks."""

    def __init__(self, loaded: Loaded, clock: Clock, installed_by: str = "") -> None:
        """When this returns, every output has its value. Raises `DriverError` (no GPIO), `BadKey`, `OSError`."""
        self.inside = Inside(loaded, clock, installed_by)
        self._outside: Outside | None = None
        self._last_turn = -1

    def start(self) -> None:
        """When this returns, the inputs are live."""
        self.inside.start()

    def open(self) -> None:
        """Watch the supply, open the sockets, begin to mirror. Raises `OSError`."""
        self.inside.watch_supply()
        # Here, not above: what only talks must not delay the first reading of the inputs.
        from firmware.core.outside import Outside

        outside = Outside(self.inside)
        outside.start()
        self._outside = outside
        self.inside.doorstep.open(outside)
        self.inside.keep_file()
        self.inside.start_mirror()

    def alive(self) -> bool:
        """Whether rules and driver turn, and the sockets live. A stalled card does not count: the siren goes on."""
        turn = self.inside.engine.turn()
        turned, self._last_turn = turn != self._last_turn, turn
        talks = self._outside is None or self._outside.alive()
        return turned and self.inside.driver.alive() and talks

    def stop(self, reason: str) -> None:
        """Record the stop, let the center hear of it, close. Outputs keep their level until the process ends."""
        outside = self._outside
        if outside is not None:
            outside.let_go()
        self.inside.fall_silent(reason)
        if outside is not None:
            outside.last_words()
        self.inside.close()
        if outside is not None:
            outside.stop()
        self.inside.give_back()
