"""The life of a GSM modem as a script of AT commands: woken, unlocked, set up, watched, and given messages to send.

Free of I/O: bytes, jobs and moments in; bytes, faults and what became of messages out. A modem that falls silent or
talks nonsense is reset (`AT+CFUN=1,1`) and its port opened anew, after pauses that grow. Commands: 3GPP TS 27.007
(modem, SIM, network) and 27.005 (messages).
"""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from firmware.uplink.sms import pdu
from firmware.uplink.sms.dialogue import TIMEOUT, Command, Dialogue, Reply, Unsolicited, fields, number
from firmware.uplink.sms.pin import NoPin

LOOK_EVERY_MS, LOOK_AGAIN_MS = 30_000, 5_000
SEND_MS = 60_000
"""27.005 names no limit; networks take up to 40 s."""
QUIET_MS, QUIET_WITHIN_MS = 500, 10_000
SIM_SETTLE_MS = 10_000
"""So long after its start a modem may not find its SIM."""
HELPLESS_MS = 600_000
"""Without SIM or network for so long, the modem is reset: some never look again by themselves."""
STABLE_MS = 600_000
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 5_000, 300_000
FLOOD_BYTES = 256 * 1024
"""In a minute; no modem has so much to say."""
SIGNAL_BACK_DB = 4
FIGURES_EVERY_MS = 3_600_000
_REGISTERED = {"1": "home", "5": "roaming", "6": "home, SMS only", "7": "roaming, SMS only"}
_DENIED = "3"
_SIM_STATES = {
    "SIM PIN": "the SIM wants its PIN",
    "SIM PUK": "the SIM is locked and wants its PUK: unlock it in a phone",
    "SIM PIN2": "",
    "SIM PUK2": "",
}
_SIM_ERRORS = {10: "there is no SIM", 13: "the SIM failed", 14: "the SIM is busy", 15: "this is no SIM that fits"}
_WRONG_PIN, _SIM_BUSY = 16, 14
HOPELESS = frozenset({1, 8, 10, 28, 29, 30, 50, 69, 304, 305})
"""+CMS ERROR that another try does not change: this number, or this message, is refused (24.011 E-2, 27.005 3.2.5)."""
_STARTED_ANEW = ("RDY", "^SYSSTART", "*ATREADY: 1")


class PinSource(Protocol):
    """`firmware.uplink.sms.pin.Pin`."""

    def take(self) -> str: ...
    def accepted(self) -> None: ...
    def refused(self) -> None: ...
    def untried(self) -> None: ...


@dataclass(frozen=True)
class Job:
    """A text for one number, ready to send. `key` is the owner's."""

    key: str
    parts: tuple[pdu.Part, ...]


@dataclass(frozen=True)
class Write:
    """Write this to the port."""

    data: bytes


@dataclass(frozen=True)
class Reopen:
    """Close the port, and open it again after this pause."""

    pause_ms: int


@dataclass(frozen=True)
class Fault:
    """Something is wrong with `what` (`modem`, `sim`, `network`, `signal`), or no more: no `detail`.

    `hard`: it will not heal by itself, so nobody need wait and see.
    """

    what: str
    detail: str
    hard: bool = False


@dataclass(frozen=True)
class Accepted:
    """The network took all parts; reports will bear these references."""

    key: str
    references: tuple[int, ...]


@dataclass(frozen=True)
class Rejected:
    """Not sent whole. `accepted`: parts that the network took. `final`: another try would not help."""

    key: str
    reason: str
    accepted: int = 0
    final: bool = False


@dataclass(frozen=True)
class Figures:
    """How the modem is placed; `signal_dbm` 0 where it does not know."""

    signal_dbm: int
    network: str
    operator: str


Output: TypeAlias = Write | Reopen | Fault | Accepted | Rejected | Figures | pdu.Report


@dataclass(frozen=True)
class _Wait:
    """Go on at this moment; `eager`: or as soon as there is something to do."""

    until_ms: int
    eager: bool = False


@dataclass(frozen=True)
class _Quiet:
    """Go on when the modem has been quiet for a while, at the latest then."""

    until_ms: int


_Script: TypeAlias = Generator[Command | _Wait | _Quiet, Reply | None, None]
_Asking: TypeAlias = Generator[Command | _Wait | _Quiet, Reply | None, Reply]


class _GaveUp(Exception):
    """This dialogue leads nowhere. `told`: the fault is another one that stands already."""

    def __init__(self, reason: str, told: bool = False) -> None:
        super().__init__(reason)
        self.told = told


class Modem:
    """One modem. Call `opened`, `received`, `tick`, `send`, `lost` in order of time; do what they return, in order."""

    def __init__(self, pin: PinSource, min_signal_dbm: int) -> None:
        self.ready = False
        """In a network, with SIM and set up for messages."""
        self.dropped = 0
        """Lines that were no report though they said so."""
        self._pin = pin
        self._min_signal_dbm = min_signal_dbm
        self._dialogue = Dialogue()
        self._script: _Script | None = None
        self._waiting: _Wait | _Quiet | None = None
        self._job: Job | None = None
        self._stored: deque[tuple[str, str]] = deque(maxlen=32)
        # As whoever listens takes it to be until told otherwise.
        self._faults: dict[str, str] = {"modem": "the modem is not there"}
        self._failures = 0
        self._up_ms = 0
        self._helpless_ms: int | None = None
        self._look_at = self._looked_ms = 0
        self._anew = False
        self._bytes: tuple[int, int] = (0, 0)
        self._figures: tuple[int, Figures | None] = (0, None)
        self._signal_dbm = 0
        self._operator = ""
        self._now = 0
        self._out: list[Output] = []

    # --- in ------------------------------------------------------------------------------------

    @property
    def free(self) -> bool:
        """Whether `send` may be called."""
        return self.ready and self._job is None

    def opened(self, now_ms: int) -> list[Output]:
        """The port is open."""
        self._now = now_ms
        self._dialogue = Dialogue(now_ms)
        self._bytes = (now_ms, 0)
        self._script = self._live()
        self._run(None)
        return self._taken()

    def lost(self, reason: str, now_ms: int) -> list[Output]:
        """The port is gone, or could not be opened; whoever holds it tries again."""
        self._now = now_ms
        self._end(reason)
        self._fault("modem", reason)
        return self._taken()

    def send(self, job: Job, now_ms: int) -> list[Output]:
        """Send this; `Accepted` or `Rejected` will come. Only while `free`."""
        self._now = now_ms
        self._job = job
        self._go_on()
        return self._taken()

    def received(self, data: bytes, now_ms: int) -> list[Output]:
        """The port read this."""
        self._now = now_ms
        if self._script is None:
            return []
        if self._floods(len(data)):
            self._give_up(_GaveUp(f"the modem floods: more than {FLOOD_BYTES} bytes in a minute"))
            return self._taken()
        for heard in self._dialogue.feed(data, now_ms):
            if isinstance(heard, Reply):
                self._run(heard)
            else:
                self._unsolicited(heard)
            if self._script is None:
                break
        self._go_on()
        return self._taken()

    def tick(self, now_ms: int) -> list[Output]:
        """Time has passed."""
        self._now = now_ms
        late = self._dialogue.passed(now_ms)
        if late is not None:
            self._flush()
            self._run(late)
        self._go_on()
        return self._taken()

    def next_deadline(self) -> int | None:
        """When to call `tick` if nothing happens before."""
        if self._script is None:
            return None
        if isinstance(self._waiting, _Quiet):
            return min(self._waiting.until_ms, self._dialogue.heard_ms + QUIET_MS)
        return self._waiting.until_ms if self._waiting else self._dialogue.deadline()

    # --- turning the script --------------------------------------------------------------------

    def _run(self, value: Reply | None) -> None:
        while self._script is not None:
            try:
                wish = self._script.send(value)
            except _GaveUp as end:
                self._give_up(end)
                return
            value = None
            if isinstance(wish, Command):
                self._waiting = None
                self._dialogue.ask(wish, self._now)
                self._flush()
                return
            self._waiting = wish
            if not self._over(wish):
                return

    def _go_on(self) -> None:
        if self._waiting is not None and self._over(self._waiting):
            self._waiting = None
            self._run(None)

    def _over(self, wait: _Wait | _Quiet) -> bool:
        if self._now >= wait.until_ms:
            return True
        if isinstance(wait, _Quiet):
            return self._now - self._dialogue.heard_ms >= QUIET_MS
        busy = self._stored or (self._job and self.ready) or self._anew or self._now >= self._look_at
        return wait.eager and bool(busy)

    def _flush(self) -> None:
        if self._dialogue.out:
            self._out.append(Write(bytes(self._dialogue.out)))
            self._dialogue.out.clear()

    def _taken(self) -> list[Output]:
        self._flush()
        out, self._out = self._out, []
        return out

    def _floods(self, size: int) -> bool:
        since, count = self._bytes
        if self._now - since >= 60_000:
            since, count = self._now, 0
        self._bytes = (since, count + size)
        return count + size > FLOOD_BYTES

    def _end(self, reason: str) -> None:
        self._script = self._waiting = None
        self.ready = False
        self._stored.clear()
        if self._job is not None:
            self._out.append(Rejected(self._job.key, reason))
            self._job = None

    def _give_up(self, end: _GaveUp) -> None:
        self._end(str(end))
        if not end.told:
            self._fault("modem", str(end))
        if self._now - self._up_ms >= STABLE_MS and self._up_ms:
            self._failures = 0
        self._failures += 1
        self._up_ms = 0
        self._flush()
        if self._failures > 1 or end.told:
            self._out.append(Write(b"\rAT+CFUN=1,1\r"))
        self._out.append(Reopen(min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(self._failures - 1, 10))))

    def _fault(self, what: str, detail: str, hard: bool = False) -> None:
        if self._faults.get(what, "") != detail:
            self._faults[what] = detail
            self._out.append(Fault(what, detail, hard))

    def _unsolicited(self, heard: Unsolicited) -> None:
        line = heard.line
        if line.startswith("+CDS:"):
            self._report(heard.second)
        elif line.startswith("+CDSI:"):
            memory, _, index = ",".join(fields(line)).partition(",")
            if memory.isalnum() and memory.isascii() and number(index) is not None:
                self._stored.append((memory, index))
        elif line.startswith(("+CREG:", "+CEREG:", "+CGREG:", "+CPIN:")):
            self._look_at = min(self._look_at, max(self._now, self._looked_ms + LOOK_AGAIN_MS))
        elif line in _STARTED_ANEW:
            self._anew = True

    def _report(self, line: str) -> None:
        try:
            self._out.append(pdu.report(line))
        except pdu.BadPdu:
            self.dropped += 1

    # --- the script ----------------------------------------------------------------------------

    def _live(self) -> _Script:
        while True:
            self._anew = False
            yield from self._wake()
            yield from self._set_up()
            yield from self._sim(self._now + SIM_SETTLE_MS)
            yield from self._messages()
            self._fault("modem", "")
            self._up_ms = self._look_at = self._now
            yield from self._serve()

    def _wake(self) -> _Script:
        # ESC leaves a prompt at which an uplink that was killed left the modem.
        self._out.append(Write(b"\x1b\r"))
        yield _Quiet(self._now + QUIET_WITHIN_MS)
        for _ in range(5):
            reply = yield Command("AT", 2_000)
            if reply and reply.ok:
                return
        raise _GaveUp("the modem does not answer")

    def _set_up(self) -> _Script:
        yield from self._ask(Command("ATE0V1"))
        yield from self._ask(Command("AT+CMEE=1"))
        yield from self._ask(Command("AT+CFUN=1", 15_000))

    def _messages(self) -> _Script:
        mode = yield from self._ask(Command("AT+CMGF=0"))
        if not mode.ok:
            raise _GaveUp(f"the modem has no PDU mode: {mode.final}")
        yield from self._ask(Command("AT+CSMS=0", prefix="+CSMS:"))
        pushed = yield from self._ask(Command("AT+CNMI=2,0,0,1,0"))
        if not pushed.ok:
            yield from self._ask(Command("AT+CNMI=2,0,0,2,0"))
            # Reports are stored then, and a SIM that is full of messages has no room for them.
            yield from self._ask(Command("AT+CMGD=1,4", 30_000))
        yield from self._service_center()

    def _service_center(self) -> _Script:
        center = yield from self._ask(Command("AT+CSCA?", prefix="+CSCA:"))
        if center.ok:
            known = bool(fields(center.lines[0])[0])
            self._fault("sim", "" if known else "the SIM knows no service center for messages (AT+CSCA)", hard=True)

    def _sim(self, settled_ms: int) -> _Script:
        """Until the SIM is ready."""
        since, pause_ms, taken = self._now, 1_000, False
        while True:
            reply = yield from self._ask(Command("AT+CPIN?", 10_000, "+CPIN:"))
            state = fields(reply.lines[0])[0] if reply.ok else ""
            detail = _SIM_STATES.get(state, _SIM_ERRORS.get(reply.code or 0, f"the SIM is not ready: {reply.final}"))
            if state == "READY" or not detail:
                if taken:
                    self._pin.accepted()
                self._fault("sim", "")
                return
            if state == "SIM PIN" and not taken:
                taken, detail = yield from self._unlock()
                pause_ms = 1_000 if taken else pause_ms
            if detail and (self._now >= settled_ms or state):
                self._fault("sim", detail, hard=True)
            self.ready = False
            if self._now - since >= HELPLESS_MS:
                raise _GaveUp(detail, told=True)
            yield _Wait(self._now + pause_ms)
            pause_ms = min(2 * pause_ms, LOOK_EVERY_MS)

    def _unlock(self) -> Generator[Command | _Wait | _Quiet, Reply | None, tuple[bool, str]]:
        """Whether the SIM took the PIN, and what stands in the way."""
        left = yield from self._ask(Command('AT+CPINR="SIM PIN"', prefix="+CPINR:"))
        tries = number([*fields(left.lines[0]), ""][1]) if left.ok else None
        if tries is not None and tries < 2:
            return False, f"the SIM wants its PIN and has {tries} tries left: enter it in a phone"
        try:
            digits = self._pin.take()
        except NoPin as none:
            return False, str(none)
        reply = yield from self._ask(Command(f'AT+CPIN="{digits}"', 20_000))
        if reply.ok:
            return True, ""
        if reply.code == _SIM_BUSY:
            self._pin.untried()
            return False, "the SIM is busy"
        self._pin.refused()
        why = "wrong" if reply.code == _WRONG_PIN else f"not taken ({reply.final})"
        return False, f"the PIN in its file is {why}; it is not tried again"

    def _serve(self) -> _Script:
        while not self._anew:
            if self._stored:
                yield from self._fetch(*self._stored.popleft())
            elif self._job is not None and self.ready:
                yield from self._submit(self._job)
            elif self._now >= self._look_at:
                yield from self._look()
            else:
                yield _Wait(self._look_at, eager=True)
        self.ready = False

    def _look(self) -> _Script:
        """At the SIM, the network and the signal."""
        self._looked_ms = self._now
        self._look_at = self._now + LOOK_EVERY_MS
        sim = yield from self._ask(Command("AT+CPIN?", 10_000, "+CPIN:"))
        if not sim.ok or fields(sim.lines[0])[0] != "READY":
            self.ready = False
            yield from self._sim(self._now)
            yield from self._messages()
        elif self._faults.get("sim"):
            yield from self._service_center()
        signal = yield from self._ask(Command("AT+CSQ", prefix="+CSQ:"))
        self._judge_signal(_dbm(signal))
        states = []
        for word in ("+CREG", "+CEREG"):
            reply = yield from self._ask(Command(f"AT{word}?", prefix=f"{word}:"))
            states += [[*fields(line), ""][1] for line in reply.lines[:1] if reply.ok]
        yield from self._judge_network(states)

    def _judge_signal(self, dbm: int | None) -> None:
        if dbm is None:
            return
        self._signal_dbm = dbm
        least = self._min_signal_dbm + (SIGNAL_BACK_DB if self._faults.get("signal") else 0)
        if dbm < least:
            self._fault("signal", self._faults.get("signal") or f"signal {dbm} dBm, expected {least} or more")
        else:
            self._fault("signal", "")

    def _judge_network(self, states: list[str]) -> _Script:
        network = next((_REGISTERED[state] for state in states if state in _REGISTERED), "")
        if network:
            self._fault("network", "")
            self._helpless_ms = None
            if not self._operator or not self.ready:
                reply = yield from self._ask(Command("AT+COPS?", 15_000, "+COPS:"))
                name = [*fields(reply.lines[0]), "", ""][2] if reply.ok else ""
                self._operator = "".join(c for c in name if c.isprintable())[:32] or "unknown"
            self.ready = True
            self._tell_figures(network)
            return
        self.ready = False
        self._operator = ""
        if self._helpless_ms is None:
            self._helpless_ms = self._now
        denied = _DENIED in states
        self._fault("network", "the network refuses this SIM" if denied else "not registered in any network")
        # A SIM that goes into a network may take a minute; look more often until then.
        self._look_at = min(self._look_at, self._now + LOOK_AGAIN_MS)
        if self._now - self._helpless_ms >= HELPLESS_MS:
            self._helpless_ms = None
            raise _GaveUp("not registered in any network", told=True)

    def _tell_figures(self, network: str) -> None:
        told_ms, before = self._figures
        figures = Figures(self._signal_dbm, network, self._operator)
        moved = before is None or (before.network, before.operator) != (network, self._operator)
        if moved or self._now - told_ms >= FIGURES_EVERY_MS:
            self._figures = (self._now, figures)
            self._out.append(figures)

    def _submit(self, job: Job) -> _Script:
        references: list[int] = []
        for part in job.parts:
            reply = yield from self._once(Command(f"AT+CMGS={part.length}", SEND_MS, "+CMGS:", body=part.hex))
            reference = number(fields(reply.lines[0])[0]) if reply.ok else None
            if reference is None:
                self._job = None
                final = reply.code in HOPELESS and reply.final.startswith("+CMS")
                self._out.append(Rejected(job.key, _why(reply), len(references), final))
                yield from self._after(reply)
                return
            references.append(reference & 0xFF)
        self._job = None
        self._out.append(Accepted(job.key, tuple(references)))

    def _fetch(self, memory: str, index: str) -> _Script:
        """Read a stored report and remove it."""
        yield from self._ask(Command(f'AT+CPMS="{memory}"', prefix="+CPMS:"))
        reply = yield from self._ask(Command(f"AT+CMGR={index}", prefix="+CMGR:", block=True))
        if reply.ok and len(reply.lines) > 1:
            self._report(reply.lines[1])
        yield from self._ask(Command(f"AT+CMGD={index}", 10_000))

    def _once(self, command: Command) -> _Asking:
        reply = yield command
        if reply is None:
            raise AssertionError("a command is gone on from with its reply")
        return reply

    def _ask(self, command: Command) -> _Asking:
        reply = yield from self._once(command)
        yield from self._after(reply)
        return reply

    def _after(self, reply: Reply) -> _Script:
        """When a reply did not come, or bears no answer, its rest may come late: wait it out, and begin anew."""
        if reply.final != TIMEOUT and (reply.final != "OK" or reply.ok):
            return
        yield _Quiet(self._now + QUIET_WITHIN_MS)
        for _ in range(3):
            again = yield Command("AT", 2_000)
            if again and again.ok:
                return
        raise _GaveUp(f"no answer to {reply.command.text.partition('=')[0]}")


def _dbm(reply: Reply) -> int | None:
    """27.007, 8.5: 0 to 31 in steps of 2 dB from -113 dBm; TD-SCDMA adds 100 to 191, 1 dB from -116."""
    value = number(fields(reply.lines[0])[0]) if reply.ok else None
    if value is None or value in (99, 199) or value > 191:
        return None
    return value - 216 if value >= 100 else 2 * min(value, 31) - 113


def _why(reply: Reply) -> str:
    return "no answer to the message" if reply.final == TIMEOUT else f"the modem or network said {reply.final[:40]}"
