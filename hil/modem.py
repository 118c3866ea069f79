"""The other end of a modem's wire: a GSM modem on a pty that speaks AT, with faults on demand.

It reads messages with an independent decoder, answers as 3GPP TS 27.007 and 27.005 say, and has a network behind it
that takes messages and reports their delivery. Faults: silence, garbage, late answers, half lines, a SIM that is
missing, locked or taken out, no network, `+CMS ERROR`, reports that fail, come late or never, a port that vanishes.
"""

import contextlib
import heapq
import os
import pty
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from smspdudecoder.fields import SMSSubmit

CTRL_Z, ESCAPE = 0x1A, 0x1B
DELIVERED, FAILED = 0x00, 0x41


@dataclass
class Sim:
    """A SIM card. `pin`: what unlocks it, none where empty."""

    pin: str = ""
    tries_left: int = 3
    tried: list[str] = field(default_factory=list)
    service_center: str = "+8613800100500"

    def try_pin(self, digits: str) -> bool:
        """Enter a PIN; three wrong ones lock the card."""
        self.tried.append(digits)
        right = digits == self.pin and self.tries_left > 0
        self.tries_left = 3 if right else max(0, self.tries_left - 1)
        return right


@dataclass(frozen=True)
class Sent:
    """A part of a text that the network took, as the independent decoder reads it."""

    number: str
    text: str
    part: int
    parts: int
    reference: int
    wants_report: bool


@dataclass
class Faults:
    """What is wrong now; change at will."""

    silent: bool = False
    """Takes everything, says nothing."""
    noise: bytes = b""
    """Said before each answer."""
    late_s: float = 0.0
    """So much later than asked."""
    cut: int = 0
    """So many bytes of the end of each answer are lost."""
    cms_errors: deque[int] = field(default_factory=deque)
    """For the next messages."""
    no_prompt: bool = False
    report: int | None = DELIVERED
    """Status of the reports to come; None: none come."""
    report_after_s: float = 0.0
    stored_reports: bool = False
    """Knows no `+CDS`, only reports stored on the SIM (`+CDSI`)."""


class Modem:
    """A modem whose port is the symbolic link `link`; `plug` it in first, or play its wire with `take` and `said`."""

    def __init__(
        self, link: Path = Path(), sim: Sim | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.link = link
        self._now_s = now_s
        self.sim = sim
        self.faults = Faults()
        self.network = 1
        """`+CREG` state: 1 home, 2 searching, 3 denied, 5 roaming."""
        self.signal = 20
        self.sent: list[Sent] = []
        self.commands: list[str] = []
        self.resets = 0
        self.opened = 0
        self._changed = threading.Condition()
        self._master = self._slave = -1
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._thread: threading.Thread | None = None
        self._start_anew()

    def _start_anew(self) -> None:
        self._echo = True
        self._unlocked = False
        self._buffer = bytearray()
        self._body: int | None = None
        self._reference = getattr(self, "_reference", 0)
        self._later: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._stored: dict[int, str] = {}

    # --- the hands of the test -------------------------------------------------------------------

    def plug(self) -> "Modem":
        """Plug it in: the port appears."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._start_anew()
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._run, args=(self._master,), name="fake-modem", daemon=True)
        self._thread.start()
        return self

    def unplug(self) -> None:
        """Pull it out: the port vanishes under whoever has it open."""
        self.link.unlink(missing_ok=True)
        thread, self._thread = self._thread, None
        os.eventfd_write(self._wake, 1)
        if thread is not None:
            thread.join(5)
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def say(self, data: bytes) -> None:
        """Say something that nobody asked for."""
        self._at(0.0, data)

    def wait(self, what: Callable[[], object], why: str, seconds: float = 15.0) -> None:
        """Until this holds; looked at whenever something happened on the wire."""
        with self._changed:
            done = self._changed.wait_for(what, seconds)
        assert done, f"waited {seconds:g} s in vain: {why}; last commands: {self.commands[-12:]}"  # noqa: S101

    def texts(self) -> list[tuple[str, str]]:
        """Number and text of each whole message that the network took, parts joined."""
        whole: dict[tuple[str, int, int], list[Sent]] = {}
        with self._changed:
            for place, sent in enumerate(self.sent):
                key = (sent.number, sent.reference if sent.parts > 1 else -1, place if sent.parts == 1 else 0)
                whole.setdefault(key, []).append(sent)
        found = []
        for (number, _, _), parts in whole.items():
            if len(parts) == parts[0].parts:
                found.append((number, "".join(part.text for part in sorted(parts, key=lambda p: p.part))))
        return found

    # --- the wire ----------------------------------------------------------------------------------

    def _run(self, master: int) -> None:
        while self._thread is not None:
            due_s = self.due_s()
            left = None if due_s is None else max(0.0, due_s - self._now_s())
            ready = select.select([master, self._wake], [], [], left)[0]
            if self._wake in ready:
                os.eventfd_read(self._wake)
            try:
                if master in ready:
                    self.take(os.read(master, 4096))
                os.write(master, self.said())
            except OSError:
                return

    def due_s(self) -> float | None:
        """When it will say something."""
        with self._changed:
            return self._later[0][0] if self._later else None

    def said(self) -> bytes:
        """What it says now."""
        data = b""
        with self._changed:
            while self._later and self._later[0][0] <= self._now_s():
                data += heapq.heappop(self._later)[2]
        return data

    def _at(self, after_s: float, data: bytes) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._later, (self._now_s() + after_s, self._count, data))
        os.eventfd_write(self._wake, 1)

    def _answer(self, *lines: str, after_s: float = 0.0) -> None:
        if self.faults.silent:
            return
        data = self.faults.noise + "".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1")
        self._at(after_s + self.faults.late_s, data[: len(data) - self.faults.cut])

    def take(self, data: bytes) -> None:
        """Hear these bytes."""
        for byte in data:
            if self._body is not None and byte in (CTRL_Z, ESCAPE):
                self._end_body(byte == CTRL_Z)
            elif self._body is None and byte == ord("\r"):
                command, self._buffer = self._buffer.decode("latin-1").strip(), bytearray()
                if command:
                    self._command(command)
            elif byte != ESCAPE:
                self._buffer.append(byte)

    def _command(self, command: str) -> None:
        with self._changed:
            self.commands.append(command)
        if self._echo and not self.faults.silent:
            self._at(0.0, command.encode() + b"\r")
        if command == "AT+CFUN=1,1":
            self._reset()
        else:
            self._react(command)
        with self._changed:
            self._changed.notify_all()

    def _reset(self) -> None:
        self._answer("OK")
        self.resets += 1
        self._echo, self._unlocked, self._body = True, False, None
        self._answer("RDY", after_s=0.05)

    def _react(self, command: str) -> None:
        name, _, value = command.removeprefix("AT").partition("=")
        if name == "+CMGS":
            self._prompt(value)
        elif name == "E0V1":
            self._echo = False
            self._answer("OK")
        elif name == "+CNMI" and self.faults.stored_reports and value.split(",")[3] == "1":
            self._answer("+CMS ERROR: 303")
        elif name == "+CPIN" and value:
            self._unlock(value.strip('"'))
        else:
            self._answer(*self._info(name, value))

    def _info(self, name: str, value: str) -> tuple[str, ...]:
        """The answer to a question, or plain OK."""
        match name:
            case "+CPIN?":
                return self._sim_state()
            case "+CPINR":
                return (f"+CPINR: SIM PIN,{self.sim.tries_left},3", "OK") if self.sim else ("+CME ERROR: 10",)
            case "+CSCA?":
                return (f'+CSCA: "{self.sim.service_center if self.sim else ""}",145', "OK")
            case "+CSQ":
                return (f"+CSQ: {self.signal},99", "OK")
            case "+CREG?" | "+CEREG?":
                return (f"{name[:-1]}: 0,{self.network if name == '+CREG?' else 0}", "OK")
            case "+COPS?":
                return ('+COPS: 0,0,"CHINA MOBILE",7', "OK")
            case "+CSMS" | "+CPMS":
                return (f"{name}: 1,1,1", "OK")
            case "+CMGR":
                report = self._stored.get(int(value), "")
                return (f"+CMGR: 0,,{len(report) // 2}", report, "OK") if report else ("+CMS ERROR: 321",)
            case "+CMGD" if "," not in value:
                self._stored.pop(int(value), None)
        return ("OK",)

    # --- the SIM -----------------------------------------------------------------------------------

    def _sim_state(self) -> tuple[str, ...]:
        if self.sim is None:
            return ("+CME ERROR: 10",)
        if self.sim.tries_left == 0:
            return ("+CPIN: SIM PUK", "OK")
        return ("+CPIN: READY" if self._unlocked or not self.sim.pin else "+CPIN: SIM PIN", "OK")

    def _unlock(self, digits: str) -> None:
        if self.sim is None:
            self._answer("+CME ERROR: 10")
            return
        self._unlocked = self.sim.try_pin(digits)
        self._answer("OK" if self._unlocked else "+CME ERROR: 16")

    # --- messages ----------------------------------------------------------------------------------

    def _prompt(self, length: str) -> None:
        if self.faults.no_prompt:
            return
        self._body, self._buffer = int(length), bytearray()
        if not self.faults.silent:
            self._at(self.faults.late_s, self.faults.noise + b"\r\n> ")

    def _end_body(self, whole: bool) -> None:
        length, self._body = self._body, None
        body, self._buffer = self._buffer.decode("latin-1"), bytearray()
        if not whole or length is None:
            return
        if self.faults.cms_errors:
            self._answer(f"+CMS ERROR: {self.faults.cms_errors.popleft()}")
        elif self.network not in (1, 5):
            self._answer("+CMS ERROR: 331")
        elif len(body) // 2 - 1 != length:
            self._answer("+CMS ERROR: 304")
        else:
            self._network_takes(body)
        with self._changed:
            self._changed.notify_all()

    def _network_takes(self, body: str) -> None:
        message: dict[str, Any] = SMSSubmit.decode(StringIO(body))
        header = message["user_data"]["header"]
        joined = header["elements"][0]["data"] if header else {}
        number = message["recipient"]["number"]
        international = message["recipient"]["toa"]["ton"] == "international"
        self._reference = (self._reference + 1) & 0xFF
        with self._changed:
            sent = Sent(
                ("+" if international else "") + number,
                message["user_data"]["data"],
                joined.get("part_number", 1),
                joined.get("parts_count", 1),
                joined.get("reference", 0),
                message["header"]["srr"],
            )
            self.sent.append(sent)
        self._answer(f"+CMGS: {self._reference}", "OK")
        if sent.wants_report and self.faults.report is not None:
            self._report(number, international, self.faults.report)

    def _report(self, number: str, international: bool, status: int) -> None:
        padded = number + "F" * (len(number) % 2)
        swapped = "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
        kind = "91" if international else "81"
        stamp = "62113251650023"
        tpdu = f"06{self._reference:02X}{len(number):02X}{kind}{swapped}{stamp}{stamp}{status:02X}"
        if self.faults.stored_reports:
            index = len(self._stored) + 1
            self._stored[index] = "00" + tpdu
            self._answer(f'+CDSI: "SM",{index}', after_s=self.faults.report_after_s)
        else:
            self._at(self.faults.report_after_s, f"\r\n+CDS: {len(tpdu) // 2}\r\n00{tpdu}\r\n".encode())
