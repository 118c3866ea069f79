"""`fenghuo center` as a person types it: run, what it holds, and signed commands beside the running center."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from firmware.protocol.jws import KeyRing, load_public, unb64url
from firmware.protocol.signed import read_command
from hil.broker import free_port
from hil.center.texts import IN_THE_WAY, REASONS, TEXTS
from hil.center.wire import address
from tests.hil.tiny_panel import TinyPanel

ROOT = Path(__file__).parents[3]
CENTER = [sys.executable, "-c", "import sys; from hil.center import main; sys.exit(main(sys.argv[1:]))"]


def payload_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unb64url(token.split(".")[1]))
    return found


def center(*words: str, lang: str = "en") -> subprocess.Popen[str]:
    environment = os.environ | {"FENGHUO_LANG": lang, "COLUMNS": "200"}
    command = [*CENTER, *words]
    return subprocess.Popen(
        command, text=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=25)
    return process.returncode, out, err


@pytest.fixture
def panel(mosquitto: int, tmp_path: Path) -> Iterator[TinyPanel]:
    panel = TinyPanel("127.0.0.1", mosquitto, f"command-{os.getpid()}")
    (tmp_path / "core.jwk").write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": panel.x}))
    yield panel
    panel.close()


def test_run_receipts_status_tells_and_arm_is_answered(mosquitto: int, tmp_path: Path, panel: TinyPanel) -> None:
    where = ["--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path / "c")]
    running = center("run", *where, "--panel", f"{panel.panel}={tmp_path / 'core.jwk'}")
    assert running.stdout is not None
    assert "Ctrl-C ends it" in running.stdout.readline()
    words = running.stdout.readline().replace(",", "").split()
    assert "[center]" in words
    receipt_x, command_x = words[words.index("receipt_keys") + 1], words[words.index("command_keys") + 1]
    panel.trust(receipt_x, command_x)
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    panel.beat()
    assert panel.wait(lambda: panel.delivered(1))
    assert any("heartbeat" in line for line in iter(running.stdout.readline, ""))

    armed = center("arm", panel.panel, "hall", *where, "--operator", "wang")
    assert panel.wait(lambda: panel.commands)
    command = panel.commands[0]
    assert (command.command, command.args.areas, command.operator) == ("arm", ["hall"], "wang")
    assert payload_of(panel.tokens[-1])["args"] == {"areas": ["hall"]}, "panels of before would refuse more"
    assert read_command(KeyRing([load_public(command_x)]), panel.tokens[-1]) == command
    panel.reply(command.counter, "refused", "arming-refused", {"areas": ["hall"], "reasons": ["active:back-door"]})
    code, out, _ = end(armed)
    assert code == 1
    assert "arming refused (arming-refused)" in out
    assert "back-door is active" in out

    for words, args in (
        (["arm", "hall", "--part", "night", "--instant", "--override"], ("arm", ["hall"], "night", True, True)),
        (["reset", "hall"], ("reset", ["hall"], "", False, False)),
        (["postpone"], ("postpone", [], "", False, False)),
        (["status"], ("status", [], "", False, False)),
    ):
        panel.commands.clear()
        asked = center(words[0], panel.panel, *words[1:], *where)
        assert panel.wait(lambda: panel.commands)
        command = panel.commands[-1]
        got = (command.command, command.args.areas, command.args.part, command.args.instant, command.args.override)
        assert got == args
        panel.reply(command.counter, "done", "")
        assert end(asked)[0] == 0

    here = ["--dir", str(tmp_path / "c")]
    code, out, err = end(center("show", *here, lang="zh"))
    assert code == 0, err
    assert panel.panel in out
    assert "已验证至" in out
    assert "入侵报警" in end(center("alarms", panel.panel, *here, lang="zh"))[1]
    assert "1 alarms acknowledged" in end(center("acknowledge", panel.panel, *here))[1]
    assert "no alarm waits" in end(center("alarms", *here))[1]
    assert end(center("gaps", *here))[:2] == (0, "nothing is missing\n")
    assert end(center("gaps", "another-1", *here))[0] == 1
    running.send_signal(signal.SIGINT)
    code, out, _ = end(running)
    assert code == 0
    assert "1 records are held of 1 panels" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--broker", "nonsense", "--dir", "d"], "mqtt://HOST:PORT"),
        (["run", "--broker", "mqtt://127.0.0.1:1", "--dir", "d", "--panel", "only-id"], "ID=core.jwk"),
        (["arm"], "panel"),
    ],
)
def test_wrong_words_are_told(tmp_path: Path, words: list[str], said: str) -> None:
    code, _, err = end(center(*(str(tmp_path) if word == "d" else word for word in words)))
    assert code == 2
    assert said in err


def test_a_panel_key_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "core.jwk").write_text('{"kty":"RSA"}')
    words = ["run", "--broker", "mqtt://127.0.0.1:1", "--dir", str(tmp_path), "--panel", f"p-1={tmp_path / 'core.jwk'}"]
    code, _, err = end(center(*words))
    assert code == 2
    assert "Ed25519" in err


def test_show_without_a_store_is_told(tmp_path: Path) -> None:
    code, _, err = end(center("show", "--dir", str(tmp_path)))
    assert code == 1
    assert "no center's store" in err


def test_a_command_without_a_heartbeat_is_told(mosquitto: int, tmp_path: Path) -> None:
    code, _, err = end(center("silence", "p-1", "--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path)))
    assert code == 3
    assert "no heartbeat" in err


def test_json_lines_tell_machines_what_happens(mosquitto: int, tmp_path: Path, panel: TinyPanel) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "core.jwk").rename(tmp_path / "keys" / f"{panel.panel}.jwk")
    where = ["--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path / "c")]
    running = center("run", *where, "--panels", str(tmp_path / "keys"), "--json", "--public")
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    assert first["event"] == "running"
    panel.trust(first["receipt_keys"][0], first["command_keys"][0])
    panel.send(panel.journal.add("alarm.intruder", "alarm"))
    panel.send(panel.journal.add("alarm.hold-up", "alarm"))
    panel.beat()
    assert panel.wait(lambda: panel.delivered(2))
    lines: list[dict[str, Any]] = []
    for text in running.stdout:
        lines.append(json.loads(text))
        if lines[-1]["event"] == "standing" and lines[-1]["is"] == "online":
            break
    running.terminate()
    assert end(running)[0] == 0
    records = [line for line in lines if line["event"] == "record"]
    assert [(line["kind"], line["seq"], line["panel"]) for line in records] == [("alarm.intruder", 1, panel.panel)]
    assert {"heartbeat", "receipt"} <= {line["event"] for line in lines}


def test_a_broker_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, _, err = end(center("run", "--broker", f"mqtt://127.0.0.1:{free_port()}", "--dir", str(tmp_path)))
    assert code == 3
    assert "no MQTT 5 broker" in err


def test_every_reason_of_the_contract_has_its_words() -> None:
    page = (ROOT / "docs" / "alarm-center.md").read_text()
    table = page.split("| `reason` | what to do |")[1].split("No reply within")[0]
    named = {
        word
        for line in table.splitlines()
        for word in re.findall(r"`([a-z-]+)`", line.split("|")[1] if "|" in line else "")
    }
    assert named == set(REASONS)
    for text in (*REASONS.values(), *IN_THE_WAY.values(), *TEXTS.values()):
        names = [{f[1] for f in Formatter().parse(part) if f[1]} for part in text]
        assert names[0] == names[1], text


def test_addresses() -> None:
    assert address("mqtt://broker:1884") == ("broker", 1884)
    assert address("mqtt://broker") == ("broker", 1883)
    for wrong in ("broker:1883", "mqtts://x:1", "mqtt://:1", "mqtt://x:99999"):
        with pytest.raises(ValueError, match="mqtt://"):
            address(wrong)
