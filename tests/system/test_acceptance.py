"""`fenghuo accept` on a real panel with two centers and a camera, from the first step to the verified report."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from hil.broker import Mosquitto
from hil.center import Center
from hil.fitter import Fitter
from tests.system.rig import CODE, Rig, rig
from tests.system.test_two_centers import paths

FITTER = "577215"


def quick(second: int, first: str, other: str) -> Callable[[str], str]:
    """The demo's bank, with short times."""

    def edit(text: str) -> str:
        for old, new in (
            ("keepalive_s = 30", "keepalive_s = 5"),
            ("path_fault_s = 60", "path_fault_s = 5"),
            ("exit_delay_s = 8", "exit_delay_s = 3"),
            ("post_s = 5", "post_s = 1"),
            ("pre_s = 3", "pre_s = 0"),
            ("[center]\n", paths(second)),
            (f'receipt_keys = ["{first}"]', f'receipt_keys = ["{first}", "{other}"]'),
            ("settle_s = 0 ", "settle_s = 0\nmains_report_delay_s = 0\nsiren_test_s = 2 "),
        ):
            assert old in text, old
            text = text.replace(old, new, 1)
        for line in (13, 19, 24, 25):
            text = text.replace(f"input = {{ line = {line} }}", f"input = {{ line = {line}, debounce_ms = 20 }}")
        return text

    return edit


class Site:
    """A panel, its centers, and the fitter who has been let in."""

    def __init__(self, panel: Rig, brokers: tuple[Mosquitto, Mosquitto], folder: Path) -> None:
        self.panel = panel
        self.brokers = brokers
        self.folder = folder

    def fitter(self, **more: object) -> Fitter:
        cut = {f"center-{n}": (broker.hang, broker.go_on) for n, broker in enumerate(self.brokers, 1)}
        return Fitter(self.panel.panel_toml, self.panel.run / "desk.sock", cut, user_code=CODE, **more)  # type: ignore[arg-type]

    def grant(self) -> None:
        since = self.panel.mark()
        self.panel.code(CODE, "grant")
        self.panel.wait("tell", "granted", since=since)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    keys: dict[str, str] = {}
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        Mosquitto(folders[0]) as first,
        Mosquitto(folders[1]) as second,
        Center("127.0.0.1", first.port, folders[0] / "center", panels=keys.get) as center,
        Center("127.0.0.1", second.port, folders[1] / "center", panels=keys.get) as other,
    ):
        edit = quick(second.port, center.receipt_key.x, other.receipt_key.x)
        with rig(port=first.port, center=(center.receipt_key.x, center.command_key.x), edit=edit) as panel:
            panel.start("core", "uplink", "camera")
            keys[panel.panel] = str(panel.panel_x())
            everywhere = ["hall", "vault"]
            panel.technician(m.SetUser(id="fitter", name="F", level=3, areas=everywhere, new_code=FITTER))
            panel.technician(m.SetUser(id="boss", name="B", level=2, areas=everywhere, new_code=CODE, code=FITTER))
            panel.settle()
            try:
                yield Site(panel, (first, second), tmp_path)
            finally:
                first.go_on()
                second.go_on()


def command(site: Site, *words: str) -> "subprocess.CompletedProcess[str]":
    """`fenghuo accept` with the installer's code at its input."""
    argv = [sys.executable, "-m", "provisioning.accept", *words, "--config", str(site.panel.panel_toml)]
    return subprocess.run(
        argv, input=f"{FITTER}\n", text=True, capture_output=True, env={**os.environ, "FENGHUO_LANG": "en"}, timeout=60
    )


@pytest.mark.timeout(300)
@pytest.mark.clause("GB 55029 5.0.1-5.0.5", "GB 55029 3.5.1(8)", "GB 55029 6.0.4")
def test_a_whole_run_is_refused_without_a_grant_then_passes_and_its_report_is_genuine(site: Site) -> None:
    run, out = site.folder / "acceptance", site.folder / "report.zip"
    words = ("--by", "Wang Gong", "--dir", str(run))
    fitter = site.fitter()
    assert fitter.run(FITTER, words) == 1
    assert "let the installer in" in fitter.said
    site.grant()
    fitter = site.fitter()
    code = fitter.run(FITTER, words)
    failed = {step: event for step, event in fitter.results().items() if event["outcome"] != "passed"}
    assert (code, failed, len(fitter.results())) == (0, {}, 26), fitter.said
    response = fitter.results()["response"]["figures"]
    assert response["local_n"] >= 30
    assert response["center_max"] <= 2_000
    alarms = [kind for kind in site.panel.kinds() if kind.startswith("alarm.")]
    assert set(alarms) <= {"alarm.tamper", "alarm.sensor-tamper"}, "a walked zone or a hold-up alarmed"

    made = command(site, "report", "--out", str(out), "--no-pdf", "--dir", str(run), "--code-stdin", "--by", "Wang")
    assert made.returncode == 0, made.stderr
    checked = command(site, "verify", str(out), "--json")
    told = json.loads(checked.stdout)
    assert (checked.returncode, told["found"], told["notes"]) == (0, [], [])
    [signed] = [record for record in site.panel.records() if record["kind"] == "acceptance.signed"]
    assert told["record"] == signed["seq"]
    altered = site.folder / "altered.zip"
    altered.write_bytes(out.read_bytes().replace(b"acceptance.json", b"acceptanse.json"))
    assert command(site, "verify", str(altered)).returncode == 1

    trial = site.folder / "trial"
    trial_words = ("trial", "--out", str(trial), "--no-pdf", "--code-stdin", "--by", "Wang")
    short = command(site, *trial_words)
    assert (short.returncode, "does NOT meet: length" in short.stdout) == (1, True), short.stderr
    told = json.loads(command(site, "verify", str(trial), "--json").stdout)
    assert (told["found"], told["claim"]["what"]) == ([], "trial")
    figures = json.loads((trial / "trial.json").read_bytes())["figures"]
    assert {row["path"]: row["outages"] for row in figures["paths"]} == {"center-1": 1, "center-2": 1}
    assert figures["classes"] == {"test": sum(figures["kinds"].values())}
    assert command(site, *trial_words).returncode == 2, "it was written over"
    site.panel.check_journal()
