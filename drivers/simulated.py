"""The simulated site behind simulated pins: what each detector does, and whether there is mains.

It lives in a small file, `desk.json` of the run folder, and so outlives a core that was killed: a door that was left
open is still open when the panel comes back. A press is not written: nobody holds a button while the panel is down.
"""

import json
import math
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any

from drivers.loop_zone import Loop
from drivers.pins import DriverError, Factory, Text
from drivers.simulated_supply import LIMITS, SimulatedBattery, SimulatedSupply
from drivers.wiring import HIGH, LOW, Input, Position, levels, seen_as
from rules.site import Condition

FILE = "desk.json"
TEST_LOADS = ("power:load", "power:charger")
"""The outputs of a load test."""
MAX_BYTES = 256 * 1024


class BadWorld(DriverError):
    """The world file is not what it should be; `text` names the file, what was found and what is expected."""


class SimulatedWorld:
    """Positions of the simulated detectors and the mains; safe to use from several threads.

    `mains_line` and `battery_line` are inputs of the supervised supply, low (contact closed) while all is well. Boxes
    and supervised lines of outputs are moved as zones are, by their ids.
    """

    def __init__(
        self,
        path: Path,
        inputs: Sequence[Input],
        mains_line: int | None = None,
        battery_line: int | None = None,
        loops: Sequence[Loop] = (),
        relayed: Collection[str] = (),
        battery: SimulatedBattery | None = None,
    ) -> None:
        """Read the file, or begin with everything at rest where there is none; raises `BadWorld`, `OSError`."""
        self._path = path
        self._inputs = {wire.zone: wire for wire in inputs}
        self._loops = {loop.zone: loop for loop in loops}
        self._relayed = relayed
        self._on: set[str] = set()
        self._mains_line = mains_line
        self._battery_line = battery_line
        self._factory: Factory | None = None
        self._lock = RLock()
        self._pressed: set[str] = set()
        self._positions, self._mains, values = _read(path)
        self.supply = SimulatedSupply(battery, values)

    def reload(self) -> None:
        """Take in what was changed in the file, and drive the lines so; raises `BadWorld`, `OSError`."""
        positions, mains, values = _read(self._path)
        with self._lock:
            self._positions, self._mains, self.supply.values = positions, mains, values
            self._drive(self.levels())

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of this world: those on plain lines in the order of the panel file, then those on loops."""
        return (*self._inputs, *self._loops)

    def wiring(self, zone: str) -> str:
        """How the zone is wired, in the panel file's word. Raises `KeyError`."""
        loop = self._loops.get(zone)
        return str(self._inputs[zone].wiring if loop is None else loop.plan.resistors)

    def seen(self, zone: str, position: Position) -> Condition:
        """What the panel makes of a position. Raises `KeyError`."""
        loop = self._loops.get(zone)
        return seen_as(self._inputs[zone].wiring, position) if loop is None else loop.plan.seen_as(position)

    def ohm(self, zone: str) -> float:
        """What a loop measures now, infinite for a cut. Raises `KeyError`."""
        with self._lock:
            if zone in self._on and zone in self._relayed:
                return math.inf
            return self._loops[zone].plan.ohm_at(self._position(zone))

    def load(self, output: str, on: bool) -> None:
        """An output was switched; the relay of a `relayed` one takes its line off the converter while it is on."""
        with self._lock:
            (self._on.add if on else self._on.discard)(output)
            if output in TEST_LOADS:
                (self.supply.loads.add if on else self.supply.loads.discard)(output)

    @property
    def positions(self) -> Mapping[str, Position]:
        """What each zone's detector does now, a press included."""
        with self._lock:
            return MappingProxyType({zone: self._position(zone) for zone in self.zones})

    @property
    def mains(self) -> bool:
        """Whether the simulated mains is on."""
        return self._mains

    def levels(self) -> Mapping[int, bool]:
        """The level of every line that the world drives."""
        with self._lock:
            found = {
                line: level
                for zone, wire in self._inputs.items()
                for line, level in zip(wire.lines, levels(wire.wiring, self._position(zone)), strict=True)
            }
            if self._mains_line is not None:
                found[self._mains_line] = LOW if self._mains else HIGH
            if self._battery_line is not None:
                found[self._battery_line] = HIGH if self.supply.low() else LOW
            return MappingProxyType(found)

    def apply(self, factory: Factory) -> None:
        """Drive the simulated pins of `factory` from now on; call it before the inputs are claimed."""
        with self._lock:
            self._factory = factory
            self._drive(self.levels())

    def move(self, zone: str, position: Position) -> None:
        """Bring a detector into a position, and keep it in the file. Raises `KeyError` (no such zone), `OSError`."""
        with self._lock:
            self._known(zone)
            self._save({**self._positions, zone: Position(position)}, self._mains)
            self._drive(self._lines(zone))

    def press(self, zone: str) -> None:
        """Trip a detector until `release`; not kept in the file. Raises `KeyError`."""
        with self._lock:
            self._known(zone)
            self._pressed.add(zone)
            self._drive(self._lines(zone))

    def release(self, zone: str) -> None:
        """Let go what `press` tripped. Raises `KeyError`."""
        with self._lock:
            self._known(zone)
            self._pressed.discard(zone)
            self._drive(self._lines(zone))

    def set_mains(self, on: bool) -> None:
        """Switch the mains, and keep it in the file; raises `OSError`."""
        with self._lock:
            self._save(self._positions, on)
            if self._mains_line is not None:
                self._drive((self._mains_line,))

    def set_supply(self, values: Mapping[str, int | None]) -> None:
        """Set what battery and board show (names and limits: `simulated_supply.LIMITS`), None for as by itself, and
        keep it in the file; raises `OSError`."""
        with self._lock:
            kept = {**self.supply.values, **values}
            new = {name: value for name, value in kept.items() if value is not None}
            self._save(self._positions, self._mains, new)
            if self._battery_line is not None:
                self._drive((self._battery_line,))

    def millivolts(self) -> int:
        """What the battery shows now."""
        with self._lock:
            return self.supply.mv(self._mains)

    def milliamperes(self) -> int:
        """What it gives now; negative while it is charged."""
        with self._lock:
            return self.supply.ma(self._mains)

    def _known(self, zone: str) -> None:
        if zone not in self._inputs and zone not in self._loops:
            raise KeyError(zone)

    def _lines(self, zone: str) -> tuple[int, ...]:
        return self._inputs[zone].lines if zone in self._inputs else ()

    def _position(self, zone: str) -> Position:
        return Position.OPEN if zone in self._pressed else self._positions.get(zone, Position.CLOSE)

    def _drive(self, lines: Sequence[int] | Mapping[int, bool]) -> None:
        if self._factory is None:
            return
        found = self.levels()
        for line in lines:
            pin = self._factory.pin(line)
            if found[line]:
                pin.drive_high()
            else:
                pin.drive_low()

    def _save(self, positions: dict[str, Position], mains: bool, supply: dict[str, int] | None = None) -> None:
        supply = self.supply.values if supply is None else supply
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        body: dict[str, Any] = {"positions": {zone: str(p) for zone, p in positions.items()}, "mains": mains}
        if supply:
            body["supply"] = supply
        aside.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        aside.replace(self._path)
        self._positions, self._mains, self.supply.values = positions, mains, supply


def _read(path: Path) -> tuple[dict[str, Position], bool, dict[str, int]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}, True, {}
    if len(data) > MAX_BYTES:
        raise _bad(path, f"{len(data)} bytes", f"at most {MAX_BYTES}")
    try:
        world = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad(path, _short(data.decode(errors="replace")), "a JSON object") from error
    return _positions(path, world), _mains(path, world), _supply(path, world)


def _positions(path: Path, world: Any) -> dict[str, Position]:
    if not isinstance(world, dict):
        raise _bad(path, _short(world), "a JSON object")
    found = world.get("positions", {})
    if not isinstance(found, dict):
        raise _bad(path, _short(found), "an object of zone and position", "positions")
    expected = ", ".join(Position)
    for zone, position in found.items():
        if not isinstance(position, str) or position not in tuple(Position):
            raise _bad(path, _short(position), expected, f"positions.{_short(zone)}")
    return {zone: Position(position) for zone, position in found.items()}


def _mains(path: Path, world: dict[str, Any]) -> bool:
    mains = world.get("mains", True)
    if not isinstance(mains, bool):
        raise _bad(path, _short(mains), "true, false", "mains")
    return mains


def _supply(path: Path, world: dict[str, Any]) -> dict[str, int]:
    found = world.get("supply", {})
    if not isinstance(found, dict):
        raise _bad(path, _short(found), "an object of name and whole number", "supply")
    for name, value in found.items():
        low, high = LIMITS.get(name, (0, -1))
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            expected = f"a whole number from {low} to {high}" if name in LIMITS else ", ".join(LIMITS)
            raise _bad(path, _short(value if name in LIMITS else name), expected, f"supply.{_short(name)}")
    return dict(found)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.encode(errors="replace").decode()  # a lone surrogate can't be printed
    return text if len(text) <= 60 else f"{text[:60]}…"


def _bad(path: Path, found: str, expected: str, where: str = "") -> BadWorld:
    place = f"{path}: {where}" if where else str(path)
    text: Text = (
        f"{place}: found {found!r}, expected {expected}. Remove the file to put every detector at rest.",
        f"{place}:发现 {found!r},应为 {expected}。删除该文件即可使所有探测器复位。",
    )
    return BadWorld(text)
