"""`fenghuo run updater`: stands beside core, and carries out what core lets happen to the panel's software. Needs root.

It has no network socket of its own, reads the panel file, its own book and what `rauc` says, and knows the messages of
one role of core's.
"""

import logging
import os
import select
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from firmware.clock import Clock, SystemClock
from firmware.config import Loaded
from firmware.protocol.lines import Caller, Client, LineTooLong
from firmware.protocol.messages import Error, Welcome, to_updater
from firmware.protocol.updates import Consent, Offer, Panel, StepTaken, Trial, UpdateStatus, Withdraw
from firmware.sd_notify import notify
from firmware.stopping import StopFlag
from firmware.updater.book import Book
from firmware.updater.keeper import Keeper, Parts
from firmware.updater.kept import Kept, Shelf
from firmware.updater.rauc import Rauc
from firmware.updater.sources import Sources
from firmware.version import VERSION

log = logging.getLogger("fenghuo.updater")

TURN_S = 0.5
SOCKET = "updater.sock"
STICK = Path("/run/fenghuo-stick")
"""Where a stick is mounted."""


@dataclass(frozen=True)
class Setup:
    """Commands and places. `restart`: what makes the machine start anew."""

    folder: Path
    mounted: Path
    rauc: Sequence[str] = ("rauc",)
    restart: Sequence[str] = ("systemctl", "--no-block", "reboot")
    version: str = VERSION


def setup_of(loaded: Loaded) -> Setup:
    """On a panel: the state folder that the unit names, else beside core's data."""
    folder = os.environ.get("STATE_DIRECTORY", "")
    return Setup(Path(folder) if folder else loaded.data.parent / "updater", STICK)


def run(loaded: Loaded) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    return run_with(loaded, setup_of(loaded), SystemClock())


def run_with(loaded: Loaded, setup: Setup, clock: Clock) -> int:
    """As `run`, with commands and places of one's own."""
    stop = StopFlag().install()
    parts = Parts(
        Book(Shelf(setup.folder), Kept()),
        Rauc(setup.rauc),
        Sources(setup.mounted),
        clock,
        lambda: _restart(setup.restart),
        setup.version,
    )
    updater = Updater(loaded.run / SOCKET, Keeper(parts))
    notify("READY=1")
    while not stop.is_set():
        updater.turn(stop)
        notify("WATCHDOG=1")
    notify("STOPPING=1")
    updater.close()
    stop.close()
    return 0


def _restart(words: Sequence[str]) -> None:
    log.warning("the machine is asked to start anew")
    try:
        subprocess.run(words, check=True, timeout=30, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        log.error("the machine could not be asked to start anew: %s", error)


class Updater:
    """Core's socket on one side, the keeper on the other."""

    def __init__(self, socket: Path, keeper: Keeper) -> None:
        self._core = Caller(socket, log)
        self._keeper = keeper
        self._client: Client | None = None
        self._told: UpdateStatus | None = None
        self._sent = 0
        self._tested = False
        self._unkept = False

    def turn(self, stop: StopFlag) -> None:
        """Wait for core, at most a moment; then do what is due."""
        client = self._client or self._connect()
        if client is None:
            stop.wait(TURN_S)
        elif not client.pending():
            select.select([client.fileno(), stop.fileno()], [], [], TURN_S)
        if client is not None:
            self._guarded(self._hear)
        try:
            self._keeper.turn()
            self._unkept = False
        except OSError as error:
            if not self._unkept:
                log.critical("what is done can't be kept, so nothing is done: %s", error)
            self._unkept = True
        if self._client is not None:
            self._guarded(self._tell)

    def close(self) -> None:
        """End what runs, close the connection."""
        self._keeper.close()
        self._drop()

    def _connect(self) -> Client | None:
        self._client = self._core.call()
        if self._client is not None:
            self._told, self._sent, self._tested = None, 0, False
        return self._client

    def _guarded(self, act: Any) -> None:
        """With the connection; one that is lost is made anew."""
        if self._client is None:
            return
        try:
            act(self._client)
        except (OSError, LineTooLong, ValidationError) as error:
            log.warning("the connection to core was lost: %s", str(error).splitlines()[0][:200])
            self._drop()

    def _hear(self, client: Client) -> None:
        while (value := client.receive(0.0)) is not None:
            self._heard(to_updater.validate_python(value))

    def _heard(self, message: BaseModel) -> None:
        keeper = self._keeper
        match message:
            case Panel():
                keeper.panel(message)
            case Offer():
                keeper.offer(message)
            case Consent():
                keeper.consent(message)
            case Withdraw():
                keeper.withdraw()
            case StepTaken():
                keeper.parts.book.taken(message.number)
            case Error():
                log.error("core did not take a message: %s", message.reason)
            case Welcome():
                pass

    def _tell(self, client: Client) -> None:
        """The steps that core's journal lacks, in order, once on a connection; and the status if it moved."""
        for step in self._keeper.kept.steps:
            if step.number > self._sent:
                client.send(step)
                self._sent = step.number
        if self._keeper.on_trial and not self._tested:
            client.send(Trial())
            self._tested = True
        status = self._keeper.status()
        if status != self._told:
            client.send(status)
            self._told = status

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
