"""Troubles that stood when core ended, and that nobody of this life would ever end.

A trouble ends when its source says so, and a source that is well from its start says nothing. Some troubles keep the
panel from arming, so one that is left standing would do so for ever.
"""

from collections.abc import Iterable, Set

from rules.stimuli import TroubleChanged

OF_CORE = {"path": ("uplink", "receipts"), "camera": ("process",), "maintenance": ("loops.json",)}
"""Subjects that core's own ports watch over, whatever the panel file says."""

OF_THEMSELVES = ("clock", "paths", "battery-test")
"""`clock`: the outside tells how it is, a minute after the start. `paths`: the rules work it out of the `path` ones.
`battery-test`: ends by a test that is passed; no restart makes a battery better."""


def leftovers(
    standing: Iterable[str],
    storage_trouble: str,
    supplies: Set[str],
    paths: Set[str],
    cameras: Set[str],
    loops: Set[str] = frozenset(),
) -> list[TroubleChanged]:
    """The ends of these troubles (`name` or `name:subject`), to be decided right after the start.

    `storage_trouble`: of the journal as it was opened, empty when it is well. `supplies`: which of `mains` and
    `battery` have a line. `paths`, `cameras`: ids of the panel file; `loops`: its zones on analogue loops. The trouble
    of a driver ends too: its lines are claimed anew, and one that still fails is told again. So does an error of the
    rules: another start, another try. And so does what nothing watches in this version (`siren`, `box`, `bus`,
    `jamming`, `charger` and others).
    """
    named = {"path": paths, "camera": cameras, "maintenance": loops}
    return [
        TroubleChanged(name, False, subject)
        for name, _, subject in (trouble.partition(":") for trouble in standing)
        if not _watched(name, subject, storage_trouble, supplies, named)
    ]


def _watched(name: str, subject: str, storage_trouble: str, supplies: Set[str], named: dict[str, Set[str]]) -> bool:
    """Whether a part of this life will say when it is over."""
    if name in named:
        # Without any path no uplink runs, and without cameras no camera process: then nobody says so either.
        return bool(named[name]) and (subject in named[name] or subject in OF_CORE[name])
    if name in ("mains", "battery"):
        return name in supplies
    return name in OF_THEMSELVES or (name == "storage" and bool(storage_trouble))
