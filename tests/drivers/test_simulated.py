"""The simulated site: its file, its lines, and pins that behave like wires."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.loop_plan import LoopPlan, Resistors
from drivers.loop_zone import Loop
from drivers.pins import open_factory
from drivers.simulated import MAX_BYTES, BadWorld, SimulatedWorld
from drivers.simulated_pins import SimulatedFactory
from drivers.simulated_supply import SimulatedBattery
from drivers.wiring import Input, Position, Wiring, levels

INPUTS = (
    Input("door", 17),
    Input("holdup", 18, Wiring.NO),
    Input("vault", 22, Wiring.CHANGEOVER, 23),
)


def world(tmp_path: Path) -> SimulatedWorld:
    return SimulatedWorld(tmp_path / "desk.json", INPUTS, mains_line=5, battery_line=6)


def test_without_a_file_everything_is_at_rest(tmp_path: Path) -> None:
    fresh = world(tmp_path)
    assert set(fresh.positions.values()) == {Position.CLOSE}
    assert fresh.mains
    assert fresh.levels() == {17: False, 18: True, 22: False, 23: True, 5: False, 6: False}
    assert not (tmp_path / "desk.json").exists()


def test_positions_and_mains_outlive_the_process(tmp_path: Path) -> None:
    before = world(tmp_path)
    before.move("door", Position.OPEN)
    before.move("vault", Position.CUT)
    before.set_mains(False)
    after = world(tmp_path)
    assert dict(after.positions) == {"door": Position.OPEN, "holdup": Position.CLOSE, "vault": Position.CUT}
    assert not after.mains
    assert after.levels()[5] is True
    assert json.loads((tmp_path / "desk.json").read_text()) == {
        "positions": {"door": "open", "vault": "cut"},
        "mains": False,
    }
    assert [path.name for path in tmp_path.iterdir()] == ["desk.json"]


def test_what_the_battery_shows_follows_the_mains_and_the_load_unless_a_hand_sets_it(tmp_path: Path) -> None:
    def made() -> SimulatedWorld:
        return SimulatedWorld(tmp_path / "desk.json", INPUTS, battery=SimulatedBattery(13_600, 12_700, 12_300, 500))

    site = made()
    assert (site.millivolts(), site.milliamperes()) == (13_600, 0)
    site.load("power:load", True)
    assert (site.millivolts(), site.milliamperes()) == (12_300, 500)
    site.load("power:load", False)
    site.set_mains(False)
    assert (site.millivolts(), site.milliamperes()) == (12_700, 500)
    site.set_supply({"battery_mv": 10_500, "ma": 900})
    assert (made().millivolts(), made().milliamperes()) == (10_500, 900), "it is kept"
    again = made()
    site.set_supply({"battery_mv": None, "ma": None})
    again.reload()
    assert again.millivolts() == 12_700
    assert "supply" not in json.loads((tmp_path / "desk.json").read_text())


def test_a_relayed_line_is_off_the_converter_while_its_load_is_on(tmp_path: Path) -> None:
    bell, horn = (Loop(name, at, LoopPlan(Resistors.LINE)) for at, name in enumerate(("bell", "horn")))
    site = SimulatedWorld(tmp_path / "desk.json", INPUTS, loops=[bell, horn], relayed={"bell"})
    for name in ("bell", "horn"):
        site.load(name, True)
    assert (site.ohm("bell"), site.ohm("horn")) == (math.inf, 1_000)
    site.load("bell", False)
    assert site.ohm("bell") == 1_000


def test_a_press_is_seen_and_not_kept(tmp_path: Path) -> None:
    desk = world(tmp_path)
    desk.press("holdup")
    assert desk.positions.get("holdup") is Position.OPEN
    assert desk.levels()[18] is False
    assert world(tmp_path).positions.get("holdup") is Position.CLOSE
    desk.release("holdup")
    assert desk.positions.get("holdup") is Position.CLOSE


def test_zones_of_another_panel_file_are_kept_but_not_driven(tmp_path: Path) -> None:
    (tmp_path / "desk.json").write_text('{"positions": {"gone": "open"}}')
    desk = world(tmp_path)
    assert "gone" not in desk.positions
    desk.move("door", Position.OPEN)
    assert json.loads((tmp_path / "desk.json").read_text())["positions"] == {"gone": "open", "door": "open"}


def test_an_unknown_zone_changes_nothing(tmp_path: Path) -> None:
    desk = world(tmp_path)
    acts: list[Callable[[], object]] = [lambda: desk.move("nowhere", Position.OPEN), lambda: desk.press("nowhere")]
    for act in acts:
        with pytest.raises(KeyError, match="nowhere"):
            act()
    assert not (tmp_path / "desk.json").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("door open", "found 'door open', expected a JSON object"),
        ("[1]", "found '[1]', expected a JSON object"),
        ('{"positions": ["door"]}', "positions: found '[\"door\"]', expected an object of zone and position"),
        ('{"positions": {"door": "ajar"}}', "positions.door: found 'ajar', expected open, close, cut, short"),
        ('{"positions": {"door": 1}}', "positions.door: found '1', expected open, close, cut, short"),
        ('{"supply": 12}', "supply: found '12', expected an object of name and whole number"),
        ('{"supply": {"battery_mv": "12 V"}}', "supply.battery_mv: found '12 V', expected a whole number from 0"),
        ('{"supply": {"celsius": 999}}', "supply.celsius: found '999', expected a whole number from -60 to 120"),
        ('{"supply": {"fuel": 1}}', "supply.fuel: found 'fuel', expected battery_mv, loaded_mv"),
        ('{"mains": "on"}', "mains: found 'on', expected true, false"),
        ("[" * 200_000, "expected a JSON object"),
        (" " * (MAX_BYTES + 1), f"found '{MAX_BYTES + 1} bytes', expected 'at most".replace("'at", "at")),
    ],
)
def test_garbage_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "desk.json").write_text(text)
    with pytest.raises(BadWorld) as caught:
        world(tmp_path)
    assert str(tmp_path / "desk.json") in caught.value.text[0]
    assert says in caught.value.text[0]
    assert "应为" in caught.value.text[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.binary(max_size=200)
    | JSON.map(lambda v: json.dumps(v).encode())
    | JSON.map(lambda v: json.dumps({"positions": v, "mains": True}).encode())
)
def test_any_bytes_give_a_world_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(data)
    try:
        found = SimulatedWorld(path, INPUTS)
    except BadWorld as error:
        found = None
        texts = error.text
    if found is None:
        assert all(str(path) in text and text.encode() for text in texts)
    else:
        assert set(found.positions) == {"door", "holdup", "vault"}


@given(st.sampled_from(Position), st.booleans())
def test_the_pins_follow_the_world_whichever_comes_first(position: Position, claim_first: bool) -> None:
    factory = SimulatedFactory()
    desk = SimulatedWorld(Path("/nonexistent/desk.json"), INPUTS)
    desk._positions = {wire.zone: position for wire in INPUTS}
    lines = [(line, level) for w in INPUTS for line, level in zip(w.lines, levels(w.wiring, position), strict=True)]
    if not claim_first:
        desk.apply(factory)
    for line, _ in lines:
        factory.pin(line).input_with_pull("up")
    if claim_first:
        desk.apply(factory)
    assert [(line, factory.pin(line).state) for line, _ in lines] == lines


def test_an_undriven_line_follows_its_pull() -> None:
    pin = SimulatedFactory().pin(4)
    pin.input_with_pull("up")
    assert pin.state is True
    pin.input_with_pull("down")
    assert pin.state is False


def test_the_observer_hears_the_pin_from_its_first_level(tmp_path: Path) -> None:
    heard: list[tuple[int, bool]] = []
    factory = open_factory("simulated", 0, tmp_path, lambda line, level: heard.append((line, level)))
    siren, strobe = factory.pin(40), factory.pin(57)
    siren.output_with_state(True)
    strobe.output_with_state(False)
    siren.state = True
    siren.state = False
    assert heard == [(40, True), (57, False), (40, False)]


def test_a_failing_observer_does_not_hurt_the_pin() -> None:
    def fail(line: int, level: bool) -> None:
        raise RuntimeError("observer")

    pin = SimulatedFactory(fail).pin(3)
    pin.output_with_state(False)
    pin.state = True
    assert pin.state is True
