"""A Modbus RTU bus in its child process: rounds over its modules, orders in between, and what is told of both.

Each turn is one question, so an order waits for one answer at most. A module that does not answer is asked again after
growing pauses and costs the others one timeout each time. After an answer that stayed away the next one is not believed
until the line was silent for as long: it may be the late answer to the question before, and nothing in it would show.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from drivers.bus.ports import NoPort, open_port
from drivers.bus.words import Bidding, Failed, Order, ReadBack, Report, Saying, Sensed, Setup, Up
from drivers.modbus.module import Module, Read
from drivers.modbus.points import BusOutput
from drivers.modbus.profiles import Outputs
from drivers.modbus.setup import modules_of
from drivers.modbus.wire import PortGone, Question, Refused, Unanswered, Wire
from drivers.retry import Retry
from rules.site import Condition

PORT_PAUSE_S = 0.2


def open_bus(setup: Setup, say: Callable[[Saying], None]) -> "ModbusBus":
    """The bus that this setup tells of. Raises `KeyError`, `ValueError` where it is not what the panel file's checks
    let through."""
    return ModbusBus(setup, say)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class ModbusBus:
    """One bus, for the child's one thread."""

    def __init__(self, setup: Setup, say: Callable[[Saying], None], now_ms: Callable[[], int] = _now_ms) -> None:
        self._settings = setup.wiring
        self._say = say
        self._now_ms = now_ms
        self._modules = modules_of(setup, now_ms())
        self._outputs = {o.output: (m, o) for m in self._modules for o in m.outputs}
        self._reported: dict[str, Condition] = {}
        self._stuck: set[str] = set()
        self._wire: Wire | None = None
        self._retry = Retry()
        self._port_error = ""
        self._up = False
        self._round: Iterator[tuple[Module, Read]] = iter(())
        self._began_ms = now_ms()
        self._cycle_ms = 0
        self._counts = {"bad_frames": 0, "strays": 0, "timeouts": 0, "exchanges": 0, "rewrites": 0}

    # --- the child's -------------------------------------------------------------------------------

    def turn(self) -> float:
        """One question; what is due comes first. Seconds until the next."""
        now_ms = self._now_ms()
        if self._wire is None and not self._open(now_ms):
            return PORT_PAUSE_S
        try:
            pause_s = self._step(now_ms)
        except PortGone as error:
            self._lose_port(str(error))
            pause_s = PORT_PAUSE_S
        for module in self._modules:
            if module.gone(self._now_ms()):
                self._tell_gone(module)
        self._tell_up()
        return pause_s

    def hear(self, word: Bidding) -> None:
        """An order is carried out in the next turn; a report says what was said last."""
        if isinstance(word, Order) and word.output in self._outputs:
            self._outputs[word.output][1].order(word.on)
        elif isinstance(word, Report):
            for zone, condition in self._reported.items():
                self._say(Sensed(zone, condition))

    def figures(self) -> dict[str, Any]:
        """Counts of the line since start, the last round's length, and each module's own."""
        found: dict[str, Any] = {name: count + self._on_wire(name) for name, count in self._counts.items()}
        found |= {"port": self._settings["port"], "cycle_ms": self._cycle_ms}
        return found | {"modules": {module.id: module.figures() for module in self._modules}}

    def close(self) -> None:
        """Let go of the port."""
        wire, self._wire = self._wire, None
        if wire is not None:
            for name in self._counts:
                self._counts[name] += getattr(wire, name, 0)
            with suppress(OSError):
                wire.close()

    def _on_wire(self, name: str) -> int:
        return getattr(self._wire, name, 0) if self._wire is not None else 0

    # --- the port ----------------------------------------------------------------------------------

    def _open(self, now_ms: int) -> bool:
        if self._retry.error is not None and not self._retry.due(now_ms):
            return False
        s = self._settings
        try:
            port = open_port(s["port"], s["baud"], s["parity"], s["stop_bits"])
            # An FTDI adapter waits 16 ms for more bytes unless it is told not to; others do not know the word.
            with suppress(OSError, ValueError, AttributeError):
                port.set_low_latency_mode(True)
        except NoPort as error:
            self._lose_port(str(error))
            return False
        self._wire = Wire(port, s["baud"], s["timeout_ms"] / 1000)
        self._retry.works(f"port {s['port']}")
        self._round = iter(())
        for module in self._modules:
            module.begin(now_ms)
        return True

    def _lose_port(self, why: str) -> None:
        self.close()
        self._retry.failed(OSError(why), self._now_ms(), f"port {self._settings['port']}")
        if not self._port_error:
            self._port_error = why
            self._say(Failed("", True, why[:300]))
            for module in self._modules:
                self._fault(module)
        self._tell_up()

    # --- rounds ------------------------------------------------------------------------------------

    def _step(self, now_ms: int) -> float:
        for module in self._modules:
            for output in module.outputs:
                if output.due and module.due(now_ms) and self._ready(module):
                    self._write(module, output)
                    return 0.0
        found = next(self._round, None)
        if found is not None:
            module, read = found
            if module.due(self._now_ms()) and self._ready(module):
                self._take(module, read)
            return 0.0
        return self._next_round(now_ms)

    def _next_round(self, now_ms: int) -> float:
        left_ms: int = self._began_ms + self._settings["cycle_ms"] - now_ms
        if left_ms > 0:
            return left_ms / 1000
        self._began_ms = now_ms
        self._round = self._asked(now_ms)
        return 0.0

    def _asked(self, began_ms: int) -> Iterator[tuple[Module, Read]]:
        for module in self._modules:
            for read in module.reads:
                if module.due(self._now_ms()):
                    yield module, read
        self._cycle_ms = self._now_ms() - began_ms

    def _ready(self, module: Module) -> bool:
        """Whether it is known to be the module that the panel file names."""
        identity = module.profile.identity
        if module.identified or identity is None:
            return True
        found = self._ask(module, Question(module.address, identity.function, identity.register))
        if found is None:
            return False
        if found[0] != identity.value:
            module.another(f"says it is {found[0]:04X}, expected {identity.value:04X}", self._now_ms())
            return False
        module.identified = True
        return True

    def _ask(self, module: Module, question: Question) -> tuple[int, ...] | None:
        """The answer, None for none that counts."""
        assert self._wire is not None  # noqa: S101  # `turn` opened it
        self._counts["exchanges"] += 1
        try:
            found = self._wire.ask(question, module.profile.pause_ms / 1000)
        except (Unanswered, Refused) as error:
            module.suspect = module.suspect or (isinstance(error, Unanswered) and error.late)
            module.missed(str(error), self._now_ms())
            return None
        if module.suspect:
            module.suspect = bool(self._wire.drain(self._settings["timeout_ms"] / 1000))
            return None
        module.answered(self._now_ms())
        return found

    def _write(self, module: Module, output: BusOutput) -> None:
        outputs = module.profile.outputs
        assert isinstance(outputs, Outputs)  # noqa: S101  # `modules_of` saw to it
        word = outputs.on if output.level else outputs.off
        if output.wrong_reads:
            self._counts["rewrites"] += 1
        wanted = output.wanted
        if self._ask(module, Question(module.address, outputs.write, output.address, value=word)) is not None:
            output.due = output.wanted is not wanted

    def _take(self, module: Module, read: Read) -> None:
        found = self._ask(module, read.question)
        if found is None:
            return
        now_ms = self._now_ms()
        for place, point in read.points.items():
            if isinstance(point, BusOutput):
                self._read_back(module, point, bool(found[place]))
            elif (condition := point.feed(found[place], now_ms)) is not None:
                self._tell(point.zone, condition)
        module.known = module.known or all(self._is_known(module))
        if module.known and module.failed:
            module.failed = ""
            self._say(Failed(module.id, False))

    @staticmethod
    def _is_known(module: Module) -> Iterator[bool]:
        for zone in module.zones:
            yield zone.condition is not None
        for output in module.outputs:
            yield output.read_back is not None

    # --- telling -----------------------------------------------------------------------------------

    def _read_back(self, module: Module, output: BusOutput, level: bool) -> None:
        if output.read(level):
            self._say(ReadBack(output.output, bool(output.read_back)))
        if output.stuck is not (output.output in self._stuck):
            (self._stuck.add if output.stuck else self._stuck.discard)(output.output)
            state = "on" if output.read_back else "off"
            why = f"{module.id} output reads back {state} though it was ordered the other way" if output.stuck else ""
            self._say(Failed(output.output, output.stuck, why))

    def _tell(self, zone: str, condition: Condition) -> None:
        if self._reported.get(zone) is not condition:
            self._reported[zone] = condition
            self._say(Sensed(zone, condition))

    def _tell_gone(self, module: Module) -> None:
        """A fault is known to be the module's own: its trouble begins before."""
        self._say(Failed(module.id, True, module.failed[:300]))
        self._fault(module)

    def _fault(self, module: Module) -> None:
        for zone in module.zones:
            self._tell(zone.zone, Condition.FAULT)

    def _tell_up(self) -> None:
        """Once every module is known or told as missing: the first round is over, or the port's trouble."""
        if self._port_error and self._wire is not None and all(m.known or m.failed for m in self._modules):
            self._port_error = ""
            self._say(Failed("", False))
        if not self._up and (self._port_error or all(m.known or m.failed for m in self._modules)):
            self._up = True
            self._say(Up())
