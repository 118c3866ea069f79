"""The desk rig: the panel's real processes on this machine, its pins simulated behind the desk socket.

Power cuts, kills and hangs are signals; a bus is a pty, the camera a folder of pictures, a full disk a small tmpfs.
There are no wires whose level a killed core could leave behind: its outputs count as off from the kill on, which is
what a mainline kernel does with lines that nobody holds.
"""

import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image, ImageDraw
from pydantic import BaseModel

from drivers.wiring import Position
from firmware.config import load
from firmware.core.simulated import simulated_world
from firmware.protocol import messages as m
from firmware.protocol.lines import Client
from hil.broker import HOST
from hil.center.keys import read_jwk_x
from hil.demo_panel import Refused, Watcher, ask
from hil.modbus import ModbusLine, Unit
from hil.rigs.base import BaseRig
from hil.rigs.hooks import LOG_BYTES
from hil.rigs.protocol import CameraFault, Channel, Mark, NotSeen, Process, RigFault, RigName, Unable
from hil.rigs.recording import now_ms
from hil.rigs.roof import ROOF, move_roof
from hil.rigs.site import BUS, LOADS, MODULE, Delivery, Place, Wanted
from hil.stand import Part
from hil.timeline import Happening

WATCHDOG_S = 3.0
START_S = 60.0
KEY_S = 0.06
"""A key takes so long, as a hurried hand's: what was moved before a code has been debounced when it is typed."""
DISK = "6m"
SIZE = (320, 240)
_TURNED = """import os, time
_off, _time = float(os.environ["FENGHUO_RIG_CLOCK_S"]), time.time
time.time = lambda: _time() + _off
"""


class DeskRig(BaseRig):
    """One folder, one panel, made for one scenario."""

    name: ClassVar[RigName] = "desk"

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        super().__init__(folder, wanted)
        # A unix socket's path holds 107 bytes.
        self._home = Path(tempfile.mkdtemp(prefix="fh-", dir="/tmp"))  # made with 0700
        self._log = folder / "panel.log"
        self._guard: Part | None = None
        self._watcher: Watcher | None = None
        self._bus: ModbusLine | None = None
        self._levels: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._clock_at: datetime | None = None
        self._load_of: dict[str, str] = {}
        """Output of the panel file: the load that hangs on its line."""
        self._mounted = False

    # --- places

    @property
    def _run(self) -> Path:
        return self._home / "run"

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _place(self) -> Place:
        place = Place(bus_port=str(self._home / "adapter"), camera_source=str(self._home / "lobby"))
        return place if self.lobby is None else self.lobby.at(place, HOST, self.lobby.port, self.patience)

    def _way(self) -> tuple[str, int]:
        return HOST, self.far.port

    # --- life

    def self_check(self) -> None:
        """A desk has no wires; what it needs of the machine must be there."""
        if shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None:
            raise RigFault("mosquitto is not installed: .ci/packages mosquitto")

    def _bring_up(self, delivery: Delivery) -> None:
        if self.wanted.csi:
            raise Unable("a desk has no camera of a Raspberry Pi")
        keys = self._home / "keys"
        keys.mkdir(mode=0o700)
        for name, content in delivery.keys.items():
            (keys / name).touch(mode=0o600)
            (keys / name).write_bytes(content)
        (self._home / "panel.toml").write_text(delivery.toml)
        outputs = tomllib.loads(delivery.toml)["output"]
        self._load_of = {o["id"]: LOADS[o["line"]] for o in outputs if o.get("line") in LOADS}
        if self.wanted.bus:
            rest = Unit(coils=dict.fromkeys(range(8), False), discretes=dict.fromkeys(range(8), True))
            self._bus = ModbusLine(self._home / "adapter", {MODULE: rest})
        if self.wanted.camera and self.lobby is None:
            self._show(scene())
        if self.wanted.small_disk:
            self._mount()
        self._start()
        self._watcher = Watcher(self._run / "desk.sock", self._seen)
        self._watcher.start()
        self._settled()

    def _start(self) -> None:
        words = [sys.executable, "-m", "hil.rigs.guarded", str(self._home / "panel.toml"), str(WATCHDOG_S)]
        self._guard = Part("panel", [*self._turned(), *words], self._log, self._home).start()
        try:
            self._guard.ready(START_S)
        except RuntimeError as error:
            raise NotSeen(f"the panel does not start: {error}") from error

    def _settled(self) -> None:
        """Until core has read every input once."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with suppress(OSError, Refused, ValueError):
                zones = self._desk(m.AskDesk())["zones"].values()
                if all(zone.get("condition") not in (None, "unknown") for zone in zones):
                    return
            time.sleep(0.02)
        raise NotSeen(f"core has not read its inputs within {START_S:g} s")

    def _stop(self, folder: Path) -> None:
        self._switch_off()
        for file in self._data.glob("journal*.sqlite*"):
            shutil.copy2(file, folder)

    def _take_down(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        self._power_cut()
        if self._bus is not None:
            self._bus.close()
        self._unmount()
        shutil.rmtree(self._home, ignore_errors=True)

    def _ask(self, message: BaseModel) -> dict[str, Any]:
        return ask(self._run / "technician.sock", message)

    def _desk(self, message: BaseModel) -> dict[str, Any]:
        if self._guard is None and isinstance(message, m.Move | m.Mains | m.SetSupply):
            return self._in_the_dark(message)
        try:
            return ask(self._run / "desk.sock", message)
        except OSError as error:
            raise NotSeen(f"core does not answer on the desk socket: {error}") from error

    def _in_the_dark(self, message: m.Move | m.Mains | m.SetSupply) -> dict[str, Any]:
        """The panel has no power: the simulated site moves in its file, and core finds it so."""
        world = simulated_world(load(self._home / "panel.toml"))
        match message:
            case m.Move():
                world.move(message.zone, Position(message.position))
            case m.Mains():
                world.set_mains(message.on)
            case m.SetSupply():
                world.set_supply(message.values())
        return {}

    def _panel_x(self) -> str | None:
        file = self._data / "keys" / "core.jwk"
        with suppress(OSError, ValueError, KeyError):
            return read_jwk_x(file.read_text())
        return None

    # --- hands

    def _move(self, zone: str, position: Position) -> None:
        if zone == ROOF and self._bus is not None:
            move_roof(self._bus, position)
            return
        if position in (Position.MASK, Position.UNPOWERED):
            raise Unable(f"{zone} has a plain contact, which can't show {position}")
        self._desk(m.Move.model_validate({"zone": zone, "position": str(position)}))

    def _press(self, zone: str, hold_ms: int) -> None:
        self._desk(m.Press(zone=zone, hold_ms=hold_ms * self.wanted.rate))

    def _type(self, code: m.Code) -> None:
        time.sleep(KEY_S * (len(code.digits) + 1))
        self._desk(code)

    def _mains(self, on: bool) -> None:
        self._desk(m.Mains(on=on))

    def _battery(self, volts: float) -> None:
        self._desk(m.SetSupply(battery_mv=round(volts * 1000)))

    # --- eyes

    def _seen(self, happening: Happening) -> None:
        """In the watcher's thread. A new core tells again what it has told since its start."""
        load = self._load_of.get(happening.name) if happening.what == "output" else None
        if load is None:
            return
        ms, on = happening.ms // self.wanted.rate, bool(happening.value)
        with self._lock:
            self._levels[load] = on
        self.record.put(Mark(ms, "output", load, on))

    def _dark(self) -> None:
        """Core is gone, and nobody holds the lines."""
        with self._lock:
            lit = [name for name, on in self._levels.items() if on]
            self._levels.clear()
        for name in lit:
            self.record.put(Mark(now_ms(), "output", name, False))

    def _read(self, output: str) -> bool:
        if output not in LOADS.values():
            raise RigFault(f"no load {output} on this desk: {', '.join(LOADS.values())}")
        outputs = self._desk(m.AskDesk())["outputs"]
        return any(bool(found["on"]) for name, found in outputs.items() if self._load_of.get(name) == output)

    # --- power and processes

    def _power_cut(self) -> None:
        guard, self._guard = self._guard, None
        if guard is None:
            return
        guarding = guard.pid
        if guarding:  # 0 where it has ended by itself: a signal to 0 goes to all of ours
            with suppress(ProcessLookupError):
                os.kill(guarding, signal.SIGSTOP)  # it must not start what is about to die
                for pid in reversed(descendants(guarding)):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        guard.kill()
        self._dark()

    def _switch_off(self) -> None:
        code = self._guard.stop() if self._guard is not None else 1
        self._guard = None
        if code:
            raise NotSeen(f"the panel did not stop in good order: exit code {code}")
        self._dark()

    def _power_on(self) -> None:
        self._start()
        self._settled()

    def _kill(self, process: Process) -> None:
        os.kill(self._pid(process), signal.SIGKILL)
        if process == "core":
            self._dark()

    def _hang(self, process: Process) -> None:
        os.kill(self._pid(process), signal.SIGSTOP)

    def _pid(self, process: Process) -> int:
        end = time.monotonic() + START_S
        while self._guard is not None and time.monotonic() < end:
            for pid in children(self._guard.pid):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"firmware.commands" in words and process.encode() in words:
                    return pid
            time.sleep(0.02)
        raise RigFault(f"no process {process} to be found under the guard")

    def _capture(self) -> Channel:
        # Stopped, not ended, and the guard with it: it would start another one.
        if self._guard is None:
            raise RigFault("the panel has no power: there is no socket to capture")
        uplink = self._pid("uplink")
        os.kill(self._guard.pid, signal.SIGSTOP)
        os.kill(uplink, signal.SIGSTOP)
        return Client(self._run / "uplink.sock")

    def _release(self) -> None:
        if self._guard is None:
            raise RigFault("the panel has no power: there is no uplink to release")
        os.kill(self._pid("uplink"), signal.SIGKILL)
        os.kill(self._guard.pid, signal.SIGCONT)

    # --- what is around it

    def _unplug(self, bus: str) -> None:
        self._line(bus).pty.unplug()

    def _plug(self, bus: str) -> None:
        self._line(bus).pty.replug()

    def _line(self, bus: str) -> ModbusLine:
        if bus != BUS or self._bus is None:
            raise RigFault(f"no bus {bus} on this desk: the scenario has to want it")
        return self._bus

    def _camera(self, fault: CameraFault) -> None:
        if not self.wanted.camera:
            raise RigFault("no camera on this desk: the scenario has to want it")
        match fault:
            case "cover":
                self._show(b"")
            case "unplug":
                shutil.rmtree(self._home / "lobby", ignore_errors=True)
            case "uncover" | "plug":
                self._show(scene())

    def _show(self, picture: bytes) -> None:
        folder = self._home / "lobby"
        folder.mkdir(exist_ok=True)
        aside = folder / "next"
        aside.write_bytes(picture or black())
        aside.replace(folder / "view.png")

    def _disk_full(self, full: bool) -> None:
        if not self._mounted:
            raise RigFault("no small disk on this desk: the scenario has to want it")
        ballast = self._data / "somebody-elses.log"
        if not full:
            ballast.unlink(missing_ok=True)
            return
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def _mount(self) -> None:
        """The panel's data folder on a disk so small that it is soon full."""
        if os.geteuid() != 0:
            raise Unable("a disk of a given size needs root to mount a tmpfs")
        self._data.mkdir()
        options = f"size={DISK},mode=0700"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._data)], capture_output=True)
        if done.returncode:
            raise Unable(f"a disk of a given size can't be mounted: {done.stderr.decode().strip()}")
        self._mounted = True

    def _unmount(self) -> None:
        if self._mounted:
            subprocess.run(["umount", "-l", str(self._data)], check=False)
            self._mounted = False

    def _clock(self, utc: datetime | None) -> None:
        self._clock_at = utc

    def _turned(self) -> list[str]:
        """The words before the panel's, where its clock is to be wrong: Python's own, not the kernel's."""
        if self._clock_at is None:
            return []
        place = self._home / "clock"
        place.mkdir(exist_ok=True)
        (place / "sitecustomize.py").write_text(_TURNED)
        off = (self._clock_at - datetime.now(UTC)).total_seconds()
        path = f"{place}:{os.environ.get('PYTHONPATH', '')}"
        return ["env", f"PYTHONPATH={path}", f"FENGHUO_RIG_CLOCK_S={off}"]

    def logs(self) -> dict[str, str]:
        """Core, uplink and camera write into one log here, as into a journal."""
        if not self._log.exists():
            return {}
        data = self._log.read_bytes()[-LOG_BYTES:]
        return {"panel": data.decode(errors="replace")}


def children(pid: int) -> list[int]:
    """The processes that this one started and that live."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in file.read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    """Those, theirs, and so on; parents first."""
    found = children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def scene() -> bytes:
    """What the lobby's camera sees by day: edges enough to be learned."""
    picture = Image.new("RGB", SIZE, (168, 172, 176))
    draw = ImageDraw.Draw(picture)
    for x in range(10, SIZE[0], 40):
        draw.rectangle((x, 30 + x % 60, x + 22, 150 + x % 80), fill=(60 + x % 90, 70, 80), outline=(20, 20, 20))
    draw.rectangle((0, 190, *SIZE), fill=(96, 84, 70), outline=(30, 30, 30))
    return _png(picture)


def black() -> bytes:
    """A covered lens."""
    return _png(Image.new("RGB", SIZE))


def _png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()
