"""A bench without hardware: real Modbus frames on a pty, boards and wires in software, the desk's panel behind them.

The wires may be broken, swapped or shorted and relays may stick, so that the self-check has something to find; the
power socket is an HTTP server. Everything else of the bench rig is the real thing.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from drivers.modbus.profiles import PROFILES, Inputs, Outputs
from drivers.wiring import HIGH, LOW, Position
from drivers.wiring import levels as levels_of
from firmware.protocol import messages as m
from hil.broker import HOST
from hil.demo_panel import Refused
from hil.modbus import ModbusLine, Unit
from hil.rigs.bench.file import Bench, Relay, inputs, names, parse_bench, site
from hil.rigs.bench.rig import BenchRig
from hil.rigs.desk import DeskRig
from hil.rigs.protocol import Channel, Process, Unable
from hil.rigs.site import LOADS, Delivery, Place, Wanted
from hil.timeline import Happening

BATTERY_GOOD_V, BATTERY_LOW_V = 13.2, 10.2
PROFILE, CHANNELS = "waveshare-relay-d-8", 8


@dataclass
class Harm:
    """What is wrong with the wires, by the panel's lines. `swapped`: this relay or load is on that line's wire."""

    broken: set[int] = field(default_factory=set)
    swapped: dict[int, int] = field(default_factory=dict)
    shorted: dict[int, int] = field(default_factory=dict)
    """This line's wire touches that one's too."""
    stuck: set[int] = field(default_factory=set)
    """Lines whose relay does not move any more, though the board says so."""


class Harness:
    """The wires between boards and panel. `moved` is called with the levels of the panel's input lines."""

    def __init__(self, bench: Bench, units: Mapping[str, Unit], harm: Harm) -> None:
        self.harm = harm
        self._bench, self._units = bench, units
        self._frozen: dict[int, bool] = {}

    def levels(self) -> dict[int, bool]:
        """The level of each input line: pulled up, and low where a closed contact is on its wire."""
        closed = {line for relay in self._bench.relay if self._closed(relay) for line in self._ends(relay.line)}
        return {line: LOW if line in closed else HIGH for line in names()}

    def load(self, line: int, on: bool) -> None:
        """An output line of the panel went so: the inputs of the boards that are on its wire."""
        for end in self._ends(line):
            for sense in self._bench.sense:
                if sense.line == end:
                    unit, profile = self._units[sense.board], PROFILES[PROFILE]
                    first = profile.inputs.first if profile.inputs else 0
                    unit.discretes[first + sense.channel - 1] = on != sense.inverted

    def _closed(self, relay: Relay) -> bool:
        outputs = PROFILES[PROFILE].outputs
        first = outputs.first if outputs else 0
        energised = self._units[relay.board].coils[first + relay.channel - 1]
        if relay.line in self.harm.stuck:
            energised = self._frozen.setdefault(relay.line, energised)
        return relay.closed(energised)

    def _ends(self, line: int) -> Sequence[int]:
        if line in self.harm.broken:
            return ()
        end = self.harm.swapped.get(line, line)
        return (end, *(other for one, other in self.harm.shorted.items() if one == line))


class DeskPanel(DeskRig):
    """The desk's panel as a `BenchPanel`: its simulated pins follow the harness, its loads move it."""

    def __init__(self, folder: Path, wanted: Wanted, harness: Harness, boards: ModbusLine) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, wanted)
        self._harness, self.boards = harness, boards
        self._line_of = {name: line for line, name in LOADS.items()}
        self._followed: dict[int, bool] = {}
        self._following = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="harness", daemon=True)
        self._moving = threading.Lock()

    # --- BenchPanel

    def more_hosts(self) -> tuple[str, ...]:
        """None."""
        return ()

    def place(self) -> Place:
        """The desk's."""
        return self._place()

    def way(self, port: int) -> tuple[str, int]:
        """The loopback."""
        return HOST, port

    def lines(self, lines: Sequence[int]) -> Mapping[int, bool]:
        """Through the wires."""
        found = self._harness.levels()
        return {line: found[line] for line in lines}

    def drive(self, line: int, high: bool | None) -> None:
        """Through the wires."""
        self._harness.load(line, bool(high))

    def start(self, delivery: Delivery) -> None:
        """As a desk; from now on the wires move its pins."""
        self._bring_up(delivery)
        self._followed = self._at_rest()
        self._follower.start()

    def booted(self) -> None:
        """Power is on: it starts here, as a board boots by itself meanwhile."""
        self._power_on()

    def shut_down(self) -> None:
        """The desk's."""
        self._switch_off()

    def went_dark(self) -> None:
        """The power socket has done it."""

    def switch(self, on: bool) -> None:
        """What the power socket does to it."""
        if not on:
            self._power_cut()

    def stop(self, folder: Path) -> None:
        """In good order."""
        self._stop(folder)

    def take_down(self) -> None:
        """All of it."""
        self._following.set()
        if self._follower.is_alive():
            self._follower.join(30)
        self._take_down()
        self.boards.close()

    def ask(self, message: BaseModel) -> dict[str, Any]:
        """Its technician socket."""
        return self._ask(message)

    def panel_x(self) -> str | None:
        """Its key."""
        return self._panel_x()

    def type(self, code: m.Code) -> None:
        """The desk's keypad."""
        self._type(code)

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        self._kill(process)

    def hang(self, process: Process) -> None:
        """SIGSTOP."""
        self._hang(process)

    def capture(self) -> Channel:
        """Its uplink's socket."""
        return self._capture()

    def release(self) -> None:
        """Its uplink."""
        self._release()

    # --- the wires

    def _follow(self) -> None:
        """In a thread of its own: the pins go where the contacts bring them."""
        while not self._following.is_set():
            with self.boards.changed:
                self.boards.changed.wait(0.05)
            with suppress(OSError, Refused, AssertionError, Unable):
                self._move_pins(self._harness.levels())

    def _move_pins(self, now: dict[int, bool]) -> None:
        moved = {line for line, level in now.items() if self._followed.get(line) is not level}
        if not moved:
            return
        for zone, wire in inputs().items():
            if moved & set(wire.lines):
                found = tuple(now[line] for line in wire.lines)
                position = next(p for p in Position if levels_of(wire.wiring, p) == found)
                self._desk(m.Move(zone=zone, position=position.value))
        power = site()["power"]
        if power["mains_line"] in moved:
            self._desk(m.Mains(on=now[power["mains_line"]] is LOW))
        if power["battery_line"] in moved:
            volts = BATTERY_GOOD_V if now[power["battery_line"]] is LOW else BATTERY_LOW_V
            self._battery(volts)
        self._followed = now

    def _at_rest(self) -> dict[int, bool]:
        power = site()["power"]
        rest = {power["mains_line"]: LOW, power["battery_line"]: LOW}
        for wire in inputs().values():
            rest |= dict(zip(wire.lines, levels_of(wire.wiring, Position.CLOSE), strict=True))
        return rest

    def _seen(self, happening: Happening) -> None:
        load = self._load_of.get(happening.name) if happening.what == "output" else None
        if load is not None:
            self._harness.load(self._line_of[load], bool(happening.value))

    def _dark(self) -> None:
        for line in LOADS:
            self._harness.load(line, False)


class FakeSocket:
    """A switching socket: PUT 0 or 1, GET says which, as labgrid's `rest` has it. Its port is the kernel's."""

    def __init__(self) -> None:
        self.on = True
        self.broken = False
        self.asked: list[str] = []
        """Paths of the questions."""
        self.switch: Callable[[bool], None] = lambda _: None
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """For `power.url`."""
        return f"http://{HOST}:{self._server.server_address[1]}/relay/{{index}}/value"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        socket = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:  # the name that http.server wants
                value = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 16))
                if socket.broken or value not in (b"0", b"1"):
                    self.send_error(500)
                    return
                socket.on = value == b"1"
                socket.switch(socket.on)
                self._answer()

            def do_GET(self) -> None:  # the name that http.server wants
                socket.asked.append(self.path)
                self._answer()

            def _answer(self) -> None:
                body = b"1" if socket.on else b"0"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # the name that http.server wants
                """Not on a test's screen."""

        return Handler


class FakeBenchRig(BenchRig):
    """The bench rig over all this; `harm` may be done to it before `begin`."""

    settle_s = 0.001

    def __init__(self, folder: Path, wanted: Wanted, bench: Bench, panel: DeskPanel, socket: FakeSocket) -> None:
        super().__init__(folder, wanted, bench, panel)
        self.socket = socket
        self.units = panel.boards.units
        """By their addresses."""

    def _take_down(self) -> None:
        super()._take_down()
        self.socket.close()


def fake_bench(folder: Path, wanted: Wanted, harm: Harm | None = None) -> FakeBenchRig:
    """A bench of three boards on one pty."""
    port, socket = folder / "bench-adapter", FakeSocket()
    bench = parse_bench(bench_file(port, socket.url).encode())
    units = {board.address: _unit() for board in bench.board}
    line = ModbusLine(port, units)
    harness = Harness(bench, {board.id: units[board.address] for board in bench.board}, harm or Harm())
    # Real lines take the time it takes: no panel's clock runs faster on a bench.
    panel = DeskPanel(folder / "panel", replace(wanted, rate=1), harness, line)
    socket.switch = panel.switch
    return FakeBenchRig(folder, replace(wanted, rate=1), bench, panel, socket)


def bench_file(port: Path, url: str) -> str:
    """Its bench file: as many boards as the site's lines need, eight lines each."""
    lines, rows = list(names()), []
    for index in range(-(-len(lines) // CHANNELS)):
        rows.append(f'[[board]]\nid = "b{index}"\nport = "{port}"\nbaud = 115200\naddress = {index + 1}')
        rows.append(f'profile = "{PROFILE}"\n')
    rows += [_row("relay", line, index) for index, line in enumerate(lines)]
    rows += [_row("sense", line, index) for index, line in enumerate(LOADS)]
    head = '[bench]\nname = "fake"\npanel = "root@localhost"\nhost = "127.0.0.1"\n'
    head += f'\n[power]\nkind = "rest"\nurl = "{url}"\noff_s = 0.0\n'
    return "\n".join([head, *rows])


def _row(kind: str, line: int, index: int) -> str:
    return f'[[{kind}]]\nline = {line}\nboard = "b{index // CHANNELS}"\nchannel = {index % CHANNELS + 1}\n'


def _unit() -> Unit:
    profile = PROFILES[PROFILE]
    assert isinstance(profile.outputs, Outputs)  # noqa: S101
    assert isinstance(profile.inputs, Inputs)  # noqa: S101
    return Unit(
        coils=dict.fromkeys(range(profile.outputs.first, profile.outputs.first + profile.outputs.count), False),
        discretes=dict.fromkeys(range(profile.inputs.first, profile.inputs.first + profile.inputs.count), False),
    )
