"""Nothing that a panel sends can exhaust the center, or delay another panel's receipts."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.center import Center, store
from hil.center.alarms import MAX_OPEN, alarms
from hil.center.inbox import MAX_SHARE_BYTES, MAX_TURN_OF_ONE, OVERHEAD, Inbox
from hil.center.reader import Garbage
from tests.hil.tiny_panel import Journal, TinyPanel

Make = Callable[..., TinyPanel]


def count(center: Center, name: str) -> int:
    return center.counts().get(name, 0)


def topic(panel: str) -> str:
    return f"fenghuo/v1/{panel}/event/alarm"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60), st.integers(1, 7))
def test_panels_take_turns_and_each_keeps_its_order(sent: list[tuple[str, int]], most: int) -> None:
    inbox = Inbox(share=10)
    kept: dict[str, list[bytes]] = {}
    for panel, value in sent:
        if len(kept.setdefault(panel, [])) < 10:
            kept[panel].append(bytes([value]))
        inbox.put(topic(panel), bytes([value]))
    assert inbox.dropped["share-full"] == len(sent) - sum(map(len, kept.values()))
    inbox.close()
    got: dict[str, list[bytes]] = {}
    running = True
    turn: list[tuple[str, bytes]] = []
    while running:
        turn, running = inbox.take(most, None)
        assert len(turn) <= most
        for where, data in turn:
            got.setdefault(where.split("/")[2], []).append(data)
    assert got == {panel: values for panel, values in kept.items() if values}


def test_a_flood_waits_behind_nobody_but_itself() -> None:
    inbox = Inbox(share=100)
    for n in range(100):
        inbox.put(topic("loud"), bytes([n]))
    inbox.put(topic("quiet"), b"help")
    taken, _ = inbox.take(2, None)
    assert [where.split("/")[2] for where, _ in taken] == ["loud", "quiet"]
    assert inbox.flooding() == set()
    for n in range(3):
        inbox.put(topic("loud"), bytes([n]))
    assert inbox.flooding() == {"loud"}
    assert inbox.flooding() == set(), "told once"


def test_who_floods_is_found(center: Center, panel: TinyPanel, make_panel: Make) -> None:
    other = make_panel()
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    assert panel.wait(lambda: panel.delivered(1))
    full = Inbox(share=0)
    full.put(topic(panel.panel), b"")
    full.put(topic("a-stranger"), b"")
    center.inbox.flooding = full.flooding  # type: ignore[method-assign]
    other.send(other.journal.add("alarm.intruder", "alarm"))
    assert other.wait(lambda: other.delivered(1))
    found = [(row["panel"], row["what"]) for row in center.store.rows("SELECT panel, what FROM findings")]
    assert found == [(panel.panel, "flood")]


def test_one_panel_does_not_fill_a_whole_transaction() -> None:
    inbox = Inbox()
    for n in range(200):
        inbox.put(topic("loud"), bytes([n]))
    inbox.put(topic("quiet"), b"help")
    sizes = [len(inbox.take(512, None)[0]) for _ in range(4)]
    assert sizes == [MAX_TURN_OF_ONE + 1, MAX_TURN_OF_ONE, MAX_TURN_OF_ONE, 200 - 3 * MAX_TURN_OF_ONE]


def test_a_share_is_bounded_in_bytes_too() -> None:
    inbox = Inbox()
    for _ in range(100):
        inbox.put(topic("loud"), bytes(256 * 1024))
    inbox.put(topic("quiet"), b"help")
    assert inbox.dropped["share-full"] == 100 - MAX_SHARE_BYTES // (256 * 1024 + OVERHEAD)
    kept = 100 - inbox.dropped["share-full"]
    assert kept < MAX_TURN_OF_ONE
    assert len(inbox.take(200, None)[0]) == kept + 1
    inbox.put(topic("loud"), bytes(256 * 1024))
    assert len(inbox.take(1, None)[0]) == 1, "there is room again"


def test_a_full_inbox_holds_the_network_back_until_there_is_room() -> None:
    inbox = Inbox(max_bytes=3 * (OVERHEAD + 10))
    for n in range(3):
        inbox.put(topic(f"p-{n}"), bytes(10))
    late = threading.Thread(target=inbox.put, args=(topic("late"), b"x"))
    late.start()
    first, _ = inbox.take(1, None)
    late.join(10)
    assert not late.is_alive()
    assert not inbox.dropped
    assert len(first) == 1
    assert len(inbox.take(10, time.monotonic())[0]) == 3


def test_beyond_its_quota_nothing_of_a_panel_is_kept_or_receipted_but_duplicates_are(
    mosquitto: int, tmp_path: Path
) -> None:
    panel = TinyPanel("127.0.0.1", mosquitto, "quota-1")
    other = TinyPanel("127.0.0.1", mosquitto, "quota-2")
    keys = {"quota-1": panel.x, "quota-2": other.x}
    with Center("127.0.0.1", mosquitto, tmp_path, panels=keys.get, quota=4000) as center:
        for each in (panel, other):
            each.trust(center.receipt_key.x, center.command_key.x)
        for record in panel.journal.fill(9):
            panel.send(record)
        assert center.wait(lambda c: count(c, "full") > 0 and count(c, "full") + count(c, "record") == 9, 20)
        kept = count(center, "record")
        assert 0 < kept < 9
        assert panel.wait(lambda: panel.delivered(kept))
        panel.receipts.clear()
        panel.send(panel.journal.records[0])
        assert panel.wait(lambda: panel.delivered(1)), "what is held is receipted again"
        other.send(other.journal.add("alarm.intruder", "alarm"))
        assert other.wait(lambda: other.delivered(1))
        found = [row["what"] for row in center.store.rows("SELECT what FROM findings")]
        assert found == ["quota"], "told once, however often it happens"
    for each in (panel, other):
        each.close()


def test_journals_heads_findings_and_replies_of_a_panel_are_bounded(
    center: Center, panel: TinyPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAX_JOURNALS", "MAX_FINDINGS_OF_ONE", "MAX_REPLIES"):
        monkeypatch.setattr(store, name, 3)
    for n in range(6):
        panel.journal = Journal(panel.panel)
        panel.send(panel.journal.add("alarm.intruder", "alarm"))
        panel.beat()
        panel.reply(n + 1)
        panel.publish("heartbeat", f"nonsense {n}")
    assert center.wait(lambda c: count(c, "garbage.signature") == 6, 20)
    tables = ("records", "heads", "replies", "findings")
    counts = [len(center.store.rows(f"SELECT * FROM {name} WHERE panel=?", panel.panel)) for name in tables]  # noqa: S608
    assert counts == [3, 3, 3, 3]
    assert center.reply(panel.panel, 6) is not None, "the newest replies stay"
    assert count(center, "full") == 3
    assert count(center, "garbage.too-many-journals-heartbeat") == 3


def test_open_alarms_are_bounded_and_the_newest_stay(
    center: Center, panel: TinyPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.center.alarms.MAX_OPEN", 3)
    for _ in range(5):
        panel.send(panel.journal.add("alarm.intruder", "alarm"))
    assert panel.wait(lambda: panel.delivered(5))
    assert sorted(alarm.seq for alarm in alarms(center.store, panel.panel)) == [3, 4, 5]
    assert count(center, "alarm-not-looked-at") == 2
    assert MAX_OPEN == 1000


def test_chains_in_memory_are_bounded_and_read_anew(
    center: Center, make_panel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_CHAINS", 2)
    panels = [make_panel() for _ in range(4)]
    for panel in panels:
        panel.journal.fill(4)
    for number in range(4):
        for panel in panels:
            panel.send(panel.journal.records[number])
    for panel in panels:
        assert panel.wait(partial(panel.delivered, 4))
        assert center.complete(panel.panel, {panel.journal.id: panel.journal.head}) == []
    assert len(center.store._chains) <= 2


def test_an_answerer_is_asked_by_its_word_and_may_refuse(center: Center, panel: TinyPanel) -> None:
    heard: list[tuple[str, bytes]] = []

    def renew(name: str, data: bytes) -> dict[str, str]:
        heard.append((name, data))
        if data == b"bad":
            raise Garbage("malformed", "no request")
        if data == b"broken":
            raise RuntimeError("an answerer failed")
        return {"command": "the answer"}

    center.answer("renewal", renew)
    for data in (b"good", b"bad", b"broken"):
        panel.publish("renewal", data)
    assert panel.wait(lambda: panel.tokens == ["the answer"])
    assert center.wait(lambda c: count(c, "garbage.internal") == 1, 20)
    assert heard == [(panel.panel, data) for data in (b"good", b"bad", b"broken")]
    assert (count(center, "asked.renewal"), count(center, "garbage.malformed")) == (1, 1)
