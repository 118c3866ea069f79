"""What one run of `fenghuo flash` is to do, all of it read and checked, and saying it to the technician."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from firmware.boot.site import GPIO_FILE, levels
from firmware.config import Loaded
from firmware.language import pick
from provisioning.enrolment.drop import Drop, read_drop
from provisioning.flash import texts as t
from provisioning.flash.source import Source
from provisioning.flash.target import Lost, Target
from provisioning.flash.writing import gib


@dataclass(frozen=True)
class Enrolment:
    """The file for the first boot, and the center that it names."""

    data: bytes
    center: str

    @staticmethod
    def read(file: Path) -> "Enrolment":
        """Raises `BadDrop`, `OSError`."""
        return Enrolment.made(read_drop(file))

    @staticmethod
    def made(drop: Drop) -> "Enrolment":
        """Of what somebody typed, or a file held."""
        return Enrolment(drop.model_dump_json().encode() + b"\n", drop.center)


@dataclass(frozen=True)
class Job:
    """`lost` is what stands on the target now; the rest is laid into the boot partition."""

    source: Source
    target: Target
    lost: tuple[Lost, ...]
    loaded: Loaded | None
    enrolment: Enrolment | None
    extras: Mapping[str, bytes]

    @property
    def files(self) -> dict[str, bytes]:
        """For the folder of the first boot."""
        files = dict(self.extras)
        if self.loaded:
            files["panel.toml"] = self.loaded.text.encode()
        return {**files, "enrol.json": self.enrolment.data} if self.enrolment else files

    @property
    def for_firmware(self) -> dict[str, bytes]:
        """For the board's firmware, beside that folder: outputs at rest from the very first power-on."""
        return {GPIO_FILE: levels(self.loaded.file).encode()} if self.loaded else {}

    def show(self) -> None:
        """Say it."""
        release = self.source.release
        named = {"version": release.manifest.version, "target": release.manifest.target, "kid": release.kid}
        print(pick(t.IMAGE, file=release.image.name, **named))
        print(pick(t.WRITES, mapped=gib(self.source.total), size=gib(self.source.size)))
        print(pick(t.CARD, device=self.target.path, described=self.target.described).rstrip())
        for item in self.lost:
            print(pick(t.LOST, name=item.name, size=gib(item.size), what=item.what, label=item.label).rstrip())
        if not self.lost:
            print(pick(t.NOTHING_LOST))
        self._show_files()

    def _show_files(self) -> None:
        if self.loaded is None:
            print(pick(t.NO_PANEL))
        else:
            panel = self.loaded.file.panel
            print(pick(t.PANEL, panel=panel.id, name=panel.name, sha256=self.loaded.sha256))
            for warning in self.loaded.warnings:
                print(pick(t.WARNING) + warning.say())
        if self.enrolment is not None:
            print(pick(t.ENROL, center=self.enrolment.center))
        for name, data in self.extras.items():
            print(pick(t.EXTRA, name=name, size=len(data)))

    def told(self) -> dict[str, Any]:
        """The same as data."""
        release = self.source.release
        return {
            "image": str(release.image),
            "version": release.manifest.version,
            "target": release.manifest.target,
            "key": release.kid,
            "sha256": release.sha256,
            "image_bytes": self.source.size,
            "mapped_bytes": self.source.total,
            "device": str(self.target.path),
            "described": self.target.described,
            "lost": [asdict(item) for item in self.lost],
            "panel": self.loaded.file.panel.id if self.loaded else None,
            "panel_sha256": self.loaded.sha256 if self.loaded else None,
            "files": sorted(self.files),
            "center": self.enrolment.center if self.enrolment else None,
        }
