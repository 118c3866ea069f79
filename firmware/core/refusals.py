"""What core refused from outside, recorded without letting a flood fill the journal.

The first ones in a window are recorded one by one; the rest is counted, and one record at the end of the
window says how many there were.
"""

import logging
from collections import Counter
from collections.abc import Callable

from firmware.clock import Clock
from rules.stimuli import Noted

log = logging.getLogger("fenghuo.core.refusals")

WINDOW_MS = 600_000
EACH_WINDOW = 10


class Refusals:
    """Counts and records refusals. On the socket thread only."""

    def __init__(self, clock: Clock, submit: Callable[[Noted], object]) -> None:
        self.total = 0
        self._clock = clock
        self._submit = submit
        self._since = clock.monotonic_ms()
        self._recorded = 0
        self._more: Counter[str] = Counter()

    def note(self, what: str, reason: str, detail: str, counter: int | None = None) -> bool:
        """Something (`command`, `receipt`) was refused. True when it got a record of its own."""
        self.close_window()
        self.total += 1
        if self._recorded >= EACH_WINDOW:
            self._more[f"{what}:{reason}"] += 1
            return False
        self._recorded += 1
        log.warning("%s refused: %s (%s)", what, reason, detail)
        self._submit(
            Noted(
                "command.refused",
                {"what": what, "reason": reason, "detail": detail[:200], "counter": counter, "by": "remote:unknown"},
            )
        )
        return True

    def close_window(self) -> None:
        """Record what the ended window still has to say. Call now and then."""
        now = self._clock.monotonic_ms()
        if now - self._since < WINDOW_MS:
            return
        if self._more:
            counts: dict[str, int] = dict(self._more.most_common(16))
            self._submit(Noted("command.refused", {"what": "flood", "reason": "counted", "counts": counts}))
        self._more.clear()
        self._recorded = 0
        self._since = now
