"""The demo's last word: the journal as core tells it, held record by record against what the center has."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.clock import SystemClock
from hil.center import Center
from hil.demo_play import Cast, compare, ending
from hil.demo_screen import JsonScreen
from hil.demo_site import Address, make, names
from hil.demo_stage import Stage, Stopped
from hil.timeline import Timeline
from tests.hil.tiny_panel import TinyPanel

X = "KbrHthTgBzKpTNBlS5DwLid85SCdVtNUunlbSWVjtU8"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """Play core's technician socket: hands out these records, one connection after the other."""
    listener = socket.socket(socket.AF_UNIX)
    (tmp_path / "run").mkdir()
    listener.bind(str(tmp_path / "run" / "technician.sock"))
    listener.listen()

    def work(records: list[dict[str, Any]]) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as file:
                ask = json.loads(file.readline())
                rows = [r for r in records if r["header"]["seq"] > ask["after"]][: ask["limit"]]
                file.write(json.dumps({"type": "answer", "ok": True, "detail": {"records": rows}}).encode() + b"\n")

    yield lambda records: threading.Thread(target=work, args=(records,), daemon=True).start()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def cast(tmp_path: Path, center: Center, panel: TinyPanel) -> Cast:
    loaded, _ = make(tmp_path, Address("127.0.0.1", 1883), X, X)
    text = re.sub('id = "bank-demo"', f'id = "{panel.panel}"', loaded.path.read_text())
    loaded.path.write_text(text)
    loaded, again = make(tmp_path, Address("127.0.0.1", 1883), X, X)
    assert again
    clock = SystemClock()
    stage = Stage(Timeline(names(loaded)), JsonScreen(clock.monotonic_ms()), clock, threading.Event())
    return Cast(stage, center, loaded)


def send_all(center: Center, panel: TinyPanel, count: int) -> None:
    for record in panel.journal.fill(count):
        panel.send(record)
    panel.beat()
    assert center.wait(lambda c: c.heads(panel.panel) and not c.gaps(panel.panel), 10)


def test_the_same_journal_at_core_and_center_has_no_problem(
    cast: Cast, center: Center, panel: TinyPanel, serve: Callable[[list[dict[str, Any]]], None]
) -> None:
    send_all(center, panel, 150)
    serve([r.model_dump() for r in panel.journal.records])
    assert compare(cast) == 150
    ending(cast)
    assert cast.stage.problems == []


def test_a_record_that_core_tells_otherwise_is_a_problem(
    cast: Cast, center: Center, panel: TinyPanel, serve: Callable[[list[dict[str, Any]]], None]
) -> None:
    send_all(center, panel, 12)
    told = [r.model_dump() for r in panel.journal.records]
    told[6] = told[6] | {"hash": "0" * 64}
    serve(told)
    ending(cast)
    assert [en for en, _ in cast.stage.problems] == ["the center is not complete: seq 7 zone.fault"]


def test_a_record_that_the_center_lost_is_a_problem(
    cast: Cast, center: Center, panel: TinyPanel, serve: Callable[[list[dict[str, Any]]], None]
) -> None:
    send_all(center, panel, 12)
    center.store.run("DELETE FROM records WHERE panel=? AND seq=5", panel.panel)
    serve([r.model_dump() for r in panel.journal.records])
    ending(cast)
    assert [en for en, _ in cast.stage.problems] == [
        f"the center is not complete: journal {panel.journal.id}: seq 5 to 5 not held",
        "the center is not complete: seq 5 zone.fault",
    ]


def test_a_core_that_does_not_answer_is_a_problem(cast: Cast, center: Center, panel: TinyPanel) -> None:
    send_all(center, panel, 3)
    ending(cast)
    assert [en for en, _ in cast.stage.problems] == [
        "the journal could not be read from the panel: [Errno 2] No such file or directory"
    ]


def test_waiting_ends_when_somebody_stops_it(tmp_path: Path) -> None:
    stop, clock = threading.Event(), SystemClock()
    loaded, _ = make(tmp_path, Address("127.0.0.1", 1883), X, X)
    stage = Stage(Timeline(names(loaded)), JsonScreen(clock.monotonic_ms()), clock, stop)
    stop.set()
    with pytest.raises(Stopped):
        stage.wait(("never", "永不"), lambda: False, 60)
