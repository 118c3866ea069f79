"""Which record goes next by DC-09: by lane, live before stored, each once, and what other ways deliver meanwhile."""

from pathlib import Path

import pytest

from firmware.protocol import messages as m
from firmware.uplink.dc09.feed import OLD_S, Feed
from firmware.uplink.dc09.ledger import Ledger
from tests.firmware.uplink.dc09.rig import JOURNAL, MOMENT, OTHER, head, journal_head, record

BOTH = frozenset({"alarm", "status"})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "d.json")


def answer(feed: Feed, skip: tuple[int, ...] = (), now_s: float = MOMENT) -> m.Pull:
    """Ask and answer with all that is asked for but `skip`."""
    pull = feed.wants()
    assert pull is not None
    respond(feed, pull, skip, now_s)
    return pull


def respond(feed: Feed, pull: m.Pull, skip: tuple[int, ...] = (), now_s: float = MOMENT) -> None:
    numbers = [n for n in range(pull.first, pull.last + 1) if n not in skip][: pull.limit]
    records = [record("alarm.entry", {}, pull.lane, n, pull.journal) for n in numbers]
    go_on = numbers[-1] + 1 if len(numbers) == pull.limit else pull.last + 1
    feed.answered(m.Records(journal=pull.journal, lane=pull.lane, records=records, next=go_on), now_s)


def drain(feed: Feed, ledger: Ledger) -> list[tuple[str, int]]:
    """Everything that goes out, in order."""
    gone = []
    while (pull := feed.wants()) is not None:
        respond(feed, pull)
        while (found := feed.next()) is not None:
            key, number = (found.header.journal, found.header.lane), found.header.lane_seq
            gone.append((found.header.lane, number))
            ledger.settle(key, number, acknowledged=True)
    return gone


def test_nothing_is_asked_without_duty_or_core(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    assert feed.wants() is None
    feed.head(head((1, 3)))
    feed.duty(frozenset())
    assert feed.wants() is None


def test_alarms_first_what_is_new_before_what_waited_and_each_once(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 2), status=(1, 1)))
    feed.head(head(alarm=(1, 4), status=(1, 2)))
    assert drain(feed, ledger) == [("alarm", 3), ("alarm", 4), ("alarm", 1), ("alarm", 2), ("status", 2), ("status", 1)]
    feed.head(head(alarm=(1, 4), status=(1, 2)))
    assert feed.wants() is None


def test_a_new_alarm_overtakes_what_core_has_handed_out_already(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(status=(1, 5)))
    answer(feed)
    assert feed.next() is not None
    feed.head(head(alarm=(1, 1), status=(1, 5)))
    assert feed.next() is None, "what was at hand is of less weight"
    pull = answer(feed)
    assert (pull.lane, pull.first, pull.last) == ("alarm", 1, 1)


def test_what_core_leaves_out_was_delivered_and_is_never_asked_again(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 5)))
    answer(feed, skip=(1, 3))
    assert ledger.settled((JOURNAL, "alarm")).items == ((1, 1), (3, 3))
    assert ledger.acknowledged((JOURNAL, "alarm")).items == ()


def test_what_is_delivered_while_it_waits_does_not_go_out(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 3)))
    answer(feed)
    feed.delivered(m.Delivered(journal=JOURNAL, lane="alarm", ranges=[(1, 2)]))
    found = feed.next()
    assert found is not None
    assert found.header.lane_seq == 3
    assert feed.counts["delivered"] == 2


def test_with_all_alarms_a_receipt_by_another_path_stops_no_live_one(ledger: Ledger) -> None:
    feed = Feed(ledger, all_alarms=True)
    feed.duty(frozenset({"alarm"}))
    feed.head(head(alarm=(1, 2)))
    feed.head(head(alarm=(4, 3)))
    pull = answer(feed)
    assert (pull.first, pull.last, pull.again) == (3, 3, True)
    feed.delivered(m.Delivered(journal=JOURNAL, lane="alarm", ranges=[(3, 3)]))
    assert feed.next() is not None


def test_records_of_days_ago_are_no_news_where_another_way_delivers_them(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 2)))
    answer(feed, now_s=MOMENT + OLD_S + 1)
    assert feed.next() is None
    assert feed.counts["too-old"] == 2
    assert feed.wants() is None
    alone = Feed(ledger, patient=False)
    alone.duty(BOTH)
    alone.head(head(status=(1, 1)))
    answer(alone, now_s=MOMENT + OLD_S + 1)
    assert alone.next() is not None


def test_the_newest_journal_goes_first(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 0), journal=OTHER))
    feed.head(m.Head(journals=[journal_head((1, 1), (1, 0), OTHER), journal_head((1, 1), (1, 0), JOURNAL)]))
    assert answer(feed).journal == JOURNAL


def test_a_record_that_core_can_not_read_holds_up_no_other_lane(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 2), status=(1, 1)))
    pull = feed.wants()
    assert pull is not None
    feed.answered(m.Records(journal=JOURNAL, lane="alarm", records=[], next=1), MOMENT)
    assert answer(feed).lane == "status"
    assert feed.next() is not None
    feed.head(head(alarm=(1, 3), status=(2, 1)))
    assert answer(feed).lane == "alarm"


def test_what_was_asked_of_a_core_that_is_gone_is_asked_anew(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 1)))
    assert feed.wants() is not None
    assert feed.wants() is None, "one at a time"
    feed.core_lost()
    assert feed.wants() is None
    feed.head(head(alarm=(1, 1)))
    assert feed.wants() is not None
    feed.refused()
    assert feed.wants() is None, "until its head moves"
    feed.head(head(alarm=(1, 1)))
    assert feed.wants() is not None


def test_a_long_backlog_is_asked_for_in_small_pieces(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(status=(1, 1_000_000)))
    pull = feed.wants()
    assert pull is not None
    assert pull.limit == m.MAX_BATCH_RECORDS


def test_a_record_put_back_goes_next_unless_it_is_no_longer_our_duty(ledger: Ledger) -> None:
    feed = Feed(ledger)
    feed.duty(BOTH)
    feed.head(head(alarm=(1, 2)))
    answer(feed)
    first = feed.next()
    assert first is not None
    feed.put_back(first)
    assert feed.next() is first
    feed.duty(frozenset({"status"}))
    feed.put_back(first)
    assert feed.next() is None
