"""The rules thread with the real rules and a clock that is turned: what fails does not end it, and nothing is lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import rules
from firmware.core.engine import FIELD_LIMIT, OUTSIDE_LIMIT, REFLECT_MS, Engine, Ports
from rules.effects import Capture, Effect, Request, Tell
from rules.site import Condition
from rules.state import AreaState
from rules.stimuli import (
    ClockTold,
    CodeEntered,
    Noted,
    PanelStarted,
    TestDone,
    TroubleChanged,
    User,
    UserSet,
    Wish,
    ZoneChanged,
)
from rules.table import AreaMode
from tests.clock import TurnedClock
from tests.rules.branch import ENTRY_MS, EXIT_MS, MANAGER, SIREN_MS, branch


class World:
    """An engine over the small branch; `done` is everything that it asked for, in order."""

    def __init__(self, state: rules.PanelState | None = None) -> None:
        self.clock = TurnedClock()
        self.done: list[tuple[str, Any]] = []
        self.broken: set[str] = set()
        self.lamed = threading.Event()
        self.held = threading.Event()
        self._moved = threading.Condition()
        ports = Ports(
            lambda output, on: self.do("switch", (output, on)),
            lambda records, _state, _talk: self.do("commit", [record.kind for record in records]),
            lambda capture: self.do("capture", capture),
            lambda state: self.do("changed", state),
            lambda: self.do("resync", None),
            lambda request: self.do("request", request),
            lambda: self.do("look", None),
        )
        self.engine = Engine(branch(), state or rules.initial(branch()), self.clock, ports)

    def do(self, what: str, value: Any) -> None:
        if self.lamed.is_set():
            self.lamed.clear()
            self.held.wait(10.0)
        with self._moved:
            self.done.append((what, value))
            self._moved.notify_all()
        if what in self.broken:
            raise RuntimeError(f"{what} is broken")

    def kinds(self) -> list[str]:
        with self._moved:
            return [kind for what, kinds in self.done if what == "commit" for kind in kinds]

    def wait(self, ready: Callable[[], bool]) -> bool:
        with self._moved:
            return self._moved.wait_for(ready, 10.0)

    def recorded(self, kind: str) -> bool:
        return self.wait(lambda: kind in self.kinds())

    def turn(self, ms: int) -> None:
        self.clock.turn(ms)
        self.engine.poke()

    def arm(self) -> None:
        user = User("manager", "Li Wei", 2, ("hall", "vault"), MANAGER)
        self.engine.submit(UserSet("commissioning", user))
        assert self.recorded("user.set")
        self.engine.submit(CodeEntered("keypad-1", MANAGER, Wish.ARM, ("hall",)))
        assert self.recorded("area.exit-started")
        self.turn(EXIT_MS)
        assert self.recorded("area.armed")


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.engine.start()
    yield made
    made.held.set()
    made.engine.stop("the test is over")


def press(world: World) -> None:
    world.engine.submit(ZoneChanged("button", Condition.ACTIVE))


def test_deadlines_come_by_themselves(world: World) -> None:
    world.arm()
    world.engine.submit(ZoneChanged("door", Condition.ACTIVE))
    assert world.recorded("area.entry-started")
    world.turn(ENTRY_MS)
    assert world.recorded("alarm.entry")
    assert ("switch", ("bell", True)) in world.done
    world.turn(SIREN_MS)
    assert world.recorded("siren.stopped")
    assert ("switch", ("bell", False)) in world.done


def test_outputs_are_switched_before_anything_is_written_or_pictured(world: World) -> None:
    world.arm()
    world.done.clear()
    world.engine.submit(ZoneChanged("window", Condition.ACTIVE))
    assert world.wait(lambda: any(what == "changed" for what, _ in world.done))
    done = [(what, value) for what, value in world.done if what != "look"]
    assert [what for what, _ in done] == ["switch"] * 3 + ["capture", "commit", "changed"]
    assert isinstance(done[3][1], Capture)


@pytest.mark.parametrize("broken", ["switch", "capture", "commit", "changed"])
def test_an_effect_that_fails_keeps_nothing_else_from_happening(world: World, broken: str) -> None:
    world.arm()
    world.broken = {broken}
    world.engine.submit(ZoneChanged("window", Condition.ACTIVE))
    assert world.recorded("alarm.intruder")
    world.broken = set()
    press(world)
    assert world.recorded("alarm.hold-up")
    assert {("switch", ("bell", True)), ("switch", ("strobe", True))} <= {d for d in world.done if d[0] == "switch"}
    assert world.engine.errors > 0


def nonsense() -> ZoneChanged:
    """A reading that no table has: its step raises."""
    return ZoneChanged("window", "melted")  # type: ignore[arg-type]


def test_a_step_that_fails_changes_nothing_and_is_told(world: World) -> None:
    world.arm()
    before = world.engine.state.areas
    world.engine.submit(nonsense())
    assert world.recorded("trouble.rules")
    assert world.engine.errors == 1
    assert world.engine.state.areas == before
    press(world)
    assert world.recorded("alarm.hold-up")


def test_who_hands_it_in_may_hear_what_it_led_to(world: World) -> None:
    heard: list[tuple[Effect, ...]] = []
    world.engine.submit(nonsense(), heard.append)
    world.engine.submit(CodeEntered("keypad-1", "ff"), heard.append)
    press(world)
    assert world.recorded("alarm.hold-up")
    assert heard == [(), (Tell("keypad-1", "wrong-code", {}),)]


def test_a_listener_that_fails_ends_nothing(world: World) -> None:
    world.engine.submit(CodeEntered("keypad-1", "ff"), lambda _: 1 / 0)
    press(world)
    assert world.recorded("alarm.hold-up")


def test_the_clock_is_looked_at_even_when_nothing_happens(world: World) -> None:
    assert world.wait(lambda: world.done.count(("look", None)) >= 2)


def test_a_clock_that_cant_be_looked_at_stops_nothing(world: World) -> None:
    world.broken = {"look"}
    assert world.wait(lambda: world.engine.errors > 0)
    press(world)
    assert world.recorded("alarm.hold-up")


def test_a_test_is_asked_for_after_its_record_and_its_answer_decided(world: World) -> None:
    world.arm()
    world.engine.submit(CodeEntered("keypad-1", MANAGER, Wish.BATTERY_TEST))
    assert world.wait(lambda: ("request", Request("battery")) in world.done)
    whats = [done for done in world.done if done[0] in ("commit", "request")]
    assert whats.index(("commit", ["test.battery"])) < whats.index(("request", Request("battery")))
    world.engine.submit(TestDone("battery", True, "line only"))
    assert world.recorded("test.battery-ended")


def test_a_reading_whose_step_failed_is_asked_for_again_but_not_at_once(world: World) -> None:
    world.engine.submit(nonsense())
    assert world.recorded("trouble.rules")
    press(world)
    assert world.recorded("alarm.hold-up")
    assert ("resync", None) not in world.done
    world.turn(REFLECT_MS)
    assert world.wait(lambda: ("resync", None) in world.done)
    assert world.done.count(("resync", None)) == 1


def ghost(world: World) -> rules.PanelState:
    """A state with an area that the site does not have: the end of its exit delay is a step that always raises."""
    state = rules.initial(branch())
    haunted = AreaState("ghost", AreaMode.EXIT_DELAY, deadline=world.clock.now_ms + 100, how="code")
    areas = {**state.areas, "ghost": haunted}
    return replace(state, durable=replace(state.durable, areas=areas))


def test_a_deadline_that_always_fails_takes_no_alarm_along_and_no_processor() -> None:
    world = World()
    world = World(ghost(world))
    world.engine.start()
    try:
        world.turn(100)
        assert world.wait(lambda: world.engine.errors > 0 or bool(world.done))
        press(world)
        assert world.recorded("alarm.hold-up")
        world.engine.submit(ZoneChanged("seismic", Condition.ACTIVE))
        assert world.recorded("alarm.24-hour")
        assert ("switch", ("bell", True)) not in world.done  # the vault is not set, and the bell is outside
        assert "trouble.rules" in world.kinds()
        assert world.engine.errors < 10
    finally:
        world.engine.stop("the test is over")


def hold_up_the_rules(world: World) -> None:
    """The rules thread waits inside an effect until `world.held` is set."""
    world.lamed.set()
    world.engine.submit(TroubleChanged("mains", True))
    assert world.wait(lambda: True)
    while world.lamed.is_set():
        threading.Event().wait(0.01)


def test_a_full_field_queue_is_counted_and_the_drivers_are_asked_again(world: World) -> None:
    hold_up_the_rules(world)
    taken = [world.engine.submit(ZoneChanged("door", Condition.NORMAL)) for _ in range(FIELD_LIMIT + 7)]
    assert taken == [True] * FIELD_LIMIT + [False] * 7
    assert world.engine.lost == 7
    assert ("resync", None) not in world.done
    world.held.set()
    assert world.wait(lambda: ("resync", None) in world.done)


def test_what_other_processes_send_never_displaces_the_wires(world: World) -> None:
    hold_up_the_rules(world)
    evidence = Noted("evidence.pictures", {"incident": 1})
    paths = TroubleChanged("path", True, "center-1")
    taken = [world.engine.submit(what) for _ in range(OUTSIDE_LIMIT) for what in (evidence, paths)]
    assert sum(taken) == OUTSIDE_LIMIT
    assert world.engine.submit(ZoneChanged("button", Condition.ACTIVE))
    # The panel's own troubles come from its wires and its disk.
    assert world.engine.submit(TroubleChanged("battery", True))
    assert world.engine.submit(TroubleChanged("storage", True))
    # And so do its clock and the answer of a test.
    assert world.engine.submit(ClockTold(739_951, 600, True))
    assert world.engine.submit(TestDone("battery", True))
    world.held.set()
    assert world.recorded("trouble.storage")
    kinds = world.kinds()
    assert kinds.index("alarm.hold-up") < kinds.index("evidence.pictures")
    assert kinds.index("trouble.battery") < kinds.index("evidence.pictures")
    assert ("resync", None) not in world.done


def test_the_start_is_decided_before_the_first_reading() -> None:
    """A slow board: the zones are read before the rules thread gets its first turn."""
    world = World()
    world.engine.submit(PanelStarted("power-up", 0, "1", "0" * 64))
    world.engine.submit(ZoneChanged("window", Condition.ACTIVE))
    world.engine.start()
    try:
        assert world.recorded("panel.started")
        assert world.wait(world.engine.idle)
        assert world.wait(lambda: world.engine.steps == 2)
        assert world.engine.state.live.conditions == {"window": Condition.ACTIVE}
    finally:
        world.engine.stop("the test is over")


def test_the_stop_is_recorded_last_and_ends_the_thread(world: World) -> None:
    world.engine.submit(TroubleChanged("mains", True))
    world.engine.stop("asked to")
    assert world.kinds() == ["trouble.mains", "panel.stopped"]
    assert not world.engine._thread.is_alive()


def test_turns_show_that_it_lives(world: World) -> None:
    before = world.engine.turn()
    press(world)
    assert world.recorded("alarm.hold-up")
    assert world.engine.turn() > before
