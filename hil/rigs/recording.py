"""The marks of one run, from many threads, in one place: kept for the report, waited on by the scenario.

Bounded: a panel that switches without end fills `MAX_MARKS`, and then `dropped` counts on.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from hil.rigs.protocol import Mark, NotSeen, Track

MAX_MARKS = 20_000
_SHOWN = 12


def now_ms() -> int:
    """The one clock of a run: the host's boot clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class Recording:
    """Marks in the order in which they came in. Safe to use from any thread."""

    def __init__(self) -> None:
        self.dropped = 0
        self._marks: list[Mark] = []
        self._changed = threading.Condition()

    def put(self, mark: Mark) -> None:
        """Something happened."""
        with self._changed:
            if len(self._marks) < MAX_MARKS:
                self._marks.append(mark)
            else:
                self.dropped += 1
            self._changed.notify_all()

    def note(self, track: Track, name: str, value: Any = None) -> Mark:
        """It happens now."""
        mark = Mark(now_ms(), track, name, value)
        self.put(mark)
        return mark

    def marks(self) -> list[Mark]:
        """All so far, in order of time."""
        with self._changed:
            return sorted(self._marks, key=lambda mark: mark.ms)

    def latest(self, track: Track, name: str) -> Mark | None:
        """The newest mark of a line."""
        with self._changed:
            found = [mark for mark in self._marks if mark.track == track and mark.name == name]
        return max(found, key=lambda mark: mark.ms) if found else None

    def find(self, track: Track, name: str, wanted: Callable[[Mark], bool]) -> Mark | None:
        """The earliest mark of a line that is wanted."""
        with self._changed:
            return self._find(track, name, wanted)

    def wait(self, track: Track, name: str, wanted: Callable[[Mark], bool], within_s: float, what: str) -> Mark:
        """Until there is such a mark; the earliest. Raises `NotSeen`, which tells what was seen instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._find(track, name, wanted) is not None, within_s)
            found = self._find(track, name, wanted)
            if found is None:
                raise NotSeen(f"{what}: not seen within {within_s:g} s; {self._told(track, name)}")
            return found

    def _find(self, track: Track, name: str, wanted: Callable[[Mark], bool]) -> Mark | None:
        found = [m for m in self._marks if m.track == track and m.name == name and wanted(m)]
        return min(found, key=lambda mark: mark.ms) if found else None

    def _told(self, track: Track, name: str) -> str:
        own = [str(mark.value) for mark in self._marks if mark.track == track and mark.name == name]
        others = [f"{mark.name}={mark.value}" for mark in self._marks if mark.track == track and mark.name != name]
        return f"{name} was {', '.join(own[-_SHOWN:]) or 'never seen'}; {track} else: {', '.join(others[-_SHOWN:])}"
