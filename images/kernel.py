"""The kernel's layer: its image, the modules that a panel can need, device trees. Debian's, or a vendor's folder."""

import lzma
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from images.architecture import Architecture
from images.packages import Package, unpack

TOOL_S = 120


@dataclass(frozen=True)
class Kernel:
    """What there is of it. `image`: as U-Boot's booti or QEMU takes it; `trees`: folder of device trees, or nothing."""

    release: str
    image: Path
    modules: Path
    trees: Path


class BadKernel(Exception):
    """What was found is no kernel that can be booted; names it."""


def of_packages(packages: Iterable[Package], work: Path, whose: Architecture) -> Kernel:
    """Debian's: the `linux-*` packages unpacked in `work`. Raises `BadKernel`, `OSError`."""
    if work.exists():
        shutil.rmtree(work)
    for package in packages:
        unpack(package, work)
    folders = [path for path in (work / "usr/lib/modules").iterdir() if (path / "kernel").is_dir()]
    if len(folders) != 1:
        raise BadKernel(f"{work}: {len(folders)} kernels, expected one")
    modules = folders[0]
    return _checked(Kernel(modules.name, modules / "vmlinuz", modules, modules / "dtb"), whose)


def of_folder(folder: Path, whose: Architecture) -> Kernel:
    """A vendor's: `Image`, `modules/RELEASE`, `dtb`. Raises `BadKernel`, `OSError`."""
    releases = [path for path in (folder / "modules").iterdir() if path.is_dir()]
    if len(releases) != 1:
        raise BadKernel(f"{folder / 'modules'}: {len(releases)} releases, expected one")
    return _checked(Kernel(releases[0].name, folder / "Image", releases[0], folder / "dtb"), whose)


def _checked(kernel: Kernel, whose: Architecture) -> Kernel:
    offset, magic = whose.kernel_magic
    with kernel.image.open("rb") as file:
        head = file.read(offset + len(magic))
    if head[offset:] != magic:
        raise BadKernel(f"{kernel.image}: not {whose.kernel_kind} (no {magic.decode()} at byte {offset})")
    return kernel


def install(kernel: Kernel, root: Path, wanted: Sequence[str]) -> Path:
    """Put the wanted modules, and what they need, into the tree; their folder. Raises `CalledProcessError`."""
    target = root / "usr/lib/modules" / kernel.release
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copyfile(kernel.modules / name, target / name)
    everything = {_key(path): path for path in sorted((kernel.modules / "kernel").rglob("*.ko*"))}
    chosen = {
        key for key, path in everything.items() if _is_wanted(path.relative_to(kernel.modules / "kernel"), wanted)
    }
    for key in chosen | _needed(chosen, everything):
        path = everything[key]
        copy = target / path.relative_to(kernel.modules)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Unpacked: the squashfs packs it anyway, and better.
        (copy.with_suffix("") if path.suffix == ".xz" else copy).write_bytes(content(path))
    subprocess.run(["depmod", "-b", str(root / "usr"), kernel.release], check=True, capture_output=True, timeout=TOOL_S)
    return target


def with_dependencies(modules: Path, names: Iterable[str]) -> list[Path]:
    """The files of these modules and of what they need, in the order of loading; built-in ones are none.

    Raises `BadKernel` for one that there is not.
    """
    after: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, needs = line.partition(":")
        after[_key(Path(file))] = [file, *needs.split()]
    built_in = {_key(Path(line)) for line in (modules / "modules.builtin").read_text().splitlines()}
    ordered: dict[str, Path] = {}
    for name in names:
        if name not in after and name not in built_in:
            raise BadKernel(f"{modules}: no module {name}")
        for file in reversed(after.get(name, [])):
            ordered.setdefault(_key(Path(file)), modules / file)
    return list(ordered.values())


def _needed(chosen: Iterable[str], everything: dict[str, Path]) -> set[str]:
    """The keys of all that these need, by the `depends=` in each module."""
    found: set[str] = set()
    waiting = list(chosen)
    while waiting:
        for name in _depends(content(everything[waiting.pop()])):
            if name in everything and name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _depends(module: bytes) -> list[str]:
    start = module.find(b"\0depends=")
    if start < 0:
        return []
    text = module[start + 9 : module.index(b"\0", start + 9)].decode()
    return [name.replace("-", "_") for name in text.split(",") if name]


def _is_wanted(path: Path, wanted: Sequence[str]) -> bool:
    name = str(path).removesuffix(".xz")
    return any(name == tree or name.startswith(tree.rstrip("/") + "/") for tree in wanted)


def _key(path: Path) -> str:
    return path.name.split(".ko")[0].replace("-", "_")


def content(path: Path) -> bytes:
    """A module as it is loaded, unpacked."""
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
