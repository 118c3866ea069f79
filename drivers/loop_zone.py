"""One zone on an analogue loop: readings become states, states settle to conditions, the rest resistance is learned.

Free of I/O: `look` is given what reads the converter. It also tells when the rest resistance has drifted so far towards
a threshold that somebody should come before a false alarm does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.debounce import Debouncer
from drivers.loop_plan import LEARNED_PART, LoopPlan, Thresholds, count_of, ohm_of
from rules.site import Condition

RESTLESS_MS = 5_000
"""A loop that does not come to rest for so long reads fault: nobody knows any more what the detector does."""
COMMISSION_MS = 10_000
"""A new loop is learned after it has rested so long."""
FOLLOW_MS = 60_000
FOLLOW_PART = 1 / 1440
"""A learned loop is followed: once a minute, by so much of what it is off. A day takes most of a step."""
DRIFT_BEGINS, DRIFT_ENDS = 0.6, 0.5
"""Parts of the logarithmic way from the learned rest to the threshold."""
DRIFT_LOOK_MS = 1_000
SMOOTH = 1 / 64
"""How much of each reading at rest goes into the smoothed one: some 2.5 s at 40 ms."""


class Converter(Protocol):
    """What reads a loop. `full`: the reading of a cut loop. `pull_ohm`: from the reference to the input."""

    @property
    def full(self) -> int: ...

    @property
    def pull_ohm(self) -> int: ...


@dataclass(frozen=True)
class Loop:
    """A zone's loop: its channel (0 to 7), its resistors, and its debounce."""

    zone: str
    channel: int
    plan: LoopPlan
    debounce_ms: int = 300


class WatchedLoop:
    """A loop, used by its driver's thread only.

    `drifting`: whether maintenance is due; None until it is known.
    """

    def __init__(self, wire: Loop, chip: Converter, rest_ohm: float | None) -> None:
        """`rest_ohm`: what was learned in a former life."""
        self.wire = wire
        self.reported: Condition | None = None
        self.changed_ms = 0
        self.drifting: bool | None = None
        self.drift = 0.0
        self.rest_ohm = rest_ohm
        self._chip = chip
        self._pulses_before = 0
        self._count = 0
        self._aim()
        self.restart()

    @property
    def short_pulses(self) -> int:
        """Departures shorter than the debounce, since start."""
        return self._pulses_before + self._debounce.short_pulses

    @property
    def known(self) -> bool:
        """Whether something was found since the last (re)start."""
        return self._restless or self._debounce.settled is not None

    @property
    def ohm(self) -> float:
        """The resistance that was read last."""
        return ohm_of(self._count, self._chip.full, self._chip.pull_ohm)

    def restart(self) -> None:
        """The chip works again: what was read before counts no more."""
        if hasattr(self, "_debounce"):
            self._pulses_before = self.short_pulses
        self._debounce: Debouncer[Condition] = Debouncer(self.wire.debounce_ms)
        self._index: int | None = None
        self._restless = False
        self._level: float | None = None
        self._rest_since_ms: int | None = None
        self._looked_ms = self._followed_ms = 0

    def look(self, read: Callable[[], int], now_ms: int) -> Condition | None:
        """Read, and return the zone's condition where it differs from what was reported last.

        One reading that says what was so before is believed; any other is the median of three, so that a single
        disturbed one counts nowhere.
        """
        count = read()
        if self._index is None or self._thresholds.find(count, self._index) != self._index:
            count = sorted((count, read(), read()))[1]
        self._count = count
        self._index = self._thresholds.find(count, self._index)
        self._debounce.feed(self._thresholds.states[self._index].condition, now_ms)
        self._observe(count, now_ms)
        return self._tell(self._found(now_ms), now_ms)

    def fail(self, now_ms: int) -> Condition | None:
        """The chip can't be read: fault, unless that was reported already."""
        return self._tell(Condition.FAULT, now_ms)

    def learned(self, ohm: float) -> None:
        """Take this for the rest resistance, as far as it may go; the thresholds move along."""
        nominal = self.wire.plan.rest_ohm
        self.rest_ohm = min(max(ohm, nominal * (1 - LEARNED_PART)), nominal * (1 + LEARNED_PART))
        self._aim()

    def _aim(self) -> None:
        states = self.wire.plan.states(self.rest_ohm)
        self._thresholds = Thresholds(states, self._chip.full, self._chip.pull_ohm)
        self._rest = next(i for i, state in enumerate(states) if state.condition is Condition.NORMAL)

    def _tell(self, found: Condition | None, now_ms: int) -> Condition | None:
        if found is None or found is self.reported:
            return None
        self.reported, self.changed_ms = found, now_ms
        return found

    def _found(self, now_ms: int) -> Condition | None:
        if self._debounce.restless_ms(now_ms) >= max(RESTLESS_MS, 2 * self.wire.debounce_ms):
            self._debounce.distrust()
            self._restless = True
            return Condition.FAULT
        return self._debounce.settled

    # --- rest and drift -------------------------------------------------------------------------------

    def _observe(self, count: int, now_ms: int) -> None:
        """Smooth the readings at rest, learn from them, and see how far they have drifted."""
        if self._index != self._rest or self._debounce.settled is not Condition.NORMAL:
            self._level = self._rest_since_ms = None
            return
        if self._level is None or self._rest_since_ms is None:
            self._level, self._rest_since_ms = float(count), now_ms
            self._looked_ms = self._followed_ms = now_ms
            return
        self._level += (count - self._level) * SMOOTH
        if now_ms - self._rest_since_ms < COMMISSION_MS:
            return
        if self.rest_ohm is None:
            self.learned(self._level_ohm(self._level))
        elif now_ms - self._followed_ms >= FOLLOW_MS:
            self._followed_ms = now_ms
            self.learned(self.rest_ohm + (self._level_ohm(self._level) - self.rest_ohm) * FOLLOW_PART)
        if now_ms - self._looked_ms >= DRIFT_LOOK_MS:
            self._looked_ms = now_ms
            self._drifted(self._level)

    def _level_ohm(self, level: float) -> float:
        return ohm_of(level, self._chip.full, self._chip.pull_ohm)

    def _drifted(self, level: float) -> None:
        """How far on the way to the threshold it is: 0 at the learned rest, 1 where the state would be left."""
        rest = self.rest_ohm or self.wire.plan.rest_ohm
        low, high = self._thresholds.edges(self._rest)
        full, pull = self._chip.full, self._chip.pull_ohm
        ohm = max(1.0, ohm_of(level, full, pull))
        bound = high if level >= count_of(rest, full, pull) else low
        self.drift = math.log(ohm / rest) / math.log(ohm_of(bound, full, pull) / rest)
        self.drifting = self.drift >= (DRIFT_ENDS if self.drifting else DRIFT_BEGINS)

    def drift_text(self) -> str:
        """What is found and what is expected, for the report."""
        rest, level = self.rest_ohm or self.wire.plan.rest_ohm, self._level
        found = self.ohm if level is None else self._level_ohm(level)
        return f"rest is {found:.0f} ohm, expected {rest:.0f} ohm: {100 * self.drift:.0f} % of the way to the threshold"

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis."""
        ohm = self.ohm
        return {
            "condition": None if self.reported is None else str(self.reported),
            "ohm": round(ohm) if math.isfinite(ohm) else None,
            "rest_ohm": round(self.rest_ohm or self.wire.plan.rest_ohm),
            "learned": self.rest_ohm is not None,
            "drift_percent": round(100 * self.drift),
            "changed_ms": self.changed_ms,
            "short_pulses": self.short_pulses,
        }
