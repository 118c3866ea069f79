"""The real recorder (`firmware.core.recorder`) without its thread: the simulated life gives it its turns.

A turn is taken in two parts, because in a life time passes between them: what is to be written is taken out of the
queue when the card is free, and written when its sync ends.
"""

from collections.abc import Callable
from typing import TypeAlias

from firmware.core.recorder import Recorder
from firmware.journal import Commit

Batch: TypeAlias = list[tuple[int, Commit]]


class TurnedRecorder(Recorder):
    """Never started; whoever owns it calls `take`, then `write`."""

    def waits(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting or self._dropped_ticket)

    def take(self) -> Batch:
        """What the next transaction will hold. Only when something waits: else it would wait for it."""
        batch, _requests, delivered, _ending = self._next()
        self._delivered = delivered
        return batch

    def keep_delivered(self) -> None:
        """What the center holds, at once: the thread would be idle."""
        delivered, self._delivered = self._delivered, {}
        self._deliver(delivered)

    def write(self, batch: Batch) -> None:
        """One turn of the thread, with this to write."""
        self.keep_delivered()
        if batch:
            self._commit(batch)
        self._tell_trouble()
        self._tend()
        self._tell_trouble()

    def _guard(self, call: Callable[[], object]) -> None:
        call()  # a mistake in a life is to be seen, not logged
