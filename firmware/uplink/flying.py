"""What one connection has published and not yet seen leave: bounded, with room of its own for alarms.

A publish *leaves* with its PUBACK (QoS 1) or when it is written (QoS 0). The bounds keep paho's queue nearly empty, so
that a new alarm is never behind much.
"""

from collections import Counter
from dataclasses import dataclass

from rules.vocabulary import CHAINED_LANES

LANES = tuple(lane.value for lane in CHAINED_LANES)

ALARM_PUBLISHES = 8
OTHER_PUBLISHES = 4
OTHER_BYTES = 192 * 1024
_NOTHING: Counter[str] = Counter()


@dataclass(frozen=True)
class InFlight:
    """A publish that has not left yet."""

    kind: str
    size: int
    since_ms: int


class Flying:
    """The publishes of one connection, by token; tokens are never used twice."""

    def __init__(self) -> None:
        self._token = 0
        self._publishes: dict[int, InFlight] = {}

    def clear(self) -> None:
        """The connection ended."""
        self._publishes = {}

    def add(self, kind: str, size: int, now_ms: int) -> int:
        """One goes out; its token."""
        self._token += 1
        self._publishes[self._token] = InFlight(kind, size, now_ms)
        return self._token

    def left(self, token: int) -> bool:
        """It has left; False for one that is not of this connection."""
        return self._publishes.pop(token, None) is not None

    def kinds(self) -> Counter[str]:
        """How many of each kind have not left."""
        return Counter(publish.kind for publish in self._publishes.values()) if self._publishes else _NOTHING

    def oldest_ms(self, kind: str = "") -> int | None:
        """Since when the oldest (of this kind) has not left."""
        return next((publish.since_ms for publish in self._publishes.values() if kind in ("", publish.kind)), None)

    def open_lanes(self) -> tuple[str, ...]:
        """The lanes in which more may be on its way, highest first."""
        alarms = publishes = size = 0
        for publish in self._publishes.values():
            if publish.kind == "alarm":
                alarms += 1
            elif publish.kind in LANES:
                publishes += 1
                size += publish.size
        others = LANES[1:] if publishes < OTHER_PUBLISHES and size < OTHER_BYTES else ()
        return ("alarm", *others) if alarms < ALARM_PUBLISHES else others
