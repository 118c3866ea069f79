"""From figures of drivers to findings: each thing that can be wrong is told once, with what to do."""

from typing import Any

import pytest

from provisioning.diagnosis import findings, rows
from provisioning.remedies import OF_DRIVERS, TROUBLES
from rules import vocabulary

GPIO = {"kind": "gpio", "alive": True, "silent_ms": 40, "failing": 0, "errors": 0, "zones": {}, "outputs": {}}
ADC = {"kind": "mcp3208", "alive": True, "silent_ms": 9, "errors": 0, "error": None, "bad_frames": 0, "zones": {}}
BUS = {
    "kind": "modbus",
    "alive": True,
    "up": True,
    "starts": 1,
    "silent_ms": 300,
    "errors": 0,
    "error": None,
    "failed": {},
    "zones": {"dock": {"condition": "normal", "error": None}},
    "outputs": {},
    "bus": {"cycle_ms": 88.5},
}


def found(**figures: Any) -> list[tuple[str, str, str]]:
    """About, weight and the English text of what is found at a bus with these figures."""
    return [(f.about, f.weight, f.what[0]) for f in findings({"rs485": {**BUS, **figures}}, {})]


def test_a_healthy_panel_has_a_row_for_each_driver_and_nothing_to_do() -> None:
    drivers = {"gpio": GPIO, "adc-1": ADC, "rs485": BUS}
    assert findings(drivers, {}) == []
    assert [(row.name, row.kind, row.state, row.silent_ms, row.cycle_ms) for row in rows(drivers)] == [
        ("gpio", "gpio", "works", 40, None),
        ("adc-1", "mcp3208", "works", 9, None),
        ("rs485", "modbus", "works", 300, 88.5),
    ]


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        ({"alive": False, "error": "lost"}, "hangs"),
        ({"error": "lost", "up": False}, "fails"),
        ({"up": False}, "starts"),
    ],
)
def test_states(figures: dict[str, Any], state: str) -> None:
    assert [row.state for row in rows({"rs485": {**BUS, **figures}})] == [state]


def test_a_line_that_fails_makes_the_plain_lines_fail_and_is_named() -> None:
    lines = {
        "holdup-1": {"error": "line 17 is held by another program"},
        "door": {"condition": None, "error": None},
        "pir": {"condition": "normal", "error": None, "short_pulses": 250},
    }
    gpio = {**GPIO, "failing": 1, "zones": lines, "outputs": {"siren": {"error": "the line reads off"}}}
    assert [row.state for row in rows({"gpio": gpio})] == ["fails"]
    assert [(f.about, f.weight, f.do) for f in findings({"gpio": gpio}, {})] == [
        ("gpio/holdup-1", "fault", OF_DRIVERS["line"]),
        ("gpio/door", "warning", OF_DRIVERS["unread"]),
        ("gpio/pir", "warning", OF_DRIVERS["chatter"]),
        ("gpio/siren", "fault", OF_DRIVERS["output"]),
    ]


def test_a_bus_that_is_lost_is_told_once_and_not_for_each_zone() -> None:
    zones = {"dock": {"condition": "fault", "error": "no port"}}
    assert found(error="no port", up=False, failed={"": "no port"}, zones=zones) == [("rs485", "fault", "no port")]


def test_a_module_that_is_away_is_told_by_name() -> None:
    assert found(failed={"m2": "no answer"}, error="no answer") == [("rs485/m2", "fault", "no answer")]


def test_restarts_and_noise_are_warnings() -> None:
    assert found(starts=3) == [("rs485", "warning", "started again 2 times since the panel's start")]
    assert [f.do for f in findings({"adc-1": {**ADC, "bad_frames": 12}}, {})] == [OF_DRIVERS["noise"]]


def test_a_module_that_answers_badly_is_a_warning_and_counts_among_the_errors() -> None:
    bus = {"cycle_ms": 40, "modules": {"m1": {"errors": 12, "error": None}, "m2": {"errors": 2, "error": None}}}
    assert found(bus=bus) == [("rs485/m1", "warning", "12 questions without a sound answer")]
    assert [row.errors for row in rows({"rs485": {**BUS, "bus": bus}})] == [14]
    assert found(bus=bus, failed={"m1": "no answer"}, error="no answer") == [("rs485/m1", "fault", "no answer")]


def test_troubles_are_told_in_both_languages_with_their_subject_and_detail() -> None:
    finding = findings({}, {"path:eth": "no receipt for 60 s"})[0]
    assert finding.what == (
        "transmission path failed eth (no receipt for 60 s)",
        "传输路径故障 eth (no receipt for 60 s)",
    )
    assert finding.do == TROUBLES["path"]


def test_every_trouble_has_its_remedy_and_no_other_has() -> None:
    assert set(TROUBLES) == set(vocabulary.TROUBLES)


def test_figures_of_a_later_version_harm_nothing() -> None:
    odd: dict[str, Any] = {
        "x": {
            "kind": 7,
            "alive": None,
            "errors": "many",
            "zones": [],
            "failed": "yes",
            "bus": {"cycle_ms": {}, "modules": {"m": 7}},
        }
    }
    assert [(row.kind, row.errors, row.cycle_ms) for row in rows(odd)] == [("7", 0, None)]
    assert findings(odd, {"later": ""})[0].what == ("later", "later")
