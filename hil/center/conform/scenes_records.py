"""The scenes about records and receipts, in the order in which they are played."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from firmware.protocol.envelope import event
from firmware.protocol.records import Record
from hil.center.conform.journal import Journal, forged
from hil.center.conform.trial import Trial

JPEG = b"\xff\xd8\xff\xe0 a picture of the kit \xff\xd9"
FOREIGN = "fenghuo-kit-other"
_OVERSIZED = b'{"data":"' + b"x" * 200_000 + b'"}'
_GARBAGE: tuple[tuple[str, bytes], ...] = (
    ("event/alarm", b"\xff\x00 no json"),
    ("event/alarm", b"[" * 5000),
    ("event/alarm", b"{}"),
    ("event/alarm", b""),
    ("batch/status", b"[]"),
    ("batch/status", json.dumps([1, None, "x"]).encode()),
    ("heartbeat", b"a.b.c"),
    ("reply", b"..."),
    ("state", b"null"),
    ("kit/unknown/topic", b"{}"),
    ("event/unknown-lane", b"{}"),
    ("event/alarm", _OVERSIZED),
)


def begin(trial: Trial) -> None:
    """The first record, and a heartbeat."""
    begun = trial.journal.add("journal.begun", "status", {"reason": "first", "detail": "", "last": None})
    trial.send(begun)
    trial.expect("receipt-in-time", [begun])
    trial.player.beat(trial.journal)


def batches(trial: Trial) -> None:
    """A batch, a full one, and one with a bad event in the middle."""
    some = [trial.journal.add("zone.fault", "status") for _ in range(5)]
    trial.send_batch(some)
    trial.expect("batch", some)
    many = [trial.journal.add("zone.fault-ended", "status") for _ in range(64)]
    trial.send_batch(many)
    trial.expect("batch-full", many)
    first, bad, last = (trial.journal.add("area.armed", "status") for _ in range(3))
    events = [event(record, True) for record in (first, bad, last)]
    events[1]["data"]["payload"] = {"zone": "another"}
    for record in (first, bad, last):
        trial.note(record)
    trial.player.publish("batch/status", json.dumps(events))
    trial.expect("batch-spoiled", [first, last])
    trial.send(bad)
    trial.all_covered([bad])


def order(trial: Trial) -> None:
    """Duplicates, rising numbers in falling order, and a gap that closes late."""
    record = trial.journal.add("alarm.intruder", "alarm", {"zone": "z1", "areas": ["a"], "incident": 1})
    trial.send(record)
    trial.all_covered([record])
    since = trial.mark()
    trial.send(record)
    trial.expect("duplicate", [record], since)
    mixed = [trial.journal.add("alarm.tamper", lane) for lane in ("alarm", "status", "alarm", "status", "alarm")]
    for record in reversed(mixed):
        trial.send(record, stored=True)
    trial.expect("out-of-order", mixed)
    before, missing, after = (trial.journal.add("alarm.tamper", "alarm") for _ in range(3))
    trial.send(before)
    trial.send(after)
    trial.player.beat(trial.journal)
    trial.expect_none("gap", lambda: trial.covered(missing), f"alarm {missing.header.lane_seq}")
    trial.ask("eye-gap", ("Does your center show that a record is missing?", "您的中心是否显示有记录缺失?"))
    trial.send(missing)
    trial.expect("gap", [missing])


def forgery(trial: Trial) -> None:
    """In a journal of its own: a forged record between two true ones, then the true one."""
    journal = successor(trial)
    before, true, after = (journal.add("alarm.intruder", "alarm") for _ in range(3))
    trial.send(before)
    trial.send(forged(true, kind="area.disarmed"))
    trial.send(after)
    if not trial.all_covered([after]):
        trial.unseen("linked-range", "no-fence")
        trial.unseen("rival", "no-fence")
        return
    trial.fence()
    place = true.header.lane_seq
    spanning = [
        (r.first, r.last)
        for said in trial.said()
        if said.body is not None and said.body.journal == journal.id
        for r in said.body.ranges
        if r.first <= place < r.last  # one that ends with the forged record says so by its hash
    ]
    if spanning:
        trial.fail("linked-range", "span", lane="alarm", first=spanning[0][0], last=spanning[0][1])
    else:
        trial.good("linked-range")
    trial.send(true)
    if trial.player.wait(lambda: _by_hash(trial, true), trial.pace.receipt_s):
        trial.good("rival")
    else:
        trial.fail("rival", "no-receipt", what=f"alarm {place} {true.hash[:12]}", s=f"{trial.pace.receipt_s:g}")


def _by_hash(trial: Trial, record: Record) -> bool:
    header = record.header
    return any(
        r.last == header.lane_seq and r.hash == record.hash
        for said in trial.said()
        if said.body is not None and said.body.journal == header.journal and said.body.lane == header.lane
        for r in said.body.ranges
    )


def successor(trial: Trial) -> Journal:
    """A journal that follows the main one, its first record receipted."""
    journal = Journal(trial.journal.panel, time=trial.journal.records[0].header.time)
    seq, own_hash = trial.journal.head
    last = {"journal": trial.journal.id, "seq": seq, "hash": own_hash}
    trial.send(journal.add("journal.begun", "status", {"reason": "corrupt", "detail": "", "last": last}))
    return journal


def refused(trial: Trial) -> None:
    """Records that must get no receipt; the true one of each follows, so that no gap stays."""
    _altered(trial, "altered-header", lambda data: data["header"].update(state_hash="2" * 64))
    _altered(trial, "altered-payload", lambda data: data.update(payload={"zone": "another"}))
    record = trial.journal.add("alarm.intruder", "alarm")
    trial.note(record)
    trial.player.send(record, type="cn.fenghuo.area.disarmed")
    trial.expect_none("wrong-envelope", lambda: trial.covered(record), _name(record))
    trial.player.publish("event/status", json.dumps(event(record, False)))
    trial.expect_none("wrong-lane", lambda: trial.covered(record), _name(record))
    text = json.dumps(event(record, False))
    trial.player.publish("event/alarm", text[:-1] + ',"specversion":"1.0"}')
    trial.expect_none("twice-member", lambda: trial.covered(record), _name(record))
    trial.send(record)
    trial.all_covered([record])
    foreign = Journal(FOREIGN).add("alarm.intruder", "alarm")
    trial.note(foreign)
    trial.player.publish("event/alarm", json.dumps(event(foreign, False)))
    trial.expect_none("wrong-panel", lambda: trial.covered(foreign), f"{FOREIGN} alarm 1")


def _altered(trial: Trial, point: str, alter: Callable[[dict[str, Any]], None]) -> None:
    record = trial.journal.add("alarm.intruder", "alarm")
    body = event(record, False)
    alter(body["data"])
    trial.note(record)
    trial.player.publish("event/alarm", json.dumps(body))
    trial.expect_none(point, lambda: trial.covered(record), _name(record))
    trial.send(record)
    trial.all_covered([record])


def tolerated(trial: Trial) -> None:
    """What is new or unusual, and right."""
    expired = trial.journal.add("area.armed", "status").model_copy(update={"payload": None})
    trial.send(expired, stored=True)
    trial.expect("expired-payload", [expired])
    later = trial.journal.add("alarm.of-a-later-version", "alarm")
    trial.send(later)
    trial.expect("unknown-kind", [later])
    more = trial.journal.add("alarm.intruder", "alarm", {"zone": "z", "later": {"deep": [1, None, "中"]}})
    trial.send(more)
    trial.expect("unknown-member", [more])
    silent = trial.journal.add("alarm.hold-up", "alarm", {"zone": "counter", "areas": ["a"], "incident": 2})
    trial.send(silent)
    trial.expect("silent-kind", [silent])
    trial.ask("eye-silent", (
        "A silent hold-up was reported. Is it kept off every screen that bystanders see?",
        "刚刚上报了静默紧急报警。旁人可见的屏幕上是否没有任何显示?"))  # fmt: skip


def pictures(trial: Trial) -> None:
    """A picture's record with its thumbnail, and one with another's."""
    record = _pictured(trial)
    trial.send(record, thumbnail=JPEG)
    trial.expect("thumbnail", [record])
    other = _pictured(trial)
    trial.note(other)
    trial.player.send(other, thumbnail=JPEG[::-1])
    trial.expect_none("thumbnail-wrong", lambda: trial.covered(other), _name(other))
    trial.send(other, thumbnail=JPEG)
    trial.all_covered([other])


def _pictured(trial: Trial) -> Record:
    named = {"file": "kit/t.jpg", "sha256": hashlib.sha256(JPEG).hexdigest(), "bytes": len(JPEG)}
    payload = {"incident": 1, "zone": "z1", "camera": "c1", "pictures": [], "thumbnail": named,
               "verdict": "unverified", "score": 0}  # fmt: skip
    return trial.journal.add("evidence.pictures", "evidence", payload)


def noise(trial: Trial) -> None:
    """Garbage of every kind, and telemetry."""
    for word, data in _GARBAGE:
        trial.player.publish(word, data)
    record = trial.journal.add("alarm.intruder", "alarm")
    trial.send(record)
    trial.expect("garbage", [record])
    item = {
        "specversion": "1.0",
        "source": f"/panels/{trial.player.panel}",
        "type": "cn.fenghuo.telemetry.health",
        "time": trial.journal.records[0].header.time,
        "datacontenttype": "application/json",
        "lane": "telemetry",
        "data": {"steps": 1, "load": 0.5},
    }
    trial.player.publish("event/telemetry", json.dumps({**item, "id": "1-t1"}))
    trial.player.publish("batch/telemetry", json.dumps([{**item, "id": f"1-t{n}"} for n in (2, 3)]))
    told = lambda: any(said.raw.get("lane") == "telemetry" for said in trial.said())  # noqa: E731
    trial.expect_none("telemetry", told, "telemetry")


def journals(trial: Trial) -> None:
    """Records of two journals, mixed."""
    journal = successor(trial)
    new = [journal.add("alarm.intruder", "alarm") for _ in range(2)]
    old = [trial.journal.add("alarm.tamper", "alarm") for _ in range(2)]
    for one, other in zip(new, old, strict=True):
        trial.send(one)
        trial.send(other, stored=True)
    trial.expect("second-journal", [*new, *old])


def reconnect(trial: Trial) -> None:
    """The link breaks, as if the receipt had been lost with it; the record is sent again."""
    record = trial.journal.add("alarm.intruder", "alarm")
    trial.send(record)
    trial.all_covered([record])
    trial.player.leave(with_will=True)
    trial.ask("eye-offline", ("Does your center show the panel as offline?", "您的中心是否显示主机离线?"))
    trial.player.connect()
    trial.player.beat(trial.journal)
    since = trial.mark()
    trial.send(record, stored=True)
    trial.expect("reconnect", [record], since)
    trial.player.publish("link", trial.player.link(False, connection=1), retain=True)
    trial.ask("eye-late-will", (
        "A late will of an old connection was published. Does your center still show the panel as online?",
        "刚刚发布了旧连接的迟到遗嘱。您的中心是否仍显示主机在线?"))  # fmt: skip
    trial.player.publish("link", trial.player.link(True), retain=True)


def away(trial: Trial) -> None:
    """The center stops, a record comes, the center starts again."""
    stop = ("Stop your center now (not the broker), then answer yes.", "请停止您的中心(不是代理),然后回答是。")
    if not trial.operator("stop", stop):
        trial.unseen("away", "nobody")
        return
    record = trial.journal.add("alarm.intruder", "alarm")
    trial.send(record)
    trial.operator("start", ("Start your center again, then answer yes.", "请重新启动您的中心,然后回答是。"))
    trial.expect("away", [record])
    if not trial.covered(record):
        trial.send(record, stored=True)
        trial.all_covered([record])


def _name(record: Record) -> str:
    return f"{record.header.lane} {record.header.lane_seq}"
