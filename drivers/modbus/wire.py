"""Questions and answers on a Modbus RTU line: one at a time, and never an answer taken for another question's.

pymodbus makes the questions, its checksum and decoder read the answers; the talk is ours. Its serial client waits
for an answer in steps of a millisecond and more (every byte once more), retries by itself, and its framer hunts for a
frame in noise; an answer found behind rubbish is no evidence here. Ours is no slower (`make bench`).
"""

import os
import select
import time
from dataclasses import dataclass
from typing import Any

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.modbus.profiles import COIL_ON, READ_COILS, READ_DISCRETES, WRITE_COIL, WRITE_REGISTER

BITS_A_BYTE = 10
LONGEST = 256
"""An RTU frame, in bytes (Modbus over serial line V1.02, §2.5.1)."""
EXCEPTION_BYTES = 5
GAP_CHARS, GAP_LEAST_S = 3.5, 0.00175
"""Silence between frames (Modbus over serial line V1.02, §2.5.1.1): 3.5 characters, above 19,200 baud 1.75 ms."""
DRAIN_LIMIT_S = 0.5
_READS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_FRAMER = FramerRTU(DecodePDU(is_server=False))


class Unanswered(Exception):
    """No answer that counts. `late`: the true one may still come."""

    def __init__(self, text: str, late: bool) -> None:
        super().__init__(text)
        self.late = late


class Refused(Exception):
    """The module answered that it won't: a Modbus exception."""


class PortGone(Exception):
    """The port does not work any more."""


@dataclass(frozen=True)
class Question:
    """One question. `value` None: read `count` things from `first`; else write it there."""

    unit: int
    function: int
    first: int
    count: int = 1
    value: int | None = None

    @property
    def answer_bytes(self) -> int:
        """How long its answer is; an exception is shorter."""
        if self.value is not None:
            return 8
        return 5 + ((self.count + 7) // 8 if self.function in (READ_COILS, READ_DISCRETES) else 2 * self.count)

    def frame(self) -> bytes:
        """The bytes to send."""
        return bytes(_FRAMER.buildFrame(self._pdu()))

    def _pdu(self) -> ModbusPDU:
        if self.function == WRITE_COIL:
            return WriteSingleCoilRequest(address=self.first, bits=[self.value == COIL_ON], dev_id=self.unit)
        if self.function == WRITE_REGISTER:
            return WriteSingleRegisterRequest(address=self.first, registers=[self.value or 0], dev_id=self.unit)
        return _READS[self.function](address=self.first, count=self.count, dev_id=self.unit)


def answer(question: Question, frame: bytes) -> tuple[int, ...]:
    """What an answer says: one number for each thing asked for, nothing for a write.

    Raises `Unanswered` for whatever is not exactly the answer to this question, `Refused` for an exception.
    """
    if len(frame) < EXCEPTION_BYTES:
        raise Unanswered(f"half a frame ({len(frame)} of {question.answer_bytes} bytes)", late=True)
    if not FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
        raise Unanswered("a frame with a wrong checksum", late=False)
    if frame[0] != question.unit:
        raise Unanswered(f"an answer from address {frame[0]}, expected {question.unit}", late=True)
    if frame[1] == question.function | 0x80 and len(frame) == EXCEPTION_BYTES:
        raise Refused(f"exception {frame[2]} to function {question.function} at {question.first}")
    if frame[1] != question.function or len(frame) != question.answer_bytes:
        raise Unanswered(f"function {frame[1]}, {len(frame)} bytes: the answer to another question", late=True)
    if question.value is not None:
        if frame != question.frame():
            raise Unanswered("an echo of another order", late=True)
        return ()
    if frame[2] != len(frame) - 5:
        raise Unanswered(f"a length of {frame[2]} that is not the frame's", late=False)
    return _values(question, frame[1:-2])


def _values(question: Question, body: bytes) -> tuple[int, ...]:
    pdu: Any = _FRAMER.decoder.decode(body)
    if pdu is None or isinstance(pdu, ExceptionResponse):
        raise Unanswered("an answer that can't be read", late=False)
    found = pdu.bits if question.function in (READ_COILS, READ_DISCRETES) else pdu.registers
    return tuple(int(value) for value in found[: question.count])


class Wire:
    """The open line. Counts what went wrong on it."""

    def __init__(self, port: Any, baud: int, timeout_s: float) -> None:
        """`port`: as `open_port` returns it. `timeout_s`: until an answer must be there, line time apart."""
        self._port = port
        self._fd = port.fileno()
        self._char_s = BITS_A_BYTE / baud
        self._gap_s = max(GAP_LEAST_S, GAP_CHARS * self._char_s)
        self._timeout_s = timeout_s
        self._free_at = 0.0
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self.bad_frames = self.strays = self.timeouts = 0

    def ask(self, question: Question, pause_s: float = 0.0) -> tuple[int, ...]:
        """Ask, and return the answer. `pause_s`: silence before, if more than the line needs.

        Raises `Unanswered`, `Refused`, `PortGone`.
        """
        self._wait_free(pause_s)
        frame = question.frame()
        self._send(frame)
        try:
            return self._hear(question, len(frame))
        except Unanswered as error:
            if not error.late:
                self.bad_frames += 1
            raise
        finally:
            self._free_at = time.monotonic() + self._gap_s

    def drain(self, seconds: float) -> int:
        """Listen for so long; how many bytes came that nobody asked for. Raises `PortGone`."""
        until = time.monotonic() + min(seconds, DRAIN_LIMIT_S)
        count = 0
        while (left := until - time.monotonic()) > 0:
            count += len(self._read(left))
        self.strays += count > 0
        return count

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def _wait_free(self, pause_s: float) -> None:
        left = self._free_at - self._gap_s + max(self._gap_s, pause_s) - time.monotonic()
        if left > 0:
            time.sleep(left)
        # What lies here was asked for by nobody.
        if self._read(0.0):
            self.strays += 1
            while self._read(self._gap_s):
                pass

    def _send(self, frame: bytes) -> None:
        try:
            self._port.write(frame)
        except OSError as error:
            raise PortGone(str(error)) from error

    def _hear(self, question: Question, sent: int) -> tuple[int, ...]:
        line_s = (sent + question.answer_bytes) * self._char_s
        until = time.monotonic() + line_s + self._timeout_s
        time.sleep(line_s)
        found = b""
        while True:
            left = until - time.monotonic()
            # A frame ends with silence; a whole one, or an exception, need not wait for it.
            more = self._read(max(0.0, left)) if left > 0 else b""
            found += more
            while len(found) >= EXCEPTION_BYTES and (length := _whole(question, found)):
                frame, found = found[:length], found[length:]
                if frame[0] == question.unit or not _is_sound(frame):
                    return answer(question, frame)
                self.strays += 1  # somebody else's, late: this question's own may still come
            if not more or len(found) >= LONGEST:
                self.timeouts += not found
                if found:
                    return answer(question, found)
                raise Unanswered("no answer", late=True)

    def _read(self, wait_s: float) -> bytes:
        try:
            ready = self._poll.poll(max(0.0, wait_s) * 1000)
            if not ready:
                return b""
            found = os.read(self._fd, LONGEST)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise PortGone(str(error)) from error
        if not found:
            raise PortGone("the port was hung up")
        return found


def _is_sound(frame: bytes) -> bool:
    return bool(FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")))


def _whole(question: Question, found: bytes) -> int:
    """How long the frame is that these bytes begin with; 0 while it is not whole."""
    if found[1] & 0x80:
        return EXCEPTION_BYTES
    if found[0] == question.unit and found[1] == question.function:
        length = question.answer_bytes
    elif found[1] in (1, 2, 3, 4):
        length = 5 + found[2]
    elif found[1] in (WRITE_COIL, WRITE_REGISTER):
        length = 8
    else:
        return min(len(found), LONGEST)
    return length if len(found) >= length else 0
