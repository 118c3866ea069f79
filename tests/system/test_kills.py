"""Core is killed at 100 random points of a busy scenario (more by FENGHUO_KILLS); journal and state are compared with
what was promised.
"""

import os
import random
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

import rules
from firmware.config import load, to_site
from firmware.protocol import messages as m
from hil.demo_panel import Refused
from hil.timeline import Happening
from tests.system.rig import CODE, DURESS, Rig, rig

KILLS = int(os.environ.get("FENGHUO_KILLS", "100"))
SEED = int(os.environ.get("FENGHUO_SEED", "20260314"))

MET = {"area.armed", "area.disarmed", "area.entry-started", "alarm.intruder", "alarm.hold-up"}
MOVED = ("front-door", "hall-pir", "back-door", "office-pir", "vault-door", "box-tamper")


def modes_by_records(records: list[dict[str, Any]]) -> dict[str, str]:
    """Where each area stands, told from the records alone: an oracle that shares nothing with the rules."""
    modes = {"hall": "disarmed", "vault": "disarmed"}
    sounding: set[str] = set()
    """Areas that sound locally, without being armed: at the end of an exit delay they are in alarm."""
    for record in records:
        kind, payload = record["kind"], record["payload"]
        areas = payload.get("areas", []) if isinstance(payload, dict) else []
        if kind == "area.exit-started":
            new = "exit-delay"
        elif kind.startswith("area.armed") or kind in ("area.part-armed", "area.entry-cancelled"):
            new = "armed"
        elif kind in ("siren.stopped", "area.alarm-ended"):
            new = "armed again"
        elif kind in ("area.entry-started", "area.exit-error"):
            new = "entry-delay"
        elif kind.startswith("area.disarmed"):
            new = "disarmed"
        elif kind == "area.alarm-reset":
            sounding.difference_update(areas)
            continue
        elif kind in ("alarm.intruder", "alarm.entry", "alarm.exit-error", "zone.alarm-held"):
            new = "alarm"
        elif kind in ("alarm.24-hour", "alarm.tamper", "alarm.sensor-tamper"):
            # These end no entry delay: it still ends in an alarm of its own.
            areas = [area for area in areas if modes[area] != "entry-delay"]
            new = "alarm"
        else:
            continue
        for area in areas:
            # An alarm of a 24-hour or tamper zone does not change an area that is not armed.
            if new == "alarm" and modes[area] in ("disarmed", "exit-delay"):
                sounding.add(area)
                continue
            goes_on = new == "armed" and modes[area] == "exit-delay" and area in sounding
            sounding.discard(area)
            if goes_on:
                modes[area] = "alarm"
                continue
            if new == "armed again":
                modes[area] = "armed" if modes[area] == "alarm" else modes[area]
                continue
            modes[area] = new
    return modes


class Hand:
    """Somebody who never rests, until core dies under him."""

    def __init__(self, panel: Rig, chance: random.Random) -> None:
        self._panel = panel
        self._chance = chance
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            try:
                self._panel.desk(self._act())
            except Refused:
                continue
            except (OSError, ValueError):
                return

    def _act(self) -> Any:
        chance = self._chance
        what = chance.random()
        if what < 0.6:
            return m.Move(zone=chance.choice(MOVED), position=chance.choice(("open", "close", "close")))
        if what < 0.7:
            return m.Press(zone="holdup-1", hold_ms=chance.randrange(300, 3000))
        return m.Code(digits=chance.choice((CODE, CODE, CODE, DURESS)), wish=chance.choice(("arm", "disarm", "toggle")))


def state_in_file(panel: Rig) -> rules.PanelState:
    """What the dead panel's journal says of its state."""
    with closing(sqlite3.connect(f"file:{panel.journal}?mode=ro", uri=True)) as db:
        return rules.decode(db.execute("SELECT state FROM state").fetchone()[0])


def decided_later(seen: list[Happening], last: int, records: list[dict[str, Any]]) -> bool:
    """Whether an area moved after what is told at `last` was decided.

    A word waits for the disk, so the next decision may be seen before it; and a kill may come between the disk and
    those who watch. `records`: those of this life, as the file has them.
    """
    of_areas = [h.name for h in seen if h.what == "record" and h.name.startswith("area.")]
    if any(h.what == "record" for h in seen[last:]):
        return True
    if len([r for r in records if r["kind"].startswith("area.")]) > len(of_areas):
        return True
    return bool(of_areas) and not of_areas[-1].startswith(f"area.{seen[last].name}")


def check_told(seen: list[Happening], modes: dict[str, str], records: list[dict[str, Any]]) -> None:
    """What a keypad was told last still holds, unless something was decided after it."""
    last = next((i for i in reversed(range(len(seen))) if seen[i].what == "tell"), None)
    if last is None or decided_later(seen, last, records):
        return
    for area in seen[last].value.get("areas", []):
        if seen[last].name == "armed":
            assert modes[area] != "disarmed", f"{area} was told to be armed"
        if seen[last].name == "disarmed":
            assert modes[area] == "disarmed", f"{area} was told to be disarmed"


def check_dead(panel: Rig, known: list[dict[str, Any]], since: int) -> list[dict[str, Any]]:
    """The file of a killed panel holds everything promised, unchanged, and the state that follows from it."""
    records = panel.records()
    assert records[: len(known)] == known, "a record of before the last kill is gone or altered"
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    seen = panel.seen[since:]
    durable = max((h.value for h in seen if h.what == "durable"), default=0)
    assert durable <= len(records), f"record {durable} was called durable, the file ends at {len(records)}"
    check_told(seen, modes_by_records(records), records[len(known) :])
    state = state_in_file(panel)
    modes = {a: s.mode.value for a, s in state.areas.items()}
    assert modes == modes_by_records(records), [(r["kind"], r["payload"].get("areas")) for r in records[-12:]]
    return records


def check_back(panel: Rig, state: rules.PanelState, since: int) -> None:
    """After the restart: the outputs were claimed as the state says, before anything else moved."""
    site = to_site(load(panel.panel_toml).file)
    for output, wanted in rules.outputs(site, state).items():
        first = panel.wait("output", output, since=since).value
        assert first == wanted, f"{output} was claimed {first}, the state says {wanted}"


@pytest.mark.timeout(900)
def test_core_killed_at_random_points() -> None:
    chance = random.Random(SEED)
    with rig(clock_rate=20) as panel:
        panel.start("core")
        panel.add_user()
        known: list[dict[str, Any]] = []
        since = 0
        for life in range(4 * KILLS):
            # It is to go through every state that a kill can meet: a slow machine needs more lives for that.
            if life >= KILLS and set(panel.kinds()) >= MET:
                break
            hand = Hand(panel, random.Random(chance.random()))
            hand.start()
            threading.Event().wait(chance.uniform(0.0, 0.25))
            panel.kill("core")
            hand.join()
            known = check_dead(panel, known, since)
            state = state_in_file(panel)
            since = panel.mark()
            panel.start("core")
            check_back(panel, state, since)
        assert panel.stop() == {"core": 0}
        panel.check_journal()
        assert set(panel.kinds()) >= MET
