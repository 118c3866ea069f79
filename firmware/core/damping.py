"""How often what another process says may reach the journal: a captured one must not fill the disk with its moods.

Bad news passes at once. Good news about something that keeps changing waits its turn, so a trouble that flaps stands;
in the end what was said last counts. Pictures are bounded by the bytes of their records.
"""

import time
from collections.abc import Callable

from rules.stimuli import TroubleChanged

ENDS_AT_ONCE = 10
END_EVERY_S = 600.0
"""So many ends of one trouble pass at once; further ones one in this time."""


class Allowance:
    """`burst` at once, and `rate` a second more."""

    def __init__(self, burst: float, rate: float, now: Callable[[], float] = time.monotonic) -> None:
        self._burst = self._level = burst
        self._rate = rate
        self._now = now
        self._since = now()

    def take(self, cost: float = 1.0) -> bool:
        """Whether so much may pass now."""
        now = self._now()
        self._level = min(self._burst, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level < cost:
            return False
        self._level -= cost
        return True


class Damper:
    """Between a socket and the rules, for troubles. For one thread; `settle` has to be called now and then.

    The caller bounds the number of troubles: it passes on only what the panel file names.
    """

    def __init__(self, submit: Callable[[TroubleChanged], object], now: Callable[[], float] = time.monotonic) -> None:
        """`submit` returns False when the rules' queue is full; the change is kept then, and handed in again."""
        self._submit = submit
        self._now = now
        self._told: dict[tuple[str, str], bool] = {}
        self._held: dict[tuple[str, str], TroubleChanged] = {}
        self._ends: dict[tuple[str, str], Allowance] = {}

    def change(self, change: TroubleChanged) -> None:
        """A trouble began or ended, as somebody says."""
        key = (change.trouble, change.subject)
        self._held.pop(key, None)
        if self._told.get(key) is not change.present and not self._pass(key, change):
            self._held[key] = change

    def settle(self) -> None:
        """Pass on what was held back, as far as it may go now."""
        for key, change in list(self._held.items()):
            if self._pass(key, change):
                del self._held[key]

    def _pass(self, key: tuple[str, str], change: TroubleChanged) -> bool:
        if not change.present:
            ends = self._ends.setdefault(key, Allowance(ENDS_AT_ONCE, 1 / END_EVERY_S, self._now))
            if not ends.take():
                return False
        if self._submit(change) is False:
            return False
        self._told[key] = change.present
        return True
