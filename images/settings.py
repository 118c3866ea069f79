"""What the image is made of (`settings.toml`), and where the builder keeps what it has made."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images.architecture import ARM64, Architecture

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
BUILD = REPOSITORY / "build" / "image"
TEST_KEYS = BUILD / "test-keys"
PYTHON = "3.13"
"""Of the suite; the wheels are taken for it."""


@dataclass(frozen=True)
class Csi:
    """What the Pi's own cameras need: Debian's packages but for `without`, wheels, and sources of pure Python.

    `left_out`: what picamera2 asks for and does without. `config`: lines of config.txt, with a vendor's kernel.
    """

    packages: tuple[str, ...]
    without: tuple[str, ...]
    wheels: tuple[str, ...]
    sources: tuple[str, ...]
    left_out: tuple[str, ...]
    config: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """The file's members. `kernel`: a package with its suite, or `folder:PATH` of a vendor's kernel. `other`: packages
    of Python that may have another version than where the tests run."""

    suite: str
    kernel: str
    target: str
    packages: tuple[str, ...]
    newer: tuple[str, ...]
    without: frozenset[str]
    boot_packages: tuple[str, ...]
    boards: tuple[str, ...]
    modules: tuple[str, ...]
    masked: tuple[str, ...]
    csi: Csi
    other: frozenset[str]
    boot_mib: int
    slot_mib: int
    data_mib: int
    architecture: Architecture

    @property
    def kernel_folder(self) -> Path | None:
        """The vendor's kernel: `Image`, `modules/RELEASE`, `dtb`; None for Debian's."""
        kind, _, path = self.kernel.partition(":")
        return Path(path) if kind == "folder" and path else None


def find_tools() -> None:
    """Let the tools of a Debian machine be found that only root's PATH has: mke2fs, mkfs.vfat, depmod, debugfs."""
    known = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    os.environ["PATH"] = ":".join([*known, *(place for place in ("/usr/sbin", "/sbin") if place not in known)])


def read(path: Path = HERE / "settings.toml", architecture: Architecture = ARM64, **changed: str) -> Settings:
    """The settings; `changed` as on the command line. Raises `KeyError`, `OSError`, `TOMLDecodeError`."""
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    # The file is the release's; another architecture has a table of what is its own.
    found |= found["instead"].get(architecture.debian, {}) | changed
    sizes = found["sizes_mib"]
    return Settings(
        found["suite"],
        found["kernel"],
        found["target"],
        tuple(found["packages"]),
        tuple(found["newer"]),
        frozenset(found["without"]),
        tuple(found["boot_packages"]),
        tuple(found["boards"]),
        tuple(found["modules"]),
        tuple(found["masked"]),
        _csi(found["csi"]),
        frozenset(found["python"]["other"]),
        sizes["boot"],
        sizes["slot"],
        sizes["data"],
        architecture,
    )


def _csi(found: dict[str, list[str]]) -> Csi:
    return Csi(*(tuple(found[name]) for name in ("packages", "without", "wheels", "sources", "left_out", "config")))
