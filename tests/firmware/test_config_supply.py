"""`[power.battery]` in the panel file: what is read, what is refused and warned of, and how a voltage is understood."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.chemistry import CHEMISTRIES
from firmware.config import load
from firmware.core.gauge import Scale, scale_of
from firmware.core.simulated import simulated_battery
from firmware.core.wires import output_lines, probes_on
from tests.firmware.test_config_loops import SMALL
from tests.firmware.test_config_mistakes import mistakes_in

BATTERY = """
[power]
mains_line = 4

[power.battery]
cells = 6
capacity_mah = 7000
installed = "2026-03-01"
load_ma = 450
volts = { adc = "adc-1", channel = 5, top_ohm = 47000, bottom_ohm = 10000 }
thermistor = { adc = "adc-1", channel = 6 }
load_line = 20
charger_line = 21
"""
FILE = SMALL + BATTERY


def test_a_battery_is_read_with_its_scale_its_probes_and_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(FILE)
    loaded = load(path)
    file, battery = loaded.file, loaded.file.power.battery
    assert battery is not None
    assert {probe.name: probe.channel for probe in probes_on(file, "adc-1")} == {
        "power:volts": 5,
        "power:temperature": 6,
    }
    scale = scale_of(file, battery)
    assert scale.mv == pytest.approx(3_300 * 5.7)
    assert scale.celsius(0.819672) == pytest.approx(25, abs=0.01), "10 kOhm against 2.2 kOhm"
    assert [(line.output, line.line) for line in output_lines(file)] == [("power:load", 20), ("power:charger", 21)]
    assert file.timings.standby_h == 8
    simulated = simulated_battery(file)
    assert simulated is not None
    assert (simulated.charged_mv, simulated.resting_mv) == (13_440, 12_600)
    assert not [w for w in loaded.warnings if w.key.startswith("[power]")]


@given(st.floats(-35, 85), st.sampled_from([4_700, 10_000, 47_000]), st.integers(3_000, 4_500))
def test_a_thermistors_part_and_temperature_are_each_others_inverse(celsius: float, ohm: int, beta: int) -> None:
    import math

    at = ohm * math.exp(beta * (1 / (celsius + 273.15) - 1 / 298.15))
    assert Scale(0, 2_200, ohm, beta).celsius(at / (at + 2_200)) == pytest.approx(celsius, abs=0.01)


@given(st.floats(-1, 2), st.integers(1_000, 10_000))
@example(5e-324, 3_950)
@example(1 - 2**-53, 3_950)
def test_any_voltage_of_a_thermistor_is_a_temperature_of_this_world_or_none(part: float, beta: int) -> None:
    found = Scale(beta_k=beta).celsius(part)
    assert found is None or -40 <= found <= 90


VOLTS = 'volts = { adc = "adc-1", channel = 5, top_ohm = 47000, bottom_ohm = 10000 }'
NTC = 'thermistor = { adc = "adc-1", channel = 6 }'
CASES = {
    "no measurement": (VOLTS, "", "[power] battery.volts", "", "one of them", "one way"),
    "two measurements": (VOLTS, f"{VOLTS}\nina219 = {{}}", "[power] battery.ina219", "{}", "one of them", "one way"),
    "two temperatures": (
        NTC,
        f'{NTC}\ntemperature_file = "/sys/t"',
        "[power] battery.temperature_file",
        '"/sys/t"',
        "not both",
        "one temperature",
    ),
    "a limit of a current that nothing measures": (
        VOLTS,
        f"{VOLTS}\nmax_ma = 900",
        "[power] battery.max_ma",
        "900",
        "ina219",
        "nothing measures",
    ),
    "a divider that gives too much": (
        "top_ohm = 47000",
        "top_ohm = 27000",
        "[power] battery.volts.top_ohm",
        "27000",
        "at most 3300 mV at 15000 mV",
        "it gives 4054 mV",
    ),
    "a battery beyond the chip": (
        f'cells = 6\ncapacity_mah = 7000\ninstalled = "2026-03-01"\nload_ma = 450\n{VOLTS}',
        "cells = 12\ncapacity_mah = 7000\nina219 = {}",
        "[power] battery.ina219",
        "{}",
        "at most 26000 mV",
        "it may have 30000 mV",
    ),
    "a shunt beyond the chip": (
        VOLTS,
        "ina219 = { shunt_mohm = 100 }\nmax_ma = 4000",
        "[power] battery.max_ma",
        "4000",
        "at most 320 mV",
        "drops 400 mV",
    ),
    "a day that is none": (
        "2026-03-01",
        "2026-02-30",
        "[power] battery.installed",
        '"2026-02-30"',
        "2026-10-01",
        "no such day",
    ),
    "a line that is taken": (
        "load_line = 20",
        "load_line = 17",
        "[power] battery.load_line",
        "17",
        "a GPIO line of its own",
        "used twice",
    ),
    "a line of SPI": ("load_line = 20", "load_line = 9", "[power] battery.load_line", "9", "7 to 11", "SPI"),
    "a line of I2C": (
        f"{VOLTS}\n{NTC}\nload_line = 20",
        "ina219 = {}\nload_line = 3",
        "[power] battery.load_line",
        "3",
        "2 and 3",
        "I2C",
    ),
    "a channel that is taken": (
        "channel = 5",
        "channel = 7",
        "[power] battery.volts.channel",
        '"adc-1/7"',
        "a channel of its own",
        "used twice",
    ),
    "an unknown converter": (
        'volts = { adc = "adc-1"',
        'volts = { adc = "adc-7"',
        "[power] battery.volts.adc",
        '"adc-7"',
        "adc-1",
        "there is no such adc",
    ),
    "no cells": ("cells = 6\n", "", "[power] battery.cells", "", "a whole number", "missing"),
    "an unknown chemistry": (
        "cells = 6",
        'cells = 6\nchemistry = "nickel"',
        "[power] battery.chemistry",
        '"nickel"',
        "'lead'",
        "not one of the choices",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_names_place_found_and_expected(case: str, tmp_path: Path) -> None:
    old, new, key, found, expected, said = CASES[case]
    assert old in FILE
    mistakes = [m for m in mistakes_in(FILE.replace(old, new), tmp_path) if m.key == key]
    assert mistakes, [m.key for m in mistakes_in(FILE.replace(old, new), tmp_path)]
    assert mistakes[0].found == found
    assert expected in mistakes[0].expected[0]
    assert said in mistakes[0].text[0]
    assert mistakes[0].text[1]
    assert mistakes[0].line is not None


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("mains_line = 4", "the charger is not judged"),
        ("load_line = 20\ncharger_line = 21", "looks at the voltage only"),
        ("load_ma = 450", "is not estimated"),
    ],
)
def test_what_can_not_be_judged_is_warned_of(gone: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(FILE.replace(gone, ""))
    (warning,) = [w for w in load(path).warnings if w.key.startswith("[power]")]
    assert says in warning.text[0]


@pytest.mark.parametrize(("hours", "fine"), [(7, False), (8, True), (72, True), (73, False)])
def test_the_standby_time_keeps_the_limits_of_its_profile(hours: int, fine: bool, tmp_path: Path) -> None:
    text = f"{FILE}\n[timings]\nstandby_h = {hours}\n"
    if fine:
        path = tmp_path / "panel.toml"
        path.write_text(text)
        assert load(path).file.timings.standby_h == hours
    else:
        assert "[timings] standby_h" in [m.key for m in mistakes_in(text, tmp_path)]


# --- docs/wiring.md -------------------------------------------------------------------------------


def test_the_panel_file_lines_of_the_page_work(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", Path("docs/wiring.md").read_text(), re.S)
    named = {name: next(b for b in blocks if b.startswith(name)) for name in ("[[output]]", "[[box]]", "[power]")}
    text = SMALL.replace("channel = 0", "channel = 4").replace("channel = 7", "channel = 5")
    for block in named.values():
        text += "\n" + block.replace('["shop"]', '["hall"]')
    path = tmp_path / "panel.toml"
    path.write_text(text)
    file = load(path).file
    assert file.output[0].watch is not None
    assert file.box[0].loop is not None
    assert file.power.battery is not None
    assert file.power.battery.capacity_mah == 12_000


def test_the_limits_of_the_page_are_those_of_the_panel() -> None:
    page = Path("docs/wiring.md").read_text()
    for c in CHEMISTRIES.values():
        limits = (
            c.low,
            c.low_ends,
            c.last,
            c.missing,
            c.test,
            c.floating,
            c.over,
            f"{c.charge_mv_k}".replace("-", "−"),
        )
        assert f"| `{c.name}` | {' | '.join(map(str, limits))} |" in page
