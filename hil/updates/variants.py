"""Other versions of the image that was built, for trials: the same root with another version, or with something broken.

A variant is the tree of `images.rootfs` with a few files exchanged, as a slot's image and its signed bundle.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from images import bundle, slot
from images.make import epoch

_VERSION = re.compile(r'^VERSION = ".*"$', re.MULTILINE)
CORE = "firmware/core/main.py"
DIES = "raise SystemExit(1)\n"


@dataclass(frozen=True)
class Variant:
    """`dies`: the panel's core does not start. `floor`: what its bundle says, and what its software says."""

    version: str
    floor: str = "0.1.0"
    dies: bool = False


def make(built: Path, out: Path, variant: Variant, keys: Path) -> Path:
    """The bundle of a variant of what lies in `built` (`build/image`). Kept in `out` by its name."""
    name = f"fenghuo-{variant.version}{'-dies' if variant.dies else ''}.raucb"
    if (out / name).exists():
        return out / name
    out.mkdir(parents=True, exist_ok=True)
    tree = out / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    subprocess.run(["cp", "-al", str(built / "rootfs" / "root"), str(tree / "root")], check=True)
    for part in ("vmlinuz", "initrd"):
        os.link(built / "rootfs" / part, tree / part)
    change(tree / "root", variant)
    made = slot.make(tree, out / "variant.slot", epoch(), variant.version)
    about = bundle.About(version=variant.version, floor=variant.floor)
    bundle.make(made.file, out / name, about, keys / "signer.crt", keys / "signer.pem")
    shutil.rmtree(tree)
    made.file.unlink()
    return out / name


def change(root: Path, variant: Variant) -> None:
    """Exchange in this tree what the variant wants otherwise; files that it shares with another tree stay there."""
    version = _only(root, "firmware/version.py")
    _exchange(version, _VERSION.sub(f'VERSION = "{variant.version}"', version.read_text()))
    if variant.dies:
        _exchange(_only(root, CORE), DIES)


def _only(root: Path, path: str) -> Path:
    [found] = (root / "opt" / "fenghuo").rglob(path)
    return found


def _exchange(file: Path, text: str) -> None:
    """Another file under this name: the old one is in the tree that was built, too. Its compiled form goes."""
    stat = file.stat()
    file.unlink()
    file.write_text(text)
    file.chmod(stat.st_mode & 0o777)
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()
