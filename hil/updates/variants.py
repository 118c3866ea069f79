"""Other versions of the image that was built, for trials: the same root with another version, or with something broken.

A variant is the tree of `images.rootfs` with a few files exchanged, as a slot's image and its signed bundle.
"""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from images import bundle, slot
from images.make import epoch
from images.rootfs import STAMP

_VERSION = re.compile(r'^VERSION = ".*"$', re.MULTILINE)
CORE = "firmware/core/main.py"
DIES = "raise SystemExit(1)\n"
HANGS = "import time\n\nwhile True:\n    time.sleep(60)\n"
NO_KERNEL = bytes(256 * 1024)
Harm = Literal["", "core", "hangs", "kernel", "root"]
CORES: dict[Harm, str] = {"core": DIES, "hangs": HANGS}


@dataclass(frozen=True)
class Variant:
    """`harm`: what does not start: the panel's core, which dies; or which hangs; the kernel, which is none; the root,
    which has another byte than its hash tree says. `floor`: what its bundle says, and what its software says."""

    version: str
    floor: str = "0.1.0"
    harm: Harm = ""


def make(built: Path, out: Path, variant: Variant, keys: Path) -> Path:
    """The bundle of a variant of what lies in `built` (`build/image`). Kept in `out` by its name."""
    made_of = (built / "rootfs" / STAMP).read_bytes() + (keys / "signer.crt").read_bytes()
    of = hashlib.sha256(made_of).hexdigest()[:8]
    name = f"fenghuo-{'-'.join(part for part in (variant.version, variant.harm, of) if part)}.raucb"
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
    if variant.harm == "kernel":
        (tree / "vmlinuz").unlink()
        (tree / "vmlinuz").write_bytes(NO_KERNEL)
    made = slot.make(tree, out / "variant.slot", epoch(), variant.version)
    if variant.harm == "root":
        _spoil(made)
    about = bundle.About(version=variant.version, floor=variant.floor)
    bundle.make(made.file, out / name, about, keys / "signer.crt", keys / "signer.pem")
    shutil.rmtree(tree)
    made.file.unlink()
    return out / name


def change(root: Path, variant: Variant) -> None:
    """Exchange in this tree what the variant wants otherwise; files that it shares with another tree stay there."""
    version = _only(root, "firmware/version.py")
    _exchange(version, _VERSION.sub(f'VERSION = "{variant.version}"', version.read_text()))
    if variant.harm in CORES:
        _exchange(_only(root, CORE), CORES[variant.harm])


def _spoil(made: slot.Slot) -> None:
    """Another byte in the root's first block, which is read first."""
    words = dict(word.partition("=")[::2] for word in made.entry["fh_words"].split())
    with made.file.open("r+b") as file:
        file.seek(int(words["fenghuo.start"]) * slot.SECTOR + 8)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


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
