"""Core's side of delivery over a real journal file: cursors and receipts that outlive the process."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.core.delivery import Deliveries
from firmware.journal.entries import Commit, Draft
from firmware.journal.journal import Journal
from firmware.protocol.jws import KeyRing, Signer
from firmware.protocol.messages import Delivered, Pull, ReceiptIn
from firmware.protocol.records import faults
from firmware.protocol.typ import RECEIPT
from rules.vocabulary import KINDS
from tests.clock import TurnedClock

PANEL = "bank-7"
CENTER = Signer(Ed25519PrivateKey.from_private_bytes(b"c" * 32))
CORE = Signer(Ed25519PrivateKey.from_private_bytes(b"p" * 32))
ALARM = next(kind.name for kind in KINDS.values() if kind.lane == "alarm" and not kind.checkpoint)


def opened(folder: Path) -> tuple[Journal, Deliveries]:
    journal = Journal.open(
        folder / "data",
        folder / "run",
        PANEL,
        CORE,
        TurnedClock(),
        lambda state: state if isinstance(state, bytes) else b"",
        lambda kind: KINDS[kind].lane.value,
        lambda _kind: False,
    )

    def mark(name: str, lane: str, ranges: list[tuple[int, int]], jws: str) -> None:
        journal.mark_delivered(name, lane, ranges)
        journal.keep_receipt(name, lane, jws)

    return journal, Deliveries(journal.reader(), PANEL, KeyRing([CENTER.public]), mark)


def test_receipts_move_the_cursor_and_it_is_still_there_after_a_restart(tmp_path: Path) -> None:
    journal, core = opened(tmp_path)
    drafts = [Draft(ALARM, {"n": n}, "2026-03-14T23:09:26.123Z", "synchronised", "boot", n) for n in range(10)]
    journal.commit([Commit(tuple(drafts))])
    name = core.head().journals[-1].journal
    answer = core.pull(Pull(journal=name, lane="alarm", first=1, last=100))
    assert [record.header.lane_seq for record in answer.records] == list(range(1, 11))
    assert all(faults(record) == [] for record in answer.records)
    good = {"first": 1, "last": 4, "hash": answer.records[3].hash}
    forged = {"first": 1, "last": 10, "hash": answer.records[3].hash}
    body = {"panel": PANEL, "journal": name, "lane": "alarm"}
    assert core.receipt(ReceiptIn(jws=CENTER.sign(RECEIPT, {**body, "ranges": [forged]}))) is None
    assert core.head().journals[-1].first_undelivered["alarm"] == 1
    taken = core.receipt(ReceiptIn(jws=CENTER.sign(RECEIPT, {**body, "ranges": [good]})))
    assert taken == Delivered(journal=name, lane="alarm", ranges=[(1, 4)])
    journal.close()
    again, core = opened(tmp_path)
    head = next(head for head in core.head().journals if head.journal == name)
    assert head.first_undelivered["alarm"] == 5
    rest = core.pull(Pull(journal=name, lane="alarm", first=1, last=100))
    assert [record.header.lane_seq for record in rest.records] == list(range(5, head.last["alarm"] + 1))
    again.close()


@pytest.mark.parametrize(
    ("column", "altered", "kept"),
    [
        ("header", b'{"kind":', [1, 2, 4, 5]),
        ("header", b"\xff\xfe", [1, 2, 4, 5]),
        ("header", b'{"a":1}', [1, 2, 4, 5]),
        ("payload", b'{"n":', [1, 2, 3, 4, 5]),
        ("payload", b"\xff", [1, 2, 3, 4, 5]),
        ("payload", b'{"n":99}', [1, 2, 3, 4, 5]),
    ],
)
def test_a_record_that_the_disk_altered_holds_back_no_other(
    tmp_path: Path, column: str, altered: bytes, kept: list[int]
) -> None:
    journal, core = opened(tmp_path)
    drafts = [Draft(ALARM, {"n": n}, "2026-03-14T23:09:26.123Z", "synchronised", "boot", n) for n in range(5)]
    journal.commit([Commit(tuple(drafts))])
    with closing(sqlite3.connect(tmp_path / "data" / "journal.sqlite")) as disk:
        disk.execute(f"UPDATE record SET {column} = ? WHERE lane = 'alarm' AND lane_seq = 3", (altered,))  # noqa: S608
        disk.commit()
    name = core.head().journals[-1].journal
    answer = core.pull(Pull(journal=name, lane="alarm", first=1, last=5))
    assert [record.header.lane_seq for record in answer.records] == kept
    assert answer.next == 6
    readable = altered == b'{"n":99}'
    payloads = {record.header.lane_seq: record.payload for record in answer.records}
    assert {n: payload for n, payload in payloads.items() if n != 3} == {n: {"n": n - 1} for n in (1, 2, 4, 5)}
    assert payloads.get(3) == ({"n": 99} if readable else None)
    assert core.unsound == (0 if readable else 1)
    if readable:
        assert faults(answer.records[2]) != []
    journal.close()
