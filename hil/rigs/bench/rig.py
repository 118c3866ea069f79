"""The bench rig: detectors are relays on the panel's lines, loads are felt by inputs, its power is a socket."""

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from drivers.wiring import HIGH, LOW, MEANT, Input, Position, levels, seen_as
from firmware.protocol import messages as m
from hil.rigs.base import BaseRig
from hil.rigs.bench.boards import Boards
from hil.rigs.bench.check import SETTLE_S, load_on, prove
from hil.rigs.bench.file import BadBench, Bench, inputs, read_bench, site
from hil.rigs.bench.panel import BenchPanel
from hil.rigs.bench.power import Socket, socket_of
from hil.rigs.protocol import CameraFault, Channel, Mark, Process, RigFault, RigName, Unable
from hil.rigs.recording import now_ms
from hil.rigs.site import CONTACT_V, LOADS, Delivery, Place, Wanted

POLL_S = 0.01
"""Between two looks at the loads; a look takes 10 to 40 ms itself, by the boards' speed."""


class BenchRig(BaseRig):
    """One run on a bench. The panel's power is on when it begins, and when it has ended."""

    name: ClassVar[RigName] = "bench"
    settle_s: ClassVar[float] = SETTLE_S

    def __init__(self, folder: Path, wanted: Wanted, bench: Bench, panel: BenchPanel) -> None:
        super().__init__(folder, wanted)
        self._bench, self._panel = bench, panel
        self.far.also_at(panel.more_hosts())
        self._relay_of = {relay.line: relay for relay in bench.relay}
        self._boards: Boards | None = None
        self._socket: Socket | None = None
        self._on: dict[str, bool] = {}
        self._lost = ""
        self._hands = threading.Lock()
        self._ending = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="sampler", daemon=True)

    # --- life

    def self_check(self) -> None:
        """Every wire, before the panel's core runs."""
        self._boards = Boards(self._bench.board)
        self._socket = socket_of(self._bench, self._boards)
        self._socket.switch(True)
        prove(self._bench, self._boards, self._panel, self.settle_s)

    def _bring_up(self, delivery: Delivery) -> None:
        wanted = {"camera": self.wanted.camera, "bus": self.wanted.bus, "small disk": self.wanted.small_disk}
        if missing := [name for name, there in wanted.items() if there]:
            raise Unable(f"no {' and no '.join(missing)} on this bench")
        power = site()["power"]
        rest = {power["mains_line"]: LOW, power["battery_line"]: LOW}
        for wire in inputs().values():
            rest |= _on_lines(wire, Position.CLOSE)
        self._drive(rest)
        self._sampler.start()
        self._panel.start(delivery)

    def _take_down(self) -> None:
        self._ending.set()
        if self._sampler.is_alive():
            self._sampler.join(30)
        self._panel.take_down()
        if self._socket is not None:
            self._socket.close()
        if self._boards is not None:
            self._boards.close()

    def _stop(self, folder: Path) -> None:
        self._panel.stop(folder)

    def _place(self) -> Place:
        return self._panel.place()

    def _way(self) -> tuple[str, int]:
        return self._panel.way(self.far.port)

    def _ask(self, message: BaseModel) -> dict[str, Any]:
        return self._panel.ask(message)

    def _panel_x(self) -> str | None:
        return self._panel.panel_x()

    # --- hands

    def _move(self, zone: str, position: Position) -> None:
        wire = inputs().get(zone)
        if wire is None:
            raise Unable(f"no zone {zone} on this bench")
        if seen_as(wire.wiring, position) is not MEANT[position]:
            raise Unable(f"{zone} is wired {wire.wiring}: it can't show {position}")
        self._drive(_on_lines(wire, position))

    def _drive(self, moved: Mapping[int, bool]) -> None:
        """Bring lines to these levels: low is a closed contact."""
        boards = self._held()
        with self._hands:
            for line, level in moved.items():
                relay = self._relay_of[line]
                boards.set(relay.board, relay.channel, relay.closed(True) == (level is LOW))

    def _press(self, zone: str, hold_ms: int) -> None:
        self._drive(_on_lines(inputs()[zone], Position.OPEN))
        back = threading.Timer(hold_ms / 1000, self._drive, [_on_lines(inputs()[zone], Position.CLOSE)])
        back.daemon = True
        back.start()

    def _type(self, code: m.Code) -> None:
        self._panel.type(code)

    def _mains(self, on: bool) -> None:
        self._drive({site()["power"]["mains_line"]: LOW if on else HIGH})

    def _battery(self, volts: float) -> None:
        self._drive({site()["power"]["battery_line"]: LOW if volts >= CONTACT_V else HIGH})

    # --- eyes

    def _sample(self) -> None:
        """In a thread of its own: what the loads did."""
        used = sorted({sense.board for sense in self._bench.sense})
        while not self._ending.wait(POLL_S):
            try:
                read = self._held().all_inputs(used)
            except RigFault as fault:
                self._lost = str(fault)
                return
            ms = now_ms()
            for sense in self._bench.sense:
                load, on = LOADS[sense.line], load_on(sense, read)
                if self._on.get(load, False) is not on:
                    self._on[load] = on
                    self.record.put(Mark(ms, "output", load, on))

    def _read(self, output: str) -> bool:
        sense = next((sense for sense in self._bench.sense if LOADS[sense.line] == output), None)
        if sense is None:
            raise RigFault(f"no load {output} on this bench")
        return load_on(sense, self._held().all_inputs([sense.board]))

    def _held(self) -> Boards:
        if self._lost:
            raise RigFault(self._lost)
        if self._boards is None:
            raise RigFault("the boards are not open")
        return self._boards

    # --- power and processes

    def _power_cut(self) -> None:
        self._switched().switch(False)
        self._panel.went_dark()

    def _switch_off(self) -> None:
        self._panel.shut_down()
        self._switched().switch(False)
        self._panel.went_dark()

    def _power_on(self) -> None:
        self._switched().switch(True)
        self._panel.booted()

    def _switched(self) -> Socket:
        if self._socket is None:
            raise RigFault("the power socket is not open")
        return self._socket

    def _kill(self, process: Process) -> None:
        self._panel.kill(process)

    def _hang(self, process: Process) -> None:
        self._panel.hang(process)

    def _capture(self) -> Channel:
        return self._panel.capture()

    def _release(self) -> None:
        self._panel.release()

    # --- what this bench has not

    def _unplug(self, bus: str) -> None:
        raise Unable(f"no bus {bus} on this bench")

    def _plug(self, bus: str) -> None:
        raise Unable(f"no bus {bus} on this bench")

    def _camera(self, fault: CameraFault) -> None:
        raise Unable(f"no camera on this bench to {fault}")

    def _disk_full(self, full: bool) -> None:
        raise Unable(f"the panel's own disk is not made {'full' if full else 'roomy'} on a bench")

    def _clock(self, utc: datetime | None) -> None:
        raise Unable(f"the panel's own clock is not set to {utc} on a bench")

    def logs(self) -> dict[str, str]:
        """What the panel's processes said."""
        return self._panel.logs()


def open_bench(folder: Path, wanted: Wanted) -> BenchRig:
    """The bench that `FENGHUO_BENCH` names: a bench file, or `fake`. Raises `RigFault`."""
    named = os.environ.get("FENGHUO_BENCH", "")
    if named == "fake":
        from hil.rigs.bench.fake import fake_bench

        return fake_bench(folder, wanted)
    if not named:
        raise RigFault("which bench? FENGHUO_BENCH=bench.toml, or FENGHUO_BENCH=fake")
    try:
        bench = read_bench(Path(named))
    except BadBench as bad:
        raise RigFault(f"{named}: {bad}") from None
    from hil.rigs.bench.ssh_panel import SshPanel

    return BenchRig(folder, wanted, bench, SshPanel(bench))


def _on_lines(wire: Input, position: Position) -> dict[int, bool]:
    return dict(zip(wire.lines, levels(wire.wiring, position), strict=True))
