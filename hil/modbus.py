"""The other end of a Modbus RTU bus: modules on a paced pty, with faults on demand.

pymodbus takes the questions apart and makes the answers; nothing here comes from our driver. A fault of a unit lasts
until it is taken away: `silent`, `noise` (rubbish instead), `bad_crc`, `half` (the frame breaks off), `late_s` (it
answers after so long), `other` (it answers with this address), `stuck` (coils or registers that take no order).
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from hil.paced_pty import PacedPty

TURNAROUND_S = 0.001
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2


@dataclass
class Unit:
    """One module: its tables by address, and its faults. `words`: what a written register turns into (relay boards)."""

    coils: dict[int, bool] = field(default_factory=dict)
    discretes: dict[int, bool] = field(default_factory=dict)
    holding: dict[int, int] = field(default_factory=dict)
    inputs: dict[int, int] = field(default_factory=dict)
    words: Mapping[int, int] = field(default_factory=dict)
    silent: bool = False
    noise: bool = False
    bad_crc: bool = False
    half: bool = False
    late_s: float = 0.0
    other: int = 0
    stuck: set[int] = field(default_factory=set)
    asked: int = 0


class ModbusLine:
    """Units on a line, with a thread that answers. `written` holds (address, first, value) of each order in turn."""

    def __init__(self, port: Path, units: dict[int, Unit], baud: int = 115_200, seed: int = 1) -> None:
        self.units = units
        self.pty = PacedPty(port, baud)
        self.written: list[tuple[int, int, int]] = []
        self.changed = threading.Condition()
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._random = Random(seed)  # noqa: S311  # noise, not secrets
        self._stop = threading.Event()
        self._talking = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="modbus line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pull it out for good."""
        self._stop.set()
        self._thread.join(5)
        self.pty.unplug()

    def wait(self, true: Any, wait_s: float = 20.0) -> None:
        """Until this holds after an order; fails after `wait_s`."""
        with self.changed:
            if not self.changed.wait_for(true, wait_s):
                raise TimeoutError(f"not within {wait_s} s; orders: {self.written[-10:]}")

    def _run(self) -> None:
        waiting = b""
        while not self._stop.is_set():
            found = self.pty.read(0.05)
            waiting = (waiting + found)[-256:] if found else b""
            while len(waiting) >= 8:
                self._answer(waiting[:8])
                waiting = waiting[8:]

    def _answer(self, frame: bytes) -> None:
        unit = self.units.get(frame[0])
        used, pdu = self._framer.handleFrame(frame, 0, 0)
        if unit is None or pdu is None or not used:
            return
        unit.asked += 1
        if unit.silent:
            return
        answer: Any = self._act(frame[0], unit, pdu)
        answer.dev_id = unit.other or frame[0]
        said = self._harmed(unit, bytes(self._framer.buildFrame(answer)))
        if unit.late_s:
            threading.Timer(unit.late_s, self._say, [said]).start()
        else:
            time.sleep(TURNAROUND_S)
            self._say(said)

    def _say(self, said: bytes) -> None:
        with self._talking:
            self.pty.write(said)

    def _harmed(self, unit: Unit, said: bytes) -> bytes:
        if unit.noise:
            return self._random.randbytes(self._random.randint(1, 12))
        if unit.half:
            return said[: len(said) // 2]
        return said[:-1] + bytes([said[-1] ^ 0x55]) if unit.bad_crc else said

    def _act(self, address: int, unit: Unit, pdu: Any) -> Any:
        try:
            match pdu.function_code:
                case 1:
                    return bits.ReadCoilsResponse(bits=self._read(unit.coils, pdu))
                case 2:
                    return bits.ReadDiscreteInputsResponse(bits=self._read(unit.discretes, pdu))
                case 3:
                    return registers.ReadHoldingRegistersResponse(registers=self._read(unit.holding, pdu))
                case 4:
                    return registers.ReadInputRegistersResponse(registers=self._read(unit.inputs, pdu))
                case 5:
                    self._write(address, unit, unit.coils, pdu.address, bool(pdu.bits[0]))
                    return bits.WriteSingleCoilResponse(address=pdu.address, bits=[pdu.bits[0]])
                case 6:
                    value = pdu.registers[0]
                    self._write(address, unit, unit.holding, pdu.address, unit.words.get(value, value))
                    return registers.WriteSingleRegisterResponse(address=pdu.address, registers=[value])
        except KeyError:
            return ExceptionResponse(pdu.function_code, ILLEGAL_ADDRESS)
        return ExceptionResponse(pdu.function_code, ILLEGAL_FUNCTION)

    @staticmethod
    def _read(table: Mapping[int, Any], pdu: Any) -> list[Any]:
        return [table[place] for place in range(pdu.address, pdu.address + pdu.count)]

    def _write(self, address: int, unit: Unit, table: dict[int, Any], place: int, value: Any) -> None:
        with self.changed:
            if place not in table:
                raise KeyError(place)
            self.written.append((address, place, int(value)))
            if place not in unit.stuck:
                table[place] = value
            self.changed.notify_all()
