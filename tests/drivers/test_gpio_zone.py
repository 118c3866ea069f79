"""One zone's lines against a clock that the test turns: lost edges, chatter, storms, failures, any course of levels."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gpio import POLL_MS
from drivers.gpio_zone import MUTE_MS, RESTLESS_MS, STORM_EDGES, WatchedZone
from drivers.wiring import Input, Wiring
from rules.site import Condition
from tests.drivers.gpio_rig import FaultyFactory, drive

DEBOUNCE = 30


class Bench:
    """A zone, the lines it reads, and a driver's turns at the right moments."""

    def __init__(self, wire: Input) -> None:
        self.now = 1_000_000
        self.factory = FaultyFactory()
        self.pins: list[Any] = [self.factory.pin(line) for line in wire.lines]
        self.woken = 0
        self.zone = WatchedZone(wire, self.factory, lambda: self.now, self._wake)
        self.told: list[tuple[Condition, int]] = []
        self._poll_at = self.now

    def _wake(self) -> None:
        self.woken += 1

    def run(self, ms: int) -> None:
        """Let so many milliseconds pass, with a turn wherever the driver takes one."""
        for _ in range(ms):
            poll = self.now >= self._poll_at
            if poll:
                self._poll_at = self.now + POLL_MS
            if poll or self.zone.due(self.now):
                found = self.zone.look(self.now, poll)
                if found is not None:
                    self.told.append((found, self.now))
            self.now += 1

    @property
    def conditions(self) -> list[Condition]:
        return [condition for condition, _ in self.told]


def settled(wire: Input | None = None) -> Bench:
    """A zone at rest, told so."""
    bench = Bench(wire or Input("door", 17, Wiring.NC, None, DEBOUNCE))
    drive(bench.pins[0], False)
    bench.zone.claim(bench.now)
    bench.run(POLL_MS + DEBOUNCE)
    assert bench.conditions == [Condition.NORMAL]
    bench.told.clear()
    return bench


COURSE = st.lists(st.tuples(st.booleans(), st.integers(1, 90), st.booleans()), max_size=25)


@given(COURSE, st.booleans())
def test_the_final_level_is_always_found_though_edges_are_lost(
    course: list[tuple[bool, int, bool]], final: bool
) -> None:
    bench = settled()
    for level, lasts, edge_lost in course:
        bench.pins[0].edges = "none" if edge_lost else "both"
        drive(bench.pins[0], level)
        bench.run(lasts)
    bench.pins[0].edges = "none"
    drive(bench.pins[0], final)
    bench.run(POLL_MS + DEBOUNCE + 1)
    assert bench.zone.reported is (Condition.ACTIVE if final else Condition.NORMAL)


@given(COURSE)
def test_with_edges_exactly_what_stands_is_told(course: list[tuple[bool, int, bool]]) -> None:
    bench = settled()
    runs: list[tuple[bool, int]] = [(False, POLL_MS)]
    for level, lasts in [*((level, lasts) for level, lasts, _ in course), (False, 2 * DEBOUNCE)]:
        drive(bench.pins[0], level)
        bench.run(lasts)
        if runs[-1][0] == level:
            runs[-1] = (level, runs[-1][1] + lasts)
        else:
            runs.append((level, lasts))
    expected = [Condition.NORMAL]
    for level, lasts in runs:
        condition = Condition.ACTIVE if level else Condition.NORMAL
        if lasts >= DEBOUNCE and expected[-1] is not condition:
            expected.append(condition)
    assert bench.conditions == expected[1:]


def test_pulses_that_no_level_shows_are_counted_by_their_edges() -> None:
    bench = settled()
    for _ in range(3):
        drive(bench.pins[0], True)
        drive(bench.pins[0], False)
        bench.run(50)
    assert bench.told == []
    assert bench.zone.short_pulses == 3
    assert bench.zone.health()["edges"] >= 6


@pytest.mark.clause("EN 50131-1 faults 10 s")
def test_a_line_that_never_rests_reads_fault_until_it_does() -> None:
    bench = settled()
    start = bench.now
    for i in range((RESTLESS_MS + 1000) // 10):
        drive(bench.pins[0], i % 2 == 0)
        bench.run(10)
    assert bench.conditions == [Condition.FAULT]
    assert RESTLESS_MS <= bench.told[0][1] - start <= RESTLESS_MS + POLL_MS
    drive(bench.pins[0], False)
    bench.run(DEBOUNCE + 1)
    assert bench.conditions == [Condition.FAULT, Condition.NORMAL]


def test_a_storm_of_edges_is_muted_and_still_reads_fault() -> None:
    bench = settled()
    for _ in range(POLL_MS + 10):
        for _ in range(10):
            drive(bench.pins[0], True)
            drive(bench.pins[0], False)
        bench.run(1)
    assert bench.zone.health()["muted"]
    woken = bench.woken
    for _ in range(100):
        drive(bench.pins[0], True)
        drive(bench.pins[0], False)
        bench.run(1)
    assert bench.woken == woken, "edges of a storm still wake the driver"
    assert woken >= STORM_EDGES
    bench.run(MUTE_MS + POLL_MS)
    assert not bench.zone.health()["muted"]
    drive(bench.pins[0], True)
    assert bench.woken == woken + 1
    bench.run(DEBOUNCE + 1)
    assert bench.conditions == [Condition.ACTIVE]


def test_a_contact_that_moves_during_a_storm_is_found_after_it() -> None:
    bench = settled()
    for _ in range(POLL_MS + 10):
        for _ in range(10):
            drive(bench.pins[0], True)
            drive(bench.pins[0], False)
        bench.run(1)
    drive(bench.pins[0], True)
    bench.run(MUTE_MS + POLL_MS + DEBOUNCE)
    assert bench.conditions == [Condition.ACTIVE]


def test_a_changeover_contact_travels_without_a_word() -> None:
    bench = settled(Input("vault", 22, Wiring.CHANGEOVER, 23, DEBOUNCE))
    drive(bench.pins[0], True)  # both legs high: the contact is on its way
    bench.run(8)
    drive(bench.pins[1], False)
    bench.run(DEBOUNCE + 1)
    assert bench.conditions == [Condition.ACTIVE]
    drive(bench.pins[1], True)
    bench.run(DEBOUNCE + 1)
    assert bench.conditions == [Condition.ACTIVE, Condition.OPEN]
    for pin in bench.pins:
        drive(pin, False)
    bench.run(DEBOUNCE + 1)
    assert bench.conditions[-1] is Condition.SHORT


@pytest.mark.clause("EN 50131-1 faults 10 s")
def test_a_failed_line_reads_fault_at_once_and_is_tried_with_growing_pauses() -> None:
    bench = settled()
    pin = bench.pins[0]
    pin.broken = "bad GPIO read"
    bench.run(POLL_MS + 1)
    assert bench.conditions == [Condition.FAULT]
    claims = pin.claims
    bench.run(30_000)
    assert pin.claims - claims == 4, "expected tries after 1, 2, 4 and 8 s, and the next after 16"
    bench.run(600_000)
    assert pin.claims - claims <= 4 + 1 + 10 + 1, "pauses must reach 60 s and stay there"
    pin.broken = ""
    bench.run(60_000 + POLL_MS + DEBOUNCE)
    assert bench.conditions == [Condition.FAULT, Condition.NORMAL]
    assert bench.zone.health()["error"] is None
    assert bench.zone.health()["errors"] >= 5


def test_a_line_that_cannot_be_claimed_reads_fault_from_the_start() -> None:
    bench = Bench(Input("door", 17, Wiring.NC, None, DEBOUNCE))
    bench.pins[0].broken = "GPIO busy"
    bench.zone.claim(bench.now)
    bench.run(1)
    assert bench.conditions == [Condition.FAULT]
    assert bench.zone.health()["error"] == "GPIO busy"
    bench.pins[0].broken = ""
    drive(bench.pins[0], False)
    bench.run(1_000 + POLL_MS + DEBOUNCE)
    assert bench.conditions == [Condition.FAULT, Condition.NORMAL]
