"""Debounce over levels in time: which reading of a line has stood long enough to be believed.

Free of I/O and of any clock: readings and moments come in, settled readings come out, with the moment to look again.
Edges are only moments at which a level began; gpiozero's `bounce_time` loses real ones (gpiozero #1039, #550).
"""

from typing import Generic, TypeVar

R = TypeVar("R")


class Debouncer(Generic[R]):
    """One line (or several read together), from raw readings to settled ones.

    A reading settles when it has stood `debounce_ms` without a change. The first one settles in the same way, so
    nothing is believed at start either. `short_pulses` counts departures from the settled reading that came back
    before they settled: chatter, induced noise, a contact about to fail.
    """

    __slots__ = ("_calm", "_reading", "_restless_ms", "_settled", "_since_ms", "debounce_ms", "short_pulses")

    def __init__(self, debounce_ms: int) -> None:
        """`debounce_ms` ≥ 1, else `ValueError` (the panel file allows 10 to 400: a longer signal counts)."""
        if debounce_ms < 1:
            raise ValueError(f"debounce_ms is {debounce_ms}, expected 1 or more")
        self.debounce_ms = debounce_ms
        self.short_pulses = 0
        self._reading: R | None = None
        self._settled: R | None = None
        self._since_ms = 0
        self._restless_ms = 0
        self._calm = False

    @property
    def settled(self) -> R | None:
        """The last reading that settled; None before the first one and after `distrust`."""
        return self._settled

    @property
    def since_ms(self) -> int:
        """When the present reading began."""
        return self._since_ms

    @property
    def again_ms(self) -> int | None:
        """When to feed the next reading even if no edge comes; None while nothing is under way."""
        return None if self._calm or self._reading is None else self._since_ms + self.debounce_ms

    def restless_ms(self, now_ms: int) -> int:
        """For how long the line has not come to rest; 0 while it is calm."""
        return 0 if self._calm or self._reading is None else now_ms - self._restless_ms

    def feed(self, reading: R, now_ms: int, edge_ms: int | None = None) -> tuple[R, ...]:
        """Take what is read at `now_ms` and return what settled by it: nothing, one reading, rarely two.

        `edge_ms` is the moment of the last edge since the feed before, if any. It dates the change where the host
        came late, so that a press that was long enough counts even if it is over by now, and a pulse that was
        shorter than the wait for a turn does not. Moments never run backwards; one that does counts as now.
        """
        now_ms = max(now_ms, self._since_ms)
        if self._reading is None:
            self._begin(reading, now_ms)
            return ()
        began_ms = now_ms if edge_ms is None else min(max(edge_ms, self._since_ms), now_ms)
        if reading != self._reading:
            settled = self._settle(began_ms)
            if reading == self._settled and not self._calm:
                self.short_pulses += 1
            self._depart(reading, began_ms)
            return settled + self._settle(now_ms)
        if edge_ms is not None and began_ms > self._since_ms:
            self._depart(reading, began_ms)
        return self._settle(now_ms)

    def pulses_unseen(self, count: int) -> None:
        """Count pulses that edges told of, too short for any level to be read."""
        self.short_pulses += count

    def distrust(self) -> None:
        """Forget what settled: whatever settles next is reported, even if it is the same."""
        self._settled = None

    def _begin(self, reading: R, now_ms: int) -> None:
        self._reading = reading
        self._since_ms = self._restless_ms = now_ms

    def _depart(self, reading: R, began_ms: int) -> None:
        if self._calm:
            self._calm = False
            self._restless_ms = began_ms
        self._reading = reading
        self._since_ms = began_ms

    def _settle(self, until_ms: int) -> tuple[R, ...]:
        if self._reading is None or until_ms - self._since_ms < self.debounce_ms:
            return ()
        self._calm = True
        if self._reading == self._settled:
            return ()
        self._settled = self._reading
        return (self._reading,)
