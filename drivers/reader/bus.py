"""A serial reader, as its child process turns it: held tags become zones that trip, cards go to core.

Such a reader only ever speaks: that it is cut off shows when its port goes, not before.
"""

import select
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from drivers.bus.ports import NoPort, open_port
from drivers.bus.words import Bidding, Entered, Failed, Report, Saying, Sensed, Setup, Up
from drivers.reader.lines import Format, Lines
from drivers.retry import Retry
from rules.site import Condition

if TYPE_CHECKING:
    import serial

SAME_S = 2.0
"""A tag that is held on reads again and again: once is meant."""
READ_S = 0.05
MAX_BYTES = 4096


class ReaderBus:
    """One port, one reader."""

    def __init__(
        self, wiring: Mapping[str, Any], say: Callable[[Saying], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._wiring = wiring
        self._say = say
        self._now = now
        self._tags: Mapping[str, str] = wiring["tags"]
        self._form = Format(**wiring["format"])
        self._lines = Lines(self._form)
        self._port: serial.Serial | None = None
        self._retry = Retry()
        self._up = False
        self._last = ("", 0.0)
        self._counts = {"read": 0, "repeated": 0, "unknown": 0, "opens": 0}

    def turn(self) -> float:
        """Read what is there."""
        if self._port is None and not self._open():
            return 0.2
        try:
            port = self._port
            assert port is not None  # noqa: S101  # opened just now
            ready, _, _ = select.select([port.fileno()], [], [], READ_S)
            data = port.read(MAX_BYTES) if ready else b""
            if ready and not data:
                raise OSError("the port was hung up")
        except Exception as error:  # pyserial, termios, OSError
            self._lost(str(error))
            return 0.0
        for number in self._lines.feed(data):
            self._held(number)
        return 0.0

    def hear(self, word: Bidding) -> None:
        """A wish for a report; there is nothing to order."""
        if isinstance(word, Report):
            self._rest(Condition.FAULT if self._port is None else Condition.NORMAL)

    def figures(self) -> dict[str, Any]:
        """Counts, never a number of a card."""
        return {**self._counts, "refused": self._lines.refused, "error": self._retry.error}

    def close(self) -> None:
        """Let go of the port."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _held(self, number: str) -> None:
        self._counts["read"] += 1
        last, until = self._last
        now = self._now()
        self._last = (number, now + SAME_S)
        if number == last and now < until:
            self._counts["repeated"] += 1
        elif zone := self._tags.get(number):
            self._say(Sensed(zone, Condition.ACTIVE))
            self._say(Sensed(zone, Condition.NORMAL))
        elif self._wiring["kind"] == "card":
            self._say(Entered(self._wiring["id"], "card", f"text-{number}"))
        else:
            self._counts["unknown"] += 1
            self._say(Entered(self._wiring["id"], "tag", number))

    def _open(self) -> bool:
        now_ms = int(self._now() * 1000)
        if self._retry.error is not None and not self._retry.due(now_ms):
            return False
        try:
            self._port = open_port(self._wiring["port"], self._wiring["baud"])
        except NoPort as error:
            self._missing(str(error), error)
            return False
        self._counts["opens"] += 1
        self._retry.works("port")
        self._retry.stands()
        self._lines = Lines(self._form)
        self._rest(Condition.NORMAL)
        self._say(Failed("", False))
        self._came_up()
        return True

    def _lost(self, why: str) -> None:
        self.close()
        self._missing(f"port {self._wiring['port']}: {why}", OSError(why))

    def _missing(self, why: str, error: Exception) -> None:
        self._retry.failed(error, int(self._now() * 1000), "port")
        self._say(Failed("", True, why[:400]))
        self._rest(Condition.FAULT)
        self._came_up()

    def _came_up(self) -> None:
        if not self._up:
            self._up = True
            self._say(Up())

    def _rest(self, condition: Condition) -> None:
        for zone in self._tags.values():
            self._say(Sensed(zone, condition))


def open_bus(setup: Setup, say: Callable[[Saying], None]) -> ReaderBus:
    """The reader of this setup."""
    return ReaderBus(setup.wiring, say)
