"""Sirens, strobe, lamps, buzzer, chime and relays, from the written rules."""

from dataclasses import replace
from typing import Any

import pytest

from rules import AreaMode, Output, OutputKind, Place, Site, TroubleChanged, Wish
from tests.rules.branch import CLERK, Panel, kinds, payload, switched, told
from tests.rules.full import (
    ACTIVE,
    ALL,
    ENTRY_MS,
    EXIT_MS,
    EXTERNAL,
    MINUTE_MS,
    NORMAL,
    OPEN,
    SIREN_MAX_MS,
    SIREN_MS,
    arm,
    armed,
    ask,
    bank,
    disarm,
    full,
    payloads,
    power_cut,
    sirens,
    with_output,
)

DISARMED, EXIT, ARMED, ENTRY, ALARM = AreaMode
DELAY_MS, LIMIT_MS, STORE_LIMIT_MS = 120_000, 100_000, 90_000


def all_armed(**timings: Any) -> Panel:
    return armed(bank(swinger_trips=0, confirm_ms=0, **timings))


def silence(panel: Panel, *areas: str, key: str = CLERK) -> list[str]:
    return kinds(ask(panel, Wish.SILENCE, *areas, key=key))


# How long


@pytest.mark.clause("EN 50131-1 siren 90 s to 15 min", "GB 50394 sound and light")
def test_an_alarm_sounds_its_time_and_the_area_is_armed_again() -> None:
    panel = all_armed()
    panel.trip("window")
    assert {"bell", "hall-siren"} == sirens(panel)
    assert "siren.stopped" not in kinds(panel.wait(SIREN_MS - 1))
    assert payload(panel.wait(1), "siren.stopped")["areas"] == ["hall"]
    assert (sirens(panel), panel.mode()) == (set(), ARMED)
    assert panel.area_view("hall", "memory") == (["window"],)
    assert "strobe" in panel.on()
    panel.trip("window")
    assert {"bell", "hall-siren"} == sirens(panel)
    assert panel.area_view("hall", "memory") == (["window"],)


def test_a_further_zone_lengthens_it_up_to_the_maximum_from_its_start() -> None:
    panel = all_armed(siren_ms=100_000, siren_max_ms=250_000)
    for zone in ("window", "pir", "straight"):
        panel.trip(zone)
        panel.wait(80_000)
    panel.trip("hushed")
    assert {"bell", "hall-siren"} <= sirens(panel)
    panel.wait(9_999)
    assert "hall-siren" in sirens(panel)
    assert "siren.stopped" in kinds(panel.wait(1))
    assert sirens(panel) == set()


def test_a_further_zone_that_would_end_earlier_shortens_nothing() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(100_000)
    panel.trip("pir")
    panel.wait(SIREN_MS - 1)
    assert "hall-siren" in sirens(panel)
    panel.wait(1)
    assert sirens(panel) == set()


def test_a_zone_that_chatters_lengthens_nothing() -> None:
    panel = all_armed()
    for _ in range(29):
        panel.trip("window")
        panel.wait(10_000)
    panel.wait(10_000)
    assert sirens(panel) == set()


def test_one_areas_end_leaves_another_ones_sirens() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(200_000)
    panel.trip("vault-pir")
    panel.wait(100_000)
    assert {"bell", "vault-siren"} <= sirens(panel)
    assert "hall-siren" not in sirens(panel)


# A siren's own delay and limit


@pytest.mark.clause("EN 50131-1 siren delay")
def test_a_siren_waits_its_delay_and_sounds_its_limit() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(DELAY_MS - 1)
    assert "late-bell" not in sirens(panel)
    panel.wait(1)
    assert "late-bell" in sirens(panel)
    panel.wait(LIMIT_MS - 1)
    assert "late-bell" in sirens(panel)
    panel.wait(1)
    assert sirens(panel) == {"bell", "hall-siren"}


def test_an_alarm_that_ends_before_the_delay_sounds_it_never() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(DELAY_MS - 1)
    disarm(panel, "hall")
    panel.wait(SIREN_MS)
    assert ("late-bell", True) not in switched_ever(panel)


def switched_ever(panel: Panel) -> set[tuple[str, bool]]:
    return set(switched(effect for _, effect in panel.log))


@pytest.mark.clause("EN 50131-1 siren delay dropped")
def test_while_all_paths_are_down_there_is_no_delay() -> None:
    panel = all_armed()
    panel.play(TroubleChanged("path", True, "eth"))
    panel.trip("window")
    assert "late-bell" not in sirens(panel)
    panel.play(TroubleChanged("path", True, "lte"))
    assert "late-bell" in sirens(panel)
    disarm(panel)
    armed(panel)
    panel.trip("window")
    assert "late-bell" in sirens(panel)


def test_a_path_that_comes_back_stops_no_siren_that_sounds() -> None:
    panel = all_armed()
    for path in ("eth", "lte"):
        panel.play(TroubleChanged("path", True, path))
    panel.trip("window")
    panel.play(TroubleChanged("path", False, "lte"))
    assert "late-bell" in sirens(panel)


def test_an_internal_siren_has_its_limit_too() -> None:
    panel = all_armed()
    panel.trip("shelf")
    panel.wait(STORE_LIMIT_MS)
    assert sirens(panel) == {"bell"}
    panel.trip("yard")
    assert "store-siren" not in sirens(panel)


def test_after_its_limit_it_rests_until_an_alarm_that_began_later() -> None:
    panel = all_armed()
    panel.trip("shelf")
    panel.wait(SIREN_MS)
    panel.trip("shelf")
    assert sirens(panel) == {"bell", "store-siren"}


def test_a_shared_siren_rests_after_the_maximum_while_younger_alarms_go_on() -> None:
    panel = all_armed()
    for zone in ("window", "vault-pir", "shelf"):
        panel.trip(zone)
        panel.wait(290_000)
    panel.trip("window")
    assert "bell" in sirens(panel)
    panel.wait(SIREN_MAX_MS - 3 * 290_000)
    assert "bell" not in sirens(panel)
    assert "hall-siren" in sirens(panel)
    panel.trip("vault-pir")
    assert "bell" in sirens(panel)


def test_a_siren_goes_on_over_a_power_cut_for_the_time_that_remained() -> None:
    panel = all_armed()
    panel.trip("shelf")
    panel.wait(40_000)
    power_cut(panel)
    assert sirens(panel) == {"bell", "store-siren"}
    panel.wait(49_999)
    assert "store-siren" in sirens(panel)
    panel.wait(1)
    assert sirens(panel) == {"bell"}


def test_a_delay_goes_on_over_a_restart() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(100_000)
    panel.start()
    panel.wait(19_999)
    assert "late-bell" not in sirens(panel)
    panel.wait(1)
    assert "late-bell" in sirens(panel)


# Silence


def test_silence_keeps_alarm_memory_and_strobe() -> None:
    panel = all_armed()
    panel.trip("window")
    assert silence(panel, "hall") == ["siren.silenced"]
    assert sirens(panel) == set()
    assert "strobe" in panel.on()
    assert panel.area_view("hall", "mode", "alarm", "memory") == ("alarm", True, ["window"])
    panel.wait(DELAY_MS)
    assert "late-bell" not in sirens(panel)


def test_after_silence_a_further_zone_sounds_with_a_limit_of_its_own() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(200_000)
    silence(panel, "hall")
    panel.trip("window")
    assert sirens(panel) == set()
    panel.trip("pir")
    assert sirens(panel) == {"bell", "hall-siren"}
    panel.wait(SIREN_MS - 1)
    assert "hall-siren" in sirens(panel)
    assert "siren.stopped" in kinds(panel.wait(1))


def test_a_silenced_alarm_ends_at_its_time() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(100_000)
    silence(panel, "hall")
    assert "area.alarm-ended" not in kinds(panel.wait(SIREN_MS - 100_001))
    assert "area.alarm-ended" in kinds(panel.wait(1))
    assert panel.mode() is ARMED


def test_silence_is_for_ones_own_areas() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.trip("vault-pir")
    silence(panel)
    assert sirens(panel) == {"bell", "vault-siren"}
    assert told(ask(panel, Wish.SILENCE, "vault", key=CLERK)) == ["not-allowed"]


def test_silence_ends_the_warning_of_an_exit_error() -> None:
    panel = bank()
    arm(panel, "hall")
    panel.read("door")
    panel.wait(EXIT_MS)
    assert sirens(panel) == {"hall-siren"}
    assert silence(panel, "hall") == ["siren.silenced"]
    assert (sirens(panel), panel.mode()) == (set(), ENTRY)


def test_an_exit_error_that_began_within_the_limit_of_a_siren_makes_it_no_longer() -> None:
    panel = armed(bank(with_output(full(), "store-siren", areas=("hall", "store"))), "store")
    panel.trip("shelf")
    panel.wait(STORE_LIMIT_MS - EXIT_MS - 10_000)
    arm(panel, "hall")
    panel.read("door")
    panel.wait(EXIT_MS)
    assert (panel.mode(), "store-siren" in sirens(panel)) == (ENTRY, True)
    panel.wait(10_000)
    assert (panel.mode(), "store-siren" in sirens(panel)) == (ENTRY, False)
    panel.wait(ENTRY_MS - 10_000)
    assert (panel.mode(), "store-siren" in sirens(panel)) == (ALARM, True)


# External sirens


@pytest.mark.clause("EN 50131-1 siren unset", "EN 50131-1 tamper unset")
@pytest.mark.parametrize("zone", ["lid", "panic", "smoke", "gas", "pendant"])
def test_while_disarmed_only_internal_sirens_sound(zone: str) -> None:
    panel = bank()
    panel.read(zone)
    assert sirens(panel) == {"hall-siren"}
    panel.wait(SIREN_MS)
    assert not {output for output, on in switched_ever(panel) if on} & EXTERNAL


@pytest.mark.parametrize("zone", ["seismic", "case"])
def test_nor_for_a_24_hour_alarm(zone: str) -> None:
    panel = bank()
    panel.read(zone)
    assert sirens(panel) == {"vault-siren" if zone == "seismic" else "store-siren"}


@pytest.mark.parametrize("mode", [EXIT, DISARMED])
def test_a_cut_line_of_an_area_that_is_not_set_stays_inside(mode: AreaMode) -> None:
    panel = armed(bank(), "vault")
    if mode is EXIT:
        arm(panel, "hall")
    panel.read("window", OPEN)
    assert sirens(panel) == {"hall-siren"}


@pytest.mark.clause("EN 50131-1 intruder set", "EN 50131-1 tamper set")
@pytest.mark.parametrize("zone", ["window", "lid", "panic", "office", "corridor"])
def test_while_set_both_sound(zone: str) -> None:
    panel = all_armed()
    panel.read(zone)
    assert sirens(panel) == {"bell", "hall-siren"}


@pytest.mark.parametrize("zone", ["smoke", "gas", "pendant"])
def test_a_call_for_help_stays_inside_while_set(zone: str) -> None:
    panel = all_armed()
    panel.read(zone)
    assert sirens(panel) == {"hall-siren"}
    panel.wait(DELAY_MS)
    assert sirens(panel) == {"hall-siren"}


def test_an_intruder_during_a_fire_brings_the_external_one_in() -> None:
    panel = all_armed()
    panel.read("smoke")
    panel.read("window")
    assert sirens(panel) == {"bell", "hall-siren"}


def test_a_cut_line_of_the_zone_that_called_for_help_brings_the_external_one_in() -> None:
    panel = all_armed()
    panel.read("smoke")
    panel.read("smoke", OPEN)
    assert sirens(panel) == {"bell", "hall-siren"}


def test_a_fire_during_an_intruder_alarm_does_not_stop_the_external_one() -> None:
    panel = all_armed()
    panel.read("window")
    panel.read("smoke")
    assert sirens(panel) == {"bell", "hall-siren"}


@pytest.mark.parametrize("zone", ["leak", "boiler", "counter", "button", "foot-rail"])
def test_what_only_shows_or_is_silent_sounds_nothing(zone: str) -> None:
    panel = all_armed()
    lit = panel.on() - {"hall-alarm", "any-alarm"}
    panel.read(zone)
    assert panel.on() - {"hall-alarm", "any-alarm"} == lit


def test_a_common_zone_sounds_the_sirens_of_all_its_areas() -> None:
    panel = all_armed()
    panel.read("shared-pir")
    assert sirens(panel) == {"bell", "hall-siren", "vault-siren"}


def test_the_cabinet_sounds_inside_everywhere_and_outside_where_it_is_set() -> None:
    panel = bank()
    panel.play(TroubleChanged("box", True))
    assert sirens(panel) == {"hall-siren", "vault-siren", "store-siren"}
    panel = armed(bank(), "store")
    panel.play(TroubleChanged("box", True))
    assert sirens(panel) == {"bell", "hall-siren", "vault-siren", "store-siren"}


def test_disarming_ends_everything_that_sounds_and_flashes() -> None:
    panel = all_armed()
    panel.read("window")
    panel.read("lid")
    panel.wait(DELAY_MS)
    disarm(panel, "hall")
    assert not panel.on() & {"bell", "late-bell", "hall-siren", "strobe", "hall-armed"}


# Strobe and lamps


def test_the_strobe_stays_until_the_area_is_disarmed() -> None:
    panel = all_armed()
    panel.trip("window")
    panel.wait(10 * SIREN_MS)
    assert "strobe" in panel.on()
    disarm(panel, "vault", "store")
    assert "strobe" in panel.on()
    disarm(panel, "hall")
    assert "strobe" not in panel.on()


@pytest.mark.parametrize("way", ["reset", "armed"])
def test_or_put_out_or_armed_where_it_was_disarmed(way: str) -> None:
    panel = bank()
    panel.trip("panic")
    panel.wait(SIREN_MS)
    assert "strobe" in panel.on()
    if way == "reset":
        assert kinds(ask(panel, Wish.TOGGLE, "hall", key=CLERK)) == ["area.alarm-reset"]
        assert panel.mode() is DISARMED
    else:
        arm(panel, "hall")
    assert "strobe" not in panel.on()


def test_the_armed_lamp_is_on_while_all_its_areas_are_set() -> None:
    panel = bank()
    arm(panel, "hall", "vault")
    assert not panel.on() & {"hall-armed", "all-armed"}
    panel.trip("garage")
    panel.wait(EXIT_MS)
    assert panel.on() & {"hall-armed", "all-armed"} == {"hall-armed"}
    arm(panel, "store")
    panel.wait(EXIT_MS)
    assert panel.on() & {"hall-armed", "all-armed"} == {"hall-armed", "all-armed"}
    panel.read("door")
    assert panel.mode() is ENTRY
    panel.wait(ENTRY_MS)
    assert panel.mode() is ALARM
    assert {"hall-armed", "all-armed"} <= panel.on()
    disarm(panel, "store")
    assert panel.on() & {"hall-armed", "all-armed"} == {"hall-armed"}


@pytest.mark.clause("GB 50394 held until reset")
def test_the_alarm_lamp_is_on_until_the_reset() -> None:
    panel = all_armed()
    panel.trip("window")
    disarm(panel)
    panel.wait(24 * 60 * MINUTE_MS)
    assert {"hall-alarm", "any-alarm"} <= panel.on()
    ask(panel, Wish.RESET)
    assert not {"hall-alarm", "any-alarm"} & panel.on()


def test_the_alarm_lamp_is_for_its_areas() -> None:
    panel = bank()
    panel.trip("seismic")
    assert panel.on() & {"hall-alarm", "any-alarm"} == {"any-alarm"}


def test_the_buzzer_sounds_in_entry_and_exit_delays() -> None:
    panel = bank()
    arm(panel, "hall")
    assert "beeper" in panel.on()
    panel.trip("garage")
    panel.wait(EXIT_MS)
    assert "beeper" not in panel.on()
    panel.trip("garage")
    assert "beeper" in panel.on()
    disarm(panel, "hall")
    assert "beeper" not in panel.on()
    armed(panel, "vault")
    panel.read("lobby", ACTIVE)
    assert "beeper" not in panel.on()


# Relays


def test_a_relay_follows_a_zone() -> None:
    panel = bank()
    panel.read("door")
    assert "by-door" in panel.on()
    panel.read("door", NORMAL)
    assert "by-door" not in panel.on()
    panel.read("door", OPEN)
    assert "by-door" not in panel.on()


def test_a_relay_follows_an_area() -> None:
    panel = bank()
    arm(panel, "vault")
    assert "by-vault" in panel.on()
    panel.trip("vault-pir")
    assert "by-vault" in panel.on()
    disarm(panel, "vault")
    assert "by-vault" not in panel.on()


def test_a_relay_follows_an_alarm() -> None:
    panel = all_armed()
    panel.trip("window")
    assert "by-alarm" in panel.on()
    silence(panel, "hall")
    assert "by-alarm" not in panel.on()
    panel.trip("pir")
    assert "by-alarm" in panel.on()
    panel.wait(SIREN_MS)
    assert "by-alarm" not in panel.on()
    panel.trip("vault-pir")
    assert "by-alarm" not in panel.on()


def test_a_relay_pulses_for_an_event() -> None:
    panel = all_armed()
    disarm(panel, "hall")
    assert "by-event" in panel.on()
    panel.wait(1_000)
    disarm(panel, "vault")
    panel.wait(1_999)
    assert "by-event" in panel.on()
    panel.wait(1)
    assert "by-event" not in panel.on()


def test_a_relay_of_an_area_may_be_several() -> None:
    site = full()
    more = Output("again", OutputKind.RELAY, (), follows="area:vault")
    panel = bank(replace(site, outputs={**site.outputs, "again": more}))
    arm(panel, "vault")
    assert {"again", "by-vault"} <= panel.on()


# At rest


def test_nothing_is_on_before_anything_happened() -> None:
    panel = bank()
    assert panel.on() == set()
    assert switched_ever(panel) == set()


def test_an_external_siren_that_serves_no_set_area_is_silent_though_another_one_alarms() -> None:
    site: Site = with_output(full(), "late-bell", areas=("vault",), delay_ms=0)
    panel = armed(bank(site))
    panel.trip("window")
    assert sirens(panel) == {"bell", "hall-siren"}
    assert site.outputs["late-bell"].place is Place.EXTERNAL


@pytest.mark.clause("EN 50131-1 hold-up unset", "EN 50131-1 hold-up set")
@pytest.mark.parametrize("set_", [False, True])
def test_a_hold_up_is_sent_with_its_zone_and_nothing_sounds(set_: bool) -> None:
    panel = all_armed() if set_ else bank()
    panel.read("button")
    assert [p["zone"] for p in payloads(panel, "alarm.hold-up")] == ["button"]
    assert sirens(panel) == set()
    assert {panel.mode(area) for area in ALL} == {ARMED if set_ else DISARMED}
