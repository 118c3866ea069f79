"""A center's new keys, signed offline and sent to panels that have older ones; and its time."""

import subprocess
from pathlib import Path

import pytest

from firmware.protocol.jws import KeyRing, load_public
from firmware.protocol.signed import read_keys, read_time
from hil.center import Center
from hil.center.exchange import Standing
from hil.center.keys import Key
from tests.firmware.uplink.brokers import Watcher
from tests.hil.center.test_commands import center, end, panel
from tests.hil.tiny_panel import TinyPanel

__all__ = ["panel"]


def signed(folder: Path, serial: int = 7, *more: str) -> tuple[int, str, str]:
    keys = [Key.at(folder / f"{name}.jwk").x for name in ("receipt", "command")]
    words = ["--root", str(folder / "root.jwk"), "--serial", str(serial), "--receipt", keys[0], "--command", keys[1]]
    return end(center("sign-keys", *words, *more))


def test_a_list_is_signed_without_a_broker_and_a_panel_can_check_it(tmp_path: Path) -> None:
    code, out, err = signed(tmp_path)
    root = Key.at(tmp_path / "root.jwk")
    assert (code, root.x in err) == (0, True)
    listed = read_keys(KeyRing([load_public(root.x)]), out.strip())
    assert (listed.panel, listed.serial, listed.authorities) == ("*", 7, [])
    assert listed.receipt_keys == [Key.at(tmp_path / "receipt.jwk").x]
    assert (tmp_path / "root.jwk").stat().st_mode & 0o777 == 0o600
    assert Standing.of(out).serial == 7


@pytest.mark.parametrize("token", ["", "a.b.c", "eyJ9", "a.e30.c", "a.eyJzZXJpYWwiOiAiNyIsICJwYW5lbCI6ICIqIn0.c"])
def test_what_is_no_list_is_said_to_be_none(token: str) -> None:
    with pytest.raises(ValueError, match="no signed list"):
        Standing.of(token)


def test_a_file_that_holds_no_list_is_named(tmp_path: Path, mosquitto: int) -> None:
    (tmp_path / "list").write_text("nothing")
    where = ["--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path / "c")]
    code, _, err = end(center("run", *where, "--keys", str(tmp_path / "list")))
    assert (code, "no signed list of keys" in err) == (2, True)


def test_run_sends_list_and_time_to_a_panel_that_needs_them(mosquitto: int, tmp_path: Path, panel: TinyPanel) -> None:
    _, out, _ = signed(tmp_path)
    (tmp_path / "list").write_text(out)
    where = ["--broker", f"mqtt://127.0.0.1:{mosquitto}", "--dir", str(tmp_path / "c")]
    words = ["--panel", f"{panel.panel}={tmp_path / 'core.jwk'}", "--keys", str(tmp_path / "list"), "--time"]
    running: subprocess.Popen[str] = center("run", *where, *words)
    assert running.stdout is not None
    assert "Ctrl-C ends it" in running.stdout.readline()
    with Watcher(mosquitto, f"fenghuo/v1/{panel.panel}/#") as heard:
        panel.beat()
        heard.wait(lambda _: heard.of("/keys") and heard.of("/time"), "list and time")
        panel.beat()
        heard.wait(lambda _: len(heard.of("/time")) == 2, "the time of the second heartbeat")
    assert heard.of("/keys") == [out.strip().encode()]
    receipts = KeyRing([load_public(Key.at(tmp_path / "c" / "keys" / "receipt.jwk").x)])
    times = [read_time(receipts, token.decode()) for token in heard.of("/time")]
    assert [time.nonce for time in times] == panel.nonces[-2:]
    running.terminate()
    assert end(running)[0] == 0


def test_a_list_for_one_panel_goes_to_no_other(mosquitto: int, tmp_path: Path, panel: TinyPanel) -> None:
    _, out, _ = signed(tmp_path, 7, "--panel", "bank-0001")
    keys = {panel.panel: panel.x}
    with Center("127.0.0.1", mosquitto, tmp_path / "c", panels=keys.get) as running:
        standing = Standing.of(out)
        standing.attach(running)
        panel.beat()
        assert running.wait(lambda c: c.heads(panel.panel), 5)
        assert standing.sent == {}
