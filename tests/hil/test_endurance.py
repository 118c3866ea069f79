"""A slice of what docs/reliability.md publishes of each: the soak, the kills, the power cuts."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from hil.kills import kills
from hil.logged_disk import why_not
from hil.soak import Plan, soak, text


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("endurance")
def test_a_soak_loses_nothing() -> None:
    report = soak(Plan(minutes=0.2, seed=5, per_s=8, storm_s=10, calm_s=2, broker_kill_s=5))
    assert report.good, json.dumps(text(report))
    assert report.faults
    assert report.alarm_ms["count"] > 5
    assert {"done", "manifests"} <= set(report.acts)


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("endurance")
def test_what_was_acknowledged_outlives_kills_of_every_process() -> None:
    report = kills(12, seed=7)
    assert report.good, json.dumps(asdict(report), default=str)
    assert set(report.kills) == {"core", "uplink", "broker", "center-1", "in all"}
    assert report.shown > 15


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("endurance")
@pytest.mark.skipif(bool(why_not()), reason=f"a logged disk {why_not()}")
def test_what_was_acknowledged_outlives_power_cuts_and_a_disk_that_lies_is_found_out() -> None:
    words = "--cuts 12 --control 10 --seed 9 --life-s 2 --lives 2 --starts 1 --json"
    done = subprocess.run(
        [sys.executable, "-m", "hil.power_cut", *words.split()], capture_output=True, text=True, timeout=250
    )
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert report["believed"]["bad_cuts"] == 0
    assert report["believed"]["at_stake"] > 1
    assert report["believed"]["acknowledged"] > 100
    assert report["control"]["lost"] > 0, "the control must fail: else nothing is shown"
