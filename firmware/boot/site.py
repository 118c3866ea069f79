"""Before the processes start: rights, devices and levels on the board as the panel file says.

Secrets of the panel file belong to the process that reads them; the uplink gets the modem's port and no other device;
output lines have their resting level from the board's firmware on, so that no relay clicks between power-on and core.
Whatever fails here is logged, and the rest is done: a panel with a wrong right still guards.
"""

import logging
import os
import pwd
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware.config import BadPanelFile, Loaded, PanelFile, load

log = logging.getLogger("fenghuo.boot.site")

PANEL = Path("/data/fenghuo/panel.toml")
RUN, FIRMWARE = Path("/run"), Path("/boot/firmware")
GPIO_FILE = "gpio.txt"
"""Included by config.txt; the board's firmware reads it at power-on."""
HEADER_LINES = 28
"""GPIO 0 to 27 are a Pi's header; the firmware's `gpio=` is for them."""
TOOL_S = 60


def secrets(file: PanelFile) -> Iterator[tuple[str, str, int]]:
    """Each file that the panel file names: its path there, whose it is, its rights."""
    for path in file.path:
        if path.kind != "sms" and path.tls is not None:
            yield path.tls.key, "fenghuo-uplink", 0o600
            for public in (path.tls.ca, path.tls.certificate, path.tls.client_ca):
                if public is not None:
                    yield public, "fenghuo-uplink", 0o644
        for name in ("key_file", "pin_file"):
            if secret := getattr(path, name, None):
                yield secret, "fenghuo-uplink", 0o600
    for bus in file.osdp:
        for reader in bus.reader:
            if reader.key_file:
                yield reader.key_file, "fenghuo-core", 0o600
    for camera in file.camera:
        if camera.secret_file:
            yield camera.secret_file, "fenghuo-camera", 0o600


def give(loaded: Loaded) -> None:
    """Give each named file to its process. One that lies outside the panel's folder, or is no plain file, stays."""
    for name, user, mode in secrets(loaded.file):
        path = loaded.folder / name
        if not path.resolve().is_relative_to(loaded.folder.resolve()):
            log.warning("%s: outside of %s, its rights stay as they are", name, loaded.folder)
            continue
        try:
            number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            log.info("%s: %s", name, error.strerror)
            continue
        try:
            if stat.S_ISREG(os.fstat(number).st_mode):
                owner = pwd.getpwnam(user)
                os.fchown(number, owner.pw_uid, owner.pw_gid)
                os.fchmod(number, mode)
        finally:
            os.close(number)


def modem(file: PanelFile) -> str:
    """The port of the modem, or nothing."""
    return next((path.port for path in file.path if path.kind == "sms"), "")


def modem_texts(port: str) -> tuple[str, str]:
    """The drop-in of the uplink's unit and the udev rule for this port; two empty texts without one."""
    if not port:
        return "", ""
    unit = (
        "[Service]\n# The panel file gives the uplink a modem: this port and no other device.\n"
        f"PrivateDevices=no\nPrivateUsers=no\nDeviceAllow={port} rw\nDeviceAllow=char-ttyUSB rw\n"
        "DeviceAllow=char-ttyACM rw\nSupplementaryGroups=fenghuo-evidence\n"
    )
    link = port.removeprefix("/dev/")
    rule = f'SUBSYSTEM=="tty", SYMLINK=="{link}", GROUP="fenghuo-uplink", MODE="0660"\n'
    rule += f'SUBSYSTEM=="tty", KERNEL=="{Path(port).name}", GROUP="fenghuo-uplink", MODE="0660"\n'
    return unit, rule


def give_modem(file: PanelFile, run: Path = RUN) -> bool:
    """Write what gives the uplink its modem; whether anything has changed."""
    unit, rule = modem_texts(modem(file))
    changed = _kept(run / "systemd/system/fenghuo-uplink.service.d/modem.conf", unit)
    return _kept(run / "udev/rules.d/71-fenghuo-modem.rules", rule) or changed


def levels(file: PanelFile) -> str:
    """The lines of config.txt that hold each output at rest (`op`: output, `dl`, `dh`: driven low, high).

    The firmware sets them some tenths of a second after power-on, Linux keeps them until core claims the lines.
    """
    rest = {o.line: "dh" if o.active == "low" else "dl" for o in file.output if o.line is not None}
    lines = [f"gpio={line}=op,{level}\n" for line, level in sorted(rest.items()) if line < HEADER_LINES]
    return "# Written by fenghuo-site from the outputs of panel.toml: at rest from power-on.\n" + "".join(lines)


def give_levels(file: PanelFile, firmware: Path = FIRMWARE) -> bool:
    """Put the levels on the boot partition, where they differ; it is writable only meanwhile."""
    text, target = levels(file), firmware / GPIO_FILE
    if not firmware.is_dir() or (target.exists() and target.read_text() == text):
        return False
    _remount("rw", firmware)
    try:
        part = target.with_suffix(".new")
        part.write_text(text)
        number = os.open(part, os.O_RDONLY)
        os.fsync(number)
        os.close(number)
        part.replace(target)
        os.sync()
    finally:
        _remount("ro", firmware)
    return True


def _kept(path: Path, text: str) -> bool:
    """Let the file hold this text, no file for none; whether that changed anything."""
    found = path.read_text() if path.exists() else ""
    if found == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text) if text else path.unlink()
    return True


def _remount(how: str, place: Path) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True, capture_output=True, timeout=TOOL_S)


def _reload() -> None:
    for words in (["udevadm", "control", "--reload"], ["udevadm", "trigger", "--subsystem-match=tty"]):
        subprocess.run(words, check=True, capture_output=True, timeout=TOOL_S)
    subprocess.run(["systemctl", "daemon-reload"], check=True, capture_output=True, timeout=TOOL_S)


def main() -> int:
    """Do it all; 1 where something failed."""
    try:
        loaded = load(PANEL)
    except BadPanelFile as bad:
        print(bad.say(), file=sys.stderr)
        return 1
    tasks: tuple[Callable[[], object], ...] = (
        lambda: socket.sethostname(loaded.file.panel.id),
        lambda: give(loaded),
        lambda: _give_modem(loaded.file),
        lambda: give_levels(loaded.file),
    )
    return max([_done(task) for task in tasks])


def _give_modem(file: PanelFile) -> None:
    if give_modem(file):
        _reload()


def _done(task: Callable[[], object]) -> int:
    try:
        task()
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        log.error("not done: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
