"""The analogue driver with its real thread over a converter on mock pins: what is told, in which order, and what never
breaks it."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device

from drivers.analogue import LOAD_GONE_MS, SAMPLE_MS
from drivers.loop_baseline import Baseline
from drivers.loop_plan import LoopPlan, Resistors
from drivers.loop_zone import Loop
from drivers.mcp3xxx import Chip
from drivers.probe import Probe
from drivers.simulated_adc import SimulatedSpi
from drivers.simulated_pins import SimulatedFactory
from drivers.wiring import Position
from hil.adc import Adc
from rules.site import Condition
from tests.drivers.analogue_rig import CHIP, WAIT_S, AnalogueRig, full_loop

Rigs = Callable[..., AnalogueRig]
CHIPS = (CHIP, Chip("adc-2", 10, 1))


@pytest.fixture
def rigs(request: pytest.FixtureRequest) -> Iterator[Rigs]:
    """Rigs whose drivers are closed at the end."""
    before = Device.pin_factory

    def make(*args: Any, **kwargs: Any) -> AnalogueRig:
        rig = AnalogueRig(*args, **kwargs)
        request.addfinalizer(rig.driver.close)
        return rig

    yield make
    Device.pin_factory = before


@pytest.mark.parametrize("chip", CHIPS, ids=["mcp3208", "mcp3008"])
def test_each_state_of_a_detector_is_told(rigs: Rigs, chip: Chip) -> None:
    loop = full_loop(both_means=Condition.MASKED)
    rig = rigs([loop], chip, rate=5).started()
    told = {
        Position.OPEN: Condition.ACTIVE,
        Position.CUT: Condition.OPEN,
        Position.SHORT: Condition.SHORT,
        Position.MASK: Condition.FAULT,
        Position.UNPOWERED: Condition.MASKED,
    }
    for position, condition in told.items():
        rig.put("pir", position)
        assert rig.next() == ("pir", condition)
        rig.put("pir", Position.CLOSE)
        assert rig.next() == ("pir", Condition.NORMAL)


def test_a_signal_is_told_within_its_debounce_and_two_samples(rigs: Rigs) -> None:
    rig = rigs([Loop("door", 3, LoopPlan(), debounce_ms=200)]).started()
    moved = rig.now_ms()
    rig.put("door", Position.OPEN)
    assert rig.next() == ("door", Condition.ACTIVE)
    assert 200 <= rig.now_ms() - moved + 1 <= 200 + 2 * SAMPLE_MS + 300, "300 ms for a busy machine"


def test_every_channel_is_read_for_itself(rigs: Rigs) -> None:
    loops = [Loop(f"z{i}", i, LoopPlan(), debounce_ms=100) for i in range(8)]
    rig = rigs(loops, rate=5).started()
    for i in (5, 0, 7):
        rig.put(f"z{i}", Position.OPEN)
        assert rig.next() == (f"z{i}", Condition.ACTIVE)


@pytest.mark.parametrize("fault", ["silent", "stuck-low", "stuck-high"])
def test_a_chip_that_fails_is_told_before_its_zones_and_is_well_after_them(rigs: Rigs, fault: str) -> None:
    rig = rigs([Loop("a", 0, LoopPlan()), Loop("b", 1, LoopPlan())], rate=20).started()

    def fail(on: bool) -> None:
        if fault == "silent":
            rig.adc.silent = on
        else:
            rig.adc.stuck = (fault == "stuck-high") if on else None

    fail(True)
    driver, present, detail = rig.next()
    assert (driver, present) == ("driver", True)
    assert "adc-1 (MCP3208, SPI0 CE0), channel" in detail
    assert "found every bit low, expected" in detail or "found no answer, every bit high, expected" in detail
    assert sorted([rig.next(), rig.next()]) == [("a", Condition.FAULT), ("b", Condition.FAULT)]
    rig.put("b", Position.OPEN)
    fail(False)
    assert sorted([rig.next(), rig.next()]) == [("a", Condition.NORMAL), ("b", Condition.ACTIVE)]
    assert rig.next()[:2] == ("driver", False)


def test_an_absent_chip_is_told_at_the_start(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 5, LoopPlan())])
    rig.adc.silent = True
    rig.driver.start()
    driver, present, detail = rig.next()
    assert (driver, present) == ("driver", True)
    assert detail.startswith("chip adc-1 (MCP3208, SPI0 CE0), channel 5: found no answer, every bit high, expected")
    assert rig.next() == ("a", Condition.FAULT)


def test_pauses_between_tries_grow(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan())], rate=20)
    rig.adc.silent = True
    rig.driver.start()
    rig.next(), rig.next()
    begun = rig.now_ms()
    while rig.driver.health()["errors"] < 4:
        threading.Event().wait(0.01)
        assert rig.now_ms() - begun < 60_000
    assert rig.now_ms() - begun >= 6_000, "1, 2 and 4 s, less a sample"


def test_an_error_of_the_bus_is_the_chips(rigs: Rigs) -> None:
    class Broken(SimulatedSpi):
        def transfer(self, data: Any) -> list[int]:
            raise OSError(f"SPI transfer error {4 - len(data)}")

    rig = rigs([Loop("a", 0, LoopPlan())])
    rig.factory.chips[0] = Broken(CHIP, lambda _channel: 0.0)
    rig.driver.start()
    assert rig.next() == ("driver", True, "SPI transfer error -1")
    assert rig.next() == ("a", Condition.FAULT)
    assert rig.driver.alive()


def test_a_short_in_every_loop_is_no_failure_of_the_chip(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan()), Loop("b", 1, LoopPlan())], rate=5).started()
    for zone in ("a", "b"):
        rig.put(zone, Position.SHORT)
    assert sorted([rig.next(), rig.next()]) == [("a", Condition.SHORT), ("b", Condition.SHORT)]


def test_a_dead_channel_reads_as_its_level_and_hurts_no_other(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan()), Loop("b", 1, LoopPlan())], rate=5).started()
    rig.adc.dead[0] = 4095
    assert rig.next() == ("a", Condition.OPEN)
    rig.put("b", Position.OPEN)
    assert rig.next() == ("b", Condition.ACTIVE)


def test_disturbed_frames_are_counted_and_told_only_when_they_stay(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan())], rate=5).started()
    rig.adc.garble = 3
    driver, present, detail = rig.next()
    assert (driver, present) == ("driver", True)
    assert "expected" in detail
    assert rig.next() == ("a", Condition.FAULT)
    assert rig.driver.health()["bad_frames"] >= 4
    rig.adc.garble = 0
    assert rig.next() == ("a", Condition.NORMAL)
    assert rig.next()[:2] == ("driver", False)


def test_a_line_that_carries_its_load_is_not_judged_and_is_judged_anew_afterwards(rigs: Rigs) -> None:
    rig = rigs([Loop("bell", 0, LoopPlan(Resistors.LINE)), Loop("door", 1, LoopPlan())], rate=20).started()
    rig.driver.load("bell", True)
    rig.put("bell", Position.CUT)  # the relay takes the line off the converter
    rig.put("door", Position.OPEN)
    assert rig.next() == ("door", Condition.ACTIVE)
    rig.frames(40)
    assert rig.conditions() == []
    rig.put("bell", Position.SHORT)
    off = rig.now_ms()
    rig.driver.load("bell", False)
    assert rig.next() == ("bell", Condition.SHORT)
    assert rig.now_ms() - off >= LOAD_GONE_MS + 300, "the pause, and the debounce"
    rig.put("bell", Position.CLOSE)
    assert rig.next() == ("bell", Condition.NORMAL)


def test_a_chip_that_comes_back_while_a_load_is_on_is_well_without_that_line(rigs: Rigs) -> None:
    rig = rigs([Loop("bell", 0, LoopPlan(Resistors.LINE)), Loop("door", 1, LoopPlan())], rate=20)
    rig.adc.silent = True
    rig.driver.load("bell", True)
    rig.driver.start()
    assert rig.next()[:2] == ("driver", True)
    assert sorted([rig.next(), rig.next()]) == [("bell", Condition.FAULT), ("door", Condition.FAULT)]
    rig.adc.silent = False
    assert rig.next() == ("door", Condition.NORMAL)
    assert rig.next()[:2] == ("driver", False)


def test_a_voltage_is_told_as_a_part_of_full_scale_and_none_when_the_chip_fails(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan())], rate=10, probes=[Probe("volts", 6)])
    rig.adc.ohm[6] = rig.adc.pull_ohm  # half of the reference
    rig.adc.noise = 8
    rig.driver.start()
    for _ in range(2):
        name, part = rig.levels.get(timeout=WAIT_S)
        assert name == "volts"
        assert part == pytest.approx(0.5, abs=0.002)
    rig.adc.silent = True
    while rig.levels.get(timeout=WAIT_S)[1] is not None:
        pass
    rig.adc.silent = False
    rig.adc.ohm[6] = 0.0
    assert rig.levels.get(timeout=WAIT_S)[1] == pytest.approx(0, abs=0.003)


def test_noise_at_rest_tells_nothing(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan(), debounce_ms=100)], rate=5).started()
    rig.adc.noise = 60
    rig.frames(60)
    assert rig.conditions() == []
    assert rig.driver.health()["zones"]["a"]["condition"] == "normal"


def test_drift_is_told_as_maintenance_and_ends(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan())], rate=200).started()
    assert rig.next(drifts=True)[:3] == ("drift", "a", False)
    rig.adc.ohm[0] = 1_750.0
    _, zone, present, detail = rig.next(drifts=True)
    assert (zone, present) == ("a", True)
    assert detail.endswith("% of the way to the threshold")
    rig.adc.ohm[0] = 1_000.0
    assert rig.next(drifts=True)[:3] == ("drift", "a", False)
    assert rig.driver.health()["zones"]["a"]["condition"] == "normal"


def test_a_report_that_fails_does_not_stop_the_readings(rigs: Rigs) -> None:
    told: queue.Queue[Condition] = queue.Queue()

    def tell(_zone: str, condition: Condition) -> None:
        told.put(condition)
        raise RuntimeError("the host is ill")

    rig = rigs([Loop("a", 0, LoopPlan())], rate=5, on_condition=tell)
    rig.driver.start()
    assert told.get(timeout=WAIT_S) is Condition.NORMAL
    rig.put("a", Position.OPEN)
    assert told.get(timeout=WAIT_S) is Condition.ACTIVE
    assert rig.driver.health()["callback_errors"] == 2


def test_all_is_told_again_on_demand(rigs: Rigs) -> None:
    rig = rigs([Loop("a", 0, LoopPlan()), Loop("b", 1, LoopPlan())], rate=5).started()
    rig.driver.report_all()
    assert sorted([rig.next(), rig.next()]) == [("a", Condition.NORMAL), ("b", Condition.NORMAL)]


def test_what_was_learned_is_kept_for_the_next_life(rigs: Rigs, tmp_path: Path) -> None:
    path = tmp_path / "loops.json"
    baseline = Baseline(path)
    rig = rigs([Loop("a", 0, LoopPlan())], rate=200, baseline=baseline)
    rig.adc.ohm[0] = 1_100.0
    rig.driver.start()
    while rig.next(drifts=True)[0] != "drift":
        pass
    rig.driver.close()
    baseline.close()
    again = Baseline(path).rest_ohm("a", 1_000.0)
    assert again == pytest.approx(1_100, rel=0.01)
    assert Baseline(path).rest_ohm("a", 2_000.0) is None, "another resistor was learned"


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("resistors", Resistors)
def test_the_desks_converter_answers_as_the_one_on_the_pins(bits: int, resistors: Resistors) -> None:
    before = Device.pin_factory
    Device.pin_factory = factory = SimulatedFactory()
    try:
        chip, adc = Chip("c", bits), Adc(factory, bits)
        spi = factory.spi(port=0, device=0)
        for channel, position in enumerate(Position):
            ohm = LoopPlan(resistors).ohm_at(position)
            adc.ohm[channel] = ohm
            frame = spi.transfer(chip.question(channel))
            assert SimulatedSpi(chip, adc.ohm.__getitem__).transfer(chip.question(channel)) == frame
            assert chip.value(channel, frame) == round(chip.full * (1 if ohm > 1e9 else ohm / (ohm + 2_200)))
        spi.close()
    finally:
        Device.pin_factory = before
