"""`fenghuo center` as a person types it: run, status, and a signed command beside the running center."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol.jws import KeyRing, load_public, unb64url
from firmware.protocol.signed import read_command
from hil.center.commands import address
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
    panel.reply(command.counter, "refused", "arming-refused")
    code, out, _ = end(armed)
    assert code == 1
    assert "arming-refused" in out

    for words, args in (
        (["arm", "hall", "--part", "night", "--instant", "--override"], ("arm", ["hall"], "night", True, True)),
        (["reset", "hall"], ("reset", ["hall"], "", False, False)),
        (["postpone"], ("postpone", [], "", False, False)),
    ):
        panel.commands.clear()
        asked = center(words[0], panel.panel, *words[1:], *where)
        assert panel.wait(lambda: panel.commands)
        command = panel.commands[-1]
        got = (command.command, command.args.areas, command.args.part, command.args.instant, command.args.override)
        assert got == args
        panel.reply(command.counter, "done", "")
        assert end(asked)[0] == 0

    code, out, err = end(center("status", "--dir", str(tmp_path / "c"), lang="zh"))
    assert code == 0, err
    assert panel.panel in out
    assert "已验证至" in out
    running.send_signal(signal.SIGINT)
    assert end(running)[0] == 0


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


def test_status_without_a_store_is_told(tmp_path: Path) -> None:
    code, _, err = end(center("status", "--dir", str(tmp_path)))
    assert code == 1
    assert "no center's store" in err


def test_a_command_without_a_heartbeat_is_told(mosquitto: int, tmp_path: Path) -> None:
    code, _, err = end(center("silence", "p-1", "--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path)))
    assert code == 1
    assert "no heartbeat" in err


def test_addresses() -> None:
    assert address("mqtt://broker:1884") == ("broker", 1884)
    assert address("mqtt://broker") == ("broker", 1883)
    for wrong in ("broker:1883", "mqtts://x:1", "mqtt://:1", "mqtt://x:99999"):
        with pytest.raises(ValueError, match="mqtt://"):
            address(wrong)
