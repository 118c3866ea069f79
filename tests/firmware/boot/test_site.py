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
    file = loaded("depot").file
    site.give(Loaded(folder / "panel.toml", folder, file, "0" * 64))
    assert (folder / "keys/panel.key").stat().st_mode & 0o777 == 0o600
    assert outside.stat().st_mode & 0o777 == 0o640


def test_the_uplink_has_the_modem_of_the_file_and_else_no_device(tmp_path: Path) -> None:
    file = loaded("depot").file
    assert site.give_modem(file, tmp_path)
    unit = (tmp_path / "systemd/system/fenghuo-uplink.service.d/modem.conf").read_text()
    port = "/dev/serial/by-id/usb-Quectel_EG25-G-if02-port0"
    assert f"DeviceAllow={port} rw" in unit
    rule = (tmp_path / "udev/rules.d/71-fenghuo-modem.rules").read_text()
    assert f'SYMLINK=="{port.removeprefix("/dev/")}", GROUP="fenghuo-uplink"' in rule
    assert not site.give_modem(file, tmp_path)
    assert site.give_modem(loaded("warehouse").file, tmp_path)
    assert not list(tmp_path.rglob("modem.conf"))
    assert not site.give_modem(loaded("warehouse").file, tmp_path)


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
    file = loaded("bank").file
    assert site.give_levels(file, tmp_path)
    assert (tmp_path / site.GPIO_FILE).read_text() == site.levels(file)
    assert not site.give_levels(file, tmp_path)
    assert mounts == ["rw", "ro"]
    assert not site.give_levels(file, tmp_path / "no card")
