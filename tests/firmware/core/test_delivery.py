"""Core's side of delivery: a receipt counts only when everything about it is right, and the uplink is never trusted."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from firmware.core.delivery import Deliveries
from firmware.protocol.jws import MAX_BYTES, KeyRing, Signer
from firmware.protocol.messages import MAX_LINE, Acknowledged, Delivered, Pull, ReceiptIn
from firmware.protocol.records import faults
from firmware.protocol.typ import COMMAND, RECEIPT
from hil.memory_journal import MemoryJournal

PANEL = "bank-7"
CENTER = Signer(Ed25519PrivateKey.from_private_bytes(b"c" * 32))
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.clause("GB 55029 6.0.4")
@dataclass
class Core:
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal(PANEL))
    refused: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(10):
            self.journal.append("alarm", "alarm.intrusion", {"n": number})
            self.journal.append("status", "area.armed", {"n": number})
        self.name = self.journal.heads()[0].journal
        self.deliveries = Deliveries(
            self.journal,
            PANEL,
            KeyRing([CENTER.public]),
            self.journal.mark,
            lambda *what: self.refused.append(what),
            frozenset({"receiver"}),
        )

    def hash(self, number: int, lane: str = "alarm") -> str:
        return self.journal.hash_of(self.name, lane, number) or ""

    def body(self, **changes: Any) -> dict[str, Any]:
        body = {"panel": PANEL, "journal": self.name, "lane": "alarm", "ranges": [self.span(1, 5)]}
        return {**body, **changes}

    def span(self, first: int, last: int, **changes: Any) -> dict[str, Any]:
        return {"first": first, "last": last, "hash": self.hash(last) or "f" * 64, **changes}

    def take(self, jws: str) -> Delivered | None:
        return self.deliveries.receipt(ReceiptIn(jws=jws))


def test_a_good_receipt_delivers_its_ranges_and_is_kept() -> None:
    core = Core()
    jws = CENTER.sign(RECEIPT, core.body(ranges=[core.span(1, 3), core.span(5, 7)]))
    assert core.take(jws) == Delivered(journal=core.name, lane="alarm", ranges=[(1, 3), (5, 7)])
    assert core.journal.undelivered() == 20 - 6
    assert core.deliveries.head().journals[0].first_undelivered["alarm"] == 4
    assert core.take(jws) is not None, "the same once more does no harm"
    assert core.journal.undelivered() == 20 - 6
    assert core.refused == []


CASES: list[tuple[str, Any]] = [
    ("wrong-panel", lambda c: CENTER.sign(RECEIPT, c.body(panel="bank-8"))),
    ("unknown-journal", lambda c: CENTER.sign(RECEIPT, c.body(journal=UNKNOWN))),
    ("wrong-hash", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[c.span(1, 5, hash=c.hash(4))]))),
    ("wrong-hash", lambda c: CENTER.sign(RECEIPT, c.body(lane="status"))),
    ("wrong-hash", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[c.span(1, 5), c.span(6, 7, hash="0" * 64)]))),
    ("beyond-journal", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[c.span(1, 11)]))),
    ("beyond-journal", lambda c: CENTER.sign(RECEIPT, c.body(lane="evidence", ranges=[c.span(1, 1)]))),
    ("malformed", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[c.span(6, 5)]))),
    ("malformed", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[]))),
    ("malformed", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[c.span(1, 5)] * 65))),
    ("malformed", lambda c: CENTER.sign(RECEIPT, c.body(extra=1))),
    ("malformed", lambda c: CENTER.sign(RECEIPT, c.body(ranges=[c.span(0, 5)]))),
    ("malformed", lambda _: "x" * MAX_BYTES),
    ("malformed", lambda _: ""),
    ("unknown-key", lambda c: STRANGER.sign(RECEIPT, c.body())),
    ("wrong-type", lambda c: CENTER.sign(COMMAND, c.body())),
    ("bad-signature", lambda c: _swapped(CENTER.sign(RECEIPT, c.body()), CENTER.sign(RECEIPT, c.body(lane="status")))),
    ("unsigned", lambda _: "eyJhbGciOiJub25lIn0.e30."),
]


def _swapped(one: str, other: str) -> str:
    header, payload, _ = one.split(".")
    return f"{header}.{payload}.{other.split('.')[2]}"


@pytest.mark.clause("GB 55029 6.0.4")
@pytest.mark.parametrize(("reason", "make"), CASES)
def test_a_bad_receipt_changes_nothing_and_is_told(reason: str, make: Any) -> None:
    core = Core()
    assert core.take(make(core)) is None
    assert core.journal.undelivered() == 20
    assert core.journal.receipts == 0
    assert [why for why, _ in core.refused] == [reason]
    assert len(core.refused[0][1]) < 400
    assert core.deliveries.refusals == {reason: 1}


@given(st.integers(0, 2**31), st.integers(1, 255))
def test_a_receipt_with_any_changed_byte_does_not_count(where: int, change: int) -> None:
    core = Core()
    jws = bytearray(CENTER.sign(RECEIPT, core.body()).encode())
    jws[where % len(jws)] ^= change
    assert core.take(jws.decode("latin-1")) is None
    assert core.journal.undelivered() == 20


@given(st.text(max_size=400))
def test_garbage_never_raises(text: str) -> None:
    core = Core()
    assert core.take(text) is None
    assert len(core.refused) == 1


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 64), st.lists(st.integers(1, 10), max_size=6))
def test_a_pull_gives_the_undelivered_of_its_range_in_order(
    first: int, last: int, limit: int, delivered: list[int]
) -> None:
    core = Core()
    for number in delivered:
        core.take(CENTER.sign(RECEIPT, core.body(ranges=[core.span(number, number)])))
    answer = core.deliveries.pull(Pull(journal=core.name, lane="alarm", first=first, last=last, limit=limit))
    wanted = [n for n in range(first, min(last, 10) + 1) if n not in delivered]
    assert [r.header.lane_seq for r in answer.records] == wanted[:limit]
    assert all(faults(record) == [] for record in answer.records)
    assert answer.next == (wanted[limit] if len(wanted) > limit else last + 1)


def test_a_pull_of_an_unknown_journal_is_empty() -> None:
    answer = Core().deliveries.pull(Pull(journal=UNKNOWN, lane="alarm", first=1, last=5))
    assert (answer.records, answer.next) == ([], 6)


def test_a_full_answer_fits_a_line_and_an_expired_payload_is_null() -> None:
    core = Core()
    for _ in range(64):
        core.journal.append("alarm", "alarm.intrusion", {"note": "火" * 2_000})
    line = core.deliveries.pull_line(Pull(journal=core.name, lane="alarm", first=1, last=100))
    assert line.endswith(b"\n")
    assert len(line) <= MAX_LINE
    value = json.loads(line)
    assert value["type"] == "records"
    assert 10 < len(value["records"]) < 64


def acknowledged(core: Core, **changes: Any) -> Delivered | None:
    body = {"path": "receiver", "journal": core.name, "lane": "alarm", "ranges": [(1, 3), (5, 5)], **changes}
    return core.deliveries.acknowledged(Acknowledged.model_validate(body))


def test_an_acknowledgement_delivers_its_ranges_and_is_kept_as_what_it_is() -> None:
    core = Core()
    kept: list[str] = []

    def mark(journal: str, lane: str, ranges: list[tuple[int, int]], receipt: str) -> None:
        core.journal.mark(journal, lane, ranges, receipt)
        kept.append(receipt)

    core.deliveries._mark = mark
    ranges = [(1, 3), (5, 5)]
    assert acknowledged(core) == Delivered(journal=core.name, lane="alarm", ranges=ranges, path="receiver")
    assert core.journal.undelivered() == 20 - 4
    assert kept == ["dc09:receiver"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ranges": [(1, 3), (9, 11)]}, "beyond-journal"),
        ({"ranges": [(3, 1)]}, "beyond-journal"),
        ({"journal": UNKNOWN}, "unknown-journal"),
        ({"lane": "evidence"}, "beyond-journal"),
        ({"path": "primary"}, "unsigned"),
    ],
)
def test_an_acknowledgement_that_does_not_count_changes_nothing(changes: dict[str, Any], reason: str) -> None:
    core = Core()
    assert acknowledged(core, **changes) is None
    assert core.journal.undelivered() == 20
    assert [found for found, _ in core.refused] == [reason]
