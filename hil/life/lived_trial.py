"""Thirty days of a simulated site as records, and what truly happened: for who works out figures of a trial.

The records are those of the panel's own journal; the truth is the world's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hil.life.happenings import Awake, Dark, Happening, Held, Recorded, Troubled
from hil.life.life import Life, Terms
from hil.life.lives import default_makers, quiet
from hil.life.sites import ground

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LivedRecord:
    """A record as a reader of the journal would see it, as far as figures need it."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any] | None


@dataclass
class Truth:
    """Watches a life and objects to nothing. Moments are ms of the life."""

    violations: Sequence[Any] = ()
    dark: list[tuple[int, int]] = field(default_factory=list)
    troubles: list[Troubled] = field(default_factory=list)
    _since: int = -1

    def watch(self, happening: Happening) -> None:
        """Keep what a trial report tells of."""
        if isinstance(happening, Dark) and self._since < 0:
            self._since = happening.at
        elif isinstance(happening, Awake) and self._since >= 0:
            self.dark.append((self._since, happening.at))
            self._since = -1
        elif isinstance(happening, Troubled):
            self.troubles.append(happening)

    def finish(self, at: int, journal: Sequence[Recorded], center: Sequence[Held]) -> None:
        """The life ends."""


def lived(site: str, seed: int, days: int) -> tuple[list[LivedRecord], Truth]:
    """The records of a life, and the truth."""
    quiet()
    truth = Truth()
    makers = replace(default_makers(), judge=lambda _ground: truth)
    life = Life(Terms(ground(site), seed, days), makers)
    life.run()
    records = [
        LivedRecord({"kind": record.kind, "time": text(record.at), "clock": "synchronised"}, dict(record.payload))
        for record in life.journal
    ]
    return records, truth


def text(at: int) -> str:
    """A moment of the life as a record's time."""
    return (BEGIN + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
