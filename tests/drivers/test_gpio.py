"""The GPIO driver with its real thread over mock pins: what is told, when, and what never breaks it."""

import queue
import threading
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from drivers.gpio import POLL_MS, GpioDriver
from drivers.simulated import SimulatedWorld
from drivers.wiring import Input, OutputLine, Position, Wiring, seen_as
from rules.site import Condition
from tests.drivers.gpio_rig import WAIT_S, Rig, drive

NC, NO, CHANGEOVER = Wiring.NC, Wiring.NO, Wiring.CHANGEOVER
SLACK_MS = 500
"""What a busy machine may add."""


@pytest.fixture
def rigs(request: pytest.FixtureRequest) -> type[Rig]:
    """Rigs whose drivers are closed at the end."""

    class ClosedRig(Rig):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            request.addfinalizer(self.driver.close)

    return ClosedRig


def test_every_zone_is_told_as_soon_as_it_stood(rigs: type[Rig]) -> None:
    inputs = [Input(f"z{i}", i, NC if i % 2 else NO, None, 20 + 10 * i) for i in range(12)]
    rig = rigs(inputs)
    for wire in inputs[::3]:
        drive(rig.factory.pin(wire.line), False)
    start = rig.now_ms()
    rig.driver.start()
    told = {zone: (condition, at) for zone, condition, at in (rig.told.get(timeout=WAIT_S) for _ in inputs)}
    for number, wire in enumerate(inputs):
        low = number % 3 == 0
        condition, at = told[wire.zone]
        assert condition is (Condition.NORMAL if low == (wire.wiring is NC) else Condition.ACTIVE)
        assert wire.debounce_ms <= at - start <= wire.debounce_ms + SLACK_MS


@pytest.mark.parametrize("position", list(Position))
@pytest.mark.parametrize("wire", [Input("z", 5, NC), Input("z", 5, NO), Input("z", 5, CHANGEOVER, 6)])
def test_a_simulated_site_is_read_as_its_wiring_tells(
    rigs: type[Rig], tmp_path_factory: pytest.TempPathFactory, wire: Input, position: Position
) -> None:
    rig = rigs([wire], rate=20)
    world = SimulatedWorld(tmp_path_factory.mktemp("run") / "desk.json", [wire])
    world.move("z", position)
    world.apply(rig.factory)
    rig.driver.start()
    assert rig.next() == ("z", seen_as(wire.wiring, position))
    world.move("z", Position.OPEN if position is Position.CLOSE else Position.CLOSE)
    expected = seen_as(wire.wiring, world.positions["z"])
    if expected is not seen_as(wire.wiring, position):
        assert rig.next() == ("z", expected)


def test_a_lost_edge_costs_one_poll(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17, NC, None, 20)])
    pin = rig.factory.pin(17)
    drive(pin, False)
    rig.driver.start()
    assert rig.next() == ("door", Condition.NORMAL)
    pin.edges = "none"
    moved = rig.now_ms()
    drive(pin, True)
    zone, condition, at = rig.told.get(timeout=WAIT_S)
    assert (zone, condition) == ("door", Condition.ACTIVE)
    assert at - moved <= POLL_MS + 20 + SLACK_MS


def test_flapping_is_told_once_when_it_ends(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17, NC, None, 100)])
    pin = rig.factory.pin(17)
    drive(pin, False)
    rig.driver.start()
    assert rig.next() == ("door", Condition.NORMAL)
    for _ in range(50):
        drive(pin, True)
        drive(pin, False)
    drive(pin, True)
    ended = rig.now_ms()
    zone, condition, at = rig.told.get(timeout=WAIT_S)
    assert (zone, condition) == ("door", Condition.ACTIVE)
    assert 100 <= at - ended + 1 <= 100 + SLACK_MS
    assert rig.told.empty()


def test_outputs_take_their_level_in_one_go_and_before_any_input(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17)], [OutputLine("siren", 4), OutputLine("strobe", 5, False), OutputLine("armed", 6)])
    rig.driver.claim_outputs({"siren": True, "strobe": True})
    assert rig.levels == [(4, True), (5, False), (6, False)], "an output clicked on its way"
    rig.driver.start()
    assert rig.factory.claimed == ["GPIO4", "GPIO5", "GPIO6", "GPIO17"], "start touched an output, or came first"
    assert rig.levels == [(4, True), (5, False), (6, False)]
    assert [rig.driver.read_back(output) for output in ("siren", "strobe", "armed")] == [True, True, False]


def test_outputs_are_off_where_nothing_is_known(rigs: type[Rig]) -> None:
    rig = rigs([], [OutputLine("siren", 4), OutputLine("failsafe", 5, False)])
    rig.driver.start()
    assert rig.levels == [(4, False), (5, True)]
    assert not rig.driver.read_back("siren")
    assert not rig.driver.read_back("failsafe")


def test_switching_from_many_threads_ends_at_the_last_wish(rigs: type[Rig]) -> None:
    rig = rigs([], [OutputLine(f"o{i}", i, i % 2 == 0) for i in range(4)])
    rig.driver.claim_outputs({})
    rig.driver.start()
    done: queue.Queue[bool] = queue.Queue()

    def play(number: int) -> None:
        done.put(all(rig.driver.switch(f"o{number}", i % 2 == 0) for i in range(301)))

    threads = [threading.Thread(target=play, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    assert all(done.get(timeout=WAIT_S) for _ in threads)
    assert all(rig.driver.read_back(f"o{i}") for i in range(4))
    assert rig.troubles.empty()


def test_an_unknown_output_is_refused_without_a_fuss(rigs: type[Rig]) -> None:
    rig = rigs([])
    assert rig.driver.switch("nowhere", True) is False
    assert rig.driver.read_back("nowhere") is False


def test_a_failed_output_is_told_and_switched_when_it_comes_back(rigs: type[Rig]) -> None:
    rig = rigs([], [OutputLine("siren", 4), OutputLine("strobe", 5)], rate=20)
    rig.driver.claim_outputs({})
    rig.driver.start()
    pin = rig.factory.pin(4)
    pin.broken = "bad GPIO write"
    assert rig.driver.switch("siren", True) is False
    assert rig.trouble() == ("driver", True)
    assert rig.driver.health()["outputs"]["siren"]["error"] == "bad GPIO write"
    assert rig.driver.switch("strobe", True) is True, "one line's failure took another"
    pin.broken = ""
    assert rig.trouble() == ("driver", False)
    assert rig.driver.read_back("siren") is True
    assert rig.levels[-1] == (4, True)


def test_an_output_that_does_not_follow_is_told_once_and_kept_trying(rigs: type[Rig]) -> None:
    rig = rigs([], [OutputLine("siren", 4)], rate=20)
    rig.driver.claim_outputs({})
    rig.driver.start()
    pin = rig.factory.pin(4)
    pin.stuck = True
    assert rig.driver.switch("siren", True) is True, "the write itself worked"
    assert rig.trouble() == ("driver", True)
    assert "reads off though it was switched" in rig.driver.health()["outputs"]["siren"]["error"]
    pin.stuck = False
    assert rig.trouble() == ("driver", False)
    assert rig.driver.read_back("siren") is True
    assert rig.troubles.empty()


def test_a_failed_input_reads_fault_and_hurts_no_other(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17), Input("pir", 18)], rate=20)
    for line in (17, 18):
        drive(rig.factory.pin(line), False)
    rig.driver.start()
    assert {rig.next(), rig.next()} == {("door", Condition.NORMAL), ("pir", Condition.NORMAL)}
    rig.factory.pin(17).broken = "bad GPIO read"
    assert rig.next() == ("door", Condition.FAULT)
    assert rig.trouble() == ("driver", True)
    drive(rig.factory.pin(18), True)
    assert rig.next() == ("pir", Condition.ACTIVE)
    rig.factory.pin(17).broken = ""
    assert rig.next() == ("door", Condition.NORMAL)
    assert rig.trouble() == ("driver", False)


def test_a_line_that_is_busy_at_start_stops_nothing(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17), Input("pir", 18)], [OutputLine("siren", 4), OutputLine("strobe", 5)], rate=20)
    rig.factory.pin(17).broken = rig.factory.pin(4).broken = "GPIO busy"
    rig.driver.claim_outputs({"siren": True, "strobe": True})
    rig.driver.start()
    assert {rig.next(), rig.next()} == {("door", Condition.FAULT), ("pir", Condition.ACTIVE)}
    assert rig.trouble() == ("driver", True)
    assert rig.driver.read_back("strobe") is True
    assert rig.driver.health()["failing"] == 2
    rig.factory.pin(17).broken = rig.factory.pin(4).broken = ""
    assert rig.trouble() == ("driver", False)
    assert rig.driver.read_back("siren") is True


def test_report_all_tells_every_zone_again_and_nothing_else(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17, NC, None, 10), Input("pir", 18, NC, None, 10)])
    rig.driver.start()
    first = {rig.next(), rig.next()}
    rig.driver.report_all()
    assert {rig.next(), rig.next()} == first
    assert rig.told.empty()


def test_a_listener_that_raises_is_counted_and_told_on() -> None:
    told: queue.Queue[tuple[str, Condition]] = queue.Queue()
    rig = Rig()

    def listen(zone: str, condition: Condition) -> None:
        told.put((zone, condition))
        raise RuntimeError("listener")

    driver = GpioDriver(rig.factory, [Input("door", 17, NC, None, 10)], [], rig.now_ms, listen, lambda *_: None)
    driver.start()
    try:
        assert told.get(timeout=WAIT_S) == ("door", Condition.ACTIVE)
        drive(rig.factory.pin(17), False)
        assert told.get(timeout=WAIT_S) == ("door", Condition.NORMAL)
        driver.report_all()
        assert told.get(timeout=WAIT_S) == ("door", Condition.NORMAL)
        assert driver.health()["callback_errors"] >= 2
        assert driver.alive()
    finally:
        driver.close()


def test_after_close_nothing_is_told_and_outputs_keep_their_level(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17, NC, None, 10)], [OutputLine("siren", 4)])
    rig.driver.claim_outputs({"siren": True})
    rig.driver.start()
    assert rig.driver.alive()
    assert rig.next() == ("door", Condition.ACTIVE)
    rig.driver.close()
    rig.driver.close()
    assert not rig.driver.alive()
    assert rig.factory.pin(17).when_changed is None
    drive(rig.factory.pin(17), False)
    assert rig.told.empty()
    assert rig.factory.pin(4).state is True


def test_a_driver_that_was_never_started_closes_and_does_not_live() -> None:
    rig = Rig([Input("door", 17)])
    assert not rig.driver.alive()
    rig.driver.close()
    assert rig.told.empty()


def test_gpiozeros_own_mock_pins_serve_as_well(rigs: type[Rig]) -> None:
    rig = rigs([Input("door", 17, NC, None, 10)], [OutputLine("siren", 4)], pins=MockFactory())
    rig.driver.claim_outputs({"siren": True})
    rig.driver.start()
    assert rig.next() == ("door", Condition.ACTIVE)
    drive(rig.factory.pin(17), False)
    assert rig.next() == ("door", Condition.NORMAL)
    assert rig.driver.read_back("siren") is True
