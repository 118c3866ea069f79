"""How far it is, at what rate, how long still: a live bar at a terminal, a line each tenth in a pipe."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from firmware.language import pick
from provisioning.flash import texts as t
from provisioning.terminal import console

_MIB = 2**20


@dataclass
class _Line:
    """One step in a pipe."""

    total: int
    since: float
    done: int = 0
    tenths: int = 0


class Shown:
    """Hears of steps and bytes. Of each step the total in bytes is known before it begins."""

    def __init__(self, totals: dict[str, int], bar: Progress | None, quiet: bool) -> None:
        self._totals = totals
        self._bar = bar
        self._quiet = quiet
        self._tasks: dict[str, TaskID] = {}
        self._lines: dict[str, _Line] = {}

    def __call__(self, step: str, count: int) -> None:
        """So many bytes more of this step are behind it."""
        total = self._totals.get(step, 0)
        if self._quiet or not total:
            return
        if self._bar is None:
            self._say(step, self._lines.setdefault(step, _Line(total, time.monotonic())), count)
            return
        if step not in self._tasks:
            self._tasks[step] = self._bar.add_task(pick(t.STEPS[step]), total=total)
        self._bar.update(self._tasks[step], advance=count)

    def _say(self, step: str, line: _Line, count: int) -> None:
        line.done += count
        if step == "marks" or line.done * 10 // line.total <= line.tenths:
            return
        line.tenths = line.done * 10 // line.total
        rate = line.done / max(time.monotonic() - line.since, 1e-3)
        told = {
            "percent": line.tenths * 10,
            "rate": f"{rate / _MIB:.0f}",
            "left": f"{(line.total - line.done) / rate:.0f}",
        }
        print(pick(t.PROGRESS, step=pick(t.STEPS[step]), **told), file=sys.stderr, flush=True)


@contextmanager
def shown(totals: dict[str, int], quiet: bool) -> Iterator[Shown]:
    """Progress of these steps."""
    screen = console()
    if quiet or not sys.stdout.isatty() or screen.is_dumb_terminal:
        yield Shown(totals, None, quiet)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
    with Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=screen) as bar:
        yield Shown(totals, bar, quiet)
