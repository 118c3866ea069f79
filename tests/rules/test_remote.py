"""Commands of the alarm center: the counter, refusals, answers."""

from dataclasses import replace

import pytest

from rules import AreaMode, PanelState, RemoteCommand, Wish, decode, encode
from rules.remote import MAX_COUNTER, MAX_KEYS
from tests.rules.branch import Panel, answer, kinds, payload


def test_a_command_is_carried_out_recorded_and_answered() -> None:
    panel = Panel().armed()
    effects = panel.remote(7, Wish.DISARM, "hall")
    assert kinds(effects) == ["area.disarmed-remotely", "command.done"]
    assert payload(effects, "area.disarmed-remotely")["by"] == "remote:Li"
    assert payload(effects, "command.done") == {
        "counter": 7,
        "command": "disarm",
        "by": "remote:Li",
        "areas": ["hall"],
    }
    assert (answer(effects).counter, answer(effects).done, answer(effects).reason) == (7, True, "")
    assert panel.state.durable.counters == {"": 7}


@pytest.mark.clause("EN 50131-1 levels remote")
@pytest.mark.parametrize("counter", [7, 6, 0, -1])
def test_a_counter_counts_once(counter: int) -> None:
    panel = Panel().armed()
    panel.remote(7, Wish.STATUS)
    effects = panel.remote(counter, Wish.DISARM)
    assert payload(effects, "command.refused")["reason"] == "replayed"
    assert answer(effects).reason == "replayed"
    assert panel.mode() is AreaMode.ARMED


@pytest.mark.clause("EN 50131-1 levels remote")
def test_each_command_key_has_a_counter_of_its_own() -> None:
    panel = Panel()
    first = panel.play(RemoteCommand(500, "Li", Wish.STATUS, key="center-1"))
    assert (answer(first).key, answer(first).done, payload(first, "command.done")["key"]) == (
        "center-1",
        True,
        "center-1",
    )
    assert answer(panel.play(RemoteCommand(3, "Wang", Wish.STATUS, key="center-2"))).done
    assert answer(panel.play(RemoteCommand(3, "Wang", Wish.STATUS, key="center-2"))).reason == "replayed"
    assert answer(panel.play(RemoteCommand(500, "Li", Wish.STATUS, key="center-1"))).reason == "replayed"
    assert answer(panel.play(RemoteCommand(501, "Li", Wish.STATUS, key="center-1"))).done
    assert decode(encode(panel.state)).durable.counters == {"center-1": 501, "center-2": 3}


def test_the_one_counter_of_an_older_journal_holds_for_every_key() -> None:
    panel = Panel()
    panel.state = PanelState(replace(panel.state.durable, counter=40))
    assert answer(panel.play(RemoteCommand(40, "Li", Wish.STATUS, key="center-1"))).reason == "replayed"
    assert answer(panel.play(RemoteCommand(41, "Li", Wish.STATUS, key="center-1"))).done
    assert answer(panel.play(RemoteCommand(41, "Wang", Wish.STATUS, key="center-2"))).done


def test_the_counters_that_are_kept_are_bounded() -> None:
    panel = Panel()
    for number in range(1, MAX_KEYS + 5):
        assert answer(panel.play(RemoteCommand(number, "Li", Wish.STATUS, key=f"k{number:02}"))).done
    assert sorted(panel.state.durable.counters.values()) == list(range(5, MAX_KEYS + 5))


def test_a_counter_out_of_range_is_refused_and_not_used_up() -> None:
    panel = Panel().armed()
    assert answer(panel.remote(MAX_COUNTER + 1, Wish.DISARM)).reason == "bad-counter"
    assert answer(panel.remote(1, Wish.DISARM)).done


def test_a_refused_arming_uses_its_counter_up_and_says_why() -> None:
    panel = Panel()
    panel.read("window")
    effects = panel.remote(1, Wish.ARM, "hall")
    assert kinds(effects) == ["area.arming-refused", "command.refused"]
    assert answer(effects).detail["reasons"] == ["active:window"]
    assert answer(panel.remote(1, Wish.ARM, "hall")).reason == "replayed"


@pytest.mark.parametrize(
    ("wish", "areas", "zone", "reason"),
    [
        (Wish.ARM, ("cellar",), "", "unknown-area"),
        (Wish.BYPASS, (), "nothing", "unknown-zone"),
        (Wish.BYPASS, (), "seismic", "not-bypassable"),
        (Wish.TOGGLE, (), "", "unknown-wish"),
    ],
)
def test_refusals(wish: Wish, areas: tuple[str, ...], zone: str, reason: str) -> None:
    panel = Panel()
    effects = panel.remote(1, wish, *areas, zone=zone)
    assert payload(effects, "command.refused")["reason"] == reason
    assert (answer(effects).done, answer(effects).reason) == (False, reason)


def test_status_is_recorded_and_only_moves_the_counter() -> None:
    panel = Panel().armed()
    before = panel.state
    assert kinds(panel.remote(3, Wish.STATUS)) == ["command.done"]
    assert panel.state.areas == before.areas
    assert panel.state.durable.counters == {"": 3}


def test_remote_bypass_and_silence() -> None:
    panel = Panel()
    assert kinds(panel.remote(1, Wish.BYPASS, zone="window")) == ["zone.bypassed", "command.done"]
    assert kinds(panel.remote(2, Wish.UNBYPASS, zone="window")) == ["zone.unbypassed", "command.done"]
    panel.armed()
    panel.read("window")
    assert kinds(panel.remote(3, Wish.SILENCE)) == ["siren.silenced", "command.done"]
    assert "bell" not in panel.on()
