"""Core's side of the desk: a real driver over simulated pins, moved by messages and seen at the pins."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gpio import GpioDriver
from drivers.simulated import SimulatedWorld
from drivers.simulated_pins import SimulatedFactory
from drivers.wiring import Input, OutputLine, Position, Wiring
from firmware.core.desk import MAX_PRESSES, Desk
from firmware.protocol.messages import Answer, AskDesk, Mains, Move, Press
from rules.site import Condition

WAIT_S = 10.0
RATE = 20
INPUTS = [Input("door", 17), Input("vault", 22, Wiring.CHANGEOVER, 23), Input("holdup", 18, Wiring.NO)]
MAINS = Input("power:mains", 5)


class Panel:
    """A desk on a running driver."""

    def __init__(self, run: Path, inputs: list[Input] = INPUTS) -> None:
        self.told: queue.Queue[tuple[str, Condition]] = queue.Queue()
        self.path = run / "desk.json"
        self.world = SimulatedWorld(self.path, inputs, MAINS.line)
        factory = SimulatedFactory()
        self.driver = GpioDriver(
            factory,
            [*inputs, MAINS],
            [OutputLine("siren", 4)],
            lambda: time.monotonic_ns() * RATE // 1_000_000,
            lambda zone, condition: self.told.put((zone, condition)),
            lambda *_: None,
            RATE,
        )
        self.world.apply(factory)
        self.driver.claim_outputs({"siren": True})
        self.desk = Desk(self.world, self.driver, lambda: {"areas": {"hall": {"mode": "disarmed"}}}, RATE)

    def start(self) -> None:
        """Run, and read what every zone is at first."""
        self.driver.start()
        for _ in range(len(self.world.zones) + 1):
            self.told.get(timeout=WAIT_S)

    def ask(self, message: Any) -> Answer:
        """The one answer."""
        (answer,) = self.desk.handle(message)
        assert isinstance(answer, Answer)
        return answer

    def next(self) -> tuple[str, Condition]:
        """The next condition told."""
        return self.told.get(timeout=WAIT_S)

    def close(self) -> None:
        """Let go of everything."""
        self.desk.close()
        self.driver.close()


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    made = Panel(tmp_path)
    made.start()
    yield made
    made.close()


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Callable[[list[Input]], Panel]]:
    """Panels whose driver does not run."""
    made: list[Panel] = []

    def make(inputs: list[Input]) -> Panel:
        made.append(Panel(tmp_path, inputs))
        return made[-1]

    yield make
    for panel in made:
        panel.close()


def test_a_move_reaches_the_rules_and_the_file(panel: Panel) -> None:
    answer = panel.ask(Move(zone="vault", position="cut"))
    assert answer.ok
    assert answer.detail["visible"] is True
    assert panel.next() == ("vault", Condition.OPEN)
    assert SimulatedWorld(panel.path, INPUTS).positions["vault"] is Position.CUT


def test_a_move_that_the_wiring_cannot_tell_says_so(panel: Panel) -> None:
    answer = panel.ask(Move(zone="door", position="short"))
    assert answer.ok
    assert (answer.detail["visible"], answer.detail["seen"], answer.detail["wiring"]) == (False, "normal", "nc")


def test_a_press_trips_and_lets_go_by_itself(panel: Panel) -> None:
    assert panel.ask(Press(zone="holdup", hold_ms=2_000)).ok
    assert panel.next() == ("holdup", Condition.ACTIVE)
    assert panel.next() == ("holdup", Condition.NORMAL)
    assert not panel.path.exists(), "a press was kept in the file"


def test_a_button_that_is_held_cannot_be_pressed_again(panel: Panel) -> None:
    assert panel.ask(Press(zone="holdup", hold_ms=60_000)).ok
    again = panel.ask(Press(zone="holdup", hold_ms=1))
    assert (again.ok, again.reason, again.detail) == (False, "already-pressed", {"zone": "holdup"})
    panel.desk.close()
    assert panel.world.positions["holdup"] is Position.CLOSE
    assert panel.ask(Press(zone="holdup", hold_ms=60_000)).ok


def test_presses_are_limited(still: Callable[[list[Input]], Panel]) -> None:
    panel = still([Input(f"b{i}", 20 + i, Wiring.NO) for i in range(MAX_PRESSES + 1)])
    answers = [panel.ask(Press(zone=zone, hold_ms=60_000)) for zone in panel.world.zones]
    assert [answer.ok for answer in answers] == [True] * MAX_PRESSES + [False]
    assert (answers[-1].reason, answers[-1].detail) == ("too-many-presses", {"limit": MAX_PRESSES})
    assert list(panel.world.positions.values()).count(Position.OPEN) == MAX_PRESSES


def test_mains_is_a_line_like_any_other(panel: Panel) -> None:
    assert panel.ask(Mains(on=False)).ok
    assert panel.next() == ("power:mains", Condition.ACTIVE)
    assert panel.ask(Mains(on=True)).ok
    assert panel.next() == ("power:mains", Condition.NORMAL)


@pytest.mark.parametrize("message", [Move(zone="nowhere", position="open"), Press(zone=""), Press(zone="power:mains")])
def test_an_unknown_zone_is_refused_with_the_known_ones(panel: Panel, message: Move | Press) -> None:
    answer = panel.ask(message)
    assert (answer.ok, answer.reason) == (False, "unknown-zone")
    assert answer.detail == {"zone": message.zone, "known": ["door", "vault", "holdup"]}


def test_status_shows_positions_levels_and_the_pins_of_outputs(panel: Panel) -> None:
    panel.ask(Move(zone="door", position="open"))
    assert panel.next() == ("door", Condition.ACTIVE)
    view = panel.ask(AskDesk()).detail
    door, vault = view["zones"]["door"], view["zones"]["vault"]
    assert (door["position"], door["levels"], door["condition"]) == ("open", ["high"], "active")
    assert (vault["levels"], vault["wiring"]) == (["low", "high"], "changeover")
    assert view["outputs"]["siren"]["on"] is True
    assert view["mains"] is True
    assert view["panel"] == {"areas": {"hall": {"mode": "disarmed"}}}


def test_a_site_that_cannot_be_written_changes_nothing(tmp_path: Path, still: Callable[[list[Input]], Panel]) -> None:
    panel = still(INPUTS)
    panel.path.mkdir()  # where the file should go
    answer = panel.ask(Move(zone="door", position="open"))
    assert (answer.ok, answer.reason) == (False, "not-written")
    assert panel.world.positions["door"] is Position.CLOSE


MESSAGES = st.one_of(
    st.builds(
        Move, zone=st.sampled_from(["door", "vault", "x", ""]), position=st.sampled_from(list(Position)).map(str)
    ),
    st.builds(Press, zone=st.sampled_from(["door", "holdup", "x"]), hold_ms=st.integers(1, 60_000)),
    st.builds(Mains, on=st.booleans()),
    st.just(AskDesk()),
)


@given(st.lists(MESSAGES, max_size=12))
def test_every_message_gets_one_answer_and_pins_follow(
    tmp_path_factory: pytest.TempPathFactory, sent: list[Any]
) -> None:
    panel = Panel(tmp_path_factory.mktemp("run"))
    try:
        for message in sent:
            known = getattr(message, "zone", "door") in panel.world.zones
            assert panel.ask(message).ok or not known or isinstance(message, Press)
    finally:
        panel.close()
    moves = {m.zone: m.position for m in sent if isinstance(m, Move) and m.zone in panel.world.zones}
    assert {zone: str(p) for zone, p in panel.world.positions.items()} == dict.fromkeys(
        panel.world.zones, "close"
    ) | moves
