"""One hash over a whole life, so that two runs of a seed can be compared bit for bit."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from hil.life.happenings import Happening, Held, Pin, Recorded, Shown, Viewed, Wired

_CHUNK = 20_000
# What is seldom is taken as it is; of what is frequent, what tells it apart. Views follow from the rest.
_SHORT: dict[type, Callable[[Any], tuple[object, ...]]] = {
    Wired: lambda h: (h.at, h.zone, h.condition.value, h.intruder),
    Pin: lambda h: (h.at, h.output, h.on),
    Recorded: lambda h: (h.at, h.journal, h.seq, h.kind, h.payload),
    Held: lambda h: (h.at, h.journal, h.seq),
    Shown: lambda h: (h.at, h.source, h.notice),
}


class Digest:
    """Takes happenings."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._waiting: list[object] = []

    def take(self, happening: Happening) -> None:
        """One more."""
        kind = type(happening)
        if kind is Viewed:
            return
        short = _SHORT.get(kind)
        self._waiting.append(happening if short is None else short(happening))
        if len(self._waiting) >= _CHUNK:
            self._fold()

    def _fold(self) -> None:
        self._hash.update(repr(self._waiting).encode())
        self._waiting.clear()

    def hex(self) -> str:
        """The hash of all so far."""
        self._fold()
        return self._hash.hexdigest()
