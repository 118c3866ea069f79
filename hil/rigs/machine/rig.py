"""The machine rig: the panel as it is installed, under systemd, on a virtual board whose GPIO lines are Linux' own.

Each scenario goes on from one snapshot, with its own panel, broker and center. Lines are driven and read in the guest
by the rig's agent; keypad and bus are the other ends of serial ports; a power cut is the end of QEMU, and power on is a
boot of what the disks hold.
"""

import json
import threading
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from drivers.simulated_supply import CONTACT_MV
from drivers.wiring import MEANT, Input, Position, levels, seen_as
from firmware.protocol import messages as m
from hil.demo_panel import Refused
from hil.modbus import ModbusLine, Unit
from hil.rigs.base import BaseRig
from hil.rigs.desk import black, scene
from hil.rigs.hooks import LOG_BYTES
from hil.rigs.keypad import keys_at
from hil.rigs.machine import afar, csi
from hil.rigs.machine.agent import AgentError, GuestAgent
from hil.rigs.machine.bus_bridge import BusBridge
from hil.rigs.machine.keypad import Keypad
from hil.rigs.machine.moved_in import MovedIn
from hil.rigs.machine.prepared import Prepared
from hil.rigs.machine.qemu import HOST_SEEN_FROM_GUEST, Disk, Forward, Qemu
from hil.rigs.network_camera import SECRET
from hil.rigs.protocol import CameraFault, Channel, Mark, NotSeen, Process, RigFault, RigName, Unable
from hil.rigs.recording import now_ms
from hil.rigs.roof import ROOF, move_roof
from hil.rigs.site import BUS, KEYPAD, LOADS, MODULE, Delivery, Place, Wanted

HOME = "/data/fenghuo"
DATA, RUN, LENS = f"{HOME}/data", "/run/fenghuo", f"{HOME}/lobby"
USER = "fenghuo-{}"
PORT, CAMERA_PORT = 8883, 554
KEYPAD_BUS = 0
BUS_OF_KEYPAD = "doors"
KEYPAD_S = 60.0
ADAPTER = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_1-if00-port0"
SAMPLE_MS = 10
POLL_S = 0.1
ANSWER_S = 120.0
READY_S = 300.0
MEET_S = 60.0
BOOT_S = 300.0
OFF_S = 180.0
PROCESSES: tuple[Process, ...] = ("core", "uplink", "camera")


class MachineRig(BaseRig):
    """One machine, gone on from the snapshot, made for one scenario."""

    name: ClassVar[RigName] = "machine"
    hosts: ClassVar[tuple[str, ...]] = (HOST_SEEN_FROM_GUEST,)
    patience: ClassVar[float] = 6.0

    def __init__(self, folder: Path, wanted: Wanted, ready: Prepared, moved: MovedIn | None = None) -> None:
        """`ready`: a machine that has booted; `moved`: with a panel that runs already."""
        if moved is not None:
            moved.copy_far_end(folder)
        super().__init__(folder, wanted, moved.panel if moved else "")
        self._ready = ready
        self._moved_in = moved
        self.toml = ""
        self._home = folder / "machine"
        self._disks: list[Disk] = []
        self._machine: Qemu | None = None
        self._keypad: Keypad | None = None
        self._bus: ModbusLine | None = None
        self._bridge: BusBridge | None = None
        self._site: dict[str, Any] = {}
        self._inputs: dict[str, Input] = {}
        self._levels: dict[int, int] = {}
        self._clock_at: datetime | None = None
        self._on: dict[str, bool] = {}
        self._ending = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="sampler", daemon=True)

    # --- places

    def _place(self) -> Place:
        place = Place(
            pins="board",
            keys=f"{HOME}/keys",
            data=DATA,
            run=RUN,
            bus_port=ADAPTER,
            bus_timeout_ms=300,
            keypad_port=self._ready.base.board.port(KEYPAD_BUS),
            camera_maker="picamera2" if self.wanted.csi else "folder",
            camera_source="" if self.wanted.csi else LENS,
        )
        return place if self.lobby is None else self.lobby.at(place, HOST_SEEN_FROM_GUEST, CAMERA_PORT, self.patience)

    def _way(self) -> tuple[str, int]:
        return HOST_SEEN_FROM_GUEST, PORT

    @property
    def machine(self) -> Qemu:
        """The running machine. Raises `RigFault` while its power is off."""
        if self._machine is None:
            raise RigFault("the machine's power is off")
        return self._machine

    @property
    def agent(self) -> GuestAgent:
        """Its agent."""
        return self.machine.agent

    # --- life

    def begin(self) -> None:
        """The panel at rest: moved in now, or as the snapshot has it."""
        moved = self._moved_in
        if moved is None or self.broken:
            super().begin()
            return
        self.self_check()
        self.far.start()
        self._ready = moved.prepared
        self._read_site(moved.toml)
        self._go_on()
        self._sampler.start()
        self._settled(READY_S)
        if not self.far.center.wait(lambda center: center.heads(self.panel), READY_S):
            raise NotSeen(f"no heartbeat of the panel within {READY_S:g} s")
        self.settle()
        self._looker.start()

    def _bring_up(self, delivery: Delivery) -> None:
        self._read_site(delivery.toml)
        agent = self._go_on()
        try:
            # The panel's own path unit sees the file, and starts what it wants.
            self._install(agent, delivery)
        except AgentError as error:
            raise RigFault(f"the panel can't be installed: {error}") from error
        self._sampler.start()
        self._settled(READY_S)
        if self.wanted.csi:
            self._pictured(READY_S)

    def _pictured(self, within_s: float) -> None:
        """Until the Pi's camera is open."""
        end = now_ms() + within_s * 1000
        while not csi.works(self.agent):
            if now_ms() > end:
                raise NotSeen(f"the camera is not open within {within_s:g} s")
            self._ending.wait(1.0)

    def _go_on(self) -> GuestAgent:
        """From the snapshot, with the time of now and fresh randomness, the lines as the site has them."""
        self._disks = self._ready.copy(self._home)
        machine = self._ready.start(self._home, self._disks, self._forwards(), levels=self._levels)
        self._machine, agent = machine, machine.agent
        try:
            agent.meet(MEET_S)
            agent.set_clock()
            agent.reseed()
            agent.drive(self._levels)
            found = agent.levels(self._levels)
            self._connect()
            agent.watch(LOADS, SAMPLE_MS)
        except AgentError as error:
            raise RigFault(f"the machine does not go on from its snapshot: {error}") from error
        if wrong := [line for line, level in self._levels.items() if found[line] != level]:
            raise RigFault(f"GPIO lines {wrong} do not follow what the rig drives")
        return agent

    def settle(self) -> None:
        """Until the center has all that the panel recorded, and no path or bus is in trouble."""
        end = now_ms() + READY_S * 1000
        while now_ms() < end:
            with suppress(OSError, Refused):
                status = self.status()
                here = [name for name in status["troubles"] if name.startswith(("path", "bus"))]
                if not here and self.far.count(status["journal"]) == status["seq"]:
                    return
            self._ending.wait(0.5)
        raise NotSeen(f"the panel does not settle: {self.status()['troubles']}")

    def save(self, name: str) -> list[Disk]:
        """Keep the machine under this name, its line to the center cut, and end it; its disks."""
        self._stop_looking()
        # Core must have given up the keypad's session: who takes it up again later knows nothing of it.
        self._disconnect()
        self._keypad_known(False)
        self._ending.set()
        self._sampler.join(30)
        machine, self._machine = self.machine, None
        self.far.close()
        machine.save(name)
        machine.close()
        disks, self._disks = self._disks, []
        return disks

    def _forwards(self) -> list[Forward]:
        center = Forward(PORT, self.far.port)
        return [center] if self.lobby is None else [center, Forward(CAMERA_PORT, self.lobby.port)]

    def _wanted_processes(self) -> list[str]:
        return [name for name in PROCESSES if name != "camera" or self.wanted.camera]

    def _read_site(self, text: str) -> None:
        site = tomllib.loads(text)
        self.toml, self._site = text, site
        self._inputs = {z["id"]: Input(zone=z["id"], **z["input"]) for z in site["zone"] if "input" in z}
        self._levels = {site["power"]["mains_line"]: 0, site["power"]["battery_line"]: 0}
        for wire in self._inputs.values():
            self._levels |= _on_lines(wire, Position.CLOSE)

    def _install(self, agent: GuestAgent, delivery: Delivery) -> None:
        """As a first boot would leave it: the file, and each process's keys, its own."""
        if self.wanted.csi:
            csi.plug_in(agent)
        for name, content in delivery.keys.items():
            # What is the camera's, the panel itself has to give to it.
            agent.put(f"{HOME}/keys/{name}", content, 0o600, USER.format("uplink") if name != SECRET else "")
        agent.put(f"{HOME}/panel.toml", delivery.toml.encode(), 0o644)
        if self.wanted.camera and not self.wanted.csi and self.lobby is None:
            self._show(agent, scene())

    def _connect(self) -> None:
        """The far ends of serial ports, after each start of QEMU."""
        self._keypad = Keypad(self.machine.bus(KEYPAD_BUS))
        if self.wanted.bus:
            if self._bus is None:
                rest = Unit(coils=dict.fromkeys(range(8), False), discretes=dict.fromkeys(range(8), True))
                self._bus = ModbusLine(self.folder / "adapter", {MODULE: rest})
            self._plug(BUS)

    def _disconnect(self) -> None:
        if self._keypad is not None:
            self._keypad.close()
        if self._bridge is not None:
            self._bridge.close()
        self._keypad = self._bridge = None

    def ready(self) -> None:
        """Until core, which somebody started, has read every input once."""
        self._settled(READY_S)

    def _settled(self, within_s: float) -> None:
        """Until core has read every input once."""
        end = now_ms() + within_s * 1000
        found = "nothing"
        while now_ms() < end:
            try:
                drivers = self._ask(m.AskDrivers())["drivers"]
            except (OSError, Refused, ValueError) as error:
                found = str(error)
                self._ending.wait(1.0)
                continue
            zones = [zone for driver in drivers.values() for zone in driver["zones"].values()]
            if zones and all(zone.get("condition", "") is not None for zone in zones):
                return
            found = f"{drivers}"
        raise NotSeen(f"core has not read its inputs within {within_s:g} s: {found[-500:]}")

    def _take_down(self) -> None:
        self._ending.set()
        if self._sampler.is_alive():
            self._sampler.join(30)
        self._disconnect()
        if self._bus is not None:
            self._bus.close()
        if self._machine is not None:
            self._machine.close()
            self._machine = None
        for disk in self._disks:
            disk.path.unlink(missing_ok=True)

    def _stop(self, folder: Path) -> None:
        services = [USER.format(name) for name in self._wanted_processes()]
        # Core first, as the desk's guard does: the uplink still carries its last records.
        for service in services:
            done = self.agent.run("systemctl", "stop", service, timeout_s=60)
            if done.code:
                raise NotSeen(f"the panel did not stop in good order: {done.err}")
        shown = self.agent.must("systemctl", "show", "-p", "Result", "--value", *services)
        if set(shown.split()) != {"success"}:
            raise NotSeen(f"the panel did not stop in good order: {' '.join(shown.split())}")
        for path in self.agent.must("sh", "-c", f"ls {DATA}/journal*.sqlite*").split():
            (folder / Path(path).name).write_bytes(self.agent.get(path))

    # --- core

    def _ask(self, message: BaseModel) -> dict[str, Any]:
        return afar.ask(lambda: self.agent, message, ANSWER_S)

    def _panel_x(self) -> str | None:
        return afar.public_x(lambda: self.agent, DATA)

    # --- hands

    def _move(self, zone: str, position: Position) -> None:
        if zone == ROOF and self._bus is not None:
            move_roof(self._bus, position)
            return
        wire = self._inputs[zone]
        if seen_as(wire.wiring, position) is not MEANT[position]:
            raise Unable(f"{zone} is wired {wire.wiring}: it can't show {position}")
        self._drive(_on_lines(wire, position))

    def _drive(self, moved: dict[int, int]) -> None:
        self._levels |= moved
        if self._machine is not None:
            self.agent.drive(moved)

    def _press(self, zone: str, hold_ms: int) -> None:
        self._drive(_on_lines(self._inputs[zone], Position.OPEN))
        back = threading.Timer(hold_ms / 1000, self._let_go, [zone])
        back.daemon = True
        back.start()

    def _let_go(self, zone: str) -> None:
        with suppress(AgentError):  # the power may have gone while the button was held
            self._drive(_on_lines(self._inputs[zone], Position.CLOSE))

    def _type(self, code: m.Code) -> None:
        if self._keypad is None:
            raise RigFault("the keypad has no power")
        self._keypad_known()
        self._keypad.press(keys_at(self._site, code))

    def _keypad_known(self, there: bool = True) -> None:
        """Until core says that the keypad is there (what is pressed before that is lost), or that it is gone."""
        end = now_ms() + KEYPAD_S * 1000
        while now_ms() < end:
            with suppress(OSError, Refused, KeyError):
                if self._ask(m.AskDrivers())["drivers"][BUS_OF_KEYPAD]["bus"]["readers"][KEYPAD]["online"] is there:
                    return
            self._ending.wait(0.2)
        raise RigFault(f"core does not see the keypad {'come' if there else 'go'} within {KEYPAD_S:g} s")

    def _mains(self, on: bool) -> None:
        self._drive({self._site["power"]["mains_line"]: int(not on)})

    def _battery(self, volts: float) -> None:
        self._drive({self._site["power"]["battery_line"]: int(volts * 1000 < CONTACT_MV)})

    # --- eyes

    def _sample(self) -> None:
        """In a thread of its own: what outputs did, as the guest's kernel has it."""
        while not self._ending.wait(POLL_S):
            machine = self._machine
            if machine is None:
                continue
            with suppress(AgentError):
                life = machine.agent.life
                for ms, line, level in machine.agent.changes():
                    self._noted(ms, LOADS[line], bool(level))
                if life not in ("", machine.agent.life):
                    self._restarted(machine.agent)

    def _restarted(self, agent: GuestAgent) -> None:
        """The guest has booted by itself: its lines are as at power-up until somebody drives them."""
        agent.meet(MEET_S)
        agent.drive(self._levels)
        agent.watch(LOADS, SAMPLE_MS)

    def _noted(self, ms: int, output: str, on: bool) -> None:
        if self._on.get(output, False) != on:
            self._on[output] = on
            self.record.put(Mark(ms, "output", output, on))

    def _read(self, output: str) -> bool:
        for line, name in LOADS.items():
            if name == output:
                return bool(self.agent.levels([line])[line])
        raise RigFault(f"no load {output} on this board: {', '.join(LOADS.values())}")

    # --- power and processes

    def _power_cut(self) -> None:
        machine, self._machine = self.machine, None
        machine.kill()
        self._went_dark()

    def _switch_off(self) -> None:
        self.agent.must("systemctl", "poweroff", "--no-block")
        machine = self.machine
        if not machine.ended(OFF_S):
            raise NotSeen(f"the machine does not switch itself off within {OFF_S:g} s\n{machine.console()}")
        self._machine = None
        machine.close()
        self._went_dark()

    def _went_dark(self) -> None:
        self._disconnect()
        for output in [name for name, on in self._on.items() if on]:
            self._noted(now_ms(), output, False)

    def _power_on(self) -> None:
        clock = "" if self._clock_at is None else f"{self._clock_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        machine = self._ready.start(self._home, self._disks, self._forwards(), True, self._levels, clock)
        self._machine = machine
        try:
            machine.agent.meet(BOOT_S)
            machine.agent.watch(LOADS, SAMPLE_MS)
        except AgentError as error:
            raise NotSeen(f"the machine does not boot: {error}\n{machine.console()}") from error
        self._connect()
        self._settled(READY_S)

    def _signal(self, process: Process, name: str) -> None:
        words = ["systemctl", "kill", "--kill-whom=main", "-s", name, USER.format(process)]
        try:
            self.agent.must(*words)
        except AgentError as error:
            raise RigFault(f"{process} can't be sent {name}: {error}") from error

    def _kill(self, process: Process) -> None:
        self._signal(process, "KILL")

    def _hang(self, process: Process) -> None:
        self._signal(process, "STOP")

    def _hang_board(self) -> None:
        self.agent.call("hang")

    def _capture(self) -> Channel:
        self.agent.must("systemctl", "stop", USER.format("uplink"), timeout_s=60)
        return GuestChannel(self.agent, f"{RUN}/uplink.sock")

    def _release(self) -> None:
        self.agent.must("systemctl", "start", "--no-block", USER.format("uplink"))

    # --- what is around it

    def _unplug(self, bus: str) -> None:
        self._expect(bus)
        self.machine.pull_usb_serial(bus)
        if self._bridge is not None:
            self._bridge.close()
            self._bridge = None

    def _plug(self, bus: str) -> None:
        line = self._expect(bus)
        self._bridge = BusBridge(line.pty.port, self.machine.plug_usb_serial(bus))

    def _expect(self, bus: str) -> ModbusLine:
        if bus != BUS or self._bus is None:
            raise RigFault(f"no bus {bus} on this board: the scenario has to want it")
        return self._bus

    def _camera(self, fault: CameraFault) -> None:
        if not self.wanted.camera:
            raise RigFault("no camera on this board: the scenario has to want it")
        if self.wanted.csi:
            raise Unable(f"libcamera's virtual camera has no lens to {fault}")
        match fault:
            case "cover":
                self._show(self.agent, black())
            case "unplug":
                self.agent.must("rm", "-rf", LENS)
            case "uncover" | "plug":
                self._show(self.agent, scene())

    def _show(self, agent: GuestAgent, picture: bytes) -> None:
        agent.put(f"{LENS}/view.png", picture, 0o644)

    def _disk_full(self, full: bool) -> None:
        ballast = "/data/somebody-elses.log"
        if full:
            self.agent.run("dd", "if=/dev/zero", f"of={ballast}", "bs=64k", timeout_s=120)
            self.agent.run("dd", "if=/dev/zero", f"of={ballast}.2", "bs=512", timeout_s=60)
        else:
            self.agent.must("rm", "-f", ballast, f"{ballast}.2")

    def _clock(self, utc: datetime | None) -> None:
        self._clock_at = utc

    def logs(self) -> dict[str, str]:
        """What each process said, and the console."""
        machine = self._machine
        if machine is None:
            return {}
        found = {"console": machine.console(LOG_BYTES)}
        for name in self._wanted_processes():
            with suppress(AgentError):
                said = machine.agent.run("journalctl", "-u", USER.format(name), "-n", "400", "--no-pager").out
                found[name] = said[-LOG_BYTES:]
        return found


class GuestChannel:
    """A connection to a unix socket of the guest that stays open."""

    def __init__(self, agent: GuestAgent, path: str) -> None:
        self._agent = agent
        self._stream = int(agent.call("dial", socket=path)["stream"])

    def send(self, message: BaseModel) -> None:
        """Send one message; `OSError` when core has hung up."""
        try:
            self._agent.call("say", stream=self._stream, line=message.model_dump_json())
        except AgentError as error:
            raise OSError(str(error)) from error

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message; None when none came in time, `ConnectionError` when core has hung up."""
        wait_s = ANSWER_S if timeout_s is None else timeout_s
        try:
            line = self._agent.call("hear", wait_s + 10, stream=self._stream, timeout_s=wait_s)["line"]
        except AgentError as error:
            raise ConnectionError(str(error)) from error
        if line == "":
            raise ConnectionError("core has hung up")
        found = json.loads(line) if line else None
        return found if isinstance(found, dict) else None

    def close(self) -> None:
        """Hang up."""
        with suppress(AgentError):
            self._agent.call("hang_up", stream=self._stream)


def _on_lines(wire: Input, position: Position) -> dict[int, int]:
    """The levels that a detector in this position puts on its lines."""
    return {line: int(level) for line, level in zip(wire.lines, levels(wire.wiring, position), strict=True)}
