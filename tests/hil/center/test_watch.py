"""How panels stand: links, missed heartbeats after 90 s, what is missing, alarms and their notes."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from hil.center import Center, screen
from hil.center.alarms import acknowledge, alarms
from hil.center.watch import View, Watch
from tests.clock import TurnedClock
from tests.hil.tiny_panel import NOW, TinyPanel


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def center(mosquitto: int, tmp_path: Path, keys: dict[str, str], clock: TurnedClock) -> Iterator[Center]:
    with Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get, clock=clock) as running:
        yield running


@pytest.fixture
def watch(center: Center, clock: TurnedClock) -> Watch:
    watch = Watch(center.store, clock)
    center.on_arrival(watch.hear)
    return watch


def view(watch: Watch, panel: TinyPanel) -> View:
    return next(view for view in watch.views() if view.panel == panel.panel)


def link(panel: TinyPanel, online: bool, connection: int) -> None:
    body = {"panel": panel.panel, "online": online, "order": [1, 1, connection], "time": None}
    panel.publish("link", json.dumps(body))


def printed(table: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=300)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_panel_is_waited_for_online_missed_after_90_s_and_back(
    center: Center, watch: Watch, clock: TurnedClock, panel: TinyPanel
) -> None:
    link(panel, True, 1)
    assert center.wait(lambda c: c.online(panel.panel), 20)
    assert view(watch, panel).standing == "waiting"
    clock.turn(90_000)
    assert view(watch, panel).standing == "waiting"
    clock.turn(1)
    assert view(watch, panel).standing == "missed", "also when it was never heard since the center began"
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert (view(watch, panel).standing, view(watch, panel).beat_age_ms) == ("online", 0)
    clock.turn(90_000)
    assert view(watch, panel).standing == "online"
    clock.turn(1)
    assert view(watch, panel).standing == "missed", "whatever its link says"
    panel.beat()
    assert center.wait(lambda c: c.counts().get("heartbeat") == 2, 20)
    link(panel, False, 1)
    assert center.wait(lambda c: c.online(panel.panel) is False, 20)
    assert view(watch, panel).standing == "offline"


def test_news_are_told_once(center: Center, watch: Watch, clock: TurnedClock, panel: TinyPanel) -> None:
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    assert [(news["was"], news["is"]) for news in watch.news()] == [(None, "online")]
    assert list(watch.news()) == []
    clock.turn(90_001)
    assert [(news["was"], news["is"]) for news in watch.news()] == [("online", "missed")]
    assert list(watch.news()) == []


def test_what_is_missing_and_the_troubles_are_shown(center: Center, watch: Watch, panel: TinyPanel) -> None:
    records = panel.journal.fill(9)
    for record in records[:2] + records[5:8]:
        panel.send(record)
    token = panel.beat_body() | {"troubles": ["mains", "camera:[bold]hall"]}
    panel.publish("heartbeat", panel.signer.sign("fenghuo.heartbeat.v1", token))
    assert center.wait(lambda c: c.heads(panel.panel), 20)
    seen = view(watch, panel)
    assert (seen.head, seen.held, seen.missing, seen.verified, seen.alarms) == (9, 5, 4, 2, 2)
    gaps = [news for news in watch.news() if news["event"] == "gaps"]
    assert [(news["missing"], len(news["gaps"])) for news in gaps] == [(4, 2)]
    assert list(watch.news()) == []
    for record in (records[2], records[3], records[4], records[8]):
        panel.send(record)
    assert center.wait(lambda c: not c.gaps(panel.panel), 20)
    assert [news["missing"] for news in watch.news()] == [0]
    assert [gap[1:] for gap in seen.gaps] == [(3, 5), (9, 9)]
    text = printed(screen.panels([seen]))
    assert "mains camera:[bold]hall" in text, "printed as it is, never as markup"


def test_alarms_wait_until_acknowledged_with_what_came_after(center: Center, watch: Watch, panel: TinyPanel) -> None:
    panel.send(panel.journal.add("alarm.intruder", "alarm", {"zone": "front", "areas": ["hall"], "incident": 4}))
    panel.send(panel.journal.add("alarm.hold-up", "alarm", {"zone": "counter", "areas": ["hall"], "incident": 5}))
    panel.send(panel.journal.add("area.alarm-cancelled", "status", {"areas": ["hall"], "incident": 4}))
    panel.send(panel.journal.add("evidence.pictures", "evidence", {"incident": 5, "verdict": "person"}))
    panel.send(panel.journal.add("alarm.24-hour", "alarm", {"zone": "back", "areas": ["hall"], "incident": 6}))
    panel.send(panel.journal.add("camera.person", "status", {"incident": 6, "zone": "back", "camera": "yard"}))
    assert panel.wait(lambda: panel.delivered(6))
    waiting = {alarm.seq: alarm for alarm in alarms(center.store)}
    assert {seq: (alarm.zone, alarm.note, alarm.silent) for seq, alarm in waiting.items()} == {
        1: ("front", "cancelled", False),
        2: ("counter", "person", True),
        5: ("back", "person", False),
    }
    assert acknowledge(center.store, panel.panel, [5], "wang", NOW) == 1
    assert view(watch, panel).alarms == 2
    assert "counter" in printed(screen.waiting(list(waiting.values())))
    public = printed(screen.whole([view(watch, panel)], list(waiting.values()), public=True))
    assert "counter" not in public
    assert "front" in public
    assert acknowledge(center.store, panel.panel, [2], "wang", NOW) == 1
    assert acknowledge(center.store, panel.panel, [2], "wang", NOW) == 0
    assert [alarm.seq for alarm in alarms(center.store, panel.panel)] == [1]
    assert {alarm.operator for alarm in alarms(center.store, panel.panel, every=True)} == {None, "wang"}
    assert acknowledge(center.store, panel.panel, [], "li", NOW) == 1
