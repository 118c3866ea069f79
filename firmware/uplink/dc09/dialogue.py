"""One message at a time to one of two receivers, free of I/O, clock and threads: moments and bytes in, orders out.

1. A message is tried `tries` times for `retry_ms` each, with the same number, then as often at the other receiver. Each
   try after the first has a new connection: an old one may be half open.
2. ACK and RSP end it. With a key only an encrypted one does whose time is ours within a minute: anything else could be
   forged or replayed.
3. NAK tells the receiver's time: ours is set to it, the message built anew and sent again, `MAX_NAKS` times at most.
4. DUH ends it too: the receiver got it and can't use it, so it would never take it (digest §4.1).
5. A receiver that answered is asked to answer again within `supervision_ms`, by NULL where nothing else goes out.
6. After a failure each receiver gets one try at a time, with pauses that grow, until one answers.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TypeAlias

from firmware.uplink.backoff import Backoff
from firmware.uplink.dc09.frame import (
    NULL,
    BadFrame,
    Message,
    Reply,
    Splitter,
    Station,
    frame,
    padding,
    read_reply,
)

MAX_NAKS = 2
FRESH_S = 60.0
"""An encrypted answer bears the receiver's time; one that is further from ours is an old one."""
HOME_MS = 600_000
"""So long the second receiver is used before the first gets a try again."""
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2020, 2100))
"""A receiver's time outside of this is none: nobody signs a NAK."""
PAUSE_MS, LONGEST_PAUSE_MS = 2_000, 60_000


@dataclass(frozen=True)
class Terms:
    """Of one path. `receivers`: 1 or 2."""

    station: Station
    key: bytes | None = None
    receivers: int = 1
    retry_ms: int = 20_000
    tries: int = 3
    supervision_ms: int = 30_000


@dataclass(frozen=True)
class Open:
    """Connect to this receiver, 0 or 1; what was open before is closed."""

    receiver: int


@dataclass(frozen=True)
class Close:
    """Close the connection, or end the try to make one."""


@dataclass(frozen=True)
class Write:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True)
class Taken:
    """The receiver acknowledged the message."""


@dataclass(frozen=True)
class Refused:
    """The receiver got the message and can't use it."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """No receiver took the message. `nak`: one is there, and does not take our time or our account."""

    reason: str
    nak: bool = False


Output: TypeAlias = Open | Close | Write | Taken | Refused | Failed


@dataclass
class _Flight:
    """The message under way. `plan`: the receivers of its tries, in order, from the present one."""

    message: Message
    sequence: int
    plan: list[int]
    try_until: int
    fresh: bool = False
    """The connection was made for this try."""
    written: bool = False
    naks: int = 0
    why: str = ""
    """What went wrong last."""


class Dialogue:
    """Of one path. Moments: monotonic ms, and UTC seconds where the time itself is told."""

    def __init__(self, terms: Terms, random: Random, now_ms: int) -> None:
        self.counts: Counter[str] = Counter()
        """Frames that counted for nothing, by reason, and `naks`, `duhs`."""
        self.up: bool | None = None
        """Whether the last message was taken; None before anything is known."""
        self.reason = ""
        """Why the last one was not."""
        self.offset_s = 0.0
        """The receiver's time less ours, as its last NAK said."""
        self.home = 0
        """The receiver that is in use."""
        self._terms = terms
        self._random = random
        self._backoff = Backoff(random, PAUSE_MS, LONGEST_PAUSE_MS)
        self._flight: _Flight | None = None
        self._connected: int | None = None
        self._opening: int | None = None
        self._splitter = Splitter()
        self._rest_until = now_ms
        self._null_at = now_ms
        self._home_at = now_ms
        self._up_since = now_ms

    # --- sending -------------------------------------------------------------------------------

    def free(self, now_ms: int) -> bool:
        """Whether a message may be given to `send`."""
        return self._flight is None and now_ms >= self._rest_until

    def null_due(self, now_ms: int) -> bool:
        """Whether NULL has to go out, or anything else."""
        return now_ms >= self._null_at

    def next_deadline(self) -> int:
        """When time alone changes something."""
        return self._flight.try_until if self._flight else max(self._rest_until, self._null_at)

    def rest(self) -> int:
        """Until when nothing may be sent (monotonic ms)."""
        return self._rest_until

    def send(self, message: Message, sequence: int, now_ms: int, now_s: float) -> list[Output]:
        """Begin with a message; only while `free`. `sequence`: 1 to 9999, 0 for NULL."""
        self._flight = _Flight(message, sequence, self._plan(message, now_ms), now_ms + self._terms.retry_ms)
        return self._try(now_ms, now_s)

    def _plan(self, message: Message, now_ms: int) -> list[int]:
        other = [1 - self.home] if self._terms.receivers > 1 else []
        if self.up is False:
            return [self.home, *other]
        tries = self._terms.tries
        if self.home and message is NULL and now_ms >= self._home_at:
            self._home_at = now_ms + HOME_MS
            return [0, *[1] * tries]
        return [self.home] * tries + other * tries

    def _try(self, now_ms: int, now_s: float) -> list[Output]:
        """One try at the first receiver of the plan, over the connection that there is, or a new one."""
        flight = self._flight
        if flight is None:
            return []
        flight.try_until = now_ms + self._terms.retry_ms
        flight.written = False
        flight.fresh = self._connected != flight.plan[0]
        if flight.fresh:
            return self._open(flight.plan[0])
        return self._write(flight, now_s)

    def _open(self, receiver: int) -> list[Output]:
        self._connected, self._opening = None, receiver
        self._splitter = Splitter()
        return [Open(receiver)]

    def _write(self, flight: _Flight, now_s: float) -> list[Output]:
        terms = self._terms
        flight.written = True
        pad = padding(flight.message, terms.station, self._random) if terms.key else b""
        moment = now_s + self.offset_s
        return [Write(frame(flight.message, flight.sequence, terms.station, moment, terms.key, pad))]

    # --- what happens --------------------------------------------------------------------------

    def opened(self, now_s: float) -> list[Output]:
        """The connection that was asked for is there."""
        self._connected, self._opening = self._opening, None
        flight = self._flight
        if flight is None or flight.written or self._connected != flight.plan[0]:
            return []
        return self._write(flight, now_s)

    def lost(self, reason: str, now_ms: int, now_s: float) -> list[Output]:
        """The connection ended, or could not be made."""
        self._connected = self._opening = None
        flight = self._flight
        if flight is None:
            return []
        flight.why = reason
        if flight.fresh:
            return []  # the rest of this try is the pause before the next
        return self._try(now_ms, now_s)  # it had grown old

    def heard(self, data: bytes, now_ms: int, now_s: float) -> list[Output]:
        """Bytes of the receiver."""
        outputs: list[Output] = []
        for found in self._splitter.feed(data):
            try:
                reply = read_reply(found, self._terms.key)
            except BadFrame as bad:
                self._unused("unreadable", f"the receiver's answer is not readable: {bad}")
            else:
                outputs += self._judge(reply, now_ms, now_s)
        return outputs

    def passed(self, now_ms: int, now_s: float) -> list[Output]:
        """Time has passed."""
        flight = self._flight
        if flight is None or now_ms < flight.try_until:
            return []
        flight.plan.pop(0)
        self._connected = self._opening = None
        if not flight.plan:
            return [Close(), *self._failed(flight.why or "the receiver does not answer", now_ms)]
        return [Close(), *self._try(now_ms, now_s)]

    # --- answers -------------------------------------------------------------------------------

    def _judge(self, reply: Reply, now_ms: int, now_s: float) -> list[Output]:
        flight = self._flight
        if flight is None or not flight.written:
            return self._unused("unasked")
        if reply.word == "NAK" and reply.sequence in (0, flight.sequence):
            return self._nak(flight, reply, now_ms, now_s)
        if (reply.sequence, reply.account) != (flight.sequence, self._terms.station.account):
            return self._unused("of-another")
        if reply.word == "DUH":
            return self._duh(flight, now_ms)
        if self._terms.key and not reply.encrypted:
            return self._unused("not-encrypted", "the receiver acknowledges in plain text")
        astray_s = (reply.moment or 0.0) - now_s - self.offset_s if reply.encrypted else 0.0
        if abs(astray_s) > FRESH_S:
            return self._unused("stale", f"the receiver's acknowledgement bears a time {astray_s:+.0f} s from ours")
        return [self._ended(flight, now_ms, Taken())]

    def _unused(self, what: str, why: str = "") -> list[Output]:
        self.counts[what] += 1
        if self._flight and why:
            self._flight.why = why[:150]
        return []

    def _nak(self, flight: _Flight, reply: Reply, now_ms: int, now_s: float) -> list[Output]:
        self.counts["naks"] += 1
        flight.naks += 1
        if flight.naks > MAX_NAKS:
            return self._failed("the receiver takes not even its own time (NAK): look at account and key", now_ms, True)
        if reply.moment is not None and EARLIEST <= reply.moment < LATEST:
            self.offset_s = reply.moment - now_s
        flight.try_until = now_ms + self._terms.retry_ms
        return self._write(flight, now_s)

    def _duh(self, flight: _Flight, now_ms: int) -> list[Output]:
        self.counts["duhs"] += 1
        if flight.message is not NULL:
            return [self._ended(flight, now_ms, Refused(f"the receiver can't use {flight.message.content} (DUH)"))]
        if self._terms.key:
            return self._unused("not-encrypted", "the receiver does not take NULL (DUH)")  # anybody could say so
        return [self._ended(flight, now_ms, Taken())]

    def _ended(self, flight: _Flight, now_ms: int, output: Output) -> Output:
        if not self.up:
            self._up_since = now_ms
        if self.home != flight.plan[0]:
            self.home, self._home_at = flight.plan[0], now_ms + HOME_MS
        self.up, self.reason = True, ""
        self._flight = None
        self._null_at = now_ms + self._terms.supervision_ms
        return output

    def _failed(self, reason: str, now_ms: int, nak: bool = False) -> list[Output]:
        if self.up:
            self._backoff.worked(now_ms - self._up_since)
        self.up, self.reason = False, reason
        self._flight = None
        self.home = 0
        self._rest_until = self._null_at = now_ms + self._backoff.pause_ms()
        return [Failed(reason, nak)]
