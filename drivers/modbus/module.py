"""One module on the bus: what it is asked in a round, whether it answers, and when it is asked again if it does not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.modbus.points import AnalogueZone, BusOutput, InputZone
from drivers.modbus.profiles import MAX_BITS, READ_DISCRETES, Profile
from drivers.modbus.wire import Question

PAUSE_FIRST_MS, PAUSE_MOST_MS = 250, 30_000
"""After a question without an answer the module is asked again after pauses that double."""
ANOTHER_MS = 5_000
"""A module of another kind is asked again after so long: somebody may have put the right one in."""
MISSES = 4
"""So many questions in a row without an answer, some 2 s, are a missing module; fewer are noise, and counted."""
MISSING_MS = 7_000
"""And whatever the line makes of it, a module that was silent for so long: it is told within 10 s (EN 50131-1, digest
§1.9)."""


@dataclass(frozen=True)
class Read:
    """One question of a round, and what each thing in its answer belongs to."""

    question: Question
    points: Mapping[int, InputZone | AnalogueZone | BusOutput]


class Module:
    """A module, used by the child's one thread only."""

    def __init__(self, id_: str, address: int, profile: Profile, now_ms: int) -> None:
        self.id = id_
        self.address = address
        self.profile = profile
        self.zones: list[InputZone | AnalogueZone] = []
        self.outputs: list[BusOutput] = []
        self._wired: list[tuple[int, int, InputZone | AnalogueZone | BusOutput]] = []
        self.reads: tuple[Read, ...] = ()
        self.errors = 0
        self.begin(now_ms)

    def begin(self, now_ms: int) -> None:
        """A new life of the port: nothing is known of it."""
        self.failed = ""
        self.known = self.identified = self.suspect = False
        self.misses = 0
        self._pause_ms = 0
        self._due_ms = self.heard_ms = now_ms
        self._restart()

    def wire(self, function: int, address: int, point: InputZone | AnalogueZone | BusOutput) -> None:
        """This point is read by `function` at `address`; `plan` follows when all are wired."""
        self._wired.append((function, address, point))
        if isinstance(point, BusOutput):
            self.outputs.append(point)
        else:
            self.zones.append(point)

    def plan(self) -> None:
        """Work out the questions of a round: neighbours together, in as few as the module takes."""
        self.reads = tuple(self._reads())

    def _reads(self) -> Iterator[Read]:
        # Inputs and read-backs apart: a range of their own is all that every module is known to answer.
        groups: dict[tuple[int, bool], dict[int, InputZone | AnalogueZone | BusOutput]] = {}
        for function, address, point in self._wired:
            groups.setdefault((function, isinstance(point, BusOutput)), {})[address] = point
        for (function, _), points in groups.items():
            most = MAX_BITS if function <= READ_DISCRETES else self.profile.max_registers
            left = sorted(points)
            while left:
                first = left[0]
                within = [a for a in left if a < first + most]
                left = left[len(within) :]
                question = Question(self.address, function, first, within[-1] - first + 1)
                yield Read(question, {a - first: points[a] for a in within})

    def due(self, now_ms: int) -> bool:
        """Whether it may be asked now."""
        return now_ms >= self._due_ms

    def answered(self, now_ms: int) -> None:
        """It answered a question."""
        self.misses = self._pause_ms = 0
        self._due_ms = self.heard_ms = now_ms

    def missed(self, why: str, now_ms: int) -> None:
        """It did not answer as it must; the pause grows."""
        self.errors += 1
        self.misses += 1
        self._pause_ms = min(self._pause_ms * 2 or PAUSE_FIRST_MS, PAUSE_MOST_MS)
        self._due_ms = now_ms + self._pause_ms
        self.last_error = why

    def another(self, why: str, now_ms: int) -> None:
        """It answers, and is not the one that the panel file names."""
        self.missed(why, now_ms)
        self.misses, self._due_ms = MISSES, now_ms + ANOTHER_MS

    def gone(self, now_ms: int) -> bool:
        """Whether it counts as missing from now on (it did not before)."""
        silent = self.misses and now_ms - self.heard_ms >= MISSING_MS
        if self.failed or not (self.misses >= MISSES or silent):
            return False
        self.fail(f"{self.profile.name} at address {self.address}: {self.last_error}")
        return True

    def fail(self, why: str) -> None:
        """It is of no use now, for this reason."""
        self.failed = why
        self.known = self.identified = False
        self._restart()

    def _restart(self) -> None:
        self.last_error = "no answer"
        for zone in self.zones:
            zone.restart()
        for output in self.outputs:
            output.read_back, output.due, output.wrong_reads = None, True, 0

    def figures(self) -> dict[str, Any]:
        """For diagnosis."""
        return {
            "address": self.address,
            "errors": self.errors,
            "error": self.failed or None,
            "short_pulses": sum(zone.short_pulses for zone in self.zones),
        }
