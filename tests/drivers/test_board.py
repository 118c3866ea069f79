"""The board's pins over a double of the lgpio library: what the kernel would be asked, and in which order."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The play of board_play.py, step by step."""
    environment = {**os.environ, "PYTHONPATH": f"{HERE / 'lgpio_double'}{os.pathsep}{HERE.parents[1]}"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.drivers.board_play"],
        cwd=tmp_path_factory.mktemp("board"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=25,
    )
    assert done.returncode == 0, done.stderr
    return {step["step"]: step for step in map(json.loads, done.stdout.splitlines())}


def test_an_output_is_asked_for_once_with_its_level(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["outputs"]["calls"] == [
        ["gpio_claim_output", 4],
        ["level", 4, 1],
        ["gpio_claim_output", 5],
        ["level", 5, 1],
        ["gpio_claim_output", 60],
    ]
    assert (steps["outputs"]["siren"], steps["outputs"]["failsafe"]) == (True, False)


def test_an_input_is_pulled_up_and_listened_to(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["input"]["calls"] == [["gpio_claim_input", 17], ["gpio_claim_alert", 17]]
    assert steps["input"]["mode"] == 32
    assert steps["first"]["told"] == [["door", "normal"], ["spi", "fault"]]
    assert steps["moved"]["told"] == ["door", "active"]


def test_a_held_and_an_absent_line_are_told_by_line_chip_and_holder(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["first"]["trouble"] == ["driver", True]
    assert steps["errors"]["spi"].startswith("Line 8 of gpiochip0 (pinctrl-bcm2711) is in use by spi0 CS0.")
    assert steps["errors"]["off_chip"] == "gpiochip0 (pinctrl-bcm2711) has no line 60: it has lines 0 to 57."
    assert steps["freed"]["told"] == ["spi", "active"], "a line that came free was not claimed"


def test_switching_is_one_write(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["switched"]["calls"] == [["level", 4, 0]]
    assert steps["switched"]["siren"] is False


def test_a_chip_that_goes_away_is_a_fault_until_it_is_back(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["gone"]["told"] == [["door", "fault"], ["spi", "fault"]]
    assert steps["gone"]["switched"] is False
    assert steps["back"]["told"] == [["door", "active"], ["spi", "active"]]


def test_closing_frees_the_lines_and_moves_no_output(steps: dict[str, dict[str, Any]]) -> None:
    calls = steps["closed"]["calls"]
    assert [call for call in calls if call[0] == "level"] == []
    assert {call[1] for call in calls if call[0] == "gpio_free"} == {4, 5, 17, 8}
    assert calls[-1] == ["gpiochip_close", 7]
    assert [call for call in calls if call[1] in (4, 5)] == [["gpio_free", 4], ["gpio_free", 5]]


def test_another_chip_is_refused_by_name(steps: dict[str, dict[str, Any]]) -> None:
    assert "/dev/gpiochip3" in steps["chip"]["text"]
    assert 'pins = "simulated"' in steps["chip"]["text"]
