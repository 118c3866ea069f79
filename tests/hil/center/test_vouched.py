"""What a journal's own records say: checkpoints, bases and successors, as the center takes them."""

from collections.abc import Callable
from typing import Any

import pytest

from hil.center import Center
from hil.center.vouched import follows
from hil.center.watch import held
from tests.hil.tiny_panel import NOW, Journal, TinyPanel

Make = Callable[..., TinyPanel]


def count(center: Center, name: str) -> int:
    return center.counts().get(name, 0)


def base_of(panel: TinyPanel, seq: int, changed: dict[str, Any] | None = None) -> dict[str, Any]:
    before = panel.journal.records[seq - 1]
    body = {
        "panel": panel.panel,
        "journal": panel.journal.id,
        "seq": seq,
        "hash": before.hash,
        "state_hash": "1" * 64,
        "time": NOW,
        "lanes": {},
        "expired": 0,
    }
    return body | (changed or {})


def test_records_below_a_signed_base_are_no_gap(center: Center, panel: TinyPanel) -> None:
    panel.journal.fill(6)
    jws = panel.signer.sign("fenghuo.base.v1", base_of(panel, 4))
    panel.journal.add("journal.base", "status", {"jws": jws, "removed": 4})
    panel.send(panel.journal.records[6])
    assert panel.wait(lambda: panel.delivered(1))
    assert center.gaps(panel.panel) == {panel.journal.id: [(5, 6)]}
    for record in panel.journal.records[4:6]:
        panel.send(record)
    assert panel.wait(lambda: panel.delivered(3))
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert center.complete(panel.panel) == []
    seen = held(center.store, panel.panel)
    assert (seen.verified, seen.vouched, seen.missing, seen.held) == (7, 7, 0, 3)
    assert count(center, "finding.base") == 0


@pytest.mark.parametrize("wrong", ["key", "journal", "hash", "seq"])
def test_a_base_that_does_not_fit_hides_nothing(center: Center, make_panel: Make, wrong: str) -> None:
    panel, stranger = make_panel(), make_panel()
    records = panel.journal.fill(4)
    panel.send(records[1])
    changed: dict[str, dict[str, Any]] = {
        "journal": {"journal": stranger.journal.id},
        "hash": {"hash": "5" * 64},
        "seq": {"seq": 9},
    }
    signer = stranger.signer if wrong == "key" else panel.signer
    jws = signer.sign("fenghuo.base.v1", base_of(panel, 2, changed.get(wrong)))
    panel.send(panel.journal.add("journal.base", "status", {"jws": jws, "removed": 2}))
    assert panel.wait(lambda: panel.delivered(2))
    assert count(center, "finding.base") == 1
    assert center.gaps(panel.panel) == {panel.journal.id: [(1, 1), (3, 4)]}


def checkpoint_of(panel: TinyPanel) -> dict[str, Any]:
    seq, own_hash = panel.journal.head
    return {"panel": panel.panel, "journal": panel.journal.id, "seq": seq, "hash": own_hash, "state_hash": "1" * 64,
            "time": NOW}  # fmt: skip


def test_checkpoints_vouch_and_a_wrong_one_is_found(center: Center, panel: TinyPanel) -> None:
    panel.journal.fill(2)
    jws = panel.signer.sign("fenghuo.checkpoint.v1", checkpoint_of(panel))
    panel.journal.add("journal.checkpoint", "status", {"jws": jws})
    for record in panel.journal.records:
        panel.send(record)
    assert panel.wait(lambda: panel.delivered(3))
    assert held(center.store, panel.panel).vouched == 2
    panel.send(panel.journal.add("journal.checkpoint", "status", {"jws": jws}))
    assert panel.wait(lambda: panel.delivered(4))
    assert count(center, "finding.checkpoint") == 1
    assert held(center.store, panel.panel).vouched == 2


@pytest.mark.parametrize(
    ("named", "finding"),
    [("right", ""), ("lower", "journal-cut"), ("other", "journal-exchanged"), ("none", "journal-exchanged")],
)
def test_a_new_journal_must_follow_the_one_that_heartbeats_knew(
    center: Center, panel: TinyPanel, named: str, finding: str
) -> None:
    old = panel.journal
    for record in old.fill(3):
        panel.send(record)
    panel.beat()
    assert panel.wait(lambda: panel.delivered(3))
    seq, own_hash = old.head
    last = {
        "right": {"journal": old.id, "seq": seq, "hash": own_hash},
        "lower": {"journal": old.id, "seq": seq - 1, "hash": old.records[-2].hash},
        "other": {"journal": panel.journal.id[::-1], "seq": seq, "hash": own_hash},
        "none": None,
    }[named]
    panel.journal = Journal(panel.panel)
    panel.send(panel.journal.add("journal.begun", "status", {"reason": "corrupt", "last": last}))
    panel.beat()
    assert center.wait(lambda c: len(c.heads(panel.panel)) == 2, 20)
    found = {row["what"] for row in center.store.rows("SELECT what FROM findings")}
    assert found == ({finding} if finding else set())
    assert center.complete(panel.panel) == []
    follows(center.store, panel.panel, panel.journal.id, NOW)
