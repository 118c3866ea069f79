"""Troubles that stood when core ended, and that nobody of this life would ever end.

A trouble ends when its source says so, and a source that is well from its start says nothing. Some troubles keep the
panel from arming, so one that is left standing would do so for ever.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from rules.stimuli import TroubleChanged

OF_CORE = {"path": ("uplink", "receipts"), "camera": ("process",), "maintenance": ("loops.json",)}
"""Subjects that core's own ports watch over, whatever the panel file says."""

OF_THEMSELVES = ("clock", "paths", "battery-test")
"""`clock`: the outside tells how it is, a minute after the start. `paths`: the rules work it out of the `path` ones.
`battery-test`: ends by a test that is passed; no restart makes a battery better."""


@dataclass(frozen=True)
class Sources:
    """What the parts of this life watch over. `supplies`: troubles of the supply (`mains`, `battery` …) that something
    measures. The others are ids of the panel file: `loops` all loops, `sirens` the outputs whose lines are supervised,
    `boxes` the boxes with a tamper switch. `mirror`: whether the journal is mirrored."""

    supplies: Set[str] = frozenset()
    paths: Set[str] = frozenset()
    cameras: Set[str] = frozenset()
    loops: Set[str] = frozenset()
    sirens: Set[str] = frozenset()
    boxes: Set[str] = frozenset()
    mirror: bool = False


def leftovers(standing: Iterable[str], storage_trouble: str, sources: Sources) -> list[TroubleChanged]:
    """The ends of these troubles (`name` or `name:subject`), to be decided right after the start.

    `storage_trouble`: of the journal as it was opened, empty when it is well. The trouble of a driver ends: its lines
    are claimed anew, and one that still fails is told again. So does an error of the rules: another start, another try.
    And so does what nothing watches here (`bus`, `jamming`, a siren without a supervised line and others).
    """
    named = {
        "path": sources.paths,
        "certificate": sources.paths,
        "camera": sources.cameras,
        "camera-tamper": sources.cameras,
        "maintenance": sources.loops,
        "siren": sources.sirens,
        "box": sources.boxes,
    }
    own = {*sources.supplies, *(("mirror",) if sources.mirror else ()), *(("evidence",) if sources.cameras else ())}
    return [
        TroubleChanged(name, False, subject)
        for name, _, subject in (trouble.partition(":") for trouble in standing)
        if not _watched(name, subject, storage_trouble, own, named)
    ]


def _watched(name: str, subject: str, storage_trouble: str, supplies: Set[str], named: dict[str, Set[str]]) -> bool:
    """Whether a part of this life will say when it is over."""
    if name in named:
        # Without any path no uplink runs, and without cameras no camera process: then nobody says so either.
        return bool(named[name]) and (subject in named[name] or subject in OF_CORE.get(name, ()))
    return name in OF_THEMSELVES or name in supplies or (name == "storage" and bool(storage_trouble))
