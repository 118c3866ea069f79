"""One hash over a whole life, so that two runs of a seed can be compared bit for bit."""

from hashlib import sha256

from hil.life.happenings import Happening, Viewed, Wired

_CHUNK = 20_000


class Digest:
    """Takes happenings. Views follow from what else is taken, and are left out for their size."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._waiting: list[object] = []

    def take(self, happening: Happening) -> None:
        """One more."""
        if type(happening) is Wired:
            self._waiting.append((happening.at, happening.zone, happening.condition.value))
        elif type(happening) is not Viewed:
            self._waiting.append(happening)
        if len(self._waiting) >= _CHUNK:
            self._fold()

    def _fold(self) -> None:
        self._hash.update(repr(self._waiting).encode())
        self._waiting.clear()

    def hex(self) -> str:
        """The hash of all so far."""
        self._fold()
        return self._hash.hexdigest()
