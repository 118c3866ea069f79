"""How long to wait before the next try to connect: exponential with full jitter.

After a power cut a whole city comes back at the same second; full jitter spreads it evenly (Brooker, "Exponential
Backoff And Jitter", AWS Architecture Blog 2015). Only a connection that proved stable brings the first pause back.
"""

from random import Random

STABLE_MS = 60_000
"""So long a connection must have worked before its loss starts again from the shortest pause."""


class Backoff:
    """Pauses for one path. The n-th is even over 0 to min(cap, base * 2^n)."""

    def __init__(self, random: Random, base_ms: int = 1_000, cap_ms: int = 60_000) -> None:
        self._random = random
        self._base_ms = base_ms
        self._cap_ms = cap_ms
        self._tries = 0

    def ceiling_ms(self) -> int:
        """The longest that the next pause can be."""
        return min(self._cap_ms, self._base_ms << min(self._tries, 30))

    def pause_ms(self) -> int:
        """The next pause; the one after it may be twice as long."""
        pause = self._random.randint(0, self.ceiling_ms())
        self._tries += 1
        return pause

    def short_ms(self) -> int:
        """A pause for something urgent: as the first one, and it counts as none."""
        return self._random.randint(0, self._base_ms)

    def worked(self, for_ms: int) -> None:
        """A connection worked for so long before it ended."""
        if for_ms >= STABLE_MS:
            self._tries = 0
