"""The delivery logic under a duty: what it does not carry it does not pull, and it proves itself instead."""

import json

import pytest

from firmware.protocol import messages as m
from firmware.uplink import events as e
from firmware.uplink.latencies import EVERY_MS, STEPS_MS, Histogram, Latencies
from tests.firmware.uplink.world import World, receipt

JOURNAL_RECORD = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47-7"
HOUR_MS = 3_600_000


def idle(**settings: int) -> World:
    """A path without a duty."""
    world = World(path_fault_ms=5_000, receipt_timeout_ms=1_000, proof_ms=HOUR_MS, **settings)
    world.feed(e.Duty(frozenset()))
    return world


def proven(world: World, lane: str = "status") -> None:
    """A record that another path delivered."""
    world.record(lane)
    journal, record = world.journal.records()[-1]
    world.journal.mark(journal, lane, [(record.lane_seq, record.lane_seq)], "receipt")


def proofs(world: World) -> list[m.Pull]:
    return [pull for pull in world.pulls if pull.again]


def test_without_a_duty_nothing_waiting_is_sent_but_the_proof() -> None:
    world = idle()
    proven(world)
    for lane in ("alarm", "status", "status"):
        world.record(lane)
    world.start_core()
    world.open()
    world.settle()
    assert [(lane, number, stored) for lane, _, number, stored in world.center.arrivals] == [("status", 1, True)]
    assert [path.up for path in world.paths] == [True]
    assert world.journal.undelivered() == 3


def test_the_proof_is_given_again_when_its_time_has_come() -> None:
    world = idle()
    proven(world)
    world.start_core()
    world.open()
    world.settle()
    world.pass_ms(HOUR_MS - 1)
    assert len(proofs(world)) == 1
    world.pass_ms(2)
    world.settle()
    assert len(proofs(world)) == 2
    assert world.center.duplicates == 1
    assert [path.up for path in world.paths] == [True]


@pytest.mark.clause("EN 50136 idle path")
def test_a_proof_without_a_receipt_is_tried_again_and_then_a_fault() -> None:
    world = idle()
    world.center.silent = True
    proven(world)
    world.start_core()
    world.open()
    world.settle()
    for _ in range(4):
        world.pass_ms(1_000)
        world.settle()
    assert len(proofs(world)) == 5
    assert world.paths == []
    world.pass_ms(1_100)
    assert [(path.up, path.detail) for path in world.paths] == [(False, "the center does not receipt")]
    assert [end.reason for end in world.disconnects] == ["the center does not receipt"]


def test_without_any_record_the_connection_has_to_do() -> None:
    world = idle()
    world.start_core()
    world.open()
    world.settle()
    assert [path.up for path in world.paths] == [True]
    assert world.published[-1].topic.endswith("/link")


def test_another_paths_receipt_does_not_vouch_for_this_one() -> None:
    world = World(path_fault_ms=5_000)
    world.start_core()
    world.open()
    world.settle()
    world.record("alarm")
    world.settle_core()
    (record,) = [record for _, record in world.journal.records()]
    journal = world.journal.heads()[-1].journal
    world.feed(m.Delivered(journal=journal, lane="alarm", ranges=[(1, 1)], path="backup"))
    assert world.delivery.unreceipted() == 0, "it need not be sent again"
    up_since = world.delivery.supervision.up_since
    world.feed(e.Received("receipt", receipt(journal, "alarm", [(1, 1, record.hash)]).encode()))
    world.settle_core()
    assert world.delivery.supervision.up_since == up_since


def test_a_path_is_up_by_its_own_receipts_alone() -> None:
    told = {}
    for by in ("backup", "primary"):
        world = World(path_fault_ms=5_000)
        world.center.silent = True
        world.record("alarm")
        world.start_core()
        world.open()
        world.settle()
        assert world.paths == [], "an alarm waits"
        journal = world.journal.heads()[-1].journal
        world.feed(m.Delivered(journal=journal, lane="alarm", ranges=[(1, 1)], path=by))
        told[by] = [path.up for path in world.paths]
    assert told == {"backup": [], "primary": [True]}


def test_a_duty_taken_away_leaves_nothing_behind_and_given_back_all_goes() -> None:
    world = World(path_fault_ms=5_000, receipt_timeout_ms=1_000)
    world.start_core()
    world.open()
    world.settle()
    world.center.silent = True
    for _ in range(5):
        world.record("alarm")
    world.settle()
    assert world.delivery.unreceipted() == 5
    world.feed(e.Duty(frozenset({"status"})))
    assert world.delivery.unreceipted() == 0
    sent = len(world.published)
    world.pass_ms(20_000)
    assert len(world.published) == sent, "no repetition"
    assert [path.up for path in world.paths] == [True], "and no fault for what it does not carry"
    world.center.silent = False
    world.feed(e.Duty(frozenset({"alarm", "status"})))
    world.settle()
    assert world.complete()
    assert world.journal.undelivered() == 0


def test_telemetry_goes_by_the_path_that_has_it() -> None:
    world = idle()
    world.start_core()
    world.open()
    world.feed(m.Telemetry(items=[{"kind": "telemetry.health", "time": "2026-03-14T23:09:26.123Z", "data": {}}]))
    world.settle()
    assert not [publish for publish in world.published if "telemetry" in publish.topic]


def test_latencies_of_each_record_are_told_each_minute() -> None:
    world = World(boot="memory")
    world.start_core()
    world.open()
    world.settle()
    world.record("alarm")
    world.now += 300
    world.settle_core()
    world.now += 40
    world.settle()
    world.now += EVERY_MS
    said = [out for out in world.delivery.feed(e.Tick(), world.now) if isinstance(out, m.Latency)]
    (told,) = said
    record = f"{world.journal.heads()[-1].journal}-1"
    assert (told.path, told.lane) == ("primary", "alarm")
    assert told.records == [m.Took(record=record, sent_ms=300, receipted_ms=40)]
    assert told.sent_to_receipted == m.Spread(count=1, half_ms=40, most_ms=40, worst_ms=40)
    assert told.recorded_to_sent == m.Spread(count=1, half_ms=300, most_ms=300, worst_ms=300)
    assert not [out for out in world.delivery.feed(e.Tick(), world.now + EVERY_MS) if isinstance(out, m.Latency)]


def test_what_was_recorded_in_another_boot_has_no_first_half() -> None:
    its = Latencies("primary")
    its.delivered("status", JOURNAL_RECORD, None, 1_000, 1_700)
    (told,) = its.messages(1_700 + EVERY_MS)
    assert told.recorded_to_sent is None
    assert told.records == [], "one by one only alarms"
    assert told.sent_to_receipted.worst_ms == 700
    assert json.loads(told.model_dump_json())["type"] == "delivery"


def test_steps_are_upper_bounds() -> None:
    histogram = Histogram()
    for ms in [3] * 90 + [150] * 8 + [40_000] * 2:
        histogram.add(ms)
    assert histogram.spread() == m.Spread(count=100, half_ms=5, most_ms=200, worst_ms=40_000)
    assert tuple(sorted(STEPS_MS)) == STEPS_MS


def test_an_alarm_that_does_not_leave_puts_the_path_in_doubt_and_other_records_do_not() -> None:
    world = World(path_fault_ms=60_000)
    world.start_core()
    world.open()
    world.settle()
    world.record("status")
    world.settle_core()
    world.pass_ms(10_000)
    assert world.delivery.works, "a batch may be slow"
    world.record("alarm")
    world.settle_core()
    world.pass_ms(4_999)
    assert world.delivery.works
    world.pass_ms(1)
    assert not world.delivery.works
    world.settle()
    assert world.delivery.works, "it was only slow"


def waits_long(world: World) -> int:
    """Until the pause before the next try is longer than ten seconds; the moment of that try."""
    world.start_core()
    world.open()
    while True:
        world.close_network()
        at = world.delivery.next_deadline()
        assert at is not None
        connect_at = world.delivery._connect_at
        assert connect_at is not None
        if connect_at - world.now > 10_000:
            return connect_at
        world.wait_for_connect()


def test_a_new_alarm_cuts_a_long_pause_short_and_a_flood_of_them_does_so_once() -> None:
    world = World()
    late = waits_long(world)
    world.record("status")
    world.settle_core()
    assert world.delivery._connect_at == late, "what is no alarm waits"
    began = world.now
    world.record("alarm")
    world.settle_core()
    world.wait_for_connect()
    assert world.now - began <= 1_000
    tries = len(world.connects)
    world.close_network()
    for _ in range(50):
        world.now += 100
        world.record("alarm")
        world.settle_core()
    assert len(world.connects) == tries, "one try for them all"


def test_an_alarm_that_another_path_carries_hurries_nobody() -> None:
    world = World()
    late = waits_long(world)
    world.feed(e.Duty(frozenset()))
    world.record("alarm")
    world.settle_core()
    assert world.delivery._connect_at == late
