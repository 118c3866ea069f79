"""`fenghuo center` beside a real panel: run as a process of its own, and commands from the shell answered by core."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.system.rig import rig

CENTER = [sys.executable, "-c", "import sys; from hil.center import main; sys.exit(main(sys.argv[1:]))"]


def test_a_panel_is_run_commanded_and_shown(mosquitto: int, tmp_path: Path) -> None:
    where = ["--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path / "center")]
    (tmp_path / "keys").mkdir()
    run = [*CENTER, "run", *where, "--panels", str(tmp_path / "keys"), "--json", "--time"]
    center = subprocess.Popen(run, text=True, stdout=subprocess.PIPE)
    assert center.stdout is not None
    try:
        keys = json.loads(center.stdout.readline())
        with rig(port=mosquitto, center=(keys["receipt_keys"][0], keys["command_keys"][0])) as panel:
            panel.start("core")
            jwk = {"kty": "OKP", "crv": "Ed25519", "x": panel.panel_x()}
            (tmp_path / "keys" / f"{panel.panel}.jwk").write_text(json.dumps(jwk))
            panel.start("uplink")
            panel.add_user()
            panel.settle()
            lines = (json.loads(line) for line in center.stdout)
            assert any(line["event"] == "heartbeat" for line in lines)

            def order(*words: str) -> tuple[int, str]:
                environment = os.environ | {"FENGHUO_LANG": "zh"}
                command = [*CENTER, words[0], panel.panel, *words[1:], *where]
                done = subprocess.run(command, text=True, capture_output=True, env=environment, timeout=60)
                return done.returncode, done.stdout + done.stderr

            assert order("arm", "hall") == (0, '已执行:arm\n{\n  "areas": [\n    "hall"\n  ]\n}\n')
            assert panel.mode("hall") == "armed"
            assert order("bypass", "office-pir")[0] == 1
            code, said = order("disarm", "nowhere")
            assert (code, "主机没有该分区" in said) == (1, True)
            assert order("disarm")[0] == 0
            panel.move("back-door", "open")
            panel.wait("condition", "back-door", "active")
            code, said = order("arm", "hall")
            assert (code, "布防被拒绝" in said, "back-door 触发中" in said) == (1, True, True)
            assert '"mode": "disarmed"' in order("status")[1]
            assert any(line["event"] == "record" and line["kind"] == "command.refused" for line in lines)
    finally:
        center.send_signal(signal.SIGINT)
        assert center.wait(20) == 0
        center.stdout.close()


def test_the_live_table_shows_panels_on_a_terminal(mosquitto: int, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"FENGHUO_LANG": "en", "COLUMNS": "160", "LINES": "40", "TERM": "xterm"}
    run = [*CENTER, "run", "--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path)]
    center = subprocess.Popen(run, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    try:
        assert "verified" in until(ours, lambda text: "verified" in text)
    finally:
        center.send_signal(signal.SIGTERM)
        until(ours, lambda text: "ended:" in text)
        assert center.wait(20) == 0
        os.close(ours)


def until(terminal: int, enough: Callable[[str], bool]) -> str:
    """What a terminal shows until it is enough, or closed."""
    text = ""
    while not enough(text):
        try:
            text += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            break
    return text
