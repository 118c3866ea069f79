"""End-of-line resistors as data: which resistance each state of a detector gives, and where one state ends.

Contacts and resistors lie in series with the end-of-line resistor, or (a single resistor, contact open at rest) across
it. A threshold is the geometric middle of two neighbours: resistors, their tolerance and their drift are relative, so
each side gets the same share. What a plan can't tell apart stays so here; `told` says which conditions it knows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from drivers.wiring import Position, Wiring
from rules.site import Condition

SHORTED_OHM = 100.0
"""A short at the far end of the longest cable that an installer may use; a nearer one has less."""
CUT_OHM = 100_000.0
"""A cut cable that lies in the wet still leaks so much."""
HYSTERESIS = 0.06
"""A state is left only so far beyond the threshold, as a part of the (logarithmic) way between the two states."""
MIN_RATIO = 1.25
"""Neighbours must differ so much: resistors of 5 %, hysteresis and 100 ohm of cable still leave room."""
MIN_STEPS = 12
"""And in the converter's own steps, so that its error and noise count for little."""
LEARNED_PART = 0.15
"""The rest resistance is learned within so much of its nominal value: an attacker who is patient gets no further."""


class Resistors(StrEnum):
    """How many end-of-line resistors a loop has (`resistors` of the panel file)."""

    LINE = "line"
    """No contact at all, only the resistor at the line's end: a siren's line."""
    SINGLE = "single"
    DOUBLE = "double"
    TRIPLE = "triple"


@dataclass(frozen=True)
class State:
    """What a loop's resistance means; `ohm` is the expected one."""

    condition: Condition
    ohm: float


@dataclass(frozen=True)
class LoopPlan:
    """The resistors of one loop, in ohm. `eol_ohm`: at the end of the line. `alarm_ohm` (double, triple): across the
    alarm contact. `fault_ohm` (triple): across the contact that tells masking or a fault.

    `wiring`: the alarm contact is closed (`nc`) or open (`no`) at rest; the fault contact is always closed at rest.
    `fault_means`: what the fault contact alone tells; `both_means`: what both contacts at once tell.
    """

    resistors: Resistors = Resistors.DOUBLE
    wiring: Wiring = Wiring.NC
    eol_ohm: int = 1_000
    alarm_ohm: int = 2_200
    fault_ohm: int = 3_900
    fault_means: Condition = Condition.FAULT
    both_means: Condition = Condition.ACTIVE

    @property
    def rest_ohm(self) -> float:
        """The nominal resistance at rest."""
        return self._ohm(tripped=False, failed=False)

    @property
    def told(self) -> frozenset[Condition]:
        """The conditions that this plan can tell apart."""
        return frozenset(state.condition for state in self.states())

    def states(self, rest_ohm: float | None = None) -> tuple[State, ...]:
        """All states by growing resistance; `rest_ohm` is the learned rest, which moves all but short and cut."""
        shift = 0.0 if rest_ohm is None else rest_ohm - self.rest_ohm
        inner = [State(c, ohm + shift) for c, ohm in self._inner()]
        low, high = Condition.SHORT, Condition.OPEN
        if self.resistors is Resistors.SINGLE:
            # One resistor, one contact: its one position looks like a short, or like a cut.
            low = Condition.ACTIVE if self.wiring is Wiring.NO else low
            high = Condition.ACTIVE if self.wiring is Wiring.NC else high
        return (State(low, SHORTED_OHM), *sorted(inner, key=lambda s: s.ohm), State(high, CUT_OHM))

    def ohm_at(self, position: Position) -> float:
        """What a detector in this position puts on the line; infinite for a cut."""
        tripped = position in (Position.OPEN, Position.UNPOWERED)
        if position is Position.CUT:
            return math.inf
        if position is Position.SHORT:
            return 0.0
        if self.resistors is Resistors.LINE:
            return float(self.eol_ohm)
        if self.resistors is Resistors.SINGLE and tripped:
            return math.inf if self.wiring is Wiring.NC else 0.0
        if position is Position.UNPOWERED:
            # Relays without current let go: each contact that is held closed opens, whatever the detector sees.
            return self._ohm(tripped=self.wiring is Wiring.NC, failed=True)
        return self._ohm(tripped=tripped, failed=position is Position.MASK)

    def seen_as(self, position: Position) -> Condition:
        """What the panel makes of a position."""
        ohm = max(1.0, min(self.ohm_at(position), 10 * CUT_OHM))
        return min(self.states(), key=lambda s: abs(math.log(s.ohm / ohm))).condition

    def too_near(self, full: int, pull_ohm: float) -> tuple[State, State] | None:
        """The first two neighbours that this converter can't tell apart safely (`MIN_RATIO`, `MIN_STEPS`)."""

        def near(a: State, b: State) -> bool:
            steps = count_of(b.ohm, full, pull_ohm) - count_of(a.ohm, full, pull_ohm)
            return b.ohm < a.ohm * MIN_RATIO or steps < MIN_STEPS

        return next(((a, b) for a, b in pairwise(self.states()) if near(a, b)), None)

    def _inner(self) -> list[tuple[Condition, float]]:
        found = [(Condition.NORMAL, self._ohm(tripped=False, failed=False))]
        if self.resistors in (Resistors.DOUBLE, Resistors.TRIPLE):
            found.append((Condition.ACTIVE, self._ohm(tripped=True, failed=False)))
        if self.resistors is Resistors.TRIPLE:
            found.append((self.fault_means, self._ohm(tripped=False, failed=True)))
            found.append((self.both_means, self._ohm(tripped=True, failed=True)))
        return found

    def _ohm(self, *, tripped: bool, failed: bool) -> float:
        ohm = float(self.eol_ohm)
        if self.resistors in (Resistors.DOUBLE, Resistors.TRIPLE) and tripped is (self.wiring is Wiring.NC):
            ohm += self.alarm_ohm
        if self.resistors is Resistors.TRIPLE and failed:
            ohm += self.fault_ohm
        return ohm


def ohm_of(count: float, full: int, pull_ohm: float) -> float:
    """The loop's resistance behind a reading of the converter; infinite at full scale and beyond."""
    return pull_ohm * max(0.0, count) / (full - count) if count < full else math.inf


def count_of(ohm: float, full: int, pull_ohm: float) -> float:
    """The reading, not rounded, that this resistance gives."""
    return full * ohm / (ohm + pull_ohm) if math.isfinite(ohm) else float(full)


class Thresholds:
    """The states of one loop in the converter's own steps, with hysteresis. Any whole number finds a state."""

    __slots__ = ("_down", "_middle", "_up", "states")

    def __init__(self, states: Sequence[State], full: int, pull_ohm: float) -> None:
        """`full`: the converter's highest reading. `pull_ohm`: from the reference to the input."""
        self.states = tuple(states)
        self._middle = [count_of(between(a, b, 0.5), full, pull_ohm) for a, b in pairwise(states)]
        self._up = [count_of(between(a, b, 0.5 + HYSTERESIS), full, pull_ohm) for a, b in pairwise(states)]
        self._down = [count_of(between(a, b, 0.5 - HYSTERESIS), full, pull_ohm) for a, b in pairwise(states)]

    def find(self, count: int, held: int | None) -> int:
        """The index of the state, given the one that was held before (None: nothing is known)."""
        if held is None:
            return sum(count >= middle for middle in self._middle)
        while held < len(self._up) and count >= self._up[held]:
            held += 1
        while held > 0 and count < self._down[held - 1]:
            held -= 1
        return held

    def edges(self, index: int) -> tuple[float, float]:
        """Between which readings this state is held."""
        low = self._down[index - 1] if index else -math.inf
        return low, self._up[index] if index < len(self._up) else math.inf


def between(low: State, high: State, part: float) -> float:
    """The resistance so far on the logarithmic way from one state to the next."""
    return low.ohm * math.pow(high.ohm / low.ohm, part)
