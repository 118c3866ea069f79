"""The socket that a panel on the bench hangs on: one that switches over HTTP, a relay, or the lab's by labgrid."""

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from hil.rigs.bench.boards import Boards
from hil.rigs.bench.file import Bench, Power
from hil.rigs.protocol import RigFault

TIMEOUT_S = 10.0


class Socket(Protocol):
    """Raises `RigFault` where it does not switch."""

    def switch(self, on: bool) -> None:
        """Returns once the panel has power, or has none: its capacitors are empty."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class RestSocket:
    """labgrid's NetworkPowerPort models `rest` (PUT 0 or 1) and `simplerest` (GET with the value in the address)."""

    def __init__(self, power: Power) -> None:
        self._power = power

    def switch(self, on: bool) -> None:
        """Switch it."""
        power, value = self._power, "1" if on else "0"
        if power.kind == "rest":
            url, data = power.url.format(index=power.index), value.encode()
            request = urllib.request.Request(url, data, method="PUT")  # noqa: S310  # of our own file
        else:
            request = urllib.request.Request(power.url.format(index=power.index, value=value))  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                answer.read(1024)
        except (OSError, urllib.error.URLError, ValueError) as error:
            raise RigFault(f"power socket {power.url}: {error}") from None
        if not on:
            time.sleep(power.off_s)

    def close(self) -> None:
        """Nothing is held."""


class RelaySocket:
    """A relay in the panel's supply line. `nc`: on while the relay is released, so a dead board cuts nothing."""

    def __init__(self, power: Power, boards: Boards) -> None:
        self._power, self._boards = power, boards

    def switch(self, on: bool) -> None:
        """Switch it."""
        power = self._power
        self._boards.set(power.board, power.channel, on == (power.contact == "no"))
        if not on:
            time.sleep(power.off_s)

    def close(self) -> None:
        """Nothing is held."""


class LabSocket:
    """The power driver of a labgrid environment: the lab's reservation and its sockets, whatever they are."""

    def __init__(self, power: Power) -> None:
        try:
            from labgrid import Environment
        except ModuleNotFoundError:
            raise RigFault("power of a lab needs labgrid: pip install 'fenghuo[bench]'") from None
        from labgrid.protocol import PowerProtocol

        self._off_s = power.off_s
        try:
            self._environment: Any = Environment(str(Path(power.environment)))
            target = self._environment.get_target(power.target)
            if target is None:
                raise RigFault(f"{power.environment}: no target {power.target}")
            self._driver: Any = target.get_driver(PowerProtocol)
        except RigFault:
            raise
        except Exception as error:  # whatever a lab's plugins raise
            raise RigFault(f"{power.environment}: {type(error).__name__}: {error}") from error

    def switch(self, on: bool) -> None:
        """Switch it."""
        try:
            (self._driver.on if on else self._driver.off)()
        except Exception as error:
            raise RigFault(f"the lab's power: {type(error).__name__}: {error}") from error
        if not on:
            time.sleep(self._off_s)

    def close(self) -> None:
        """Give the place back."""
        self._environment.cleanup()


def socket_of(bench: Bench, boards: Boards) -> Socket:
    """The one that the file names. Raises `RigFault`."""
    match bench.power.kind:
        case "relay":
            return RelaySocket(bench.power, boards)
        case "labgrid":
            return LabSocket(bench.power)
        case _:
            return RestSocket(bench.power)
