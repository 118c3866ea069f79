"""A bus child that behaves, until a word in the file FOLDER/do tells it otherwise: `python -m …rogue FOLDER FD`.

It stands for the process on the other side of the socket pair; its bus is two zones, a module and an output.
"""

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from drivers.bus.child import CoreGone, Line, live
from drivers.bus.words import Bidding, Entered, Failed, Figures, Order, ReadBack, Report, Sensed, Setup, Show, Up
from rules.site import Condition


class Rogue:
    """The bus. Each `do` is done once, so that the next life behaves."""

    def __init__(self, setup: Setup, say: Any, end: socket.socket, folder: Path) -> None:
        self._say = say
        self._end = end
        self._folder = folder
        self._first = True
        self._zones = list(setup.wiring["zones"])
        self._hoard: list[bytes] = []
        for output, on in setup.outputs.items():
            say(ReadBack(output, on))

    def turn(self) -> float:
        if self._first:
            self._first = False
            if self._asked("late"):
                time.sleep(60)
            if self._asked("slow"):
                while not self._asked("on"):
                    time.sleep(0.01)
            self._report()
            self._say(Up())
        do = next((p.name for p in self._folder.iterdir()), "")
        if do and self._asked(do):
            getattr(self, "_" + do.partition("-")[0])(do.partition("-")[2])
        return 0.01

    def hear(self, word: Bidding) -> None:
        match word:
            case Order(output, on):
                self._say(ReadBack(output, on))
            case Report():
                self._report()
            case Show(device, what):
                self._say(Entered(device, "card", str(what["number"])))

    def figures(self) -> dict[str, Any]:
        return {"pid": os.getpid()}

    def close(self) -> None:
        """Nothing to let go of."""

    def _report(self) -> None:
        for zone in self._zones:
            self._say(Sensed(zone, Condition.NORMAL))

    def _asked(self, do: str) -> bool:
        path = self._folder / do
        there = path.exists()
        path.unlink(missing_ok=True)
        return there

    def _hang(self, _: str) -> None:
        time.sleep(600)

    def _crash(self, _: str) -> None:
        os.kill(os.getpid(), 11)

    def _leak(self, _: str) -> None:
        self._hoard.append(b"x" * (80 * 1024 * 1024))

    def _babble(self, _: str) -> None:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            self._say(Figures({}))

    def _trip(self, zone: str) -> None:
        self._say(Sensed(zone, Condition.ACTIVE))

    def _stranger(self, _: str) -> None:
        self._say(Sensed("vault", Condition.ACTIVE))

    def _nonsense(self, _: str) -> None:
        self._end.send(b'{"word":"disarm"}')

    def _module(self, present: str) -> None:
        self._say(Failed("m1", present == "away", "no answer"))


def main() -> None:
    folder, descriptor = Path(sys.argv[1]), int(sys.argv[2])
    with socket.socket(fileno=descriptor) as end:
        try:
            live(Line(end), lambda setup, say: Rogue(setup, say, end, folder))
        except CoreGone:
            return


if __name__ == "__main__":
    main()
