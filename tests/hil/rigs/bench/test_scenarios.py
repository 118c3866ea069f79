"""Scenarios on the fake bench give the verdicts that they give on a desk: a pass, a fail of the panel, a rig fault"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil.conftest import RIG_FAULTS_ONLY

ROOT = Path(__file__).parents[4]


def run(scenario: str, *words: str) -> tuple[int, str]:
    """The exit code, and what it printed."""
    argv = [sys.executable, "-m", "pytest", "hil/scenarios", "-k", scenario, "--rig", "bench", "-p", "no:xdist"]
    done = subprocess.run(
        [*argv, "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        env={**os.environ, "FENGHUO_BENCH": "fake"},
        capture_output=True,
        text=True,
        timeout=170,
    )
    return done.returncode, done.stdout


def test_a_power_cut_while_armed_passes() -> None:
    code, told = run("test_power_cut_while_armed")
    assert (code, "1 passed" in told) == (0, True), told


@pytest.mark.parametrize(("broken", "code"), [("siren-pin", 1), ("wire", RIG_FAULTS_ONLY)])
def test_what_is_broken_on_purpose_has_the_same_verdict(broken: str, code: int) -> None:
    found, told = run("test_uplink_killed", "--break", broken)
    assert found == code, told


def test_what_this_rig_can_not_do_is_skipped_with_its_reason() -> None:
    code, told = run("test_disk_full", "-rs")
    assert (code, "no small disk on this bench" in told) == (0, True), told
