"""The real journal over modelled storage, under crashes, full, hanging and failing cards: what it said is kept, each
record stands once, and in the end the center holds the journals.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

import rules
from firmware.clock import utc_text
from firmware.core.recorder import LIMIT, RESERVE
from firmware.journal.entries import Moment, Restored
from hil.life.clock import Calendar, PanelClock
from hil.life.far_end import LifeFarEnd
from hil.life.ground import Ground
from hil.life.happenings import Held, Recorded
from hil.life.real_disk import RealDisk
from rules.effects import Record
from rules.site import Area, Site
from rules.stimuli import PanelStarted

HOUR = 3_600_000
SITE = Site({"hall": Area("hall", 1, "Hall", 45_000, 120_000, 45_000)}, {}, {})
GROUND = Ground("bank-7", SITE, "c0", paths=frozenset({"center-1"}))


class Panel:
    """Commits numbered records, and keeps what it was told of them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = PanelClock(Calendar(740_000))
        self.disk = RealDisk(GROUND, self.clock, Random(seed + 1))
        self.far = LifeFarEnd(GROUND, self.clock, self.disk, Random(seed + 2))
        self.number = 0
        self.waiting: dict[int, tuple[int, bytes]] = {}
        """Of this run: ticket → number and state."""
        self.said: set[int] = set()
        """Numbers that were durable, as the panel was told."""
        self.last_said: bytes | None = None
        self.told: list[Recorded] = []
        self.held: list[Held] = []
        self.troubles: list[str] = []
        self.state = rules.initial(SITE)
        self.restored = self.start(reboot=True)

    @property
    def now(self) -> int:
        return self.clock.now

    def start(self, reboot: bool) -> Restored:
        if reboot:
            self.clock.reboot(self.now)
        self.restored = self.disk.open(self.clock, self.now)
        self.waiting = {}
        self.look()
        self.far.core_up(self.restored.session, self.now)
        return self.restored

    def commit(self, kind: str = "zone.bypassed") -> int:
        """One step of the rules: a record, and another state."""
        self.number += 1
        clock = self.clock
        started = PanelStarted("first", -1, f"v{self.number}", "")
        self.state = rules.step(SITE, self.state, started, clock.monotonic_ms())[0]
        moment = Moment(utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())
        ticket = self.disk.commit((Record(kind, {"zone": "z", "n": self.number}),), self.state, moment, self.now)
        self.waiting[ticket] = self.number, rules.encode(self.state)
        return self.number

    def look(self) -> None:
        synced = self.disk.work(self.now)
        self.told += synced.records
        for ticket in sorted(ticket for ticket in self.waiting if ticket <= synced.ticket):
            number, self.last_said = self.waiting.pop(ticket)
            self.said.add(number)
        if self.disk.storage_trouble != (self.troubles[-1] if self.troubles else ""):
            self.troubles.append(self.disk.storage_trouble)
        if synced.records:
            self.far.head_moved(self.now)

    def live(self, ms: int) -> None:
        """Let time pass."""
        end, last, turns = self.now + ms, -1, 0
        while True:
            disk, far = self.disk.next_work(), self.far.next_work()
            due = min((due for due in (disk, far) if due is not None), default=None)
            if due is None or due > end:
                break
            self.clock.now = max(self.now, due)
            turns = turns + 1 if self.now == last else 0
            assert turns < 1_000, f"time stands still at {self.now}: the disk wants {disk}, the far end {far}"
            last = self.now
            if disk is not None and disk <= self.now:
                self.look()
            else:
                self.held += self.far.work(self.now).held
        self.clock.now = end

    def crash(self, power: bool) -> None:
        self.disk.crash(self.now, power)
        self.far.core_down(self.now, power)

    def numbers(self) -> list[Any]:
        """The numbers of all records that were told, in order."""
        return [r.payload["n"] for r in self.told if "n" in r.payload]

    def arrived(self) -> set[Any]:
        return {h.payload["n"] for h in self.held if "n" in h.payload}

    def begun(self) -> list[Any]:
        return [r.payload for r in self.told if r.kind == "journal.begun"]


def storm(panel: Panel, steps: int, faults: bool) -> None:
    """Commits and crashes; `faults`: the card runs full and hangs, and the network goes."""
    for _ in range(steps):
        match panel.random.randrange(14):
            case 0 | 1:
                power = panel.random.random() < 0.5
                panel.crash(power)
                panel.live(panel.random.randrange(20_000))
                panel.start(reboot=power)
            case 2 if faults:
                panel.disk.fill(True, panel.now)
            case 3 if faults:
                panel.disk.fill(False, panel.now)
            case 4 if faults:
                panel.disk.stall(panel.now + panel.random.randrange(30_000), panel.now)
            case 5 if faults:
                panel.far.link(panel.random.random() < 0.5, panel.now)
            case 6:
                panel.live(panel.random.randrange(40_000))
            case _:
                for _ in range(panel.random.randrange(1, 5)):
                    panel.commit(panel.random.choice(["alarm.intruder", "area.armed", "zone.bypassed"]))
                    panel.live(panel.random.choice((0, 0, 1, 3, 8, 50)))


@pytest.mark.parametrize("seed", range(10))
def test_what_was_said_is_kept_over_kills_and_power_cuts(seed: int) -> None:
    panel = Panel(seed)
    panel.disk.storage.fails = 0
    for _ in range(30):
        storm(panel, 8, faults=False)
        panel.crash(panel.random.random() < 0.5)
        said, last, number = set(panel.said), panel.last_said, panel.number
        panel.start(reboot=True)
        assert said <= set(panel.numbers())
        if max(said, default=0) == number:
            assert panel.restored.state == last
    assert len(panel.said) > 200
    assert panel.numbers() == sorted(set(panel.numbers())), "a record twice, or out of order"
    assert [r.seq for r in panel.told] == list(range(1, len(panel.told) + 1))
    assert panel.troubles == []


@pytest.mark.parametrize("seed", range(8))
def test_in_the_end_the_center_holds_what_the_journals_hold(seed: int) -> None:
    panel = Panel(seed + 100)
    storm(panel, 250, faults=True)
    panel.far.link(True, panel.now)
    panel.disk.fill(False, panel.now)
    panel.live(2 * HOUR + 60_000)
    ours = {(r.journal, r.seq): (r.lane, r.kind, r.payload) for r in panel.told}
    theirs = {(h.journal, h.seq): (h.lane, h.kind, h.payload) for h in panel.held}
    assert len(panel.held) == len(theirs), "stored twice"
    assert theirs.items() <= ours.items(), "the center holds what no journal ever held"
    spare = {r.journal for r in panel.told if r.kind == "journal.begun" and r.payload["reason"] == "storage"}
    missing = {journal for journal, seq in ours.keys() - theirs.keys()}
    assert missing <= spare, "lost, and not with the run folder in a power cut"
    assert panel.disk.storage_trouble == ""
    assert (panel.far.center.rivals, panel.far.center.altered) == (0, 0)
    assert panel.far.center.duplicates > 0


# --- a crash in the middle of a commit ----------------------------------------------------------------------------


def fates(crash: Callable[[Panel], None]) -> set[bool]:
    """Whether a record that was under way is there after a crash, over many seeds."""
    found = set()
    for seed in range(24):
        panel = Panel(seed)
        panel.live(5_000)
        number = panel.commit()
        crash(panel)
        panel.start(reboot=True)
        assert panel.numbers() in ([], [number])
        found.add(number in panel.numbers())
    return found


def test_a_record_under_way_may_be_kept_or_lost() -> None:
    def at_once(power: bool) -> Callable[[Panel], None]:
        return lambda panel: panel.crash(power)

    assert fates(at_once(power=False)) == {True, False}
    assert fates(at_once(power=True)) == {True, False}


@pytest.mark.parametrize(("power", "kept"), [(False, {True}), (True, {True, False})])
def test_what_is_written_and_not_synced_survives_a_kill_and_perhaps_a_power_cut(power: bool, kept: set[bool]) -> None:
    def in_the_sync(panel: Panel) -> None:
        panel.disk.stall(panel.now + 5_000, panel.now)
        panel.clock.now += 100
        panel.crash(power)

    assert fates(in_the_sync) == kept


def test_a_record_that_was_kept_unsaid_is_told_after_the_start() -> None:
    panel = Panel(1)
    panel.disk.stall(panel.now + 60_000, panel.now)
    number = panel.commit()
    panel.clock.now += 1_000
    panel.crash(power=False)
    assert number not in panel.numbers()
    panel.start(reboot=False)
    assert panel.numbers() == [number]
    assert panel.restored.state == rules.encode(panel.state)
    assert panel.restored.cause == "restart"


def test_a_dark_disk_wants_nothing() -> None:
    panel = Panel(1)
    panel.commit()
    panel.crash(power=True)
    assert panel.disk.next_work() is None


def test_the_moment_that_was_lived_through_is_noted() -> None:
    panel = Panel(1)
    panel.commit()
    panel.live(45_000)
    clock = panel.clock
    lived = Moment(utc_text(clock.utc() - 3), clock.state(), clock.boot(), clock.monotonic_ms() - 3_000)
    panel.disk.tick(lived, panel.now - 3_000)
    panel.crash(power=True)
    restored = panel.start(reboot=True)
    assert (restored.boot, restored.monotonic_ms, restored.utc) == (lived.boot, lived.monotonic_ms, lived.time)
    assert restored.cause == "power-up"


# --- cards that hang, are full, or fail ----------------------------------------------------------------------------


def test_a_card_that_hangs_makes_nothing_durable_until_it_goes_on() -> None:
    panel = Panel(2)
    panel.live(5_000)
    panel.disk.stall(panel.now + 20_000, panel.now)
    numbers = [panel.commit() for _ in range(5)]
    panel.live(19_000)
    assert panel.said == set()
    panel.live(3_000)
    assert panel.said == set(numbers)
    assert panel.numbers() == numbers


def test_more_than_the_queue_holds_is_counted_and_recorded() -> None:
    panel = Panel(3)
    panel.live(5_000)
    panel.disk.stall(panel.now + 60_000, panel.now)
    for _ in range(LIMIT + 50):
        panel.commit()
    for _ in range(RESERVE + 20):
        panel.commit("alarm.intruder")
    panel.live(120_000)
    lost = [r.payload["lanes"] for r in panel.told if r.kind == "journal.lost"]
    assert lost == [{"alarm": 20, "status": 49}], "one commit was being written already"
    assert len(panel.numbers()) == LIMIT + 1 + RESERVE


def fill_up(panel: Panel) -> None:
    """Write until the card takes no more."""
    panel.disk.fill(True, panel.now)
    for _ in range(200):
        panel.commit("alarm.intruder")
        panel.live(1_000)
        if len(panel.begun()) > 1:
            return
    raise AssertionError("a full card that never refuses")


def test_a_full_card_lives_on_its_reserve_then_in_the_run_folder_and_comes_back() -> None:
    panel = Panel(4)
    panel.live(5_000)
    fill_up(panel)
    first, second = panel.begun()
    assert (first["reason"], second["reason"]) == ("first", "storage")
    before = [r for r in panel.told if r.journal == second["last"]["journal"]]
    assert second["last"]["seq"] == before[-1].seq
    assert panel.troubles[0].startswith("full")
    assert panel.troubles[0].endswith("reserve given up")
    assert len([r for r in before if r.kind == "alarm.intruder"]) > 10, "the reserve carried nothing"
    panel.disk.fill(False, panel.now)
    panel.live(30_000)
    assert panel.disk.storage_trouble == ""
    assert panel.said == set(panel.numbers()) == set(range(1, panel.number + 1))
    panel.crash(power=True)
    panel.start(reboot=True)
    panel.live(HOUR)
    assert panel.arrived() == panel.said


def test_alarms_go_out_live_while_the_card_is_full() -> None:
    panel = Panel(4)
    panel.live(5_000)
    fill_up(panel)
    number = panel.commit("alarm.intruder")
    panel.live(10_000)
    assert panel.disk.storage_trouble
    assert number in panel.arrived()


@pytest.mark.parametrize("power", [False, True])
def test_the_run_folder_survives_a_kill_and_no_power_cut(power: bool) -> None:
    panel = Panel(5)
    panel.far.link(False, panel.now)
    panel.live(5_000)
    fill_up(panel)
    on_disk = {r.payload["n"] for r in panel.told if r.journal == panel.told[0].journal and "n" in r.payload}
    assert on_disk < panel.said
    panel.crash(power)
    panel.start(reboot=power)
    if power:
        assert panel.restored.state is not None
        assert panel.restored.state != panel.last_said
    else:
        assert panel.restored.state == panel.last_said
        assert panel.disk.storage_trouble
    panel.disk.fill(False, panel.now)
    panel.far.link(True, panel.now)
    panel.live(HOUR)
    assert panel.arrived() == (on_disk if power else panel.said)


@pytest.mark.parametrize("seed", range(6))
def test_a_failing_sync_puts_each_record_into_one_journal(seed: int) -> None:
    panel = Panel(seed)
    panel.disk.storage.fails = 0.05
    for _ in range(150):
        panel.commit()
        panel.live(12_000)
    assert panel.disk.storage.failures > 5
    assert set(panel.numbers()) == panel.said == set(range(1, 151))
    assert any("disk I/O error" in trouble for trouble in panel.troubles)
    assert "" in panel.troubles, "the trouble ends"


# --- deliveries, checkpoints, old records ---------------------------------------------------------------------------


def test_what_was_delivered_is_kept_within_a_second_and_else_sent_again() -> None:
    panel = Panel(6)
    panel.live(60_000)
    panel.crash(power=True)
    panel.start(reboot=True)
    assert undelivered(panel) == 0
    panel.far.link(False, panel.now)
    panel.commit("alarm.intruder")
    panel.live(100)
    head = panel.disk.reader.heads()[-1]
    panel.disk.mark_delivered(head.journal, "alarm", [(1, head.last["alarm"])], "receipt")
    assert undelivered(panel) == 0
    panel.crash(power=True)
    panel.start(reboot=True)
    assert undelivered(panel) == 1


def undelivered(panel: Panel) -> int:
    return sum(
        head.last[lane] - first + 1
        for head in panel.disk.reader.heads()
        for lane, first in head.first_undelivered.items()
    )


def test_signed_checkpoints_come_hourly_and_after_their_kinds() -> None:
    panel = Panel(7)
    panel.live(10 * HOUR + 60_000)
    kinds = [r.kind for r in panel.told]
    assert kinds.count("journal.checkpoint") == 11, "ten, and the one that seals the beginning"
    panel.commit("area.armed")
    panel.live(100)
    assert [r.kind for r in panel.told[-2:]] == ["area.armed", "journal.checkpoint"]


def test_delivered_records_leave_after_four_hundred_days() -> None:
    panel = Panel(8)
    for _ in range(100):
        panel.commit()
        panel.live(1_000)
    panel.clock.offset_ms = 399 * 24 * HOUR
    panel.live(2 * HOUR)
    assert not [r for r in panel.told if r.kind == "journal.base"]
    panel.clock.offset_ms += 2 * 24 * HOUR
    panel.live(2 * HOUR + 60_000)
    removed = [r.payload["removed"] for r in panel.told if r.kind == "journal.base"]
    assert removed[0] == len([r for r in panel.told if r.at < 2 * HOUR]) - 64 + 1, "the newest stay"
    journal = panel.told[0].journal
    assert panel.disk.reader.hash_of(journal, "status", 1) is None
    assert {(r.journal, r.seq) for r in panel.told} == {(h.journal, h.seq) for h in panel.held}


def test_the_same_seed_gives_the_same_disk() -> None:
    def told(seed: int) -> list[Recorded]:
        panel = Panel(seed)
        storm(panel, 60, faults=True)
        return panel.told

    assert told(5) == told(5)
    assert told(5) != told(6)
