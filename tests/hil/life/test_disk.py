"""Seeded lives of the modelled disk: what it acknowledged is there after any crash, whole, in order, and only once."""

import random

import pytest

from firmware.clock import Clock, utc_text
from firmware.core.recorder import LIMIT, RESERVE
from firmware.journal.entries import Moment, Restored
from firmware.protocol.stored import StoredRecord
from hil.life.clock import Calendar, PanelClock
from hil.life.disk import LifeDisk
from hil.life.disk_volume import Volume
from hil.life.happenings import Recorded
from hil.life.ports import Synced
from hil.life.sites import ground
from rules.effects import Record
from rules.state import PanelState
from rules.vocabulary import KINDS

PLACE = ground("bank")
KINDS_USED = ("alarm.intruder", "zone.bypassed", "area.armed", "user.set")


class Hasty(LifeDisk):
    """The disk that no panel should have: it says durable as soon as it is asked, before the sync."""

    def work(self, at: int) -> Synced:
        synced = super().work(at)
        early = [
            Recorded(at, self.volumes[-1].journal, 0, "status", d.kind, d.payload)
            for c in (self._flight.commits if self._flight else ())
            for d in c.drafts
        ]
        return Synced(self._ticket, (*synced.records, *early))


class Bench:
    """A disk with its clock and what it was given and told."""

    def __init__(self, seed: int, make: type[LifeDisk] = LifeDisk) -> None:
        self.dice = random.Random(seed)
        self.clock = PanelClock(Calendar(739_000))
        self.clock.reboot(0)
        self.disk = make(PLACE, self.clock, random.Random(seed), lambda state: str(state).encode())
        self.told: list[Recorded] = []
        self.n = 0
        self.parts: dict[int, int] = {}
        self.gone: set[int] = set()
        """Commits that a crash has taken: they may not come up later."""
        self.since = 1

    def open(self) -> Restored:
        clock: Clock = self.clock
        restored = self.disk.open(clock, self.clock.now)
        self.work()
        return restored

    def commit(self, size: int = 1, kind: str = "") -> int:
        self.n += 1
        self.parts[self.n] = size
        records = [
            Record(kind or self.dice.choice(KINDS_USED), {"n": self.n, "part": part, "of": size})
            for part in range(size)
        ]
        state: PanelState = f"state {self.n}"  # type: ignore[assignment]
        return self.disk.commit(records, state, self.moment(), self.clock.now)

    def moment(self) -> Moment:
        clock = self.clock
        return Moment(utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())

    def work(self) -> int:
        synced = self.disk.work(self.clock.now)
        self.told += synced.records
        return synced.ticket

    def until(self, ticket: int) -> None:
        while self.work() < ticket:
            due = self.disk.next_work()
            assert due is not None
            self.clock.now = max(self.clock.now, due)

    def present(self) -> list[StoredRecord]:
        volumes = self.disk.volumes
        return [r for v in volumes for r in sorted((r for lane in v.lanes.values() for r in lane), key=lambda r: r.seq)]

    def complaint(self) -> str:
        """What is wrong with the disk after a crash, empty when nothing is."""
        records = self.present()
        payloads = [(r.payload or b"").decode() for r in records]
        ours = [p for p in payloads if '"part":' in p]
        if len(ours) != len(set(ours)):
            return "twice"
        there: dict[int, int] = {}
        for told in (t for t in self.told if "part" in t.payload):
            if not any(f'"n":{told.payload["n"]},' in p and f'"part":{told.payload["part"]}' in p for p in ours):
                return "an acknowledged record is lost"
        for payload in ours:
            number = int(payload.split('"n":')[1].split(",")[0])
            there[number] = there.get(number, 0) + 1
        if any(count != self.parts[number] for number, count in there.items()):
            return "torn"
        if self.gone & there.keys():
            return "a ghost"
        alive = [n in there for n in range(self.since, self.n + 1) if self.parts[n]]
        if alive != sorted(alive, reverse=True):
            return "no prefix"
        self.gone |= self.parts.keys() - there.keys()
        self.since = self.n + 1
        for volume in self.disk.volumes:
            numbers = sorted(r.seq for lane in volume.lanes.values() for r in lane)
            if numbers != list(range(1, len(numbers) + 1)):
                return "a gap"
        return ""


def live(bench: Bench, crashes: int) -> str:
    """Commits, stalls, full disks and crashes by the dice; the first complaint."""
    dice, disk, clock = bench.dice, bench.disk, bench.clock
    bench.open()
    for _ in range(crashes):
        for _ in range(dice.randint(1, 12)):
            clock.now += dice.choice((0, 0, 1, 3, 20, 700))
            bench.commit(dice.randint(0, 4))
            if dice.random() < 0.1:
                disk.stall(clock.now + dice.randint(1, 3_000), clock.now)
            if dice.random() < 0.7:
                bench.work()
        disk.crash(clock.now, power := dice.random() < 0.5)
        if power:
            clock.reboot(clock.now)
        bench.open()
        if complaint := bench.complaint():
            return complaint
    return ""


@pytest.mark.parametrize("seed", range(40))
def test_what_was_acknowledged_is_there_after_any_crash_whole_and_in_order(seed: int) -> None:
    assert live(Bench(seed), 12) == ""


def test_a_disk_that_acknowledges_before_the_sync_is_caught() -> None:
    complaints = [live(Bench(seed, Hasty), 12) for seed in range(20)]
    # In some lives the dice let every transaction in flight land.
    assert complaints.count("an acknowledged record is lost") > 10


def test_both_ends_of_a_transaction_in_flight_come_about() -> None:
    ends = set()
    for seed in range(20):
        bench = Bench(seed)
        bench.open()
        bench.commit(2)
        bench.disk.crash(bench.clock.now, power=bool(seed % 2))
        ends.add(bench.open().state)
    assert ends == {None, b"state 1"}


def test_what_landed_unheard_is_told_after_the_start() -> None:
    for seed in range(20):
        bench = Bench(seed)
        bench.open()
        bench.commit(2)
        bench.disk.crash(bench.clock.now, power=False)
        restored = bench.open()
        assert [r.payload["n"] for r in bench.told if "n" in r.payload] == ([1, 1] if restored.state else [])


def test_delivery_marks_younger_than_a_second_are_lost_with_a_crash() -> None:
    bench = Bench(1)
    bench.open()
    bench.until(bench.commit(1, "alarm.intruder"))
    disk = bench.disk
    journal = disk.volumes[-1].journal
    disk.mark_delivered(journal, "alarm", [(1, 1)], "")
    assert disk.reader.heads()[-1].first_undelivered["alarm"] == 2
    disk.crash(bench.clock.now + 500, power=False)
    assert disk.reader.heads()[-1].first_undelivered["alarm"] == 1
    bench.open()
    disk.mark_delivered(journal, "alarm", [(1, 1)], "")
    disk.crash(bench.clock.now + 1_001, power=True)
    assert disk.reader.heads()[-1].first_undelivered["alarm"] == 2


def test_too_many_waiting_commits_are_counted_and_recorded_as_lost() -> None:
    bench = Bench(1)
    bench.open()
    bench.disk.stall(10_000, 0)
    for _ in range(LIMIT + 11):
        last = bench.commit(1, "zone.bypassed")
    assert bench.disk.lost == 10  # one is in flight
    for _ in range(RESERVE):
        last = bench.commit(1, "alarm.intruder")
    assert bench.disk.lost == 10, "the reserve is for alarms"
    bench.until(last)
    lost = [r.payload for r in bench.told if r.kind == "journal.lost"]
    assert [p["lanes"] for p in lost] == [{str(KINDS["zone.bypassed"].lane): 10}]


def test_a_stall_holds_back_every_sync() -> None:
    bench = Bench(1)
    bench.open()
    ticket = bench.commit()
    bench.disk.stall(5_000, 0)
    bench.until(ticket)
    assert bench.clock.now >= 5_000


def test_a_full_disk_costs_the_reserve_and_then_goes_on_in_the_run_folder() -> None:
    bench = Bench(1)
    disk = bench.disk
    bench.open()
    first = disk.volumes[0].journal
    disk.fill(True, 0)
    bench.until(bench.commit())
    assert disk.storage_trouble.startswith("full")
    assert [v.journal for v in disk.volumes] == [first], "the reserve takes it"
    disk.reserve = 0
    bench.until(bench.commit())
    begun = next(r for r in bench.told if r.kind == "journal.begun" and r.payload["reason"] == "storage")
    last = begun.payload["last"]
    assert isinstance(last, dict)
    assert (last["journal"], last["hash"]) == (first, disk.volumes[0].tip.hash)
    return_to_disk(bench)
    assert disk.storage_trouble == ""
    spare: Volume = disk.volumes[-1]
    assert spare.journal != first
    disk.crash(bench.clock.now, power=True)
    bench.clock.reboot(bench.clock.now)
    assert bench.open().state == b"state 2"
    assert {h.journal for h in disk.reader.heads()} == {first, spare.journal}, "the old one still delivers"


def return_to_disk(bench: Bench) -> None:
    bench.disk.fill(False, bench.clock.now)
    bench.clock.now += 10_000
    bench.work()


def test_a_power_cut_takes_the_journal_in_the_run_folder_and_a_kill_does_not() -> None:
    for power in (False, True):
        bench = Bench(2)
        bench.open()
        bench.until(bench.commit())
        bench.disk.fill(True, bench.clock.now)
        bench.disk.reserve = 0
        bench.until(bench.commit())
        bench.disk.crash(bench.clock.now, power)
        assert bench.open().state == (b"state 1" if power else b"state 2")
        assert bench.disk.storage_trouble


def test_an_hour_ends_with_a_checkpoint() -> None:
    bench = Bench(1)
    bench.open()
    before = len(bench.present())
    due = bench.disk.next_work()
    assert due == 3_600_000
    for _ in range(2):
        bench.clock.now = bench.disk.next_work() or 0
        bench.work()
    assert [r.kind for r in bench.told[before:]] == ["journal.checkpoint"]


def test_a_tick_moves_the_moment_of_the_state_unless_the_disk_hung() -> None:
    for hung in (False, True):
        bench = Bench(1)
        bench.open()
        bench.until(bench.commit())
        bench.clock.now = 20_000
        if hung:
            bench.disk.stall(60_000, 15_000)
        bench.disk.tick(bench.moment(), 20_000)
        bench.disk.crash(20_000, power=False)
        restored = bench.open()
        assert (restored.monotonic_ms == 20_000) is not hung
