"""Whether somebody else opens sessions as this panel, where the broker throws the old one out without saying so.

Mosquitto 2.0 ends the session of a client id that comes again without DISCONNECT 0x8E: the line is hung up, in good
order, by a broker that lets us in again at once. A broken line looks otherwise (errors, silence), and so does a broker
that ends (it says so, or does not let us in). Three such in ten minutes are a suspicion.
"""

from collections import deque

TIMES = 3
WITHIN_MS = 600_000


class Suspicion:
    """Of one path; told of the end of each connection. Moments are monotonic milliseconds."""

    def __init__(self) -> None:
        self._hung_up: deque[int] = deque(maxlen=TIMES)

    def ended(self, was_open: bool, hung_up: bool, now_ms: int) -> bool:
        """A connection, or a try, ended. True when that makes a suspicion; the next one begins anew."""
        if not (was_open and hung_up):
            self._hung_up.clear()
            return False
        self._hung_up.append(now_ms)
        if len(self._hung_up) < TIMES or now_ms - self._hung_up[0] > WITHIN_MS:
            return False
        self._hung_up.clear()
        return True
