"""The update bundle of a release: RAUC's verity format, one image for the slot, signed.

`python -m images.bundle IMAGE OUT --version V --cert signer.pem --key signer.key` makes it by Debian's own `rauc`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import data_format
from firmware.updater.bundle import SLOT, description
from firmware.version import FLOOR, VERSION

COMPATIBLE = "fenghuo-arm64"
"""As in the image's /etc/rauc/system.conf."""
RAUC_S = 1800.0
IMAGE = "rootfs.img"
"""Its name inside: RAUC 1.15 knows by `.img` what it is."""


class NotBundled(Exception):
    """`rauc` did not make it; the text is what it said."""


@dataclass(frozen=True)
class About:
    """What the manifest says. `notes`: English and Chinese, why its data can't be read by the software before."""

    version: str = VERSION
    floor: str = FLOOR
    data: int = data_format.WRITES
    reads: tuple[int, ...] = data_format.READS
    notes: tuple[str, str] = ("", "")
    compatible: str = COMPATIBLE


def manifest(about: About) -> str:
    """The text of `manifest.raucm`. Raises `ValueError` for what can't be one."""
    told = description(about.floor, about.data, about.reads, *about.notes)
    return (
        f"[update]\ncompatible={about.compatible}\nversion={about.version}\ndescription={_escaped(told)}\n\n"
        f"[bundle]\nformat=verity\n\n[image.{SLOT}]\nfilename={IMAGE}\n"
    )


def _escaped(text: str) -> str:
    """As GLib's key files want it."""
    return text.replace("\\", "\\\\")


def make(image: Path, out: Path, about: About, cert: Path, key: Path) -> None:
    """Write the bundle to `out`, which is whole or not there. Raises `NotBundled`, `OSError`, `ValueError`."""
    text = manifest(about)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix="bundle-") as folder:
        inside, made = Path(folder) / "in", Path(folder) / "made.raucb"
        inside.mkdir()
        (inside / "manifest.raucm").write_text(text)
        _lay(image, inside / IMAGE)
        words = ["rauc", "bundle", f"--cert={cert}", f"--key={key}", str(inside), str(made)]
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            timeout=RAUC_S,
            env={**os.environ, "LC_ALL": "C"},
        )
        if done.returncode or not made.exists():
            raise NotBundled(done.stderr.decode(errors="replace").strip()[-500:])
        made.replace(out)


def _lay(image: Path, place: Path) -> None:
    """A second name where the medium lets it be: images are hundreds of MiB."""
    try:
        os.link(image.resolve(), place)
    except OSError:
        shutil.copyfile(image, place)


def main(words: Sequence[str]) -> int:
    """The exit code: 1 where `rauc` refused."""
    parser = argparse.ArgumentParser(prog="python -m images.bundle", description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--version", default=VERSION)
    parser.add_argument("--floor", default=FLOOR)
    parser.add_argument("--compatible", default=COMPATIBLE)
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    told = parser.parse_args(words)
    about = About(version=told.version, floor=told.floor, compatible=told.compatible)
    try:
        make(told.image, told.out, about, told.cert, told.key)
    except (NotBundled, OSError, ValueError) as error:
        print(f"{told.out}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
