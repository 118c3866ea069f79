"""The first-boot drop: what the flasher put into `fenghuo/` of the boot partition moves to the data partition.

Each file is copied, synced and renamed into place before the drop is deleted, so a power cut at any moment leaves it
in one place or in both; then the next boot does it again. A panel file that is in force already is not replaced:
whoever can reach the card's FAT partition later must not change a site by it.
"""

import logging
import os
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firmware.durable import sync_folder

log = logging.getLogger("fenghuo.boot.first_boot")

DROP, DATA = Path("/boot/firmware/fenghuo"), Path("/data")
MAX_BYTES = 1024 * 1024
MAX_NETWORKS = 16
MOUNT_S = 30


@dataclass(frozen=True)
class Place:
    """Where a dropped file goes. `owner`: a user's name; "" for whoever runs this."""

    target: str
    owner: str
    mode: int


PLACES = {
    "panel.toml": Place("fenghuo/panel.toml", "fenghuo-core", 0o644),
    "enrol.json": Place("fenghuo/enrol.json", "", 0o600),
    "authorized_keys": Place("ssh/authorized_keys", "", 0o600),
}
NETWORK = Place("network", "", 0o644)


def move(drop: Path = DROP, data: Path = DATA) -> list[str]:
    """Move what is there; the names that were taken. Raises `OSError` where the data partition refuses."""
    taken = []
    for name, place in _wanted(drop):
        source, target = drop / name, data / place.target
        if name == "panel.toml" and target.exists():
            log.warning("%s: a panel file is in force already; the dropped one is only removed", name)
            continue
        if (size := source.stat().st_size) > MAX_BYTES:
            log.error("%s: %d bytes, at most %d: not taken", name, size, MAX_BYTES)
            continue
        _put(source, target, place)
        taken.append(name)
        log.info("%s is %s now", name, target)
    return taken


def clear(drop: Path = DROP) -> None:
    """Delete the drop: a code or key must not stay on a partition that any reader of cards shows. Raises `OSError`."""
    for path in sorted(drop.rglob("*"), reverse=True):
        if path.is_file() and not path.is_symlink():
            _blank(path)
        path.rmdir() if path.is_dir() else path.unlink()
    drop.rmdir()


def _wanted(drop: Path) -> list[tuple[str, Place]]:
    """What is known of the drop, plain files only."""
    found = [(name, place) for name, place in PLACES.items() if _is_plain(drop / name)]
    networks = sorted(path for path in drop.glob("*.network") if _is_plain(path))[:MAX_NETWORKS]
    return found + [(p.name, Place(f"network/{p.name}", NETWORK.owner, NETWORK.mode)) for p in networks]


def _is_plain(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def _put(source: Path, target: Path, place: Place) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(source.read_bytes())
        if place.owner:
            shutil.chown(part, place.owner, place.owner)
        os.fchmod(file.fileno(), place.mode)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)


def _blank(path: Path) -> None:
    """Zeros over it; what a card's controller keeps of the old blocks nobody can help."""
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())


def main() -> int:
    """Move the drop, and delete it from the FAT partition, which is writable only meanwhile."""
    try:
        taken = move()
        _remount("rw")
        try:
            clear()
        finally:
            os.sync()
            _remount("ro")
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        log.error("the first-boot drop could not be taken: %s", error)
        return 1
    log.info("the first-boot drop was taken: %s", ", ".join(taken) or "nothing of use")
    return 0


def _remount(how: str) -> None:
    words = ["mount", "-o", f"remount,{how}", str(DROP.parent)]
    subprocess.run(words, check=True, capture_output=True, timeout=MOUNT_S)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
