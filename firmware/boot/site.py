"""Before the processes start: rights, devices and levels on the board as the panel file says.

Secrets of the panel file belong to the process that reads them; the uplink gets the modem's port and no other device;
output lines have their resting level from the board's firmware on, so that no relay clicks between power-on and core.
Whatever fails here is logged, and the rest is done: a panel with a wrong right still guards.
"""

import hashlib
import json
import logging
import os
import pwd
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware import booted
from firmware.version import VERSION

if TYPE_CHECKING:
    from firmware.config import PanelFile

log = logging.getLogger("fenghuo.boot.site")

PANEL = Path("/data/fenghuo/panel.toml")
KEPT = Path("/data/system/site.json")
MAX_KEPT = 1024 * 1024
RUN, FIRMWARE = Path("/run"), Path("/boot/firmware")
GPIO_FILE = "gpio.txt"
"""Included by config.txt; the board's firmware reads it at power-on."""
HEADER_LINES = 28
"""GPIO 0 to 27 are a Pi's header; the firmware's `gpio=` is for them."""
TOOL_S = 60


@dataclass(frozen=True)
class Wants:
    """What a panel file wants of root: the name, the modem's port, the levels, each named file with its rights, and
    which processes have nothing to do."""

    panel: str
    idle: tuple[str, ...]
    modem: str
    levels: str
    secrets: tuple[tuple[str, str, int], ...]


def wants_of(file: "PanelFile") -> Wants:
    """What this file wants."""
    return Wants(file.panel.id, idle(file), modem(file), levels(file), tuple(secrets(file)))


def wants(panel: Path = PANEL, kept: Path = KEPT) -> Wants:
    """What the panel file wants, as it was kept where the file is the same: core waits for this at each boot, and to
    build and check a file's models takes seconds on a board. Raises `ValueError`, `OSError`."""
    made_of = hashlib.sha256(panel.read_bytes() + f"{VERSION} {booted.root_hash()}".encode()).hexdigest()
    if (found := _read(kept, made_of)) is not None:
        return found
    from firmware.config import BadPanelFile, load

    try:
        new = wants_of(load(panel).file)
    except BadPanelFile as bad:
        raise ValueError(bad.say()) from None
    part = kept.with_suffix(".part")
    kept.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(json.dumps({"made_of": made_of, "wants": asdict(new)}))
    part.chmod(0o600)
    part.replace(kept)
    return new


def _read(kept: Path, made_of: str) -> Wants | None:
    """What was kept, if it is of this very file; anything amiss counts as nothing."""
    try:
        if kept.stat().st_size > MAX_KEPT:
            return None
        found = json.loads(kept.read_bytes())
        if found["made_of"] != made_of:
            return None
        rows = tuple((str(path), str(user), int(mode)) for path, user, mode in found["wants"]["secrets"])
        return Wants(**{**found["wants"], "secrets": rows, "idle": tuple(map(str, found["wants"]["idle"]))})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def secrets(file: "PanelFile") -> Iterator[tuple[str, str, int]]:
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


def give(wanted: Wants, folder: Path = PANEL.parent) -> None:
    """Give each named file to its process. One that lies outside the panel's folder, or is no plain file, stays."""
    for name, user, mode in wanted.secrets:
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            log.warning("%s: outside of %s, its rights stay as they are", name, folder)
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


def idle(file: "PanelFile") -> tuple[str, ...]:
    """The processes for which the file has nothing."""
    busy = {"uplink": bool(file.path), "camera": bool(file.camera), "clock": file.clock.from_center}
    return tuple(name for name, has in busy.items() if not has)


def give_work(wanted: Wants, run: Path = RUN) -> None:
    """Leave a mark for each process that is not to be started (a condition of its unit), and take the others away."""
    folder = run / "fenghuo-boot" / "idle"
    folder.mkdir(parents=True, exist_ok=True)
    for mark in folder.iterdir():
        mark.unlink()
    for name in wanted.idle:
        (folder / name).touch()


def modem(file: "PanelFile") -> str:
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


def give_modem(wanted: Wants, run: Path = RUN) -> bool:
    """Write what gives the uplink its modem; whether anything has changed."""
    unit, rule = modem_texts(wanted.modem)
    changed = _kept(run / "systemd/system/fenghuo-uplink.service.d/modem.conf", unit)
    return _kept(run / "udev/rules.d/71-fenghuo-modem.rules", rule) or changed


def levels(file: "PanelFile") -> str:
    """The lines of config.txt that hold each output at rest (`op`: output, `dl`, `dh`: driven low, high).

    The firmware sets them some tenths of a second after power-on, Linux keeps them until core claims the lines.
    """
    rest = {o.line: "dh" if o.active == "low" else "dl" for o in file.output if o.line is not None}
    lines = [f"gpio={line}=op,{level}\n" for line, level in sorted(rest.items()) if line < HEADER_LINES]
    return "# Written by fenghuo-site from the outputs of panel.toml: at rest from power-on.\n" + "".join(lines)


def give_levels(wanted: Wants, firmware: Path = FIRMWARE) -> bool:
    """Put the levels on the boot partition, where they differ; it is writable only meanwhile."""
    text, target = wanted.levels, firmware / GPIO_FILE
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
        wanted = wants()
    except (OSError, ValueError) as bad:
        log.error("%s", bad)
        return 1
    tasks: tuple[Callable[[], object], ...] = (
        lambda: socket.sethostname(wanted.panel),
        lambda: give_work(wanted),
        lambda: give(wanted),
        lambda: _give_modem(wanted),
        lambda: give_levels(wanted),
    )
    return max([_done(task) for task in tasks])


def _give_modem(wanted: Wants) -> None:
    if give_modem(wanted):
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
