"""Core's side of the desk socket: moves the simulated site and tells how it stands. Free of sockets.

It exists only with simulated pins. A refusal's `reason` is a word of `REASONS`; names of zones come in `detail`, so
that the desk can say it in the user's language.
"""

from collections.abc import Callable
from threading import Timer
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel

from drivers.simulated import SimulatedWorld
from drivers.wiring import MEANT, Position
from firmware.protocol.messages import Answer, AskDesk, Mains, Move, Press, SetSupply

MAX_PRESSES = 16
"""Buttons held at the same time; one more is refused."""

REASONS = ("unknown-zone", "already-pressed", "too-many-presses", "not-written")

Moving: TypeAlias = Move | Press | Mains | SetSupply | AskDesk


class Driver(Protocol):
    """What the desk asks of what reads the wires."""

    def health(self) -> dict[str, Any]:
        """Figures per zone and output."""
        ...


class Desk:
    """The installer's fingers. `handle` belongs to one thread; a press ends on a timer of its own."""

    def __init__(
        self,
        world: SimulatedWorld,
        driver: Driver,
        status: Callable[[], dict[str, Any]],
        clock_rate: int = 1,
    ) -> None:
        """`status` adds the panel's own view; `clock_rate` shortens a press as it does all of the panel's times."""
        self._world = world
        self._driver = driver
        self._status = status
        self._rate = clock_rate
        self._presses: dict[str, Timer] = {}

    def handle(self, message: Moving) -> list[BaseModel]:
        """Do it, and say what became of it. Never raises for what a peer can send."""
        if isinstance(message, Move | Press) and message.zone not in self._world.zones:
            return [_refused("unknown-zone", zone=message.zone, known=list(self._world.zones))]
        try:
            return [self._do(message)]
        except OSError as error:
            return [_refused("not-written", error=str(error)[:200])]

    def close(self) -> None:
        """Let go of every button."""
        for zone, timer in list(self._presses.items()):
            timer.cancel()
            self._let_go(zone)

    def _do(self, message: Moving) -> Answer:
        match message:
            case Move():
                return self._move(message.zone, Position(message.position))
            case Press():
                return self._press(message)
            case Mains():
                self._world.set_mains(message.on)
                return Answer(ok=True, detail={"mains": message.on})
            case SetSupply():
                self._world.set_supply(message.values())
                return Answer(ok=True, detail={"supply": dict(self._world.supply.values)})
            case AskDesk():
                return Answer(ok=True, detail=self._view())

    def _move(self, zone: str, position: Position) -> Answer:
        self._world.move(zone, position)
        seen = self._world.seen(zone, position)
        detail = {"zone": zone, "position": str(position), "wiring": self._world.wiring(zone), "seen": str(seen)}
        return Answer(ok=True, detail={**detail, "visible": seen is MEANT[position]})

    def _press(self, press: Press) -> Answer:
        if press.zone in self._presses:
            return _refused("already-pressed", zone=press.zone)
        if len(self._presses) >= MAX_PRESSES:
            return _refused("too-many-presses", limit=MAX_PRESSES)
        timer = Timer(press.hold_ms / self._rate / 1000, self._let_go, (press.zone,))
        timer.daemon = True
        self._presses[press.zone] = timer
        self._world.press(press.zone)
        timer.start()
        return Answer(ok=True, detail={"zone": press.zone, "hold_ms": press.hold_ms})

    def _let_go(self, zone: str) -> None:
        self._world.release(zone)
        self._presses.pop(zone, None)

    def _view(self) -> dict[str, Any]:
        health = self._driver.health()
        return {
            "mains": self._world.mains,
            "supply": dict(self._world.supply.values),
            "zones": {
                zone: {"position": str(position), "wiring": self._world.wiring(zone), **health["zones"].get(zone, {})}
                for zone, position in self._world.positions.items()
            },
            "outputs": health["outputs"],
            "panel": self._status(),
        }


def _refused(reason: str, **detail: Any) -> Answer:
    return Answer(ok=False, reason=reason, detail=detail)
