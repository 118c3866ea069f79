"""The bench's boards over Modbus RTU: relays are set and read back, inputs are read. One thread at a time on a port."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from drivers.bus.ports import NoPort, open_port
from drivers.modbus.profiles import PROFILES, Inputs, Outputs
from drivers.modbus.wire import PortGone, Question, Refused, Unanswered, Wire
from hil.rigs.bench.file import Board
from hil.rigs.protocol import RigFault

TIMEOUT_S = 0.3
TRIES = 3


class RelayStuck(RigFault):
    """A board took an order and did not do it."""


class Boards:
    """A context manager. Whatever a board does not do is a `RigFault` that names it."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._boards = {board.id: board for board in boards}
        self._wires: dict[str, Wire] = {}
        self._lock = threading.Lock()
        for board in boards:
            if board.port not in self._wires:
                try:
                    self._wires[board.port] = Wire(open_port(board.port, board.baud), board.baud, TIMEOUT_S)
                except NoPort as error:
                    self.close()
                    raise RigFault(f"board {board.id}: {error}") from None

    def __enter__(self) -> "Boards":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ports; relays stay as they are."""
        for wire in self._wires.values():
            with suppress(OSError):
                wire.close()

    def set(self, board: str, channel: int, energised: bool) -> None:
        """Switch a relay and read back that the board has taken it."""
        outputs = self._outputs(board)
        place = outputs.first + channel - 1
        value = outputs.on if energised else outputs.off
        self._ask(board, Question(self._boards[board].address, outputs.write, place, value=value))
        if self.relays(board)[channel - 1] is not energised:
            word = "energised" if energised else "released"
            raise RelayStuck(f"board {board}, relay {channel}: ordered, and not {word}")

    def relays(self, board: str) -> tuple[bool, ...]:
        """How the board says its relays are."""
        outputs = self._outputs(board)
        question = Question(self._boards[board].address, outputs.read, outputs.first, outputs.count)
        return tuple(bool(value) for value in self._ask(board, question))

    def inputs(self, board: str) -> tuple[bool, ...]:
        """Its inputs."""
        inputs = PROFILES[self._boards[board].profile].inputs
        if not isinstance(inputs, Inputs):
            raise RigFault(f"board {board}: {self._boards[board].profile} has no inputs")
        question = Question(self._boards[board].address, inputs.function, inputs.first, inputs.count)
        return tuple(bool(value) != inputs.inverted for value in self._ask(board, question))

    def all_inputs(self, boards: Sequence[str]) -> Mapping[str, tuple[bool, ...]]:
        """Those of several boards."""
        return {board: self.inputs(board) for board in boards}

    def _outputs(self, board: str) -> Outputs:
        outputs = PROFILES[self._boards[board].profile].outputs
        if not isinstance(outputs, Outputs):
            raise RigFault(f"board {board}: {self._boards[board].profile} has no relays")
        return outputs

    def _ask(self, board: str, question: Question) -> tuple[int, ...]:
        wire = self._wires[self._boards[board].port]
        why = ""
        with self._lock:
            for _ in range(TRIES):
                try:
                    return wire.ask(question, PROFILES[self._boards[board].profile].pause_ms / 1000)
                except Unanswered as error:
                    why = str(error)
                    with suppress(PortGone):
                        wire.drain(0.02)
                except (Refused, PortGone) as error:
                    why = str(error)
                    time.sleep(0.05)
        raise RigFault(f"board {board}, address {question.unit}: {why}, {TRIES} times")
