"""The host's end of the guest agent: what `guest_agent` can do, as calls. One clock: the host's.

A call that the guest does not answer in time raises; what comes late is thrown away.
"""

import base64
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINE_LIMIT = 4 * 1024 * 1024
PIECE = 256 * 1024
"""Bytes of a file that go at once: a line has its limit, and the guest its patience."""
ANSWER_S = 30.0
CHANGES_S = 10.0
MEASURE_S = 5.0


class AgentError(Exception):
    """The guest's agent did not answer, or could not do it; the text says which."""


@dataclass(frozen=True)
class Done:
    """How a program in the guest ended. `code` None: it was killed after its time."""

    code: int | None
    out: str
    err: str


class GuestAgent:
    """The agent of one running guest. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """`path`: the socket that QEMU opened for the port; the guest need not be up yet."""
        self._link = socket.socket(socket.AF_UNIX)
        self._link.connect(str(path))
        self._link.sendall(b"\n")  # ends a line that a snapshot may have cut
        self._turn = threading.Lock()
        self._came = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._waiting: set[int] = set()
        self._forgotten: set[int] = set()
        """Asked before the guest restarted."""
        self._last = secrets.randbelow(1 << 40)
        self._ended = False
        self.offset_ns = 0
        """To be added to the guest's boot clock to have the host's; `meet` measures it."""
        self.life = ""
        """Of the agent that told the last changes: another one after a restart of the guest."""
        threading.Thread(target=self._read, name="agent", daemon=True).start()

    def call(self, do: str, wait_s: float = ANSWER_S, **words: Any) -> dict[str, Any]:
        """One act of the guest. Raises `AgentError`."""
        with self._turn:
            self._last += 1
            number = self._last
            self._waiting.add(number)
            try:
                self._link.sendall(json.dumps({"id": number, "do": do, **words}).encode() + b"\n")
            except OSError as error:
                raise AgentError(f"{do}: the guest is gone ({error})") from error
        with self._came:
            self._came.wait_for(lambda: number in self._answers.keys() | self._forgotten or self._ended, wait_s)
            self._waiting.discard(number)
            answer, forgotten = self._answers.pop(number, None), number in self._forgotten
            self._forgotten.discard(number)
        if answer is None:
            why = "QEMU ended" if self._ended else f"no answer within {wait_s:g} s"
            raise AgentError(f"{do}: {'the guest has restarted' if forgotten else why}")
        if not answer["ok"]:
            raise AgentError(f"{do}: {answer['why']}")
        return answer

    # --- life

    def fileno(self) -> int:
        """The connection, for who watches it."""
        return self._link.fileno()

    def meet(self, timeout_s: float) -> float:
        """Wait for the guest's first answer; seconds that it took. Raises `AgentError`."""
        begin = time.monotonic()
        while True:
            try:
                self._measure()
            except AgentError:
                if self._ended or time.monotonic() - begin > timeout_s:
                    raise AgentError(f"the guest's agent did not answer within {timeout_s:g} s") from None
            else:
                return time.monotonic() - begin

    def _measure(self) -> None:
        best = None
        for _ in range(3):
            sent = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            boot = self.call("clock", MEASURE_S)["boot_ns"]
            took = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - sent
            if best is None or took < best:
                best, self.offset_ns = took, sent + took // 2 - boot

    def set_clock(self, unix_ns: int | None = None) -> None:
        """The guest's wall clock; without a moment, the host's."""
        self.call("clock", unix_ns=time.time_ns() if unix_ns is None else unix_ns)

    def reseed(self) -> None:
        """Fresh randomness from the host: every start from a snapshot has the same else."""
        self.call("reseed", seed=base64.b64encode(os.urandom(64)).decode())

    # --- lines

    def drive(self, levels: Mapping[int, int]) -> int:
        """Bring input lines to levels, all in one go, and hold them; the host's boot clock in ms when it was done."""
        done = self.call("drive", levels={str(line): int(level) for line, level in levels.items()})
        return (int(done["boot_ns"]) + self.offset_ns) // 1_000_000

    def levels(self, lines: Iterable[int]) -> dict[int, int]:
        """What these lines carry now."""
        found = self.call("levels", lines=list(lines))["levels"]
        return {int(line): int(level) for line, level in found.items()}

    def watch(self, lines: Iterable[int], every_ms: float = 10) -> None:
        """Note the changes of these lines from now on."""
        self.call("watch", lines=list(lines), every_ms=every_ms)

    def changes(self) -> list[tuple[int, int, int]]:
        """Changes since the last call: the host's boot clock in milliseconds, line, level."""
        told = self.call("changes", CHANGES_S)
        self.life = str(told["life"])
        return [((ns + self.offset_ns) // 1_000_000, line, level) for ns, line, level in told["changes"]]

    # --- files and programs

    def run(self, *argv: str, timeout_s: float = ANSWER_S, given: bytes = b"") -> Done:
        """Run a program in the guest as root."""
        data = base64.b64encode(given).decode()
        found = self.call("run", timeout_s + 5, argv=argv, timeout_s=timeout_s, input=data)
        return Done(found["code"], found["out"], found["err"])

    def must(self, *argv: str, timeout_s: float = ANSWER_S, given: bytes = b"") -> str:
        """Run a program that has to end well; what it said. Raises `AgentError`."""
        done = self.run(*argv, timeout_s=timeout_s, given=given)
        if done.code != 0:
            raise AgentError(f"{' '.join(argv)}: exit code {done.code}: {done.err.strip()[-500:]}")
        return done.out

    def put(self, path: str, data: bytes, mode: int = 0o600, owner: str = "") -> None:
        """Write a file of the guest."""
        for start in range(0, max(1, len(data)), PIECE):
            piece, more = base64.b64encode(data[start : start + PIECE]).decode(), start + PIECE < len(data)
            self.call("put", path=path, data=piece, offset=start, more=more, mode=mode, owner=owner)

    def get(self, path: str) -> bytes:
        """Read a file of the guest, at most 64 MiB."""
        data = b""
        while len(data) < 64 * 1024 * 1024:
            found = self.call("get", path=path, offset=len(data))
            piece = base64.b64decode(found["data"])
            data += piece
            if not piece or len(data) >= found["size"]:
                break
        return data

    def ask(self, path: str, lines: Sequence[str], answers: int = 1, timeout_s: float = ANSWER_S) -> list[str]:
        """Say lines to a unix socket of the guest; so many lines of answer."""
        found = self.call("ask", timeout_s + 5, socket=path, lines=lines, answers=answers, timeout_s=timeout_s)
        return [str(line) for line in found["lines"]]

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _read(self) -> None:
        rest = b""
        try:
            while data := self._link.recv(65536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._take(line)
                if len(rest) > LINE_LIMIT:
                    rest = b""
        except OSError:
            pass
        with self._came:
            self._ended = True
            self._came.notify_all()

    def _take(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
            number = 0 if "hello" in answer else answer["id"]
        except (ValueError, KeyError, TypeError):
            return
        with self._came:
            if number == 0:
                self._forgotten |= self._waiting - self._answers.keys()
                self._came.notify_all()
            if number in self._waiting:
                self._answers[number] = answer
                self._came.notify_all()
