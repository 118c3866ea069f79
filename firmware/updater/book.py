"""The updater's book: where the update is, what core's journal is still to be told of it, and the moves of the table.

A move, what it changes and the step that tells of it are one write to the medium.
"""

import logging
from typing import Any

from firmware.protocol.updates import Step
from firmware.updater.kept import MAX_STEPS, Kept, Shelf
from firmware.updater.life import RECORDED, Event, after

log = logging.getLogger("fenghuo.updater")


class Book:
    """`kept` is what is on the medium."""

    def __init__(self, shelf: Shelf, unread: Kept) -> None:
        """`unread`: to begin with where nothing was kept."""
        self._shelf = shelf
        self.kept = shelf.load() or unread

    def move(self, event: Event, why: str = "", detail: str = "", **changes: Any) -> bool:
        """Move on, with a step for the journal; False where the event does not happen in this state.

        Raises `OSError` when it can't be kept; then nothing has moved.
        """
        now = self.kept
        stage = after(now.stage, event)
        if stage is None:
            log.error("an update that is %s can't be %s", now.stage, event)
            return False
        new = now.but(stage=stage, why=why, detail=_line(detail), **changes)
        if kind := RECORDED.get(stage):
            new = _with_step(new, kind)
        log.warning("update %s: %s -> %s %s %s", _version(new), now.stage, stage, why, detail)
        self._keep(new)
        return True

    def change(self, **changes: Any) -> None:
        """Keep this too. Raises `OSError`."""
        new = self.kept.but(**changes)
        if new != self.kept:
            self._keep(new)

    def taken(self, number: int) -> None:
        """Core's journal holds this step, and so those before it. Raises `OSError`."""
        self.change(steps=[step for step in self.kept.steps if step.number > number])

    def _keep(self, new: Kept) -> None:
        self._shelf.save(new)
        self.kept = new


def _with_step(kept: Kept, kind: str) -> Kept:
    wanted = kept.wanted
    reason = wanted.reason if wanted is not None else ""
    by = list(dict.fromkeys(kept.consents.values())) or ([wanted.by] if wanted is not None else [])
    step = Step(
        number=kept.number + 1,
        kind=kind,
        version=_version(kept),
        sha256=kept.manifest.sha256 if kept.manifest is not None else "",
        slot=kept.target,
        source=wanted.source if wanted is not None else "",
        by=by,
        reason=reason,
        why=kept.why,
        detail=kept.detail,
    )
    return kept.but(number=step.number, steps=[*kept.steps, step][-MAX_STEPS:])


def _version(kept: Kept) -> str:
    return kept.manifest.version if kept.manifest is not None else ""


def _line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)[:200]
