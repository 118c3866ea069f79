"""A path whose files can't be used: it is told as failed, with the reason, and the other paths go on without it."""

import os

from firmware.protocol import messages as m
from firmware.uplink.events import CoreLost, FromCore, Pulled


class UnusableLink:
    """Until the uplink is started anew. For the process's one loop."""

    lanes: frozenset[str] = frozenset()
    final = False
    works = False

    def __init__(self, path: str, reason: str) -> None:
        self.id = path
        self._reason = reason
        self._told = True
        self._never = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Never readable."""
        return self._never

    def next_deadline(self) -> int | None:
        """Nothing is ever due."""
        return None

    def hear(self, event: FromCore) -> None:
        """A new core has to be told."""
        if isinstance(event, m.Welcome | CoreLost):
            self._told = isinstance(event, CoreLost)

    def path(self, message: m.Path) -> None:
        """Nothing here depends on the other paths."""

    def duty(self, lanes: frozenset[str]) -> None:
        """Never any."""

    def answered(self, pulled: Pulled | None) -> None:
        """Nothing was asked."""

    def turn(self) -> list[m.Path]:
        """That it has failed, once for each core."""
        told, self._told = self._told, True
        return [] if told else [m.Path(path=self.id, up=False, detail=self._reason[:200])]

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._never)
