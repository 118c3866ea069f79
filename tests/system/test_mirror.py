"""The mirror of a real panel fails and is well again: a trouble with its remedy, and nothing else waits for it."""

import json
import shutil
from pathlib import Path

from firmware.journal.verify import verify
from firmware.protocol.jws import load_public
from provisioning.doctor import main
from tests.provisioning.calling import call
from tests.system.rig import rig


def mirrored(text: str) -> str:
    """The demo's file, with a mirror."""
    assert "[storage]\n" in text
    return text.replace("[storage]\n", '[storage]\nmirror = "stick"\n', 1)


def test_another_panels_stick_is_told_and_the_own_one_caught_up() -> None:
    with rig(clock_rate=20, edit=mirrored) as panel:
        stick = panel.folder / "stick"
        stick.mkdir()
        (stick / "fenghuo-mirror.json").write_text('{"format":1,"panel":"school-3"}')
        panel.start("core")
        begun = panel.wait("record", "trouble.mirror")
        assert begun.value["detail"].startswith("foreign: it is the mirror of panel 'school-3'")
        said = json.loads(call(main, "--config", str(panel.panel_toml), "--json").stdout)
        (finding,) = [finding for finding in said["findings"] if finding["about"] == "mirror"]
        assert "stick" in finding["do"]["en"]
        assert "U 盘" in finding["do"]["zh"]
        panel.add_user()
        panel.settle()
        panel.arm()  # it does not stand in the way

        since = panel.mark()
        shutil.rmtree(stick)
        panel.wait("record", "trouble.mirror-ended", since=since, timeout_s=40)
        assert "mirror" not in panel.status()["troubles"]
        panel.stop()
        panel.check_journal()
        key = load_public(str(panel.panel_x()))
        (copy,) = Path(stick).glob("journal-*.sqlite")
        report, own = verify(copy, key), verify(panel.journal, key)
        assert (report.findings, report.last) == ([], own.last)
