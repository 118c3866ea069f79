"""Loops without a line: resistor plans, thresholds, readings over time, frames and what is learned, by property."""

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.loop_baseline import MAX_BYTES, Baseline
from drivers.loop_plan import CUT_OHM, LoopPlan, Resistors, Thresholds, count_of, ohm_of
from drivers.loop_zone import DRIFT_BEGINS, Loop, WatchedLoop
from drivers.mcp3xxx import FRAME_BYTES, BadFrame, Chip
from drivers.wiring import MEANT, Position, Wiring
from rules.site import Condition
from tests.drivers.analogue_rig import count

CHIPS = st.sampled_from([Chip("a", 10), Chip("a", 12)])
PLANS = st.builds(
    LoopPlan,
    st.sampled_from(Resistors),
    st.sampled_from([Wiring.NC, Wiring.NO]),
    both_means=st.sampled_from([Condition.ACTIVE, Condition.MASKED, Condition.FAULT]),
)
PART = st.floats(0.95, 1.05)
NORMAL, ACTIVE, OPEN, SHORT = Condition.NORMAL, Condition.ACTIVE, Condition.OPEN, Condition.SHORT
MASKED, FAULT = Condition.MASKED, Condition.FAULT
SAMPLE_MS = 40


def played(loop: WatchedLoop, chip: Chip, ohms: Iterator[float], start_ms: int = 0) -> list[Condition]:
    """What a loop tells of these resistances, one every 40 ms."""
    told = []
    for step, ohm in enumerate(ohms):
        value = count(chip, ohm)
        found = loop.look(lambda value=value: value, start_ms + SAMPLE_MS * step)  # type: ignore[misc]
        told += [found] if found else []
    return told


# --- plans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (LoopPlan(Resistors.LINE), {NORMAL, OPEN, SHORT}),
        (LoopPlan(Resistors.SINGLE, Wiring.NC), {NORMAL, ACTIVE, SHORT}),
        (LoopPlan(Resistors.SINGLE, Wiring.NO), {NORMAL, ACTIVE, OPEN}),
        (LoopPlan(Resistors.DOUBLE, Wiring.NC), {NORMAL, ACTIVE, OPEN, SHORT}),
        (LoopPlan(Resistors.DOUBLE, Wiring.NO), {NORMAL, ACTIVE, OPEN, SHORT}),
        (LoopPlan(Resistors.TRIPLE, Wiring.NC), {NORMAL, ACTIVE, OPEN, SHORT, FAULT}),
        (LoopPlan(Resistors.TRIPLE, Wiring.NC, fault_means=MASKED, both_means=FAULT), {*Condition}),
    ],
)
def test_what_each_plan_can_tell(plan: LoopPlan, told: set[Condition]) -> None:
    assert plan.told == told


def test_what_a_single_resistor_can_not_tell() -> None:
    nc, no = LoopPlan(Resistors.SINGLE, Wiring.NC), LoopPlan(Resistors.SINGLE, Wiring.NO)
    assert nc.seen_as(Position.CUT) is nc.seen_as(Position.OPEN) is ACTIVE
    assert no.seen_as(Position.SHORT) is no.seen_as(Position.OPEN) is ACTIVE
    assert (nc.seen_as(Position.SHORT), no.seen_as(Position.CUT)) == (SHORT, OPEN)


@pytest.mark.parametrize(
    ("where", "seen"),
    [
        (Position.CLOSE, NORMAL),
        (Position.CUT, OPEN),
        (Position.SHORT, SHORT),
        (Position.OPEN, NORMAL),
        (Position.MASK, NORMAL),
        (Position.UNPOWERED, NORMAL),
    ],
)
def test_a_line_without_contact_is_cut_shorted_or_well(where: Position, seen: Condition) -> None:
    assert LoopPlan(Resistors.LINE, eol_ohm=2_200).seen_as(where) is seen


@settings(deadline=None)
@given(PLANS, st.sampled_from([Position.CLOSE, Position.OPEN, Position.CUT, Position.SHORT]))
def test_two_resistors_and_three_tell_the_whole_truth_about_contact_and_line(plan: LoopPlan, where: Position) -> None:
    if plan.resistors in (Resistors.DOUBLE, Resistors.TRIPLE):
        assert plan.seen_as(where) is MEANT[where]


@settings(deadline=None)
@given(PLANS, CHIPS, st.sampled_from(Position), PART, PART, PART, st.floats(0.99, 1.01), st.floats(0, 50), st.randoms())
def test_states_are_told_apart_over_tolerances_cable_and_pull_up(
    plan: LoopPlan,
    chip: Chip,
    position: Position,
    eol: float,
    alarm: float,
    fault: float,
    pull: float,
    cable: float,
    random: Random,
) -> None:
    """Resistors of 5 %, a pull-up of 1 %, 50 ohm of cable, two steps of the converter: each state is still its own."""
    real = LoopPlan(
        plan.resistors,
        plan.wiring,
        round(plan.eol_ohm * eol),
        round(plan.alarm_ohm * alarm),
        round(plan.fault_ohm * fault),
        plan.fault_means,
        plan.both_means,
    )
    ohm = real.ohm_at(position) + cable
    read = count(Chip("x", chip.bits, 0, round(chip.pull_ohm * pull)), ohm) + random.randint(-2, 2)
    found = Thresholds(plan.states(), chip.full, chip.pull_ohm)
    assert found.states[found.find(read, None)].condition is plan.seen_as(position)
    for held in range(len(found.states)):
        assert found.states[found.find(read, held)].condition is plan.seen_as(position), "hysteresis took too much"


@settings(deadline=None)
@given(PLANS, CHIPS)
def test_a_threshold_is_the_geometric_middle_of_its_neighbours(plan: LoopPlan, chip: Chip) -> None:
    states = plan.states()
    found = Thresholds(states, chip.full, chip.pull_ohm)
    for index, (low, high) in enumerate(pairwise(states)):
        middle = math.sqrt(low.ohm * high.ohm)
        assert found.find(math.floor(count_of(middle, chip.full, chip.pull_ohm)), None) == index
        assert found.find(math.ceil(count_of(middle, chip.full, chip.pull_ohm)), None) == index + 1


@settings(deadline=None)
@given(PLANS, CHIPS, st.floats(1, 200_000))
def test_resistance_and_reading_are_each_others_inverse(plan: LoopPlan, chip: Chip, ohm: float) -> None:
    assert ohm_of(count_of(ohm, chip.full, chip.pull_ohm), chip.full, chip.pull_ohm) == pytest.approx(ohm)


def test_resistors_that_are_too_near_are_found() -> None:
    assert LoopPlan(Resistors.TRIPLE).too_near(1023, 2_200) is None
    near = LoopPlan(Resistors.TRIPLE, alarm_ohm=1_000, fault_ohm=1_200).too_near(1023, 2_200)
    assert near is not None
    assert [state.ohm for state in near] == [2_000, 2_200]
    assert LoopPlan(eol_ohm=22_000, alarm_ohm=22_000).too_near(1023, 470) is not None, "too few steps of the converter"


# --- frames ---------------------------------------------------------------------------------------


@settings(max_examples=2_000, deadline=None)
@given(CHIPS, st.integers(0, 7), st.binary(min_size=0, max_size=8))
def test_any_frame_gives_a_reading_or_says_what_is_wrong(chip: Chip, channel: int, frame: bytes) -> None:
    said = None
    try:
        value = chip.value(channel, frame)
    except BadFrame as error:
        said = error.text
    if said is None:
        assert 0 <= value <= chip.full
        assert len(frame) == FRAME_BYTES
    else:
        assert f"{chip.name}, channel {channel}: found" in said[0]
        assert f"{chip.name} 通道 {channel}" in said[1]


@settings(deadline=None)
@given(CHIPS, st.integers(0, 7), st.data())
def test_one_bit_that_is_turned_over_is_found(chip: Chip, channel: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, chip.full))
    said = f"{value:0{chip.bits}b}"
    bits = f"0{said}{said[::-1][1:]}"
    head = 8 * 3 - chip.bits - 1
    place = data.draw(st.integers(0, len(bits) - 1))

    def frame(word: str) -> bytes:
        return int(("1" * head + word).ljust(40, "0"), 2).to_bytes(5, "big")

    assert chip.value(channel, frame(bits)) == value
    turned = bits[:place] + ("1" if bits[place] == "0" else "0") + bits[place + 1 :]
    # The lowest bit is sent once only; it is one step.
    if place == chip.bits:
        assert abs(chip.value(channel, frame(turned)) - value) == 1
    else:
        with pytest.raises(BadFrame):
            chip.value(channel, frame(turned))


# --- readings over time ---------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@given(PLANS, CHIPS, st.lists(st.integers(-10, 5_000), min_size=1, max_size=200), st.integers(100, 400))
def test_any_readings_give_conditions_and_never_raise(
    plan: LoopPlan, chip: Chip, counts: list[int], debounce_ms: int
) -> None:
    loop = WatchedLoop(Loop("z", 0, plan, debounce_ms), chip, None)
    for step, value in enumerate(counts):
        found = loop.look(lambda value=value: value, SAMPLE_MS * step)  # type: ignore[misc]
        assert found is None or found in plan.told | {FAULT}
    assert loop.health()["condition"] in {None, *plan.told, FAULT}


@settings(deadline=None)
@given(PLANS, CHIPS, st.integers(0, 4), st.randoms(use_true_random=False))
def test_noise_around_a_threshold_does_not_chatter(plan: LoopPlan, chip: Chip, index: int, random: Random) -> None:
    """Noise of 1.5 % of the resistance: at most one change, whatever the threshold."""
    states = plan.states()
    index = min(index, len(states) - 2)
    middle = math.sqrt(states[index].ohm * states[index + 1].ohm)
    found = Thresholds(states, chip.full, chip.pull_ohm)
    held = found.find(count(chip, middle), None)
    changes = 0
    for _ in range(300):
        now = found.find(count(chip, middle * random.uniform(0.985, 1.015)), held)
        changes += now != held
        held = now
    assert changes <= 1


@settings(deadline=None)
@given(CHIPS, st.integers(0, 4095))
def test_one_disturbed_reading_counts_nowhere(chip: Chip, wild: int) -> None:
    loop = WatchedLoop(Loop("z", 0, LoopPlan(), 100), chip, None)
    assert played(loop, chip, iter([1_000.0] * 10)) == [NORMAL]
    readings = iter([min(wild, chip.full), count(chip, 1_000.0), count(chip, 1_000.0)])
    assert loop.look(lambda: next(readings), 500) is None
    assert played(loop, chip, iter([1_000.0] * 10), 540) == []
    assert loop.short_pulses == 0


def test_a_loop_that_never_rests_reads_fault() -> None:
    chip = Chip("a", 12)
    loop = WatchedLoop(Loop("z", 0, LoopPlan()), chip, None)
    flapping = [1_000.0, 1_000.0, 3_200.0, 3_200.0] * 60
    assert played(loop, chip, iter([1_000.0] * 10 + flapping)) == [NORMAL, FAULT]
    assert loop.short_pulses > 10
    assert played(loop, chip, iter([1_000.0] * 10), 250 * SAMPLE_MS) == [NORMAL]


@pytest.mark.parametrize("plan", [LoopPlan(r, w) for r in Resistors for w in (Wiring.NC, Wiring.NO)])
@pytest.mark.parametrize("factor", [1.0005, 1 / 1.0005])
def test_drift_is_maintenance_before_it_is_anything_else(plan: LoopPlan, factor: float) -> None:
    chip = Chip("a", 12)
    loop = WatchedLoop(Loop("z", 0, plan), chip, None)
    ohm, step = plan.rest_ohm, 0
    told: list[Condition] = []
    assert played(loop, chip, iter([ohm] * 300)) == [NORMAL]
    assert loop.drifting is False
    while not told:
        ohm *= factor
        step += 1
        told = played(loop, chip, iter([ohm]), 20_000 + SAMPLE_MS * step)
        if not told:
            maintenance = loop.drifting
    assert told[0] is not NORMAL
    assert maintenance is True
    assert loop.drift >= DRIFT_BEGINS


@settings(deadline=None)
@given(st.floats(200, 20_000), st.sampled_from(Resistors))
def test_no_more_than_15_percent_are_learned(ohm: float, resistors: Resistors) -> None:
    plan = LoopPlan(resistors)
    loop = WatchedLoop(Loop("z", 0, plan), Chip("a", 12), None)
    loop.learned(ohm)
    assert loop.rest_ohm is not None
    assert 0.85 * plan.rest_ohm <= loop.rest_ohm <= 1.15 * plan.rest_ohm
    assert plan.states(loop.rest_ohm)[-1].ohm == CUT_OHM


def test_a_detector_is_learned_at_rest_only_and_after_ten_seconds() -> None:
    chip = Chip("a", 12)
    loop = WatchedLoop(Loop("z", 0, LoopPlan()), chip, None)
    played(loop, chip, iter([3_300.0] * 500))
    assert loop.rest_ohm is None
    played(loop, chip, iter([1_060.0] * 250), 30_000)
    assert loop.rest_ohm is None
    played(loop, chip, iter([1_060.0] * 100), 30_000 + 250 * SAMPLE_MS)
    assert loop.rest_ohm == pytest.approx(1_060, rel=0.002)


def test_a_learned_loop_is_followed_slowly() -> None:
    chip = Chip("a", 12)
    loop = WatchedLoop(Loop("z", 0, LoopPlan()), chip, 1_000.0)
    now_ms, step_ms = 0, 1_000
    for _ in range(3_600):
        now_ms += step_ms
        loop.look(lambda: count(chip, 1_100.0), now_ms)
    assert 1_003 < (loop.rest_ohm or 0) < 1_006, "an hour is a 24th of a day's part"


# --- what is learned, on disk ---------------------------------------------------------------------


def test_what_was_learned_outlives_the_process_and_is_the_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "loops.json"
    first = Baseline(path)
    first.learn("door", 1_000, 1_012.34, 0)
    first.learn("pir", 3_200, 3_100, 0)
    first.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["loops.json"]
    again = Baseline(path)
    assert again.rest_ohm("door", 1_000) == pytest.approx(1_012.3)
    assert again.rest_ohm("pir", 1_000) is None, "learned for another resistor"
    assert again.rest_ohm("vault", 1_000) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"zones": []}',
        b'{"zones": {"a": {}}}',
        b'{"zones": {"a": {"nominal_ohm": 1000, "rest_ohm": 2000}}}',
        b'{"zones": {"a": {"nominal_ohm": 1000, "rest_ohm": NaN}}}',
        b'{"zones": {"a": {"nominal_ohm": 0, "rest_ohm": 0}}}',
        b'{"zones": {"a": {"nominal_ohm": true, "rest_ohm": "1"}}}',
        b"\xff\xfe",
        b"[" * 20_000,
        b" " * (MAX_BYTES + 1),
    ],
)
def test_a_bad_file_is_told_of_and_nominal_values_count(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "loops.json"
    path.write_bytes(data)
    told: list[str] = []
    baseline = Baseline(path, told.append)
    baseline.start()
    assert len(told) == 1
    assert told[0].startswith(f"{path}: found ")
    assert baseline.rest_ohm("a", 1_000) is None
    baseline.learn("a", 1_000, 990, 0)
    baseline.close()
    assert told[1:] == [""], "it is well again once it is written"
    assert Baseline(path).rest_ohm("a", 1_000) == 990


@settings(deadline=None)
@given(st.binary(max_size=300) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_file_at_all_raises(tmp_path_factory: pytest.TempPathFactory, data: bytes | str) -> None:
    path = tmp_path_factory.mktemp("loops") / "loops.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode(errors="replace"))
    Baseline(path).start()


def test_a_folder_that_takes_nothing_is_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    baseline = Baseline(tmp_path / "gone" / "loops.json", told.append)
    baseline.learn("a", 1_000, 990, 0)
    baseline.close()
    assert "can't be written" in told[-1]
