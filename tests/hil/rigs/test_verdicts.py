"""The verdicts of a run, over a real pytest with a real panel: a pass, what counts against it, what never does."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from hil.conftest import RIG_FAULTS_ONLY
from hil.rigs.broken import EXPECTED, Break

ROOT = Path(__file__).parents[3]


def run(folder: Path, scenario: str, *words: str, path: Path = ROOT) -> tuple[int, str]:
    """The exit code, and what it printed."""
    argv = [sys.executable, "-m", "pytest", f"hil/scenarios/{scenario}", "--rig", "desk", "-p", "no:xdist"]
    argv += ["-p", "no:cacheprovider", "--rig-report", str(folder), *words]
    own = os.environ | {"PYTHONPATH": f"{path}:{ROOT}"}
    done = subprocess.run(argv, cwd=ROOT, env=own, capture_output=True, text=True, timeout=170)
    return done.returncode, done.stdout


def case(folder: Path) -> xml.Element:
    """The only case of the run's JUnit file."""
    found = xml.parse(folder / "junit.xml").getroot().findall(".//testcase")  # noqa: S314  # ours
    assert len(found) == 1
    return found[0]


def verdict(folder: Path) -> str:
    return next(p.attrib["value"] for p in case(folder).iter("property") if p.attrib["name"] == "verdict")


@pytest.mark.parametrize(
    ("broken", "scenario"),
    [
        ("siren-pin", "test_faults.py::test_uplink_killed"),
        ("journal", "test_people.py::test_hold_up"),
        ("lost", "test_tamper.py::test_cabinet_opened"),
    ],
)
def test_a_panel_that_is_broken_on_purpose_fails(broken: Break, scenario: str, tmp_path: Path) -> None:
    code, told = run(tmp_path, scenario, "--break", broken)
    assert code == 1, told
    assert verdict(tmp_path) == EXPECTED[broken] == "fail"
    failure = case(tmp_path).find("failure")
    assert failure is not None
    words = {"siren-pin": "output siren-outside on", "journal": "unsound=1", "lost": "lost=1"}
    assert words[broken] in failure.attrib["message"]
    assert "core started" in (case(tmp_path).findtext("system-out") or "")
    assert "未通过" in (tmp_path / "index.html").read_text()


def test_a_rig_that_is_broken_has_an_outcome_of_its_own_and_an_exit_code_of_its_own(tmp_path: Path) -> None:
    code, told = run(tmp_path, "test_intrusion.py::test_burglary", "--break", "wire")
    assert code == RIG_FAULTS_ONLY, told
    assert "1 rig fault" in told
    assert verdict(tmp_path) == EXPECTED["wire"]
    assert case(tmp_path).find("failure") is None
    error = case(tmp_path).find("error")
    assert error is not None
    assert error.attrib["type"] == "RigFault"
    assert error.attrib["message"].startswith("wire of siren-outside")


def test_a_rig_that_can_not_be_taken_down_turns_a_pass_into_a_rig_fault(tmp_path: Path) -> None:
    plugin = tmp_path / "stuck.py"
    plugin.write_text(
        "from hil.rigs.desk import DeskRig\n"
        "end = DeskRig.end\n"
        "def stuck(self):\n    end(self)\n    raise OSError('the socket does not switch')\n"
        "DeskRig.end = stuck\n"
    )
    code, told = run(tmp_path, "test_intrusion.py::test_vault_door_by_day", "-p", "stuck", path=tmp_path)
    assert code == RIG_FAULTS_ONLY, told
    assert verdict(tmp_path) == "rig-fault"
    error = case(tmp_path).find("error")
    assert error is not None
    assert "the socket does not switch" in error.attrib["message"]


def test_a_fail_beside_a_rig_fault_is_a_fail(tmp_path: Path) -> None:
    scenario = tmp_path / "test_two.py"
    scenario.write_text(
        "from hil.rigs.protocol import NotSeen, RigFault, Unable\n"
        "def test_rig():\n    raise RigFault('no wire')\n"
        "def test_panel():\n    raise NotSeen('no siren')\n"
        "def test_cannot():\n    raise Unable('no lens here')\n"
    )
    argv = [sys.executable, "-m", "pytest", "-p", "hil.conftest", str(scenario), "-p", "no:xdist", "-rs", "-q"]
    done = subprocess.run(
        [*argv, "-c", str(ROOT / "pyproject.toml")], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 skipped, 1 rig fault" in done.stdout
    assert "rig desk: no lens here" in done.stdout
    assert "RIG FAULT" in done.stdout
