"""A support bundle of a running panel: its figures, its journal, and nothing of its users or of a silent alarm."""

import json
import zipfile

from provisioning.support.commands import main
from tests.provisioning.calling import call
from tests.system.rig import CODE, DURESS, rig


def test_a_running_panel_gives_figures_and_headers_but_no_names_codes_or_silent_alarms() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        since = panel.mark()
        panel.move("holdup-1", "open")
        panel.wait("record", "alarm.hold-up", since=since)
        panel.code()
        panel.wait("tell", "arming", since=since)
        out = panel.folder / "out.zip"
        done = call(main, str(out), "--config", str(panel.panel_toml))
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(out) as archive:
            parts = {name: archive.read(name).decode() for name in archive.namelist()}
        assert json.loads(parts["status.json"])["users"]["manager"]["level"] == 2
        assert json.loads(parts["journal.json"])[0]["sound"]
        assert json.loads(parts["doctor.json"])["drivers"]
        rows = [json.loads(row) for row in parts["records.jsonl"].splitlines()]
        shown, kept = [row["kind"] for row in rows if "kind" in row], panel.kinds()
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert "user.set" in shown
        assert sorted(set(kept[: len(rows)]) - set(shown)) == ["alarm.hold-up"]
        everything = "\n".join(parts.values())
        private = json.loads((panel.data / "keys" / "core.jwk").read_text()).get("d", "no key in it")
        for secret in ("Li Wei", CODE, DURESS, "alarm.hold-up", private):
            assert secret not in everything
        taken = {(row["part"], row["kind"]) for row in json.loads(parts["manifest.json"])["taken_out"]}
        assert {("status.json", "person"), ("records.jsonl", "silent")} <= taken
