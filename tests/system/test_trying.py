"""`fenghuo try` with real processes: the siren sounds and stops, the battery's volts are told, a report is proven."""

import json
from pathlib import Path

from hil.broker import Mosquitto
from hil.center import Center
from hil.modem import Modem, Sim
from provisioning.trying import main
from tests.provisioning.calling import Done, call
from tests.provisioning.person import at_terminal, ended
from tests.system.rig import CODE, Rig, rig


def tried(panel: Rig, part: str, *more: str, code: str = CODE, lang: str = "en") -> Done:
    words = (part, *more, "--config", str(panel.panel_toml), "--code-stdin")
    return call(main, *words, typed=f"{code}\n", lang=lang)


def test_the_siren_sounds_for_its_seconds_at_a_persons_code() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        person = at_terminal("try", "siren", "--area", "hall", "--config", "panel.toml", cwd=panel.folder)
        person.expect("Your own code: ")
        since = panel.mark()
        person.sendline(CODE)
        code, rest = ended(person)
        assert (code, "on for" in rest) == (0, True)
        [record] = [r for r in panel.records() if r["kind"] == "test.siren"]
        assert record["payload"]["user"] == "manager"
        for output in record["payload"]["outputs"]:
            panel.wait("output", output, True, since=since)
            panel.wait("output", output, False, since=since)
        wrong = tried(panel, "siren", code="999999")
        assert (wrong.returncode, "Wrong code" in wrong.stderr) == (1, True)
        assert panel.kinds().count("test.siren") == 1


def test_the_battery_tells_what_was_measured_in_the_persons_language() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        done = tried(panel, "battery", lang="zh")
        ended_with = next(r["payload"] for r in panel.records() if r["kind"] == "test.battery-ended")
        assert done.returncode == (0 if ended_with["ok"] else 1)
        assert ended_with["detail"] in done.stdout
        assert "蓄电池" in done.stdout


def test_a_report_is_receipted_by_the_center_and_its_path_and_time_are_told(tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    with (
        Mosquitto(tmp_path) as broker,
        Center("127.0.0.1", broker.port, tmp_path / "center", panels=keys.get) as center,
        rig(port=broker.port, center=(center.receipt_key.x, center.command_key.x)) as panel,
    ):
        panel.start("core")
        panel.add_user()
        keys[panel.panel] = panel.panel_x() or ""
        early = tried(panel, "path", "--for", "1", "--json")
        assert (early.returncode, json.loads(early.stdout)["ok"]) == (1, False)
        panel.start("uplink")
        done = tried(panel, "path", "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["paths"][told["path"]] == "carried"
        assert 0 <= told["receipt_ms"] < 60_000
        held = [r for r in center.records(panel.panel) if r["header"]["kind"] == "test.manual"]
        assert told["lane_seq"] in [r["header"]["lane_seq"] for r in held]
        assert "receipt verified" in tried(panel, "path").stdout


def test_a_path_of_short_messages_sends_one_and_says_when_it_can_not(tmp_path: Path) -> None:
    number = "+8613800138000"
    sms = f'[[path]]\nid = "gsm"\nkind = "sms"\nport = "{tmp_path}/modem"\nnumbers = ["{number}"]\nlanguage = "en"\n\n'
    modem = Modem(tmp_path / "modem", Sim())
    modem.plug()
    with rig(edit=lambda text: text.replace("[center]", f"{sms}[center]", 1)) as panel:
        panel.start("core", "uplink")
        panel.add_user()
        panel.settle()
        done = tried(panel, "path", "--path", "gsm", "--for", "60", "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        assert json.loads(done.stdout)["paths"]["gsm"]["state"] in ("sent", "delivered")
        [(to, text)] = modem.texts()
        assert (to, "test message" in text) == (number, True)
        modem.unplug()
        silent = tried(panel, "path", "--path", "gsm", "--for", "2")
        assert (silent.returncode, "no test message went out" in silent.stdout) == (1, True)


def test_each_camera_takes_a_picture_and_its_figures_are_told() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        gone = tried(panel, "camera")
        assert (gone.returncode, "its process is not connected" in gone.stderr) == (1, True)
        panel.start("camera")
        done = tried(panel, "camera", "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        told = json.loads(done.stdout)["cameras"]["lobby"]
        file = Path(told["file"])
        assert (file.stat().st_size, told["width"]) == (told["bytes"], 640)
        assert 20 < told["brightness"] < 250
        assert told["sharpness"] > 0
        assert told["verdict"] in ("person", "unverified")
        record = next(r for r in panel.records() if r["kind"] == "test.camera")
        assert (record["payload"]["user"], record["payload"]["camera"]) == ("manager", "lobby")
        pictures = [r["payload"] for r in panel.records() if r["kind"] == "evidence.pictures"]
        assert {p["incident"] for p in pictures} == {record["payload"]["incident"]}
        assert "alarm" not in {kind.partition(".")[0] for kind in panel.kinds()}
        said = tried(panel, "camera", "--camera", "lobby", lang="zh")
        assert (said.returncode, "亮度" in said.stdout) == (0, True)
        unknown = tried(panel, "camera", "--camera", "attic")
        assert (unknown.returncode, "expected lobby" in unknown.stderr) == (2, True)


def test_a_file_without_a_path_and_a_panel_that_does_not_run_are_told() -> None:
    with rig() as panel:
        done = tried(panel, "siren")
        assert (done.returncode, "fenghuo run all" in done.stderr) == (1, True)
