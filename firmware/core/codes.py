"""Codes: from typed digits to the key that the rules look up, at one cost for right and wrong.

One `hashlib.scrypt` with the site's salt and the device's pepper (DESIGN §4), on a thread of its own, so
that a person who tries codes slows nobody but himself.
"""

import hashlib
import logging
import queue
import threading
from collections.abc import Callable

from rules.stimuli import CodeEntered, Wish

log = logging.getLogger("fenghuo.core.codes")

_N, _R, _P = 2**14, 8, 1  # 16 MiB, the design's limit: 128 * N * R
WAITING = 8
"""Codes that may wait; more are refused with "busy", which also bounds how fast anyone can try."""


def code_key(digits: str, panel: str, pepper: bytes) -> str:
    """The hex key of a code at this site and on this device. Takes some 50 ms on a desk, 0.3 s on a Pi."""
    salt = b"fenghuo-code\0" + panel.encode() + b"\0" + pepper
    return hashlib.scrypt(digits.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=2**25, dklen=32).hex()


class Codes:
    """The thread that turns codes into keys."""

    def __init__(self, panel: str, pepper: bytes) -> None:
        self._panel = panel
        self._pepper = pepper
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="codes", daemon=True)
        self.refused = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; codes that wait are dropped."""
        while not self._queue.empty():
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        self._queue.put(None)
        self._thread.join(2.0)

    def enter(
        self,
        submit: Callable[[CodeEntered], object],
        source: str,
        digits: str,
        wish: Wish,
        areas: tuple[str, ...] = (),
        zone: str = "",
    ) -> bool:
        """Have a typed code judged: `submit` gets the stimulus. False when too many wait."""
        return self.keys((digits,), lambda keys: submit(CodeEntered(source, keys[0], wish, areas, zone)))

    def keys(self, codes: tuple[str, ...], then: Callable[[tuple[str, ...]], object]) -> bool:
        """Compute the keys of some codes and hand them to `then`, on this thread. False when too many wait."""

        def work() -> None:
            then(tuple(code_key(digits, self._panel, self._pepper) if digits else "" for digits in codes))

        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self.refused += 1
            return False
        return True

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except Exception:
                log.exception("a code could not be judged")
