"""Keyswitches, from the written rules: momentary ones toggle, maintained ones arm and disarm, by seen turns only."""

import pytest

from rules import AreaMode, Condition, Wish
from tests.rules.branch import Panel, kinds, payload, told
from tests.rules.full import (
    ACTIVE,
    FAULT,
    INSTALLER,
    MASKED,
    NORMAL,
    OPEN,
    SHORT,
    SIREN_MS,
    STORE_EXIT_MS,
    armed,
    ask,
    bank,
    full,
    power_cut,
    session,
    sirens,
    with_zone,
)

DISARMED, EXIT, ARMED, ENTRY, ALARM = AreaMode
HARMED = [OPEN, SHORT, MASKED, FAULT]


def locked() -> Panel:
    """The store is armed by its lock, which stays turned."""
    panel = bank()
    panel.read("lock")
    panel.wait(STORE_EXIT_MS)
    assert panel.mode("store") is ARMED
    return panel


# Momentary


@pytest.mark.clause("EN 50131-1 setting completed", "EN 50131-1 log set", "EN 50131-1 log unset")
def test_a_turn_toggles_its_areas() -> None:
    panel = bank()
    found = payload(panel.trip("key"), "area.armed-by-key")
    assert (found["by"], found["areas"]) == ("key:key", ["vault"])
    assert panel.mode("vault") is ARMED
    found = payload(panel.trip("key"), "area.disarmed-by-key")
    assert (found["by"], found["areas"]) == ("key:key", ["vault"])
    assert panel.mode("hall") is DISARMED


def test_a_key_that_is_held_turns_once() -> None:
    panel = bank()
    for _ in range(5):
        panel.read("key")
    assert panel.mode("vault") is ARMED


def test_turning_back_moves_nothing() -> None:
    panel = bank()
    panel.read("key")
    panel.read("key", NORMAL)
    assert panel.mode("vault") is ARMED


@pytest.mark.parametrize("harm", HARMED)
@pytest.mark.parametrize("before", [NORMAL, ACTIVE])
def test_out_of_a_harmed_line_it_moves_nothing(harm: Condition, before: Condition) -> None:
    panel = armed(bank(), "vault")
    panel.read("key", before)
    mode = panel.mode("vault")
    panel.read("key", harm)
    panel.read("key", ACTIVE)
    assert (panel.mode("vault") is DISARMED) is (mode is DISARMED)


@pytest.mark.parametrize("harm", HARMED)
def test_once_it_was_at_rest_again_it_counts(harm: Condition) -> None:
    panel = armed(bank(), "vault")
    panel.read("key", harm)
    panel.read("key", NORMAL)
    assert "area.disarmed-by-key" in kinds(panel.read("key"))


@pytest.mark.parametrize("start", ["restart", "power-up"])
def test_a_key_that_is_found_turned_moves_nothing(start: str) -> None:
    panel = armed(bank(), "vault")
    if start == "restart":
        panel.start()
    else:
        power_cut(panel)
    assert kinds(panel.read("key")) == []
    assert panel.mode("vault") is ARMED
    panel.read("key", NORMAL)
    assert "area.disarmed-by-key" in kinds(panel.read("key"))


@pytest.mark.parametrize("condition", [OPEN, SHORT])
def test_its_cut_line_is_a_tamper_alarm(condition: Condition) -> None:
    panel = armed(bank(), "vault")
    assert "alarm.sensor-tamper" in kinds(panel.read("key", condition))
    assert "bell" in sirens(panel)
    assert panel.mode("vault") is ALARM


def test_a_refused_turn_is_told_on_every_keypad() -> None:
    panel = bank()
    panel.read("lobby")
    effects = panel.read("key")
    assert payload(effects, "area.arming-refused")["reasons"] == ["active:lobby"]
    assert told(effects, "") == ["arming-refused"]
    assert panel.mode("vault") is DISARMED


def test_a_turn_puts_out_an_alarm_before_it_arms() -> None:
    panel = bank()
    panel.trip("seismic")
    assert kinds(panel.trip("key")) == ["area.alarm-reset"]
    assert (panel.mode("vault"), sirens(panel)) == (DISARMED, set())
    panel.trip("key")
    assert panel.mode("vault") is ARMED


def test_a_turn_overrides_nothing() -> None:
    panel = bank(with_zone(full(), "vault-pir", forceable=True))
    panel.read("vault-pir")
    panel.trip("key")
    assert panel.mode("vault") is DISARMED


def test_a_key_for_several_areas_moves_them_all() -> None:
    panel = bank(with_zone(full(), "key", areas=("vault", "store")))
    panel.trip("key")
    panel.wait(STORE_EXIT_MS)
    assert (panel.mode("vault"), panel.mode("store")) == (ARMED, ARMED)
    panel.trip("key")
    assert (panel.mode("vault"), panel.mode("store")) == (DISARMED, DISARMED)


@pytest.mark.parametrize("zone", ["key", "lock"])
def test_a_keyswitch_never_settles(zone: str) -> None:
    panel = bank(with_zone(full(), zone, settle_ms=60_000))
    power_cut(panel)
    panel.read(zone, NORMAL)
    panel.read(zone)
    assert panel.mode("vault" if zone == "key" else "store") is not DISARMED


@pytest.mark.parametrize("zone", ["key", "lock"])
def test_a_turned_keyswitch_is_not_in_the_way(zone: str) -> None:
    panel = bank(with_zone(full(), zone, areas=("hall",)))
    panel.start()
    panel.read(zone)
    assert "area.exit-started" in kinds(ask(panel, Wish.ARM, "hall"))


@pytest.mark.parametrize("way", [Wish.BYPASS, Wish.ISOLATE])
@pytest.mark.parametrize("zone", ["key", "lock"])
def test_a_keyswitch_that_is_out_moves_nothing(zone: str, way: Wish) -> None:
    panel = bank()
    session(panel)
    ask(panel, way, key=INSTALLER, zone=zone)
    panel.trip(zone)
    assert {panel.mode("vault"), panel.mode("store")} == {DISARMED}


# Maintained


def test_turned_on_arms_and_turned_back_disarms() -> None:
    panel = bank()
    panel.read("lock")
    assert payload(panel.wait(STORE_EXIT_MS), "area.armed-by-key")["by"] == "key:lock"
    assert panel.mode("store") is ARMED
    assert payload(panel.read("lock", NORMAL), "area.disarmed-by-key")["areas"] == ["store"]
    assert panel.mode("store") is DISARMED


def test_it_arms_only_when_on_and_disarms_only_when_off() -> None:
    panel = armed(bank(), "store")
    panel.read("lock")
    assert panel.mode("store") is ARMED
    panel.read("lock", NORMAL)
    assert panel.mode("store") is DISARMED
    assert kinds(panel.read("lock", NORMAL)) == []


@pytest.mark.parametrize("harm", HARMED)
@pytest.mark.parametrize("after", [NORMAL, ACTIVE])
def test_no_cut_line_disarms(harm: Condition, after: Condition) -> None:
    panel = locked()
    panel.read("lock", harm)
    panel.read("lock", after)
    assert panel.mode("store") is not DISARMED
    panel.wait(2 * SIREN_MS)
    panel.read("lock", after)
    assert panel.mode("store") is ARMED


@pytest.mark.parametrize("harm", HARMED)
def test_no_cut_line_arms(harm: Condition) -> None:
    panel = bank()
    panel.read("lock", harm)
    panel.read("lock", ACTIVE)
    panel.wait(STORE_EXIT_MS)
    assert panel.mode("store") is DISARMED


@pytest.mark.parametrize("harm", HARMED)
def test_after_a_harmed_line_the_next_seen_turn_counts(harm: Condition) -> None:
    panel = locked()
    panel.read("lock", harm)
    panel.read("lock", NORMAL)
    assert panel.mode("store") is not DISARMED
    panel.read("lock")
    panel.read("lock", NORMAL)
    assert panel.mode("store") is DISARMED


@pytest.mark.parametrize("start", ["restart", "power-up"])
@pytest.mark.parametrize("found", [NORMAL, ACTIVE])
def test_what_is_found_after_a_start_moves_nothing(start: str, found: Condition) -> None:
    panel = locked()
    if start == "restart":
        panel.start()
    else:
        power_cut(panel)
    assert kinds(panel.read("lock", found)) == []
    assert panel.mode("store") is ARMED


def test_found_turned_and_then_turned_back_is_a_seen_turn() -> None:
    panel = locked()
    panel.start()
    panel.read("lock")
    panel.read("lock", NORMAL)
    assert panel.mode("store") is DISARMED


def test_after_a_fault_it_is_found_turned_and_turning_it_back_is_a_seen_turn() -> None:
    panel = locked()
    panel.read("lock", FAULT)
    panel.read("lock")
    assert panel.mode("store") is ARMED
    assert "area.disarmed-by-key" in kinds(panel.read("lock", NORMAL))


@pytest.mark.parametrize("harm", [OPEN, SHORT, MASKED])
@pytest.mark.parametrize("repeats", [0, 2])
def test_after_a_harmed_line_it_must_come_to_rest_first(harm: Condition, repeats: int) -> None:
    panel = locked()
    panel.read("lock", harm)
    for _ in range(1 + repeats):
        panel.read("lock")
    panel.read("lock", NORMAL)
    assert panel.mode("store") is not DISARMED


def test_found_at_rest_and_then_turned_arms() -> None:
    panel = bank()
    panel.start()
    panel.read("lock", NORMAL)
    panel.read("lock")
    assert panel.mode("store") is EXIT


def test_a_refused_arming_by_the_lock_is_told() -> None:
    panel = bank()
    panel.read("shelf")
    assert told(panel.read("lock"), "") == ["arming-refused"]
    assert panel.mode("store") is DISARMED
    panel.read("shelf", NORMAL)
    panel.read("lock", NORMAL)
    assert panel.mode("store") is DISARMED


def test_turning_back_in_an_entry_delay_ends_it() -> None:
    panel = locked()
    panel.trip("store-door")
    assert panel.mode("store") is ENTRY
    panel.read("lock", NORMAL)
    assert panel.mode("store") is DISARMED
