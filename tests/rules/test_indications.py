"""What keypads show of alarms until somebody resets it, from the written rules: order, levels, nothing silent."""

from dataclasses import replace

import pytest

from rules import Condition, Right, TroubleChanged, User, UserSet, Wish
from tests.rules.branch import CLERK, MANAGER_DURESS, Panel, kinds, payload, tells, told
from tests.rules.full import (
    ACTIVE,
    ALL,
    ENTRY_MS,
    FAULT,
    INSTALLER,
    MASKED,
    NORMAL,
    OPEN,
    SHORT,
    SIREN_MS,
    armed,
    ask,
    bank,
    disarm,
    full,
    power_cut,
    session,
    shown,
)


def reset(panel: Panel, *areas: str, **more: str) -> list[str]:
    return kinds(ask(panel, Wish.RESET, *areas, **more))


@pytest.mark.clause("GB 50394 one after another", "GB 50394 zone shown")
def test_alarms_are_shown_in_the_order_in_which_they_came_with_zone_and_areas() -> None:
    panel = armed(bank())
    for zone in ("smoke", "window", "leak", "lid", "shared-pir"):
        panel.trip(zone)
    assert shown(panel) == [
        "alarm.fire:smoke",
        "alarm.intruder:window",
        "alarm.water:leak",
        "alarm.tamper:lid",
        "alarm.intruder:shared-pir",
    ]
    assert panel.view()["indications"][-1]["areas"] == ["hall", "vault"]


@pytest.mark.parametrize(
    ("zone", "condition", "kind"),
    [
        ("panic", ACTIVE, "alarm.audible-hold-up"),
        ("case", ACTIVE, "alarm.24-hour"),
        ("gas", ACTIVE, "alarm.gas"),
        ("pendant", ACTIVE, "alarm.medical"),
        ("boiler", ACTIVE, "alarm.technical"),
        ("button", OPEN, "alarm.sensor-tamper"),
        ("counter", SHORT, "alarm.sensor-tamper"),
        ("supplied", FAULT, "alarm.sensor-tamper"),
    ],
)
def test_every_alarm_that_is_not_silent_is_shown(zone: str, condition: Condition, kind: str) -> None:
    panel = bank()
    panel.read(zone, condition)
    assert shown(panel) == [f"{kind}:{zone}"]
    panel.read(zone, NORMAL)
    assert shown(panel) == [f"{kind}:{zone}"]


@pytest.mark.parametrize("zone", ["button", "button-2", "foot-rail"])
def test_a_silent_one_never(zone: str) -> None:
    panel = armed(bank())
    for _ in range(3):
        panel.trip(zone)
        panel.wait(180_000)
    ask(panel, Wish.STATUS, key=MANAGER_DURESS)
    assert shown(panel) == []


def test_a_fault_and_a_day_trouble_are_no_alarms() -> None:
    panel = bank()
    panel.read("pir", FAULT)
    panel.read("window", MASKED)
    panel.read("office")
    assert shown(panel) == []


def test_an_alarm_whose_report_waits_is_shown_at_once_and_stays_when_it_is_aborted() -> None:
    panel = armed(bank(abort_ms=30_000))
    panel.trip("window")
    assert shown(panel) == ["alarm.intruder:window"]
    disarm(panel)
    assert shown(panel) == ["alarm.intruder:window"]


def test_the_same_alarm_is_shown_once() -> None:
    panel = armed(bank())
    for _ in range(2):
        panel.trip("window")
        panel.wait(SIREN_MS)
    assert shown(panel) == ["alarm.intruder:window"]


@pytest.mark.clause("GB 50394 no automatic reset", "GB 50394 held until reset")
def test_nothing_but_a_reset_ends_it() -> None:
    panel = armed(bank())
    panel.trip("window")
    panel.wait(24 * 3_600_000)
    disarm(panel)
    armed(panel)
    power_cut(panel)
    panel.start("restart", "other-file")
    ask(panel, Wish.SILENCE)
    assert shown(panel) == ["alarm.intruder:window"]
    assert reset(panel) == ["panel.reset"]
    assert shown(panel) == []


@pytest.mark.clause("EN 50131-1 levels restore", "EN 50131-1 restore alarms")
def test_a_reset_is_recorded_with_who_and_what() -> None:
    panel = armed(bank())
    panel.trip("window")
    effects = ask(panel, Wish.RESET)
    found = payload(effects, "panel.reset")
    assert (found["user"], found["indications"]) == ("manager", ["alarm.intruder:window"])
    assert told(effects) == ["reset"]


def test_what_is_still_in_alarm_stays() -> None:
    panel = armed(bank())
    panel.trip("window")
    panel.read("pir")
    panel.read("straight", OPEN)
    reset(panel)
    assert shown(panel) == ["alarm.intruder:pir", "alarm.sensor-tamper:straight"]
    assert [t.args["left"] for t in tells(ask(panel, Wish.RESET))] == [2]
    panel.read("pir", NORMAL)
    panel.read("straight", NORMAL)
    reset(panel)
    assert shown(panel) == []


def test_a_reset_of_nothing_is_not_recorded() -> None:
    assert reset(bank()) == []


def test_a_reset_is_for_ones_own_areas() -> None:
    panel = bank()
    panel.play(UserSet("t", User("porter", "Porter", 2, ("hall",), "99" * 16)))
    for zone in ("panic", "seismic"):
        panel.trip(zone)
    reset(panel, key="99" * 16)
    assert shown(panel) == ["alarm.24-hour:seismic"]


def test_a_common_zones_alarm_is_reset_by_who_may_reset_all_its_areas() -> None:
    panel = armed(bank())
    panel.play(UserSet("t", User("porter", "Porter", 2, ("hall",), "99" * 16)))
    panel.trip("shared-pir")
    assert reset(panel, key="99" * 16) == []
    assert reset(panel, "hall", "vault") == ["panel.reset"]


def test_a_reset_needs_the_right() -> None:
    panel = armed(bank())
    panel.trip("window")
    assert told(ask(panel, Wish.RESET, key=CLERK)) == ["not-allowed"]
    panel.play(UserSet("t", User("clerk", "Clerk", 2, ("hall",), CLERK, rights=(Right.RESET,))))
    assert reset(panel, key=CLERK) == ["panel.reset"]


@pytest.mark.clause("EN 50131-1 restore tamper", "EN 50131-1 restore alarms")
def test_where_the_site_says_so_tampers_are_reset_at_level_3() -> None:
    panel = bank(reset_level=3)
    for zone in ("lid", "panic"):
        panel.trip(zone)
    panel.read("window", OPEN)
    panel.read("window", NORMAL)
    panel.play(TroubleChanged("box", True))
    panel.play(TroubleChanged("box", False))
    reset(panel)
    assert shown(panel) == ["alarm.tamper:lid", "alarm.sensor-tamper:window", "trouble.box:"]
    session(panel)
    reset(panel, key=INSTALLER)
    assert shown(panel) == []


def test_a_masked_detector_that_alarmed_is_shown_as_a_tamper() -> None:
    panel = armed(bank(reset_level=3))
    panel.read("pir", MASKED)
    panel.read("pir", NORMAL)
    assert shown(panel) == ["alarm.sensor-tamper:pir"]


def test_the_cabinet_is_shown_for_all_areas_and_stays_while_it_is_open() -> None:
    panel = bank()
    panel.play(TroubleChanged("box", True))
    assert panel.view()["indications"] == [{"kind": "trouble.box", "zone": "", "areas": list(ALL)}]
    reset(panel)
    assert shown(panel) == ["trouble.box:"]
    panel.play(TroubleChanged("box", False))
    assert shown(panel) == ["trouble.box:"]
    reset(panel)
    assert shown(panel) == []


def test_entry_and_exit_error_alarms_are_shown_by_their_zones() -> None:
    panel = armed(bank())
    panel.trip("door")
    panel.trip("corridor")
    panel.wait(ENTRY_MS)
    assert shown(panel) == ["alarm.entry:door", "alarm.intruder:corridor"]


@pytest.mark.clause("GB 50394 nothing lost")
def test_they_are_there_after_a_power_cut() -> None:
    panel = armed(bank())
    for zone in ("window", "lid", "smoke"):
        panel.trip(zone)
    before = shown(panel)
    power_cut(panel)
    assert shown(panel) == before


def test_at_most_256_are_kept_and_the_newest_are_dropped() -> None:
    site = full(swinger_trips=0, confirm_ms=0)
    more = {f"z{i}": replace(site.zones["panic"], id=f"z{i}", number=100 + i) for i in range(300)}
    panel = bank(replace(site, zones={**site.zones, **more}))
    for id_ in more:
        panel.trip(id_)
    assert shown(panel) == [f"alarm.audible-hold-up:z{i}" for i in range(256)]
    assert kinds(panel.trip("z299"))[0] == "alarm.audible-hold-up"


def test_the_trouble_memory_holds_at_most_128() -> None:
    panel = bank()
    for i in range(200):
        panel.play(TroubleChanged("driver", True, f"d{i}"))
        panel.play(TroubleChanged("driver", False, f"d{i}"))
    assert panel.view()["trouble_memory"] == [f"driver:d{i}" for i in range(128)]
