"""What root does by the panel file: rights of named files, the modem's port, output levels at power-on."""

import os
import pwd
from pathlib import Path

import pytest

from firmware.boot import site
from firmware.config import Loaded, load

EXAMPLES = Path(__file__).parents[3] / "docs/examples"


def loaded(name: str) -> Loaded:
    return load(EXAMPLES / f"{name}.toml")


def test_each_secret_belongs_to_the_process_that_reads_it() -> None:
    found = {path: (user, mode) for path, user, mode in site.secrets(loaded("depot").file)}
    assert found["keys/panel.key"] == ("fenghuo-uplink", 0o600)
    assert found["keys/ca.pem"] == ("fenghuo-uplink", 0o644)
    assert found["gate-keypad.key"] == ("fenghuo-core", 0o600)
    school = {path: (user, mode) for path, user, mode in site.secrets(loaded("school").file)}
    assert school["keys/gate.secret"] == ("fenghuo-camera", 0o600)


def test_rights_are_given_to_plain_files_of_the_panel_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = pwd.getpwuid(os.getuid())
    monkeypatch.setattr(pwd, "getpwnam", lambda _: me)
    outside = tmp_path / "outside.key"
    outside.write_text("secret")
    outside.chmod(0o640)
    folder = tmp_path / "panel"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys/panel.key").write_text("key")
    (folder / "keys/panel.key").chmod(0o644)
    (folder / "keys/ca.pem").symlink_to(outside)
    site.give(site.wants_of(loaded("depot").file), folder)
    assert (folder / "keys/panel.key").stat().st_mode & 0o777 == 0o600
    assert outside.stat().st_mode & 0o777 == 0o640


def test_the_uplink_has_the_modem_of_the_file_and_else_no_device(tmp_path: Path) -> None:
    wanted = site.wants_of(loaded("depot").file)
    assert site.give_modem(wanted, tmp_path)
    unit = (tmp_path / "systemd/system/fenghuo-uplink.service.d/modem.conf").read_text()
    port = "/dev/serial/by-id/usb-Quectel_EG25-G-if02-port0"
    assert f"DeviceAllow={port} rw" in unit
    rule = (tmp_path / "udev/rules.d/71-fenghuo-modem.rules").read_text()
    assert f'SYMLINK=="{port.removeprefix("/dev/")}", GROUP="fenghuo-uplink"' in rule
    assert not site.give_modem(wanted, tmp_path)
    assert site.give_modem(site.wants_of(loaded("warehouse").file), tmp_path)
    assert not list(tmp_path.rglob("modem.conf"))
    assert not site.give_modem(site.wants_of(loaded("warehouse").file), tmp_path)


def test_outputs_rest_from_power_on() -> None:
    file = loaded("bank").file
    text = site.levels(file)
    for output in file.output:
        if output.line is not None:
            level = "dh" if output.active == "low" else "dl"
            assert f"gpio={output.line}=op,{level}\n" in text
    assert text.count("gpio=") == len({o.line for o in file.output if o.line is not None and o.line < 28})


def test_levels_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts: list[str] = []
    monkeypatch.setattr(site, "_remount", lambda how, _: mounts.append(how))
    wanted = site.wants_of(loaded("bank").file)
    assert site.give_levels(wanted, tmp_path)
    assert (tmp_path / site.GPIO_FILE).read_text() == wanted.levels
    assert not site.give_levels(wanted, tmp_path)
    assert mounts == ["rw", "ro"]
    assert not site.give_levels(wanted, tmp_path / "no card")


def test_a_process_without_work_is_marked_and_the_others_are_not(tmp_path: Path) -> None:
    marks = tmp_path / "fenghuo-boot/idle"
    marks.mkdir(parents=True)
    (marks / "uplink").touch()
    site.give_work(site.wants_of(loaded("warehouse").file), tmp_path)
    assert [mark.name for mark in marks.iterdir()] == ["clock"]


def test_the_same_file_is_not_checked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, kept = tmp_path / "panel.toml", tmp_path / "system/site.json"
    panel.write_bytes((EXAMPLES / "depot.toml").read_bytes())
    first = site.wants(panel, kept)
    assert kept.stat().st_mode & 0o777 == 0o600

    def never(*_: object) -> Loaded:
        raise AssertionError("checked again")

    monkeypatch.setattr("firmware.config.load", never)
    assert site.wants(panel, kept) == first
    panel.write_bytes(panel.read_bytes() + b"# another\n")
    with pytest.raises(AssertionError, match="checked again"):
        site.wants(panel, kept)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"made_of": 1}', b"\xff", b"[" * 5000])
def test_what_was_kept_badly_counts_as_nothing(text: bytes, tmp_path: Path) -> None:
    panel, kept = tmp_path / "panel.toml", tmp_path / "site.json"
    panel.write_bytes((EXAMPLES / "depot.toml").read_bytes())
    kept.write_bytes(text)
    assert site.wants(panel, kept) == site.wants_of(loaded("depot").file)
