"""How full the file system under the journal is: told once at half and once at nine tenths (digest §1.10).

After it was told a mark counts again only when the use has fallen well below it. Only reads the file system.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rules.stimuli import Noted

log = logging.getLogger("fenghuo.core.fullness")

MARKS = ((50, "journal.half-full"), (90, "journal.nearly-full"))
"""Per cent that are used, and the kind that tells it."""
HYSTERESIS = 5


@dataclass(frozen=True)
class Use:
    """Of a file system: used per cent, rounded down, as `df` counts them, and what is free for the panel."""

    percent: int
    free_mib: int


def use_of(folder: Path) -> Use:
    """The use of the file system that holds `folder`. Raises `OSError`."""
    found = os.statvfs(folder)
    used = found.f_blocks - found.f_bfree
    usable = used + found.f_bavail
    return Use(100 * used // usable if usable else 100, found.f_bavail * found.f_frsize // 2**20)


class Fullness:
    """Call `look` now and then, on one thread."""

    def __init__(self, use: Callable[[], Use], submit: Callable[[Noted], bool]) -> None:
        self._use = use
        self._submit = submit
        self._told: set[str] = set()

    def look(self) -> None:
        """Tell what has become too full; a file system that can't be asked is the journal's own trouble."""
        try:
            use = self._use()
        except OSError as error:
            log.warning("the file system of the journal can't be asked how full it is: %s", error)
            return
        for mark, kind in MARKS:
            if use.percent < mark - HYSTERESIS:
                self._told.discard(kind)
            elif use.percent >= mark and kind not in self._told:
                payload = {"used_percent": use.percent, "free_mib": use.free_mib}
                if self._submit(Noted(kind, payload)):
                    self._told.add(kind)
