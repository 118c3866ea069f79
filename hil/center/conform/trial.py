"""One trial of a center: the played panel, what was heard of the center so far, and the verdicts.

A scene sends something and then a *fence*, a good record: once that is receipted, what was sent before it was judged
by the center too, and what has no receipt by then gets none.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from firmware.language import Text, pick
from firmware.protocol import signed, typ
from firmware.protocol.records import Record
from hil.center.conform.journal import Journal
from hil.center.conform.player import Player
from hil.center.conform.points import POINTS, Result, Verdict
from hil.center.conform.said import Reader, Said

Operator: TypeAlias = Callable[[str, Text], bool | None]
"""Is asked (id, question), or told to do something; yes, no, or None when nobody answers."""

FOUND: dict[str, Text] = {
    "no-receipt": ("no receipt for {what} within {s} s", "{s} 秒内没有 {what} 的回执"),
    "receipted": ("a receipt for {what}", "出现了 {what} 的回执"),
    "no-fence": ("no receipt for the good record behind it: nothing can be said", "其后的正常记录没有回执:无法判断"),
    "nobody": ("nobody was asked", "未询问操作员"),
    "said-no": ("the operator said no", "操作员回答否"),
    "nothing": ("none came", "未收到"),
    "rate": ("{receipts} receipts for {published} publishes", "{published} 次发布,{receipts} 条回执"),
    "hash": ("{lane} {first}-{last} with hash {hash}", "{lane} {first}-{last},哈希 {hash}"),
    "span": ("{lane} {first}-{last} spans a record that its chain does not vouch for",
             "{lane} {first}-{last} 覆盖了链条未证明的记录"),
    "late-start": ("{s:.1f} s", "{s:.1f} 秒"),
    "qos": ("QoS {qos}", "QoS {qos}"),
    "retained": ("retained", "带保留标志"),
    "nonce": ("nonce {nonce}, of no heartbeat of the last two", "随机数 {nonce} 不属于最近两次心跳"),
    "forged-nonce": ("nonce {nonce}, of a heartbeat that the panel did not sign",
                     "随机数 {nonce} 来自非主机签名的心跳"),
    "counter": ("counter {counter} after {before}", "计数器 {counter},此前为 {before}"),
    "twice": ("the same token twice", "同一令牌出现两次"),
    "no-expiry": ("no message expiry", "没有消息过期时间"),
    "expiry": ("message expiry {s} s", "消息过期时间 {s} 秒"),
    "other-panel": ("it names panel {panel}", "指向主机 {panel}"),
}  # fmt: skip


@dataclass(frozen=True)
class Pace:
    """How long the trial waits, seconds. Of a panel with the defaults; tests are quicker."""

    receipt_s: float = 10.0
    quiet_s: float = 2.0
    beat_s: float = 10.0
    commands_s: float = 120.0
    missed_s: float = 95.0


@dataclass
class Trial:
    """What a scene works with."""

    player: Player
    receipts: Reader
    commands: Reader
    pace: Pace
    operator: Operator
    journal: Journal
    results: dict[str, Result] = field(default_factory=dict)
    sent: dict[tuple[str, str, int], set[str]] = field(default_factory=dict)
    """(journal, lane, lane_seq) to the hashes that were sent under it."""
    _read: int = 0
    _said: list[Said[signed.Receipt]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # --- verdicts

    def judge(self, point: str, verdict: Verdict, found: str = "") -> None:
        """Keep a verdict; a fail stays, and only a fail takes the place of a pass."""
        rank = ("not-seen", "pass", "fail")
        known = self.results.get(point)
        if known is None or rank.index(verdict) > rank.index(known.verdict):
            self.results[point] = Result(POINTS[point], verdict, found)

    def fail(self, point: str, found: str, **values: object) -> None:
        """It does this wrong."""
        self.judge(point, "fail", pick(FOUND[found], **values) if found in FOUND else found[:300])

    def good(self, point: str) -> None:
        """It does this right, as far as seen."""
        self.judge(point, "pass")

    def unseen(self, point: str, found: str) -> None:
        """Nothing can be said."""
        self.judge(point, "not-seen", pick(FOUND[found]))

    def ask(self, point: str, question: Text) -> None:
        """Let the operator judge a point by eye."""
        answer = self.operator(point, question)
        if answer is None:
            self.unseen(point, "nobody")
        elif answer:
            self.good(point)
        else:
            self.fail(point, "said-no")

    # --- records and receipts

    def send(self, record: Record, **how: Any) -> None:
        """Send one record, and remember what a receipt may say of it."""
        self.note(record)
        self.player.send(record, **how)

    def send_batch(self, records: list[Record]) -> None:
        """Send records of one lane in a batch."""
        for record in records:
            self.note(record)
        self.player.send_batch(records)

    def note(self, record: Record) -> None:
        """This record is sent: a receipt for it is right from now on."""
        header = record.header
        self.sent.setdefault((header.journal, header.lane, header.lane_seq), set()).add(record.hash)

    def said(self) -> list[Said[signed.Receipt]]:
        """All receipts that were heard."""
        with self._lock:
            heard = self.player.heard[self._read :]
            self._read += len(heard)
            news = [one for one in heard if one.word == "receipt"]
            self._said += [self.receipts.read(one, typ.RECEIPT, signed.Receipt) for one in news]
            return self._said

    def mark(self) -> int:
        """Where the receipts stand now."""
        return len(self.said())

    def covered(self, record: Record, since: int = 0) -> bool:
        """Whether a receipt names this record's number in its lane, whatever its hash."""
        header = record.header
        return self.named(header.journal, header.lane, header.lane_seq, since)

    def named(self, journal: str, lane: str, lane_seq: int, since: int = 0) -> bool:
        """Whether a receipt names this place."""
        return any(
            said.body.journal == journal
            and said.body.lane == lane
            and any(r.first <= lane_seq <= r.last for r in said.body.ranges)
            for said in self.said()[since:]
            if said.body is not None
        )

    def all_covered(self, records: list[Record], since: int = 0) -> bool:
        """Wait for receipts that name all of these; whether they came in time."""
        return self.player.wait(lambda: all(self.covered(r, since) for r in records), self.pace.receipt_s)

    def expect(self, point: str, records: list[Record], since: int = 0) -> bool:
        """These must be receipted."""
        if self.all_covered(records, since):
            self.good(point)
            return True
        if not self.said() and self.results:
            self.unseen(point, "nothing")  # a center that receipts nothing at all is told so once
            return False
        missing = [record.header for record in records if not self.covered(record, since)]
        what = ", ".join(f"{h.lane} {h.lane_seq}" for h in missing[:5])
        self.fail(point, "no-receipt", what=what, s=f"{self.pace.receipt_s:g}")
        return False

    def fence(self) -> bool:
        """Send a good record of the status lane and wait for its receipt, and a little more."""
        record = self.journal.add("test.report", "status")
        self.send(record)
        there = self.all_covered([record])
        time.sleep(self.pace.quiet_s)  # nothing tells that a receipt will *not* come
        return there

    def expect_none(self, point: str, named: Callable[[], bool], what: str) -> None:
        """Behind a fence, nothing of this may be receipted."""
        if not self.fence():
            self.unseen(point, "no-fence")
        elif named():
            self.fail(point, "receipted", what=what)
        else:
            self.good(point)
