"""A real panel of the bench over SSH with the installer's key: the image as in the field, and the rig's hand in it.

What is on it before a run is thrown away: a bench's panel guards nothing. Never yet run against a board; what it does
there is what the machine rig does in its guest, by the same agent.
"""

import json
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firmware.protocol import messages as m
from hil.demo_panel import Refused
from hil.rigs.bench.file import Bench
from hil.rigs.bench.forwarder import Forwarder
from hil.rigs.bench.keypad import SerialKeypad
from hil.rigs.bench.ssh_hand import SshHand
from hil.rigs.hooks import LOG_BYTES
from hil.rigs.keypad import keys_at
from hil.rigs.machine import afar
from hil.rigs.machine.agent import AgentError
from hil.rigs.machine.rig import GuestChannel
from hil.rigs.protocol import Channel, NotSeen, Process, RigFault, Unable
from hil.rigs.site import Delivery, Place

HOME, RUN = "/data/fenghuo", "/run/fenghuo"
PYTHON = "/opt/fenghuo/bin/python"
SERVICES = ("fenghuo-core", "fenghuo-uplink")
READY_S, BOOT_S, ANSWER_S = 60.0, 120.0, 20.0
_READ = """import json, lgpio, sys
chip, *lines = map(int, sys.argv[1:])
handle = lgpio.gpiochip_open(chip)
for line in lines:
    lgpio.gpio_claim_input(handle, line, lgpio.SET_PULL_UP)
print(json.dumps({line: lgpio.gpio_read(handle, line) for line in lines}))
"""
_HOLD = """import lgpio, sys, time
chip, line, level = map(int, sys.argv[1:])
handle = lgpio.gpiochip_open(chip)
lgpio.gpio_claim_output(handle, line, level)
time.sleep(60)
"""
HOLD_S = 0.5
OFF_S, HALT_S = 60.0, 5.0
"""Until a holder has its line: Python's start on a small board."""


class SshPanel:
    """A `BenchPanel`. `home` and `python`: where the image has them."""

    home, python = HOME, PYTHON

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._hand: SshHand | None = None
        self._door: Forwarder | None = None
        self._keypad: SerialKeypad | None = None
        self._site: Mapping[str, Any] = {}

    # --- places

    def more_hosts(self) -> tuple[str, ...]:
        """This computer's address."""
        return (self._bench.bench.host,)

    def place(self) -> Place:
        """As the image has it."""
        own = self._bench.bench
        return Place(
            pins="board",
            chip=own.chip,
            keys=f"{self.home}/keys",
            data=f"{self.home}/data",
            run=RUN,
            keypad_port=own.keypad_port,
        )

    def way(self, port: int) -> tuple[str, int]:
        """By the forwarder."""
        if self._door is None:
            try:
                self._door = Forwarder(self._bench.bench.host, port)
            except OSError as error:
                raise RigFault(f"bench.host {self._bench.bench.host}: {error}") from None
        return self._bench.bench.host, self._door.port

    @property
    def hand(self) -> SshHand:
        """Connected when it is first needed. Raises `RigFault`."""
        if self._hand is None:
            self._hand = SshHand(self._bench.bench.panel, self._bench.bench.ssh_options)
        return self._hand

    def _must(self, *words: str, timeout_s: float = 30) -> str:
        try:
            return self.hand.agent.must(*words, timeout_s=timeout_s)
        except AgentError as error:
            raise RigFault(f"the bench's panel: {error}") from error

    # --- raw lines

    def lines(self, lines: Sequence[int]) -> Mapping[int, bool]:
        """By lgpio, pulled up as core does it."""
        self._must("systemctl", "stop", *reversed(SERVICES), timeout_s=60)
        found = json.loads(self._must(self.python, "-c", _READ, str(self._bench.bench.chip), *map(str, lines)))
        return {int(line): bool(level) for line, level in found.items()}

    def drive(self, line: int, high: bool | None) -> None:
        """A process of its own holds the line."""
        unit = f"fenghuo-bench-line-{line}"
        with suppress(AgentError):
            self.hand.agent.run("systemctl", "stop", unit)
        if high is not None:
            held = (str(self._bench.bench.chip), str(line), str(int(high)))
            self._must("systemd-run", "--collect", f"--unit={unit}", self.python, "-c", _HOLD, *held)
            time.sleep(HOLD_S)

    # --- life

    def start(self, delivery: Delivery) -> None:
        """Install as a first boot does, and start."""
        self._site = tomllib.loads(delivery.toml)
        agent = self.hand.agent
        self._must("systemctl", "stop", *reversed(SERVICES), timeout_s=60)
        self._must("rm", "-rf", f"{self.home}/data", f"{self.home}/keys")
        try:
            agent.set_clock()
            for name, content in delivery.keys.items():
                agent.put(f"{self.home}/keys/{name}", content, 0o600, "fenghuo-uplink")
            agent.put(f"{self.home}/panel.toml", delivery.toml.encode(), 0o644)
        except AgentError as error:
            raise RigFault(f"the bench's panel can't be set up: {error}") from error
        self._must("chown", "fenghuo-uplink:", f"{self.home}/keys")
        self._must("systemctl", "start", "--no-block", *SERVICES)
        if self._bench.bench.keypad:
            self._keypad = SerialKeypad(self._bench.bench.keypad)
        self._settled(READY_S)

    def booted(self) -> None:
        """Its network comes before its core has read all."""
        end = time.monotonic() + BOOT_S
        while True:
            try:
                self.went_dark()
                return self._settled(max(1.0, end - time.monotonic()))
            except RigFault as fault:
                if time.monotonic() > end:
                    raise NotSeen(f"the panel does not boot within {BOOT_S:g} s: {fault}") from fault
                time.sleep(1)

    def shut_down(self) -> None:
        """Its computer halts; how far it came, nobody tells: its line goes first."""
        self._must("systemctl", "poweroff", "--no-block")
        end = time.monotonic() + OFF_S
        while time.monotonic() < end:
            try:
                self.hand.agent.must("true")
            except AgentError:
                break
            time.sleep(1.0)
        time.sleep(HALT_S)

    def went_dark(self) -> None:
        """The connection went with it."""
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.close()

    def stop(self, folder: Path) -> None:
        """In good order, then its journals."""
        agent = self.hand.agent
        done = agent.run("systemctl", "stop", *reversed(SERVICES), timeout_s=60)
        shown = self._must("systemctl", "show", "-p", "Result", "--value", *SERVICES)
        if done.code or set(shown.split()) != {"success"}:
            raise NotSeen(f"the panel did not stop in good order: {done.err} {' '.join(shown.split())}")
        for path in self._must("sh", "-c", f"ls {self.home}/data/journal*.sqlite*").split():
            (folder / Path(path).name).write_bytes(agent.get(path))

    def take_down(self) -> None:
        """Services off; the panel stays on."""
        with suppress(RigFault, AgentError):
            self.hand.agent.run("systemctl", "kill", "-s", "KILL", *SERVICES)
            self.hand.agent.run("systemctl", "stop", *SERVICES)
        self.went_dark()
        for part in (self._keypad, self._door):
            if part is not None:
                part.close()

    def _settled(self, within_s: float) -> None:
        """Until core has read every input once."""
        end, found = time.monotonic() + within_s, "nothing"
        while time.monotonic() < end:
            try:
                drivers = self.ask(m.AskDrivers())["drivers"]
            except (OSError, Refused, ValueError) as error:
                found = str(error)
                time.sleep(0.2)
                continue
            zones = [zone for driver in drivers.values() for zone in driver["zones"].values()]
            if zones and all(zone.get("condition", "") is not None for zone in zones):
                return
            found = f"{drivers}"
        raise NotSeen(f"core has not read its inputs within {within_s:g} s: {found[-500:]}")

    # --- core and its processes

    def ask(self, message: BaseModel) -> dict[str, Any]:
        """Its technician socket."""
        return afar.ask(lambda: self.hand.agent, message, ANSWER_S)

    def panel_x(self) -> str | None:
        """Of its data folder."""
        return afar.public_x(lambda: self.hand.agent, f"{self.home}/data")

    def type(self, code: m.Code) -> None:
        """On the bus."""
        if self._keypad is None:
            raise Unable("no keypad on this bench: bench.keypad and bench.keypad_port")
        self._keypad.press(keys_at(self._site, code))

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        self._must("systemctl", "kill", "--kill-whom=main", "-s", "KILL", f"fenghuo-{process}")

    def hang(self, process: Process) -> None:
        """SIGSTOP."""
        self._must("systemctl", "kill", "--kill-whom=main", "-s", "STOP", f"fenghuo-{process}")

    def capture(self) -> Channel:
        """Another one on the uplink's socket."""
        self._must("systemctl", "stop", "fenghuo-uplink", timeout_s=60)
        return GuestChannel(self.hand.agent, f"{RUN}/uplink.sock")

    def release(self) -> None:
        """The true one."""
        self._must("systemctl", "start", "--no-block", "fenghuo-uplink")

    def logs(self) -> dict[str, str]:
        """Of the services."""
        found = {}
        for name in SERVICES:
            with suppress(AgentError, RigFault):
                said = self.hand.agent.run("journalctl", "-u", name, "-n", "400", "--no-pager").out
                found[name] = said[-LOG_BYTES:]
        return found
