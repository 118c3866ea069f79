"""The reference center against a real Mosquitto and a tiny panel."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.protocol.envelope import event
from firmware.protocol.jws import b64url, unb64url
from firmware.protocol.records import Header, record_hash
from hil.center import Arrival, Center
from tests.hil.tiny_panel import TinyPanel, encoded, picture

Make = Callable[..., TinyPanel]


def count(center: Center, name: str) -> int:
    return center.counts().get(name, 0)


def held(center: Center, panel: TinyPanel, number: int) -> bool:
    return center.wait(lambda c: len(c.records(panel.panel)) >= number, 10)


def test_records_in_order_are_stored_receipted_and_complete(center: Center, panel: TinyPanel) -> None:
    for record in panel.journal.fill(12):
        panel.send(record)
    assert panel.wait(lambda: panel.delivered(12))
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert center.complete(panel.panel) == []
    assert center.gaps(panel.panel) == {}
    assert [r["hash"] for r in center.records(panel.panel)] == [r.hash for r in panel.journal.records]
    assert panel.refused == []
    assert panel.receipted() == {lane: set(range(1, 5)) for lane in ("alarm", "status", "evidence")}


def test_out_of_order_and_in_batches_is_complete_too(center: Center, panel: TinyPanel) -> None:
    records = panel.journal.fill(90)
    for lane in ("evidence", "alarm", "status"):
        mine = [r for r in records if r.header.lane == lane]
        panel.send_batch(list(reversed(mine[15:])))
        panel.send_batch(mine[:15])
    assert panel.wait(lambda: panel.delivered(90))
    assert center.complete(panel.panel, {panel.journal.id: panel.journal.head}) == []
    assert count(center, "finding.broken-link") == 0


def test_a_gap_is_known_from_the_heartbeat_and_closes(center: Center, panel: TinyPanel) -> None:
    records = panel.journal.fill(9)
    for record in records[:3] + records[5:8]:
        panel.send(record)
    panel.beat()
    assert held(center, panel, 6)
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert center.gaps(panel.panel) == {panel.journal.id: [(4, 5), (9, 9)]}
    assert center.complete(panel.panel)[:2] == [
        f"journal {panel.journal.id}: seq 4 to 5 not held",
        f"journal {panel.journal.id}: seq 9 to 9 not held",
    ]
    for record in (records[8], records[4], records[3]):
        panel.send(record)
    assert center.wait(lambda c: not c.gaps(panel.panel), 20)
    assert center.complete(panel.panel) == []


def test_duplicates_are_counted_held_once_and_receipted_again(center: Center, panel: TinyPanel) -> None:
    record = panel.journal.add("alarm.intruder", "alarm")
    for _ in range(3):
        panel.send(record)
    assert center.wait(lambda c: count(c, "duplicate") == 2, 20)
    assert len(center.records(panel.panel)) == 1
    panel.receipts.clear()
    panel.send(record)
    assert panel.wait(lambda: panel.delivered(1))


def test_a_silent_center_stores_and_does_not_receipt_until_it_speaks(center: Center, panel: TinyPanel) -> None:
    center.silent = True
    record = panel.journal.add("alarm.intruder", "alarm")
    panel.send(record)
    assert held(center, panel, 1)
    assert not panel.wait(lambda: panel.receipts, 0.3)
    center.silent = False
    panel.send(record)
    assert panel.wait(lambda: panel.delivered(1))


@pytest.mark.parametrize("where", ["payload", "header", "hash"])
def test_an_altered_record_is_refused_and_found(center: Center, panel: TinyPanel, where: str) -> None:
    body = event(panel.journal.add("alarm.intruder", "alarm", {"zone": "front-door"}), stored=False)
    if where == "payload":
        body["data"]["payload"] = {"zone": "back-door"}
    elif where == "header":
        body["data"]["header"]["state_hash"] = "2" * 64
    else:
        body["data"]["hash"] = "3" * 64
    panel.publish("event/alarm", json.dumps(body))
    assert center.wait(lambda c: count(c, "garbage.altered") == 1, 20)
    assert count(center, "finding.altered") == 1
    assert center.records(panel.panel) == []
    assert panel.receipts == []


def test_a_record_of_another_panel_lane_or_envelope_is_refused(center: Center, make_panel: Make) -> None:
    panel, other = make_panel(), make_panel()
    foreign = other.journal.add("alarm.intruder", "alarm")
    panel.publish("event/alarm", json.dumps(event(foreign, False)))
    mine = panel.journal.add("alarm.intruder", "alarm")
    panel.publish("event/status", json.dumps(event(mine, False)))
    panel.publish("event/alarm", json.dumps(event(mine, False) | {"type": "cn.fenghuo.area.disarmed"}))
    assert center.wait(lambda c: count(c, "garbage.envelope") == 1, 20)
    assert (count(center, "garbage.wrong-panel"), count(center, "garbage.wrong-lane")) == (1, 1)
    assert center.records(panel.panel) == center.records(other.panel) == []


def test_an_unknown_panel_is_refused_until_its_key_is_known(
    center: Center, make_panel: Make, keys: dict[str, str]
) -> None:
    panel = make_panel(known=False)
    record = panel.journal.add("alarm.intruder", "alarm")
    panel.send(record)
    assert center.wait(lambda c: count(c, "garbage.unknown-panel") == 1, 20)
    keys[panel.panel] = panel.x
    panel.send(record)
    assert panel.wait(lambda: panel.delivered(1))


def test_a_bad_event_does_not_spoil_its_batch(center: Center, panel: TinyPanel) -> None:
    good = [event(panel.journal.add("area.armed", "status"), True) for _ in range(3)]
    bad = json.loads(json.dumps(good[1]))
    bad["data"]["payload"] = {"zone": "other"}
    panel.publish("batch/status", json.dumps([good[0], bad, good[2], 7]))
    assert held(center, panel, 2)
    assert [r["header"]["seq"] for r in center.records(panel.panel)] == [1, 3]
    assert (count(center, "garbage.altered"), count(center, "garbage.malformed")) == (1, 1)


def test_oversize_and_garbage_are_counted_and_the_center_goes_on(center: Center, panel: TinyPanel) -> None:
    panel.publish("event/alarm", b"[" * 300_000)
    panel.publish("event/alarm", b"[" * 100_000)
    panel.publish("event/alarm", b"\xff\x00")
    panel.publish("event/nolane", b"{}")
    panel.publish("batch/alarm", json.dumps([1] * 65))
    panel.publish("nonsense/topic/deep", b"")
    assert center.wait(lambda c: count(c, "garbage.topic") == 2, 20)
    assert (count(center, "garbage.oversize"), count(center, "garbage.malformed")) == (1, 3)
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    assert panel.wait(lambda: panel.delivered(1))


def forged(panel: TinyPanel, number: int, kind: str) -> Any:
    """The record at this place of the journal, altered by somebody who knows how to hash."""
    true = panel.journal.records[number - 1]
    header = Header(**(true.header.model_dump() | {"kind": kind}))
    return true.model_copy(update={"header": header, "hash": record_hash(header)})


def test_a_forged_record_gets_no_receipt_for_the_true_one_and_gives_way_to_it(center: Center, panel: TinyPanel) -> None:
    records = [panel.journal.add("alarm.intruder", "alarm") for _ in range(6)]
    lie = forged(panel, 3, "alarm.tamper")
    panel.send_batch([*records[:2], lie, *records[3:]])
    assert panel.wait(lambda: panel.delivered(3))
    assert panel.receipted()["alarm"] == {4, 5, 6}, "what is linked to the lie counts for core as little as the lie"
    assert count(center, "finding.broken-link") == 1
    panel.send_batch(records[:3])
    assert panel.wait(lambda: panel.delivered(6))
    assert count(center, "finding.rival") == 1
    assert center.complete(panel.panel, {panel.journal.id: panel.journal.head}) != []
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert center.complete(panel.panel) == []
    assert center.records(panel.panel)[2]["header"]["kind"] == "alarm.intruder"


def test_a_forged_record_at_a_foreign_seq_gives_way_too(center: Center, panel: TinyPanel) -> None:
    records = [panel.journal.add("alarm.intruder", "alarm") for _ in range(3)]
    header = Header(**(records[1].header.model_dump() | {"seq": 9}))
    panel.send(records[1].model_copy(update={"header": header, "hash": record_hash(header)}))
    for record in records:
        panel.send(record)
    assert panel.wait(lambda: panel.delivered(3))
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert center.complete(panel.panel) == []


def test_a_head_that_contradicts_the_store_is_found(center: Center, panel: TinyPanel) -> None:
    records = panel.journal.fill(3)
    for record in records[:2]:
        panel.send(record)
    panel.send(forged(panel, 3, "alarm.tamper"))
    assert held(center, panel, 3)
    panel.beat()
    assert center.wait(lambda c: count(c, "finding.head-mismatch") == 1, 20)
    assert any("the panel says" in problem for problem in center.complete(panel.panel))


def test_a_journal_that_got_shorter_is_found(center: Center, panel: TinyPanel) -> None:
    panel.journal.fill(5)
    panel.beat()
    del panel.journal.records[3:]
    panel.beat()
    assert center.wait(lambda c: count(c, "finding.rolled-back") == 1, 20)


def test_heartbeats_are_verified_and_old_ones_do_not_count(center: Center, make_panel: Make) -> None:
    panel, stranger = make_panel(), make_panel()
    old = panel.beat()
    panel.beat()
    panel.publish("heartbeat", old)
    assert center.wait(lambda c: count(c, "garbage.stale-heartbeat") == 1, 20)
    panel.publish("heartbeat", stranger.signer.sign("fenghuo.heartbeat.v1", panel.beat_body()))
    panel.publish("heartbeat", panel.signer.sign("fenghuo.reply.v1", panel.beat_body()))
    panel.publish("heartbeat", panel.signer.sign("fenghuo.heartbeat.v1", panel.beat_body() | {"panel": "other-1"}))
    panel.publish("heartbeat", panel.signer.sign("fenghuo.heartbeat.v1", {"panel": panel.panel}))
    assert center.wait(lambda c: count(c, "garbage.malformed") == 2, 20)
    assert (count(center, "garbage.signature"), count(center, "heartbeat")) == (2, 2)


def test_commands_carry_the_newest_nonce_and_replies_are_matched(center: Center, panel: TinyPanel) -> None:
    with pytest.raises(LookupError, match="no heartbeat"):
        center.command(panel.panel, "arm", {"areas": ["hall"]}, "operator-7")
    panel.beat()
    panel.beat()
    assert center.wait(lambda c: count(c, "heartbeat") == 2, 20)
    first = center.command(panel.panel, "arm", {"areas": ["hall"]}, "operator-7")
    second = center.command(panel.panel, "bypass", {"zone": "hall-pir"}, "operator-7")
    assert panel.wait(lambda: len(panel.commands) == 2)
    assert [c.counter for c in panel.commands] == [first, second] == [1, 2]
    assert {c.nonce for c in panel.commands} == {panel.nonces[-1]}
    assert panel.commands[0].args.areas == ["hall"]
    assert panel.commands[1].args.zone == "hall-pir"
    panel.reply(second, "refused", "zone-not-bypassable")
    panel.publish("reply", panel.signer.sign("fenghuo.heartbeat.v1", {"counter": first}))
    assert center.wait(lambda c: c.reply(panel.panel, second), 20)
    assert center.reply(panel.panel, first) is None
    assert panel.refused == []


def test_a_restart_keeps_records_keys_counters_and_nonces(mosquitto: int, tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    panel = TinyPanel("127.0.0.1", mosquitto, "restart-1")
    keys[panel.panel] = panel.x
    with Center("127.0.0.1", mosquitto, tmp_path, panels=keys.get) as center:
        panel.trust(center.receipt_key.x, center.command_key.x)
        panel.beat()
        assert center.wait(lambda c: c.heads(panel.panel), 20)
        assert center.command(panel.panel, "status", {}, "a") == 1
        panel.send(panel.journal.add("alarm.intruder", "alarm"))
        assert panel.wait(lambda: panel.delivered(1) and panel.commands)
    with Center("127.0.0.1", mosquitto, tmp_path) as center:
        assert center.command(panel.panel, "status", {}, "a") == 2
        assert panel.wait(lambda: len(panel.commands) == 2)
        panel.send(panel.journal.add("alarm.intruder", "alarm"))
        assert panel.wait(lambda: panel.delivered(2))
        assert center.complete(panel.panel, {panel.journal.id: panel.journal.head}) == []
    assert panel.refused == []
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()}
    assert modes == {0o600}
    panel.close()


def test_what_comes_while_the_center_is_away_waits_at_the_broker(mosquitto: int, tmp_path: Path) -> None:
    panel = TinyPanel("127.0.0.1", mosquitto, "away-1")
    with Center("127.0.0.1", mosquitto, tmp_path, panels=lambda _: panel.x) as center:
        panel.trust(center.receipt_key.x, center.command_key.x)
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    with Center("127.0.0.1", mosquitto, tmp_path, panels=lambda _: panel.x):
        assert panel.wait(lambda: panel.delivered(1))
    panel.close()


def test_thumbnails_must_be_those_of_the_record(center: Center, panel: TinyPanel) -> None:
    jpeg = b"\xff\xd8 a picture"
    record = panel.journal.add("evidence.pictures", "evidence", picture(jpeg))
    altered = event(record, False)
    altered["data"]["thumbnail"] = encoded(b"another picture")
    panel.publish("event/evidence", json.dumps(altered))
    assert center.wait(lambda c: count(c, "garbage.thumbnail") == 1, 20)
    panel.send(record, thumbnail=jpeg)
    assert panel.wait(lambda: panel.delivered(1))
    rows = center.store.rows("SELECT jpeg FROM thumbnails WHERE panel=?", panel.panel)
    assert [hashlib.sha256(row["jpeg"]).digest() for row in rows] == [hashlib.sha256(jpeg).digest()]


def test_a_late_will_is_not_believed(center: Center, panel: TinyPanel) -> None:
    def link(online: bool, *order: int, word: str = "link") -> None:
        body = {"panel": panel.panel, "online": online, "order": list(order), "time": None}
        panel.publish(word, json.dumps(body))

    link(True, 1, 1, 2)
    link(False, 1, 1, 1)
    assert center.wait(lambda c: count(c, "link-late") == 1, 20)
    assert center.online(panel.panel) is True
    link(False, 1, 1, 2)
    assert center.wait(lambda c: c.online(panel.panel) is False, 20)
    link(True, 1, 1, 2)
    link(True, 1, 2, 1)
    assert center.wait(lambda c: c.online(panel.panel) is True, 20)
    assert count(center, "link-late") == 2
    link(True, 1, 2, 1, word="link/second")
    link(False, 1, 2, 1)
    link(True, 1, 1, 1, word="link/other")
    assert center.wait(lambda c: count(c, "garbage.topic") == 1, 20)
    assert center.online(panel.panel) is True, "its second path stands"


def test_callbacks_see_arrivals_after_they_are_stored_and_may_fail(center: Center, panel: TinyPanel) -> None:
    seen: list[tuple[str, int]] = []

    def failing(_: Arrival) -> None:
        raise RuntimeError("a callback failed")

    center.on_arrival(lambda a: seen.append((a.what, len(center.records(panel.panel)))))
    center.on_arrival(failing)
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    assert panel.wait(lambda: panel.delivered(1))
    assert center.wait(lambda c: len(seen) == 2 and count(c, "callback-failed") == 2, 20)
    assert seen == [("record", 1), ("receipt", 1)]


def test_receipts_are_coalesced(center: Center, panel: TinyPanel) -> None:
    for record in [panel.journal.add("area.armed", "status") for _ in range(200)]:
        panel.client.publish(f"fenghuo/v1/{panel.panel}/event/status", json.dumps(event(record, True)), qos=1)
    assert panel.wait(lambda: panel.delivered(200))
    assert len(panel.receipts) < 100


def test_a_store_that_cannot_write_gives_no_receipt_and_recovers(center: Center, panel: TinyPanel) -> None:
    center.store.run("PRAGMA query_only=1")
    record = panel.journal.add("alarm.intruder", "alarm")
    panel.send(record)
    assert center.wait(lambda c: count(c, "store-failed") >= 1, 20)
    assert panel.receipts == []
    center.store.run("PRAGMA query_only=0")
    panel.send(record)
    assert panel.wait(lambda: panel.delivered(1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.sampled_from(
        ["event/alarm", "batch/status", "event/telemetry", "heartbeat", "link", "state", "reply", "receipt", "x/y"]
    ),
    data=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["data", "header", "payload", "hash", "order", "panel", "seq"]), inner)
        ),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
)
def test_whatever_arrives_the_center_goes_on(center: Center, panel: TinyPanel, words: str, data: bytes) -> None:
    panel.publish(words, data)
    marks = center.counts().get("link", 0) + center.counts().get("link-late", 0)
    panel.publish("link", json.dumps({"panel": panel.panel, "online": True, "order": [1, 1, 1], "time": None}))
    assert center.wait(lambda c: count(c, "link") + count(c, "link-late") > marks, 20)
    assert count(center, "garbage.internal") == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), other=st.sampled_from("AQgw.-_09é"))
def test_a_token_with_any_altered_character_does_not_count(
    center: Center, panel: TinyPanel, place: int, other: str
) -> None:
    token = panel.signer.sign("fenghuo.heartbeat.v1", panel.beat_body())
    place %= len(token) - 1  # the last character holds bits that no byte of the signature has: decoders may drop them
    altered = token[:place] + other + token[place + 1 :]
    before, refused = count(center, "heartbeat"), sum(n for name, n in center.counts().items() if "garbage" in name)
    panel.publish("heartbeat", altered)
    panel.publish("heartbeat", b"end of example")
    expected = refused + (1 if altered == token else 2)
    assert center.wait(lambda c: sum(n for name, n in c.counts().items() if "garbage" in name) == expected, 20)
    assert count(center, "heartbeat") == before + (altered == token)


def test_the_tests_own_base64url_is_that_of_the_protocol() -> None:
    assert unb64url(b64url(b"\x00\xff")) == b"\x00\xff"
