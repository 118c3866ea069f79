"""Core's end of the uplink's socket over a real journal, which makes records as fast as it is told: for benches.

No rules, pins or limits: what is measured is how records are kept and carried. Lines on stdin: `make COUNT PER_S LANE`.
Lines on stdout, each after the commit: `kept FIRST LAST LANE` with the journal's `seq`. It ends with its stdin.
"""

import os
import select
import socket
import sys
import time
from collections import deque
from pathlib import Path

from firmware.clock import SystemClock, utc_text
from firmware.config import load
from firmware.core.delivery import Deliveries
from firmware.core.keys import Keys, load_or_make
from firmware.journal.entries import Commit, Draft
from firmware.journal.journal import Journal
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing, load_public
from firmware.protocol.lines import Splitter, encode
from firmware.sd_notify import notify
from rules.effects import JsonValue
from rules.vocabulary import KINDS

KIND = {"alarm": "alarm.hold-up", "status": "area.disarmed"}
PAD = "x" * 200
TURN_RECORDS = 64
FLUSH_S = 0.5


def open_journal(data: Path, run: Path, panel: str, keys: Keys) -> Journal:
    """The journal as a panel opens it, with states that are empty."""
    return Journal.open(
        data,
        run,
        panel,
        keys.signer,
        SystemClock(),
        lambda state: state if isinstance(state, bytes) else b"",
        lambda kind: KINDS[kind].lane.value,
        lambda _kind: False,
    )


class BenchCore:
    """One loop over stdin, the listener and one uplink."""

    def __init__(self, panel_toml: Path) -> None:
        loaded = load(panel_toml)
        self._clock = SystemClock()
        self._panel = loaded.file.panel.id
        keys = load_or_make(loaded.data / "keys")
        self._journal = open_journal(loaded.data, loaded.run, self._panel, keys)
        center = loaded.file.center
        ring = KeyRing([load_public(x) for x in (center.receipt_keys if center else [])])
        self._deliveries = Deliveries(self._journal.reader(), self._panel, ring, self._mark)
        path = loaded.run / "uplink.sock"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._peer: socket.socket | None = None
        self._splitter = Splitter()
        self._number = 0
        self._orders: deque[tuple[int, float, str]] = deque()
        self._due = 0.0
        self._rest = b""

    def run(self) -> int:
        """Until stdin ends."""
        notify("READY=1")
        while True:
            fds = [self._listener.fileno(), sys.stdin.fileno(), *([self._peer.fileno()] if self._peer else [])]
            ready = select.select(fds, [], [], self._wait_s())[0]
            if sys.stdin.fileno() in ready and not self._ordered():
                return 0
            try:
                self._talk(ready)
            except OSError:
                self._peer = None
            self._make()
            self._journal.tend()

    def _wait_s(self) -> float:
        return max(0.0, self._due - time.monotonic()) if self._orders else FLUSH_S

    def _ordered(self) -> bool:
        data = os.read(sys.stdin.fileno(), 4096)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            _, count, per_s, lane = line.decode().split()
            # An alarm does not wait for the rest.
            put = self._orders.appendleft if lane == "alarm" else self._orders.append
            put((int(count), float(per_s), lane))
            self._due = time.monotonic()
        return bool(data)

    def _make(self) -> None:
        if not self._orders or time.monotonic() < self._due:
            return
        count, per_s, lane = self._orders.popleft()
        now = min(count, 1 if per_s else TURN_RECORDS)
        before = self._journal.mark().seq
        self._journal.commit([Commit((self._draft(lane),)) for _ in range(now)])
        print(f"kept {before + 1} {before + now} {lane}", flush=True)
        if count > now:
            self._orders.appendleft((count - now, per_s, lane))
            self._due += now / per_s if per_s else 0.0
        self._say(encode(self._deliveries.head()))

    def _draft(self, lane: str) -> Draft:
        self._number += 1
        clock = self._clock
        payload: dict[str, JsonValue] = {"areas": ["hall"], "n": self._number, "pad": PAD}
        return Draft(KIND[lane], payload, utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())

    def _talk(self, ready: list[int]) -> None:
        if self._listener.fileno() in ready:
            self._peer = self._listener.accept()[0]
            self._splitter = Splitter()
            session = self._journal.session
            self._say(encode(m.Welcome(panel=self._panel, session=session, peer=1, version="bench")))
            self._say(encode(self._deliveries.head()))
        elif self._peer and self._peer.fileno() in ready:
            data = self._peer.recv(262_144)
            for line in self._splitter.feed(data):
                self._answer(m.from_uplink.validate_json(line))
            if not data:
                self._peer = None

    def _answer(self, message: object) -> None:
        match message:
            case m.Pull():
                self._say(self._deliveries.pull_line(message))
            case m.ReceiptIn():
                if delivered := self._deliveries.receipt(message):
                    self._say(encode(delivered) + encode(self._deliveries.head()))

    def _say(self, data: bytes) -> None:
        if self._peer is not None:
            try:
                self._peer.sendall(data)
            except OSError:
                self._peer = None

    def _mark(self, journal: str, lane: str, ranges: list[tuple[int, int]], jws: str) -> None:
        self._journal.mark_delivered(journal, lane, ranges)
        self._journal.keep_receipt(journal, lane, jws)


if __name__ == "__main__":
    sys.exit(BenchCore(Path(sys.argv[1])).run())
