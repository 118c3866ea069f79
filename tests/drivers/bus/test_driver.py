"""Core's side of a bus, with a real child process that breaks in every way: what core is told, and that it goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bus.driver import SILENT_MS, START_MS, STUCK_MS
from tests.drivers.bus.bus_rig import ACTIVE, FAULT, NORMAL, REST, BusRig, until

LOST = [("failed", "", True), ("door", FAULT), ("pir", FAULT)]
BACK = [*REST, ("failed", "", False)]
PAUSE_MS = 1_001


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BusRig]:
    """A driver that is not started yet."""
    rig = BusRig(tmp_path)
    yield rig
    rig.driver.close()


@pytest.fixture
def live(rig: BusRig) -> BusRig:
    """A driver whose child is up."""
    rig.driver.start()
    assert rig.some(2) == REST
    until(lambda: rig.driver.health()["up"])
    return rig


def test_zones_are_told_as_the_child_says_them(live: BusRig) -> None:
    live.do("trip-pir")
    assert live.next() == ("pir", ACTIVE)
    live.driver.report_all()
    assert live.some(2) == REST


def test_outputs_are_given_before_all_else_and_read_back(rig: BusRig) -> None:
    rig.driver.claim_outputs({"siren": True})
    rig.driver.start()
    rig.some(2)

    def outputs() -> object:
        return rig.driver.health()["outputs"]["siren"]

    until(lambda: outputs() == {"on": True, "read_back": True})
    until(lambda: rig.driver.switch("siren", False))
    until(lambda: outputs() == {"on": False, "read_back": False})


@pytest.mark.parametrize("what", ["crash", "stranger", "nonsense", "leak"])
def test_a_child_that_breaks_is_replaced_and_core_is_told_first(live: BusRig, what: str) -> None:
    first = live.driver.health()["pid"]
    live.do(what)
    assert live.some(3) == LOST
    assert live.driver.alive()
    live.clock.turn(PAUSE_MS)
    assert live.some(3) == BACK
    assert live.driver.health()["pid"] != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_child_that_hangs_is_killed(live: BusRig) -> None:
    first = live.driver.health()["pid"]
    live.do("hang")
    live.taken("hang")
    live.clock.turn(SILENT_MS + 1)
    assert live.some(3) == LOST
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_child_that_never_comes_up_is_killed_and_its_zones_read_fault(rig: BusRig) -> None:
    rig.do("late")
    rig.driver.start()
    rig.taken("late")
    rig.clock.turn(START_MS + 1)
    assert rig.some(3) == LOST
    rig.clock.turn(PAUSE_MS)
    assert rig.some(3) == BACK


def test_a_child_that_was_too_slow_is_followed_by_one_that_may_take_longer(rig: BusRig) -> None:
    rig.do("late")
    rig.driver.start()
    rig.taken("late")
    rig.clock.turn(START_MS + 1)
    assert rig.some(3) == LOST
    rig.do("slow")
    rig.clock.turn(PAUSE_MS)
    rig.taken("slow")
    for turned_ms in (START_MS + 1, STUCK_MS + 1):  # it is judged in the pass between the two
        rig.clock.turn(turned_ms)
        until(rig.driver.alive)
    rig.do("on")
    assert rig.some(3) == BACK
    assert rig.driver.health()["starts"] == 2


def test_pauses_grow_and_an_order_given_meanwhile_is_carried_out_by_the_next_child(live: BusRig) -> None:
    for pause_ms in (1_000, 2_000, 4_000):
        live.do("crash")
        assert live.some(3) == LOST
        assert live.driver.switch("siren", True) is False
        starts = live.driver.health()["starts"]
        live.clock.turn(pause_ms - 1)
        live.driver.report_all()  # wakes the thread
        assert live.driver.health()["starts"] == starts
        live.clock.turn(1)
        assert live.some(3) == BACK
        until(lambda: live.driver.health()["outputs"]["siren"]["read_back"] is True)


def test_a_module_that_was_away_in_the_life_before_is_told_as_back(live: BusRig) -> None:
    live.do("module-away")
    assert live.next() == ("failed", "m1", True)
    live.do("crash")
    assert live.some(3) == LOST
    live.clock.turn(PAUSE_MS)
    assert live.some(4) == [*REST, ("failed", "m1", False), ("failed", "", False)]


def test_a_child_that_babbles_costs_no_zone(live: BusRig) -> None:
    live.do("babble")
    live.taken("babble")
    live.do("trip-door")
    assert live.next() == ("door", ACTIVE)


def test_what_a_keypad_says_and_shows_passes_and_is_shown_again_to_the_next_child(live: BusRig) -> None:
    live.driver.show("keypad", {"number": 7})
    assert live.next() == ("keypad", "card", "7")
    live.do("crash")
    assert live.some(3) == LOST
    live.clock.turn(PAUSE_MS)
    told = live.some(4)
    assert ("keypad", "card", "7") in told


def test_a_child_that_does_not_listen_is_killed(live: BusRig) -> None:
    """Its socket is full, and then the bounded queue before it."""
    pid = live.driver.health()["pid"]
    os.kill(pid, signal.SIGSTOP)
    while live.told.empty():
        live.driver.show("keypad", {"number": 1, "text": "x" * 50_000})
    assert live.some(3) == LOST


def test_closing_ends_the_child(live: BusRig) -> None:
    pid = live.driver.health()["pid"]
    live.driver.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not live.driver.alive()


def test_a_hearer_that_raises_harms_nothing(live: BusRig) -> None:
    live.told.put = None  # type: ignore[method-assign,assignment]  # the hearer breaks
    live.do("trip-pir")
    until(lambda: live.driver.health()["callback_errors"] == 1)
    del live.told.put
    live.do("trip-door")
    assert live.next() == ("door", ACTIVE)


def test_health_names_the_zones_and_what_is_wrong(live: BusRig) -> None:
    assert live.driver.health()["zones"]["door"] == {"condition": NORMAL, "error": None}
    live.do("crash")
    live.some(3)
    health = live.driver.health()
    assert "exit code -11" in health["error"]
    assert health["zones"]["door"] == {"condition": FAULT, "error": health["error"]}
