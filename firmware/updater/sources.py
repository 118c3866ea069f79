"""Where a bundle lies: a file, a URL, or the newest one on a USB stick, which is mounted for that and read only."""

import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware.protocol.updates import USB
from firmware.updater.bundle import Manifest, NotTaken, older

log = logging.getLogger("fenghuo.updater.sources")

MOST_BUNDLES = 16
"""On one stick; the first by name count."""
MOUNT_S = 60
_OPTIONS = "ro,nosuid,nodev,noexec"
_DEVICES = Path("/sys/class/block")


class Sources:
    """Finds bundles. `mounted`: where a stick is mounted. Of several sticks the first that has one counts."""

    def __init__(self, mounted: Path, devices: Path = _DEVICES) -> None:
        self._mounted = mounted
        self._devices = devices

    def find(self, source: str, info: Callable[[str], Manifest]) -> tuple[str, Manifest]:
        """What `rauc` is given, and what it says of it. Raises `NotTaken`. A stick stays mounted until `leave`."""
        if source != USB:
            return source, info(source)
        worst = NotTaken("source-none")
        for stick in self._sticks():
            self.leave()
            try:
                self._mount(stick)
                return self._best(info)
            except NotTaken as no:
                worst = no
        self.leave()
        raise worst

    def leave(self) -> None:
        """Give the stick back."""
        if self._mounted.is_mount():
            _ask(["systemd-mount", "--umount", str(self._mounted)])

    def _best(self, info: Callable[[str], Manifest]) -> tuple[str, Manifest]:
        found: list[tuple[str, Manifest]] = []
        worst = NotTaken("source-none")
        for path in sorted(self._mounted.glob("*.raucb"))[:MOST_BUNDLES]:
            try:
                found.append((str(path), info(str(path))))
            except NotTaken as no:
                worst = no
        if not found:
            raise worst
        best = found[0]
        for one in found[1:]:
            best = one if older(best[1].version, one[1].version) else best
        return best

    def _mount(self, device: Path) -> None:
        # By systemd, in its own namespace: `rauc` is another service, and would not see a mount of this one.
        words = ["systemd-mount", "--quiet", "--collect", "--fsck=no", "-o", _OPTIONS, str(device), str(self._mounted)]
        if said := _ask(words):
            raise NotTaken("source-unreadable", said)

    def _sticks(self) -> Iterator[Path]:
        """Block devices that hang on USB: their partitions, or themselves where they have none."""
        for entry in sorted(self._devices.iterdir() if self._devices.is_dir() else ()):
            place = str(entry.resolve())
            if "/usb" not in place:
                continue
            if (entry / "partition").exists() or not any(entry.resolve().glob(f"{entry.name}*/partition")):
                yield Path("/dev") / entry.name


def _ask(words: list[str]) -> str:
    """What was said of why it was not done; nothing where it was."""
    try:
        done = subprocess.run(words, check=False, capture_output=True, timeout=MOUNT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:200]
    return (
        (done.stderr.decode(errors="replace").strip()[:200] or f"exit code {done.returncode}")
        if done.returncode
        else ""
    )
