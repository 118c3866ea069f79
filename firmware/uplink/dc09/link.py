"""A DC-09 path as the uplink's loop sees it: core's news in, messages for core out, the receiver behind it.

It wires the choice of records, their codes, the dialogue, the ledger and the TCP client. An acknowledgement is not
signed: it delivers a record only where the panel file says that it may (`Policy.counts`).
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from firmware.clock import Clock
from firmware.journal.ranges import Ranges
from firmware.protocol import messages as m
from firmware.protocol.records import Record
from firmware.uplink.dc09 import tcp
from firmware.uplink.dc09.dialogue import Close, Dialogue, Failed, Open, Output, Refused, Taken, Terms, Write
from firmware.uplink.dc09.feed import LANES, Feed
from firmware.uplink.dc09.frame import NULL, Message
from firmware.uplink.dc09.ledger import Key, Ledger
from firmware.uplink.dc09.tcp import TcpClient
from firmware.uplink.events import CoreLost, FromCore, Pulled
from firmware.uplink.identity import Identity
from firmware.uplink.tls import BadTlsFiles

log = logging.getLogger("fenghuo.uplink.dc09")

ToCore: TypeAlias = m.Path | m.Pull | m.Acknowledged
Wire: TypeAlias = Open | Close | Write
Encode: TypeAlias = Callable[[Record, float], Sequence[Message]]
"""The messages of a record at a moment (UTC seconds)."""

FAULT_MS = 24 * 3_600_000
"""A message that the receiver can't use is a fault of the path until it takes another, or for so long."""
AT_ONCE = 64
"""Records without a message that are passed over in one turn."""


@dataclass(frozen=True)
class Policy:
    """`counts`: an acknowledgement delivers the record. `alone`: nothing else delivers, so what has no code counts too.

    `all_alarms`: live alarms go out by every path.
    """

    counts: bool = False
    alone: bool = False
    all_alarms: bool = False


@dataclass
class _Current:
    """The record under way, and which of its messages."""

    record: Record
    messages: Sequence[Message]
    part: int

    @property
    def key(self) -> Key:
        return self.record.header.journal, self.record.header.lane

    @property
    def number(self) -> int:
        return self.record.header.lane_seq


class Dc09Link:
    """One DC-09 path. For the process's one loop."""

    lanes = frozenset(LANES)

    def __init__(
        self,
        path: str,
        receivers: Sequence[tuple[str, int]],
        terms: Terms,
        encode: Encode,
        ledger: Ledger,
        client: TcpClient,
        clock: Clock,
        random: Random,
        policy: Policy,
        shown: Identity | None = None,
    ) -> None:
        """`receivers`: host and port of one or two. `shown`: our side of TLS, None for a path without."""
        self.id = path
        self.final = policy.counts
        self.counts: Counter[str] = Counter()
        """Records `acknowledged`, `refused` by the receiver, and those with `no-code`."""
        self._receivers = receivers
        self._encode = encode
        self._ledger = ledger
        self._client = client
        self._clock = clock
        self._policy = policy
        self._shown = shown
        self._dialogue = Dialogue(terms, random, clock.monotonic_ms())
        self._feed = Feed(ledger, policy.all_alarms, patient=not policy.alone)
        self._acks = Acknowledgements(path, ledger, policy)
        self._current: _Current | None = None
        self._core = False
        self._poked = False
        self._null_first = False
        self._naked: tuple[Key, int] | None = None
        self._refusal = ""
        self._refusal_until = 0
        self._lost = ""
        self._told: m.Path | None = None

    @property
    def works(self) -> bool:
        """Whether the receiver took the last message."""
        return self._dialogue.up is True

    def fileno(self) -> int:
        """Readable when the receiver or the network did something."""
        return self._client.fileno()

    def next_deadline(self) -> int | None:
        """When something is due (monotonic ms)."""
        return 0 if self._poked else self._dialogue.next_deadline()

    def hear(self, event: FromCore) -> None:
        """Core's news: what waits, and what is delivered."""
        match event:
            case m.Welcome():
                self._core, self._told = True, None
            case CoreLost():
                self._core = False
                self._feed.core_lost()
                self._acks.core_lost()
            case m.Head():
                self._feed.head(event)
                self._acks.head(event)
            case m.Delivered():
                self._feed.delivered(event)
            case m.Authorities() if self._shown is not None:
                self._shown.trust(event.certificates)

    def path(self, message: m.Path) -> None:
        """Nothing here depends on the other paths but the duty."""

    def duty(self, lanes: frozenset[str]) -> None:
        """Carry these."""
        self._feed.duty(lanes)
        self._poked = True

    def answered(self, pulled: Pulled | None) -> None:
        """Records, or core's refusal."""
        if pulled is None:
            self._feed.refused()
        else:
            self._feed.answered(pulled.records, self._clock.utc())

    def turn(self) -> list[ToCore]:
        """Take what the receiver said, let time pass, send what is next; what to tell core, in order."""
        self._poked = False
        now_ms, now_s = self._clock.monotonic_ms(), self._clock.utc()
        orders: list[Wire] = []
        for event in self._client.events():
            orders += self._settle(self._heard(event, now_ms, now_s), now_ms)
        orders += self._settle(self._dialogue.passed(now_ms, now_s), now_ms)
        orders += self._settle(self._send(now_ms, now_s), now_ms)
        # Noted before it leaves: after a kill the same message bears the same number.
        self._ledger.flush()
        self._carry_out(orders, now_ms, now_s)
        return self._for_core(now_ms)

    def close(self) -> None:
        """Let the connection go."""
        self._ledger.flush()
        self._client.close()

    # --- the receiver --------------------------------------------------------------------------

    def _heard(self, event: tcp.Event, now_ms: int, now_s: float) -> list[Output]:
        match event:
            case tcp.Opened():
                return self._dialogue.opened(now_s)
            case tcp.Lost():
                if event.reason != self._lost:  # many receivers hang up after each message
                    log.info("path %s: %s", self.id, event.reason)
                self._lost = event.reason
                return self._dialogue.lost(event.reason, now_ms, now_s)
            case _:
                return self._dialogue.heard(event, now_ms, now_s)

    def _carry_out(self, orders: list[Wire], now_ms: int, now_s: float) -> None:
        for order in orders:
            match order:
                case Open():
                    self._open(order.receiver, now_ms, now_s)
                case Close():
                    self._client.close_connection()
                case Write():
                    self._client.write(order.data)

    def _open(self, receiver: int, now_ms: int, now_s: float) -> None:
        try:
            tls = None if self._shown is None else self._shown.context()
        except BadTlsFiles as bad:
            log.error("%s", bad)
            self._dialogue.lost(str(bad)[:150], now_ms, now_s)
        else:
            self._client.open(*self._receivers[receiver], tls)

    def _settle(self, outputs: list[Output], now_ms: int) -> list[Wire]:
        """What became of the message; what is left is for the wire."""
        orders: list[Wire] = []
        for output in outputs:
            match output:
                case Taken():
                    self._taken()
                case Refused():
                    self._refused(output.reason, now_ms)
                case Failed():
                    self._failed(output, now_ms)
                case _:
                    orders.append(output)
        return orders

    def _taken(self) -> None:
        self._null_first = False
        current = self._current
        if current is None:
            return
        self._refusal, self._naked = "", None
        current.part += 1
        if current.part == len(current.messages):
            self.counts["acknowledged"] += 1
            self._done(current, acknowledged=True)

    def _refused(self, reason: str, now_ms: int) -> None:
        log.warning("path %s: %s", self.id, reason)
        self._refusal, self._refusal_until = reason, now_ms + FAULT_MS
        if self._current is not None:
            self.counts["refused"] += 1
            self._done(self._current, acknowledged=False)

    def _failed(self, output: Failed, now_ms: int) -> None:
        self._null_first = output.nak
        current, self._current = self._current, None
        if current is None:
            return
        which = (current.key, current.number)
        if output.nak and self._naked == which:
            # NULL was taken in between, this is not: the message is the reason, and must not hold up the others.
            self._current = current
            self._refused(f"the receiver can't use {current.messages[current.part].content} (NAK)", now_ms)
            return
        self._naked = which if output.nak else None
        self._feed.put_back(current.record)

    def _done(self, current: _Current, acknowledged: bool) -> None:
        self._ledger.settle(current.key, current.number, acknowledged)
        self._current = None

    # --- what is next --------------------------------------------------------------------------

    def _send(self, now_ms: int, now_s: float) -> list[Output]:
        if not self._dialogue.free(now_ms):
            return []
        current = None if self._null_first else self._choose(now_s)
        if current is not None:
            sequence = self._ledger.begin(current.key, current.number, current.part)
            return self._dialogue.send(current.messages[current.part], sequence, now_ms, now_s)
        if self._dialogue.null_due(now_ms):
            return self._dialogue.send(NULL, 0, now_ms, now_s)
        return []

    def _choose(self, now_s: float) -> _Current | None:
        """The record whose message goes next; those that give none are passed over."""
        for _ in range(AT_ONCE):
            if self._current is not None:
                return self._current
            if (record := self._feed.next()) is None:
                return None
            messages = self._encode(record, now_s)
            key, number = (record.header.journal, record.header.lane), record.header.lane_seq
            part = self._ledger.parts_done(key, number)
            if part < len(messages):
                self._current = _Current(record, messages, part)
                continue
            self.counts["no-code"] += 1
            if self._policy.alone:
                self._ledger.settle(key, number, acknowledged=True)
            else:
                self._ledger.pass_over(key, [(number, number)])
        self._poked = True
        return None

    # --- core ----------------------------------------------------------------------------------

    def _for_core(self, now_ms: int) -> list[ToCore]:
        if not self._core:
            return []
        told: list[ToCore] = list(self._acks.untold())
        if (state := self._state(now_ms)) is not None and state != self._told:
            if self._told is None or state.up is not self._told.up:
                told.append(state)
            self._told = state
        if self._current is None and (pull := self._feed.wants()) is not None:
            told.append(pull)
        return told

    def _state(self, now_ms: int) -> m.Path | None:
        """The path as core has to know it; None while nothing is known."""
        if now_ms >= self._refusal_until:
            self._refusal = ""
        down = self._dialogue.reason if self._dialogue.up is False else ""
        detail = "; ".join(why for why in (down, self._refusal, self._ledger.trouble) if why)[:200]
        if not detail and self._dialogue.up is None:
            return None
        return m.Path(path=self.id, up=not detail, detail=detail)


class Acknowledgements:
    """What core is told that the receiver has: only where the file lets an acknowledgement count."""

    def __init__(self, path: str, ledger: Ledger, policy: Policy) -> None:
        self._path = path
        self._ledger = ledger
        self._policy = policy
        self._heads: dict[Key, tuple[int, int]] = {}
        self._told: dict[Key, Ranges] = {}

    def head(self, head: m.Head) -> None:
        """What core has, and what of it still waits."""
        self._heads = {
            (journal.journal, lane): (journal.first_undelivered.get(lane, 1), last)
            for journal in head.journals
            for lane, last in journal.last.items()
        }
        self._told = {key: ranges for key, ranges in self._told.items() if key in self._heads}

    def core_lost(self) -> None:
        """A new core is told anew what it does not know."""
        self._heads, self._told = {}, {}

    def untold(self) -> list[m.Acknowledged]:
        """What core has not been told yet."""
        if not self._policy.counts:
            return []
        found = []
        for key, (first, last) in self._heads.items():
            told = self._told.get(key, Ranges())
            spans = [span for low, high in self._had(key, first, last) for span in told.gaps(low, high)]
            if spans := spans[: m.MAX_DELIVERED]:
                self._told[key] = told.add(spans)
                found.append(m.Acknowledged(path=self._path, journal=key[0], lane=key[1], ranges=spans))
        return found

    def _had(self, key: Key, first: int, last: int) -> list[tuple[int, int]]:
        if key[1] not in LANES:
            # Nothing of these lanes can go by this path; nobody else takes them where it is alone.
            return [(first, last)] if self._policy.alone and first <= last else []
        spans = ((max(low, first), min(high, last)) for low, high in self._ledger.acknowledged(key).items)
        return [(low, high) for low, high in spans if low <= high]
