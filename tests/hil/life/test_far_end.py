"""The far end: whatever network, broker and center do, in the end the center holds just what was recorded."""

from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hil.life.clock import PanelClock
from hil.life.far_end import LifeFarEnd
from hil.life.ground import Ground
from hil.life.happenings import Held
from hil.memory_journal import MemoryJournal
from rules.site import Site

HOUR = 3_600_000
GROUND = Ground("bank-7", Site({}, {}, {}), "c0", paths=frozenset({"center-1"}))


class Panel:
    """A journal in memory whose records are durable at once, and the far end that carries them away."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.journal = MemoryJournal(GROUND.name)
        disk = SimpleNamespace(reader=self.journal, mark_delivered=self.journal.mark)
        self.far = LifeFarEnd(GROUND, cast(PanelClock, None), cast(Any, disk), Random(seed + 1))
        self.at = 0
        self.held: list[Held] = []
        self.troubles: list[tuple[bool, str]] = []
        self.far.core_up(1, 0)

    def live(self, ms: int) -> None:
        """Let time pass."""
        end = self.at + ms
        while (due := self.far.next_work()) is not None and due <= end:
            self.at = max(self.at, due)
            arrived = self.far.work(self.at)
            self.held += arrived.held
            self.troubles += [(t.present, t.subject) for t in arrived.troubles]
        self.at = end

    def record(self, count: int = 1) -> None:
        for _ in range(count):
            lane = self.random.choice(["alarm", "status", "status"])
            self.journal.append(lane, f"{lane}.x", {"n": self.random.randrange(1000)}, self.at)
            self.far.head_moved(self.at)

    def missing(self) -> set[tuple[str, int]]:
        return {(j, r.seq) for j, r in self.journal.records()} - set(self.far.center.held)

    def hashes(self) -> dict[tuple[str, int], str]:
        return {(j, r.seq): r.hash for j, r in self.journal.records()}


def storm(panel: Panel, steps: int) -> None:
    """Records, while everything between here and there fails at random."""
    session = 1
    for _ in range(steps):
        match panel.random.randrange(12):
            case 0:
                panel.far.link(False, panel.at)
            case 1:
                panel.far.link(True, panel.at)
            case 2:
                panel.far.restart_broker(panel.at)
            case 3:
                panel.far.restart_center(panel.at)
            case 4:
                panel.far.restart_uplink(panel.at)
            case 5:
                power = panel.random.random() < 0.5
                panel.far.core_down(panel.at, power)
                panel.live(panel.random.randrange(5_000))
                session += 1
                panel.far.core_up(session, panel.at)
            case 6:
                panel.live(panel.random.randrange(200_000))
            case _:
                panel.record(panel.random.randrange(1, 6))
        panel.live(panel.random.randrange(3_000))
    panel.far.link(True, panel.at)


@pytest.fixture(params=range(12))
def stormy(request: pytest.FixtureRequest) -> Panel:
    panel = Panel(request.param)
    storm(panel, 150)
    return panel


def test_when_the_network_heals_the_center_holds_every_record_once_as_it_is(stormy: Panel) -> None:
    stormy.live(HOUR)
    assert stormy.missing() == set()
    assert {key: stored.hash for key, stored in stormy.far.center.held.items()} == stormy.hashes()
    assert len({(h.journal, h.seq) for h in stormy.held}) == len(stormy.held) == len(stormy.hashes())
    assert (stormy.far.center.rivals, stormy.far.center.altered) == (0, 0)
    assert stormy.journal.undelivered() == 0
    assert stormy.far.refusals == []


def test_storms_make_duplicates_and_cut_paths_are_told() -> None:
    duplicates, told = 0, set()
    for seed in range(12):
        panel = Panel(seed)
        storm(panel, 150)
        panel.live(HOUR)
        duplicates += panel.far.center.duplicates
        told |= set(panel.troubles)
    assert duplicates > 0, "a storm in which nothing came twice proves nothing"
    assert told == {(True, "center-1"), (False, "center-1")}


def test_nothing_is_marked_as_delivered_that_the_center_does_not_hold() -> None:
    for seed in range(6):
        panel = Panel(seed)
        for _ in range(40):
            storm(panel, 5)
            waiting = {
                (journal, record.seq)
                for journal, lanes in panel.journal._journals.items()
                for its in lanes.values()
                for record in its.records
                if record.lane_seq in its.undelivered
            }
            assert panel.missing() <= waiting


def test_a_center_that_receipts_before_it_stores_is_found_out() -> None:
    panel = Panel(3)
    panel.far.center.blind = True
    panel.record(20)
    panel.live(HOUR)
    assert panel.journal.undelivered() == 0
    assert panel.missing(), "nothing was stored, and nobody would see it"


def test_without_a_path_nothing_leaves() -> None:
    panel = Panel(1)
    ground = Ground("bank-7", Site({}, {}, {}), "c0")
    disk = SimpleNamespace(reader=panel.journal, mark_delivered=panel.journal.mark)
    panel.far = LifeFarEnd(ground, cast(PanelClock, None), cast(Any, disk), Random(1))
    panel.far.core_up(1, 0)
    panel.record(5)
    panel.live(HOUR)
    assert (panel.held, panel.troubles) == ([], [])
    assert panel.journal.undelivered() == 5


def test_the_same_seed_gives_the_same_arrivals() -> None:
    def arrivals(seed: int) -> list[tuple[int, int]]:
        panel = Panel(seed)
        storm(panel, 80)
        panel.live(HOUR)
        return [(h.at, h.seq) for h in panel.held]

    assert arrivals(5) == arrivals(5)
    assert arrivals(5) != arrivals(6)
