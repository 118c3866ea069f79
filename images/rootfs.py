"""`python -m images.rootfs OUT [--arch amd64]`: the panel's root as a tree, its kernel and initramfs.

OUT/root      the tree (everything belongs to root in the image, whoever owns it here)
OUT/vmlinuz   the kernel, as U-Boot or QEMU takes it
OUT/initrd    the initramfs of a slot
OUT/trees     device trees, where the architecture has any
OUT/parts.json  every package and wheel with its version and hash
"""

import argparse
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from firmware.version import FLOOR, VERSION
from images import compiled, initramfs, inspection, kernel, keys, panel, root, settings
from images.architecture import ARM64, BUILDER, KNOWN
from images.packages import UNSTABLE, Apt, Package
from images.settings import BUILD, PYTHON, REPOSITORY, TEST_KEYS, Settings

log = logging.getLogger("images.rootfs")

STAMP = ".made-of"
OURS = ".of-ours"
"""Of our own part of it: while that stands, the mirror need not be asked each time."""
MAX_TOLD = 30


class BadTree(ValueError):
    """The tree has what no image may have; names it."""


@dataclass(frozen=True)
class Fetched:
    """Everything that comes from outside, on this machine."""

    base: list[Package]
    kernel: list[Package]
    boot: list[Package]
    headers: list[Package]
    python: list[Package]
    wheels: list[Path]


def fetch(chosen: Settings, cache: Path = BUILD) -> Fetched:
    """Fetch what is not in the cache. Raises `CalledProcessError`, `NoMirror`."""
    target = Apt(cache / "apt", chosen.suite, chosen.architecture.debian)
    here = Apt(cache / "apt", chosen.suite, BUILDER.debian)
    target.update()
    if chosen.architecture != BUILDER:
        here.update()
    newer = {package.name: package for package in _newer(chosen, cache)}
    kernels = [] if chosen.kernel_folder else target.fetch([chosen.kernel], release=f"{chosen.suite}-backports")
    return Fetched(
        [
            newer.get(package.name, package)
            for package in target.fetch(
                [*chosen.packages, *chosen.csi.packages], chosen.without.union(chosen.csi.without)
            )
        ],
        [package for package in kernels if package.name.startswith("linux-")],
        target.fetch(chosen.boot_packages) if chosen.boot_packages else [],
        # Its headers alone: the C library's are the cross-compiler's.
        [p for p in target.fetch([f"libpython{PYTHON}-dev"]) if p.name == f"libpython{PYTHON}-dev"],
        here.fetch([f"python{PYTHON}-minimal", f"libpython{PYTHON}-stdlib"]),
        panel.fetch_wheels(cache / "wheels", chosen.architecture, chosen.csi),
    )


def _newer(chosen: Settings, cache: Path) -> list[Package]:
    if not chosen.newer:
        return []
    unstable = Apt(cache / "apt", UNSTABLE, chosen.architecture.debian)
    unstable.update()
    return unstable.alone(chosen.newer)


def make(out: Path, chosen: Settings, fetched: Fetched, keyring: str, cache: Path = BUILD) -> None:
    """Make OUT, unless it was made of the very same. `keyring`: the certificates by which bundles are trusted (PEM)."""
    if untried := panel.untried(fetched.wheels, chosen.other):
        raise BadTree(f"{'; '.join(untried)}: bound it in pyproject.toml, or name it under [python] of settings.toml")
    made_of = _fingerprint(chosen, fetched, keyring)
    if (out / STAMP).exists() and (out / STAMP).read_text() == made_of:
        log.info("%s is up to date", out)
        return
    out.mkdir(parents=True, exist_ok=True)
    for stamp in (STAMP, OURS):
        (out / stamp).unlink(missing_ok=True)
    tree = out / "root"
    root.make(tree, fetched.base, chosen.masked)
    folder, for_whom = chosen.kernel_folder, chosen.architecture
    work = cache / "work" / for_whom.debian
    found = (
        kernel.of_folder(folder, for_whom) if folder else kernel.of_packages(fetched.kernel, work / "kernel", for_whom)
    )
    modules = kernel.install(found, tree, chosen.modules)
    panel.install(tree, fetched.wheels, fetched.headers, work / "lgpio", for_whom)
    modules_of_debian = [package for package in fetched.base if package.name.startswith("python3-")]
    panel.add_modules(tree, modules_of_debian, work / "modules")
    if missing := panel.unmet(tree / panel.SITE, chosen.csi):
        raise BadTree(f"{', '.join(missing)}: asked for by a package of [csi], and neither there nor left out")
    _about(tree, chosen)
    (tree / "etc/rauc/keyring.pem").write_text(keyring)
    compiled.compile_all(tree, fetched.python, work / "python")
    root.close(tree)
    if faults := inspection.faults(tree, for_whom):
        raise BadTree("\n".join(faults[:MAX_TOLD]))
    shutil.copyfile(found.image, out / "vmlinuz")
    (out / "initrd").write_bytes(initramfs.build(tree, modules, for_whom))
    if (out / "trees").exists():
        shutil.rmtree(out / "trees")
    if found.trees.is_dir():
        shutil.copytree(found.trees, out / "trees")
    (out / "parts.json").write_text(json.dumps(parts(tree, fetched), indent=1, sort_keys=True) + "\n")
    (out / STAMP).write_text(made_of)


def stand(out: Path, chosen: Settings, keyring: str) -> None:
    """Note that OUT is up to date now."""
    (out / OURS).write_text(_ours(chosen, keyring).hexdigest())


def made_lately(out: Path, chosen: Settings, keyring: str, within_s: float) -> bool:
    """Whether OUT was made, or found to be up to date, of our files as they are, and not longer ago than this."""
    stamp = out / OURS
    if not stamp.exists() or stamp.read_text() != _ours(chosen, keyring).hexdigest():
        return False
    return 0 <= time.time() - stamp.stat().st_mtime <= within_s


def parts(tree: Path, fetched: Fetched) -> dict[str, list[dict[str, str]]]:
    """What the tree is made of: Debian's packages and Python's distributions."""
    debian = [*fetched.base, *fetched.kernel, *fetched.boot]
    hashes = {_name_of(wheel): hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in fetched.wheels}
    return {
        "debian": [
            {"name": p.name, "version": p.version, "architecture": p.architecture, "sha256": p.sha256} for p in debian
        ],
        "python": [
            {"name": name, "version": version, "sha256": hashes.get(name, "")}
            for name, version in panel.distributions(tree / panel.SITE).items()
        ],
    }


def _name_of(wheel: Path) -> str:
    return wheel.name.split("-")[0].replace("_", "-").lower()


def _about(tree: Path, chosen: Settings) -> None:
    (tree / "etc/fenghuo").mkdir(exist_ok=True)
    (tree / "etc/fenghuo/release").write_text(f"VERSION={VERSION}\nTARGET={chosen.target}\nFLOOR={FLOOR}\n")
    (tree / "etc/issue").write_text(f"Fenghuo {VERSION}\n")


def _fingerprint(chosen: Settings, fetched: Fetched, keyring: str) -> str:
    """Changes with whatever goes into the tree: settings, packages, wheels, our sources and files."""
    total = _ours(chosen, keyring)
    for package in (*fetched.base, *fetched.kernel, *fetched.boot):
        total.update(f"{package.name} {package.version} {package.sha256}\n".encode())
    for wheel in fetched.wheels:
        total.update(wheel.name.encode())
    return total.hexdigest()


def _ours(chosen: Settings, keyring: str) -> "hashlib._Hash":
    total = hashlib.sha256(repr(_plain(chosen)).encode() + keyring.encode())
    for file in _sources():
        total.update(f"{file.relative_to(REPOSITORY)} {os.access(file, os.X_OK)}\n".encode() + file.read_bytes())
    return total


def _plain(chosen: Settings) -> list[tuple[str, object]]:
    """Without the order of sets, which differs from process to process."""
    members = asdict(chosen)
    return [(name, sorted(value) if isinstance(value, frozenset) else value) for name, value in members.items()]


def _sources() -> Iterable[Path]:
    for room in (*panel.ROOMS, "images"):
        for path in sorted((REPOSITORY / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    yield REPOSITORY / "pyproject.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Make the root's tree."""
    parser = argparse.ArgumentParser(prog="python -m images.rootfs", description=main.__doc__)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--arch", choices=KNOWN, default=ARM64.debian, help="a release is for arm64")
    parser.add_argument("--lately", type=float, default=0.0, metavar="HOURS", help="ask no mirror where OUT is so new")
    words = parser.parse_args(argv)
    out: Path = words.out or BUILD / ("rootfs" if words.arch == ARM64.debian else f"rootfs-{words.arch}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings.find_tools()
    began = time.monotonic()
    try:
        chosen = settings.read(architecture=KNOWN[words.arch])
        keyring = (keys.of_build(TEST_KEYS) / "keyring.pem").read_text()
        if made_lately(out, chosen, keyring, words.lately * 3600):
            log.info("%s was made lately", out)
            return 0
        make(out, chosen, fetch(chosen), keyring)
        stand(out, chosen, keyring)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))} ended with {error.returncode}:\n{error.stderr}", file=sys.stderr)
        return 1
    log.info("%s after %.0f s", out, time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
