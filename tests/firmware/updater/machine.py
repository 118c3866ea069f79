"""A machine with two slots and an updater, in one process: its power may be cut before and after each thing it does.

The medium, the boot loader's counters and the bundle are real files; `rauc` answers as `hil.rauc` does, without being
started anew for each call.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from firmware.protocol.updates import Consent, Offer, Panel, Step
from firmware.updater.book import Book
from firmware.updater.bundle import Manifest, NotTaken
from firmware.updater.keeper import Keeper, Parts
from firmware.updater.kept import Kept, Shelf
from firmware.updater.rauc import Mark, NoRauc, Rauc, Slots, Writing, read_status
from firmware.updater.sources import Sources
from firmware.updater.trial import LONGEST_MS
from hil.rauc import FakeMachine, _mark, _status
from tests.clock import TurnedClock

OLD, NEW = "0.1.0", "0.2.0"


class PowerCut(BaseException):
    """Now."""


@dataclass
class Power:
    """Cuts at the n-th thing that is done; never for 0."""

    at: int = 0
    done: int = 0

    def thing(self, act: Callable[[], Any]) -> Any:
        """Do it, unless the power is cut before; it may be cut after it, too."""
        self._pass()
        result = act()
        self._pass()
        return result

    def _pass(self) -> None:
        self.done += 1
        if self.done == self.at:
            raise PowerCut


class _CutShelf(Shelf):
    def __init__(self, folder: Path, power: Power) -> None:
        super().__init__(folder)
        self._power = power

    def save(self, kept: Kept) -> None:
        self._power.thing(lambda: super(_CutShelf, self).save(kept))


class _Written(Writing):
    """A slot that is written in one turn, or is half written when the power goes."""

    def __init__(self, code: int) -> None:
        self.progress = 100
        self.said = "LastError: Input/output error" if code else "done"
        self._code = code

    def poll(self) -> int | None:
        return self._code

    def stop(self) -> None:
        pass


class _Rauc(Rauc):
    def __init__(self, machine: "Machine") -> None:
        super().__init__()
        self._of = machine

    def slots(self) -> Slots:
        return read_status(_status(self._of.fake).encode())

    def info(self, source: str) -> Manifest:
        del source
        if self._of.bundle is None:
            raise NotTaken("source-unreadable")
        return self._of.bundle

    def install(self, source: str) -> Writing:
        del source
        fake, told = self._of.fake, self._of.fake.read()
        other = "B" if told["booted"] == "A" else "A"
        told["left"][other] = 0
        self._of.power.thing(lambda: fake.write(told))
        (fake.folder / other).write_bytes(b"half")
        bundle = self._of.bundle
        assert bundle is not None
        self._of.power.thing(lambda: (fake.folder / other).write_bytes(bundle.version.encode()))
        return _Written(1 if self._of.io_error else 0)

    def mark(self, how: Mark, which: Literal["booted", "other"]) -> None:
        if self._of.broken_marks:
            raise NoRauc("no")
        self._of.power.thing(lambda: _mark(self._of.fake, f"mark-{how}", which))


def manifest(version: str = NEW, **changed: Any) -> Manifest:
    told = {
        "version": version,
        "compatible": "fenghuo-arm64",
        "sha256": hashlib.sha256(version.encode()).hexdigest(),
        "floor": OLD,
        "data": 1,
        "reads": [1],
    }
    return Manifest.model_validate({**told, **changed})


WELL = Panel(
    at_rest=True,
    linked=True,
    up_ms=60_000,
    read=True,
    failing=0,
    restored=True,
    journal="j",
    stored=True,
    receipt=True,
)


@dataclass
class Machine:
    """`panels`: what core tells while a version runs; None: core does not run. `starts`: versions whose slot boots."""

    folder: Path
    bundle: Manifest | None = None
    panels: dict[str, Panel | None] = field(default_factory=dict)
    starts: set[str] = field(default_factory=lambda: {OLD, NEW})
    io_error: bool = False
    broken_marks: bool = False
    power: Power = field(default_factory=Power)
    recorded: list[Step] = field(default_factory=list)
    boots: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bundle = self.bundle or manifest()
        self.clock = TurnedClock()
        self.fake = FakeMachine(self.folder)
        self.fake.make()
        for slot in ("A", "B"):
            (self.folder / slot).write_bytes(OLD.encode())
        self._restarts = False
        self.boot()

    @property
    def runs(self) -> str:
        """The version in the slot that runs."""
        return self.fake.image(self.fake.read()["booted"]).decode()

    @property
    def kept(self) -> Kept:
        return self.keeper.kept

    def boot(self) -> None:
        """The boot loader tries slots until one starts; then the updater begins anew."""
        self.clock.reboot(30_000)
        self._restarts = False
        for _ in range(10):
            self.boots.append(self.fake.boot())
            if self.runs in self.starts:
                break
        assert self.runs in self.starts, f"nothing starts: {self.boots}"
        self.begin()

    def begin(self) -> None:
        """The updater's process starts."""
        book = Book(_CutShelf(self.folder / "updater", self.power), Kept())
        sources = Sources(self.folder / "usb", self.folder / "none")
        self.keeper = Keeper(Parts(book, _Rauc(self), sources, self.clock, self._restart, self.runs))

    def _restart(self) -> None:
        self._restarts = True

    def turn(self) -> None:
        """One turn, with what core says before, and its journal after; a cut or a restart boots anew."""
        try:
            panel = self.panels.get(self.runs, WELL)
            if panel is not None:
                self.keeper.panel(panel)
            self.keeper.turn()
            if panel is not None:
                self._record()
        except PowerCut:
            self.boot()
        else:
            if self._restarts:
                self.boot()
        self.clock.turn(1000)

    def _record(self) -> None:
        for step in self.kept.steps:
            if step.number not in {known.number for known in self.recorded}:
                self.recorded.append(step)
        if self.kept.steps:
            self.keeper.parts.book.taken(self.kept.steps[-1].number)

    def said(self, say: Callable[[Keeper], None]) -> None:
        """Core passes a wish on; a cut meanwhile boots anew."""
        with suppress(PowerCut):
            say(self.keeper)
            return
        self.boot()

    def offer(self, source: str = "/x.raucb", **more: Any) -> None:
        self.turn()
        self.said(lambda keeper: keeper.offer(Offer(source=source, by="fitter", **more)))

    def consent(self, *parts: str) -> None:
        sha256 = self.kept.manifest.sha256 if self.kept.manifest else ""
        for part in parts or ("user", "installer"):
            told = Consent.model_validate({"sha256": sha256, "part": part, "by": part})
            self.said(partial(Keeper.consent, consent=told))

    def until(self, *stages: str, turns: int = 2 * LONGEST_MS // 1000) -> None:
        """Turn until the update is there."""
        for _ in range(turns):
            if self.kept.stage in stages:
                return
            self.turn()
        raise AssertionError(f"{self.kept.stage}, expected {stages}")

    def kinds(self) -> list[str]:
        """What the journal holds, in order."""
        for _ in range(3):
            self.turn()
        return [step.kind.removeprefix("update.") for step in self.recorded]

    def book(self) -> dict[str, Any]:
        """The file on the medium."""
        told: dict[str, Any] = json.loads((self.folder / "updater" / "update.json").read_text())
        return told
