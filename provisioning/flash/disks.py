"""The disks of this computer, from the kernel's own tables: which may be flashed, and why the others must not be.

What carries a mounted file system or swap is found along its whole chain: partitions, LVM and crypt (device mapper),
RAID, loop devices and the file systems that hold their files. Such a disk is never written, whatever is forced.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Use: TypeAlias = Literal["system", "mounted", "held"]

_SYSTEM = ("/", "/boot", "/usr", "/var", "/etc", "/home", "/nix", "/ostree", "/sysroot", "/cdrom", "/run/live")
_NO_CARDS = ("ram", "zram", "dm-", "md", "sr", "fd", "nbd", "zd")
_SECTOR = 512
_OCTAL = re.compile(r"\\([0-7]{3})")
_MAX_DEPTH = 16


@dataclass(frozen=True)
class Disk:
    """A whole disk. `size` in bytes; `uses` says what hangs on it and where, `system` if the computer itself does."""

    name: str
    size: int
    removable: bool
    read_only: bool = False
    model: str = ""
    serial: str = ""
    bus: str = ""
    parts: tuple[str, ...] = ()
    uses: tuple[tuple[Use, str], ...] = ()

    @property
    def path(self) -> Path:
        """Its device."""
        return Path("/dev") / self.name

    @property
    def use(self) -> Use | None:
        """The weightiest of its uses."""
        kinds = {kind for kind, _ in self.uses}
        return next((kind for kind in ("system", "mounted", "held") if kind in kinds), None)


@dataclass(frozen=True)
class Kernel:
    """Where the kernel tells: other folders in tests."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")

    def disks(self) -> list[Disk]:
        """All whole disks that hold something, but the virtual ones that nobody flashes."""
        uses = self._uses()
        names = sorted(entry.name for entry in self._entries(self.sys / "block"))
        found = (self._disk(name, uses) for name in names if not name.startswith(_NO_CARDS))
        return [disk for disk in found if disk.size]

    def disk_of(self, number: int) -> tuple[str, str]:
        """The names of the whole disk and of the device itself with this device number. Raises `OSError`."""
        place = self._place(f"{os.major(number)}:{os.minor(number)}")
        return (place.parent.name if (place / "partition").exists() else place.name), place.name

    def loops_of(self, file: Path) -> list[str]:
        """The loop devices that stand on this file."""
        return [name for name, backing in self._loops() if backing.exists() and backing.samefile(file)]

    def _disk(self, name: str, uses: dict[str, list[tuple[Use, str]]]) -> Disk:
        place = self.sys / "block" / name
        parts = tuple(sorted(entry.name for entry in self._entries(place) if (entry / "partition").exists()))
        bus = self._bus(place)
        held = [("held", holder) for part in ("", *parts) for holder in self._holders(place / part)]
        return Disk(
            name=name,
            size=int(_text(place / "size") or 0) * _SECTOR,
            removable=bus in ("usb", "sd") or _text(place / "removable") == "1",
            read_only=_text(place / "ro") == "1",
            model=" ".join(w for w in (_text(place / "device/vendor"), _model(place)) if w[:2] not in ("", "0x")),
            serial=_text(place / "device/serial"),
            bus=bus,
            parts=parts,
            uses=tuple(dict.fromkeys((*uses.get(name, ()), *held))),  # type: ignore[arg-type]
        )

    def _bus(self, place: Path) -> str:
        """`usb`, `sd` (a card in a slot), `mmc` (soldered), or what the device's path says."""
        if kind := _text(place / "device/type") if place.name.startswith("mmcblk") else "":
            return kind.lower()
        path = str(place.resolve())
        return next((bus for bus in ("usb", "nvme", "ata", "virtio", "loop") if f"/{bus}" in path), "")

    def _holders(self, place: Path) -> list[str]:
        return sorted(entry.name for entry in self._entries(place / "holders"))

    def _uses(self) -> dict[str, list[tuple[Use, str]]]:
        """For each disk, what hangs on it."""
        found: dict[str, list[tuple[Use, str]]] = {}
        for number, where in (*self._mounts(), *self._swaps(), *self._btrfs()):
            kind: Use = "system" if where in _SYSTEM or where.startswith(("/boot", "swap", "/run/live")) else "mounted"
            for disk in self._below(number, 0):
                found.setdefault(disk, []).append((kind, where))
        return found

    def _below(self, number: str, depth: int) -> set[str]:
        """Every disk that this device number stands on."""
        try:
            place = self._place(number)
        except OSError:
            return set()
        if depth > _MAX_DEPTH:
            return {place.name}
        if (place / "partition").exists():
            return {place.name, *self._below(_text(place.parent / "dev"), depth + 1)}
        found = {place.name}
        for slave in self._entries(place / "slaves"):
            found |= self._below(_text(slave / "dev"), depth + 1)
        if backing := _text(place / "loop/backing_file"):
            found |= self._below_file(Path(backing), depth)
        return found

    def _below_file(self, file: Path, depth: int) -> set[str]:
        try:
            status = file.stat()
        except OSError:
            return set()
        number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
        return self._below(f"{os.major(number)}:{os.minor(number)}", depth + 1)

    def _mounts(self) -> Iterator[tuple[str, str]]:
        """Device number and place of each mount, of ours and of the first process."""
        for who in ("self", "1"):
            for line in _text(self.proc / who / "mountinfo").splitlines():
                words = line.split()
                if len(words) < 10 or "-" not in words:
                    continue
                place = _OCTAL.sub(lambda code: chr(int(code[1], 8)), words[4])
                yield words[2], place
                source = words[words.index("-") + 2 : words.index("-") + 3]
                # btrfs, overlay and others have a number of their own: then the source may name the device.
                for name in source[0].split(":") if source and words[2].startswith("0:") else ():
                    yield from ((number, place) for number in self._number(Path(name)))

    def _swaps(self) -> Iterator[tuple[str, str]]:
        for line in _text(self.proc / "swaps").splitlines()[1:]:
            name = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), line.split()[0]))
            yield from ((number, "swap") for number in self._number(name))

    def _btrfs(self) -> Iterator[tuple[str, str]]:
        """The further disks of a file system over several."""
        for device in (self.sys / "fs/btrfs").glob("*/devices/*"):
            yield _text(device / "dev"), "btrfs"

    def _number(self, name: Path) -> Iterator[str]:
        """The number of a block device, or of the file system that holds a swap file."""
        if not name.is_absolute():
            return
        try:
            status = (self.dev / name.relative_to("/dev") if name.is_relative_to("/dev") else name).stat()
        except OSError:
            return
        number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
        yield f"{os.major(number)}:{os.minor(number)}"

    def _place(self, number: str) -> Path:
        if not re.fullmatch(r"[0-9]+:[0-9]+", number):
            raise FileNotFoundError(number)
        return (self.sys / "dev/block" / number).resolve(strict=True)

    def _loops(self) -> Iterator[tuple[str, Path]]:
        for entry in self._entries(self.sys / "block"):
            if backing := _text(entry / "loop/backing_file"):
                yield entry.name, Path(backing)

    @staticmethod
    def _entries(folder: Path) -> list[Path]:
        try:
            return list(folder.iterdir())
        except OSError:
            return []


def _model(place: Path) -> str:
    """An SD card has a name where others have a model."""
    return _text(place / "device/model") or _text(place / "device/name")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
