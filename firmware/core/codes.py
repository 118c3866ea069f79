"""Codes: from typed digits to the key that the rules look up, at one cost for right and wrong.

One `hashlib.scrypt` with the site's salt and the device's pepper (DESIGN §4), on a thread of its own, so
that a person who tries codes slows nobody but himself. Keypads go first: the many keys of a user that is being set are
computed one by one, between the codes that somebody types meanwhile.
"""

import hashlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from rules.stimuli import CodeEntered

log = logging.getLogger("fenghuo.core.codes")

_N, _R, _P = 2**14, 8, 1  # 16 MiB, the design's limit: 128 * N * R
WAITING = 8
"""Codes that may wait; more are refused with "busy", which also bounds how fast anyone can try."""

_M_MMAP_THRESHOLD, _MAPPED_BYTES = -3, 2**20  # malloc.h

Then: TypeAlias = Callable[[tuple[str, ...]], object]


def code_key(digits: str, panel: str, pepper: bytes) -> str:
    """The hex key of a code at this site and on this device. Takes some 50 ms on a desk, 0.3 s on a Pi."""
    salt = b"fenghuo-code\0" + panel.encode() + b"\0" + pepper
    return hashlib.scrypt(digits.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=2**25, dklen=32).hex()


def give_memory_back() -> None:
    """Let each key's 16 MiB go back to the system. glibc would keep them for good once it has seen one freed."""
    import ctypes  # on the codes' own thread: a start does not wait for it

    with suppress(OSError, AttributeError):  # another C library has its own ways
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


@dataclass
class _Work:
    """Codes whose keys are wanted, those that are done, and who wants them."""

    codes: tuple[str, ...]
    then: Then
    keys: list[str] = field(default_factory=list)


class Codes:
    """The thread that turns codes into keys."""

    def __init__(self, panel: str, pepper: bytes) -> None:
        self._panel = panel
        self._pepper = pepper
        self._typed: deque[_Work] = deque()
        self._patient: deque[_Work] = deque()
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="codes", daemon=True)
        self.refused = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; codes that wait are dropped."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join(2.0)

    def enter(self, submit: Callable[[CodeEntered], object], digits: str, entered: CodeEntered) -> bool:
        """Have a typed code judged: `submit` gets `entered` with its key. False when too many wait."""
        work = _Work((digits,), lambda keys: submit(replace(entered, key=keys[0])))
        return self._take(self._typed, work)

    def keys(self, codes: tuple[str, ...], then: Then) -> bool:
        """Compute the keys of some codes and hand them to `then`, on this thread. False when too many wait.

        An empty code has an empty key.
        """
        return self._take(self._patient, _Work(codes, then))

    def _take(self, queue: deque[_Work], work: _Work) -> bool:
        with self._wake:
            if len(queue) >= WAITING:
                self.refused += 1
                return False
            queue.append(work)
            self._wake.notify()
        return True

    def _run(self) -> None:
        give_memory_back()
        while (work := self._next()) is not None:
            try:
                self._one_key(work)
            except Exception:
                log.exception("a code could not be judged")

    def _next(self) -> _Work | None:
        with self._wake:
            while not (self._typed or self._patient or self._ending):
                self._wake.wait()
            if self._ending:
                return None
            return (self._typed or self._patient).popleft()

    def _one_key(self, work: _Work) -> None:
        digits = work.codes[len(work.keys)]
        work.keys.append(code_key(digits, self._panel, self._pepper) if digits else "")
        if len(work.keys) == len(work.codes):
            work.then(tuple(work.keys))
        else:
            with self._wake:
                self._patient.appendleft(work)
