"""What core lets go of the pictures, and when it says that the card is full soon."""

from datetime import date, timedelta

import pytest

from firmware.clock import utc_text
from firmware.core.evidence_keeper import DELETIONS, MIN_ROOM, EvidenceKeeper
from firmware.protocol import messages as m
from rules.effects import Record
from rules.profiles import PROFILES
from rules.stimuli import Noted, TroubleChanged
from tests.clock import TurnedClock

MIB = 2**20
RESERVE = 256 * MIB


class Bench:
    def __init__(self, days: int = 30, max_days: int = 60) -> None:
        self.clock = TurnedClock()
        self.told: list[Noted | TroubleChanged] = []
        self.orders: list[m.Delete] = []
        self.keeper = EvidenceKeeper(days, max_days, self.clock, self._submit, self._order)

    def _submit(self, what: Noted | TroubleChanged) -> bool:
        self.told.append(what)
        return True

    def _order(self, order: m.Delete) -> bool:
        self.orders.append(order)
        return True

    def stock(self, *ages: int, room: int = 10_000 * MIB, per_day: int = MIB, days_left: int = -1) -> list[Noted]:
        """Camera tells; what core recorded then."""
        today = date.fromisoformat(utc_text(self.clock.utc())[:10])
        due = [
            m.Due(
                folder=f"{today - timedelta(days=age)}/{abs(age):06d}-lobby",
                day=f"{today - timedelta(days=age)}",
                files=61,
                bytes=20 * MIB,
            )
            for age in ages
        ]
        del self.told[:]
        self.keeper.stock(
            m.Stock(
                stored=0,
                free=room + RESERVE,
                reserve=RESERVE,
                today=0,
                per_day=per_day,
                days_left=days_left,
                held=0,
                due=due,
            )
        )
        return [told for told in self.told if isinstance(told, Noted)]


def ages(note: Noted) -> list[int]:
    folders = note.payload["folders"]
    assert isinstance(folders, list)
    return [int(str(folder).rpartition("/")[2][:6]) for folder in folders]


@pytest.mark.clause("GB 55029 3.5.2(5)", "Retention video 30 d")
def test_only_what_is_past_the_longest_retention_goes_while_there_is_room() -> None:
    bench = Bench()
    assert bench.stock(60, 45, 31) == []
    [note] = bench.stock(90, 61, 60, 45)
    assert (note.kind, note.payload["why"], ages(note)) == ("evidence.deleted", "age", [90, 61])
    assert (note.payload["files"], note.payload["bytes"]) == (122, 40 * MIB)


def test_nothing_is_deleted_before_the_record_of_it_is_durable() -> None:
    bench = Bench()
    [note] = bench.stock(90)
    assert bench.orders == []
    bench.keeper.recorded(Record(note.kind, note.payload))
    [order] = bench.orders
    assert order.folders == note.payload["folders"]
    assert bench.stock(90) == [], "one record is enough"
    assert bench.orders == [order, order], "and the order is given again while they are there"
    assert bench.stock() == []
    assert len(bench.orders) == 2


def test_a_card_in_need_gives_up_the_oldest_and_no_more_than_it_needs() -> None:
    bench = Bench()
    [note] = bench.stock(59, 45, 31, room=MIN_ROOM - 30 * MIB)
    assert (note.payload["why"], ages(note)) == ("room", [59, 45])
    [note] = Bench().stock(59, 45, 31, room=0, per_day=1000 * MIB)
    assert ages(note) == [59, 45, 31]


def test_what_is_too_young_stays_whatever_camera_says() -> None:
    bench = Bench()
    assert bench.stock(30, 29, 1, 0, -5, room=0) == []


def test_a_young_capture_called_old_is_not_recorded_as_leaving() -> None:
    bench = Bench()
    due = m.Due(folder="2026-09-20/000007-lobby", day="2020-01-01", files=1, bytes=1)
    stock = m.Stock(stored=0, free=0, reserve=0, today=0, per_day=0, days_left=-1, held=0, due=[due])
    bench.keeper.stock(stock)
    assert not any(isinstance(told, Noted) for told in bench.told)


def test_a_clock_that_is_not_set_deletes_nothing() -> None:
    bench = Bench()
    bench.clock.quality = "unset"
    assert bench.stock(90, room=0) == []


def test_a_camera_process_gone_mad_fills_no_journal() -> None:
    bench = Bench()
    assert sum(len(bench.stock(90 + n)) for n in range(100)) == DELETIONS


def test_full_soon_is_a_trouble_seven_days_ahead() -> None:
    bench = Bench()
    stands = []
    for days in (8, 7, 0, -1):
        bench.stock(days_left=days)
        stands.append([(t.trouble, t.present) for t in bench.told if isinstance(t, TroubleChanged)])
    assert stands == [[("evidence", False)], [("evidence", True)], [], [("evidence", False)]]
    bench.stock(days_left=3, room=20 * MIB, per_day=6 * MIB)
    [trouble] = [t for t in bench.told if isinstance(t, TroubleChanged)]
    assert "3" in trouble.detail
    assert "20 MiB" in trouble.detail
    bench.stock()
    assert bench.keeper.figures()["evidence_days_left"] == -1


@pytest.mark.clause("Retention video 90 d")
def test_a_key_site_keeps_them_three_times_as_long() -> None:
    numbers = PROFILES["cn-key"].numbers
    days, longest = numbers["evidence_days"], numbers["evidence_max_days"]
    assert (days.default, days.least) == (90, 90)
    assert longest.least >= 90
    bench = Bench(days.default, longest.default)
    assert bench.stock(90, 61, 31, room=0) == []
    [note] = bench.stock(181, 91)
    assert ages(note) == [181]
