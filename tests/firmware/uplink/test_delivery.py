"""The rules of delivery, one by one, around the real logic."""

import json
from random import Random

import pytest

from firmware.protocol import messages as m
from firmware.protocol.jws import MAX_BYTES
from firmware.protocol.messages import CommandIn
from firmware.uplink import events as e
from firmware.uplink.delivery import Delivery
from firmware.uplink.flying import ALARM_PUBLISHES
from firmware.uplink.packing import LIVE_SINGLES
from firmware.uplink.settings import Settings
from tests.firmware.uplink.world import PANEL, TIME, World, receipt


def test_it_connects_only_after_core_has_greeted_and_with_jitter() -> None:
    delivery = Delivery(Settings(PANEL, "primary"), Random(1))
    assert delivery.feed(e.Tick(), 0) == []
    assert delivery.next_deadline() is None
    delivery.feed(m.Welcome(panel=PANEL, session=3, peer=2, version="x"), 0)
    first = delivery.next_deadline()
    assert first is not None
    assert 0 <= first <= 1_000
    (connect,) = delivery.feed(e.Tick(), first)
    assert isinstance(connect, e.Connect)
    assert connect.will_topic == f"fenghuo/v1/{PANEL}/link"
    assert json.loads(connect.will) == {"panel": PANEL, "online": False, "order": [3, 2, 1], "time": None}


def test_link_online_is_the_first_publish_of_each_connection_and_its_order_grows() -> None:
    world = World()
    world.start_core()
    orders = []
    for _ in range(3):
        world.open()
        link = world.published[-1] if world.published[-1].topic.endswith("link") else None
        assert link is not None
        assert link.retain
        body = json.loads(link.payload)
        assert body["online"] is True
        assert body["time"] == TIME
        assert body["order"] == json.loads(world.connects[-1].will)["order"]
        orders.append(body["order"])
        world.close_network()
    assert orders == sorted(orders)
    assert len({tuple(order) for order in orders}) == 3


def test_stop_publishes_offline_before_a_graceful_disconnect() -> None:
    world = World()
    world.start_core()
    world.open()
    publish, disconnect = world.feed(e.Stop(TIME))
    assert isinstance(publish, e.Publish)
    assert json.loads(publish.payload)["online"] is False
    assert disconnect == e.Disconnect("stopping", graceful=True)
    assert world.feed(e.Opened(TIME)) == []
    deadline = world.delivery.next_deadline()
    assert deadline is None or deadline > world.now


def test_backlog_travels_in_batches_and_live_records_one_by_one() -> None:
    world = World()
    for _ in range(150):
        world.record("status")
    world.start_core()
    world.open()
    world.settle()
    batches = [p for p in world.published if "/batch/" in p.topic]
    assert sum(len(json.loads(p.payload)) for p in batches) == 150
    assert len(batches) <= 4
    assert all(p.content_type == "application/cloudevents-batch+json" and p.qos == 1 for p in batches)
    world.record("status")
    world.settle()
    last = world.published[-1]
    assert last.topic == f"fenghuo/v1/{PANEL}/event/status"
    assert json.loads(last.payload)["stored"] is False
    assert world.complete()
    assert world.journal.undelivered() == 0


def test_a_batch_holds_at_most_64_kib() -> None:
    world = World()
    for _ in range(40):
        world.record("status", {"note": "火" * 1500})
    world.start_core()
    world.open()
    world.settle()
    sizes = [len(p.payload) for p in world.published if "/batch/" in p.topic]
    assert max(sizes) <= m.MAX_BATCH_BYTES
    assert world.complete()


def test_an_alarm_overtakes_the_backlog_even_when_it_stalls() -> None:
    world = World()
    for _ in range(1000):
        world.record("status")
    world.start_core()
    world.open()
    world.settle_core()
    stalled = len(world.up_wire)
    world.record("alarm")
    world.settle_core()
    assert len(world.up_wire) == stalled + 1
    assert world.up_wire[-1].topic.endswith("event/alarm")
    world.settle()
    assert world.complete()


def test_lanes_go_out_highest_first_and_live_before_stored() -> None:
    world = World()
    for lane, count in (("evidence", 20), ("status", 100), ("alarm", 1000)):
        for _ in range(count):
            world.record(lane)
    world.start_core()
    world.open()
    world.settle_core()
    world.record("alarm")
    world.settle()
    order = list(dict.fromkeys(lane for lane, *_ in world.center.arrivals))
    assert order == ["alarm", "status", "evidence"]
    alarms = [stored for lane, _, _, stored in world.center.arrivals if lane == "alarm"]
    live = alarms.index(False)
    assert live <= ALARM_PUBLISHES * 64, "the live alarm waits behind the backlog of its lane"


def test_of_the_alarms_that_waited_the_newest_go_first_and_all_go_once() -> None:
    world = World()
    world.record("status")
    for _ in range(1000):
        world.record("alarm")
    world.start_core()
    world.open()
    world.settle()
    numbers = [number for lane, _, number, _ in world.center.arrivals if lane == "alarm"]
    assert numbers == [*range(937, 1001), *range(1, 937)]
    assert all(stored for *_, stored in world.center.arrivals)
    assert world.complete()
    assert world.center.duplicates == 0


def test_the_newest_alarms_go_before_those_of_an_older_journal() -> None:
    world = World()
    for _ in range(200):
        world.record("alarm")
    world.journal.begin()
    for _ in range(3):
        world.record("alarm")
    world.start_core()
    world.open()
    world.settle()
    journals = list(dict.fromkeys(journal for _, journal, *_ in world.center.arrivals))
    assert journals == [head.journal for head in reversed(world.journal.heads())]
    assert world.complete()


def test_evidence_carries_its_thumbnail_and_goes_singly() -> None:
    world = World()
    world.record("evidence", {"thumbnail": {"file": "a.jpg"}})
    world.record("evidence", {"thumbnail": {"file": "b.jpg"}})
    world.start_core()
    world.open()
    pulled = world.to_uplink.popleft()
    assert isinstance(pulled, e.Pulled)
    world.feed(e.Pulled(pulled.records, {1: b"jpeg"}))
    first, second = (json.loads(p.payload) for p in world.published if p.topic.endswith("event/evidence"))
    assert first["data"]["thumbnail"] == "anBlZw=="
    assert "thumbnail" not in second["data"]


def test_publishes_in_flight_are_bounded_when_the_broker_never_acknowledges() -> None:
    world = World()
    for lane in ("alarm", "status", "evidence"):
        for _ in range(2000):
            world.record(lane)
    world.start_core()
    world.open()
    world.settle_core()
    assert ALARM_PUBLISHES <= len(world.up_wire) <= 24
    assert sum(len(p.payload) for p in world.up_wire) < 2 * 1024 * 1024
    world.pass_ms(59_000)
    assert world.disconnects == []
    world.pass_ms(2_000)
    assert [d.reason for d in world.disconnects] == ["the broker does not acknowledge"]


def test_the_window_is_bounded_when_the_center_never_receipts() -> None:
    world = World(window=100)
    world.center.silent = True
    for _ in range(1000):
        world.record("status")
    world.start_core()
    world.open()
    world.settle()
    assert world.delivery.unreceipted() == 100
    world.record("alarm")
    world.record("status")
    world.settle()
    assert world.delivery.unreceipted() == 102, "neither the alarm nor the live record waits for the full window"


def test_what_is_not_receipted_is_sent_again_with_growing_pauses() -> None:
    world = World()
    world.start_core()
    world.open()
    world.center.silent = True
    world.record()
    world.settle()
    sent = []
    while world.now < 58_000:
        before = len(world.center.arrivals)
        world.pass_ms(1_000)
        world.settle()
        sent += [world.now // 1000] * (len(world.center.arrivals) - before)
    assert len(sent) == 2
    assert sent[0] in (11, 12)
    assert sent[1] - sent[0] == 20
    assert all(stored for *_, stored in world.center.arrivals[1:])


@pytest.mark.clause("GB 55029 6.0.4", "EN 50131-1 log transmission")
def test_a_silent_center_is_a_path_fault_and_its_first_receipt_the_restore() -> None:
    world = World()
    world.start_core()
    world.open()
    world.settle()
    assert [p.up for p in world.paths] == [True]
    world.center.silent = True
    world.record()
    world.settle()
    world.pass_ms(60_000)
    assert [p.up for p in world.paths] == [True, False]
    assert "receipt" in world.paths[-1].detail
    world.settle()
    world.open()
    world.settle()
    assert [p.up for p in world.paths] == [True, False], "connected, but nothing was receipted yet"
    world.center.silent = False
    world.close_network()
    world.open()
    world.settle()
    assert [p.up for p in world.paths] == [True, False, True]
    assert world.complete()


def test_a_short_loss_is_no_fault_but_a_long_one_is() -> None:
    world = World()
    world.start_core()
    world.open()
    world.settle()
    world.close_network("reset by peer")
    world.open()
    world.settle()
    world.pass_ms(100_000)
    assert [p.up for p in world.paths] == [True]
    world.close_network("reset by peer")
    for _ in range(200):
        world.to_deadline()
        if world.delivery.phase == "connecting":
            world.close_network("no route to host")
        if world.paths[-1].up is False:
            break
    assert [(p.up, p.detail) for p in world.paths] == [(True, ""), (False, "no route to host")]


def test_a_path_that_never_connects_is_reported_once_and_again_to_a_new_core() -> None:
    world = World()
    world.start_core()
    while world.now < 200_000:
        world.to_deadline()
        if world.delivery.phase == "connecting":
            world.close_network("refused")
    assert [p.up for p in world.paths] == [False]
    world.stop_core()
    world.start_core()
    assert [p.up for p in world.paths] == [False, False]


@pytest.mark.parametrize("reason", ["Session taken over", "Not authorized", "Quota exceeded"])
def test_a_refusal_by_the_broker_is_a_fault_at_once(reason: str) -> None:
    world = World()
    world.start_core()
    world.open()
    world.close_network(f"the broker ended the connection: {reason}", refused=True)
    assert [p.up for p in world.paths] == [True, False]
    assert reason in world.paths[-1].detail


def test_a_session_that_somebody_took_over_is_told_besides_the_fault() -> None:
    world = World()
    world.start_core()
    world.open()
    outputs = world.delivery.feed(e.Closed("Session taken over", True, True), world.now)
    assert [type(output) for output in outputs] == [m.Path, m.TakenOver]
    assert world.delivery.feed(e.Closed("Session taken over", True, True), world.now) == []


def test_a_switch_keeps_the_path_up_and_sends_anew_what_was_under_way() -> None:
    world = World()
    world.start_core()
    world.open()
    before = world.delivery._order
    (order,) = world.delivery.feed(e.Switch(), world.now)
    assert isinstance(order, e.Connect)
    assert order.beside
    outputs = world.delivery.feed(e.Switched("2026-03-14T23:09:26.123Z"), world.now)
    links = [o for o in outputs if isinstance(o, e.Publish) and o.topic.endswith("/link")]
    assert [json.loads(link.payload)["online"] for link in links] == [True]
    assert json.loads(links[0].payload)["order"] == [*before[:2], before[2] + 1]
    assert json.loads(order.will)["order"] == json.loads(links[0].payload)["order"]
    assert (world.delivery.phase, [p.up for p in world.paths]) == ("open", [True])


def test_a_publish_that_the_broker_refuses_is_a_fault_until_a_receipt_comes() -> None:
    world = World()
    world.start_core()
    world.open()
    world.settle()
    world.record()
    world.settle_core()
    world.feed(e.Acked(world.up_wire.popleft().token, "Not authorized"))
    assert [p.up for p in world.paths] == [True, False]
    world.pass_ms(11_000)
    world.settle()
    assert [p.up for p in world.paths] == [True, False, True]
    assert world.complete()


def test_a_connection_that_never_opens_is_given_up() -> None:
    world = World()
    world.start_core()
    world.wait_for_connect()
    world.pass_ms(30_000)
    assert [d.reason for d in world.disconnects] == ["the broker did not answer"]


def test_a_new_connection_sends_everything_unreceipted_at_once() -> None:
    world = World()
    world.start_core()
    world.open()
    world.record()
    world.settle_core()
    assert len(world.up_wire) == 2
    world.close_network()
    world.open()
    world.settle()
    assert world.center.arrivals == [("alarm", world.journal.records()[0][0], 1, True)]


def test_older_journals_are_backlog_and_a_new_one_is_live() -> None:
    world = World()
    for _ in range(3):
        world.record("status")
    world.journal.begin()
    world.record("status")
    world.start_core()
    world.open()
    world.settle()
    world.journal.begin()
    world.record("alarm")
    world.settle()
    assert world.complete()
    assert [stored for *_, stored in world.center.arrivals] == [True] * 4 + [False]


def test_a_lost_core_loses_nothing_and_leaves_the_connection_alone() -> None:
    world = World()
    for _ in range(300):
        world.record("status")
    world.start_core()
    world.open()
    world.stop_core()
    world.settle()
    assert world.delivery.phase == "open"
    world.session += 1
    world.start_core()
    world.settle()
    assert world.complete()
    assert len(world.connects) == 1


def test_an_answer_to_a_pull_of_an_earlier_connection_is_not_published() -> None:
    world = World()
    world.record()
    world.start_core()
    world.open()
    assert world.to_uplink
    world.close_network()
    world.wait_for_connect()
    answer = world.to_uplink.popleft()
    world.feed(answer)
    world.open()
    world.settle()
    assert world.complete()
    assert world.delivery.counts["answer-unused"] == 1


def test_only_the_newest_heartbeat_and_state_go_out_and_replies_are_bounded() -> None:
    world = World()
    world.start_core()
    for i in range(100):
        world.feed(m.Beat(jws=f"beat.{i}.x"))
        world.feed(m.State(body={"n": i}))
        world.feed(m.ReplyOut(jws=f"reply.{i}.x"))
        world.feed(m.Telemetry(items=[{"kind": "health.cpu", "time": TIME, "data": {"n": i}}] * 4))
    world.open()
    world.settle()
    by_word: dict[str, list[e.Publish]] = {}
    for publish in world.published:
        by_word.setdefault("/".join(publish.topic.split("/")[3:]), []).append(publish)
    assert [p.payload for p in by_word["heartbeat"]] == [b"beat.99.x"]
    assert [(p.qos, p.retain) for p in by_word["heartbeat"]] == [(0, False)]
    assert [(json.loads(p.payload), p.retain) for p in by_word["state"]] == [({"n": 99}, True)]
    assert [p.payload for p in by_word["reply"]] == [f"reply.{i}.x".encode() for i in range(68, 100)]
    telemetry = [event for p in by_word["batch/telemetry"] for event in json.loads(p.payload)]
    assert len(telemetry) == len({event["id"] for event in telemetry}) == 256
    assert world.delivery.outbox.dropped == {"reply": 68, "telemetry": 144}
    world.close_network()
    world.open()
    assert [p.topic.split("/")[-1] for p in world.published[-2:]] == ["link", "state"]


def test_telemetry_waits_for_records() -> None:
    world = World()
    for _ in range(500):
        world.record("status")
    world.start_core()
    world.feed(m.Telemetry(items=[{"kind": "health.cpu", "time": TIME, "data": {}}, {"nonsense": 1}]))
    world.open()
    world.settle()
    assert world.published[-1].topic.endswith("event/telemetry")
    assert world.delivery.outbox.dropped == {"telemetry": 1}


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"a." + b"b" * MAX_BYTES + b".c", "oversized"),
        (b"", "not-a-jws"),
        (b"a.b", "not-a-jws"),
        (b"a.b.\x00", "not-a-jws"),
        ("a.b.火".encode(), "not-a-jws"),
    ],
)
def test_the_bytes_of_what_cannot_be_a_token_never_reach_core(payload: bytes, why: str) -> None:
    world = World()
    world.start_core()
    world.open()
    assert world.feed(e.Received("receipt", payload)) == []
    # Core records every refused command, so it hears of it, but not the bytes.
    assert world.feed(e.Received("command", payload)) == [CommandIn(jws=why)]
    assert world.delivery.gate.dropped == {why: 2}


def test_commands_pass_but_a_flood_does_not() -> None:
    world = World()
    world.start_core()
    world.open()
    world.feed(e.Received("command", b"a.b.c"))
    assert world.commands == ["a.b.c"]
    for _ in range(1000):
        world.feed(e.Received("command", b"a.b.c"))
        world.feed(e.Received("receipt", b"a.b.c"))
    assert len(world.commands) < 40
    assert len(world.refusals) < 40
    assert world.disconnects == []
    for _ in range(1000):
        world.feed(e.Received("receipt", b"a.b.c"))
    assert [d.reason for d in world.disconnects] == ["flooded by the broker"]
    assert world.paths[-1].up is False


def test_forged_receipts_deliver_nothing() -> None:
    world = World()
    world.start_core()
    world.open()
    world.center.silent = True
    world.record()
    world.settle()
    journal, record = world.journal.records()[0]
    world.feed(e.Received("receipt", receipt(journal, "alarm", [(1, 1, "0" * 64)]).encode()))
    world.feed(e.Received("receipt", receipt(journal, "alarm", [(1, 1, record.hash)], panel="bank-8").encode()))
    assert world.refusals == ["wrong-hash", "wrong-panel"]
    assert world.delivery.unreceipted() == 1
    assert world.journal.undelivered() == 1


def test_a_record_that_core_could_not_give_is_asked_for_again() -> None:
    world = World()
    world.record("status")
    world.start_core()
    world.open()
    journal = world.journal.records()[0][0]
    world.to_uplink.clear()
    world.feed(e.Pulled(m.Records(journal=journal, lane="status", records=[], next=2)))
    world.settle()
    assert world.center.held == {}
    world.pass_ms(61_000)
    world.settle()
    assert world.complete()


def test_an_error_for_a_pull_does_not_make_it_spin() -> None:
    world = World()
    world.record("status")
    world.start_core()
    world.open()
    world.to_uplink.clear()
    pulls = len(world.pulls)
    world.feed(m.Error(reason="no"))
    assert len(world.pulls) == pulls
    world.record("status")
    world.settle()
    assert world.complete()


def test_memory_is_flat_with_a_million_records_waiting() -> None:
    world = World()
    journal = world.journal.heads()[0].journal
    lanes = {"alarm": 0, "status": 1_000_000, "evidence": 0}
    first = {"alarm": 1, "status": 1, "evidence": 1}
    world.core_there = True
    world.feed(m.Welcome(panel=PANEL, session=1, peer=1, version="x"))
    world.feed(m.Head(journals=[m.JournalHead(journal=journal, last=lanes, first_undelivered=first)]))
    world.wait_for_connect()
    world.connected = True
    outputs = world.delivery.feed(e.Opened(TIME), world.now)
    (pull,) = [o for o in outputs if isinstance(o, m.Pull)]
    assert (pull.first, pull.last, pull.limit) == (1, 1_000_000, 64)
    assert world.delivery.unreceipted() == 0


def test_a_burst_of_live_records_becomes_a_batch() -> None:
    world = World()
    world.start_core()
    world.open()
    for _ in range(LIVE_SINGLES + 2):
        world.journal.append("alarm", "alarm.intrusion", {})
    world.to_uplink.append(world.core.head())
    world.settle()
    assert world.published[-1].topic.endswith("batch/alarm")
    assert not any(stored for *_, stored in world.center.arrivals)


def test_a_late_answer_does_not_move_the_cursor_of_the_new_connection() -> None:
    world = World()
    for _ in range(200):
        world.record("status")
    world.start_core()
    world.open()
    world.feed(world.to_uplink.popleft())
    late = world.to_uplink.popleft()
    world.close_network()
    world.open()
    world.feed(late)
    before = world.now
    world.settle()
    assert world.complete(), "the first batch was lost on the wire, and must go out again at once"
    assert world.now == before
